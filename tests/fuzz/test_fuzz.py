"""A few of the requests that `python -m tests.fuzz` makes by the hundred thousand."""

from pathlib import Path

import pytest

from tests.fuzz.door import GROWTH, a_door
from tests.fuzz.grammar import KINDS
from tests.fuzz.run import fuzz

pytestmark = pytest.mark.process

SEED, COUNT = 7, 100


async def test_no_request_is_answered_500_or_leaves_a_traceback_or_memory_behind(tmp_path: Path) -> None:
    async with a_door(tmp_path) as door:
        for kind in KINDS:
            fuzz(door, kind, seed=SEED, count=COUNT)
        usual = door.memory
        for kind in KINDS:
            fuzz(door, kind, seed=SEED + 1, count=COUNT)
        assert door.faults() == []
        assert door.memory < usual + GROWTH
