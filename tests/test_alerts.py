"""What goes wrong with a real bridge is told on a real sink: once, by however many processes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.chaos.stores import a_small_disk, disk_can_be_filled
from tests.processes import Bridge, Receiver, a_bridge, a_receiver, until
from tests.street import SOURCES, Panels
from tests.test_full_disk import fill

pytestmark = pytest.mark.process


@dataclass
class Home:
    """Bridges with the sinks `shop` and `ops`; `ops` is told what goes wrong, each thing by itself."""

    bridges: list[Bridge]
    panels: Panels
    shop: Receiver
    ops: Receiver

    def told(self, *types: str) -> list[dict[str, Any]]:
        """What was told; once, though it comes again where a kill meets it on the socket."""
        alerts = {one["id"]: one for one in self.ops.got}.values()
        return [one for one in alerts if not types or one["type"] in types]

    async def tells(self, type_: str, *, times: int = 1) -> dict[str, Any]:
        """The last alert of a type, once there are so many."""
        await until(lambda: len(self.told(type_)) >= times)
        return self.told(type_)[-1]


@asynccontextmanager
async def a_home(
    folder: Path, *, sources: str = SOURCES, store: str | None = None, count: int = 1
) -> AsyncIterator[Home]:
    async with AsyncExitStack() as stack:
        shop, ops = [await stack.enter_async_context(a_receiver()) for _ in range(2)]
        fast = "rate: unlimited, retry: {waits: [0.2s], jitter: 0}"
        text = f"""{sources}
sinks:
  shop: {{type: webhook, url: '{shop.url}', {fast}}}
  ops: {{type: webhook, url: '{ops.url}', {fast}}}
routes:
  - to: shop
alerts: {{to: ops, window: 0s, away_after: 0.5s}}
"""
        bridges = [
            await stack.enter_async_context(a_bridge(folder, text, name=f"bridge-{number}", store=store))
            for number in range(count)
        ]
        for bridge in bridges:
            await bridge.start()
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Home(bridges, Panels(bridges[0], http), shop, ops)


async def test_a_sink_that_is_gone_is_told_once_and_that_it_is_repaired(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        [bridge] = home.bridges
        home.shop.status = 410
        await home.panels.users("alice")
        parked = await home.tells("bridge.lane_parked")
        assert (parked["source"], parked["subject"]) == ("panelbridge", "lane:shop")
        assert parked["data"]["command"] == "panelbridge resume shop"
        await bridge.restart()
        await bridge.logged("lane.parked", times=2)
        home.shop.status = 200
        await bridge.command("resume", "shop")
        await home.tells("bridge.lane_open")
        await until(lambda: home.shop.got)
        assert [one["type"] for one in home.told()] == ["bridge.lane_parked", "bridge.lane_open"]
        assert "lane:shop" in await bridge.command("events", "--source", "panelbridge")
        assert "ops is the first of ops that can be told" in await bridge.command("explain", "lane:shop")
        assert "Traceback" not in bridge.log.read_text()


async def test_a_service_that_stays_away_and_what_is_given_up_are_told(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        home.shop.status = 400
        await home.panels.users("alice", "bob", "carol")
        dead = await home.tells("bridge.dead_letters")
        assert dead["data"]["reason"] == "HTTP 400"
        home.shop.status = 502
        await home.panels.users("dave")
        away = await home.tells("bridge.lane_away")
        assert away["data"]["reason"] == "HTTP 502"
        home.shop.status = 200
        await home.panels.users("erin")  # the others may have been given up
        await home.tells("bridge.lane_open")


async def test_a_file_that_is_wrong_is_told(tmp_path: Path) -> None:
    async with a_home(tmp_path) as home:
        [bridge] = home.bridges
        right = bridge.config.read_text()
        bridge.config.write_text(right.replace("- to: shop", "- to: shopp"))
        rejected = await home.tells("bridge.config_rejected")
        [mistake] = rejected["data"]["config"]["mistakes"]
        assert 'no sink named "shopp"' in mistake
        bridge.config.write_text(right)
        await bridge.logged("config.reloaded")


WATCHED = SOURCES.replace("{panel: marzban,", "{panel: marzban, silent_after: 2s,")


async def test_a_silence_is_told_once_whoever_is_killed_meanwhile(tmp_path: Path) -> None:
    async with a_home(tmp_path, sources=WATCHED) as home:
        [bridge] = home.bridges
        await home.panels.users("alice")
        silent = await home.tells("bridge.source_silent")
        assert silent["data"]["source"]["name"] == "marzban"
        for _ in range(2):
            await bridge.restart()
        await home.panels.users("bob")
        await home.tells("bridge.source_heard")
        await home.tells("bridge.source_silent", times=2)
        assert [one["type"] for one in home.told()] == [
            "bridge.source_silent",
            "bridge.source_heard",
            "bridge.source_silent",
        ]


async def test_replicas_tell_it_once_together(tmp_path: Path, postgres_url: str) -> None:
    async with a_home(tmp_path, sources=WATCHED, store=postgres_url, count=3) as home:
        home.shop.status = 410
        await home.panels.users("alice")
        await home.tells("bridge.lane_parked")
        await home.tells("bridge.source_silent")
        for bridge in home.bridges:
            bridge.config.write_text(bridge.config.read_text().replace("- to: shop", "- to: shopp"))
        for bridge in home.bridges:
            await bridge.logged("config.rejected")
        await home.tells("bridge.config_rejected")
        home.panels.bridge = home.bridges[1]
        await home.panels.users("bob")
        await home.tells("bridge.source_heard")
        await home.tells("bridge.source_silent", times=2)
        types = [one["type"] for one in home.told()]
        assert sorted(types) == [
            "bridge.config_rejected",
            "bridge.lane_parked",
            "bridge.source_heard",
            "bridge.source_silent",
            "bridge.source_silent",
        ]


async def test_a_full_disk_is_told_although_nothing_can_be_kept(tmp_path: Path) -> None:
    if not disk_can_be_filled(tmp_path):
        pytest.skip("a small disk cannot be mounted here: that takes root")
    with a_small_disk(tmp_path / "disk") as disk:
        async with a_home(tmp_path, store=f"sqlite:///{disk}/panelbridge.db") as home:
            [bridge] = home.bridges
            await home.panels.users("alice")
            fill(disk / "ballast")
            number = 0
            while not home.told("bridge.store_failing"):
                number += 1
                body = [{"action": "user_created", "username": f"user-{number}", "user": {"note": "x" * 5000}}]
                await home.panels.send("/in/marzban", body, {"x-webhook-secret": "something-very-very-secret"})
            failing = home.told("bridge.store_failing")
            assert "full" in failing[0]["data"]["reason"]
            assert len(failing) == 1
            assert bridge.running
            (disk / "ballast").unlink()
