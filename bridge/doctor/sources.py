"""The sources: when each was heard last, and whether that is a silence."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from bridge.alerts.silence import usual_silence
from bridge.config.endpoints import SourceEndpoint
from bridge.doctor.row import ExaminationRow, look, ok, unknown
from bridge.errors import StoreError
from bridge.panels.base import SourceConfig
from bridge.sinks.reachability import Finding
from bridge.store.ledger import Ledger
from bridge.store.queries.events import event_records
from bridge.store.records import DeliveryQuery

LATEST = 200  # events that tell what is usual


def source_rows(
    ledger: Ledger | None, sources: Mapping[str, tuple[SourceConfig, SourceEndpoint]], *, now: datetime
) -> Iterator[ExaminationRow]:
    """A row for each; without a store nobody knows."""
    for name, (settings, endpoint) in sources.items():
        yield ExaminationRow("source", name, _last_event(ledger, name, settings, endpoint, now))


def _last_event(
    ledger: Ledger | None, name: str, settings: SourceConfig, endpoint: SourceEndpoint, now: datetime
) -> Finding:
    if ledger is None:
        return unknown("nothing is known of it without a store")
    paste = f"Paste into the panel's settings, and see that it reaches this machine: {endpoint.url}"
    try:
        events = ledger.read(event_records, DeliveryQuery(source=name, limit=LATEST))
    except StoreError as error:
        return unknown(str(error).removeprefix("store: "))
    if not events:
        return look("nothing has come from it yet", paste)
    times = [one.received_at for one in reversed(events)]
    ago = now - times[-1]
    limit = settings.silent_after if isinstance(settings.silent_after, float) else usual_silence(times, now)
    if limit is not None and ago.total_seconds() > limit:
        usual = f"; it is silent after {_ago(timedelta(seconds=limit))}"
        return look(f"silent for {_ago(ago)}{usual}", f"Is its webhook still set, and does it reach {endpoint.url}?")
    return ok(f"last event {_ago(ago)} ago")


def _ago(time: timedelta) -> str:
    """A duration in its largest unit: `12 s`, `7 h`, `3 d`."""
    seconds = max(0.0, time.total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
