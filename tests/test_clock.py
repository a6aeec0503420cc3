"""Moments in a zone, and noticing that the wall clock was set back."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridge
from bridge.clock import DRIFT, JumpDetector, in_zone
from tests.fakes import START

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
FOLDER = Path(bridge.__file__).parent


@pytest.mark.parametrize(
    ("at", "zone", "shown"),
    [
        (START, "Asia/Tehran", "2026-11-21T07:44:18+03:30"),
        (LAST, "Asia/Tehran", "9999-12-31T23:59:59+00:00"),
        (LAST, "America/New_York", "9999-12-31T18:59:59-05:00"),
        (FIRST, "America/New_York", "0001-01-01T00:00:00+00:00"),
    ],
)
def test_a_moment_is_in_a_zone_as_far_as_the_calendar_of_that_zone_goes(at: datetime, zone: str, shown: str) -> None:
    assert in_zone(at, ZoneInfo(zone)).isoformat(timespec="seconds") == shown


def test_moments_are_put_into_a_zone_in_one_place_which_knows_where_the_calendar_ends() -> None:
    elsewhere = re.compile(r"\.astimezone\((?!UTC\))")
    assert [file.name for file in FOLDER.rglob("*.py") if elsewhere.search(file.read_text("utf-8"))] == ["clock.py"]


def test_a_clock_that_only_goes_on_was_not_set_back() -> None:
    jumps = JumpDetector()
    assert [jumps.set_back(now, START + timedelta(seconds=now)) for now in (0.0, 1.0, 3600.0)] == [0.0] * 3


def test_a_clock_that_was_set_back_is_noticed_once() -> None:
    jumps = JumpDetector()
    jumps.set_back(0.0, START)
    assert jumps.set_back(10.0, START - timedelta(seconds=3590)) == 3600.0
    assert jumps.set_back(20.0, START - timedelta(seconds=3580)) == 0.0


def test_a_clock_that_was_set_forward_is_taken_as_it_is() -> None:
    jumps = JumpDetector()
    jumps.set_back(0.0, START)
    assert jumps.set_back(10.0, START + timedelta(hours=5)) == 0.0
    assert jumps.set_back(20.0, START + timedelta(seconds=20)) == pytest.approx(5 * 3600 - 10)


@given(st.lists(st.floats(-3.0, 3.0)))
def test_small_steps_add_up_and_none_is_forgotten(steps: list[float]) -> None:
    jumps, ahead, highest, noticed = JumpDetector(), 0.0, 0.0, 0.0
    jumps.set_back(0.0, START)
    for step in steps:
        ahead += step
        highest = max(highest, ahead + noticed)
        noticed += jumps.set_back(0.0, START + timedelta(seconds=ahead))
    assert highest - (ahead + noticed) < DRIFT + 1e-3
