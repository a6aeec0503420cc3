"""What waits is on the disk: however much it is, a bridge needs little more memory than one that has nothing to do."""

import json
import re
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.processes import Bridge, a_bridge, free_port

pytestmark = pytest.mark.process

ROOM = 64  # MiB above those of an idle bridge
FILE = """
sources:
  program: {{panel: json, secret: s3cret, type: body.kind}}
sinks:
  one: {sink}
  two: {sink}
  three: {sink}
routes:
  - {{to: [one, two, three]}}
"""
DOWN = "{{type: webhook, url: 'http://127.0.0.1:{port}/', rate: unlimited}}"


def mebibytes(bridge: Bridge, what: str) -> int:
    """Of the memory that the process has now (VmRSS), or has had at the most (VmHWM)."""
    found = re.search(rf"^{what}:\s+(\d+) kB", Path(f"/proc/{bridge.pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) // 1024


async def tell(http: aiohttp.ClientSession, bridge: Bridge, body: Any) -> None:
    sent = BytesIO(json.dumps(body).encode())
    async with http.post(f"{bridge.url}/in/program", data=sent, headers={"x-webhook-secret": "s3cret"}) as response:
        assert response.status == 200


def text(number: int) -> dict[str, Any]:
    return {"kind": "program.said", "number": number, "text": "x" * 2_000_000}


def users(number: int) -> dict[str, Any]:
    found = [{"name": f"user_{number}_{n}", "used": n * 4096, "on": True, "note": "y" * 900} for n in range(2000)]
    return {"kind": "program.said", "number": number, "users": found}


@pytest.mark.parametrize("body", [text, users])
async def test_big_events_that_wait_for_services_that_are_down_are_not_in_memory(
    tmp_path: Path, body: Callable[[int], dict[str, Any]]
) -> None:
    config = FILE.format(sink=DOWN.format(port=free_port()))
    async with a_bridge(tmp_path, config) as bridge, aiohttp.ClientSession() as http:
        await bridge.start()
        idle = mebibytes(bridge, "VmRSS")
        for number in range(20):
            await tell(http, bridge, body(number))
        assert mebibytes(bridge, "VmRSS") < idle + 2 * ROOM  # with what the requests themselves have needed
        await bridge.kill()
        bridge.log.unlink()
        await bridge.start()
        await bridge.command("resume", "--all")  # their next tries may be minutes away
        await bridge.logged("delivery.attempted", times=6)
        assert mebibytes(bridge, "VmHWM") < idle + ROOM


async def test_many_small_events_that_wait_are_not_in_memory(tmp_path: Path) -> None:
    config = FILE.format(sink=DOWN.format(port=free_port()))
    async with a_bridge(tmp_path, config) as bridge, aiohttp.ClientSession() as http:
        await bridge.start()
        idle = mebibytes(bridge, "VmRSS")
        users = [
            {"kind": "program.said", "n": n, "what": {str(key): "x" * 99 for key in range(20)}} for n in range(4000)
        ]
        for start in range(0, len(users), 500):
            await tell(http, bridge, users[start : start + 500])
        await bridge.kill()
        bridge.log.unlink()
        await bridge.start()
        await bridge.command("resume", "--all")
        await bridge.logged("delivery.attempted", times=3)
        assert mebibytes(bridge, "VmHWM") < idle + ROOM
