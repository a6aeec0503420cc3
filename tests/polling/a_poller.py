"""A poller in a process of its own, that is killed: it takes its turn whenever a line names the time, and says so.

python -m tests.polling.a_poller STORE PORT
"""

import asyncio
import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, cast

from bridge.ingress.source import Source
from bridge.panels.threexui import ThreeXuiConfig
from bridge.people.proof import ProofKey
from bridge.polling.jobs import Job, jobs_of
from bridge.polling.poller import Poller
from bridge.routing import Route, Router
from bridge.sealing import Unmasking
from bridge.sinks.http import Http
from bridge.store import open_outbox
from tests.fakes import FakeClock, Switch
from tests.polling.threexui import TOKEN

INTERVAL = 3600.0


def the_jobs(
    address: str, unmasking: Unmasking | None = None, proof_key: ProofKey | None = None, **settings: Any
) -> list[Job]:
    """What is asked of a source with these settings."""
    given = {"panel": "3x-ui", "address": address, "token": TOKEN, "interval": INTERVAL, **settings}
    panel = ThreeXuiConfig.model_validate(given).open()
    source = Source("main", "3x-ui", panel, unmasking=unmasking, proof_key=proof_key)
    return list(jobs_of("main", "3x-ui", panel, source.parse, unmasking=unmasking))


def a_table() -> Router:
    """Everything goes to one sink."""
    return Router([("route 1", Route(to=("ops",)))], sinks={"ops": Switch()})


async def _run(store: str, port: str, lines: Iterable[str]) -> None:
    clock, http = FakeClock(), Http()
    (job,) = the_jobs(f"http://127.0.0.1:{port}")
    async with open_outbox(store) as outbox:
        poller = Poller(outbox, http, clock, announce=lambda deliveries: None)
        poller.configure([job], a_table())
        for line in lines:
            clock.step((datetime.fromisoformat(line.strip()) - clock.now()) / timedelta(seconds=1))
            await poller.step(job)
            print("asked", flush=True)
    await http.close()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2], cast(Iterable[str], sys.stdin)))
