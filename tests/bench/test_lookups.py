"""Every lookup is measured on both engines, with a store too small to say anything."""

import pytest

from bench.counts import TINY
from bench.lookups import lookups


@pytest.mark.process
async def test_every_lookup_gives_a_figure_with_its_aim() -> None:
    figures = await lookups(TINY)
    assert len({one.name for one in figures}) == len(figures)
    assert {one.name.partition(",")[0] for one in figures} == {"SQLite", "PostgreSQL"}
    assert [one.name for one in figures if len(one.ours) != 1 or one.aim is None] == []
    by_engine = [
        {one.name.removeprefix(name) for one in figures if one.name.startswith(name)}
        for name in ("SQLite, cold, ", "PostgreSQL, ")
    ]
    assert by_engine[0] == by_engine[1]
