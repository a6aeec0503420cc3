"""From a panel's request to the service's answer: a real process, real sockets, strict services."""

import asyncio
import hashlib
import hmac
import json
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from html import escape
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.admin.crawl import every_answer, every_page
from tests.panels.recorded import PAYLOADS
from tests.processes import free_port
from tests.services import discord
from tests.services.known import SIGNING
from tests.services.receiver import Receiver
from tests.services.service import Answer, Taken, serving
from tests.street import HOUSES, MARZBAN, REMNAWAVE, SINKS, TOKENS, a_house, a_street

pytestmark = pytest.mark.process

#: Fields that hold secrets, and a login report's line that does.
FIELDS = "id password private_key auth links subscription_url discord_webhook telegram_id key trojanPassword vlessUuid"
FIELDS += " ssPassword shortUuid subscriptionUuid subscriptionUrl hwid requestIp proxyUrl Password ApiToken PrivateKey"
FIELDS += " PresharedKey PreUp PostUp PreDown PostDown"
EXAMPLE = json.loads((PAYLOADS / "orbvpn" / "087-slack-USER_CREATED-text.json").read_text("utf-8"))
ADMIN = "admin-0123456789abcdef"
DOCUMENTED = json.loads(EXAMPLE["body"])["text"]
ATTEMPTED = re.compile(r"\*\*Password:\*\* ?(.+)")


# Every recorded request


def records() -> Iterator[tuple[str, dict[str, Any]]]:
    """The source's path, and the request with what is expected of it."""
    for file in sorted(PAYLOADS.glob("*/*.json")):
        record = json.loads(file.read_text("utf-8"))
        token = record["path"].rstrip("/").rpartition("/")[2]
        record["retry"] = "-retry-" in file.stem
        yield (f"/api/webhooks/reports/{token}" if token in TOKENS else f"/in/{file.parent.name}"), record


def secrets_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from texts_in(one) if key in FIELDS.split() else secrets_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from secrets_in(one)
    elif isinstance(value, str):
        yield from (found.strip() for found in ATTEMPTED.findall(value) if "🔒" not in found)


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts_in(one)
    elif isinstance(value, str) and len(value) > 6 and not value.startswith("user"):
        yield value


#: Headers that whoever sends the request makes anew.
SENDERS_OWN = ("host", "content-length", "transfer-encoding")

Told = dict[str, list[str]]  # the source and the subject → native names, in order


@pytest.mark.long
async def test_every_recorded_request_arrives_everywhere_and_no_secret_of_it_does(tmp_path: Path) -> None:
    expected: Told = defaultdict(list)
    houses = [house for _, house in HOUSES.values()]
    secrets = {MARZBAN, REMNAWAVE, ADMIN, *TOKENS, *(secret for house in houses for secret in house.secrets)}
    port = free_port()
    admin = f"admin: {{listen: 127.0.0.1:{port}, token: {ADMIN}}}"
    to = f"[{', '.join(SINKS)}]"
    async with a_street() as street, a_house(tmp_path, street.sinks(), to, more=admin) as panels:
        for path, record in records():
            headers = {k: v for k, v in record["headers"].items() if k.lower() not in SENDERS_OWN}
            if record.get("sign", {}).get("how") == "t.v1":
                headers[record["sign"]["header"]] = signed_now(record["sign"]["secret"], record["body"])
            status = await panels.send(path, record["body"].encode(), headers)
            assert (status >= 400) == bool(record["expect"].get("refuse")), (status, record)
            for one in record["expect"].get("events", []):
                about = f"{path.split('/')[-2 if 'webhooks' in path else -1]} {one['subject']}"
                if not (one.get("repeat") or (record["retry"] and about in expected)):  # told before
                    expected[about].append(one["native"])
            if record["body"][:1] in ("{", "["):  # a form holds none
                secrets |= set(secrets_in(json.loads(record["body"])))
        found = await panels.settled(sum(map(len, expected.values())) * len(SINKS))
        pages = await every_page(f"http://127.0.0.1:{port}", ADMIN)
        answers = await every_answer(f"http://127.0.0.1:{port}", ADMIN)
        assert len([one for one in pages if re.fullmatch("/events/[0-9a-f-]{36}", one)]) == sum(
            map(len, expected.values())
        )
        assert await panels.bridge.end() == 0
        assert in_order(street["shop"].taken) == expected
        assert [street[name].refused for name in street.services] == [[]] * len(HOUSES)
        dead = {one["reason"] for one in found if one["state"] == "dead"}
        assert dead == {"no e-mail address and no phone number, so there is no contact"}
        said = json.dumps([[one.body for one in street[name].taken] for name in street.services], ensure_ascii=False)
        kept = panels.bridge.log.read_bytes() + b"".join(file.read_bytes() for file in tmp_path.glob("*.db*"))
        seen = [*pages.values(), *(one.encode("utf-8", "replace") for one in answers.values())]
        shown = b"\n".join({line for one in seen for line in one.splitlines()})  # most of it is the same everywhere
        assert [one for one in secrets if one in said or one.encode() in kept or is_shown(one, shown)] == []
        assert DOCUMENTED in [one.body["text"] for one in street["slack"].taken]


def signed_now(secret: str, body: str) -> str:
    """A signature that has the time in it, as Tailscale and Stripe make them."""
    at = int(time.time())
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.{body}'.encode(), hashlib.sha256).hexdigest()}"


def is_shown(secret: str, pages: bytes) -> bool:
    """Whether it is on a page, as it is or as HTML or JSON write it."""
    return any(one.encode() in pages for one in (secret, escape(secret), escape(json.dumps(secret)[1:-1])))


def in_order(taken: list[Taken]) -> Told:
    arrived: Told = defaultdict(list)
    for event in (one.body for one in taken):
        name = event["subject"].partition(":")[2] if event["subject"] else None
        arrived[f"{event['source']} {name}"].append(event["native_type"])
    return arrived


# What is said of it


async def test_a_discord_message_is_passed_on_to_discord_and_translated_for_the_others(tmp_path: Path) -> None:
    post = {
        "content": "**Done**, see [the log](https://example.com/log) @everyone",
        "embeds": [{"title": "Backup", "description": "__42__ files", "color": 255}],
    }
    async with a_street() as street, a_house(tmp_path, street.sinks(), "[discord, slack, telegram]") as panels:
        assert (
            await panels.send(f"/api/webhooks/reports/{TOKENS[0]}", post, {"Content-Type": "application/json"}) == 204
        )
        await panels.settled(3)
    (to_discord,), (to_slack,), (to_telegram,) = (street[name].taken for name in ("discord", "slack", "telegram"))
    assert to_discord.body["content"] == post["content"]
    assert to_discord.body["embeds"][0].items() >= {"title": "Backup", "description": "__42__ files"}.items()
    assert to_discord.body["allowed_mentions"] == {"parse": []}
    assert "*Done*" in to_slack.body["text"]
    assert "<https://example.com/log|the log>" in to_slack.body["text"]
    assert "<b>Done</b>" in to_telegram.body["text"]
    assert '<a href="https://example.com/log">the log</a>' in to_telegram.body["text"]
    assert "@everyone" not in to_slack.body["text"] + to_telegram.body["text"]


# What the services answer


async def test_telegram_gets_plain_text_where_it_cannot_parse_and_is_followed_where_the_chat_moves(
    tmp_path: Path,
) -> None:
    async with a_street() as street, a_house(tmp_path, street.sinks(), "telegram") as panels:
        told = {"ok": False, "error_code": 400, "description": "Bad Request: can't parse entities: x"}
        street["telegram"].answer_next(Answer(400, told))
        await panels.users("alice")
        (one,) = await panels.settled(1)
        assert "sent as plain text" in one["note"]
        assert "parse_mode" not in street["telegram"].taken[0].body
        street["telegram"].chats.append(-1009)
        moved = {"description": "Bad Request: group chat was upgraded", "parameters": {"migrate_to_chat_id": -1009}}
        street["telegram"].answer_next(Answer(400, {"ok": False, "error_code": 400, **moved}))
        await panels.users("bob")
        _, two = await panels.settled(2)
        assert "-1009" in two["note"]
    assert [one.body["chat_id"] for one in street["telegram"].taken] == [-1001, -1009]
    assert street["telegram"].requests == 4


async def test_a_429_is_waited_for_and_costs_no_attempt(tmp_path: Path) -> None:
    async with a_street() as street, a_house(tmp_path, street.sinks(), "discord") as panels:
        limited = {"message": "You are being rate limited.", "retry_after": 0.7, "global": False}
        street["discord"].answer_next(*[Answer(429, limited, {"Via": "1.1 google"})] * 2)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await panels.users("alice")
        (one,) = await panels.settled(1)
    assert (one["state"], one["attempts"]) == ("delivered", 1)
    assert street["discord"].taken[0].at - began >= 1.4
    assert street["discord"].requests == 3


async def test_what_is_dead_says_why_and_is_replayed(tmp_path: Path) -> None:
    async with a_street() as street, a_house(tmp_path, street.sinks(), "[discord, slack-bot, shop]") as panels:
        street["shop"].answer_next(Answer(400))
        street["discord"].answer_next(Answer(400, {"message": "Invalid Form Body", "code": 50035}))
        street["slack"].answer_next(Answer(200, {"ok": False, "error": "invalid_blocks"}))
        await panels.users("alice")
        await panels.settled(3)
        dead = {one["sink"]: one for one in await panels.command("deliveries", "--dead")}
        assert {name: (one["status"], one["attempts"]) for name, one in dead.items()} == {
            "discord": (400, 1),
            "slack-bot": (200, 1),
            "shop": (400, 1),
        }
        assert "Invalid Form Body" in dead["discord"]["reason"]
        assert json.loads(dead["discord"]["answer"])["code"] == 50035
        assert "invalid_blocks" in dead["slack-bot"]["reason"]
        assert len((await panels.command("replay", "--dead"))["replayed"]) == 3
        assert [one["state"] for one in await panels.settled(6)] == ["dead"] * 3 + ["delivered"] * 3
        assert discord.TOKEN not in json.dumps(await panels.command("deliveries"))


# Programs of the operator's own


async def test_a_program_written_for_a_panel_gets_what_that_panel_would_send(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        program, away = Receiver(), Receiver()
        base, proxy = [await stack.enter_async_context(serving(one)) for one in (program, away)]
        sinks = f"""
sinks:
  marzban: {{type: webhook, url: '{base}/marzban', format: marzban, secret: {MARZBAN}}}
  remnawave: {{type: webhook, url: '{base}/remnawave', format: remnawave, secret: {REMNAWAVE}}}
  beyond: {{type: webhook, url: 'http://shop.invalid/hook', proxy: '{proxy}', format: cloudevents, secret: {SIGNING}}}
"""
        panels = await stack.enter_async_context(a_house(tmp_path, sinks, "[marzban, remnawave, beyond]"))
        await panels.users("alice")
        assert [one["state"] for one in await panels.settled(3)] == ["delivered"] * 3
    got = {one.path: (one, body) for one, body in zip(program.taken, program.bodies, strict=True)}
    like_marzban, _ = got["/marzban"]
    assert like_marzban.headers["x-webhook-secret"] == MARZBAN
    assert [(one["action"], one["username"]) for one in like_marzban.body] == [("user_created", "alice")]
    like_remnawave, body = got["/remnawave"]
    signature = hmac.new(REMNAWAVE.encode(), body, hashlib.sha256).hexdigest()
    assert like_remnawave.headers["x-remnawave-signature"] == signature
    assert (like_remnawave.body["event"], like_remnawave.body["data"]["username"]) == ("user.created", "alice")
    Webhook(SIGNING).verify(away.bodies[0], dict(away.taken[0].headers), json_parse=False)
    assert away.taken[0].body["type"] == "user.created"


async def test_a_garbled_body_is_refused_and_leaves_no_traceback(tmp_path: Path) -> None:
    zipped, form = {"Content-Encoding": "gzip"}, {"Content-Type": "multipart/form-data; boundary=x"}
    async with a_house(tmp_path, "sinks:\n  c: {type: console}", "c") as panels:
        assert await panels.send("/in/marzban", b"not gzip", {"x-webhook-secret": MARZBAN, **zipped}) == 400
        assert await panels.send(f"/api/webhooks/reports/{TOKENS[0]}", b"--x\r\ngarbage", form) == 400
        await panels.users("alice")
        assert "Traceback" not in panels.bridge.log.read_text()
