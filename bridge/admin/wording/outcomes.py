"""What became of an event, in a sentence."""

from collections import defaultdict
from collections.abc import Sequence

from bridge.admin.shapes import Fate, Verdict
from bridge.store.base import Cleared, State

_WORDS = {
    State.DELIVERED: "was delivered to",
    State.PENDING: "waits for",
    State.WAITING: "waits for",
    State.DEAD: "was given up for",
    State.HELD_BACK: "was held back from",
}


def sentence(verdicts: Sequence[Verdict], fates: Sequence[Fate]) -> str:
    """Where the event is now: at each sink what became of it last; where it went nowhere, why."""
    if not fates:
        return f"it went nowhere: {_why_nowhere(verdicts)}"
    by_words: defaultdict[str, list[str]] = defaultdict(list)
    for fate in {one.sink: one for one in fates}.values():
        by_words[_WORDS[fate.state]].append(_sink(fate))
    return "it " + ", and ".join(f"{words} {', '.join(sinks)}" for words, sinks in by_words.items())


def _sink(fate: Fate) -> str:
    """The sink, and what is to be known of it."""
    remarks = [fate.reason] if fate.reason and fate.state in (State.DEAD, State.HELD_BACK, State.WAITING) else []
    if fate.cleared is Cleared.DISMISSED:
        remarks.append("put away since")
    return f"{fate.sink} ({'; '.join(remarks)})" if remarks else fate.sink


def _why_nowhere(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return "the table had no row"
    matched = [one.row for one in verdicts if one.matched]
    return f"no sink of {', '.join(matched)} is enabled" if matched else "no row of the table takes it"
