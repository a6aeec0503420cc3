"""Send a test: a sample goes to one sink at once, so that one sees whether messages arrive there."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from bridge.admin.language import Language, language
from bridge.admin.trials.shapes import SentTest
from bridge.admin.wording.advice import advice
from bridge.delivery.probe import ProbeResult
from bridge.errors import BridgeError, UnknownName, suggestion
from bridge.event import Event
from bridge.outcome import Delivered
from bridge.panels import SourceSettings
from bridge.samples import canonical, sample, sent_by
from bridge.sinks import SinkSettings
from bridge.vocabulary import TYPES

SAMPLE = "user.created"
#: Sends an event to the sink of that name, in that language or else the sink's own. `Dispatcher.probe` is one.
Probe = Callable[[str, Event, str | None], Awaitable[ProbeResult]]


async def send_test(
    probe: Probe,
    sinks: Mapping[str, SinkSettings],
    sources: Mapping[str, SourceSettings],
    sink: str,
    *,
    at: datetime,
    type_: str = SAMPLE,
    locale: str | None = None,
    words: Language | None = None,
) -> SentTest:
    """Send a sample of a type, in the words of the first source that sends such; advice is given in `words`.

    Raise UnknownName for a sink or a type that there is not, BridgeError for a sink that is disabled, TooSoon where the
    sink may not be tried yet.
    """
    if sink not in sinks:
        raise UnknownName(f'no sink named "{sink}": {suggestion(sink, sinks)}')
    if not sinks[sink].enabled:
        raise BridgeError(f'sink "{sink}" is disabled: nothing is sent to it')
    event = sample_event(sources, type_, at=at)
    probed = await probe(sink, event, locale)
    return _sent_test(sink, sinks[sink].type, event, probed, at, words or language("en"))


def sample_event(sources: Mapping[str, SourceSettings], type_: str, *, at: datetime) -> Event:
    """A sample of that type as one of the sources sends it, or else as any panel does; UnknownName where none is."""
    if (event := sent_by(sources, type_, at=at)) is not None:
        return event
    try:
        return sample(canonical(type_), at=at)
    except KeyError:
        raise UnknownName(f'no event has the type "{type_}": {suggestion(type_, TYPES)}') from None


def _sent_test(sink: str, service: str, event: Event, probed: ProbeResult, at: datetime, words: Language) -> SentTest:
    attempt = probed.attempt
    outcome = attempt.outcome
    reason = getattr(outcome, "reason", None)
    return SentTest(
        sink=sink,
        type=event.type,
        at=at,
        delivered=isinstance(outcome, Delivered),
        outcome=type(outcome).__name__.lower(),
        status=attempt.status,
        reason=reason,
        answer=attempt.answer or None,
        ref=getattr(outcome, "ref", None),
        note=getattr(outcome, "note", None),
        fault=probed.fault,
        ms=round(probed.ms, 1),
        advice=advice(words, service, reason),
    )
