"""A replica in a process of its own, which can be killed and frozen. It writes a JSON line for all that happens.

{"own": {sink: epoch}}  these lanes and no others are carried
{"sure": bool}          whether it is sure of them, whenever that has changed
"""

import asyncio
import json
import sys
from collections.abc import Collection, Mapping

import uvloop

from bridge.cluster.replicas import SharedOwnership


class Telling:
    """A carrier that carries nothing and tells what it should."""

    async def own(self, epochs: Mapping[str, int]) -> None:
        tell(own=dict(epochs))

    def wake(self, sinks: Collection[str] | None) -> None:
        pass


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


async def main(url: str, name: str, *sinks: str) -> None:
    ownership = SharedOwnership(url, name=name, on_peer=lambda: None)
    ownership.want(dict.fromkeys(sinks, ()))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ownership.run(Telling()))
        before = False
        while True:
            if (sure := ownership.sure()) != before:
                tell(sure=sure)
                before = sure
            await asyncio.sleep(0.005)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
