"""What a replica says to PostgreSQL about itself and its lanes: one statement or two, each with a name.

Times are the database's own, so that the clocks of the replicas do not matter.
"""

from collections.abc import Collection, Mapping
from hashlib import blake2b

from bridge.cluster.connection import ClusterConnection
from bridge.store.channel import CHANNEL, application_name


async def listen(connection: ClusterConnection, *, statement_timeout: float) -> None:
    """Be notified of what is new; and no statement lasts longer than `statement_timeout` seconds."""
    await connection.execute("SELECT set_config('statement_timeout', %s, false)", (str(int(statement_timeout * 1000)),))
    await connection.execute(f"LISTEN {CHANNEL}")


async def heartbeat(connection: ClusterConnection, name: str) -> Mapping[str, float]:
    """Give a heartbeat of this replica; all replicas → seconds since their last one.

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


async def terminate_connections(connection: ClusterConnection, names: Collection[str]) -> None:
    """End all connections of these replicas, and with them their locks. Frozen replicas still have theirs."""
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ANY(%s)"
        " AND datname = current_database() AND usename = current_user",
        ([application_name(name) for name in names],),
    )


async def terminate_connection(connection: ClusterConnection, pid: int, name: str) -> None:
    """End one connection of a replica: the server may not know yet that it is cut, and keeps its locks.

    It is waited for a second at the most: the locks are free with its end.
    """
    await connection.execute(
        "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE pid = %s AND application_name = %s"
        " AND datname = current_database() AND usename = current_user",
        (pid, application_name(name)),
    )


async def remove_replicas(connection: ClusterConnection, names: Collection[str]) -> None:
    """These replicas are gone, and carry nothing any more."""
    await connection.execute("DELETE FROM replicas WHERE name = ANY(%s)", (list(names),))
    await connection.execute("UPDATE lanes SET owner = NULL WHERE owner = ANY(%s)", (list(names),))


async def try_lock(connection: ClusterConnection, sinks: Collection[str]) -> set[str]:
    """Try to get the locks of these lanes, without waiting; those that were got. They die with the connection."""
    tried = await connection.execute(
        "SELECT sink, pg_try_advisory_lock(key) FROM unnest(%s::text[], %s::bigint[]) AS lane (sink, key)",
        (list(sinks), [_lock_id(sink) for sink in sinks]),
    )
    return {sink for sink, got in await tried.fetchall() if got}


async def unlock(connection: ClusterConnection, sinks: Collection[str], *, owner: str) -> None:
    """Give these lanes back."""
    await connection.execute("UPDATE lanes SET owner = NULL WHERE sink = ANY(%s) AND owner = %s", (list(sinks), owner))
    await connection.execute("SELECT pg_advisory_unlock(unnest(%s::bigint[]))", ([_lock_id(sink) for sink in sinks],))


async def owned_lanes(connection: ClusterConnection) -> set[str]:
    """The lanes that some replica carries, or did when it was last heard of."""
    rows = await connection.execute("SELECT sink FROM lanes WHERE owner IS NOT NULL")
    return {sink for (sink,) in await rows.fetchall()}


async def epochs(connection: ClusterConnection, sinks: Collection[str], *, owner: str) -> dict[str, int]:
    """The epochs of those of these lanes that were last carried by `owner`."""
    rows = await connection.execute(
        "SELECT sink, epoch FROM lanes WHERE sink = ANY(%s) AND owner = %s", (list(sinks), owner)
    )
    return dict(await rows.fetchall())


async def begin_epochs(connection: ClusterConnection, sinks: Collection[str], *, owner: str) -> dict[str, int]:
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


def _lock_id(sink: str) -> int:
    """The advisory lock of a lane: 64 bits of a hash, for with 32 two sinks in a large file might share one."""
    digest = blake2b(f"panelbridge lane {sink}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
