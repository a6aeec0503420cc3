"""Dead letters as an operator deals with them: in groups, and never with more of one than was seen."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from bridge.admin.shapes import DeadGroup, GroupDone, SetAside
from bridge.store.base import Cleared, State
from bridge.store.ledger import Ledger
from bridge.store.queries import dead
from bridge.store.queries.dismiss import dismiss, undismiss
from bridge.store.queries.records import count_deliveries, set_aside_records
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import DeliveryQuery
from bridge.value import INT64_MAX, Value, asdict

COUNTED = 99  # dead letters that the navigation tells as a number


class GroupSnapshot(Value):
    """A group as somebody saw it: those of it from the id `first` up to `through`."""

    sink: str
    key: str
    first: int
    through: int


def group_key(sink: str, reason: str) -> str:
    """What a group is called in addresses and forms, where a reason is foreign text of any length."""
    return sha256(f"{sink}\0{reason}".encode()).hexdigest()[:12]


def dead_groups(ledger: Ledger, cleared: Cleared | None = None) -> list[DeadGroup]:
    """What was given up and nobody has dealt with, or what was dealt with in that way; the newest group first."""
    found = ledger.read(dead.dead_groups, cleared)
    return [DeadGroup.model_validate(asdict(one) | {"key": group_key(one.sink, one.reason)}) for one in found]


def count_dead(ledger: Ledger) -> int:
    """How many there are that nobody has dealt with, counted up to one more than COUNTED: every page asks for it."""
    meant = DeliveryQuery(states=(State.DEAD,), cleared=(None,))
    return ledger.read(count_deliveries, meant, most=COUNTED + 1)


def set_aside(ledger: Ledger, *, limit: int) -> list[SetAside]:
    """What was not understood, newest first."""
    return [SetAside.model_validate(one) for one in ledger.read(set_aside_records, DeliveryQuery(limit=limit))]


def replay_group(ledger: Ledger, seen: GroupSnapshot, *, now: datetime) -> GroupDone:
    """Send those again that were seen, in their order."""
    return _deal(ledger, seen, None, lambda query: _replayed(ledger, query, now))


def dismiss_group(ledger: Ledger, seen: GroupSnapshot, *, now: datetime) -> GroupDone:
    """Put those away that were seen."""
    return _deal(ledger, seen, None, lambda query: ledger.write(dismiss, query, now=now))


def restore_group(ledger: Ledger, seen: GroupSnapshot) -> GroupDone:
    """Have those back to look at that were put away and seen so."""
    return _deal(ledger, seen, Cleared.DISMISSED, lambda query: ledger.write(undismiss, query))


def _replayed(ledger: Ledger, query: DeliveryQuery, now: datetime) -> list[int]:
    return [one.replay_of for one in ledger.write(replay_deliveries, query, now=now)]


def _deal(
    ledger: Ledger, seen: GroupSnapshot, cleared: Cleared | None, do: Callable[[DeliveryQuery], list[int]]
) -> GroupDone:
    letters = _of_group(ledger, seen, cleared, seen.first, seen.through)
    later = _of_group(ledger, seen, cleared, seen.through + 1, INT64_MAX)
    ids = tuple(id_ for id_, _ in letters)
    done = do(DeliveryQuery(ids=ids, states=(State.DEAD,), cleared=(cleared,), limit=None)) if ids else []
    reason = next((reason for _, reason in letters), None)
    return GroupDone(sink=seen.sink, reason=reason, deliveries=tuple(done), later=len(later))


def _of_group(
    ledger: Ledger, seen: GroupSnapshot, cleared: Cleared | None, first: int, through: int
) -> list[tuple[int, str]]:
    found = ledger.read(dead.seen_letters, seen.sink, first=first, through=through, cleared=cleared)
    return [(id_, reason) for id_, reason in found if group_key(seen.sink, reason) == seen.key]
