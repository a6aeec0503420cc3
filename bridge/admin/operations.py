"""What an operator does with the store: from a ledger and what is meant to the shape of what came of it.

None does twice what was done once: what was replayed or put away is dealt with, and taken again only by who says so.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bridge.admin.shapes import Dismissed, Replay, Replayed, ReplayedEvents
from bridge.routing import Router
from bridge.store.base import Cleared
from bridge.store.ledger import Ledger
from bridge.store.queries.dismiss import dismiss as put_away
from bridge.store.queries.dismiss import dismissable, dismissed, undismiss
from bridge.store.queries.records import count_deliveries
from bridge.store.queries.replay import replay_deliveries, replay_events, replayable, unrouted_events
from bridge.store.records import Query

CHUNK = 1000  # events that one commit sends again, so that a running bridge never waits long
NOT_DEALT_WITH = (None,)


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
