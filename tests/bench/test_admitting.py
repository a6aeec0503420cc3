"""What a delivery costs in its lane: the bench carries each kind to its end, and says what the store was asked."""

import pytest

from bench.admitting import KINDS, a_round


@pytest.mark.parametrize("kind", KINDS)
async def test_whom_deliveries_are_for_is_asked_for_together_and_nothing_else_for_each(kind: str) -> None:
    found = await a_round(kind, 60, people=60)
    assert found.cpu > 0
    each = {name for name, number in found.asked.items() if number >= 60} - {"version"}  # by the clock
    assert each == {"settle", "load"} | ({"told_since"} if "a day" in kind else set())
