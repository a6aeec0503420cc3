"""A month of a panel's life, told by a bridge that is killed again and again: all of it, and all of it once."""

import pytest

from tests.polling.month import live
from tests.polling.threexui import PATHS

pytestmark = pytest.mark.process


def test_a_month_is_told_whole_and_once_however_often_the_bridge_is_killed() -> None:
    said: list[tuple[int, int, int]] = []
    month = live(clients=40, kills=12, hours=24 * 8, progress=lambda *one: said.append(one))
    assert said[-1] == (24 * 8 + 1, 24 * 8 + 1, 12)
    assert [hour for hour, _, _ in said] == list(range(24 * 8 + 2))
    assert month.happened.total() > 40
    assert month.told == month.happened
    assert month.most_in_an_hour == dict.fromkeys(PATHS, 1)
    assert month.most_at_once == 1
