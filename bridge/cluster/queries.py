"""What a replica says to PostgreSQL about itself and its lanes: one statement or two, each with a name.

Times are the database's own, so that the clocks of the replicas do not matter.
"""

from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any

import psycopg

from bridge.store.names import PRODUCT, application

Connection = psycopg.AsyncConnection[Any]


async def listen(connection: Connection, *, longest: float) -> None:
    """Be told what is new; and no statement lasts longer than `longest` seconds."""
    await connection.execute("SELECT set_config('statement_timeout', %s, false)", (str(int(longest * 1000)),))
    await connection.execute("LISTEN panelbridge")


async def beat(connection: Connection, name: str) -> Mapping[str, float]:
    """Say that this replica lives; all replicas → seconds since they said so.

    A time that lies ahead is as far away as one that is past: someone has set the server's clock back.
    """
    await connection.execute(
        "INSERT INTO replicas (name, seen_at) VALUES (%s, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"
        " ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at",
        (name,),
    )
    ages = await connection.execute(
        "SELECT name, abs(extract(epoch FROM clock_timestamp()) - seen_at / 1000000.0)::float8 FROM replicas"
    )
    return dict(await ages.fetchall())


async def end_connections(connection: Connection, names: Collection[str]) -> None:
    """End all connections of these replicas, and with them their locks. Frozen replicas still have theirs."""
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY(%s)"
        " AND datname = current_database() AND usename = current_user",
        ([application(name) for name in names],),
    )


async def end_connection(connection: Connection, pid: int, name: str) -> None:
    """End one connection of a replica: the server may not know yet that it is cut, and keeps its locks."""
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND application_name = %s"
        " AND datname = current_database() AND usename = current_user",
        (pid, application(name)),
    )


async def forget(connection: Connection, names: Collection[str]) -> None:
    """Replicas are gone."""
    await connection.execute("DELETE FROM replicas WHERE name = ANY(%s)", (list(names),))
    await connection.execute("UPDATE lanes SET owner = NULL WHERE owner = ANY(%s)", (list(names),))


async def lock(connection: Connection, sinks: Collection[str]) -> set[str]:
    """Try to get the locks of these lanes, without waiting; those that were had. They die with the connection."""
    tried = await connection.execute(
        "SELECT sink, pg_try_advisory_lock(key) FROM unnest(%s::text[], %s::bigint[]) AS lane (sink, key)",
        (list(sinks), [_key(sink) for sink in sinks]),
    )
    return {sink for sink, had in await tried.fetchall() if had}


async def unlock(connection: Connection, sinks: Collection[str], *, owner: str) -> None:
    """Give these lanes back."""
    await connection.execute("UPDATE lanes SET owner = NULL WHERE sink = ANY(%s) AND owner = %s", (list(sinks), owner))
    await connection.execute("SELECT pg_advisory_unlock(unnest(%s::bigint[]))", ([_key(sink) for sink in sinks],))


async def owned(connection: Connection) -> set[str]:
    """The lanes that some replica carries, or did when it was last heard of."""
    rows = await connection.execute("SELECT sink FROM lanes WHERE owner IS NOT NULL")
    return {sink for (sink,) in await rows.fetchall()}


async def epochs(connection: Connection, sinks: Collection[str], *, owner: str) -> dict[str, int]:
    """The epochs of those of these lanes that were last carried by `owner`."""
    rows = await connection.execute(
        "SELECT sink, epoch FROM lanes WHERE sink = ANY(%s) AND owner = %s", (list(sinks), owner)
    )
    return dict(await rows.fetchall())


async def begin_epochs(connection: Connection, sinks: Collection[str], *, owner: str) -> dict[str, int]:
    """Begin a new epoch for each of these lanes; which one.

    It is the time, not the number after the last: a standby that takes a failed server's place may not have heard of
    the last epoch, and would give its number a second time.
    """
    rows = await connection.execute(
        "INSERT INTO lanes (sink, epoch, owner, standing, failures, address, spent, learned)"
        " SELECT sink, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, %s, 'open', 0, '', '{}', '[]'"
        ' FROM unnest(%s::text[]) AS lane (sink) ORDER BY sink COLLATE "C"'  # as whoever settles locks them
        " ON CONFLICT (sink) DO UPDATE SET epoch = greatest(lanes.epoch + 1, excluded.epoch), owner = excluded.owner"
        " RETURNING sink, epoch",
        (owner, list(sinks)),
    )
    return dict(await rows.fetchall())


def _key(sink: str) -> int:
    """The advisory lock of a lane: 64 bits of a hash, for with 32 two sinks in a large file might share one."""
    digest = blake2b(f"{PRODUCT} lane {sink}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
