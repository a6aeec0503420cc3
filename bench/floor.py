"""The floor: what the same libraries do with nothing above them. No panel, no table, no mask, no retry.

A handler on aiohttp and uvloop checks the secret, decodes with msgspec, gives each element a UUIDv7, and keeps it
with a delivery for each sink in SQLite (WAL, synchronous=FULL), in commits that requests share. Where there is a
sink's address, aiohttp's client posts what was kept, and settles it in commits that do not wait for the disk, no
further behind than docs/delivery.md allows.
"""

import argparse
import asyncio
import hmac
import queue
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import msgspec
import uuid_utils
import uvloop
from aiohttp import web

SECRET = b"bench"
JSON = {"Content-Type": "application/json"}
MOST = 200  # events in one array
SCHEMA = """
PRAGMA journal_mode=WAL;
CREATE TABLE events (id TEXT PRIMARY KEY, type TEXT, subject TEXT, body TEXT);
CREATE TABLE deliveries (id INTEGER PRIMARY KEY, event_id TEXT, sink INTEGER, subject TEXT, state TEXT);
CREATE INDEX waiting ON deliveries (sink, id) WHERE state = 'pending';
"""
PUT_EVENT = "INSERT INTO events VALUES (?, ?, ?, ?)"
PUT_DELIVERY = "INSERT INTO deliveries VALUES (?, ?, ?, ?, 'pending')"
SETTLE = "UPDATE deliveries SET state = 'delivered' WHERE id = ? AND state = 'pending'"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivery that is kept: its number, its sink's, and what is to be posted."""

    id: int
    sink: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """Rows for the tables, by statement, and who waits for their commit."""

    rows: dict[str, list[tuple[Any, ...]]]
    done: "asyncio.Future[None]"


class Store:
    """A file, and the thread that writes to it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._queue: queue.SimpleQueue[Write] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, daemon=True).start()

    def write(self, rows: dict[str, list[tuple[Any, ...]]]) -> "asyncio.Future[None]":
        done = self._loop.create_future()
        self._queue.put(Write(rows, done))
        return done

    def _run(self) -> None:
        connection = sqlite3.connect(self._file, isolation_level=None)
        connection.executescript(SCHEMA)
        while True:
            writes = [self._queue.get(), *_drained(self._queue)]
            self._commit(connection, writes)
            self._loop.call_soon_threadsafe(_resolve, writes)

    def _commit(self, connection: sqlite3.Connection, writes: list[Write]) -> None:
        durable = any(PUT_EVENT in write.rows for write in writes)
        connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        connection.execute("BEGIN IMMEDIATE")
        for statement in (PUT_EVENT, PUT_DELIVERY, SETTLE):
            rows = [row for write in writes for row in write.rows.get(statement, ())]
            if rows:
                connection.executemany(statement, rows)
        connection.execute("COMMIT")


class Floor:
    """Takes in, and carries out."""

    def __init__(self, store: Store, settings: argparse.Namespace) -> None:
        self._store = store
        self._settings = settings
        self._number = 0
        self._lanes: list[asyncio.Queue[Kept]] = [asyncio.Queue() for _ in range(settings.sinks)]

    async def take(self, request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.headers.get("x-webhook-secret", "").encode(), SECRET):
            raise web.HTTPUnauthorized
        events: list[tuple[Any, ...]] = []
        deliveries: list[tuple[Any, ...]] = []
        waiting: list[Kept] = []
        for element in msgspec.json.decode(await request.read()):
            event, subject, body = str(uuid_utils.uuid7()), element["username"], msgspec.json.encode(element)
            events.append((event, element["action"], subject, body.decode()))
            for sink in range(self._settings.sinks):
                self._number += 1
                deliveries.append((self._number, event, sink, subject))
                waiting.append(Kept(self._number, sink, body))
        await self._store.write({PUT_EVENT: events, PUT_DELIVERY: deliveries})
        if self._settings.url:
            for one in waiting:
                self._lanes[one.sink].put_nowait(one)
        return web.json_response({"accepted": len(events)})

    async def carry(self, client: aiohttp.ClientSession, lane: "asyncio.Queue[Kept]") -> None:
        """Post and settle, one after the other; the record of one is written while the next is sent."""
        recorded: asyncio.Future[None] | None = None
        while True:
            batch = [await lane.get()]
            if self._settings.arrays:
                batch += _drained(lane, MOST - 1)
            bodies = [one.body for one in batch]
            body = b"[" + b",".join(bodies) + b"]" if self._settings.arrays else bodies[0]
            async with client.post(self._settings.url, data=body, headers=JSON) as response:
                await response.read()
            if recorded is not None:
                await recorded
            recorded = self._store.write({SETTLE: [(one.id,) for one in batch]})

    async def carried(self, _: web.Application) -> Any:
        """While the server runs, so many carry each lane as may be on their way at once."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
            carrying = [
                asyncio.ensure_future(self.carry(client, lane))
                for lane in self._lanes
                for _ in range(self._settings.at_once if self._settings.url else 0)
            ]
            yield
            for one in carrying:
                one.cancel()


def _drained(waiting: "queue.SimpleQueue[T] | asyncio.Queue[T]", most: int = 1000) -> Iterable[T]:
    for _ in range(most):
        try:
            yield waiting.get_nowait()
        except (queue.Empty, asyncio.QueueEmpty):
            return


def _resolve(writes: list[Write]) -> None:
    for write in writes:
        if not write.done.done():
            write.done.set_result(None)


async def application(settings: argparse.Namespace) -> web.Application:
    floor = Floor(Store(settings.file), settings)
    app = web.Application(client_max_size=32 * 2**20)
    app.router.add_post("/in/{source}", floor.take)
    app.cleanup_ctx.append(floor.carried)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.floor", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("file", help="its store, a new SQLite file")
    parser.add_argument("--sinks", type=int, default=2, help="deliveries of each event")
    parser.add_argument("--url", default="", help="where they are posted; nowhere without it")
    parser.add_argument("--at-once", type=int, default=1, help="of each sink")
    parser.add_argument("--arrays", action="store_true", help="post what has piled up as one array")
    settings = parser.parse_args()
    loop = uvloop.new_event_loop()
    web.run_app(application(settings), host="127.0.0.1", port=settings.port, access_log=None, print=None, loop=loop)


if __name__ == "__main__":
    main()
