"""A real bridge is scraped: the numbers are right, last over a reload, and hold nothing that is nobody's business."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.admin.scraped import parsed, value
from tests.processes import PATIENCE, Bridge, a_bridge, a_receiver, free_port

pytestmark = pytest.mark.process
SECRET, TOKEN, READ = "a-secret-of-the-panel", "a-token-to-act-with", "a-token-to-look-with"
ALICE = {"action": "user_created", "username": "alice", "user": {"subscription_url": "/sub/a-secret-of-alice"}}
FILE = """
admin: {{listen: "127.0.0.1:{port}", token: a-token-to-act-with, read_token: a-token-to-look-with, metrics: {metrics}}}
sources:
  marzban: {{panel: marzban, secret: a-secret-of-the-panel}}
sinks:
  ops: {{type: webhook, url: "{url}"}}
routes:
  - {{match: user.created, to: ops}}
  - {{match: user.created, to: ops, when: 1 / data.nothing}}
"""


class Scraped:
    """A bridge, and what it tells whoever scrapes it."""

    def __init__(self, bridge: Bridge, port: int, http: aiohttp.ClientSession) -> None:
        self.bridge, self.http = bridge, http
        self.url = f"http://127.0.0.1:{port}/metrics"

    async def post(self, body: Any, *, source: str = "marzban", secret: str = SECRET) -> int:
        headers = {"x-webhook-secret": secret}
        async with self.http.post(f"{self.bridge.url}/in/{source}", json=body, headers=headers) as response:
            return response.status

    async def scrape(self) -> bytes:
        async with self.http.get(self.url, headers={"Authorization": f"Bearer {READ}"}) as response:
            assert response.status == 200, await response.text()
            return await response.read()

    async def until(self, so: Callable[[bytes], object]) -> bytes:
        """What it tells once it is so."""
        async with asyncio.timeout(PATIENCE):
            while not so(text := await self.scrape()):
                await asyncio.sleep(0.1)
        return text


def told(text: bytes, name: str, **labels: str) -> float | None:
    return value(text, f"panelbridge_{name}", **labels)


async def test_a_bridge_tells_what_it_took_and_delivered_also_after_a_reload(tmp_path: Path) -> None:
    port = free_port()
    async with a_receiver() as receiver, aiohttp.ClientSession() as http:
        file = FILE.format(port=port, url=receiver.url, metrics="token")
        async with a_bridge(tmp_path, file) as bridge:
            await bridge.start()
            scraped = Scraped(bridge, port, http)
            assert await scraped.post([ALICE, ALICE]) == 200
            assert await scraped.post([ALICE, 7]) == 200
            assert await scraped.post({"action": "user_deleted", "username": "alice"}) == 200
            assert await scraped.post(ALICE, secret="wrong") == 401
            assert await scraped.post("no object") == 422
            assert await scraped.post(ALICE, source="stranger") == 404
            await receiver.until(3)
            text = await scraped.until(lambda text: told(text, "deliveries_total", sink="ops", fate="delivered") == 3)
            numbers = {
                ("ingress_requests_total", ("source", "marzban"), ("code", "200")): 3,
                ("ingress_requests_total", ("source", "marzban"), ("code", "401")): 1,
                ("ingress_requests_total", ("source", "marzban"), ("code", "422")): 1,
                ("ingress_requests_total", ("source", "unknown"), ("code", "404")): 1,
                ("ingress_request_duration_seconds_count", ("source", "marzban")): 3,
                ("events_total", ("source", "marzban"), ("type", "user.created")): 3,
                ("events_total", ("source", "marzban"), ("type", "user.deleted")): 1,
                ("events_set_aside_total", ("source", "marzban")): 1,
                ("events_unrouted_total", ("source", "marzban")): 1,
                ("row_matches_total", ("row", "route 1")): 3,
                ("row_condition_failures_total", ("row", "route 2")): 3,
                ("attempts_total", ("sink", "ops"), ("outcome", "delivered")): 3,
                ("attempt_duration_seconds_count", ("sink", "ops")): 3,
                ("delivery_delay_seconds_count", ("sink", "ops")): 3,
            }
            assert {key: told(text, key[0], **dict(key[1:])) for key in numbers} == numbers
            await scraped.until(lambda text: told(text, "store_up") == 1)
            await scraped.until(lambda text: told(text, "lane_standing", sink="ops", standing="open") == 1)
            await bridge.reload(lambda text: text.replace("sinks:\n", "sinks:\n  team: {type: console}\n"))
            text = await scraped.scrape()
            assert {key: told(text, key[0], **dict(key[1:])) for key in numbers} == numbers
            assert told(text, "deliveries_total", sink="team", fate="dead") == 0
            assert told(text, "config_loads_total", result="applied") == 2
            assert told(text, "config_last_reload_successful") == 1
            bridge.config.write_text(bridge.config.read_text() + "nonsense: 1\n")
            await scraped.until(lambda text: told(text, "config_last_reload_successful") == 0)


async def test_lanes_are_told_as_the_store_has_them_on_both_engines(tmp_path: Path, any_store_url: str) -> None:
    port = free_port()
    async with a_receiver() as receiver, aiohttp.ClientSession() as http:
        file = FILE.format(port=port, url=receiver.url, metrics="token")
        async with a_bridge(tmp_path, file, store=any_store_url) as bridge:
            await bridge.start()
            scraped = Scraped(bridge, port, http)
            receiver.status = 400
            assert await scraped.post(ALICE) == 200
            await scraped.until(lambda text: told(text, "dead_letters", sink="ops") == 1)
            receiver.status = 502
            assert await scraped.post(ALICE) == 200
            await scraped.until(lambda text: told(text, "lane_standing", sink="ops", standing="away") == 1)
            text = await scraped.until(lambda text: told(text, "lane_deliveries", sink="ops", state="waiting") == 1)
    kind = any_store_url.partition(":")[0].partition("+")[0]
    assert [by["store"] for by in all_labels(text, "panelbridge_build_info")] == [kind]
    assert (told(text, "store_size_bytes") or 0) > 4096


def all_labels(text: bytes, family: str) -> list[dict[str, str]]:
    return [one.labels for one in parsed(text)[family].samples]


async def test_neither_a_secret_nor_a_subject_is_in_what_is_told(tmp_path: Path) -> None:
    port = free_port()
    async with a_receiver() as receiver, aiohttp.ClientSession() as http:
        file = FILE.format(port=port, url=receiver.url, metrics="token")
        async with a_bridge(tmp_path, file) as bridge:
            await bridge.start()
            scraped = Scraped(bridge, port, http)
            receiver.status = 400
            await scraped.post(ALICE)
            await scraped.post(ALICE, source=SECRET, secret=TOKEN)
            async with http.get(f"{scraped.url}/{TOKEN}", headers={"Authorization": f"Bearer {TOKEN}"}) as response:
                assert response.status == 404
            text = await scraped.until(lambda text: told(text, "deliveries_total", sink="ops", fate="dead") == 1)
    secrets = (SECRET, TOKEN, READ, "a-secret-of-alice", "alice", "/hook", receiver.url)
    assert [one for one in secrets if one in text.decode()] == []


async def test_a_store_that_is_gone_is_told_and_what_was_counted_is_told_all_the_same(tmp_path: Path) -> None:
    port = free_port()
    async with a_receiver() as receiver, aiohttp.ClientSession() as http:
        file = FILE.format(port=port, url=receiver.url, metrics="token")
        async with a_bridge(tmp_path, file) as bridge:
            await bridge.start()
            scraped = Scraped(bridge, port, http)
            assert await scraped.post(ALICE) == 200
            await scraped.until(lambda text: told(text, "lane_standing", sink="ops", standing="open") == 1)
            for file_of_store in tmp_path.glob("panelbridge.db*"):
                file_of_store.rename(tmp_path / f"away.{file_of_store.name}")
            text = await scraped.until(lambda text: told(text, "store_up") == 0)
            assert await scraped.post(ALICE) == 503
            text = await scraped.scrape()
            assert told(text, "ingress_requests_total", source="marzban", code="503") == 1
            assert told(text, "events_total", source="marzban", type="user.created") == 1


async def test_what_the_admin_side_is_asked_is_told_by_patterns_and_who_tried_to_sign_in(tmp_path: Path) -> None:
    port = free_port()
    async with aiohttp.ClientSession() as http:
        file = FILE.format(port=port, url="http://127.0.0.1:9/hook", metrics="token")
        async with a_bridge(tmp_path, file) as bridge:
            await bridge.start()
            scraped, side = Scraped(bridge, port, http), f"http://127.0.0.1:{port}"
            for token in ("wrong", READ):
                headers = {"Sec-Fetch-Site": "same-origin"}
                await http.post(f"{side}/login", data={"token": token}, headers=headers, allow_redirects=False)
            for path in ("/events/alice", "/events/bob", "/alice"):
                await http.get(side + path, headers={"Authorization": f"Bearer {READ}"}, allow_redirects=False)
            text = await scraped.scrape()
    assert [told(text, "admin_signins_total", result=one) for one in ("ok", "wrong", "limited")] == [1, 1, 0]
    asked = Counter[str]()
    for one in parsed(text)["panelbridge_admin_requests"].samples:
        asked[one.labels["route"]] += int(one.value)
    assert asked == {"/login": 2, "/events/{id}": 2, "/{tail}": 1}
    assert b"alice" not in text


@pytest.mark.parametrize(
    ("metrics", "statuses"),
    [
        ("open", {None: 200, READ: 200, TOKEN: 200, "wrong": 401}),
        ("token", {None: 401, READ: 200, TOKEN: 200, "wrong": 401}),
        ("token without one", {None: 200, READ: 401}),
        ("off", {None: 404, READ: 404, TOKEN: 404, "wrong": 404}),
    ],
)
async def test_who_may_read_it_stands_in_the_file(
    tmp_path: Path, metrics: str, statuses: dict[str | None, int]
) -> None:
    port = free_port()
    async with aiohttp.ClientSession() as http:
        file = FILE.format(port=port, url="http://127.0.0.1:9/hook", metrics=metrics.removesuffix(" without one"))
        if metrics.endswith("without one"):
            file = file.replace("token: a-token-to-act-with, read_token: a-token-to-look-with, ", "")
        async with a_bridge(tmp_path, file) as bridge:
            await bridge.start()
            assert {token: await answer(http, port, token) for token in statuses} == statuses


async def test_a_program_with_the_token_may_come_by_any_name_and_nobody_else(tmp_path: Path) -> None:
    port = free_port()
    async with aiohttp.ClientSession() as http:
        file = FILE.format(port=port, url="http://127.0.0.1:9/hook", metrics="open")
        async with a_bridge(tmp_path, file) as bridge:
            await bridge.start()
            found = {token: await answer(http, port, token, host="panelbridge:8081") for token in (None, READ, "wrong")}
            assert found == {None: 421, READ: 200, "wrong": 401}
            async with http.get(f"http://127.0.0.1:{port}/settings", headers={"Host": "panelbridge:8081"}) as response:
                assert response.status == 421


async def answer(http: aiohttp.ClientSession, port: int, token: str | None, *, host: str | None = None) -> int:
    """The status that who comes with a token gets, and it is what a program can read."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Host": host} if host else {}
    url = f"http://127.0.0.1:{port}/metrics"
    async with http.get(url, headers=headers, allow_redirects=False) as response:
        if response.status == 200:
            assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert parsed(await response.read()).keys() > {"panelbridge_events", "panelbridge_admin_requests"}
        else:
            assert response.content_type in ("application/problem+json", "text/plain")
        return response.status
