"""What an operator does with the store: from a ledger and what is meant to the shape of what came of it.

None does twice what was done once: what was replayed or put away is dealt with, and taken again only by who says so.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from bridge.admin.shapes import Dismissed, EventBrief, Explanation, Fate, Replay, Replayed, ReplayedEvents, Try, Verdict
from bridge.admin.words import sentence
from bridge.errors import BridgeError
from bridge.event import Event, JsonObject
from bridge.intake import Decision
from bridge.routing import Router
from bridge.routing.verdicts import verdicts
from bridge.store.base import Cleared
from bridge.store.ledger import Ledger
from bridge.store.queries.attempts import attempts_of
from bridge.store.queries.dismiss import dismiss as put_away
from bridge.store.queries.dismiss import dismissable, dismissed, undismiss
from bridge.store.queries.events import deliveries_of, event_ids, event_records
from bridge.store.queries.records import count_deliveries, event
from bridge.store.queries.replay import replay_deliveries, replay_events, replayable, unrouted_events
from bridge.store.records import Query

CHUNK = 1000  # events that one commit sends again, so that a running bridge never waits long
NOT_DEALT_WITH = (None,)


def events(ledger: Ledger, query: Query, *, nowhere: bool = False) -> list[EventBrief]:
    """The events that are meant, newest first, with what became of them; with `nowhere` those that went to no sink."""
    found = ledger.read(event_records, query, nowhere=nowhere)
    fates = ledger.read(deliveries_of, [one.id for one in found])
    return [EventBrief.model_validate(one.to_json() | {"fates": fates.get(one.id, ())}) for one in found]


def explain(ledger: Ledger, reference: str, router: Router) -> Explanation:
    """Why an event went where it went; raise BridgeError where the reference means none, or several."""
    found = ledger.read(event_ids, reference)
    if len(found) > 1:
        raise BridgeError(f"explain: more than one event has an id that begins with {reference}: give more of it")
    stored = ledger.read(event, found[0]) if found else None
    if stored is None:
        raise BridgeError(f"explain: there is no event {reference}")
    one, said = stored
    fates = _fates(ledger, one.id)
    told = [_verdict(verdict, fates) for verdict in row_verdicts(one, said)]
    today = tuple(to.sink for to in router.route(one).destinations)
    return Explanation.model_validate(
        one.to_json() | {"fates": fates, "sentence": sentence(told, fates), "verdicts": told, "today": today}
    )


def _fates(ledger: Ledger, event_id: str) -> list[Fate]:
    """What became of an event, with every try."""
    records = ledger.read(deliveries_of, [event_id]).get(event_id, ())
    tries = ledger.read(attempts_of, [record.id for record in records])
    return [
        Fate.model_validate(record).model_copy(
            update={"tries": tuple(map(Try.model_validate, tries.get(record.id, ())))}
        )
        for record in records
    ]


def row_verdicts(event: Event, said: Decision | list[JsonObject]) -> list[JsonObject]:
    """What each row said of a stored event: its `row`, whether it `matched`, and `why`."""
    return said if isinstance(said, list) else [asdict(verdict) for verdict in verdicts(event, said)]


def _verdict(told: JsonObject, fates: Sequence[Fate]) -> Verdict:
    """What a row said, and the sinks that it was the first to name."""
    first_of_row = [one.sink for one in fates if one.row == told["row"] and not (one.replay_of or one.instead)]
    return Verdict(**told, to=tuple(first_of_row) if told["matched"] else ())


def replay(ledger: Ledger, query: Query, *, now: datetime, again: bool = False, dry_run: bool = False) -> Replayed:
    """Send settled deliveries again, in their order; with `again` also what was dealt with."""
    meant = replace(query, cleared=() if again else NOT_DEALT_WITH)
    already = 0 if again else ledger.read(count_deliveries, replace(query, cleared=tuple(Cleared)))
    found = ledger.read(replayable, meant) if dry_run else ledger.write(replay_deliveries, meant, now=now)
    return Replayed(deliveries=tuple(map(Replay.model_validate, found)), already=already, dry_run=dry_run)


def replay_unrouted(
    ledger: Ledger, query: Query, router: Router, *, now: datetime, dry_run: bool = False
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


def dismiss(ledger: Ledger, query: Query, *, now: datetime, undo: bool = False, dry_run: bool = False) -> Dismissed:
    """Put dead letters away that nobody has dealt with; with `undo` have those back that were put away."""
    found: Sequence[int]
    if dry_run:
        found = ledger.read(dismissed if undo else dismissable, query)
    elif undo:
        found = ledger.write(undismiss, query)
    else:
        found = ledger.write(put_away, query, now=now)
    return Dismissed(deliveries=tuple(found), undone=undo, dry_run=dry_run)
