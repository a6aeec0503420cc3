"""How an event would be told, in sentences: what its row and its sink ask for beside that."""

from collections.abc import Iterator
from datetime import UTC, datetime

from bridge.admin.language import N_, Language
from bridge.clock import in_zone
from bridge.event import Event
from bridge.terms import Quiet, Terms
from bridge.vocabulary import opposite

_UNITS = ((N_("%(count)s d"), 86400), (N_("%(count)s h"), 3600), (N_("%(count)s min"), 60), (N_("%(count)s s"), 1))
_QUIET = {
    "silent": N_("Told without a sound: it is quiet until %(ends)s."),
    "hold": N_("Told when it is quiet no more, at %(ends)s."),
    "drop": N_("Not told: it is quiet until %(ends)s."),
}
_UPDATES = {
    "subject": N_("Edits the last message about the same."),
    "thread": N_("Answers the last message about the same."),
}


def manner(words: Language, terms: Terms | None, event: Event, at: datetime) -> str:
    """How a row has it told, where that is not simply at once; `at` in the file's zone."""
    return " ".join(_sentences(words, terms, event, at)) if terms else ""


def quietly(words: Language, quiet: Quiet | None, at: datetime) -> str:
    """What the quiet hours make of it that hold `at`; nothing where none do."""
    ends = quiet.until(at) if quiet else None
    return words.say(_QUIET[quiet.mode], ends=f"{in_zone(ends, at.tzinfo or UTC):%H:%M}") if quiet and ends else ""


def duration(words: Language, seconds: float) -> str:
    """`90 s`, `5 min`, `2 h`, `1 d`."""
    text, size = next((one for one in _UNITS if seconds >= one[1] and seconds % one[1] == 0), _UNITS[-1])
    return words.say(text, count=f"{seconds / size:g}")


def _sentences(words: Language, terms: Terms, event: Event, at: datetime) -> Iterator[str]:
    other = opposite(event.type)
    if terms.hold and other and event.subject is not None:
        yield words.say(
            N_("Held for %(time)s, in case %(type)s takes it back."), time=duration(words, terms.hold), type=other
        )
    if terms.digest:
        window = duration(words, terms.digest.window)
        yield words.say(N_("Collected for %(time)s, and told as one message."), time=window)
    if quiet := quietly(words, terms.quiet, at):
        yield quiet
    if terms.update:
        yield words.say(_UPDATES[terms.update])
    if terms.fallback:
        yield words.say(
            N_("%(sinks)s is told in its place where it cannot be, or not for %(time)s."),
            sinks=", ".join(terms.fallback),
            time=duration(words, terms.fallback_after or 0),
        )
