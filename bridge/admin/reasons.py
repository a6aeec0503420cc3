"""What a row said of an event, and what it asks for, in sentences: what is kept is short, and not for people."""

import re
from collections.abc import Iterator
from datetime import datetime

from bridge.event import Event
from bridge.routing.route import Route, matches
from bridge.routing.verdicts import Verdict
from bridge.terms import Terms
from bridge.vocabulary import opposite

#: What is kept of a row that does not apply, and what is said of it.
_REFUSALS = (
    (re.compile(r"type (?P<type>.+) is not among (?P<globs>.+)"), "No: the type is {type}, which is not among {globs}"),
    (re.compile(r"type .+ is left out by (?P<glob>!.+)"), "No: {glob} leaves it out"),
    (
        re.compile(r"source is (?P<source>.+), not (?P<taken>.+)"),
        "No: it came from {source}; the row takes only {taken}",
    ),
    (re.compile(r"when was false"), "No: the condition was false"),
    (re.compile(r"when failed: (?P<error>.+)"), "No: the condition could not be worked out: {error}"),
    (re.compile(r"(?P<row>.+) stopped the table"), "Not asked: {row} stopped the table"),
)
_MATCHED = re.compile(r"matched (?P<glob>[^;]+)(?P<disabled>(?:; sink [^;]+ is disabled)*)")
_DISABLED = re.compile(r"; sink ([^;]+) is disabled")

_UNITS = (("day", 86400), ("h", 3600), ("min", 60), ("s", 1))


def reason(verdict: Verdict, event: Event, route: Route | None) -> str:
    """Why a row took the event or did not, as a sentence; `route` is the row, None where it is none of the table's."""
    if verdict.matched:
        found = _MATCHED.fullmatch(verdict.why)
        return _taken(found, event, route) if found else f"Yes: {verdict.why}"
    for pattern, sentence in _REFUSALS:
        if found := pattern.fullmatch(verdict.why):
            return sentence.format(**found.groupdict())
    return f"No: {verdict.why}"


def row_text(route: Route) -> str:
    """What a row takes, as the file says it: `match: [user.*, "!user.login"] · source: marzban · when: …`."""
    parts = [f"match: {_names(route.match)}"]
    parts += [f"source: {_names(route.source)}"] if route.source else []
    parts += [f"when: {route.when}"] if route.when else []
    return " · ".join(parts)


def manner(terms: Terms | None, event: Event, at: datetime) -> str:
    """How it would be told, where that is not simply at once; `at` in the file's zone."""
    said = "; ".join(_manners(terms, event, at)) if terms else ""
    return said[:1].upper() + said[1:]


def duration(seconds: float) -> str:
    """`90 s`, `5 min`, `2 h`, `1 day`."""
    name, size = next((one for one in _UNITS if seconds >= one[1] and seconds % one[1] == 0), ("s", 1))
    count = seconds / size
    return f"{count:g} {name}{'s' if name == 'day' and count != 1 else ''}"


def _taken(found: re.Match[str], event: Event, route: Route | None) -> str:
    glob = found["glob"]
    name = event.type if matches(glob, event.type, event.type) else event.native_type
    condition = ", and the condition was true" if route is not None and route.when else ""
    disabled = "".join(
        f"; but {sink} is disabled, nothing is kept for it" for sink in _DISABLED.findall(found["disabled"])
    )
    return f"Yes: {name} matches {glob}{condition}{disabled}"


def _manners(terms: Terms, event: Event, at: datetime) -> Iterator[str]:
    other = opposite(event.type)
    if terms.hold and other and event.subject is not None:
        yield f"held for {duration(terms.hold)}, in case {other} takes it back"
    if terms.digest:
        most = f" or {terms.digest.max} events" if terms.digest.max else ""
        yield f"collected for {duration(terms.digest.window)}{most}, and told as one message"
    if terms.quiet and (until := terms.quiet.until(at)):
        ends = f"{until.astimezone(at.tzinfo):%H:%M}"
        yield {
            "silent": f"without a sound: it is quiet until {ends}",
            "hold": f"told when it is quiet no more, at {ends}",
            "drop": f"not told: it is quiet until {ends}",
        }[terms.quiet.mode]
    if terms.update:
        yield "edits the last message about the same" if terms.update == "subject" else "answers the last one about it"
    if terms.fallback:
        after = duration(terms.fallback_after or 0)
        yield f"falls back to {' and '.join(terms.fallback)} where it cannot be told, or not for {after}"


def _names(names: tuple[str, ...]) -> str:
    quoted = [f'"{one}"' if one[:1] in "!*" else one for one in names]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"
