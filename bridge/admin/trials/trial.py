"""Try it: what would happen if a panel sent this. Nothing is sent, nothing is kept, no repeat is remembered.

It takes the way of a real request: the source masks and understands it, the table is asked, the sinks build what they
would send. Whether it is authentic is not asked: nobody has to know a panel's secret to try what it says.
"""

import json
from datetime import datetime

from bridge.admin.language import N_, Language, language
from bridge.admin.rows import row_text
from bridge.admin.shapes import Verdict
from bridge.admin.trials.dry_run import DryRun
from bridge.admin.trials.manner import manner, quietly
from bridge.admin.trials.preview import Preview, preview
from bridge.admin.trials.shapes import SampleShape, Tried, TriedAside, TriedEvent, TriedRow
from bridge.admin.wording.verdicts import why
from bridge.clock import in_zone
from bridge.errors import BadPayload, BridgeError, HookRejected, UnknownName
from bridge.event import Event
from bridge.ingress.source import Source
from bridge.intake import Destination, Routed, SetAside
from bridge.message import PLAIN, Circumstances
from bridge.panels.base import Hook
from bridge.routing import verdicts
from bridge.samples import Sample, canonical, request_of, requests_of, sample
from bridge.value import Value

BODY = 256 * 1024  # bytes of a body that is tried
ELEMENTS = 1000  # that it may have
SHOWN = 50  # events, and parts that were set aside, that are shown


def try_it(
    dry_run: DryRun,
    *,
    at: datetime,
    source: str | None = None,
    body: bytes | None = None,
    named: str | None = None,
    event: Event | None = None,
    locale: str | None = None,
    words: Language | None = None,
) -> Tried:
    """What would happen to one of these; previews in `locale` or each sink's own language, sentences in `words`'.

    body   what a source's panel sends; with `named` beside it in that sample's dialect and with its headers
    named  a sample, by its type or as the panel calls it: in the words of the source's panel, or of any
    event  an event as it is

    Raise UnknownName for a source or a sample that there is not, BridgeError for a body that is too big or none at all.
    """
    asked = _Trial(dry_run, at, locale, words or language("en"))
    if event is not None:
        return _tried(asked, [event], [])
    if source is None:
        return _tried(asked, [_any_sample(named, body, at)], [])
    door = _door(dry_run, source)
    try:
        events, aside = door.parse(_hook(door, body, named, at), most=ELEMENTS)
    except HookRejected as error:
        return _tried(asked, [], [_refused(error)])
    return _tried(asked, [one for one, _ in events], list(map(_aside, aside)))


def sample_shapes(dry_run: DryRun, source: str, at: datetime) -> list[SampleShape]:
    """The recorded requests of the source's panel, as it would send them at `at`; UnknownName where it is none."""
    panel = _door(dry_run, source).kind
    return [SampleShape(name=name, type=one.type, body=_readable(one, at)) for name, one in requests_of(panel).items()]


def _door(dry_run: DryRun, source: str) -> Source:
    if source not in dry_run.sources:
        raise UnknownName(f'no source is called "{source}": there are {", ".join(dry_run.sources) or "none"}')
    settings = dry_run.sources[source]
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


def _tried(asked: "_Trial", events: list[Event], aside: list[TriedAside]) -> Tried:
    return Tried(
        events=tuple(map(asked.event, events[:SHOWN])),
        more_events=max(0, len(events) - SHOWN),
        set_aside=tuple(aside[:SHOWN]),
        more_set_aside=max(0, len(aside) - SHOWN),
    )


class _Trial(Value):
    """What is tried against, when, and in which languages it is said."""

    dry_run: DryRun
    at: datetime
    locale: str | None
    words: Language

    @property
    def _local(self) -> datetime:
        return in_zone(self.at, self.dry_run.zone)

    def event(self, event: Event) -> TriedEvent:
        routed, zone = self.dry_run.router.route(event), self.dry_run.zone
        return TriedEvent(
            type=event.type,
            native_type=event.native_type,
            subject=event.subject,
            occurred_at=event.occurred_at,
            data=event.data,
            sentence=self._sentence(routed),
            verdicts=tuple(self._row(routed, one) for one in verdicts.verdicts(event, routed.decision)),
            previews=tuple(self._preview(event, to).shape(zone) for to in routed.destinations),
        )

    def _preview(self, event: Event, to: Destination) -> Preview:
        sink, renderer = self.dry_run.sink(to.sink), self.dry_run.renderer
        quiet = (to.terms.quiet if to.terms else None) or sink.quiet
        silent = quiet is not None and quiet.mode == "silent" and quiet.until(self._local) is not None
        given = Circumstances(silent=True) if silent else PLAIN
        rules = self.dry_run.rules
        return preview(event, sink, renderer, at=self.at, locale=self.locale, to=to, circumstances=given, rules=rules)

    def _sentence(self, routed: Routed) -> str:
        sinks = [one.sink for one in routed.destinations]
        if sinks:
            return self.words.say(N_("It would go to %(sinks)s."), sinks=", ".join(sinks))
        if routed.decision.matched:
            rows = ", ".join(routed.decision.matched)
            return self.words.say(N_("It would go nowhere: no sink of %(rows)s is enabled."), rows=rows)
        return self.words.say(N_("It would go nowhere: no row of the table takes it."))

    def _row(self, routed: Routed, told: verdicts.Verdict) -> TriedRow:
        route, event = self.dry_run.rows.get(told.row), routed.event
        first = [one for one in routed.destinations if one.row == told.row]
        to = tuple(one.sink for one in first)
        has = {one.sink for one in routed.destinations}
        others = (sink for sink in route.to if sink in has and sink not in to) if route and told.matched else ()
        takes = row_text(route) if route else ""
        verdict = Verdict(**told.to_json(), to=to, takes=takes, already=tuple(others))
        return TriedRow(
            **dict(verdict),
            sentence=why(self.words, verdict),
            manner=self._manner(first, event),
        )

    def _manner(self, first: list[Destination], event: Event) -> str:
        """How the row has it told, and what the quiet hours of its sinks make of that, where the row has none."""
        said = [manner(self.words, first[0].terms, event, self._local)] if first else []
        own = [one.sink for one in first if not (one.terms and one.terms.quiet)]
        quiet = {sink: quietly(self.words, self.dry_run.sink(sink).quiet, self._local) for sink in own}
        said += [f"{sink}: {sentence}" for sink, sentence in quiet.items() if sentence]
        return " ".join(filter(None, said))


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
