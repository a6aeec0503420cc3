"""Short runs of what `python -m tests.chaos` does for hours: processes that are killed and cut off lose nothing."""

from pathlib import Path

import pytest

from tests.chaos.__main__ import impossible
from tests.chaos.plan import Store, a_plan
from tests.chaos.run import run

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("seed", "store", "replicas", "seconds"),
    [(3, "sqlite", 1, 25.0), (1, "postgresql", 2, 40.0)],
)
async def test_whatever_goes_wrong_every_event_answered_200_arrives_in_order_or_is_dead_with_a_reason(
    tmp_path: Path, seed: int, store: Store, replicas: int, seconds: float
) -> None:
    plan = a_plan(seed, seconds=seconds, store=store, replicas=replicas, without=dict(impossible(tmp_path)))
    story, broken = await run(plan, tmp_path)
    assert not broken, "\n".join([*broken, "", f"logs in {tmp_path}", str(plan)])
    assert len(story.promised) > 50
