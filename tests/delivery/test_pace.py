"""When each of many addresses may be spoken to."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.pace import Pace
from bridge.outcome import Rate, Spaced

GROUP = (Spaced(1, 1.0), Spaced(5, 4.0))  # Telegram's
HOOK = (Spaced(2, 2 / 3), Spaced(6, 2.5))  # Discord's
#: What each service counts: so many in any so many seconds.
WINDOWS = {GROUP: ((1, 1.0), (20, 60.0)), HOOK: ((5, 2.0), (30, 60.0))}
SLACK = 1e-6  # seconds that are lost in adding


def go(pace: Pace, address: str, rates: tuple[Spaced, ...], now: float) -> bool:
    if taken := pace.take(address, rates, now):
        pace.sent(address, rates, now)
    return taken


@given(st.sampled_from([GROUP, HOOK]), st.lists(st.floats(0, 3), min_size=1, max_size=200))
def test_no_window_of_the_service_ever_holds_one_too_many(rates: tuple[Spaced, ...], waits: list[float]) -> None:
    pace, now, sent = Pace(), 100.0, list[float]()
    for wait in waits:
        now += wait
        if go(pace, "a", rates, now):
            sent.append(now)
    for most, period in WINDOWS[rates]:
        assert all(sum(at <= one < at + period - SLACK for one in sent) <= most for at in sent)


@given(st.integers(1, 40), st.floats(0.01, 100), st.lists(st.floats(0, 2), min_size=1, max_size=200))
def test_no_window_of_a_rate_that_somebody_wrote_ever_holds_one_too_many(
    count: int, period: float, waits: list[float]
) -> None:
    """Each wait is so many of the times after which the next one may go."""
    rates = (Spaced.within(Rate(count, period)),)
    pace, now, sent = Pace(), 100.0, list[float]()
    for wait in waits:
        now += wait * rates[0].every
        if go(pace, "a", rates, now):
            sent.append(now)
    assert all(sum(at <= one < at + period - SLACK for one in sent) <= count for at in sent)


@given(st.sampled_from([GROUP, HOOK]), st.integers(1, 80))
def test_what_is_promised_may_go_when_it_was_promised(rates: tuple[Spaced, ...], count: int) -> None:
    pace = Pace()
    assert go(pace, "a", rates, 100.0)
    promised = [pace.promise("a", rates, 100.0) for _ in range(count)]
    assert all(one <= other for one, other in pairwise(promised))
    for at in promised:
        assert pace.free_at("a", rates) <= at + SLACK
        assert go(pace, "a", rates, at + SLACK)


def test_twenty_go_to_a_group_in_its_first_minute() -> None:
    pace = Pace()
    sent = [now / 10 for now in range(600) if go(pace, "a", GROUP, now / 10)]
    assert 19 <= len(sent) <= 20


def test_no_other_address_is_held_up() -> None:
    pace = Pace()
    assert go(pace, "a", GROUP, 100.0)
    assert not go(pace, "a", GROUP, 100.0)
    assert go(pace, "b", GROUP, 100.0)


def test_what_is_on_its_way_holds_up_its_address_until_it_is_sent_or_given_back() -> None:
    pace = Pace()
    assert pace.take("a", GROUP, 100.0)
    assert not pace.hold("a")
    assert not pace.take("a", GROUP, 200.0)
    pace.give_back("a")
    assert pace.take("a", GROUP, 200.0)


def test_who_has_sent_gives_back_what_is_theirs_alone() -> None:
    """What came of it may take longer to record than the address needs until it may be spoken to again."""
    pace = Pace()
    assert pace.take("a", GROUP, 100.0, "first")
    pace.sent("a", GROUP, 100.0)
    assert pace.take("a", GROUP, 101.0, "second")
    pace.give_back("a", "first")
    assert not pace.take("a", GROUP, 101.0, "third")
    pace.give_back("a", "second")
    assert pace.take("a", GROUP, 101.0, "third")


def test_what_waits_for_its_address_holds_it_up_for_all_others() -> None:
    pace = Pace()
    assert go(pace, "a", GROUP, 100.0)
    assert pace.hold("a")
    assert not pace.hold("a")
    assert not pace.take("a", GROUP, 200.0)
    pace.give_back("a")
    assert pace.take("a", GROUP, 200.0)


def test_a_pause_holds_for_what_is_promised_too() -> None:
    pace = Pace()
    pace.pause("a", GROUP, 130.0)
    assert not pace.take("a", GROUP, 100.0)
    assert pace.promise("a", GROUP, 100.0) == 130.0
    assert pace.take("a", GROUP, 130.0)


def test_a_limit_is_the_addresss_own_where_something_was_sent_there_before() -> None:
    pace = Pace()
    assert not pace.was_busy("a", 100.0)
    pace.sent("a", GROUP, 100.0)
    assert pace.was_busy("a", 159.0)
    assert not pace.was_busy("a", 160.0)


def test_in_its_first_minute_a_limit_is_believed_to_be_of_one_address_alone() -> None:
    """For what was sent before a restart, nobody here knows."""
    pace = Pace(100.0)
    assert pace.was_busy("a", 159.0)
    pace.pause("a", GROUP, 200.0)
    assert not pace.was_busy("b", 159.0)
    assert pace.was_busy("a", 159.0)
    assert not pace.was_busy("a", 160.0)
    assert not Pace(100.0).was_busy("a", 160.0)


@pytest.mark.parametrize("rates", [GROUP, HOOK])
def test_addresses_that_may_be_spoken_to_cost_nothing(rates: tuple[Spaced, ...]) -> None:
    pace = Pace()
    for number in range(50_000):
        assert go(pace, str(number), rates, float(number))
    assert len(pace) <= 2048
