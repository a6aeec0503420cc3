"""Several replicas on one PostgreSQL: each lane is carried by exactly one of them.

All replicas say in a table that they live, and deal the lanes among those that do (`spread.py`). That is only a wish:
a lane is ours while we have its advisory lock, which dies with our connection. With the lock begins an epoch, and what
is settled under an older one changes nothing.

    a replica ends       it gives its lanes and its row back; the others have them at their next beat
    … is killed          its connection ends and frees its locks; the others deal anew once its row is STALE
    … freezes, is cut    its connection stands; whoever finds its row STALE ends that connection and deals anew
    … wakes              it is not sure of its lanes, sends nothing, and finds out on a new connection
    the server restarts  all wait and send nothing; whoever gets its lock again under its own epoch goes on

One connection does everything, in one task: whoever has no connection can think nothing that is not true. It has to be
a connection of our own to the server: behind a pooler that hands it on after each transaction there are no locks.
"""

import asyncio
import logging
import math
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress

import psycopg
import sqlalchemy as sa

from bridge.cluster import queries as queries
from bridge.cluster.assignment import groups, spread
from bridge.cluster.ownership import Carrier
from bridge.cluster.queries import Connection
from bridge.store.names import application
from bridge.telemetry import say

LOG = logging.getLogger("bridge.store")
BEAT = 0.5  # seconds between two signs of life, so that a frozen replica is found out 3.5 s after its last one
STALE = 3.0  # a replica is dead that gave none for so long: five in a row may be late, and 5 s are kept with room
SURE = 2.5  # a replica may send for so long after its last one; less than STALE, when others may send
ANSWER = 2.0  # how long the server may take for what we ask; less than SURE, or one slow answer would stop all lanes
CONNECT = 10.0  # how long it may take for a new connection, whichever of the hosts it is to
PAUSES = (0.1, 0.2, 0.5, 1.0)  # before each next try to connect; the last one for ever
STRAY = 3.0  # a lane without an owner for so long is taken by whoever wants it
AGAIN = 60.0  # after so long it is seen whether it has a home of its own now
CONNECT_EACH = "2"  # seconds for one of several hosts, the least that the driver knows
POLL = 2.0  # how often lanes look for themselves, should a notification be lost
SLICE = 0.1  # how late we may notice that something has changed on our side


class Replicas:
    """The lanes of one replica, by the word of the server.

    name     its own and no other's
    on_peer  called at every beat while another replica is at work
    """

    def __init__(self, url: str, *, name: str, on_peer: Callable[[], None]) -> None:
        self.name = name
        self._url = url
        self._on_peer = on_peer
        self._want: Mapping[str, str] = {}
        self._stirred = False  # there is something to do before the next beat
        self._changed = asyncio.Event()  # the carrier has to be told
        self._dealt: tuple[Mapping[str, str], set[str]] = {}, set()  # lanes and replicas as they were dealt last
        self._share: set[str] = set()  # what came of it for us, and strays that we have taken
        self._again = math.inf  # when to deal again though nothing has changed
        self._ownerless: dict[str, float] = {}  # lanes that nobody has → when that was first seen
        self._locks: dict[str, int] = {}  # lanes whose lock this connection has → the epoch that began with it
        self._held: dict[str, int] = {}  # what the carrier should carry
        self._carried: set[tuple[str, int]] = set()  # what it may be carrying, until it says otherwise
        self._ours = False  # whether we have the lock of everything that is carried
        self._heard = -math.inf  # when we sent the last sign of life that was answered
        self._judging = -math.inf  # since when we call others dead
        self._pid: int | None = None  # the server's number for our connection, or for the one before
        self._tries = 0  # in vain, to connect

    def want(self, scopes: Mapping[str, Iterable[str]]) -> None:
        """The sinks that there are → the scopes of their limits; those that share one go to the same replica."""
        self._want = groups(scopes)
        self._stirred = True

    def sure(self) -> bool:
        return self._ours and time.monotonic() - self._heard < SURE

    async def run(self, carrier: Carrier) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell(carrier))
            tasks.create_task(self._stay(carrier))

    async def _tell(self, carrier: Carrier) -> None:
        """Tell the carrier what to carry. Apart from the beats, for a lane may take its time to stop."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            held = dict(self._held)
            self._carried |= held.items()
            self._weigh()
            await carrier.own(held)
            self._carried = set(held.items())
            self._weigh()
            self._stirred = True

    async def _stay(self, carrier: Carrier) -> None:
        """Live on one connection after the other."""
        while True:
            try:
                async with self._connection() as connection:
                    await self._live(connection, carrier)
            except (psycopg.Error, OSError) as error:  # TimeoutError is an OSError
                self._lose(error)
            await asyncio.sleep(PAUSES[min(self._tries, len(PAUSES)) - 1])

    async def _live(self, connection: Connection, carrier: Carrier) -> None:
        with _answering(connection):
            await self._arrive(connection)
        polled = -math.inf
        while True:
            with _answering(connection):
                await self._look(connection)
            if len(self._dealt[1]) > 1:
                self._on_peer()
            if time.monotonic() - polled > POLL:
                polled = time.monotonic()
                carrier.wake(None)
            await self._hear(connection, carrier)

    async def _arrive(self, connection: Connection) -> None:
        await queries.listen(connection, longest=ANSWER)
        if self._pid is not None:
            await queries.end_connection(connection, self._pid, self.name)
            self._judging = time.monotonic() + STALE  # the server was away, and the others are as late as we are
        self._pid = connection.info.backend_pid

    async def _look(self, connection: Connection) -> None:
        """Give a sign of life; then take and give back what the others' signs tell us to."""
        sent = time.monotonic()
        ages = await queries.beat(connection, self.name)
        living = self._living(ages, sent)
        if dead := ages.keys() - living:
            await self._bury(connection, dead)
        self._deal(living, sent)
        self._adopt(await queries.owned(connection), sent)
        if missing := self._share - self._locks.keys():
            await self._take(connection, missing)
        self._hold()
        await self._give_back(connection)
        self._heard = sent  # not before it is known which lanes are still ours
        self._weigh()
        self._back()

    async def _hear(self, connection: Connection, carrier: Carrier) -> None:
        """Hand on what the server tells, until the next beat, or until something has changed on our side."""
        until = time.monotonic() + BEAT
        while not self._stirred and (left := until - time.monotonic()) > 0:
            async for note in connection.notifies(timeout=min(left, SLICE), stop_after=1):
                sender, _, sinks = note.payload.partition(":")
                if sender != application(self.name):
                    carrier.wake(tuple(sinks.split(",")) if sinks else None)
        self._stirred = False

    def _living(self, ages: Mapping[str, float], now: float) -> set[str]:
        if -math.inf < self._heard < now - STALE:
            self._judging = now + STALE  # we stood still ourselves, and so perhaps did everyone
        return {name for name, age in ages.items() if age <= STALE or name == self.name or now < self._judging}

    def _deal(self, living: set[str], now: float) -> None:
        if self._dealt != (self._want, living) or now > self._again:
            self._dealt, self._again = (self._want, living), math.inf
            self._share = {sink for sink, name in spread(self._want, living).items() if name == self.name}

    def _adopt(self, owned: Collection[str], now: float) -> None:
        """Take strays: replicas whose files differ deal differently, and each may leave a lane to the other."""
        self._ownerless = {sink: self._ownerless.get(sink, now) for sink in self._want.keys() - owned}
        if strays := {sink for sink, since in self._ownerless.items() if now - since > STRAY} - self._share:
            self._share |= strays
            self._again = now + AGAIN

    async def _bury(self, connection: Connection, names: Collection[str]) -> None:
        await queries.end_connections(connection, names)
        await queries.forget(connection, names)
        self._stirred = True  # the server needs a moment to free their locks
        say(LOG, logging.WARNING, "replica.found_dead", replicas=sorted(names))

    async def _take(self, connection: Connection, sinks: Collection[str]) -> None:
        if not (had := await queries.lock(connection, sinks)):
            return
        before = await queries.epochs(connection, had & self._held.keys(), owner=self.name)
        same = {sink: epoch for sink, epoch in before.items() if self._held[sink] == epoch}  # nobody had it meanwhile
        new = await queries.begin_epochs(connection, had - same.keys(), owner=self.name)
        self._locks |= same | new

    def _hold(self) -> None:
        held = {sink: epoch for sink, epoch in self._locks.items() if sink in self._share}
        if held != self._held:
            self._held = held
            self._changed.set()
            say(LOG, logging.INFO, "replica.carries", replica=self.name, sinks=sorted(held))

    async def _give_back(self, connection: Connection) -> None:
        """Unlock what should not be carried, and is not any more."""
        carried = {sink for sink, _ in self._carried}
        if done := self._locks.keys() - self._held.keys() - carried:
            await queries.unlock(connection, done, owner=self.name)
            for sink in done:
                del self._locks[sink]

    def _weigh(self) -> None:
        self._ours = self._carried <= self._locks.items()

    def _lose(self, error: Exception) -> None:
        self._locks.clear()
        self._ours, self._heard = False, -math.inf
        self._tries += 1
        if self._tries == 1:
            told = str(error).partition("\n")[0] or type(error).__name__
            say(LOG, logging.WARNING, "replica.store_lost", replica=self.name, reason=told)

    def _back(self) -> None:
        if self._tries:
            self._tries = 0
            say(LOG, logging.INFO, "replica.store_back", replica=self.name)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        connection = await _connect(self._url, self.name)
        try:
            yield connection
        except asyncio.CancelledError:
            await self._leave(connection)
            raise
        finally:
            await connection.close()

    async def _leave(self, connection: Connection) -> None:
        """The carrier has been drained: the others may take over at once."""
        self._ours = False
        with suppress(psycopg.Error, OSError), _answering(connection):
            await queries.forget(connection, [self.name])


async def _connect(url: str, name: str) -> Connection:
    given = sa.make_url(url).set(drivername="postgresql+psycopg")
    _, parameters = given.get_dialect()().create_connect_args(given)
    ours = {"application_name": application(name), "autocommit": True, "context": None}
    async with asyncio.timeout(CONNECT):
        return await psycopg.AsyncConnection.connect(**{"connect_timeout": CONNECT_EACH, **parameters, **ours})


@contextmanager
def _answering(connection: Connection) -> Iterator[None]:
    """Cut the connection where the server takes too long for what is asked inside.

    Cancelling would not do: the driver then asks the server to stop, and waits for that answer.
    """
    late = asyncio.get_running_loop().call_later(ANSWER, _cut, connection)
    try:
        yield
    finally:
        late.cancel()


def _cut(connection: Connection) -> None:
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
