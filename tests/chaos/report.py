"""What came of a run, as a row of the table in docs/delivery.md."""

from collections.abc import Sequence

from tests.chaos.laws import nothing_is_lost, repeated
from tests.chaos.plan import STORE
from tests.chaos.story import Story

ENGINES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
COLUMNS = ("engine", "seed", "minutes", "events", "deliveries", "kills", "cuts", "repeats", "lost")


def report(story: Story) -> Sequence[str]:
    """The lines of the table.

    events      that were answered 200
    deliveries  that arrived
    kills       processes that were killed
    cuts        how often the store was taken away, one way or another
    repeats     what a sink was told again, though it had taken it
    lost        what was promised, and is not where it should be
    """
    plan = story.plan
    values = (
        ENGINES[plan.store],
        plan.seed,
        f"{plan.seconds / 60:g}",
        f"{len(story.promised):,}",
        f"{len(story.told):,}",
        sum(one.asked == "SIGKILL" for one in story.exits),
        story.counted(*STORE[plan.store]),
        sum(repeated(story, sink).total() for sink in {one.sink for one in story.told}),
        len(list(nothing_is_lost(story))),
    )
    return [_line(COLUMNS), _line(["---"] * len(COLUMNS)), _line(values), "", _besides(story)]


def _besides(story: Story) -> str:
    """What there was of what no column counts: a plan that cannot be carried out is seen here."""
    plan = story.plan
    waits = sum(one.wait > 0 for one in story.asked)
    seen = {
        "process ends": len(story.exits),
        "faults that were spared": f"{len(story.spared)} of {len(plan.steps)}",
        "stores absent": len(story.absent),
        "stores deleted": len(story.deleted),
        "quiet hours": len(story.quiet),
        "deliveries replayed": len(story.replayed),
        "lanes resumed": len(story.resumed),
        "waits asked for": waits,
        "answers to strangers": story.strangers.total(),
        "answers to panels": dict(sorted(story.answers.items())),
        "latest of our own wakings": f"{max((by for _, by in story.delays), default=0.0):.1f} s",
    }
    return " · ".join(f"{what}: {count}" for what, count in seen.items())


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
