"""Several bridges on one real PostgreSQL: killed, frozen, and without their database, while events come in."""

import asyncio
import itertools
import json
import signal
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

from bridge.cluster.membership import STALE
from bridge.store import open_ledger
from bridge.store.queries.records import lane_records
from tests.postgres import Postgres, a_postgres
from tests.processes import Bridge, Standstill, a_bridge, until
from tests.services import discord
from tests.services.receiver import Receiver
from tests.services.service import serving
from tests.street import BATCH, SOURCES, Panels, a_street

pytestmark = pytest.mark.process

FAILOVER = 8.0  # seconds; 5 are promised, and what is told then has to be posted, carried and received
FROZEN = 10.0
SINKS = ("a", "b", "c", "d")


class Paths(Receiver):
    """One receiver for several sinks, each at a path of its own; `most` were on their way at once to one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._busy: Counter[str] = Counter()

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        self._busy[request.path] += 1
        self.most = max(self.most, self._busy[request.path])
        await asyncio.sleep(0.002)
        self._busy[request.path] -= 1
        return await super().serve(request, body)

    def marks(self) -> dict[tuple[str, str], list[int]]:
        """Sink and subject → the marks that came, in order."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for one in self.taken:
            found[one.path, one.body["subject"]].append(one.body["data"]["system"]["mark"])
        return found


class Load:
    """Programs that post one event after the other, each about its own subject, to all bridges in turn."""

    def __init__(self, bridges: list[Bridge]) -> None:
        self.promised: dict[str, list[int]] = defaultdict(list)
        self.statuses: Counter[int | str] = Counter()
        self.ending = False
        self._bridges = bridges
        self._marks = itertools.count()

    async def run(self, subject: str) -> None:
        timeout = aiohttp.ClientTimeout(2.0)
        async with aiohttp.ClientSession(timeout=timeout, headers=BATCH) as http:
            for bridge in itertools.cycle(self._bridges):
                if self.ending:
                    return
                mark = next(self._marks)
                status = await self._post(http, bridge, subject, mark)
                self.statuses[status] += 1
                if status == 200:
                    self.promised[subject].append(mark)
                await asyncio.sleep(0.02 if status == 200 else 0.1)

    async def _post(self, http: aiohttp.ClientSession, bridge: Bridge, subject: str, mark: int) -> int | str:
        event = {"specversion": "1.0", "source": "/load", "type": "system.checked", "id": str(uuid4())}
        told = [event | {"subject": subject, "data": {"system": {"mark": mark}}}]
        try:
            async with http.post(f"{bridge.url}/in/program", data=json.dumps(told)) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__


@asynccontextmanager
async def replicas(folder: Path, url: str, text: str, count: int = 2) -> AsyncIterator[list[Bridge]]:
    """So many bridges on one store, running."""
    async with AsyncExitStack() as stack:
        bridges = [
            await stack.enter_async_context(a_bridge(folder, SOURCES + text, name=f"replica-{n}", store=url))
            for n in range(count)
        ]
        for bridge in bridges:
            await bridge.start()
        yield bridges


def owners(url: str) -> Counter[str | None]:
    """Who carries how many lanes."""
    with open_ledger(url) as ledger:
        return Counter(lane.owner for lane in ledger.read(lane_records))


def evenly(url: str) -> bool:
    """Whether two replicas carry as many lanes as each other."""
    found = owners(url)
    return None not in found and sorted(found.values()) == [2, 2]


def with_sinks(base: str) -> str:
    retry = "rate: unlimited, retry: {waits: [0.5s], max_retries: 50, jitter: 0}"
    sinks = "".join(f"  {name}: {{type: webhook, url: '{base}/{name}', {retry}}}\n" for name in SINKS)
    return f"sinks:\n{sinks}\nroutes:\n  - to: [{', '.join(SINKS)}]\n"


async def test_whatever_happens_to_replicas_and_their_database_all_that_was_answered_200_arrives_in_order(
    tmp_path: Path,
) -> None:
    receiver = Paths()
    with a_postgres() as server:
        url = server.fresh()
        async with serving(receiver) as base, replicas(tmp_path, url, with_sinks(base)) as (one, two):
            await until(lambda: evenly(url))
            load = Load([one, two])
            running = asyncio.gather(*(load.run(f"subject-{n}") for n in range(4)))
            await until(lambda: len(receiver.taken) > 200)
            assert receiver.most == 1

            await one.kill()
            async with Standstill(lambda: (two.pid, *server.pids)) as still:
                killed = time.monotonic()
                await until(lambda: all(newest(receiver, name) > killed + 0.5 for name in SINKS))
                assert gap(receiver, killed) - seconds_of(still) < FAILOVER
            assert len(owners(url)) == 1
            await one.start()
            await until(lambda: evenly(url))

            two.signal(signal.SIGSTOP)
            async with Standstill(lambda: (one.pid, *server.pids)) as still:
                frozen = time.monotonic()
                await asyncio.sleep(FROZEN)
                assert gap(receiver, frozen) - seconds_of(still) < FAILOVER
            two.signal(signal.SIGCONT)
            await until(lambda: evenly(url))

            await asyncio.to_thread(server.stop, "fast")
            before = load.statuses[503]
            await until(lambda: load.statuses[503] > before + 4)
            await asyncio.to_thread(server.start)
            back = time.monotonic()
            await until(lambda: all(newest(receiver, name) > back for name in SINKS))
            await until(lambda: sum(map(len, load.promised.values())) > 200)

            load.ending = True
            await running
            want = {(f"/{sink}", subject): marks for sink in SINKS for subject, marks in load.promised.items()}
            await until(lambda: all(set(want[key]) <= set(marks) for key, marks in receiver.marks().items()))
            told = receiver.marks()
            assert told.keys() == want.keys()
            for key, marks in told.items():
                assert first_tellings(marks, set(want[key])) == want[key]
            repeats = sum(len(marks) - len(set(marks)) for marks in told.values())
            assert repeats <= 3 * 2 * len(SINKS)  # of each lane two messages, at each of the three faults
            assert [await bridge.end() for bridge in (one, two)] == [0, 0]
    assert "delivery.bug" not in one.log.read_text() + two.log.read_text()


def seconds_of(still: Standstill) -> float:
    """Those that the machine stood still, and those that a replica then gives the others (`membership.py`)."""
    return still.seconds + STALE * sum(late > 1 for late in still.late)


def newest(receiver: Receiver, sink: str) -> float:
    return max((one.at for one in receiver.taken if one.path == f"/{sink}"), default=0.0)


def gap(receiver: Receiver, since: float) -> float:
    """The longest time in which some sink got nothing, from a moment on."""
    longest = 0.0
    for sink in SINKS:
        times = [since, *(one.at for one in receiver.taken if one.path == f"/{sink}" and one.at > since)]
        times.append(time.monotonic())
        longest = max(longest, *(later - earlier for earlier, later in itertools.pairwise(times)))
    return longest


def first_tellings(marks: list[int], promised: set[int]) -> list[int]:
    """The promised ones in the order in which each was told first."""
    return [mark for mark in dict.fromkeys(marks) if mark in promised]


async def test_a_channels_limit_is_kept_when_its_lanes_move_to_another_replica(
    tmp_path: Path, postgres: Postgres
) -> None:
    channel = discord.Discord(webhooks={"1": "first-token-AAAA", "2": "second-token-BBBB"}, limited=True)
    async with serving(channel) as base:
        hooks = channel.path("first-token-AAAA", "1"), channel.path("second-token-BBBB", "2")
        sinks = "".join(
            f"  hook-{n}: {{type: discord, url: '{base}{path}', storm: null}}\n" for n, path in enumerate(hooks)
        )
        text = f"sinks:\n{sinks}\nroutes:\n  - to: [hook-0, hook-1]\n"
        async with replicas(tmp_path, postgres.fresh(), text) as (one, two), aiohttp.ClientSession() as http:
            await two.end()
            await Panels(one, http).users("user-0")
            await until(lambda: len(channel.taken) == 2)  # now it is known that they share the channel
            panels = Panels(one, http)
            await panels.users(*(f"user-{number}" for number in range(1, 18)))
            await until(lambda: len(channel.taken) >= 20 and panels.unsettled() == 36 - len(channel.taken))
            await one.kill()  # what it had sent and not recorded, no other could count
            await two.start()
            await until(lambda: len(channel.taken) > 22)
            await asyncio.sleep(2.5)  # 36 were asked for, and a minute has room for 30
            first = channel.taken[0].at
            assert sum(one.at < first + 58 for one in channel.taken) <= 30
            assert (channel.broken, channel.refused) == ([], [])
            assert Panels(two, http).unsettled() >= 36 - len(channel.taken)  # what the killed one sent last comes again


async def test_a_store_grows_from_a_file_into_postgresql_and_all_goes_on(tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.fresh()
    rows = [
        "match: user.created, to: [discord, shop]",
        "match: user.expired, to: telegram, digest: {window: 4s}",
    ]
    table = "routes:\n" + "".join(f"  - {{{row}}}\n" for row in rows)
    async with a_street() as street, aiohttp.ClientSession() as http:
        text = f"{SOURCES}{street.sinks()}{table}"
        async with a_bridge(tmp_path, text) as small:
            await small.start()
            panels = Panels(small, http)
            street["discord"].deleted = True
            await panels.users("alice", "bob")
            await panels.users("alice", "bob", action="user_expired")
            await panels.settled(2)
            await until(lambda: panels.standing("discord") == "parked")
            assert await small.end() == 0
            told = await small.command("store", "copy", small.store, url)
            assert f"store: {url}" in told
        street["discord"].deleted = False
        async with a_bridge(tmp_path, text, name="big", store=url) as big:
            await big.start()
            panels = Panels(big, http)
            assert panels.lane_state("discord")["standing"] == "parked"
            await panels.users("carol")
            await big.command("resume", "discord")
            found = await panels.carried()
            assert {one["state"] for one in found} == {"delivered"}
            assert [one["id"] for one in found] == sorted({one["id"] for one in found})
    names = [one.body["embeds"][0]["description"] for one in street["discord"].taken]
    assert names == ["`alice`", "`bob`", "`carol`"]
    assert [one.body["data"]["user"]["username"] for one in street["shop"].taken] == ["alice", "bob", "carol"]
    (digest,) = street["telegram"].taken
    assert "2 events" in digest.body["text"]
