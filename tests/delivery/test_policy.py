"""What follows from an outcome."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.policy import Policy
from bridge.outcome import Again, Away, Dead, Delivered, Done, Fate, Gone, Limited, Outcome, Refused
from bridge.sinks.base import Retry
from tests.fakes import START, NoChance


def after(seconds: float, reason: str, *, counts: bool = True) -> Again:
    return Again(START + timedelta(seconds=seconds), reason, counts)


@pytest.mark.parametrize(
    ("outcome", "attempt", "fate"),
    [
        (Delivered(), 1, Done()),
        (Delivered(note="sent as plain text"), 1, Done("sent as plain text")),
        (Limited(0.65), 1, after(0.65, "rate limited", counts=False)),
        (Limited(10_072), 99, after(10_072, "rate limited", counts=False)),
        (Away("HTTP 502"), 1, after(30, "HTTP 502")),
        (Away("HTTP 502"), 2, after(120, "HTTP 502")),
        (Away("HTTP 502"), 3, after(300, "HTTP 502")),
        (Away("HTTP 502"), 4, Dead("HTTP 502; gave up after 4 attempts")),
        (Away("HTTP 503", after=7), 4, after(7, "HTTP 503", counts=False)),
        (Refused("HTTP 400"), 1, Dead("HTTP 400")),
        (Gone("HTTP 404"), 9, after(0, "the address is gone: HTTP 404", counts=False)),
        (Delivered(ref="77"), 1, Done(ref="77")),
    ],
)
def test_fate(outcome: Outcome, attempt: int, fate: Fate) -> None:
    assert Policy(Retry(), NoChance()).fate(outcome, attempt=attempt, since=START, now=START) == fate


@pytest.mark.parametrize("outcome", [Limited(60), Away("HTTP 503", after=60)])
def test_a_service_that_only_ever_asks_to_wait_is_given_up_in_the_end(outcome: Outcome) -> None:
    policy = Policy(Retry(give_up=3600), NoChance())
    early, late = (
        policy.fate(outcome, attempt=1, since=START, now=START + timedelta(seconds=age)) for age in (3600, 3601)
    )
    assert isinstance(early, Again)
    assert isinstance(late, Dead)
    assert late.reason.endswith("gave up after 1 hours of being asked to wait")


def test_the_last_wait_repeats_where_more_retries_are_allowed_than_waits_are_given() -> None:
    policy = Policy(Retry(max_retries=5, waits=(1, 2)), NoChance())
    fates = [policy.fate(Away("away"), attempt=n, since=START, now=START) for n in range(1, 7)]
    assert fates[:5] == [after(seconds, "away") for seconds in (1, 2, 2, 2, 2)]
    assert fates[5] == Dead("away; gave up after 6 attempts")


@given(st.integers(), st.integers(1, 3))
def test_chance_moves_a_wait_by_no_more_than_the_jitter(seed: int, attempt: int) -> None:
    retry = Retry(jitter=0.2)
    fate = Policy(retry, Random(seed)).fate(Away("away"), attempt=attempt, since=START, now=START)
    assert isinstance(fate, Again)
    wait = retry.waits[attempt - 1]
    assert wait * 0.8 <= (fate.at - START).total_seconds() <= wait * 1.2
