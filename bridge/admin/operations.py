"""What an operator does with the store: from a ledger and what is meant to the shape of what came of it.

None does twice what was done once: what was replayed or put away is dealt with, and taken again only by who says so.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bridge.admin.audit import audited as audited
from bridge.admin.audit import remember as remember
from bridge.admin.counts import arrivals as arrivals
from bridge.admin.counts import departures as departures
from bridge.admin.counts import departures_of as departures_of
from bridge.admin.counts import gone_nowhere as gone_nowhere
from bridge.admin.counts import points as points
from bridge.admin.counts import table_as_it_was as table_as_it_was
from bridge.admin.counts import table_counts as table_counts
from bridge.admin.dead_letters import dead_groups as dead_groups
from bridge.admin.dead_letters import dismiss_group as dismiss_group
from bridge.admin.dead_letters import replay_group as replay_group
from bridge.admin.dead_letters import restore_group as restore_group
from bridge.admin.dead_letters import set_aside as set_aside
from bridge.admin.deliveries import deliveries as deliveries
from bridge.admin.deliveries import delivery as delivery
from bridge.admin.deliveries import replay_last as replay_last
from bridge.admin.deliveries import replay_one as replay_one
from bridge.admin.deliveries import replay_ticked as replay_ticked
from bridge.admin.deliveries import route_anew as route_anew
from bridge.admin.deliveries import stored_delivery as stored_delivery
from bridge.admin.idle_rows import idle_rows as idle_rows
from bridge.admin.language import N_
from bridge.admin.mutes import mute as mute
from bridge.admin.mutes import mutes as mutes
from bridge.admin.mutes import unmute as unmute
from bridge.admin.rows import row_text, table_rows
from bridge.admin.shapes import (
    Delivery,
    Dismissed,
    EventBrief,
    EventsFound,
    Explanation,
    Fate,
    Lane,
    Replay,
    Replayed,
    ReplayedEvents,
    Try,
    Verdict,
)
from bridge.admin.silence import limits_of, silences
from bridge.admin.status import Status, status_of
from bridge.admin.trials.sink_test import send_test as send_test
from bridge.admin.wording.not_found import NotThere
from bridge.admin.wording.outcomes import sentence
from bridge.event import Event, JsonObject
from bridge.intake import Decision
from bridge.routing import Route, Router
from bridge.routing.verdicts import verdicts
from bridge.sinks import SinkSettings
from bridge.store.base import Cleared
from bridge.store.ledger import Ledger
from bridge.store.queries.attempts import attempts_of
from bridge.store.queries.dismiss import dismiss as put_away
from bridge.store.queries.dismiss import dismissable, dismissed, undismiss
from bridge.store.queries.events import FoundEvents, deliveries_of, event_ids, walked_events
from bridge.store.queries.fingerprints import repeats_of
from bridge.store.queries.gauges import lane_gauges
from bridge.store.queries.records import count_deliveries, event, lane_records
from bridge.store.queries.replay import replay_deliveries, replay_events, replayable, unrouted_events
from bridge.store.queries.search import search as find_text
from bridge.store.queries.tail import events_by_id
from bridge.store.queries.walk import walked_deliveries
from bridge.store.records import DeliveryQuery, EventRecord, LaneRecord
from bridge.value import asdict, replace

if TYPE_CHECKING:
    from bridge.admin.state import Rejected, SourceState
    from bridge.admin.trouble import StoreTrouble

CHUNK = 1000  # events that one commit sends again, so that a running bridge never waits long
NOT_DEALT_WITH = (None,)
COUNTED = 10_000  # deliveries, at the most
LATEST = 8  # events that a status shows


def events(ledger: Ledger, query: DeliveryQuery) -> Sequence[EventBrief]:
    """The events that are meant, newest first, with what became of them, as far as looking for them goes."""
    return find(ledger, query).events


def events_at(ledger: Ledger, query: DeliveryQuery) -> list[EventBrief]:
    """The events of the newest deliveries that are meant, those first."""
    found = ledger.read(walked_deliveries, query).deliveries
    by_id = {one.id: one for one in ledger.read(events_by_id, [*{one.event_id for one in found}])}
    ids = dict.fromkeys(one.event_id for one in found)
    return _with_fates(ledger, [by_id[id_] for id_ in ids if id_ in by_id])  # another may be forgetting somebody


def find(ledger: Ledger, query: DeliveryQuery, *, nowhere: bool = False) -> EventsFound:
    """The same, with how far that was; with `nowhere` those that went to no sink."""
    return _found(ledger, ledger.read(walked_events, query, nowhere=nowhere))


def _found(ledger: Ledger, found: FoundEvents) -> EventsFound:
    return EventsFound(
        events=tuple(_with_fates(ledger, found.events)), before=found.before, looked_back_to=found.back_to
    )


def _with_fates(ledger: Ledger, found: Sequence[EventRecord]) -> list[EventBrief]:
    fates = ledger.read(deliveries_of, [one.id for one in found])
    return [EventBrief.model_validate(one.to_json() | {"fates": fates.get(one.id, ())}) for one in found]


def search(ledger: Ledger, text: str, query: DeliveryQuery, *, nowhere: bool = False) -> EventsFound:
    """The newest events that have the text anywhere in what was said of them, and how far it was looked."""
    return _found(ledger, ledger.read(find_text, text, query, nowhere=nowhere))


def explain(ledger: Ledger, reference: str, router: Router) -> Explanation:
    """Why an event went where it went; raise NotThere where the reference means none, or several."""
    found = ledger.read(event_ids, reference)
    if len(found) > 1:
        raise NotThere(N_("more than one event has an id that begins with %(id)s: give more of it"), id=reference)
    stored = ledger.read(event, found[0]) if found else None
    if stored is None:
        raise NotThere(N_("there is no event %(id)s"), id=reference)
    one, said = stored
    fates = _deliveries(ledger, one.id)
    told = _verdicts(row_verdicts(one, said), fates, table_rows(said))
    today = tuple(to.sink for to in router.route(one).destinations)
    return Explanation.model_validate(
        one.to_json()
        | {"fates": fates, "sentence": sentence(told, fates), "verdicts": told, "today": today}
        | {"repeats": ledger.read(repeats_of, one.id, one.received_at)}
        | {"table_key": None if isinstance(said, list) else said.table.key or None}
    )


def _deliveries(ledger: Ledger, event_id: str) -> list[Delivery]:
    """What became of an event, with every try."""
    records = ledger.read(deliveries_of, [event_id]).get(event_id, ())
    tries = ledger.read(attempts_of, [record.id for record in records])
    return [
        Delivery.model_validate(record).model_copy(
            update={"tries": tuple(map(Try.model_validate, tries.get(record.id, ())))}
        )
        for record in records
    ]


def row_verdicts(event: Event, said: Decision | list[JsonObject]) -> list[JsonObject]:
    """What each row said of a stored event: its `row`, whether it `matched`, `why`, and more of that."""
    return said if isinstance(said, list) else [verdict.to_json() for verdict in verdicts(event, said)]


def _verdicts(said: Sequence[JsonObject], fates: Sequence[Fate], rows: Mapping[str, Route]) -> list[Verdict]:
    """What each row said, what it takes, and the sinks that it was the first to name."""
    found: list[Verdict] = []
    for told in said:
        row = rows.get(told["row"])
        first = [
            one.sink for one in fates if one.row == told["row"] and not (one.replay_of or one.instead or one.reminder)
        ]
        had = {sink for one in found for sink in one.to}
        already = tuple(sink for sink in row.to if sink in had) if row is not None and told["matched"] else ()
        to = tuple(first) if told["matched"] else ()
        found.append(Verdict(**told, to=to, takes=row_text(row) if row is not None else "", already=already))
    return found


def lanes(ledger: Ledger, sinks: Mapping[str, SinkSettings]) -> list[Lane]:
    """How the lane of each sink stands: those of the file, in its order, then what the store knows beside them."""
    known = {one.sink: one for one in ledger.read(lane_records)}
    names = [*sinks, *(name for name in known if name not in sinks)]
    return [_lane(known.get(name) or LaneRecord(sink=name), sinks.get(name)) for name in names]


def _lane(record: LaneRecord, settings: SinkSettings | None) -> Lane:
    about = {"service": settings.type, "enabled": settings.enabled} if settings else {"service": None, "enabled": False}
    return Lane.model_validate(asdict(record) | about)


def status(
    ledger: Ledger,
    sinks: Mapping[str, SinkSettings],
    *,
    sources: "Sequence[SourceState]",
    now: datetime,
    rejected: "Rejected | None" = None,
    trouble: "StoreTrouble | None" = None,
) -> Status:
    """Whether it works, and what needs somebody; `trouble`: what the store said of late."""
    return status_of(
        lanes(ledger, sinks),
        ledger.read(lane_gauges, now=now),
        dead_groups(ledger),
        events(ledger, DeliveryQuery(limit=LATEST)),
        sources=len(sources),
        rejected=rejected,
        trouble=trouble,
        silent=silences(ledger, limits_of(sources), now=now),
        now=now,
    )


def replay(
    ledger: Ledger, query: DeliveryQuery, *, now: datetime, again: bool = False, dry_run: bool = False
) -> Replayed:
    """Send settled deliveries again, in their order; with `again` also what was dealt with."""
    meant = replace(query, cleared=() if again else NOT_DEALT_WITH)
    dealt_with = replace(query, cleared=tuple(Cleared))
    already = 0 if again else ledger.read(count_deliveries, dealt_with, most=COUNTED + 1)
    found = ledger.read(replayable, meant) if dry_run else ledger.write(replay_deliveries, meant, now=now)
    return Replayed(
        deliveries=tuple(map(Replay.model_validate, found)),
        already=min(already, COUNTED),
        already_more=already > COUNTED,
        dry_run=dry_run,
    )


def replay_unrouted(
    ledger: Ledger, query: DeliveryQuery, router: Router, *, now: datetime, dry_run: bool = False
) -> ReplayedEvents:
    """Send events that went to no sink where the router says, oldest first."""
    found = ledger.read(unrouted_events, query)
    made: list[int] = []
    sinks: Counter[str] = Counter()
    matched = 0
    for start in range(0, len(found), CHUNK):
        routed = [one for one in map(router.route, found[start : start + CHUNK]) if one.destinations]
        matched += len(routed)
        sinks.update(to.sink for one in routed for to in one.destinations)
        if routed and not dry_run:
            made += ledger.write(replay_events, routed, now=now)
    return ReplayedEvents(events=len(found), matched=matched, sinks=dict(sinks), replayed=tuple(made), dry_run=dry_run)


def dismiss(
    ledger: Ledger, query: DeliveryQuery, *, now: datetime, undo: bool = False, dry_run: bool = False
) -> Dismissed:
    """Put dead letters away that nobody has dealt with; with `undo` have those back that were put away."""
    found: Sequence[int]
    if dry_run:
        found = ledger.read(dismissed if undo else dismissable, query)
    elif undo:
        found = ledger.write(undismiss, query)
    else:
        found = ledger.write(put_away, query, now=now)
    return Dismissed(deliveries=tuple(found), undone=undo, dry_run=dry_run)
