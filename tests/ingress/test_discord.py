"""The execute-webhook endpoint: what real clients of Discord meet."""

import asyncio
import json
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import quote_plus

import aiohttp
import apprise
import pytest
import requests
from discord_webhook import DiscordEmbed, DiscordWebhook
from slack_sdk.webhook import WebhookClient

from bridge.event import Event
from bridge.ingress.address import PRIVATE, PublicAddress
from bridge.store import open_ledger
from bridge.store.queries.records import delivery_records, event
from bridge.store.records import DeliveryQuery
from tests.fakes import FakeClock
from tests.ingress.running import TOKEN, Ingress, running_ingress
from tests.panels.recorded import PAYLOADS


@pytest.fixture
def webhook(ingress: Ingress) -> str:
    return f"{ingress.url}/api/webhooks/chat/{TOKEN}"


def events(store_url: str) -> list[Event]:
    with open_ledger(store_url) as ledger:
        found = [
            ledger.read(event, record.event_id)
            for record in reversed(ledger.read(delivery_records, DeliveryQuery(limit=None)))
        ]
        return [one[0] for one in found if one is not None]


@pytest.mark.parametrize("version", ["", "/v10", "/v9"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_message_is_204(
    ingress: Ingress, http: aiohttp.ClientSession, store_url: str, version: str, slash: str
) -> None:
    url = f"{ingress.url}/api{version}/webhooks/chat/{TOKEN}{slash}"
    async with http.post(url, json={"content": "hello"}, allow_redirects=False) as response:
        assert (response.status, await response.read()) == (204, b"")
    [event] = events(store_url)
    assert (event.type, event.data["message"]["content"]) == ("message.posted", "hello")


async def test_with_wait_the_answer_is_the_message(http: aiohttp.ClientSession, webhook: str) -> None:
    embed = {"title": "hi", "description": "there"}
    query = {"wait": "true", "thread_id": "123456789012345678"}
    async with http.post(webhook, params=query, json={"username": "Marz", "embeds": [embed]}) as response:
        message = await response.json()
    assert response.status == 200
    assert message["id"].isdecimal()
    assert message["channel_id"] == "123456789012345678"
    assert message["author"]["username"] == "Marz"
    assert message["embeds"] == [{"type": "rich", **embed}]


async def test_components_polls_and_flags_are_kept_and_answered(
    http: aiohttp.ClientSession, webhook: str, store_url: str
) -> None:
    components, poll = [{"type": 10, "content": "hi"}], {"question": {"text": "?"}, "answers": []}
    for said in ({"components": components, "flags": 32768 | 4096}, {"poll": poll, "thread_name": "Outage"}):
        async with http.post(webhook, params={"wait": "true"}, json=said) as response:
            message = await response.json()
        kept = events(store_url)[-1].data["message"]
        assert {key: kept[key] for key in said} == said
        assert message.items() >= {key: said[key] for key in ("components", "flags") if key in said}.items()


@pytest.mark.parametrize(("given", "hours"), [({}, 24), ({"duration": 3}, 3), ({"duration": 10**9}, 24)])
async def test_a_poll_is_answered_with_its_end_and_with_numbers_for_its_answers(
    http: aiohttp.ClientSession, webhook: str, given: dict[str, int], hours: int
) -> None:
    answers = [{"poll_media": {"text": text}} for text in ("yes", "no")]
    said = {"question": {"text": "again?"}, "answers": answers, **given}
    async with http.post(webhook, params={"wait": "true"}, json={"poll": said}) as response:
        message = await response.json()
    lasts = datetime.fromisoformat(message["poll"].pop("expiry")) - datetime.fromisoformat(message["timestamp"])
    assert lasts == timedelta(hours=hours)
    assert message["poll"] == {
        "question": {"text": "again?"},
        "answers": [{**answers[0], "answer_id": 1}, {**answers[1], "answer_id": 2}],
        "allow_multiselect": False,
        "layout_type": 1,
    }


async def test_a_message_that_was_posted_is_neither_changed_nor_taken_back(
    http: aiohttp.ClientSession, webhook: str, store_url: str
) -> None:
    async with http.post(webhook, params={"wait": "true"}, json={"content": "first"}) as response:
        id_ = (await response.json())["id"]
    for method in ("PATCH", "DELETE"):
        async with http.request(method, f"{webhook}/messages/{id_}", json={"content": "second"}) as response:
            assert (response.status, await response.json()) == (404, {"message": "Unknown Message", "code": 10008})
    assert [event.data["message"]["content"] for event in events(store_url)] == ["first"]


async def test_the_thread_goes_along(http: aiohttp.ClientSession, webhook: str, store_url: str) -> None:
    async with http.post(webhook, params={"thread_id": "42"}, json={"content": "hello"}) as response:
        assert response.status == 204
    assert events(store_url)[0].data["message"]["thread_id"] == "42"


async def test_get_answers_the_webhook(http: aiohttp.ClientSession, webhook: str) -> None:
    async with http.get(webhook) as response:
        answer = await response.json()
    assert (response.status, answer["type"], answer["name"], answer["token"]) == (200, 1, "chat", TOKEN)


PATH = f"/api/webhooks/chat/{TOKEN}"


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({}, "http://bridge.test"),
        ({"X-Forwarded-Proto": "https"}, "https://bridge.test"),
        (
            {"X-Forwarded-Proto": "HTTPS, http", "X-Forwarded-Host": "bot.example:8443, inner"},
            "https://bot.example:8443",
        ),
        ({"X-Forwarded-Host": "[2001:db8::1]:8080"}, "http://[2001:db8::1]:8080"),
        ({"X-Forwarded-Proto": "javascript", "X-Forwarded-Host": "a b/../"}, "http://bridge.test"),
        ({"X-Forwarded-Host": "user@evil.example"}, "http://bridge.test"),
    ],
)
async def test_a_proxy_beside_us_says_what_the_webhook_is_reached_by(
    http: aiohttp.ClientSession, webhook: str, headers: dict[str, str], base: str
) -> None:
    async with http.get(webhook, params={"a": "b"}, headers={"Host": "bridge.test", **headers}) as response:
        assert (await response.json())["url"] == base + PATH


@pytest.mark.parametrize("host", ["a:99999", "a:b", "a:-1", "a:80:80", "a b", "[", "xn--é", "é"])
async def test_whatever_name_it_is_asked_by_it_says_where_it_is(
    http: aiohttp.ClientSession, webhook: str, host: str
) -> None:
    async with http.get(webhook, headers={"Host": host}) as response:
        assert response.status == 200
        assert (await response.json())["url"] in (f"http://{host}{PATH}", f"http://localhost{PATH}")


FORWARDED = {"Host": "bridge.test", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (PublicAddress(None, [ip_network("10.0.0.0/8")]), f"http://bridge.test{PATH}"),
        (PublicAddress(None, []), f"http://bridge.test{PATH}"),
        (PublicAddress(None, [ip_network("127.0.0.1")]), f"https://evil.example{PATH}"),
        (PublicAddress("https://bridge.example.com/vpn", PRIVATE), f"https://bridge.example.com/vpn{PATH}"),
    ],
)
async def test_others_are_not_believed_and_the_operator_before_all(
    http: aiohttp.ClientSession, store_url: str, clock: FakeClock, address: PublicAddress, url: str
) -> None:
    async with (
        running_ingress(store_url, clock, address=address) as ingress,
        http.get(ingress.url + PATH, headers=FORWARDED) as response,
    ):
        assert (await response.json())["url"] == url


@pytest.mark.parametrize(
    ("peer", "trusted"),
    [
        ("127.0.0.1", True),
        ("::ffff:10.1.2.3", True),
        ("172.31.0.1", True),
        ("fe80::1%eth0", True),
        ("fd12::1", True),
        ("172.32.0.1", False),
        ("8.8.8.8", False),
        ("2001:4860:4860::8888", False),
        ("", False),
    ],
)
def test_who_is_beside_us(peer: str, trusted: bool) -> None:
    assert PublicAddress(None, PRIVATE).trusts(peer) is trusted


async def test_a_form_is_taken(http: aiohttp.ClientSession, webhook: str, store_url: str) -> None:
    async with http.post(webhook, data={"content": "سلام & hello"}) as response:
        assert response.status == 204
    async with http.post(webhook, data={"payload_json": json.dumps({"content": "two"})}) as response:
        assert response.status == 204
    assert [event.data["message"]["content"] for event in events(store_url)] == ["سلام & hello", "two"]


async def test_files_are_named_and_their_bytes_not_kept(
    http: aiohttp.ClientSession, webhook: str, store_url: str
) -> None:
    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps({"content": "see the file"}))
    form.add_field("files[0]", b"\x00SECRET-BYTES" * 1000, filename="users.csv", content_type="text/csv")
    async with http.post(webhook, data=form) as response:
        assert response.status == 204
    [event] = events(store_url)
    assert event.data["message"]["files"] == [{"name": "users.csv", "content_type": "text/csv"}]
    assert "SECRET-BYTES" not in json.dumps(event.to_json())


SLACK, GITHUB = {"text": "*disk full*"}, {"action": "opened", "issue": {"number": 5, "title": "Help"}}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", json.dumps(SLACK)),
        ("application/x-www-form-urlencoded", "payload=" + quote_plus(json.dumps(SLACK))),
        ("application/x-www-form-urlencoded", json.dumps(SLACK)),
        ("text/plain", json.dumps(SLACK)),
    ],
)
async def test_what_is_meant_for_slack_is_answered_ok(
    http: aiohttp.ClientSession, webhook: str, store_url: str, content_type: str, body: str, slash: str
) -> None:
    query, headers = {"thread_id": "42", "wait": "true"}, {"Content-Type": content_type}
    async with http.post(f"{webhook}/slack{slash}", params=query, data=body, headers=headers) as response:
        assert (response.status, await response.text()) == (200, "ok")
    [event] = events(store_url)
    assert event.data["message"] == {"content": "**disk full**", "thread_id": "42"}


async def test_slacks_own_client_hears_that_all_is_well(webhook: str, store_url: str) -> None:
    client = WebhookClient(f"{webhook}/slack")
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "*up*"}}]
    response = await asyncio.to_thread(client.send, text="up", blocks=blocks)
    assert (response.status_code, response.body) == (200, "ok")
    assert events(store_url)[0].data["message"]["content"] == "**up**"


@pytest.mark.parametrize("form", [False, True])
async def test_what_github_sends_is_a_typed_event(
    http: aiohttp.ClientSession, webhook: str, store_url: str, form: bool
) -> None:
    given: dict[str, Any] = {"data": {"payload": json.dumps(GITHUB)}} if form else {"json": GITHUB}
    headers, query = {"X-GitHub-Event": "issues"}, {"thread_id": "42"}
    async with http.post(f"{webhook}/github", headers=headers, params=query, **given) as response:
        assert (response.status, await response.read()) == (204, b"")
    [event] = events(store_url)
    assert (event.type, event.native) == ("discord.github.issues", GITHUB | {"thread_id": "42"})
    assert event.data["message"]["thread_id"] == "42"
    assert event.data["message"]["embeds"][0]["title"] == r"opened issue \#5: Help"


@pytest.mark.parametrize("dialect", ["slack", "github"])
@pytest.mark.parametrize(
    ("method", "token", "body", "status", "code"),
    [
        ("POST", "wrong", b"{}", 401, 50027),
        ("POST", TOKEN, b"nonsense", 400, 50109),
        ("POST", TOKEN, b"[]", 400, 50109),
        ("GET", TOKEN, b"", 405, 0),
    ],
)
async def test_errors_of_others_messages_have_discords_shape(
    ingress: Ingress,
    http: aiohttp.ClientSession,
    store_url: str,
    dialect: str,
    method: str,
    token: str,
    body: bytes,
    status: int,
    code: int,
) -> None:
    url = f"{ingress.url}/api/webhooks/chat/{token}/{dialect}"
    async with http.request(method, url, data=body, headers={"Content-Type": "application/json"}) as response:
        assert (response.status, (await response.json())["code"]) == (status, code)
    assert events(store_url) == []


async def test_an_empty_message_for_slack_is_refused_as_one(http: aiohttp.ClientSession, webhook: str) -> None:
    async with http.post(f"{webhook}/slack", json={"text": ""}) as response:
        assert (response.status, (await response.json())["code"]) == (400, 50006)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/api/webhooks/chat/wrong", {"content": "x"}, 401, 50027),
        ("GET", "/api/webhooks/chat/wrong", None, 401, 50027),
        ("POST", "/api/webhooks/nobody/x", {"content": "x"}, 404, 10015),
        ("POST", "/api/webhooks/marzban/x", {"content": "x"}, 404, 10015),
        ("POST", f"/api/webhooks/chat/{TOKEN}", {}, 400, 50006),
        ("POST", f"/api/webhooks/chat/{TOKEN}", {"content": "  "}, 400, 50006),
        ("POST", f"/api/webhooks/chat/{TOKEN}", {"content": 7, "embeds": "x"}, 400, 50035),
        ("POST", f"/api/webhooks/chat/{TOKEN}", {"embeds": [{"title": {}}]}, 400, 50035),
        ("POST", f"/api/webhooks/chat/{TOKEN}", {"content": "x" * 2001}, 400, 50035),
        ("PUT", f"/api/webhooks/chat/{TOKEN}", {"content": "x"}, 405, 0),
        ("PATCH", f"/api/webhooks/chat/{TOKEN}", {"name": "x"}, 405, 0),
        ("DELETE", f"/api/webhooks/chat/{TOKEN}", None, 405, 0),
        ("GET", f"/api/webhooks/chat/{TOKEN}/messages/1400000000000000001", None, 404, 10008),
        ("PATCH", f"/api/v10/webhooks/chat/{TOKEN}/messages/1400000000000000001", {"content": "x"}, 404, 10008),
        ("DELETE", f"/api/webhooks/chat/{TOKEN}/messages/1400000000000000001/", None, 404, 10008),
        ("PATCH", f"/api/webhooks/chat/{TOKEN}/messages/@original", {"content": "x"}, 404, 10008),
        ("POST", f"/api/webhooks/chat/{TOKEN}/messages/1", {"content": "x"}, 405, 0),
        ("PATCH", "/api/webhooks/chat/wrong/messages/1", {"content": "x"}, 401, 50027),
        ("PATCH", "/api/webhooks/nobody/x/messages/1", {"content": "x"}, 404, 10015),
        ("POST", f"/api/webhooks/chat/{TOKEN}/teams", {"text": "x"}, 404, 0),
        ("POST", "/api/webhooks/chat", {"content": "x"}, 404, 0),
    ],
)
async def test_errors_have_discords_shape(
    ingress: Ingress,
    http: aiohttp.ClientSession,
    store_url: str,
    method: str,
    path: str,
    body: Any,
    status: int,
    code: int,
) -> None:
    async with http.request(method, ingress.url + path, json=body) as response:
        answer = await response.json()
    assert (response.status, answer["code"]) == (status, code)
    assert isinstance(answer["message"], str)
    assert ("errors" in answer) is (code == 50035)
    assert events(store_url) == []


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({"Content-Type": "application/json"}, b"{nonsense", 50109),
        ({"Content-Type": "text/plain"}, b"hello", 50035),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"nonsense", 50035),
        ({"Content-Type": "multipart/form-data"}, b"nonsense", 50035),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"", 50006),
    ],
)
async def test_what_cannot_be_read_is_refused_in_discords_words(
    http: aiohttp.ClientSession, webhook: str, headers: dict[str, str], body: bytes, code: int
) -> None:
    async with http.post(webhook, data=body, headers=headers) as response:
        answer = await response.json()
    assert (response.status, answer["code"]) == (400, code)


async def test_the_error_leads_to_the_field(http: aiohttp.ClientSession, webhook: str) -> None:
    async with http.post(webhook, json={"embeds": [{"title": "ok"}, {"title": "x" * 257}]}) as response:
        answer = await response.json()
    assert list(answer["errors"]["embeds"]["1"]["title"]) == ["_errors"]


async def test_a_report_becomes_a_typed_event_without_its_password(
    http: aiohttp.ClientSession, webhook: str, store_url: str
) -> None:
    body = json.loads((PAYLOADS / "marzban/001-discord-login-failed.json").read_text())["body"]
    async with http.post(webhook, data=body, headers={"Content-Type": "application/json"}) as response:
        assert response.status == 204
    [event] = events(store_url)
    assert (event.type, event.native_type) == ("security.login_failed", "discord:report_login/failed")
    assert "wrong-password-123" not in json.dumps(event.to_json())


async def test_the_discord_webhook_package_finds_its_discord(webhook: str, store_url: str) -> None:
    message = DiscordWebhook(url=webhook, content="hello", username="Marz", thread_id="42")
    message.add_embed(DiscordEmbed(title="User created", description="alice", color="03b2f8"))
    message.add_file(file=b"bytes", filename="note.txt")
    response = await asyncio.to_thread(message.execute)
    assert response.status_code == 200
    assert message.id is not None
    [event] = events(store_url)
    assert event.data["message"]["embeds"][0]["title"] == "User created"
    assert event.data["message"]["files"][0]["name"] == "note.txt"


async def test_the_requests_package_sends_as_marzban_does(webhook: str, store_url: str) -> None:
    body = json.loads((PAYLOADS / "marzban/004-discord-new-user-with-admin.json").read_text())["body"]
    response = await asyncio.to_thread(requests.post, webhook, json=json.loads(body), timeout=60)
    assert response.status_code == 204
    assert [event.type for event in events(store_url)] == ["user.created"]


@pytest.mark.filterwarnings("ignore:.imghdr.:DeprecationWarning")  # apprise asks for it
async def test_apprise_sends_what_it_sends_to_discord(ingress: Ingress, store_url: str) -> None:
    plugin: Any = apprise.Apprise.instantiate(f"discord://chat/{TOKEN}/?footer=yes&format=markdown")
    plugin.notify_url = f"{ingress.url}/api/webhooks"
    assert await asyncio.to_thread(plugin.notify, body="# Hello\nworld", title="Title")
    assert {event.type for event in events(store_url)} == {"message.posted"}
