"""Stores as they were left by others: by the first release, and by a bridge that ran for months."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from bridge.store.migrate import HEAD, upgrade

MONTHS_AGO = 1_700_000_000_000  # milliseconds since 1970
EVENT = (
    "INSERT INTO events"
    " (id, source, panel, type, native_type, subject, occurred_at, received_at, data, native, verdicts)"
    " VALUES (?, 'panel', 'json', 'user.updated', 'user.updated', ?, ?, ?, ?, '{}', '[]')"
)
DELIVERY = (
    "INSERT INTO deliveries (id, event_id, sink, subject, row, made_at, state, attempts, settled_at)"
    " VALUES (?, ?, 'shop', ?, 'route 1', ?, ?, 0, ?)"
)


def first_release(store: Path, marks: list[str]) -> None:
    """A store of release 0.1 with these events, none of them delivered yet."""
    _filled(store, "0001", [(mark, "pending") for mark in marks])


def months_old(store: Path, marks: list[str], *, delivered: int) -> None:
    """A store of today in which so many events were delivered long ago, and these never."""
    _filled(
        store, HEAD, [*((f"p0.{-n}", "delivered") for n in range(delivered)), *((mark, "pending") for mark in marks)]
    )


def _filled(store: Path, revision: str, events: list[tuple[str, str]]) -> None:
    store.parent.mkdir(parents=True)
    engine = sa.create_engine(f"sqlite:///{store}")
    with engine.begin() as connection:
        upgrade(connection, to=revision)
    engine.dispose()
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        for number, (mark, state) in enumerate(events, 1):
            at = MONTHS_AGO + number
            id_, subject, micros = _id(at, number), f"user:{mark.partition('.')[0]}", at * 1000
            connection.execute(EVENT, (id_, subject, micros, micros, json.dumps({"mark": mark})))
            settled = micros if state == "delivered" else None
            connection.execute(DELIVERY, (number, id_, subject, micros, state, settled))
        connection.commit()


def _id(at: int, number: int) -> str:
    """A UUIDv7 of that millisecond."""
    time = f"{at:012x}"
    return f"{time[:8]}-{time[8:]}-7000-8000-{number:012x}"
