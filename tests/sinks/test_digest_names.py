"""Whom a digest names beside the parts that it tells in full: as many as the service has room for."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given

from bridge.event import Event
from bridge.message import Digest
from bridge.value import replace
from tests.fakes import an_event
from tests.services.every import CHATS as KNOWN
from tests.sinks.values import a_digest, a_message, a_sink, hostile_texts

#: Every chat by its settings, and how much of what is named there has room: characters, of some bytes.
CHATS: Mapping[str, tuple[Mapping[str, Any], int]] = {
    "discord": ({"url": "https://discord.com/api/webhooks/1/x"}, 4096),
    "slack": ({"url": "https://hooks.slack.com/services/T0/B0/x"}, 3000),
    "telegram": ({"token": f"123456:{'x' * 35}", "chat_id": -1001}, 4096),
    "ntfy": ({"topic": "vpn"}, 4096),
    "email": (
        {"server": "localhost", "encryption": "none", "from": "vpn@example.com", "to": "ops@example.com"},
        16_000,
    ),
    "apprise": ({"url": "rocket://x.example/?webhook=Aaaaaaaaa/Bbbbbbbbb"}, 1000),
    "bale": ({"token": "1:x", "chat_id": 1}, 4096),
    "max": ({"token": "x", "chat_id": 1}, 4000),
    "mattermost": ({"url": "https://x.example/hooks/x"}, 16_383),
    "matrix": ({"token": "x", "room": "!x:x.example", "api_base": "https://x.example"}, 12_000),
}
SUMMARY = dict.fromkeys(("title", "description", "text", "heading"), "sum") | {"more": "… and {more} more"}


def said(digest: Digest, chat: str) -> Any:
    return json.loads(a_sink(type=chat, **CHATS[chat][0]).build_digest(digest).body)


def of(*events: Event, parts: int = 0) -> Digest:
    """A digest that has these events, and the first of them as parts."""
    messages = [
        replace(a_message({"title": "", "text": name, "description": name}), event=one)
        for one in events[:parts]
        if (name := (one.subject or "").partition(":")[2])
    ]
    digest = a_digest(SUMMARY, *messages)
    return replace(digest, events=events, tally=replace(digest.tally, kinds=Counter(one.type for one in events)))


def test_every_chat_is_here() -> None:
    assert set(CHATS) == set(KNOWN)


def happened(type_: str, subject: str | None, **data: Any) -> Event:
    return replace(an_event(subject or "user:x", type_=type_), subject=subject, data=data)


def words_of(digest: Digest, chat: str) -> str:
    body = said(digest, chat)
    match chat:
        case "discord":
            return str(body["embeds"][0]["description"])
        case "slack":
            return str(body["blocks"][-1]["elements"][0]["text"])
        case "matrix":
            return str(body["body"])
        case "apprise":
            return str(body["body"])
        case _:
            return str(body.get("text") or body["message"])


@pytest.mark.parametrize("chat", CHATS)
def test_all_are_named_as_long_as_there_is_room(chat: str) -> None:
    """23 of them, where nine or ten have room in full."""
    digest = of(*(happened("user.expired", f"user:user-{number}") for number in range(23)), parts=10)
    body = json.dumps(said(digest, chat), ensure_ascii=False)
    assert [number for number in range(23) if f"user-{number}" not in body] == []
    assert " more" not in body


@pytest.mark.parametrize("chat", CHATS)
def test_the_rest_is_named_by_what_happened_and_by_what_people_call_it(chat: str) -> None:
    told = words_of(
        of(
            happened("user.created", "user:alice"),
            happened("peer.connected", "peer:Fb5TaziAs1W=", peer={"name": "laptop"}),
            happened("user.created", "user:bob"),
            happened("user.created", "user:alice"),
            happened("system.updated", None),
            happened("user.expired", "user:علی"),
        ),
        chat,
    )
    assert told.endswith("🆕 alice ×2, bob\n🟢 laptop\n⌛ \u2068علی\u2069\n… and 1 more")


@pytest.mark.parametrize("chat", CHATS)
def test_as_many_are_named_as_the_service_takes(chat: str) -> None:
    """One more would not have had room: the number of those that are left is right, and the request is taken."""
    for length in (5, 40):
        names = [f"{number:0{length}}" for number in range(3000)]
        told = words_of(of(*(happened("user.created", f"user:{name}") for name in names)), chat)
        line, more = told.splitlines()[-2:]
        shown = line.removeprefix("🆕 ").split(", ")
        assert shown == names[: len(shown)]
        assert more == f"… and {3000 - len(shown)} more"
        size = len(told.encode()) if chat in ("ntfy", "matrix") else len(told)
        assert CHATS[chat][1] - length - 40 < size <= CHATS[chat][1]


@given(name=hostile_texts)
def test_a_hostile_name_pings_nobody_among_others(name: str) -> None:
    for chat in CHATS:
        event = happened("user.created", f"user:{name}", user={"username": name})
        assert list(KNOWN[chat].pings(said(of(event, happened("user.created", "user:bob")), chat), event)) == [], chat
