"""Who carries the lanes: this process alone, or each of them one of several replicas (`replicas.py`)."""

import asyncio
import re
import socket
from collections.abc import Mapping
from uuid import uuid4

import sqlalchemy as sa

from bridge.store.base import Carrier, Ownership

#: What every connection to PostgreSQL is called there begins with.
PRODUCT = "panelbridge"


def open_ownership(url: str, *, name: str) -> Ownership:
    """The ownership of the lanes of a store, for the replica of that name."""
    if sa.make_url(url).get_backend_name() == "sqlite":
        return SoleOwnership()
    from bridge.store.replicas import Replicas  # the driver is not for those who keep a file

    return Replicas(url, name=name)


def replica_name() -> str:
    """A name that no other replica has or had, and that a person can find: the host's, and something of its own."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:40]
    return f"{host}-{uuid4().hex[:8]}"


def application(name: str) -> str:
    """What a replica calls its connections to PostgreSQL: whoever takes its lanes over ends them by it.

    PostgreSQL keeps 63 characters of it.
    """
    return f"{PRODUCT} {name}"


class SoleOwnership:
    """All lanes are ours: a file has one owner (`dialect.sole_owner`)."""

    def __init__(self) -> None:
        self._lanes: Mapping[str, str] = {}
        self._changed = asyncio.Event()

    def want(self, lanes: Mapping[str, str]) -> None:
        self._lanes = dict(lanes)
        self._changed.set()

    async def run(self, carrier: Carrier) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await carrier.own(dict.fromkeys(self._lanes, 0))

    def sure(self) -> bool:
        return True
