"""POST /in/{source}: what is taken, what is refused, and in which words."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests

from bridge.errors import StoreUnavailable
from bridge.ingress.limits import Limits
from bridge.intake import Intake
from bridge.store import open_ledger
from bridge.store.base import PutResult
from bridge.store.queries.records import delivery_records, set_aside_records
from bridge.store.records import DeliveryQuery, DeliveryRecord
from tests.fakes import FakeClock
from tests.ingress.running import ACCENTED, ELEMENT, HEADERS, PATIENCE, SECRET, Ingress, post, running_ingress
from tests.panels.recorded import PAYLOADS
from tests.postgres import a_postgres
from tests.store.boxes import refuse


def kept(store_url: str) -> list[DeliveryRecord]:
    with open_ledger(store_url) as ledger:
        return list(reversed(ledger.read(delivery_records, DeliveryQuery(limit=None))))


@pytest.mark.parametrize("slash", ["", "/"])
async def test_what_is_answered_200_is_in_the_store(
    ingress: Ingress, http: aiohttp.ClientSession, store_url: str, slash: str
) -> None:
    answer = await post(http, f"{ingress.url}/in/marzban{slash}", [ELEMENT, ELEMENT])
    assert answer == (200, {"accepted": 2, "set_aside": 0})
    assert [(record.type, record.subject, record.sink) for record in kept(store_url)] == [
        ("user.created", "user:alice", "ops")
    ] * 2
    assert [(delivery.id, delivery.sink) for delivery in ingress.announced] == [(1, "ops"), (2, "ops")]


async def test_an_empty_batch_is_taken_and_is_nothing(ingress: Ingress, http: aiohttp.ClientSession) -> None:
    assert await post(http, f"{ingress.url}/in/marzban", []) == (200, {"accepted": 0, "set_aside": 0})


@pytest.mark.parametrize("secret", [SECRET, "the-next-secret"])
async def test_every_secret_of_a_rotation_is_good(ingress: Ingress, http: aiohttp.ClientSession, secret: str) -> None:
    status, _ = await post(http, f"{ingress.url}/in/marzban", ELEMENT, headers={"x-webhook-secret": secret})
    assert status == 200


async def test_a_secret_with_accents_is_good_from_whichever_library_writes_the_header(
    ingress: Ingress, http: aiohttp.ClientSession
) -> None:
    url, headers = f"{ingress.url}/in/marzban", {"x-webhook-secret": ACCENTED}
    answer = await asyncio.to_thread(requests.post, url, json=[ELEMENT], headers=headers, timeout=PATIENCE)
    assert answer.status_code == 200  # Latin-1: as Marzban sends
    assert await post(http, url, ELEMENT, headers=headers) == (200, {"accepted": 1, "set_aside": 0})  # UTF-8


@pytest.mark.parametrize(
    "headers", [{}, {"x-webhook-secret": ""}, {"x-webhook-secret": "wrong"}, {"x-webhook-secret": "سر"}]
)
async def test_a_wrong_secret_is_401(
    ingress: Ingress, http: aiohttp.ClientSession, store_url: str, headers: Any
) -> None:
    status, answer = await post(http, f"{ingress.url}/in/marzban", ELEMENT, headers=headers)
    assert (status, list(answer)) == (401, ["error"])
    assert kept(store_url) == []


async def test_a_source_that_says_none_takes_whatever_comes(ingress: Ingress, http: aiohttp.ClientSession) -> None:
    status, _ = await post(http, f"{ingress.url}/in/open", ELEMENT, headers={"x-webhook-secret": "anything"})
    assert status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/in/nobody", 404),
        ("POST", "/", 404),
        ("POST", "/in", 404),
        ("POST", "/in/a/b/c", 404),
        ("GET", "/in/marzban", 405),
        ("PUT", "/in/marzban/", 405),
        ("DELETE", "/in/marzban/token", 405),
        ("OPTIONS", "/in/marzban", 405),
    ],
)
async def test_what_is_not_there_is_said_so_and_never_redirected(
    ingress: Ingress, http: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    async with http.request(method, ingress.url + path, data=b"{}", headers=HEADERS, allow_redirects=False) as response:
        assert response.status == status
        assert "error" in await response.json()
        assert (response.headers.get("Allow") == "POST") is (status == 405)


async def test_an_alert_that_fires_again_as_it_had_started_is_told_and_so_is_its_end(
    ingress: Ingress, http: aiohttp.ClientSession
) -> None:
    taken = []
    for status in ("firing", "firing", "resolved", "resolved", "firing", "resolved"):
        alert = {"status": status, "startsAt": "2026-11-30T10:00:00Z", "labels": {}, "fingerprint": "aaaabbbbccccdddd"}
        _, answer = await post(http, f"{ingress.url}/in/alerts", {"alerts": [alert]})
        taken.append(answer["accepted"])
    assert taken == [1, 0, 1, 0, 1, 1]


@pytest.mark.parametrize("path", ["/in/events", "/in/events/", f"/in/events/{SECRET}"])
async def test_a_sender_of_cloud_events_that_asks_by_options_gets_consent(
    ingress: Ingress, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    asked = {"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "120"}
    async with http.options(ingress.url + path, headers=asked) as response:
        assert response.status == 200
        assert response.headers["WebHook-Allowed-Origin"] == "eventemitter.example.com"
        assert (response.headers["WebHook-Allowed-Rate"], response.headers["Allow"]) == ("*", "POST")
    assert "ingress.refused" not in caplog.text
    for other, headers in (("/in/events", {}), ("/in/program", asked)):
        async with http.options(ingress.url + other, headers=headers) as response:
            assert (response.status, response.headers["Allow"]) == (405, "POST")
            assert "WebHook-Allowed-Origin" not in response.headers


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"", ""),
        (b"nonsense", ""),
        (b"\xff\xfe", ""),
        (b"[1,2", ""),
        (b"7", ""),
        (b'{"a": NaN}', ""),
        (b"[" * 100_000, ""),
        (b"[" * 101 + b"]" * 101, ""),
        (b'{"a":' * 900 + b"1" + b"}" * 900, ""),
        (b"[7]", ""),
        (b'["user_created", 7]', "[0]"),
        (b'[[{"action":"user_created"}]]', ""),
    ],
)
async def test_what_cannot_be_understood_is_422_with_the_path_to_the_fault(
    ingress: Ingress, http: aiohttp.ClientSession, store_url: str, body: bytes, path: str
) -> None:
    status, answer = await post(http, f"{ingress.url}/in/marzban", body)
    assert (status, answer["path"]) == (422, path)
    assert kept(store_url) == []


async def test_a_bad_element_is_set_aside_and_holds_up_no_good_one(
    ingress: Ingress, http: aiohttp.ClientSession, store_url: str
) -> None:
    bad = [{"user": {"password": "a-secret"}}]
    status, answer = await post(http, f"{ingress.url}/in/marzban", [ELEMENT, bad, "text", ELEMENT])
    assert (status, answer) == (200, {"accepted": 2, "set_aside": 2})
    with open_ledger(store_url) as ledger:
        text, masked = ledger.read(set_aside_records, DeliveryQuery(limit=10))
    assert (masked.path, masked.element) == ("[1]", [{"user": {"password": "***"}}])
    assert (text.path, text.element) == ("[2]", "text")


@pytest.mark.parametrize("body", [b"{}", b'{"action":"user_created"}', b'[{"username":"alice"}]', b'{"data":null}'])
async def test_what_is_authentic_is_kept_however_odd(
    ingress: Ingress, http: aiohttp.ClientSession, store_url: str, body: bytes
) -> None:
    assert await post(http, f"{ingress.url}/in/marzban", body) == (200, {"accepted": 1, "set_aside": 0})
    assert len(kept(store_url)) == 1


async def test_five_thousand_elements_at_once_are_normal_business(
    ingress: Ingress, http: aiohttp.ClientSession, store_url: str
) -> None:
    full = json.loads(json.loads((PAYLOADS / "marzban/003-user_created-owned-by-reseller.json").read_text())["body"])[0]
    batch = json.dumps([{**full, "username": f"user_{n}"} for n in range(5000)]).encode()
    assert len(batch) > 10_000_000
    assert await post(http, f"{ingress.url}/in/marzban", batch) == (200, {"accepted": 5000, "set_aside": 0})
    assert len(kept(store_url)) == 5000


async def test_a_store_that_is_away_is_503_with_a_time_to_come_again(
    ingress: Ingress, http: aiohttp.ClientSession
) -> None:
    class Away:
        async def put(self, intake: Intake) -> PutResult:
            raise StoreUnavailable("store: database or disk is full")

    ingress.receiver._outbox = Away()
    for path in ("/in/marzban", "/api/webhooks/chat/main-channel-token-AAAA"):
        body, headers = ELEMENT | {"content": "hello"}, {**HEADERS, "Content-Type": "application/json"}
        async with http.post(ingress.url + path, json=body, headers=headers) as response:
            assert response.status == 503
            assert int(response.headers["Retry-After"]) > 0
            assert "disk" not in await response.text()


async def test_what_the_store_refuses_is_no_outage(
    ingress: Ingress, http: aiohttp.ClientSession, store_url: str
) -> None:
    """Nor would it be kept the next time: a panel that tries again for ever would tell nothing else."""
    refuse(store_url, "INSERT", "events", "NEW.subject = 'user:alice'")
    status, answer = await post(http, f"{ingress.url}/in/marzban", ELEMENT)
    assert (status, answer["error"]) == (422, "it cannot be kept: store: no such row")
    assert (await post(http, f"{ingress.url}/in/marzban", ELEMENT | {"username": "bob"}))[0] == 200
    assert (await http.get(f"{ingress.url}/readyz")).status == 200


@pytest.mark.process
async def test_a_database_that_is_stopped_is_503_until_it_is_back(
    clock: FakeClock, http: aiohttp.ClientSession
) -> None:
    chat = {"data": b'{"content": "hello"}', "headers": {"Content-Type": "application/json"}}
    panel = {"data": json.dumps(ELEMENT).encode(), "headers": HEADERS}
    ways = {"/in/marzban": panel, "/api/webhooks/chat/main-channel-token-AAAA": chat}
    with a_postgres() as server:
        url = server.fresh()
        async with running_ingress(url, clock) as ingress:
            server.stop("immediate")
            for path, sent in ways.items():
                async with http.post(ingress.url + path, **sent) as response:
                    assert response.status == 503
                    assert int(response.headers["Retry-After"]) > 0
                    assert response.content_type == "application/json"
            server.start()
            async with asyncio.timeout(PATIENCE):
                for path, sent in ways.items():
                    while (await http.post(ingress.url + path, **sent)).status == 503:
                        await asyncio.sleep(0.1)
        assert [record.type for record in kept(url)] == ["user.created", "message.posted"]


# Repeats


async def test_a_repeat_is_answered_200_and_said_to_be_one(
    ingress: Ingress, http: aiohttp.ClientSession, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    again = [{**ELEMENT, "tries": 1}, {**ELEMENT, "username": "bob"}]
    assert await post(http, f"{ingress.url}/in/marzban", [ELEMENT]) == (200, {"accepted": 1, "set_aside": 0})
    assert await post(http, f"{ingress.url}/in/marzban", again) == (
        200,
        {"accepted": 1, "set_aside": 0, "repeated": 1},
    )
    assert [record.subject for record in kept(store_url)] == ["user:alice", "user:bob"]
    assert [delivery.event.subject for delivery in ingress.announced] == ["user:alice", "user:bob"]
    assert [line.fields.get("repeated") for line in caplog.records] == [None, 1]


@pytest.mark.parametrize(
    ("body", "status", "taken"),
    [("cut off", 400, 1), ("too big", 413, 1), ("nonsense", 422, 1), ("wrong secret", 401, 0)],
)
async def test_what_was_not_taken_of_a_panel_is_no_repeat_when_it_is_told_again_and_a_stranger_changes_nothing(
    store_url: str,
    clock: FakeClock,
    http: aiohttp.ClientSession,
    body: str,
    status: int,
    taken: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with running_ingress(store_url, clock, Limits(body=1000)) as ingress:
        url = f"{ingress.url}/in/marzban"
        assert (await post(http, url, ELEMENT))[1]["accepted"] == 1
        clock.step(180)
        match body:
            case "cut off":
                await cut_off(ingress)
            case "too big":
                assert (await post(http, url, json.dumps(ELEMENT).ljust(2000).encode()))[0] == status
            case "nonsense":
                assert (await post(http, url, b"{"))[0] == status
            case "wrong secret":
                assert (await post(http, url, ELEMENT, headers={"x-webhook-secret": "old"}))[0] == status
        clock.step(180)
        repeated = {} if taken else {"repeated": 1}
        answer = {"accepted": taken, "set_aside": 0} | repeated
        assert await post(http, url, {**ELEMENT, "tries": 1}) == (200, answer)
    accepted, refused, again = [line for line in caplog.records if line.name == "bridge.ingress"]
    assert (accepted.msg, refused.msg, again.msg) == ("ingress.accepted", "ingress.refused", "ingress.accepted")
    assert refused.fields["status"] == status


async def cut_off(ingress: Ingress) -> None:
    """A request whose sender goes away in the middle of it."""
    distrusted = asyncio.Event()
    distrust = ingress.receiver.distrust

    def distrust_and_tell(*what: Any) -> None:
        distrust(*what)
        distrusted.set()

    ingress.receiver.distrust = distrust_and_tell
    reader, writer = await asyncio.open_connection("127.0.0.1", int(ingress.url.rpartition(":")[2]))
    secret = f"x-webhook-secret: {SECRET}\r\n".encode()
    writer.write(b"POST /in/marzban HTTP/1.1\r\nHost: x\r\n" + secret)
    writer.write(b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n{")
    assert b"100" in await reader.readline()
    writer.transport.abort()
    async with asyncio.timeout(PATIENCE):
        await distrusted.wait()


async def test_secrets_are_masked_before_anything_is_kept_or_logged(
    ingress: Ingress, http: aiohttp.ClientSession, store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    record = json.loads((PAYLOADS / "marzban/003-user_created-owned-by-reseller.json").read_text())
    await post(http, f"{ingress.url}/in/marzban", record["body"].encode())
    secrets = ["WoGTyPVh0n9gCxc_rUaKcw", "b52e0610-3b41", "ZXhhbXBsZV91c2Vy", "reseller-token-BBBB", "987654321"]
    operators_own = "paid until December"
    stored = b"".join(path.read_bytes() for path in Path(store_url.removeprefix("sqlite:///")).parent.iterdir())
    assert b"example_user" in stored
    for secret in [*secrets, operators_own]:
        assert secret.encode() not in stored
        assert secret not in caplog.text


async def test_whoever_watches_is_answered(ingress: Ingress, http: aiohttp.ClientSession) -> None:
    for path in ("/healthz", "/readyz"):
        async with http.get(ingress.url + path) as response:
            assert response.status == 200


async def test_one_line_for_each_request(
    ingress: Ingress, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await post(http, f"{ingress.url}/in/marzban", ELEMENT)
    await post(http, f"{ingress.url}/in/marzban", ELEMENT, headers={})
    assert [record.msg for record in caplog.records] == ["ingress.accepted", "ingress.refused"]
