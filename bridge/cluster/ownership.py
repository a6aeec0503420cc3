"""Who carries the lanes: this process alone, or each of them one of several replicas (`replicas.py`)."""

import asyncio
from collections.abc import Mapping

import sqlalchemy as sa

from bridge.store.base import Carrier, Ownership


def open_ownership(url: str, *, name: str) -> Ownership:
    """The ownership of the lanes of a store, for the replica of that name."""
    if sa.make_url(url).get_backend_name() == "sqlite":
        return SoleOwnership()
    from bridge.cluster.replicas import Replicas  # the driver is not for those who keep a file

    return Replicas(url, name=name)


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
