"""The outbox over SQLAlchemy Core. The queries themselves stand in `queries/`."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TypeVar

import sqlalchemy as sa

from bridge.errors import StoreUnavailable
from bridge.event import Event
from bridge.figures import Collected, OwnerFigures, TimeSpan
from bridge.intake import NO_TABLE, Intake, Table
from bridge.message import Earlier
from bridge.mute import Mute
from bridge.people.chat import BotAnswer, ChatUpdate
from bridge.people.recipient import Audience
from bridge.polled import PollKey, PollResult, Turn
from bridge.store.backend import autocommit, backend_of
from bridge.store.base import (
    NO_AUDIENCES,
    AddressState,
    Arrival,
    Claim,
    Delivery,
    Ending,
    LaneState,
    PlaceFacts,
    PutResult,
    RecipientFacts,
    Remembered,
    Settlement,
)
from bridge.store.connection import PersistentConnection
from bridge.store.ledger import InCommit, Ledger
from bridge.store.queries import (
    addresses,
    announcements,
    changes,
    claim,
    directory,
    erasures,
    events,
    figures,
    fingerprints,
    following,
    lanes,
    links,
    lookup,
    mutes,
    owners,
    polled,
    prune,
    threads,
    traces,
)
from bridge.store.queries import told_steps as told
from bridge.store.queries.chat_updates import keep_heard
from bridge.store.queries.put import put, rehearse
from bridge.store.queries.settle import settle
from bridge.store.queries.tables import USED_WITHIN, keep_tables
from bridge.store.queries.tallies import CountedNames
from bridge.store.writer import Writer, empty_log, touch

T = TypeVar("T")


class SqlOutbox:
    """Writes go through one group-committing thread, reads through another; `check` is asked before each of them."""

    def __init__(self, engine: sa.Engine, check: Callable[[], None], replica: str = "") -> None:
        self.name = engine.url.set(query={}).render_as_string()  # without its password
        self._engine = engine
        self._writer = Writer(engine, check)
        names = CountedNames()
        self._put = partial(put, names=names)  # one object each: what shares a commit is told by it
        self._put_polled = partial(polled.put_polled, names=names)
        self._settle = partial(settle, replica=replica or None)
        self._advanced: dict[str, tuple[float, int, int]] = {}  # sink → by how much, under which epoch, up to which id
        self._connection = PersistentConnection(lambda: autocommit(engine.connect()), check)
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-reader")
        self._table: tuple[Table, datetime] | None = None  # the last one that was kept, and when it was used

    def tell_failures(self, to: Callable[[str], None]) -> None:
        """From now on call that, with the reason, when the store did not take what it was given."""
        self._writer.on_failure = to

    async def put(self, intake: Intake) -> PutResult:
        if intake.routed:  # all of them by one table
            await self._keep_table(intake.routed[0].decision.table, intake.routed[0].event.received_at)
        result: PutResult = await self._writer.write(self._put, intake)
        return result

    async def take_turn(self, key: PollKey, *, now: datetime, every: float) -> Turn | float:
        wait = await self._read(lambda c: polled.seconds_until_due(c, key, now=now, every=every))
        if wait > 0:
            return wait
        turn: Turn | None = await self._writer.write(polled.take_turns, (key, now, every))
        return every if turn is None else turn

    async def put_polled(self, intake: Intake, result: PollResult) -> PutResult | None:
        if intake.routed:
            await self._keep_table(intake.routed[0].decision.table, intake.routed[0].event.received_at)
        put_: PutResult | None = await self._writer.write(self._put_polled, (intake, result))
        return put_

    async def forget_polled(self, *, others_than: Collection[str], before: datetime) -> int:
        def forget(connection: sa.Connection, found: Sequence[tuple[Sequence[str], datetime]]) -> list[int]:
            return [polled.forget_polled(connection, *one) for one in found]

        forgotten: int = await self._writer.write(forget, (sorted(others_than), before))
        return forgotten

    async def _keep_table(self, table: Table, used_at: datetime) -> None:
        """Keep the table before the first event that was routed by it, and once a day from then on."""
        if table == NO_TABLE:
            return
        if self._table is None or self._table[0] != table or used_at - self._table[1] >= USED_WITHIN:
            await self._writer.write(keep_tables, (table, used_at))
            self._table = (table, used_at)

    async def claim(self, sink: str, *, after: int, now: datetime | None, limit: int) -> Claim:
        return await self._read(lambda c: claim.claim(c, sink, after=after, now=now, limit=limit))

    async def batch_members(self, first: Delivery, *, limit: int) -> Sequence[Delivery]:
        return await self._read(lambda c: claim.batch_members(c, first, limit=limit))

    async def load(self, deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
        if all(one.loaded for one in deliveries):
            return deliveries
        return await self._read(lambda c: claim.load(c, deliveries))

    async def fallback_candidates(self, sink: str, *, after: int, limit: int) -> Sequence[Delivery]:
        return await self._read(lambda c: claim.fallback_candidates(c, sink, after=after, limit=limit))

    async def backlog(self, sink: str, *, now: datetime | None, most: int) -> int:
        return await self._read(lambda c: claim.backlog(c, sink, now=now, most=most))

    def settle(self, settlements: Sequence[Settlement]) -> "asyncio.Future[Sequence[Delivery]]":
        return self._writer.write(self._settle, settlements, durable=False)

    async def is_remembered(self, key: str, *, now: datetime) -> bool:
        return await self._read(lambda c: fingerprints.is_remembered(c, key, now=now))

    async def remembered(self, key: str, *, now: datetime) -> Remembered | None:
        return await self._read(lambda c: events.remembered(c, key, now=now))

    async def arrivals(self, *, before: str | None, since: datetime | None, limit: int) -> Sequence[Arrival]:
        return await self._read(lambda c: events.arrivals(c, before=before, since=since, limit=limit))

    async def collected(self, spans: Sequence[TimeSpan], parts: Sequence[TimeSpan] = ()) -> Collected:
        counts = [figures.EventCounts() for _ in spans]
        for count, span in zip(counts, spans, strict=True):
            for day in figures.days_of(span):  # a look each: lanes look in between
                count.update(await self._read(partial(figures.counted, span=day)))
        return await self._read(lambda c: figures.collected(c, spans, parts, counts))

    async def of_owners(
        self, spans: Sequence[TimeSpan], realms: Collection[str], parts: Sequence[TimeSpan] = ()
    ) -> Sequence[OwnerFigures]:
        found: list[OwnerFigures] = []
        for name in await self._read(lambda c: owners.owners_of(c, spans[0])):
            for realm in realms:  # a look each: lanes look in between
                one = await self._read(partial(owners.owner_figures, realm=realm, name=name, spans=spans, parts=parts))
                found += [one] if one is not None else []
        return found

    async def traces(self, event_ids: Sequence[str]) -> Sequence[str]:
        return await self._read(lambda c: traces.traces_of(c, event_ids))

    async def earlier_message(self, sink: str, subject: str) -> Earlier | None:
        return await self._read(lambda c: threads.earlier_message(c, sink, subject))

    async def mutes(self, *, now: datetime) -> Sequence[Mute]:
        return await self._read(lambda c: mutes.mutes_in_force(c, now))

    async def keep_directory(self, generation: str, records: Iterable[directory.RecordRow]) -> None:
        """Look recipients up in these records from now on; nothing is written where that is so already.

        `generation`: a hash of them, empty where there are none. Raise StoreUnavailable where another replica puts
        others in force meanwhile.
        """
        if (await self._read(directory.generation_in_force) or "") == generation:
            return
        chunks, number = chunked(records, directory.CHUNK), 0
        while chunk := await asyncio.to_thread(next, chunks, None):
            await self._writer.write(directory.put_records, (generation, chunk))
            number += len(chunk)
        if not await self._writer.write(directory.put_in_force, (generation, number)):
            raise StoreUnavailable("store: another bridge has put another directory in force meanwhile")
        while await self._writer.write(directory.forget_others, None):
            pass

    async def ended_by(self, event: Event, types: Collection[str]) -> Ending | None:
        return await self._read(lambda c: following.ended_by(c, event, types))

    async def deleted_by(self, key: str, at: datetime) -> str | None:
        return await self._read(lambda c: following.deleted_by(c, key, at))

    async def later_events(self, key: str, event_id: str) -> Sequence[Event]:
        return await self._read(lambda c: following.later_events(c, key, event_id))

    async def known(self, sender: str, keys: Sequence[str]) -> Mapping[str, RecipientFacts]:
        return await self._read(lambda c: lookup.known(c, sender, keys))

    async def places(self, sender: str, scopes: Mapping[str, str]) -> Mapping[str, PlaceFacts]:
        return await self._read(lambda c: lookup.places(c, sender, scopes))

    async def keep_links(self, sender: str, hashes: Mapping[str, str], *, until: datetime) -> None:
        await self._writer.write(links.put_tokens, (sender, hashes, until))

    async def last_turn(self, key: PollKey) -> Turn | None:
        return await self._read(lambda c: polled.last_turn(c, key))

    async def told_since(self, key: str, since: datetime) -> int:
        return await self._read(lambda c: told.told_since(c, key, since))

    async def keep_heard(
        self, heard: Sequence[ChatUpdate], result: PollResult, *, now: datetime
    ) -> Sequence[BotAnswer] | None:
        answers: Sequence[BotAnswer] | None = await self._writer.write(keep_heard, (heard, result, now))
        return answers

    async def last_erasure(self) -> tuple[int, int]:
        return await self._read(erasures.last_erasure)

    @property
    def moves(self) -> int:
        return self._writer.moves

    async def version(self) -> int:
        return await self._read(changes.version)

    async def kept(self, ids: Sequence[int]) -> Set[int]:
        return await self._read(lambda c: erasures.kept(c, ids))

    async def begin(self, ids: Sequence[int], *, now: datetime) -> Mapping[int, str]:
        unsent: Mapping[int, str] = await self._writer.write(announcements.begin, (ids, now))
        return unsent

    async def begun(self, ids: Sequence[int]) -> Set[int]:
        return await self._read(lambda c: announcements.begun(c, ids))

    async def empty_log(self) -> None:
        """Leave nothing of what was forgotten in a file's log, where somebody waits for that and it can be done now."""
        if (version := await self._read(erasures.wanted_log)) is not None and await self._writer.write(empty_log, None):
            await self._writer.write(erasures.put_log_empty, version)

    async def address_state(self, sender: str, place: str) -> AddressState | None:
        return await self._read(lambda c: addresses.address_state(c, sender, place))

    def save_address_state(self, sender: str, place: str, state: AddressState) -> "asyncio.Future[None]":
        return self._writer.write(addresses.put_states, (sender, place, state), durable=False)

    def ask_again(self, sender: str) -> "asyncio.Future[int]":
        return self._writer.write(addresses.ask_again, sender, durable=False)

    async def lane_state(self, sink: str) -> LaneState:
        return await self._read(lambda c: lanes.lane_state(c, sink))

    def save_lane_state(self, sink: str, state: LaneState, *, epoch: int) -> "asyncio.Future[None]":
        return self._writer.write(lanes.save_lane_state, (sink, state, epoch), durable=False)

    async def resume(self, sink: str) -> bool:
        """Let a lane flow again, whoever carries it; whether anything held it."""
        resumed: bool = await self._writer.write(lambda c, sinks: [lanes.resume(c, one) for one in sinks], sink)
        return resumed

    async def operate(self, operation: Callable[[Ledger], T]) -> T:
        """What an operation over the ledger returns, once all of it is committed together.

        What it has looked at stands until then: one at another replica begins behind that commit.
        """

        def write(connection: sa.Connection, operations: Sequence[Callable[[Ledger], T]]) -> Sequence[T]:
            backend_of(connection).lock_changes(connection)
            return [one(InCommit(connection)) for one in operations]

        result: T = await self._writer.write(write, operation)
        return result

    async def advance_due(self, sink: str, seconds: float, *, epoch: int) -> None:
        by, under, done = self._advanced.get(sink, (seconds, epoch, 0))
        after: int | None = done if (by, under) == (seconds, epoch) else 0  # go on where the store was away
        while after is not None:
            self._advanced[sink] = seconds, epoch, after
            after = await self._writer.write(lanes.advance_due, (sink, seconds, epoch, after), durable=False)
        del self._advanced[sink]

    async def prune(
        self, *, before: datetime, now: datetime, limit: int, audiences: Mapping[Audience, datetime] = NO_AUDIENCES
    ) -> int:
        found = await self._read(lambda c: prune.prunable(c, before=before, now=now, limit=limit, audiences=audiences))

        def write(connection: sa.Connection, _: Sequence[None]) -> Sequence[int]:
            return [prune.prune(connection, found, before=before, now=now)]

        pruned: int = await self._writer.write(write, None)
        return pruned

    async def check(self) -> None:
        """Raise StoreUnavailable unless the store takes what comes in."""
        await asyncio.gather(self._writer.write(rehearse, None), self._writer.write(touch, None))

    async def close(self) -> None:
        await self._writer.close()
        await asyncio.get_running_loop().run_in_executor(self._reader, self._connection.close)
        self._reader.shutdown()
        self._engine.dispose()

    async def _read(self, query: Callable[[sa.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._connection.run, query)


def chunked(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """The values, so many at a time."""
    left = iter(values)
    while chunk := list(islice(left, size)):
        yield chunk
