"""What every chat says of a digest beside its parts: what it is about, whom it names, and how much was left out."""

from collections.abc import Callable, Hashable, Sequence
from functools import partial

from bridge.bidi import isolated
from bridge.event import Event
from bridge.markup.service import Service
from bridge.markup.text import runs_from_right_to_left
from bridge.message import Digest, display_name
from bridge.sinks.text import clip, shows
from bridge.vocabulary import event_type

COUNTS = 250  # characters
NUMBER = "{more}"  # where the number goes
NAME = 40  # characters of a name among others

#: Whether a text has room.
Fits = Callable[[str], bool]


def told_and_rest(
    digest: Digest, service: Service, pieces: Sequence[int], *, fits: Callable[[int, str], bool], share: Fits
) -> tuple[int, str]:
    """How many pieces of the parts are told, and what is said of all events that they do not tell.

    `pieces` are the numbers of the parts that they belong to, from 1. As many are told as have room (`fits`) beside the
    names of all other events, as far as these take no more than their `share`; then as many names as have room.
    """
    for count in range(len(pieces), 0, -1):
        if fits(count, rest(digest, service, pieces[count - 1], share)):
            return count, rest(digest, service, pieces[count - 1], partial(fits, count))
    return 0, rest(digest, service, 0, partial(fits, 0))


def digest_body(
    digest: Digest, service: Service, summary: str, parts: Sequence[str], *, fits: Fits, share: Fits
) -> str:
    """The summary, below it the first parts, as many as fit whole, and what is said of all other events."""

    def whole(count: int, rest: str) -> str:
        return "\n\n".join(filter(None, (summary, *parts[:count], rest)))

    pieces = range(1, len(parts) + 1)
    count, rest = told_and_rest(digest, service, pieces, fits=lambda count, rest: fits(whole(count, rest)), share=share)
    return whole(count, rest)


def rest(digest: Digest, service: Service, shown: int, fits: Fits) -> str:
    """The events that the first `shown` parts do not tell: as many names as have room, and how many are left.

    Empty where they tell all of them.
    """
    left = digest.tally.total - sum(part.circumstances.repeats for part in digest.parts[:shown])
    if left <= 0:
        return ""
    named = [(one, name) for one in _untold(digest, shown)[:left] if (name := _name(one))]

    def text(count: int) -> str:
        lines = [*_lines(service, named[:count]), _more(digest, left - count)]
        return "\n".join(filter(shows, lines))

    if fits(everyone := text(len(named))):
        return everyone
    low, high = 0, max(len(named) - 1, 0)
    while low < high:  # the more names, the longer, as long as some are left out
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(text(middle)) else (low, middle - 1)
    return text(low)


def counts_by_type(digest: Digest) -> str:
    """The bare count by type, for where no template works."""
    kinds = ", ".join(f"{kind} ×{count}" for kind, count in digest.tally.kinds.items())
    return clip(kinds or "×0", COUNTS)


def _more(digest: Digest, left: int) -> str:
    return digest["more"].strip().replace(NUMBER, str(left)) if left > 0 else ""


def _untold(digest: Digest, shown: int) -> list[Event]:
    """The events that are none of the first parts', which stand for as many of the same kind and subject each."""
    told: dict[Hashable, int] = {}
    for part in digest.parts[:shown]:
        key = (part.event.type, part.event.subject)
        told[key] = told.get(key, 0) + part.circumstances.repeats
    untold = []
    for event in digest.events:
        key = (event.type, event.subject)
        if told.get(key, 0):
            told[key] -= 1
        else:
            untold.append(event)
    return untold


def _name(event: Event) -> str:
    name = display_name(event)
    return clip(name.strip(), NAME) if isinstance(name, str) and shows(name) else ""


def _lines(service: Service, named: Sequence[tuple[Event, str]]) -> list[str]:
    """A line for each type: its emoji, and who it happened to; `alice ×3` for whom it happened to three times."""
    types: dict[str, dict[str, int]] = {}
    for event, name in named:
        names = types.setdefault(event.type, {})
        names[name] = names.get(name, 0) + 1
    return [
        f"{event_type(type_).emoji} {', '.join(_counted(service, *one) for one in names.items())}"
        for type_, names in types.items()
    ]


def _counted(service: Service, name: str, count: int) -> str:
    text = str(service.text.escape(name))
    text = isolated(text) if runs_from_right_to_left(name) else text
    return f"{text} ×{count}" if count > 1 else text
