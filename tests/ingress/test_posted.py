"""A message that was posted to the Discord endpoint is shown, changed and taken back by the id that its poster has."""

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from discord_webhook import DiscordEmbed, DiscordWebhook

from bridge.routing import Route, Router
from bridge.store import open_ledger
from bridge.store.queries.records import delivery_records, event
from bridge.store.records import DeliveryQuery
from bridge.terms import DigestWindow, Quiet, Terms
from tests.fakes import FakeClock
from tests.ingress.running import TOKEN, Ingress, running_ingress
from tests.panels.recorded import PAYLOADS

Message = dict[str, Any]
UNKNOWN = (404, {"message": "Unknown Message", "code": 10008})


@pytest.fixture
async def ingress(store_url: str, clock: FakeClock) -> AsyncIterator[Ingress]:
    async with running_ingress(store_url, clock, changing={"ops"}) as opened:
        yield opened


@pytest.fixture
def webhook(ingress: Ingress) -> str:
    return f"{ingress.url}/api/webhooks/chat/{TOKEN}"


async def posted(http: aiohttp.ClientSession, webhook: str, body: Message) -> Message:
    async with http.post(webhook, params={"wait": "true"}, json=body) as response:
        assert response.status == 200
        message: Message = await response.json()
        return message


async def asked(http: aiohttp.ClientSession, method: str, url: str, body: Any = None) -> tuple[int, Any]:
    async with http.request(method, url, json=body) as response:
        return response.status, await response.json() if response.content_type == "application/json" else None


def carried(store_url: str) -> list[tuple[str, str, str | None, Any]]:
    """Native type, sink, subject and content of every delivery, in order."""
    with open_ledger(store_url) as ledger:
        records = reversed(ledger.read(delivery_records, DeliveryQuery(limit=None)))
        found = [(one.sink, ledger.read(event, one.event_id)) for one in records]
    return [(of[0].native_type, sink, of[0].subject, of[0].data["message"].get("content")) for sink, of in found if of]


async def test_what_was_posted_is_shown(http: aiohttp.ClientSession, webhook: str) -> None:
    message = await posted(http, webhook, {"content": "first", "embeds": [{"title": "a"}], "username": "Marz"})
    assert await asked(http, "GET", f"{webhook}/messages/{message['id']}") == (200, message)
    assert message["edited_timestamp"] is None


async def test_an_edit_changes_what_it_names_and_goes_where_the_message_went_behind_it(
    http: aiohttp.ClientSession, webhook: str, store_url: str, clock: FakeClock, ingress: Ingress
) -> None:
    message = await posted(http, webhook, {"content": "first", "embeds": [{"title": "a"}], "username": "Marz"})
    url = f"{webhook}/messages/{message['id']}"
    clock.step(60)
    status, changed = await asked(http, "PATCH", url, {"content": "second"})
    assert status == 200
    assert (changed["id"], changed["content"]) == (message["id"], "second")
    assert changed["embeds"] == message["embeds"]
    assert changed["author"] == message["author"]
    assert changed["timestamp"] == message["timestamp"]
    assert changed["edited_timestamp"] == "2026-11-21T04:15:18Z"
    assert await asked(http, "GET", url) == (200, changed)
    subject = f"message:{message['id']}"
    assert carried(store_url) == [
        ("discord:message", "ops", subject, "first"),
        ("message/edited", "ops", subject, "second"),
    ]
    assert len(ingress.announced) == 2


async def test_an_edit_is_collected_where_its_message_was_and_a_deletion_is_not(
    http: aiohttp.ClientSession, webhook: str, ingress: Ingress
) -> None:
    digest, quiet = DigestWindow(window=60), Quiet(hours="22:00-07:00")
    row = Route(to=("ops",), digest=digest, quiet=quiet, hold=5, update="subject", fallback=("night",))
    sinks = {name: SimpleNamespace(enabled=True) for name in ("ops", "night")}
    ingress.receiver.configure(ingress.receiver.sources, Router([("route 1", row)], sinks=sinks), changing={"ops"})
    message = await posted(http, webhook, {"content": "first"})
    url = f"{webhook}/messages/{message['id']}"
    await asked(http, "PATCH", url, {"content": "second"})
    await asked(http, "DELETE", url)
    assert [one.terms for one in ingress.announced[1:]] == [Terms(digest=digest, quiet=quiet), None]


async def test_each_edit_is_made_of_what_the_message_is(http: aiohttp.ClientSession, webhook: str) -> None:
    message = await posted(http, webhook, {"content": "first"})
    url = f"{webhook}/messages/{message['id']}"
    await asked(http, "PATCH", url, {"embeds": [{"title": "a"}]})
    await asked(http, "PATCH", url, {"content": None, "username": "Eve"})
    _, shown = await asked(http, "GET", url)
    assert (shown["content"], shown["embeds"]) == ("", [{"type": "rich", "title": "a"}])
    assert shown["author"]["username"] == "chat"  # who speaks is no part of an edit


async def test_edits_at_the_same_moment_are_made_one_after_the_other_and_none_is_lost(
    http: aiohttp.ClientSession, webhook: str
) -> None:
    edits: list[Message] = [{"content": "b"}, {"embeds": [{"title": "b"}]}, {"flags": 4}]
    for _ in range(5):
        message = await posted(http, webhook, {"content": "a", "embeds": [{"title": "a"}]})
        url = f"{webhook}/messages/{message['id']}"
        answers = await asyncio.gather(*(asked(http, "PATCH", url, edit) for edit in edits))
        assert [status for status, _ in answers] == [200] * len(edits)
        _, shown = await asked(http, "GET", url)
        assert (shown["content"], shown["embeds"][0]["title"], shown["flags"]) == ("b", "b", 4)


async def test_of_a_message_that_is_taken_back_meanwhile_no_edit_is_left(
    http: aiohttp.ClientSession, webhook: str
) -> None:
    for _ in range(5):
        message = await posted(http, webhook, {"content": "a"})
        url = f"{webhook}/messages/{message['id']}"
        edit, deletion = asked(http, "PATCH", url, {"content": "b"}), asked(http, "DELETE", url)
        (status, _), taken_back = await asyncio.gather(edit, deletion)
        assert (taken_back, status in (200, 404)) == ((204, None), True)
        assert await asked(http, "GET", url) == UNKNOWN


async def test_what_is_taken_back_is_not_there_any_more(
    http: aiohttp.ClientSession, webhook: str, store_url: str
) -> None:
    message = await posted(http, webhook, {"content": "first"})
    url = f"{webhook}/messages/{message['id']}"
    assert await asked(http, "DELETE", url) == (204, None)
    for method in ("GET", "PATCH", "DELETE"):
        assert await asked(http, method, url, {"content": "x"} if method == "PATCH" else None) == UNKNOWN
    assert [one[0] for one in carried(store_url)] == ["discord:message", "message/deleted"]


async def test_the_library_edits_and_deletes(webhook: str, store_url: str) -> None:
    message = DiscordWebhook(url=webhook, content="first", username="Marz", thread_id="42", wait=True)
    message.add_embed(DiscordEmbed(title="Backup", description="running"))
    await asyncio.to_thread(message.execute)
    message.content = "second"
    message.add_file(file=b"bytes", filename="note.txt")  # then it edits by a form
    response = await asyncio.to_thread(message.edit)
    assert (response.status_code, response.json()["content"]) == (200, "second")
    message.remove_files()
    response = await asyncio.to_thread(message.edit)
    assert response.status_code == 200
    response = await asyncio.to_thread(message.delete)
    assert response.status_code == 204
    assert [one[3] for one in carried(store_url)] == ["first", "second", "second", "second"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"content": "", "embeds": []}, 400, 50006),
        ({"content": "x" * 2001}, 400, 50035),
        ({"embeds": [{"title": "x" * 257}]}, 400, 50035),
        (["x"], 400, 50109),
        ("x", 400, 50109),
    ],
)
async def test_what_discord_would_refuse_changes_nothing(
    http: aiohttp.ClientSession, webhook: str, store_url: str, body: Any, status: int, code: int
) -> None:
    message = await posted(http, webhook, {"content": "first"})
    url = f"{webhook}/messages/{message['id']}"
    found, answer = await asked(http, "PATCH", url, body)
    assert (found, answer["code"]) == (status, code)
    assert (await asked(http, "GET", url))[1]["content"] == "first"
    assert len(carried(store_url)) == 1


async def test_a_message_cannot_become_a_report_about_somebody(
    http: aiohttp.ClientSession, webhook: str, store_url: str
) -> None:
    message = await posted(http, webhook, {"content": "first"})
    report = json.loads(json.loads((PAYLOADS / "marzban/004-discord-new-user-with-admin.json").read_text())["body"])
    status, answer = await asked(http, "PATCH", f"{webhook}/messages/{message['id']}", report | {"content": None})
    assert (status, answer["code"]) == (400, 50035)
    assert "post it anew" in answer["errors"]["embeds"]["_errors"][0]["message"]
    assert len(carried(store_url)) == 1


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("id_", ["1400000000000000001", "0", "x" * 600, "@original", "٣"])
async def test_of_no_message_nothing_is_known(http: aiohttp.ClientSession, webhook: str, method: str, id_: str) -> None:
    await posted(http, webhook, {"content": "first"})
    body = {"content": "x"} if method == "PATCH" else None
    assert await asked(http, method, f"{webhook}/messages/{id_}", body) == UNKNOWN


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_nothing_is_told_to_who_does_not_know_the_secret(
    http: aiohttp.ClientSession, webhook: str, store_url: str, method: str
) -> None:
    message = await posted(http, webhook, {"content": "first"})
    url = f"{webhook.removesuffix(TOKEN)}wrong/messages/{message['id']}"
    status, answer = await asked(http, method, url, {"content": "x"} if method == "PATCH" else None)
    assert (status, answer["code"]) == (401, 50027)
    assert len(carried(store_url)) == 1


async def test_without_wait_nobody_was_told_an_id(http: aiohttp.ClientSession, webhook: str, store_url: str) -> None:
    async with http.post(webhook, json={"content": "first"}) as response:
        assert response.status == 204
    assert [one[2] for one in carried(store_url)] == [None]


async def test_no_two_messages_have_the_same_id(http: aiohttp.ClientSession, webhook: str) -> None:
    ids = {(await posted(http, webhook, {"content": "same"}))["id"] for _ in range(50)}  # the clock stands still
    assert len(ids) == 50


async def test_it_is_known_after_a_restart_and_by_every_replica(store_url: str, clock: FakeClock) -> None:
    async with aiohttp.ClientSession() as http:
        async with running_ingress(store_url, clock, changing={"ops"}) as before:
            message = await posted(http, f"{before.url}/api/webhooks/chat/{TOKEN}", {"content": "first"})
        async with running_ingress(store_url, clock, changing={"ops"}) as after:
            url = f"{after.url}/api/webhooks/chat/{TOKEN}/messages/{message['id']}"
            assert (await asked(http, "PATCH", url, {"content": "second"}))[0] == 200


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("PATCH", 404), ("DELETE", 404)])
async def test_where_no_sink_can_change_it_the_poster_hears_so_and_nothing_is_lost(
    store_url: str, clock: FakeClock, http: aiohttp.ClientSession, method: str, status: int
) -> None:
    async with running_ingress(store_url, clock) as ingress:
        webhook = f"{ingress.url}/api/webhooks/chat/{TOKEN}"
        message = await posted(http, webhook, {"content": "first"})
        body = {"content": "x"} if method == "PATCH" else None
        found, answer = await asked(http, method, f"{webhook}/messages/{message['id']}", body)
    assert found == status
    assert answer == message if status == 200 else (found, answer) == UNKNOWN
    assert len(carried(store_url)) == 1
