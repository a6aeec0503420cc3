"""What a sink makes of an attempt that it has judged."""

from bridge.outcome import Attempt, Delivered, Gone, Refused
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


def taken_back(attempt: Attempt, *, already: bool, about_earlier: bool) -> Attempt:
    """The `attempt` to take an earlier message back.

    Delivered where it is not there any more `already`. Where what is in the way is about that message alone, or about
    the thread that it stands in, it is refused: whatever else waits for the place does not wait for a person.
    """
    outcome = attempt.outcome
    if already:
        return replace(attempt, outcome=Delivered())
    if about_earlier and isinstance(outcome, Gone):
        return replace(attempt, outcome=Refused(outcome.reason))
    return attempt
