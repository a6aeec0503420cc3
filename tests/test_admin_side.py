"""The admin side of a running bridge: where it listens, what a reload changes, and that it holds nothing up."""

import asyncio
import socket
from pathlib import Path

import aiohttp
import pytest

from bridge.admin.actions import BridgeControls
from bridge.admin.errands import Errands
from bridge.admin.server import Admin
from bridge.admin.settings import AdminSettings
from bridge.app import _admin_side
from bridge.clock import SystemClock
from bridge.config.model import Config
from bridge.errors import BridgeError
from tests.admin.crawl import answered
from tests.processes import a_bridge, free_port

OLD, NEW, SECRET = "old-0123456789abcdef", "new-0123456789abcdef", "s3cret-of-the-panel"
FILE = """
admin: {{listen: 127.0.0.1:{port}, token: {token}}}
sources:
  berlin: {{panel: marzban, secret: {secret}}}
sinks:
  out: {{type: console}}
routes:
  - {{to: out}}
"""


def nothing() -> None:
    raise AssertionError


async def _resume(_: str) -> bool:
    raise AssertionError


def an_admin() -> Admin:
    return Admin(
        SystemClock(),
        BridgeControls(nothing, _resume, nothing, nothing, nothing, nothing, Errands(nothing), nothing),
        open_reader=nothing,
    )  # type: ignore[arg-type]


async def test_a_taken_port_is_a_warning_where_the_file_does_not_ask_for_one(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Config().admin_side().listen is not None
    with socket.create_server(("127.0.0.1", 0)) as taken:  # the real default may be somebody else's, for a while
        default = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr(Config, "admin_side", lambda self: self.admin or AdminSettings(listen=default))
        async with _admin_side(an_admin(), Config()) as address:
            assert address is None
        [line] = [vars(one)["fields"] for one in caplog.records if one.msg == "admin.not_listening"]
        assert line["reason"].startswith(f"admin.listen: cannot listen on {default}: Address already in use")
        with pytest.raises(BridgeError, match=f"admin.listen: cannot listen on {default}"):
            async with _admin_side(an_admin(), Config.model_validate({"admin": {"listen": default}})):
                pass


async def test_without_an_admin_side_nothing_listens() -> None:
    async with _admin_side(an_admin(), Config.model_validate({"admin": {"listen": None}})) as address:
        assert address is None


async def status(port: int, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as http,
        answered(http, "GET", "/events") as one,
    ):
        return one.status


@pytest.mark.process
async def test_a_changed_token_wants_a_reload_and_another_port_a_restart(tmp_path: Path) -> None:
    port = free_port()
    async with a_bridge(tmp_path, FILE.format(port=port, token=OLD, secret=SECRET)) as bridge:
        await bridge.start()
        assert [await status(port, one) for one in (OLD, NEW)] == [200, 401]
        await bridge.reload(lambda text: text.replace(OLD, NEW))
        assert [await status(port, one) for one in (OLD, NEW)] == [401, 200]
        await bridge.reload(lambda text: text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free_port()}"))
        assert await status(port, NEW) == 200
        assert "config.needs_restart setting=admin.listen" in bridge.log.read_text()
        assert await bridge.end() == 0


@pytest.mark.process
async def test_events_are_taken_while_strangers_hold_all_connections_of_the_admin_side(tmp_path: Path) -> None:
    port = free_port()
    async with a_bridge(tmp_path, FILE.format(port=port, token=OLD, secret=SECRET)) as bridge:
        await bridge.start()
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
        for _, writer in silent:
            writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        async with (
            aiohttp.ClientSession() as http,
            http.post(
                f"{bridge.url}/in/berlin",
                json={"action": "user_created", "username": "alice"},
                headers={"x-webhook-secret": SECRET},
            ) as response,
        ):
            assert response.status == 200
        assert await status(port, OLD) == 200  # the longest waiting of them gives way
        for _, writer in silent:
            writer.close()
        assert await bridge.end() == 0
