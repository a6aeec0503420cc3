"""What a sink makes of an attempt that it has judged."""

from bridge.outcome import Attempt, Delivered
from bridge.value import replace


def noted(attempt: Attempt, *notes: str) -> Attempt:
    """`attempt`; where it was delivered the operator is told of these, in their order."""
    outcome = attempt.outcome
    if not any(notes) or not isinstance(outcome, Delivered):
        return attempt
    return replace(attempt, outcome=replace(outcome, note="; ".join(filter(None, (*notes, outcome.note)))))


def as_message(attempt: Attempt, ref: str) -> Attempt:
    """`attempt`; where it was delivered, what is remembered is the message `ref`."""
    outcome = attempt.outcome
    return replace(attempt, outcome=replace(outcome, ref=ref)) if isinstance(outcome, Delivered) else attempt


def done(attempt: Attempt, already: bool) -> Attempt:
    """`attempt`; delivered where what was asked for is so `already`."""
    return replace(attempt, outcome=Delivered()) if already else attempt
