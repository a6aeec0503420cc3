"""Forgetting somebody: what that would erase, and erasing it, step by step beside a running bridge."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bridge.admin.people.customers import Customers, parts_of
from bridge.admin.people.shapes import Forgotten
from bridge.errors import BridgeError
from bridge.event import Event, JsonObject
from bridge.people.address import Address
from bridge.people.person import Person, an_event_about
from bridge.people.recipient import Audience, is_customer
from bridge.store.ledger import Ledger
from bridge.store.moments import micros
from bridge.store.personal import Relation
from bridge.store.queries.directory import records_of
from bridge.store.queries.forget import (
    FoundRows,
    PathsOfEvent,
    count_addresses,
    count_attempts,
    deliveries_of_events,
    erase,
    rows_about,
    wishes_at,
)
from bridge.store.queries.links import chats_of
from bridge.store.rows import event_of
from bridge.store.schema import addresses, attempts, deliveries, directory_chats, events
from bridge.store.scrub import Scrubbed
from bridge.value import Value

if TYPE_CHECKING:
    from bridge.admin.actions import BridgeControls

PAUSE = 0.02  # seconds between two steps: what comes in goes first
LISTED = 100  # mentions that are named one by one
#: What may be left of somebody in the bytes of a file, and what to do about it.
LEFT: Mapping[Scrubbed, str] = {
    Scrubbed.READ: "all is erased from the tables, but the log beside the store could not be emptied: somebody reads"
    " from it, or the bridge that runs is an older one. Say it again when that is over",
    Scrubbed.LARGE: "all is erased from the tables, but the name may be left in the free space of the file, and that is"
    " too large to be written anew beside a running bridge: stop it, and say this again",
}


class Forgettable(Value):
    """What there is of somebody.

    rows      table → rows that are erased
    words     rows about something else that lose the name
    mentions  what somebody else's is and names them, the first LISTED: `event 0197…: node.error`
    mentioned how many of these there are
    beyond    tables with what cannot be erased here → rows: what the file or a panel says
    """

    rows: Mapping[str, int]
    words: int
    mentions: Sequence[str]
    mentioned: int
    beyond: Mapping[str, int]

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing that can be erased."""
        return not (any(self.rows.values()) or self.words)

    def to_json(self) -> JsonObject:
        return {
            "rows": {name: number for name, number in self.rows.items() if number},
            "words": self.words,
            "mentions": list(self.mentions),
            "mentioned": self.mentioned,
            "beyond": dict(self.beyond),
        }


def person_of(ledger: Ledger, customers: Customers, key: str) -> tuple[Person, PathsOfEvent]:
    """Who is meant, and where what was told to them went; raise BridgeError where it is no person."""
    realm, kind, name = parts_of(key)
    if not is_customer(key):
        raise BridgeError(f"forget: say whom, as user:NAME: a{'n' if kind == 'owner' else ''} {kind} is no person")
    record = ledger.read(records_of, [key]).get(key)
    ways = [one for one in customers.ways.values() if one.audience is Audience.PERSON]

    def places(event: Event) -> set[str]:
        addresses = (way.resolve(event, record) for way in ways)
        return {one.place for one in addresses if isinstance(one, Address) and one.place}

    sources = frozenset(source for source, its in customers.realms.items() if its == realm)
    known = places(an_event_about(name)) | set(ledger.read(chats_of, key))
    return Person(realm, name, sources, frozenset(known)), places


def forgotten(
    found: Forgettable,
    customers: Customers,
    key: str,
    *,
    dry_run: bool,
    scrubbed: Scrubbed = Scrubbed.DONE,
    done: bool = True,
) -> Forgotten:
    """As it is shown."""
    return Forgotten(
        rows={name: number for name, number in found.rows.items() if number},
        words=found.words,
        mentions=tuple(found.mentions),
        mentioned=found.mentioned,
        beyond=dict(found.beyond),
        outside=tuple(customers.written(key)),
        dry_run=dry_run,
        done=done,
        left=LEFT.get(scrubbed),
    )


def would_forget(ledger: Ledger, customers: Customers, key: str, *, mentions: bool) -> Forgotten:
    """What forgetting somebody would erase; nothing is."""
    who, places = person_of(ledger, customers, key)
    return forgotten(forgettable(ledger, who, places=places, mentions=mentions), customers, key, dry_run=True)


async def forget_beside(
    means: "BridgeControls", customers: Customers, key: str, *, now: datetime, mentions: bool = False
) -> Forgotten:
    """Forget somebody beside the bridge that runs: what was erased, and `done` false where that goes on still."""
    errands = means.errands

    async def work() -> Forgotten:
        who, places = await errands.on_ledger(lambda ledger: person_of(ledger, customers, key))
        erased = await errands.on_ledger(
            lambda ledger: forget(
                ledger, who, places=places, now=now, pause=lambda: time.sleep(PAUSE), mentions=mentions
            )
        )
        return forgotten(erased, customers, key, dry_run=False, scrubbed=await means.scrub(who.spellings))

    done = await errands.run(f"forget {key}", work)
    return done or forgotten(Forgettable({}, 0, (), 0, {}), customers, key, dry_run=False, done=False)


class _CountedRows:
    """What was found, added up."""

    def __init__(self) -> None:
        self.rows: Counter[str] = Counter()
        self.words = self.mentioned = 0
        self.mentions: list[str] = []
        self.beyond: Counter[str] = Counter()

    def beside(self, found: FoundRows) -> None:
        """What stays, and says so."""
        if found.relation is Relation.BEYOND:
            self.beyond[found.table.name] += len(found.rows)
        else:
            self.mentioned += len(found.rows)
            room = LISTED - len(self.mentions)
            self.mentions += [_mention(found, number) for number in range(min(room, len(found.rows)))]

    def done(self) -> Forgettable:
        return Forgettable(dict(self.rows), self.words, self.mentions, self.mentioned, dict(self.beyond))


def _mention(found: FoundRows, number: int) -> str:
    row = found.rows[number]
    if found.table is events:
        return f"event {row.id}: {row.type}"
    return f"{found.table.name} {row.id}"


def forgettable(ledger: Ledger, person: Person, *, places: PathsOfEvent, mentions: bool = False) -> Forgettable:
    """What would be erased; nothing is. `mentions`: also what is somebody else's and names them."""
    counted, gone, went_to = _CountedRows(), set[int](), set(person.places)
    for found in rows_about(ledger, person):
        if found.table in (addresses, directory_chats):  # these go with what was told there, and with the record
            continue
        if found.relation is Relation.BEYOND or (found.relation is Relation.MENTION and not mentions):
            counted.beside(found)
        elif found.relation is Relation.WORDS:
            key = "delivery_id" if found.table is attempts else "id"
            counted.words += sum(row._mapping.get(key) not in gone for row in found.rows)
        elif found.table is events:
            ids = ledger.read(deliveries_of_events, [row.id for row in found.rows])
            _add_deliveries(ledger, counted, ids)
            gone.update(ids)
            went_to |= {place for row in found.rows for place in places(event_of(row))}
            counted.rows["events"] += len(found.rows)
        elif found.table is deliveries:
            ids = [row.id for row in found.rows if row.id not in gone]
            _add_deliveries(ledger, counted, ids)
            gone.update(ids)
        else:
            counted.rows[found.table.name] += len(found.rows)
    counted.rows["addresses"] += ledger.read(count_addresses, went_to)
    counted.rows["wishes"] += len(ledger.read(wishes_at, person, went_to - person.places))
    return counted.done()


def _add_deliveries(ledger: Ledger, counted: _CountedRows, ids: Sequence[int]) -> None:
    counted.rows["deliveries"] += len(ids)
    counted.rows["attempts"] += ledger.read(count_attempts, ids)


def forget(
    ledger: Ledger,
    person: Person,
    *,
    places: PathsOfEvent,
    now: datetime,
    pause: Callable[[], None],
    mentions: bool = False,
) -> Forgettable:
    """Erase it, each step in a commit of its own with a `pause` behind it; what was erased.

    Whatever interrupts it, it can be begun again. What comes in about them meanwhile is erased as well.
    """
    counted = _CountedRows()
    for found in rows_about(ledger, person):
        if found.relation is Relation.BEYOND or (found.relation is Relation.MENTION and not mentions):
            counted.beside(found)
            continue
        erased = ledger.write(erase, found, person, now=micros(now), places=places)
        if found.relation is Relation.WORDS:
            counted.words += sum(erased.values())
        else:
            counted.rows.update(erased)
        pause()
    return counted.done()
