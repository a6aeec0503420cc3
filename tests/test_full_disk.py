"""A disk that is full: nothing is promised that cannot be kept, and it passes."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.chaos.stores import a_small_disk, disk_can_be_filled
from tests.processes import a_bridge, free_port, until
from tests.services.receiver import Receiver
from tests.services.service import serving
from tests.street import MARZBAN, SOURCES, Panels

pytestmark = pytest.mark.process


async def test_while_the_disk_is_full_panels_keep_their_copies_and_nothing_is_lost(tmp_path: Path) -> None:
    if not disk_can_be_filled(tmp_path):
        pytest.skip("a small disk cannot be mounted here: that takes root")
    shop, promised = Receiver(), []

    async def posted(panels: Panels) -> int:
        name = f"user-{len(promised)}-{'x' * 2000}"
        body = [{"action": "user_created", "username": f"user-{len(promised)}", "tries": 0, "user": {"note": name}}]
        headers = {"x-webhook-secret": MARZBAN}
        async with panels.http.post(f"{panels.bridge.url}/in/marzban", json=body, headers=headers) as response:
            if response.status == 200:
                promised.append(f"user-{len(promised)}")
            else:
                assert response.headers["Retry-After"]
            return response.status

    async with AsyncExitStack() as stack:
        disk = stack.enter_context(a_small_disk(tmp_path / "disk"))
        url = await stack.enter_async_context(serving(shop))
        port = free_port()
        admin = f"admin: {{listen: 127.0.0.1:{port}}}\n"
        text = (
            f"{admin}{SOURCES}sinks:\n  shop: {{type: webhook, url: '{url}', rate: unlimited}}\nroutes:\n  - to: shop\n"
        )
        store = f"sqlite:///{disk}/panelbridge.db"
        bridge = await stack.enter_async_context(a_bridge(tmp_path, text, store=store))
        panels = Panels(bridge, await stack.enter_async_context(aiohttp.ClientSession()))
        await bridge.start()
        assert await posted(panels) == 200
        ballast = disk / "ballast"
        fill(ballast)
        while (status := await posted(panels)) == 200:
            assert len(promised) < 5000
        assert status == 503
        async with panels.http.get(f"{bridge.url}/readyz") as response:
            assert response.status == 503
        assert bridge.running
        said = await status_of(panels.http, port)
        assert (said["verdict"], said["needs"][0]["kind"], said["needs"][0]["is_over"]) == (
            "store_fails",
            "store",
            False,
        )
        assert said["needs"][0]["count"] >= 1
        ballast.unlink()
        while await posted(panels) != 200:
            pass
        names = {one.body["data"]["user"]["username"] for one in shop.taken}
        await until(
            lambda: names.update(one.body["data"]["user"]["username"] for one in shop.taken) or names >= set(promised)
        )
        await panels.carried()
        said = await status_of(panels.http, port)
        assert (said["verdict"], said["needs"][0]["kind"], said["needs"][0]["is_over"]) == ("away", "store", True)
        assert len(shop.taken) - len(promised) <= 2
        assert await bridge.end() == 0
        assert "Traceback" not in bridge.log.read_text()


async def status_of(http: aiohttp.ClientSession, port: int) -> dict[str, Any]:
    """What the admin side says of the bridge."""
    async with http.get(f"http://127.0.0.1:{port}/api/v1/status") as response:
        assert response.status == 200, await response.text()
        found: dict[str, Any] = await response.json()
        return found


def fill(ballast: Path) -> None:
    """Leave no room on its disk."""
    with ballast.open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2
