"""When it is told that a source does not answer, and that it does again."""

from datetime import datetime, timedelta

import pytest

from bridge.polled import SourceHealth
from bridge.polling.health import LONGEST_WAIT, SURE, HealthChange, asked_again, judge
from tests.fakes import START


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def verdicts(polls: list[tuple[float, str | None]], *, lost_after: float = 180.0) -> list[tuple[float, HealthChange]]:
    """What is told of polls: when each was, in seconds, and why it failed, if it did."""
    health, told = SourceHealth(), []
    for seconds, reason in polls:
        judgement = judge(health, reason, after(seconds), lost_after=lost_after)
        health = judgement.health
        if judgement.verdict is not None:
            told.append((seconds, judgement.verdict))
    return told


@pytest.mark.parametrize(
    ("polls", "told"),
    [
        ([(0, None), (60, None)], []),
        ([(0, "x"), (60, "x"), (120, "x"), (179, "x")], []),
        ([(0, "x"), (60, "x"), (180, "x"), (240, "x"), (300, "x")], [(180, "lost")]),
        ([(0, "x"), (180, "y"), (240, "z"), (300, None), (360, None)], [(180, "lost"), (300, "restored")]),
        ([(0, "x"), (100, None), (200, "x"), (300, None)], []),  # it never failed for long
        (
            [(0, "x"), (180, "x"), (240, None), (300, "x"), (480, "x")],
            [(180, "lost"), (240, "restored"), (480, "lost")],
        ),
    ],
)
def test_what_lasts_is_told_once_and_its_end_where_it_was_told(
    polls: list[tuple[float, str | None]], told: list[tuple[float, HealthChange]]
) -> None:
    assert verdicts(polls) == told


def test_one_poll_that_fails_is_nothing_to_tell_however_late_it_is_told() -> None:
    assert verdicts([(0, "x")], lost_after=0.0) == []
    assert verdicts([(60.0 * poll, "x") for poll in range(SURE)], lost_after=0.0) == [(60.0 * (SURE - 1), "lost")]


def test_it_began_with_the_first_poll_that_failed_and_the_reason_is_the_last_one() -> None:
    first = judge(SourceHealth(), "x", START, lost_after=60.0).health
    second = judge(first, "y", after(60), lost_after=60.0).health
    assert (second.failing_since, second.reason, second.failures) == (START, "y", 2)


def test_who_fails_is_asked_ever_less_often_and_never_more_than_every_interval() -> None:
    failing = [SourceHealth(failing_since=START, failures=failures) for failures in range(1, 60)]
    waits = [asked_again(one, START, every=60.0) or START for one in failing]
    assert waits[:4] == [after(60), after(120), after(240), after(480)]
    assert set(waits[4:]) == {after(LONGEST_WAIT)}
    assert asked_again(failing[-1], START, every=3600.0) == after(3600)


def test_who_does_not_fail_is_asked_at_the_next_turn() -> None:
    assert asked_again(SourceHealth(), START, every=60.0) is None
