"""A replica's connection to PostgreSQL, and how long its server may take to answer."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import sqlalchemy as sa

from bridge.store.channel import application_name

QUERY_TIMEOUT = 2.0  # for what we ask; less than LEASE (`replicas.py`), or one slow answer would stop all lanes
CONNECT_TIMEOUT = 10.0  # for a new connection, whichever of the hosts it is to
HOST_TIMEOUT = "2"  # seconds for one of several hosts, the least that the driver knows

ClusterConnection = psycopg.AsyncConnection[Any]


async def connect(url: str, name: str) -> ClusterConnection:
    """A connection that bears the name of a replica; raise OSError or psycopg.Error where there is none to be had."""
    parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
    _, parameters = parsed.get_dialect()().create_connect_args(parsed)
    ours = {"application_name": application_name(name), "autocommit": True, "context": None}
    async with asyncio.timeout(CONNECT_TIMEOUT):
        return await psycopg.AsyncConnection.connect(**{"connect_timeout": HOST_TIMEOUT, **parameters, **ours})


@contextmanager
def query_timeout(connection: ClusterConnection, seconds: float = QUERY_TIMEOUT) -> Iterator[None]:
    """Cut the connection where the server takes too long for what is asked inside.

    Cancelling would not do: the driver then asks the server to stop, and waits for that answer.
    """
    timer = asyncio.get_running_loop().call_later(seconds, _cut, connection)
    try:
        yield
    finally:
        timer.cancel()


def _cut(connection: ClusterConnection) -> None:
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
