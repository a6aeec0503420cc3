"""Who carries the lanes of a file: whoever has it."""

import asyncio
from collections.abc import Collection, Mapping

from bridge.cluster.ownership import SoleOwnership, open_ownership, replica_name
from bridge.store.channel import application_name
from tests.processes import PATIENCE


class Recording:
    def __init__(self) -> None:
        self.told: asyncio.Queue[Mapping[str, int]] = asyncio.Queue()

    async def own(self, epochs: Mapping[str, int]) -> None:
        self.told.put_nowait(dict(epochs))

    def wake(self, sinks: Collection[str] | None) -> None:
        raise AssertionError(sinks)


async def test_the_sole_owner_carries_all_that_is_wanted_and_is_sure_of_it() -> None:
    ownership, carrier = SoleOwnership(), Recording()
    ownership.want({"ops": ["a"], "team": ["a"]})
    running = asyncio.create_task(ownership.run(carrier))
    async with asyncio.timeout(PATIENCE):
        assert await carrier.told.get() == {"ops": 0, "team": 0}
        ownership.want({"night": []})
        assert await carrier.told.get() == {"night": 0}
    assert ownership.sure()
    running.cancel()


def test_a_file_has_a_sole_owner() -> None:
    assert isinstance(open_ownership("sqlite:////var/lib/x.db", name="here", on_peer=lambda: None), SoleOwnership)


def test_a_replica_has_a_name_of_its_own_that_postgresql_keeps_whole() -> None:
    names = {replica_name() for _ in range(100)}
    assert len(names) == 100
    assert max(len(application_name(name)) for name in names) <= 63
