"""Which replicas are alive."""

import math

import pytest

from bridge.cluster.connection import QUERY_TIMEOUT
from bridge.cluster.membership import STALE, Membership
from bridge.cluster.replicas import HEARTBEAT, LEASE

NOW = 1000.0


def alive(ages: dict[str, float], *, last_heartbeat: float = NOW - HEARTBEAT) -> set[str]:
    return Membership("here").alive(ages, last_heartbeat=last_heartbeat, now=NOW)


def test_nobody_may_send_any_more_when_the_others_call_him_dead() -> None:
    assert QUERY_TIMEOUT < LEASE < STALE


@pytest.mark.parametrize(("age", "lives"), [(0.0, True), (STALE, True), (STALE + 0.001, False)])
def test_a_replica_is_dead_once_its_heartbeat_is_stale(age: float, lives: bool) -> None:
    assert ("there" in alive({"here": 0.0, "there": age})) == lives


def test_a_replica_never_calls_itself_dead() -> None:
    assert alive({"here": STALE + 1}) == {"here"}


def test_who_has_just_come_judges_at_once() -> None:
    assert alive({"here": 0.0, "there": STALE + 1}, last_heartbeat=-math.inf) == {"here"}


def test_who_stood_still_himself_gives_the_others_time() -> None:
    membership, ages = Membership("here"), {"here": 0.0, "there": STALE + 1}
    assert membership.alive(ages, last_heartbeat=NOW - STALE - 0.001, now=NOW) == {"here", "there"}
    assert membership.alive(ages, last_heartbeat=NOW, now=NOW + STALE - 0.001) == {"here", "there"}
    assert membership.alive(ages, last_heartbeat=NOW + STALE - 0.001, now=NOW + STALE) == {"here"}


def test_nobody_is_dead_while_there_is_grace() -> None:
    membership, ages = Membership("here"), {"here": 0.0, "there": STALE + 1}
    membership.give_grace(NOW)
    assert membership.alive(ages, last_heartbeat=-math.inf, now=NOW + STALE - 0.001) == {"here", "there"}
    assert membership.alive(ages, last_heartbeat=-math.inf, now=NOW + STALE) == {"here"}
