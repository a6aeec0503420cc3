"""Digests: every sink that can tells several events as one message, whole parts of it, and never more than fits."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from bridge.message import Digest, Emission, Message
from bridge.outcome import Delivered
from bridge.panels import DIALECTS
from bridge.sinks.base import HttpSink, Tools
from bridge.sinks.http import Http
from tests.fakes import START
from tests.services.discord import ID, Discord, embed_length
from tests.services.discord import TOKEN as WEBHOOK_TOKEN
from tests.services.every import WAYS
from tests.services.known import SIGNING, KnownChat
from tests.services.receiver import Receiver
from tests.services.service import serving
from tests.services.slack import HOOK, Slack
from tests.services.telegram import TOKEN, Telegram
from tests.services.zapier import HOOK as ZAP
from tests.services.zapier import Zapier
from tests.sinks.values import a_digest, a_message, a_sink, config, hostile_texts, json_values, repeated, tools

DISCORD: dict[str, Any] = {"type": "discord", "url": f"https://discord.com/api/webhooks/{ID}/{WEBHOOK_TOKEN}"}
SLACK: dict[str, Any] = {"type": "slack", "url": f"https://hooks.slack.com{HOOK}"}
TELEGRAM: dict[str, Any] = {"type": "telegram", "token": TOKEN, "chat_id": -1001}
SUMMARY = {
    "title": "3 events",
    "description": "2 × User created\n1 × User expired",
    "text": "3 events",
    "color": "255",
    "footer": "Marzban",
    "more": "… and {more} more",
}


def said(digest: Digest, **settings: Any) -> Any:
    return json.loads(a_sink(**settings).build_digest(digest).body)


def part(name: str, *, remarks: str = "", times: int = 1, **blocks: str) -> Message:
    shown = {"title": f"{name}", "text": name, "remarks": remarks, **blocks}
    return repeated(a_message(shown, subject=f"user:{name}"), times)


def test_discord_gets_the_summary_and_one_embed_for_each_part() -> None:
    parts = part("alice", description="is here", content="@everyone"), part("bob", remarks="×2", times=2)
    assert said(a_digest(SUMMARY, *parts), **DISCORD, username="Panel") == {
        "username": "Panel",
        "embeds": [
            {
                "title": "3 events",
                "description": "2 × User created\n1 × User expired",
                "color": 255,
                "footer": {"text": "Marzban"},
                "timestamp": "2026-11-21T04:14:18Z",
            },
            {"title": "alice", "description": "is here", "timestamp": "2026-11-21T04:14:18Z"},
            {"title": "bob", "description": "×2", "timestamp": "2026-11-21T04:14:18Z"},
        ],
        "allowed_mentions": {"parse": []},
    }


def test_discord_says_how_many_events_it_does_not_tell() -> None:
    embeds = said(a_digest(SUMMARY, part("alice", times=3), untold=5000), **DISCORD)["embeds"]
    assert len(embeds) == 2
    found = re.search(r"\n🆕 (0(?:, [0-9]+)*)\n… and ([0-9]+) more$", embeds[0]["description"])
    assert found
    names, left = found.groups()
    assert len(names.split(", ")) + int(left) == 5000
    assert 4000 < len(embeds[0]["description"]) <= 4096


def test_discord_leaves_out_from_the_end_what_does_not_fit_whole() -> None:
    parts = [part(f"user {number}", description="x" * 1500, times=2) for number in range(9)]
    embeds = said(a_digest(SUMMARY, *parts, untold=1), **DISCORD)["embeds"]
    assert [one["title"] for one in embeds] == ["3 events", "user 0", "user 1", "user 2"]
    assert all(len(one["description"]) == 1500 for one in embeds[1:])
    assert embeds[0]["description"].endswith(f"\n🆕 {', '.join(f'user {number} ×2' for number in range(3, 9))}, 0")


@pytest.mark.parametrize(("room", "shown"), [(0, 2), (1, 1)])
def test_discords_six_thousand_characters_are_used_to_the_last(room: int, shown: int) -> None:
    summary = {"title": "t" * 10}
    parts = part("a", description="x" * 3999), part("b", description="y" * (1989 + room))
    embeds = said(a_digest(summary, *parts), **DISCORD)["embeds"]
    assert len(embeds) == 1 + shown
    assert room or sum(map(embed_length, embeds)) == 6000


def test_discord_never_cuts_away_that_there_is_more() -> None:
    embeds = said(a_digest(SUMMARY | {"description": "line\n" * 2000}, untold=500), **DISCORD)["embeds"]
    assert re.search(r"line…\n🆕 0, 1, .*\n… and [0-9]+ more$", embeds[0]["description"])


def test_discord_shows_a_posted_message_as_it_came_as_far_as_it_fits() -> None:
    post = {"content": "hello", "embeds": [{"title": f"one {number}"} for number in range(10)]}
    posted = a_message({"remarks": "sent again"}, type_="message.posted", data={"message": post})
    embeds = said(a_digest(SUMMARY, posted, untold=2), **DISCORD)["embeds"]
    assert embeds[1] == {"description": "sent again\nhello"}
    assert [one["title"] for one in embeds[2:]] == [f"one {number}" for number in range(8)]
    assert embeds[0]["description"].endswith("\n🆕 0, 1")


def test_discords_forums_get_a_thread_for_each_digest() -> None:
    assert said(a_digest(SUMMARY), **DISCORD, thread_name="x")["thread_name"] == "3 events"
    assert said(a_digest({}), **DISCORD, thread_name="x")["thread_name"] == "…"


def test_slack_gets_the_summary_and_the_parts_between_dividers() -> None:
    parts = part("*alice*"), part("bob", remarks="×2", times=2)
    body = said(a_digest(SUMMARY, *parts, untold=4), **SLACK)
    words = [
        block.get("text", {}).get("text") or block.get("elements", [{}])[0].get("text") for block in body["blocks"]
    ]
    assert body["text"] == "3 events"
    assert words == ["3 events", None, "*alice*", None, "×2", "bob", None, "🆕 0, 1, 2, 3"]
    assert [block["type"] for block in body["blocks"]][1:5] == ["divider", "section", "divider", "context"]


def test_slack_leaves_out_from_the_end_what_does_not_fit_whole() -> None:
    body = said(a_digest(SUMMARY, *(part("x" * 2900) for _ in range(10))), **SLACK)
    assert sum(block["type"] == "section" for block in body["blocks"]) == 1 + 3
    assert body["blocks"][-1]["elements"][0]["text"] == f"🆕 {'x' * 39}… ×7"


def test_telegram_gets_the_summary_and_the_parts_one_below_the_other() -> None:
    parts = part("<b>alice</b>"), part("bob", remarks="×2", times=2)
    body = said(a_digest(SUMMARY, *parts), **TELEGRAM)
    assert body["text"] == "3 events\n\n<b>alice</b>\n\n×2\nbob"
    assert (body["parse_mode"], body["chat_id"]) == ("HTML", -1001)


@pytest.mark.parametrize(
    "text", ["x" * 900, " ".join(["<b>y</b>"] * 22), f'<a href="https://x.example/{"z" * 1500}">a</a>']
)
def test_telegram_leaves_out_from_the_end_what_does_not_fit_whole(text: str) -> None:
    body = said(a_digest(SUMMARY, *(part(text) for _ in range(10))), **TELEGRAM)
    shown = body["text"].count(text)
    assert 3 < shown < 10
    assert re.search(rf"\n\n🆕 \S.*… ×{10 - shown}$", body["text"])


async def test_markup_that_telegram_refuses_is_sent_again_as_plain_text(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        sink = a_sink(http, **TELEGRAM, api_base=base)
        attempt = await sink.send_digest(a_digest(SUMMARY, part("<b>broken"), part("&lt;ok&gt;")))
    assert isinstance(attempt.outcome, Delivered)
    assert service.taken[0].body["text"] == "3 events\n\nbroken\n\n<ok>"
    assert attempt.requests == 2


async def test_a_digest_to_a_chat_that_has_moved_follows_it(http: Http) -> None:
    service = Telegram(moved={-77: -10077})
    async with serving(service) as base:
        sink = a_sink(http, **(TELEGRAM | {"chat_id": -77}), api_base=base)
        attempt = await sink.send_digest(a_digest(SUMMARY))
    assert attempt.outcome == Delivered(ref="-10077/1", note="the chat has moved: set chat_id to -10077")


def test_what_is_to_be_known_of_a_digest_stands_above_it() -> None:
    digest = a_digest(SUMMARY | {"remarks": "instead of ops: HTTP 404"}, part("alice"))
    discord = said(digest, **DISCORD)
    assert (discord["content"], len(discord["embeds"])) == ("instead of ops: HTTP 404", 2)
    slack = said(digest, **SLACK)
    assert slack["text"] == "instead of ops: HTTP 404\n3 events"
    assert slack["blocks"][0]["elements"][0]["text"] == "instead of ops: HTTP 404"
    assert said(digest, **TELEGRAM)["text"] == "instead of ops: HTTP 404\n3 events\n\nalice"


def test_zapier_starts_one_run_for_every_event() -> None:
    runs = said(a_digest({}, part("alice"), untold=2), type="zapier", url=f"https://hooks.zapier.com{ZAP}")
    assert [run["username"] for run in runs] == ["alice", "0", "1"]
    assert [run["event_type"] for run in runs] == ["USER_CREATED"] * 3


def program(format_: str | None, **settings: Any) -> HttpSink[Any]:
    format_is = {"format": format_} if format_ else {}
    opened: HttpSink[Any] = config(type="webhook", url="https://x.example", **format_is, **settings).open(
        tools(dialects=DIALECTS)
    )
    return opened


def a_sink_of(way: str) -> HttpSink[Any]:
    settings_, _, _ = WAYS[way]
    opened: HttpSink[Any] = config(**settings_).open(tools(dialects=DIALECTS))
    return opened


DIGESTING = {way: sink for way in WAYS if (sink := a_sink_of(way)).digests}


def test_a_program_gets_an_array_of_all_events_signed_under_the_digests_id() -> None:
    digest = a_digest({}, part("alice"), untold=2)
    request = a_sink(type="webhook", url="https://x.example", secret=SIGNING).build_digest(digest)
    assert json.loads(request.body) == [event.to_json() for event in digest.events]
    assert request.headers["webhook-id"] == digest.id
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["webhook-signature"] == Webhook(SIGNING).sign(digest.id, START, request.body.decode())


def test_cloudevents_go_as_a_batch() -> None:
    digest = a_digest({}, part("alice"), untold=1)
    request = program("cloudevents", secret=SIGNING).build_digest(digest)
    assert request.headers["Content-Type"] == "application/cloudevents-batch+json"
    assert [one["id"] for one in json.loads(request.body)] == [event.id for event in digest.events]
    assert request.headers["webhook-id"] == digest.id


def test_marzbans_elements_stand_in_one_array() -> None:
    digest = a_digest({}, part("alice"), untold=1)
    request = program("marzban", secret="shop").build_digest(digest)
    assert [one["username"] for one in json.loads(request.body)] == ["alice", "0"]
    assert dict(request.headers) == {"Content-Type": "application/json", "x-webhook-secret": "shop"}


def test_an_element_that_a_dialect_puts_into_an_array_is_not_put_into_another() -> None:
    def two(event: Any, *, secret: str | None, at: Any) -> Emission:
        return Emission({}, json.dumps([event.subject, "x"]).encode())

    sink = config(type="webhook", url="https://x.example", format="marzban").open(Tools(Http(), {"marzban": two}))
    assert json.loads(sink.build_digest(a_digest({}, untold=2)).body) == ["user:0", "x", "user:1", "x"]


#: The dialects of panels whose webhook speaks of one event at a time.
SINGLE = ("remnawave", "wgportal", "orbvpn")


@pytest.mark.parametrize("way", WAYS)
def test_a_sink_says_whether_it_can_tell_several_events_as_one_message(way: str) -> None:
    settings_, _, _ = WAYS[way]
    can = settings_["type"] != "gohighlevel" and settings_.get("format") not in SINGLE
    assert a_sink_of(way).digests is can


def test_a_terminal_tells_several_events_as_one_message_and_a_body_of_ones_own_does_not() -> None:
    assert config(type="console").open(tools()).digests
    assert not program(None, body="x").digests


@pytest.mark.parametrize("way", WAYS)
def test_only_chats_ask_for_parts(way: str) -> None:
    _, known, _ = WAYS[way]
    assert (a_sink_of(way).look.parts > 0) is isinstance(known, KnownChat)


def test_no_part_of_a_digest_has_less_room_than_the_service_gives() -> None:
    parts = {settings["type"]: a_sink(**settings).look.parts for settings in (DISCORD, SLACK, TELEGRAM)}
    assert parts == {"discord": 9, "slack": 10, "telegram": 10}


#: What each renderer promises: the marks of its service are escaped. Nothing here but Telegram's HTML can be broken.
escaped = hostile_texts.map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
blocks = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("title", "description", "text", "fields", "color", "footer", "content"), escaped)
)
remarks = st.just("") | st.just("sent again") | escaped.map(lambda text: text[:300])
messages = st.builds(
    lambda said, above, times, data: repeated(
        a_message(
            said | {"remarks": above}, type_="message.posted" if "message" in data else "user.created", data=data
        ),
        times,
    ),
    blocks,
    remarks,
    st.integers(1, 3),
    st.just({"user": {"username": "x"}})
    | st.fixed_dictionaries(
        {
            "message": st.fixed_dictionaries(
                {},
                optional={
                    "content": hostile_texts,
                    "embeds": st.lists(
                        st.fixed_dictionaries({"title": hostile_texts, "description": json_values}), max_size=11
                    ),
                },
            )
        }
    ),
)
digests = st.builds(
    lambda said, parts, untold: a_digest(said, *parts, untold=untold),
    st.builds(lambda said, above: said | {"more": "… and {more} more", "remarks": above}, blocks, remarks),
    st.lists(messages, max_size=10),
    st.integers(1, 50),
)


@given(digest=digests)
def test_no_event_makes_a_digest_that_is_refused(digest: Digest) -> None:
    faults = {
        way: list(reached.faults(DIGESTING[way].build_digest(digest), digest.events))
        for way, (_, _, reached) in WAYS.items()
        if way in DIGESTING
    }
    assert faults == {way: [] for way in DIGESTING}


@given(digest=digests)
def test_what_is_told_and_what_is_said_to_be_left_out_are_all_events(digest: Digest) -> None:
    body = said(digest, **SLACK)
    [last] = [block["elements"][0]["text"] for block in body["blocks"][-1:]]
    shown = sum(block["type"] == "divider" for block in body["blocks"]) - 1
    told = sum(one.circumstances.repeats for one in digest.parts[:shown])
    lines = last.split("\n")
    more = re.fullmatch(r"… and ([0-9]+) more", lines[-1])
    names = [name for line in lines[: -1 if more else None] for name in line.split(", ")]
    counts = [int(times[1]) if (times := re.search(r" ×([0-9]+)$", name)) else 1 for name in names]
    assert sum(counts) + int(more[1] if more else 0) == digest.tally.total - told


@pytest.mark.parametrize(
    ("service", "settings"),
    [
        (Discord(), {"type": "discord", "url": f"/api/webhooks/{ID}/{WEBHOOK_TOKEN}"}),
        (Slack(), {"type": "slack", "url": HOOK}),
        (Zapier(), {"type": "zapier", "url": ZAP}),
        (Receiver(), {"type": "webhook", "url": "/hook"}),
    ],
)
async def test_a_service_takes_a_digest(http: Http, service: Any, settings: dict[str, Any]) -> None:
    async with serving(service) as base:
        sink = a_sink(http, **(settings | {"url": base + settings["url"]}))
        attempt = await sink.send_digest(a_digest(SUMMARY, part("alice"), untold=2))
    assert isinstance(attempt.outcome, Delivered)
    assert len(service.taken) == 1


async def test_a_digest_to_a_service_that_is_not_there_is_away(http: Http, unused_tcp_port: int) -> None:
    sink = a_sink(http, type="slack", url=f"http://127.0.0.1:{unused_tcp_port}{HOOK}")
    assert type((await sink.send_digest(a_digest(SUMMARY))).outcome).__name__ == "Away"
