"""A customer is forgotten beside a running bridge, by a command that is killed on the way."""

import asyncio
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
import sqlalchemy as sa

from bridge.store import open_ledger, open_outbox
from bridge.store.schema import events
from tests.admin.running import ACT
from tests.fakes import an_event, an_intake
from tests.processes import PATIENCE, free_port
from tests.store.forgetting import bytes_with, columns_with
from tests.street import a_house

pytestmark = pytest.mark.process

SINKS = "sinks: {here: {type: console}}\n"
REALM = ("--realm", "marzban")


async def test_a_running_bridge_forgets_its_customer_and_takes_in_what_comes(tmp_path: Path) -> None:
    async with a_house(tmp_path, SINKS, "here") as panels:
        await panels.users(*(f"{name}{n}" for n in range(20) for name in ("alice", "bob")), "alice")
        await panels.users("alice", "bob")
        await panels.carried()
        command = asyncio.create_task(panels.bridge.command("forget", "user:alice", "--yes", *REALM))
        told = 0
        while not command.done():
            await panels.users("carol")
            told += 1
        assert "erased: 2 events, 2 deliveries, 2 attempts" in await command
        await panels.bridge.command("forget", "user:alice", "--check", *REALM)
        await panels.carried()
        subjects = [one["subject"] for one in panels.records()]
        assert "user:alice" not in subjects
        assert subjects.count("user:carol") == told
        assert {"user:alice1", "user:bob"} <= {*subjects}


async def test_a_bridge_that_is_asked_by_a_program_forgets_as_the_command_does(tmp_path: Path) -> None:
    port = free_port()
    admin = f"admin: {{listen: 127.0.0.1:{port}, token: {ACT}}}\n"
    async with a_house(tmp_path, SINKS + admin, "here") as panels:
        await panels.users("alice", "bob", "alice")
        await panels.carried()
        headers = {"Authorization": f"Bearer {ACT}"}
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as program,
            program.delete("/api/v1/people/marzban/user:alice") as response,
        ):
            assert response.status == 200, await response.text()
            told = await response.json()
        assert (told["rows"]["events"], told["done"], told["left"]) == (2, True, None)
        await panels.bridge.command("forget", "user:alice", "--check", *REALM)
        lines = [one for one in panels.bridge.log.read_text().splitlines() if " admin." in one]
        assert [one for one in lines if "action=forget" in one]
        assert [one for one in lines if "alice" in one] == []
        await panels.users("carol")
        await panels.carried()
        assert {one["subject"] for one in panels.records()} == {"user:bob", "user:carol"}


async def test_a_command_that_is_killed_goes_on_when_it_is_said_again(tmp_path: Path, store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        for _ in range(20):
            await outbox.put(an_intake(*(an_event(f"user:{name}") for name in ["alice"] * 100 + ["bob"])))
    config = tmp_path / "config.yaml"
    config.write_text(f"store: {store_url}\nsources: {{marzban: {{panel: marzban, secret: none}}}}\n{SINKS}")
    words = [sys.executable, "-m", "bridge", "forget", "user:alice", "--yes", "--config", str(config)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    async with asyncio.timeout(PATIENCE):
        while len(_subjects(store_url)) == 2020:
            await asyncio.sleep(0.001)
    process.kill()
    process.wait()
    assert _subjects(store_url).count("user:bob") == 20
    done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert _subjects(store_url) == ["user:bob"] * 20
    assert columns_with(store_url, "alice") == set()
    assert bytes_with(store_url, "alice") == []


def _subjects(url: str) -> list[str | None]:
    with open_ledger(url) as ledger:
        return ledger.read(lambda connection: list(connection.execute(sa.select(events.c.subject)).scalars()))
