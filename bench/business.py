"""`python -m bench.business`: 200 resellers, 20,000 customers, one bot, a strict Telegram, a bridge that is killed.

It ends with 1 where one of the laws of `bench/business_laws.py` does not hold.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench import report
from bench.bot_api import BusyTelegram
from bench.business_laws import READ_WITHIN, Business, Run, read_deliveries
from bench.client import a_request, load
from bench.crowd import Crowd
from bench.machine import machine
from bench.processes import Process, a_folder, free_port, listening
from bridge.store import open_reader
from bridge.store.queries.records import lane_records
from tests.services.service import serving
from tests.services.telegram import TOKEN

MINUTES = 15
LOOK = 0.2  # seconds between two looks at how much is left
CONNECTIONS = 4
ONE_CHAT = 700_000  # where all of them are, in the run that memory is compared with
HEADERS = {"Content-Type": "application/json", "x-webhook-secret": "bench"}
CONFIG = """\
listen: 127.0.0.1:{port}
store: sqlite:///{folder}/business.db
log: {{level: warning}}
sources:
  marzban: {{panel: marzban, secret: bench}}
directory: {{file: directory.csv}}
sinks:
  dm: {{{bot}, chat_id: "{{{{ person.telegram }}}}", rate: 24/{second}, rate_each: {private}}}
  resellers: {{{bot}, chat_id: "{{{{ owner.telegram }}}}", rate: 6/{second}, rate_each: {group}, storm: {{age: {age}}}}}
routes:
  - {{match: [user.expired, user.limited], to: dm, audience: user}}
  - {{match: user.created, to: resellers}}
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it: the crowd, how often the bridge is killed, how many times as fast Telegram's clock runs."""

    crowd: Crowd
    kills: int = 3
    times: int = 20


FULL = Size(Crowd(200, 20_000, 50_000))
SMALL = Size(Crowd(20, 200, 500), kills=1)


async def business(size: Size) -> Business:
    """A run to all addresses, and the same to one; raise TimeoutError where that takes too long."""
    async with asyncio.timeout(MINUTES * 60):
        many, one = await carried(size), await carried(size, one_chat=ONE_CHAT)
    return Business(size.crowd, size.kills, size.times, many=many, one=one)


async def carried(size: Size, *, one_chat: int | None = None) -> Run:
    """The panel's events, each to its address; or all to one chat, of which nobody counts how often it is told."""
    crowd, limited = size.crowd, one_chat is None
    chats = crowd.chats() if one_chat is None else dict.fromkeys(crowd.chats(), one_chat)
    blocked = crowd.blocked() if limited else set[int]()
    telegram = BusyTelegram(set(chats.values()), blocked, times=size.times, limited=limited)
    async with AsyncExitStack() as stack:
        base = await stack.enter_async_context(serving(telegram))
        folder, port = stack.enter_context(a_folder()), free_port()
        crowd.write_directory(folder / "directory.csv", chats)
        (folder / "config.yaml").write_text(_config(folder, port, base, size.times, limited=limited))
        store = f"sqlite:///{folder}/business.db"
        started = time.monotonic()
        lives = [await _life(size, life, folder, port, store) for life in range(size.kills + 1)]
        return Run(
            seconds=time.monotonic() - started,
            taken_in=sum(one.taken_in for one in lives),
            cpu=sum(one.cpu for one in lives),
            memory=max(one.memory for one in lives),
            chats=chats,
            telegram=telegram,
            deliveries=read_deliveries(store),
        )


@dataclass(frozen=True, slots=True)
class Life:
    """Of one process: how long it took in what the panel told, its processor seconds, the most memory in MB."""

    taken_in: float
    cpu: float
    memory: float


async def _life(size: Size, number: int, folder: Path, port: int, store: str) -> Life:
    """From a start to a kill, or to the end where there are no more: when its part of all events is carried."""
    config = str(folder / "config.yaml")
    async with listening("bridge", "run", "--config", config, port=port) as process:
        taken_in = await _take_in(size.crowd, process) if number == 0 else 0.0
        left = round(size.crowd.events * (size.kills - number) / (size.kills + 1))
        await _carry(store, left)
        life = Life(taken_in, process.cpu_seconds, process.memory_peak)
        if left:
            os.kill(process.pid, signal.SIGKILL)
        return life


async def _take_in(crowd: Crowd, process: Process) -> float:
    bodies = (a_request(process.url, body, HEADERS) for body in crowd.bodies())
    return (await load(process.url, bodies, connections=CONNECTIONS)).seconds


async def _carry(store: str, left: int) -> None:
    """Return when no more than so many are left to be carried."""
    while _unsettled(store) > left:  # noqa: ASYNC110
        await asyncio.sleep(LOOK)


def _unsettled(store: str) -> int:
    reader = open_reader(store, limit=READ_WITHIN)
    try:
        return sum(lane.pending + lane.waiting for lane in reader.read(lane_records))
    finally:
        reader.close()


def _config(folder: Path, port: int, base: str, times: int, *, limited: bool) -> str:
    """The limits are Telegram's by a clock that runs so many times as fast; both sinks have a part of the bot's."""
    return CONFIG.format(
        port=port,
        folder=folder,
        bot=f'type: telegram, token: "{TOKEN}", api_base: "{base}"',
        second=f"{1000 // times}ms",
        private=f"1/{1000 // times}ms" if limited else "unlimited",
        group=f"[1/{1000 // times}ms, 20/{60_000 // times}ms]" if limited else "unlimited",
        age=f"{120_000 // times}ms",
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.business", description=__doc__)
    parser.add_argument("--small", action="store_true", help="500 events to 220 addresses, one kill")
    settings = parser.parse_args()
    print(report.listed(machine()), flush=True)
    try:
        found = uvloop.run(business(SMALL if settings.small else FULL))
    except (TimeoutError, RuntimeError) as error:
        sys.exit(f"bench: {error or f'not done within {MINUTES} minutes'}")
    print(f"\n{found.table()}\n")
    broken = list(found.broken())
    for law in broken:
        print(f"broken: {law}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
