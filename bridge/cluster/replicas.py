"""Several replicas on one PostgreSQL: each lane is carried by exactly one of them.

All replicas give heartbeats in a table, and share the lanes out among those that are alive (`membership.py`,
`assignment.py`). That is only a wish: a lane is ours while we have its advisory lock, which dies with our connection.
With the lock begins an epoch, and what is settled under an older one changes nothing.

    a replica ends       it releases its lanes and its row; the others have them at their next heartbeat
    … is killed          its connection ends and frees its locks; its lanes are assigned anew once its row is STALE
    … freezes, is cut    its connection stands; whoever finds its row STALE ends that connection
    … wakes              it is not sure of its lanes, sends nothing, and finds out on a new connection
    the server restarts  all wait and send nothing; whoever gets its lock again under its own epoch goes on

One connection does everything, in one task: whoever has no connection can think nothing that is not true. It has to be
a connection of our own to the server: behind a pooler that hands it on after each transaction there are no locks.
"""

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager, suppress

import psycopg

from bridge.cluster import queries
from bridge.cluster.assignment import LaneShare, groups
from bridge.cluster.connection import QUERY_TIMEOUT, ClusterConnection, connect, query_timeout
from bridge.cluster.membership import Membership
from bridge.cluster.ownership import Carrier
from bridge.store.channel import application_name
from bridge.telemetry import log

LOG = logging.getLogger("bridge.store")
HEARTBEAT = 0.5  # seconds between two, so that a frozen replica is found out 3.5 s after its last one
LEASE = 2.5  # a replica may send for so long after its last heartbeat; less than STALE, when others may send
RECONNECT_PAUSES = (0.1, 0.2, 0.5, 1.0)  # before each next try to connect; the last one for ever
LEAVE_TIMEOUT = 0.5  # seconds for our last word; whoever does not hear it finds us dead in STALE
POLL = 2.0  # how often lanes look for themselves, should a notification be lost
NOTICE = 0.1  # how late we may notice that something has changed on our side


class SharedOwnership:
    """The lanes of one replica, by the word of the server.

    name     its own and no other's
    on_peer  called at every heartbeat while another replica is at work
    """

    def __init__(self, url: str, *, name: str, on_peer: Callable[[], None]) -> None:
        self.name = name
        self._url = url
        self._on_peer = on_peer
        self._groups: Mapping[str, str] = {}  # the lanes that there are → the group of each
        self._membership = Membership(name)
        self._share = LaneShare(name)
        self._locks: dict[str, int] = {}  # lanes whose lock this connection has → the epoch that began with it
        self._held: dict[str, int] = {}  # what the carrier should carry
        self._carried: set[tuple[str, int]] = set()  # what it may be carrying, until it says otherwise
        self._held_changed = asyncio.Event()
        self._hurry = False  # there is something to do before the next heartbeat is due
        self._last_heartbeat = -math.inf  # when we sent the last one that was answered
        self._backend_pid: int | None = None  # the server's number for our connection, or for the one before
        self._failures = 0  # of connections, since the last heartbeat

    def want(self, scopes: Mapping[str, Iterable[str]]) -> None:
        """The sinks that there are → the scopes of their limits; those that share one go to the same replica."""
        self._groups = groups(scopes)
        self._hurry = True

    def sure(self) -> bool:
        """Whether we have the lock of everything that is carried, and nobody can have taken it from us yet."""
        return time.monotonic() - self._last_heartbeat < LEASE and self._carried <= self._locks.items()

    async def run(self, carrier: Carrier) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hand_over_forever(carrier))
            tasks.create_task(self._connect_forever(carrier))

    async def _hand_over_forever(self, carrier: Carrier) -> None:
        """Hand the carrier what to carry. Apart from the heartbeats, for a lane may take its time to stop."""
        while True:
            await self._held_changed.wait()
            self._held_changed.clear()
            held = dict(self._held)
            self._carried |= held.items()
            await carrier.own(held)
            self._carried = set(held.items())
            self._hurry = True

    async def _connect_forever(self, carrier: Carrier) -> None:
        while True:
            try:
                async with self._connection() as connection:
                    await self._take_part(connection, carrier)
            except (psycopg.Error, OSError) as error:  # TimeoutError is an OSError
                self._connection_lost(error)
            await asyncio.sleep(RECONNECT_PAUSES[min(self._failures, len(RECONNECT_PAUSES)) - 1])

    async def _take_part(self, connection: ClusterConnection, carrier: Carrier) -> None:
        """Be one of the replicas, for as long as the connection lasts."""
        with query_timeout(connection):
            await self._join(connection)
        polled = -math.inf
        while True:
            with query_timeout(connection):
                alive = await self._heartbeat(connection)
            if len(alive) > 1:
                self._on_peer()
            if time.monotonic() - polled > POLL:
                polled = time.monotonic()
                carrier.wake(None)
            await self._pass_on_notifications(connection, carrier)

    async def _join(self, connection: ClusterConnection) -> None:
        await queries.listen(connection, statement_timeout=QUERY_TIMEOUT)
        if self._backend_pid is not None:
            await queries.terminate_connection(connection, self._backend_pid, self.name)
            self._membership.give_grace(time.monotonic())
        self._backend_pid = connection.info.backend_pid

    async def _heartbeat(self, connection: ClusterConnection) -> set[str]:
        """Give a heartbeat, then acquire and release what those of the others tell us to; who is alive."""
        now = time.monotonic()
        ages = await queries.heartbeat(connection, self.name)
        alive = self._membership.alive(ages, last_heartbeat=self._last_heartbeat, now=now)
        if dead := ages.keys() - alive:
            await self._evict(connection, dead)
        owned, grace = await queries.owned_lanes(connection), self._membership.gives_grace(now)
        self._share.update(self._groups, alive, owned=owned, now=now, grace=grace)
        if missing := self._share.sinks - self._locks.keys():
            await self._acquire(connection, missing)
        self._update_held()
        await self._release(connection)
        self._last_heartbeat = now  # not before it is known which lanes are still ours
        self._connection_stands()
        return alive

    async def _pass_on_notifications(self, connection: ClusterConnection, carrier: Carrier) -> None:
        """Wake lanes for what others put, until the next heartbeat is due, or something has changed on our side."""
        until = time.monotonic() + HEARTBEAT
        while not self._hurry and (left := until - time.monotonic()) > 0:
            async for notification in connection.notifies(timeout=min(left, NOTICE), stop_after=1):
                sender, _, sinks = notification.payload.partition(":")
                if sender != application_name(self.name):
                    carrier.wake(tuple(sinks.split(",")) if sinks else None)
        self._hurry = False

    async def _evict(self, connection: ClusterConnection, names: Collection[str]) -> None:
        """Fence dead replicas off: without a connection they have no locks."""
        await queries.terminate_connections(connection, names)
        await queries.remove_replicas(connection, names)
        self._hurry = True  # the server needs a moment to free their locks
        log(LOG, logging.WARNING, "replica.found_dead", replicas=sorted(names))

    async def _acquire(self, connection: ClusterConnection, sinks: Collection[str]) -> None:
        if not (acquired := await queries.try_lock(connection, sinks)):
            return
        before = await queries.epochs(connection, acquired & self._held.keys(), owner=self.name)
        same = {sink: epoch for sink, epoch in before.items() if self._held[sink] == epoch}  # nobody had it meanwhile
        new = await queries.begin_epochs(connection, acquired - same.keys(), owner=self.name)
        self._locks |= same | new

    def _update_held(self) -> None:
        held = {sink: epoch for sink, epoch in self._locks.items() if sink in self._share.sinks}
        if held != self._held:
            self._held = held
            self._held_changed.set()
            log(LOG, logging.INFO, "replica.carries", replica=self.name, sinks=sorted(held))

    async def _release(self, connection: ClusterConnection) -> None:
        """Unlock what should not be carried, and is not any more."""
        carried = {sink for sink, _ in self._carried}
        if released := self._locks.keys() - self._held.keys() - carried:
            await queries.unlock(connection, released, owner=self.name)
            for sink in released:
                del self._locks[sink]

    def _connection_lost(self, error: Exception) -> None:
        self._locks.clear()
        self._last_heartbeat = -math.inf
        self._failures += 1
        if self._failures == 1:
            reason = str(error).partition("\n")[0] or type(error).__name__
            log(LOG, logging.WARNING, "replica.store_lost", replica=self.name, reason=reason)

    def _connection_stands(self) -> None:
        if self._failures:
            self._failures = 0
            log(LOG, logging.INFO, "replica.store_back", replica=self.name)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[ClusterConnection]:
        connection = await connect(self._url, self.name)
        try:
            yield connection
        except asyncio.CancelledError:
            await self._leave(connection)
            raise
        finally:
            await connection.close()

    async def _leave(self, connection: ClusterConnection) -> None:
        """The carrier has been drained: the others may take over at once."""
        self._last_heartbeat = -math.inf
        with suppress(psycopg.Error, OSError), query_timeout(connection, LEAVE_TIMEOUT):
            await queries.remove_replicas(connection, [self.name])
