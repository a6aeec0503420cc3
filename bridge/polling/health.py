"""Whether a source answers as it should, and when that is worth telling. Pure: times are arguments."""

from datetime import datetime, timedelta
from typing import Literal

from bridge.polled import SourceHealth
from bridge.value import Value

SURE = 2  # polls in a row that fail before anything is told: one may fail for any reason
LONGEST_WAIT = 600.0  # seconds until a source that fails is asked again

HealthChange = Literal["lost", "restored"]


class Judgement(Value):
    """How a source is from now on, and what is to be told of it, if anything."""

    health: SourceHealth
    verdict: HealthChange | None = None


def judge(before: SourceHealth, reason: str | None, at: datetime, *, lost_after: float) -> Judgement:
    """After one more poll: `reason` says why it failed, None that it did not.

    That it fails is told once, as soon as that has lasted for `lost_after` seconds; that it does not any more, only
    where that was told.
    """
    if reason is None:
        return Judgement(SourceHealth(), "restored" if before.told else None)
    since = before.failing_since or at
    health = SourceHealth(failing_since=since, reason=reason, failures=before.failures + 1, told=before.told)
    if health.told or health.failures < SURE or (at - since).total_seconds() < lost_after:
        return Judgement(health)
    return Judgement(SourceHealth(failing_since=since, reason=reason, failures=health.failures, told=True), "lost")


def asked_again(health: SourceHealth, at: datetime, *, every: float) -> datetime | None:
    """When to ask a source again that fails: ever later; None where it does not, and its next turn is soon enough."""
    if health.failing_since is None:
        return None
    doublings = min(health.failures - 1, 20)
    return at + timedelta(seconds=min(every * 2.0**doublings, max(every, LONGEST_WAIT)))
