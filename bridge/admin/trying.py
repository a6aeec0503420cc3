"""Try it: what would happen if a panel sent this. Nothing is sent, nothing is kept, no repeat is remembered.

It takes the way of a real request: the source masks and understands it, the table is asked, the sinks build what they
would send. Whether it is authentic is not asked: nobody has to know a panel's secret to try what it says.
"""

import json
from collections.abc import Iterator
from datetime import datetime

from bridge.admin.loaded import Loaded
from bridge.admin.preview import preview
from bridge.admin.reasons import manner, reason, row_text
from bridge.admin.shapes import SampleShape, Tried, TriedAside, TriedEvent, TriedRow
from bridge.errors import BadPayload, BridgeError, HookRejected, UnknownName
from bridge.event import Event
from bridge.ingress.source import Source
from bridge.intake import Destination, Routed, SetAside
from bridge.panels.base import Hook
from bridge.routing.verdicts import Verdict, verdicts
from bridge.samples import Sample, canonical, request_of, requests_of, sample

BODY = 256 * 1024  # bytes of a body that is tried
ELEMENTS = 1000  # that it may have
SHOWN = 50  # events, and parts that were set aside, that are shown


def try_it(
    loaded: Loaded,
    *,
    at: datetime,
    source: str | None = None,
    body: bytes | None = None,
    named: str | None = None,
    event: Event | None = None,
    locale: str | None = None,
) -> Tried:
    """What would happen, in `locale` or each sink's own language, to one of these:

    body   what a source's panel sends; with `named` beside it in that sample's dialect and with its headers
    named  a sample, by its type or as the panel calls it: in the words of the source's panel, or of any
    event  an event as it is

    Raise UnknownName for a source or a sample that there is not, BridgeError for a body that is too big or none at all.
    """
    if event is not None:
        return _tried(loaded, [event], [], at, locale)
    if source is None:
        return _tried(loaded, [_any_sample(named, body, at)], [], at, locale)
    door = _door(loaded, source)
    try:
        events, aside = door.parse(_hook(door, body, named, at), most=ELEMENTS)
    except HookRejected as error:
        return _tried(loaded, [], [_refused(error)], at, locale)
    return _tried(loaded, [one for one, _ in events], list(map(_aside, aside)), at, locale)


def sample_shapes(loaded: Loaded, source: str, at: datetime) -> list[SampleShape]:
    """The recorded requests of the source's panel, as it would send them at `at`; UnknownName where it is none."""
    panel = _door(loaded, source).kind
    return [SampleShape(name=name, type=one.type, body=_readable(one, at)) for name, one in requests_of(panel).items()]


def _door(loaded: Loaded, source: str) -> Source:
    if source not in loaded.sources:
        raise UnknownName(f'no source is called "{source}": there are {", ".join(loaded.sources) or "none"}')
    settings = loaded.sources[source]
    return Source(source, settings.panel, settings.open())


def _hook(door: Source, body: bytes | None, named: str | None, at: datetime) -> Hook:
    one = request_of(canonical(named), door.kind, at=at) or request_of(named, door.kind, at=at) if named else None
    if named and one is None:
        raise UnknownName(f'{door.kind} sends no "{named}"')
    if body is None and one is None:
        raise BridgeError("nothing to try: give a body, or the name of a sample")
    if body is None and one is not None:
        return one.hook(at)
    if len(body or b"") > BODY:
        raise BridgeError(f"the body has {len(body or b''):,} bytes: at most {BODY:,} are tried")
    headers = {"Content-Type": "application/json", **(one.headers if one else {})}
    return Hook(body=body or b"", received_at=at, headers=headers, dialect=one.dialect if one else None)


def _any_sample(named: str | None, body: bytes | None, at: datetime) -> Event:
    if body is not None:
        raise BridgeError("say which source the body comes from")
    if named is None:
        raise BridgeError("nothing to try: give a source and a body, or the name of a sample")
    try:
        return sample(canonical(named), at=at)
    except KeyError:
        raise UnknownName(f'no event is called "{named}"') from None


def _tried(loaded: Loaded, events: list[Event], aside: list[TriedAside], at: datetime, locale: str | None) -> Tried:
    return Tried(
        events=tuple(_event(loaded, one, at, locale) for one in events[:SHOWN]),
        more_events=max(0, len(events) - SHOWN),
        set_aside=tuple(aside[:SHOWN]),
        more_set_aside=max(0, len(aside) - SHOWN),
    )


def _event(loaded: Loaded, event: Event, at: datetime, locale: str | None) -> TriedEvent:
    routed = loaded.router.route(event)
    previews = (
        preview(event, loaded.sink(to.sink), loaded.renderer, at=at, locale=locale, to=to) for to in routed.destinations
    )
    return TriedEvent(
        type=event.type,
        native_type=event.native_type,
        subject=event.subject,
        occurred_at=event.occurred_at,
        data=event.data,
        sentence=_sentence(routed),
        verdicts=tuple(_rows(loaded, routed, at)),
        previews=tuple(one.shape(loaded.zone) for one in previews),
    )


def _sentence(routed: Routed) -> str:
    sinks = [one.sink for one in routed.destinations]
    if sinks:
        return f"It would go to {_and(sinks)}"
    if routed.decision.matched:
        return f"It would go nowhere: no sink of {_and(list(routed.decision.matched))} is enabled"
    return "It would go nowhere: no row of the table takes it"


def _rows(loaded: Loaded, routed: Routed, at: datetime) -> Iterator[TriedRow]:
    for verdict in verdicts(routed.event, routed.decision):
        yield _row(loaded, routed, verdict, at)


def _row(loaded: Loaded, routed: Routed, verdict: Verdict, at: datetime) -> TriedRow:
    route = loaded.rows.get(verdict.row)
    told: list[Destination] = [one for one in routed.destinations if one.row == verdict.row]
    to = tuple(one.sink for one in told)
    others = (sink for sink in route.to if sink not in to) if route and verdict.matched else ()
    elsewhere = {one.sink for one in routed.destinations}
    return TriedRow(
        row=verdict.row,
        matched=verdict.matched,
        why=verdict.why,
        to=to,
        already=tuple(sink for sink in others if sink in elsewhere),
        takes=row_text(route) if route else "",
        sentence=reason(verdict, routed.event, route),
        manner=manner(told[0].terms, routed.event, at.astimezone(loaded.zone)) if told else "",
    )


def _aside(one: SetAside) -> TriedAside:
    return TriedAside(path=one.path, reason=one.reason)


def _refused(error: HookRejected) -> TriedAside:
    if isinstance(error, BadPayload):
        return TriedAside(path=error.path, reason=error.reason)
    return TriedAside(path="", reason=str(error))


def _readable(one: Sample, at: datetime) -> str:
    """The body, indented."""
    body = one.hook(at).body.decode()
    return json.dumps(json.loads(body), ensure_ascii=False, indent=2)


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
