"""How often somebody may be wrong."""

from bridge.admin.access.lockout import ADDRESSES, FREE, LONGEST, OF_ALL, Lockout
from tests.fakes import FakeClock

HOME, AWAY = "203.0.113.7", "198.51.100.9"


def test_a_few_wrong_tries_cost_nothing_then_each_costs_twice_the_last(clock: FakeClock) -> None:
    lockout, waits = Lockout(clock.monotonic), []
    for _ in range(FREE + 12):
        lockout.wrong(HOME)
        waits.append(lockout.wait(HOME))
        clock.step(waits[-1])
        clock.step(61)  # or all of them together would be too many
    assert waits[: FREE + 3] == [0.0] * (FREE - 1) + [1.0, 2.0, 4.0, 8.0]
    assert waits[-1] == LONGEST


def test_one_address_does_not_hold_up_another(clock: FakeClock) -> None:
    lockout = Lockout(clock.monotonic)
    for _ in range(FREE):
        lockout.wrong(HOME)
    assert lockout.wait(HOME) > 0
    assert lockout.wait(AWAY) == 0.0


def test_who_was_right_begins_anew(clock: FakeClock) -> None:
    lockout = Lockout(clock.monotonic)
    for _ in range(FREE):
        lockout.wrong(HOME)
    lockout.right(HOME)
    lockout.wrong(HOME)
    assert lockout.wait(HOME) == 0.0


def test_many_addresses_together_have_one_try_a_second_and_who_was_right_is_not_held_up(clock: FakeClock) -> None:
    lockout = Lockout(clock.monotonic)
    lockout.right(HOME)
    for number in range(OF_ALL):
        lockout.wrong(f"198.51.100.{number}")
    assert lockout.wait("192.0.2.1") == 1.0
    assert lockout.wait(HOME) == 0.0
    clock.step(1)
    assert lockout.wait("192.0.2.1") == 0.0
    lockout.wrong("192.0.2.1")
    assert lockout.wait("192.0.2.2") == 1.0
    clock.step(60)
    assert lockout.wait("192.0.2.2") == 0.0


def test_what_is_remembered_is_bounded(clock: FakeClock) -> None:
    lockout = Lockout(clock.monotonic)
    for number in range(ADDRESSES + 100):
        lockout.wrong(str(number))
        lockout.right(f"right {number}")
    assert len(lockout._tries) == len(lockout._known) == ADDRESSES
    assert "99" not in lockout._tries
