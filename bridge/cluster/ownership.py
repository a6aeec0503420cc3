"""Who carries the lanes: this process alone, or each of them one of several replicas (`replicas.py`)."""

import asyncio
import re
import socket
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import sqlalchemy as sa

if TYPE_CHECKING:
    from bridge.cluster.replicas import SharedOwnership


class Carrier(Protocol):
    """Whoever runs lanes, as an ownership knows it."""

    async def own(self, epochs: Mapping[str, int]) -> None:
        """Carry the lanes of these sinks, each under its epoch, and no other; returns once the others have stopped."""
        ...

    def wake(self, sinks: Collection[str] | None) -> None:
        """There may be something new for these sinks; None: for any."""
        ...


def replica_name() -> str:
    """A name that no other replica has or had, and that a person can find: the host's, and something of its own."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:40]
    return f"{host}-{uuid4().hex[:8]}"


def open_ownership(url: str, *, name: str, on_peer: Callable[[], None]) -> "SoleOwnership | SharedOwnership":
    """The ownership of the lanes of a store, for the replica of that name.

    `on_peer` is called again and again while another replica is at work.
    """
    if sa.make_url(url).get_backend_name() == "sqlite":
        return SoleOwnership()
    from bridge.cluster.replicas import SharedOwnership  # the driver is not for those who keep a file

    return SharedOwnership(url, name=name, on_peer=on_peer)


class SoleOwnership:
    """All lanes are ours: a file has one owner (`Backend.exclusive`)."""

    def __init__(self) -> None:
        self._sinks: tuple[str, ...] = ()
        self._changed = asyncio.Event()

    def want(self, scopes: Mapping[str, Iterable[str]]) -> None:
        self._sinks = tuple(scopes)
        self._changed.set()

    async def run(self, carrier: Carrier) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await carrier.own(dict.fromkeys(self._sinks, 0))

    def sure(self) -> bool:
        return True
