"""Noticing that the wall clock was set back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import DRIFT, JumpDetector
from tests.fakes import START


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
