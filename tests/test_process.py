"""A bridge as an operator runs it: crashes, signals, reloads, a second one beside it."""

import asyncio
import itertools
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.processes import PATIENCE, Bridge, Receiver, a_bridge, a_receiver, until
from tests.street import Panels

pytestmark = pytest.mark.process

FILE = """
sources:
  marzban: {{panel: marzban, secret: s3cret}}
sinks:
  shop: {{type: webhook, url: '{url}', rate: unlimited}}
routes:
  - {{match: user.*, to: shop}}
"""
HEADERS = {"x-webhook-secret": "s3cret"}


@pytest.fixture(autouse=True)
def begun_by_an_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bridge, "program", ("bridge",))


async def post(http: aiohttp.ClientSession, url: str, *names: str) -> bool:
    """Post users; True when the bridge said that it took them."""
    body = [{"action": "user_created", "username": name, "tries": 0} for name in names]
    try:
        async with http.post(f"{url}/in/marzban", json=body, headers=HEADERS) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


def names(receiver: Receiver) -> list[str]:
    return [event["data"]["user"]["username"] for event in receiver.got]


async def test_every_event_answered_200_arrives_however_often_the_process_is_killed(tmp_path: Path) -> None:
    chance, promised, kills, each = random.Random(20261121), list[str](), 4, 100
    async with a_receiver() as receiver, a_bridge(tmp_path, FILE.format(url=receiver.url)) as bridge:
        receiver.slowly = 0.001

        async def generate(generator: int) -> None:
            left = each
            async with aiohttp.ClientSession() as http:
                for number in itertools.count():
                    name = f"user_{generator}_{number}"
                    if await post(http, bridge.url, name):
                        promised.append(name)
                        if not (left := left - 1):
                            return
                    else:
                        await asyncio.sleep(0.05)

        await bridge.start()
        generators = asyncio.gather(*map(generate, range(8)))
        for number in range(1, kills + 1):
            await until(lambda: len(promised) >= 150 * number)  # noqa: B023 - it is waited for at once
            await asyncio.sleep(chance.uniform(0.0, 0.1))
            await bridge.kill()
            await bridge.start()
        await generators
        await until(lambda: set(promised) <= set(names(receiver)))
        assert await bridge.end() == 0
    arrived = names(receiver)
    assert len(promised) == 8 * each
    assert len(arrived) - len(set(arrived)) <= 2 * kills  # what was being sent, and what was being recorded


async def test_sigterm_finishes_what_is_being_sent_and_ends_with_0(tmp_path: Path) -> None:
    async with a_receiver() as receiver, a_bridge(tmp_path, FILE.format(url=receiver.url)) as bridge:
        receiver.slowly = 0.3
        await bridge.start()
        async with aiohttp.ClientSession() as http:
            assert await post(http, bridge.url, *(f"user_{n}" for n in range(50)))
        await until(lambda: receiver.asked)
        assert await bridge.end() == 0
        sent = len(receiver.got)
        assert 1 <= sent < 50
        receiver.slowly = 0
        await bridge.start()
        await receiver.until(50)
        assert names(receiver) == [f"user_{n}" for n in range(50)]
        assert await bridge.end() == 0


async def test_a_second_bridge_on_the_same_file_is_refused_in_words(tmp_path: Path) -> None:
    async with a_receiver() as receiver, a_bridge(tmp_path, FILE.format(url=receiver.url)) as bridge:
        await bridge.start()
        other = tmp_path / "other.yaml"
        other.write_text(f"listen: 127.0.0.1:0\nstore: sqlite:///{tmp_path}/panelbridge.db\n")
        command = [sys.executable, "-m", "bridge", "run", "--config", str(other)]
        result = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=PATIENCE)
        assert result.returncode == 1
        assert "another panelbridge already runs on" in result.stderr
        assert "Traceback" not in result.stderr


async def test_a_store_that_is_deleted_under_the_bridge_is_503_until_it_is_started_again(tmp_path: Path) -> None:
    async with a_receiver() as receiver, a_bridge(tmp_path, FILE.format(url=receiver.url)) as bridge:
        await bridge.start()
        async with aiohttp.ClientSession() as http:
            assert await post(http, bridge.url, "before")
            await receiver.until(1)
            for file in tmp_path.glob("panelbridge.db*"):
                file.unlink()
            assert not await post(http, bridge.url, "meanwhile")
            assert not await bridge.answers(http)
            await bridge.logged("error store.gone")
            await asyncio.sleep(3)  # lanes go on looking at it
            assert bridge.log.read_text().count("store.gone") == 1
            assert await bridge.end() == 0
            assert not list(tmp_path.glob("panelbridge.db*"))
            await bridge.start()
            assert await post(http, bridge.url, "after")
        await receiver.until(2)
    assert names(receiver) == ["before", "after"]


async def test_a_port_that_is_taken_is_refused_in_words(tmp_path: Path) -> None:
    async with a_receiver() as receiver, a_bridge(tmp_path, FILE.format(url=receiver.url)) as bridge:
        await bridge.start()
        other = tmp_path / "other.yaml"
        other.write_text(f"listen: {bridge.url.removeprefix('http://')}\nstore: sqlite:///{tmp_path}/other.db\n")
        command = [sys.executable, "-m", "bridge", "run", "--config", str(other)]
        result = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=PATIENCE)
        assert (result.returncode, "Traceback" in result.stderr) == (1, False)
        assert "cannot listen on" in result.stderr


@pytest.mark.parametrize("hint", [signal.SIGHUP, None])
async def test_a_changed_file_takes_effect_and_loses_nothing(tmp_path: Path, hint: signal.Signals | None) -> None:
    async with a_receiver() as old, a_receiver() as new, a_bridge(tmp_path, FILE.format(url=old.url)) as bridge:
        await bridge.start()
        config = tmp_path / "config.yaml"
        async with aiohttp.ClientSession() as http:
            assert await post(http, bridge.url, "before")
            await old.until(1)
            config.write_text(config.read_text().replace(old.url, new.url))
            if hint is not None:
                bridge.signal(hint)
            await bridge.logged("config.reloaded")
            assert await post(http, bridge.url, "after")
        await new.until(1)
        assert (names(old), names(new)) == (["before"], ["after"])


async def test_what_is_being_sent_at_a_reload_ends_however_short_the_shutdown_is(tmp_path: Path) -> None:
    async with (
        a_receiver() as old,
        a_receiver() as new,
        a_bridge(tmp_path, "shutdown: 0.1s\n" + FILE.format(url=old.url)) as bridge,
        aiohttp.ClientSession() as http,
    ):
        await bridge.start()
        old.slowly = 3.0
        assert await post(http, bridge.url, "alice")
        await until(lambda: old.asked)
        await bridge.reload(lambda text: text.replace(old.url, new.url))
        assert await post(http, bridge.url, "bob")
        await new.until(1)
        assert (names(old), names(new)) == (["alice"], ["bob"])


async def test_a_link_that_leads_to_another_file_of_the_same_size_and_time_takes_effect(tmp_path: Path) -> None:
    """As a volume in Kubernetes swaps its files, whose times may all be the same."""
    async with a_receiver() as old, a_receiver() as new, a_bridge(tmp_path, FILE.format(url=old.url)) as bridge:
        text = bridge.config.read_text()
        for name, content in (("one", text), ("two", text.replace(old.url, new.url))):
            (tmp_path / name).write_text(content)
            os.utime(tmp_path / name, ns=(10**18, 10**18))
        bridge.config.unlink()
        bridge.config.symlink_to("one")
        await bridge.start()
        (tmp_path / "swapped").symlink_to("two")
        (tmp_path / "swapped").replace(bridge.config)
        await bridge.logged("config.reloaded")
        async with aiohttp.ClientSession() as http:
            assert await post(http, bridge.url, "alice")
        await new.until(1)
        assert (names(old), names(new)) == ([], ["alice"])


async def test_what_may_not_be_meant_is_told_at_the_start_and_after_a_reload(tmp_path: Path) -> None:
    row = "  - {match: users.*, to: shop}\n"
    async with a_receiver() as receiver, a_bridge(tmp_path, FILE.format(url=receiver.url) + row) as bridge:
        await bridge.start()
        await bridge.logged("warning config.warning", times=1)
        assert "route 2: no event is known as" in bridge.log.read_text()
        await bridge.reload(lambda text: text + row)
        await bridge.logged("warning config.warning", times=3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text + "  - {match: user.*, to: shopp}\n", 'no sink named \\"shopp\\"'),
        (lambda text: text[: len(text) // 2], "config.yaml:"),
        (lambda text: "", "has no sources any more"),
        (lambda text: text.partition("sinks:")[0], "has no sinks any more"),
        (lambda text: text.partition("routes:")[0], "has no routes any more"),
        (lambda text: text.partition("routes:")[0] + "routes: []\n", "has no routes any more"),
    ],
)
async def test_a_broken_file_leaves_the_old_one_in_force_and_says_where_it_is_broken(
    tmp_path: Path, change: Callable[[str], str], said: str
) -> None:
    async with a_receiver() as receiver, a_bridge(tmp_path, FILE.format(url=receiver.url)) as bridge:
        await bridge.start()
        config = tmp_path / "config.yaml"
        config.write_text(change(config.read_text()))
        await bridge.logged("config.rejected")
        assert said in bridge.log.read_text()
        async with aiohttp.ClientSession() as http:
            assert await post(http, bridge.url, "alice")
        await receiver.until(1)


async def test_a_sink_that_is_dropped_keeps_what_waits_until_it_is_back(tmp_path: Path) -> None:
    other = "sinks:\n  other: {type: console}\n"
    async with a_receiver() as receiver, a_bridge(tmp_path, FILE.format(url=receiver.url)) as bridge:
        await bridge.start()
        receiver.status = 503
        async with aiohttp.ClientSession() as http:
            assert await post(http, bridge.url, "alice", "bob")
        await bridge.logged("delivery.attempted")
        text = bridge.config.read_text()
        await bridge.reload(lambda text: re.sub("sinks:\n  shop: .*\n", other, text).replace("to: shop", "to: other"))
        await bridge.logged("config.sink_dropped sink=shop waiting=2")
        [lane] = [one for one in json.loads(await bridge.command("lanes", "--json")) if one["sink"] == "shop"]
        assert (lane["sink_is"], lane["pending"] + lane["waiting"]) == ("not in the file", 2)
        [shown] = [line for line in (await bridge.command("lanes")).splitlines() if line.startswith("shop")]
        assert "not in the file" in shown
        receiver.status = 200
        await bridge.reload(lambda _: text)
        await bridge.command("resume", "--all")
        await receiver.until(2)
        assert sorted(names(receiver)) == ["alice", "bob"]  # the one that was tried waits for its next try


async def test_dead_letters_are_replayed_by_a_command_beside_the_running_bridge(tmp_path: Path) -> None:
    async with a_receiver() as receiver, a_bridge(tmp_path, FILE.format(url=receiver.url)) as bridge:
        await bridge.start()
        receiver.status = 400
        async with aiohttp.ClientSession() as http:
            assert await post(http, bridge.url, "alice", "bob")
            await Panels(bridge, http).settled(2)
        dead = json.loads(await bridge.command("deliveries", "--dead", "--json"))
        assert {one["status"] for one in dead} == {400}
        receiver.status = 200
        await bridge.command("replay", "--dead")
        await receiver.until(2)
        assert names(receiver) == ["alice", "bob"]


async def test_nothing_secret_is_in_the_log_or_the_store(tmp_path: Path) -> None:
    text = FILE.replace("/hook", "/hook?token=a-secret-in-the-address")
    async with a_receiver() as receiver, a_bridge(tmp_path, text.format(url=receiver.url + "?key=SECRETKEY")) as bridge:
        await bridge.start()
        receiver.status = 400
        async with aiohttp.ClientSession() as http:
            assert await post(http, bridge.url, "alice")
            async with http.post(f"{bridge.url}/in/marzban", json=[], headers={"x-webhook-secret": "WRONGSECRET"}):
                pass
        await bridge.logged("delivery.attempted")
        assert await bridge.end() == 0
        kept = bridge.log.read_bytes() + b"".join(path.read_bytes() for path in tmp_path.glob("panelbridge.db*"))
        for secret in (b"SECRETKEY", b"s3cret", b"WRONGSECRET"):
            assert secret not in kept
        assert sqlite3.connect(tmp_path / "panelbridge.db").execute("select state from deliveries").fetchall()
