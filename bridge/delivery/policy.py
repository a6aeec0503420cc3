"""What follows from an outcome, from quiet hours, from an outage that lasts. Pure: time and chance are arguments."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import assert_never

from bridge.outcome import (
    SHORTEST_WAIT,
    Again,
    Away,
    Dead,
    Delivered,
    Done,
    Fate,
    Gone,
    HeldBack,
    Limited,
    Outcome,
    Refused,
)
from bridge.sinks.base import Retry
from bridge.store.base import Delivery
from bridge.terms import Quiet
from bridge.value import Value


class Policy:
    """A sink's way of trying again."""

    def __init__(self, retry: Retry, chance: Random) -> None:
        self._retry = retry
        self._chance = chance

    def fates(self, deliveries: Sequence[Delivery], outcome: Outcome, *, bug: bool, now: datetime) -> list[Fate]:
        """What becomes of each delivery of a batch that was attempted. `bug`: it failed by one of our own."""
        if len(deliveries) > 1:
            if splits(outcome, bug=bug):
                return [Again(now, "could not be told as a digest", counts=False)] * len(deliveries)
            if isinstance(outcome, Delivered):  # its message is about no single subject
                return [Done(outcome.note)] * len(deliveries)
        return [self.fate(outcome, attempt=one.attempts + 1, since=one.made_at, now=now) for one in deliveries]

    def fate(self, outcome: Outcome, *, attempt: int, since: datetime, now: datetime) -> Fate:
        """Decide after `attempt`, counted from 1, at a delivery made at `since`.

        A wait that the service asks for is honoured and costs no attempt, until the delivery is too old. Nor does what
        something in between says, nor an address that is gone. Where nobody says how long to wait, the lane does: its
        waits grow.
        """
        match outcome:
            case Delivered(ref, note):
                return Done(note, ref)
            case Limited(after):
                return self._asked_to_wait("rate limited", after, since, now)
            case Away(reason, after, counts) if after is not None or not counts:
                return self._asked_to_wait(reason, after, since, now)
            case Away(reason) if attempt <= self._retry.max_retries:
                return Again(now + timedelta(seconds=self._wait(attempt)), reason)
            case Away(reason):
                return Dead(f"{reason}; gave up after {attempt} attempts")
            case Refused(reason):
                return Dead(reason)
            case Gone(reason, "address"):
                return HeldBack(reason, unreached=True)
            case Gone(reason):  # this one goes first when the lane flows again
                return Again(now, f"the lane is parked: {reason}", counts=False)
            case _:
                assert_never(outcome)

    def _asked_to_wait(self, reason: str, after: float | None, since: datetime, now: datetime) -> Fate:
        age = (now - since).total_seconds()
        if age > self._retry.give_up:
            return Dead(f"{reason}; gave up after {age / 3600:.0f} hours of waiting")
        return Again(now + timedelta(seconds=max(after or 0.0, SHORTEST_WAIT)), reason, counts=False)

    def _wait(self, attempt: int) -> float:
        waits = self._retry.waits
        wait = waits[min(attempt, len(waits)) - 1]
        return wait * (1 + self._retry.jitter * self._chance.uniform(-1, 1))


def splits(outcome: Outcome, *, bug: bool) -> bool:
    """Whether the deliveries of a digest are now sent one by one: one of them may be to blame."""
    return bug or isinstance(outcome, Refused)


class SendNow(Value):
    """It may be sent now; `silent`: without a sound."""

    silent: bool = False


#: What quiet hours make of a delivery that could be sent now.
Admission = SendNow | Again | HeldBack


def admission(delivery: Delivery, quiet: Quiet | None, local: datetime) -> Admission:
    """Whether a delivery may be sent in the sink's `quiet` hours. Those of its row come first.

    `local` is the time in the zone that the hours are meant in. What is critical passes them, without a sound.
    """
    terms = delivery.terms
    row = terms.quiet if terms is not None else None
    hours = quiet if row is None else row
    until = hours.until(local) if hours is not None else None
    if hours is None or until is None:
        return SendNow()
    if terms is not None and terms.critical:
        return SendNow(silent=True)
    match hours.mode:
        case "silent":
            return SendNow(silent=True)
        case "hold":
            return Again(until, "quiet hours", counts=False)
        case "drop":
            return HeldBack("quiet hours")
        case _:
            assert_never(hours.mode)


def suppressed_by(opposite: Delivery) -> HeldBack:
    """The fate of a delivery that another one takes back."""
    return HeldBack(f"cancelled out by delivery {opposite.id}, {opposite.event.type}")


def fallback_fate(delivery: Delivery, *, since: datetime, reason: str, now: datetime) -> Dead | None:
    """Whether a delivery goes to its fallback, its sink having taken nothing `since` then; None where it waits on."""
    after = delivery.terms.fallback_after if delivery.terms is not None else None
    away = (now - since).total_seconds()
    if after is None or away < after:
        return None
    return Dead(f"{reason}; {delivery.sink} has not taken anything for {_duration(away)}")


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{seconds:.0f} s" if minutes < 2 else f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
