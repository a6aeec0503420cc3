"""Discord: what is sent, what its answers mean, and that nothing it could refuse goes out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.markup.service import ServiceLook
from bridge.message import RECORD, UNIT
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.discord.embed import fitted_embeds
from bridge.sinks.discord.service import DISCORD
from bridge.sinks.http import Http, Response
from bridge.value import replace
from tests.services.discord import ID, TOKEN, Discord, discord_faults, embed_length, is_empty
from tests.services.service import Answer, serving
from tests.sinks.values import a_message, a_sink, between, config, hostile_texts, json_values

URL = f"https://discord.com/api/webhooks/{ID}/{TOKEN}"
BLOCKS = {
    "title": "🆕 User created",
    "url": "https://panel.example/users/alice",
    "description": "**alice**\nis here",
    "fields": RECORD.join((f"Traffic{UNIT}0 B of 50 GB{UNIT}inline", f"Note{UNIT}two\nlines", f"Empty{UNIT} ")),
    "color": "#2ecc71",
    "footer": "Marzban",
    "content": "",
}


def sent(message: Any, **settings: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(a_sink(type="discord", url=URL, **settings).build(message).body)
    return body


def test_the_blocks_become_one_embed_and_nothing_more() -> None:
    assert sent(a_message(BLOCKS)) == {
        "embeds": [
            {
                "title": "🆕 User created",
                "description": "**alice**\nis here",
                "url": "https://panel.example/users/alice",
                "color": 0x2ECC71,
                "timestamp": "2026-11-21T04:14:18Z",
                "footer": {"text": "Marzban"},
                "fields": [
                    {"name": "Traffic", "value": "0 B of 50 GB", "inline": True},
                    {"name": "Note", "value": "two\nlines", "inline": False},
                    {"name": "Empty", "value": "\u200b", "inline": False},
                ],
            }
        ],
        "allowed_mentions": {"parse": []},
    }


def test_wait_is_always_asked_for_and_other_parameters_stay() -> None:
    sink = a_sink(type="discord", url=f"{URL}?with_components=false&wait=false", thread_id=42)
    assert dict(sink.build(a_message(BLOCKS)).url.query) == {
        "with_components": "false",
        "wait": "true",
        "thread_id": "42",
    }


def test_name_picture_and_mentions_are_the_operators() -> None:
    said = sent(
        a_message(BLOCKS),
        username="Panel",
        avatar_url="https://x.example/a.png",
        allowed_mentions={"roles": [123], "parse": ["users"]},
    )
    assert (said["username"], said["avatar_url"]) == ("Panel", "https://x.example/a.png")
    assert said["allowed_mentions"] == {"parse": ["users"], "roles": ["123"]}


def test_the_thread_name_is_a_template_and_falls_back_to_the_type() -> None:
    settings: dict[str, Any] = {"type": "discord", "url": URL, "thread_name": "{{ data.user.username }}"}
    assert a_sink(**settings).look == ServiceLook(DISCORD, (("thread_name", "{{ data.user.username }}"),), parts=9)
    assert sent(a_message({**BLOCKS, "thread_name": "alice"}), thread_name="x")["thread_name"] == "alice"
    assert sent(a_message({**BLOCKS, "thread_name": " "}), thread_name="x")["thread_name"] == "user.created"


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("16711680", 0xFF0000),
        ("#ff0000", 0xFF0000),
        ("0xFF0000", 0xFF0000),
        ("", None),
        ("red", None),
        ("99999999", None),
    ],
)
def test_a_colour_is_decimal_or_behind_a_hash(color: str, expected: int | None) -> None:
    assert sent(a_message({"title": "x", "color": color}))["embeds"][0].get("color") == expected


def test_a_message_of_nothing_still_says_what_happened() -> None:
    assert sent(a_message({}))["embeds"] == [{"title": "user.created"}]
    assert sent(a_message({"color": "1", "title": "\u200b"}))["embeds"] == [{"title": "user.created"}]


def test_what_does_not_fit_is_cut_by_whole_lines_with_its_markup_closed() -> None:
    said = sent(a_message({"title": "**" + "word " * 100 + "**", "description": "line\n" * 2000}))["embeds"][0]
    assert said["title"].endswith("word…**")
    assert len(said["title"]) <= 256
    assert said["description"].endswith("\nline…")
    assert len(said["description"]) > 4080


def test_fields_beyond_the_twenty_fifth_leave_an_ellipsis() -> None:
    fields = RECORD.join(f"name {i}{UNIT}value" for i in range(30))
    kept = sent(a_message({"fields": fields}))["embeds"][0]["fields"]
    assert len(kept) == 25
    assert kept[-1]["value"] == "value\n…"


POST = {
    "content": "hello @everyone",
    "embeds": [
        {"title": "one", "color": 255, "fields": [{"name": "", "value": "v", "inline": True}], "type": "rich", "x": 1},
        {
            "description": "two",
            "timestamp": "2026-01-01T00:00:00",
            "url": "javascript:alert(1)",
            "image": {"url": "attachment://a"},
        },
        "three",
        {"author": {"name": "four", "icon_url": "https://x.example/i.png", "proxy_icon_url": None}, "thumbnail": None},
    ],
    "username": "Marzban",
    "avatar_url": "https://x.example/a.png",
    "thread_id": "77",
    "files": [{"name": "a`b.txt", "content_type": "text/plain"}],
}


def test_a_posted_message_is_passed_on_as_it_came_as_far_as_discord_takes_it() -> None:
    message = a_message({"title": "unused"}, type_="message.posted", data={"message": POST})
    request = a_sink(type="discord", url=URL).build(message)
    assert dict(request.url.query) == {"wait": "true", "thread_id": "77"}
    assert json.loads(request.body) == {
        "content": "hello @everyone\n📎 `a'b.txt`",
        "embeds": [
            {"title": "one", "color": 255, "fields": [{"name": "\u200b", "value": "v", "inline": True}]},
            {"description": "two", "timestamp": "2026-01-01T00:00:00Z"},
            {"author": {"name": "four", "icon_url": "https://x.example/i.png"}},
        ],
        "username": "Marzban",
        "avatar_url": "https://x.example/a.png",
        "allowed_mentions": {"parse": []},
    }


def test_the_operators_name_and_thread_win_over_the_posted_ones() -> None:
    message = a_message(type_="message.posted", data={"message": POST})
    request = a_sink(type="discord", url=URL, username="Ops", thread_id="5").build(message)
    assert request.url.query["thread_id"] == "5"
    assert json.loads(request.body)["username"] == "Ops"


def test_a_template_speaks_for_a_posted_message() -> None:
    said = sent(a_message({"title": "mine"}, type_="message.posted", data={"message": POST}, template="mine"))
    assert said["embeds"][0]["title"] == "mine"


def test_a_posted_message_of_which_nothing_is_left_is_told_by_its_blocks() -> None:
    posted = {"embeds": [{"color": 1}], "components": [{"type": 1}], "username": "Clyde"}
    said = sent(a_message({"title": "A message"}, type_="message.posted", data={"message": posted}))
    assert said["embeds"][0]["title"] == "A message"
    assert "username" not in said


# What a posted message is besides content and embeds

TEXT = {"type": 10, "content": "# Node fra-1 is away"}
LINK = {"type": 2, "style": 5, "label": "Open", "url": "https://x.example/open"}
PICTURE = {"media": {"url": "https://x.example/a.png"}, "description": "Load"}
COMPONENTS = [
    TEXT,
    {"type": 14, "divider": False, "spacing": 2},
    {
        "type": 17,
        "accent_color": 255,
        "components": [
            {"type": 9, "components": [TEXT], "accessory": {"type": 11, **PICTURE}},
            {"type": 12, "items": [PICTURE]},
            {"type": 1, "components": [LINK]},
        ],
    },
]
POLL = {
    "question": {"text": "Where to?"},
    "answers": [{"poll_media": {"text": "Home", "emoji": {"name": "🏠"}}}, {"poll_media": {"text": "Office"}}],
    "duration": 48,
    "allow_multiselect": True,
}


def posted(blocks: Any = None, *, template: str | None = None, **message: Any) -> Any:
    return a_message(
        blocks or {"title": "unused"}, type_="message.posted", data={"message": message}, template=template
    )


def test_components_arrive_as_they_came() -> None:
    request = a_sink(type="discord", url=URL).build(posted(components=COMPONENTS, flags=32768 | 4096))
    assert dict(request.url.query) == {"wait": "true", "with_components": "true"}
    assert json.loads(request.body) == {
        "components": COMPONENTS,
        "flags": 32768 | 4096,
        "allowed_mentions": {"parse": []},
    }


def test_remarks_and_files_stand_above_and_below_components() -> None:
    said = sent(posted({"remarks": "🔁 Replay"}, components=[TEXT], flags=32768, files=[{"name": "a.csv"}]))
    assert [one["content"] for one in said["components"]] == ["🔁 Replay", TEXT["content"], "📎 `a.csv`"]


def test_links_below_a_message_arrive_and_what_wants_an_answer_does_not() -> None:
    menu = {"type": 1, "components": [{"type": 3, "custom_id": "m", "options": []}]}
    asks = {"type": 2, "style": 1, "label": "Yes", "custom_id": "yes"}
    said = sent(posted(content="hi", components=[{"type": 1, "components": [asks, LINK]}, menu]))
    assert (said["content"], said["components"]) == ("hi", [{"type": 1, "components": [LINK]}])


def test_a_section_whose_picture_is_an_upload_keeps_its_texts() -> None:
    section = {"type": 9, "components": [TEXT], "accessory": {"type": 11, "media": {"url": "attachment://a.png"}}}
    assert sent(posted(components=[section], flags=32768))["components"] == [TEXT]


def test_components_with_content_beside_them_are_told_in_it() -> None:
    said = sent(posted(content="hi", components=[TEXT], flags=32768))
    assert (said["content"], said.get("flags")) == ("hi\n# Node fra-1 is away", None)


def test_a_poll_arrives_as_it_came() -> None:
    said = sent(posted(poll=POLL))
    assert said == {"poll": POLL, "allowed_mentions": {"parse": []}}


def test_a_poll_that_discord_would_refuse_is_told_in_words() -> None:
    assert sent(posted(poll={"question": {"text": "Where to?"}}))["content"] == "📊 Where to?"


@pytest.mark.parametrize(("flags", "expected"), [(4, 4), (4096, 4096), (4100, 4100), ("4096", 4096), (64, None)])
def test_flags_arrive_those_that_a_webhook_may_set(flags: Any, expected: int | None) -> None:
    assert sent(posted(content="hi", flags=flags)).get("flags") == expected


def test_a_template_for_a_silent_message_is_silent_and_its_embed_is_shown() -> None:
    assert sent(posted(BLOCKS, content="hi", flags=4100, template="mine"))["flags"] == 4096


def test_the_name_of_a_thread_arrives_where_the_sink_has_no_thread_of_its_own() -> None:
    message = posted({**BLOCKS, "thread_name": "mine"}, content="hi", thread_name=" Outage ")
    assert sent(message)["thread_name"] == "Outage"
    assert "thread_name" not in sent(message, thread_id="5")
    assert sent(message, thread_name="x")["thread_name"] == "mine"


async def test_a_forum_takes_a_message_that_names_its_thread(http: Http) -> None:
    service = Discord(forum=True)
    async with serving(service) as base:
        attempt = await a_sink(http, type="discord", url=base + service.path()).send(
            posted(content="hi", thread_name="Outage")
        )
    assert attempt.outcome == Delivered(ref="1400000000000000001/1400000000000000001")
    assert attempt.learned == ()
    assert service.messages["1400000000000000001"].body["thread_name"] == "Outage"


async def test_a_thread_that_cannot_begin_in_a_channel_is_posted_to_it(http: Http) -> None:
    service = Discord()
    async with serving(service) as base:
        attempt = await a_sink(http, type="discord", url=base + service.path()).send(
            posted(content="hi", thread_name="Outage", components=[{"type": 1, "components": [LINK]}])
        )
    assert isinstance(attempt.outcome, Delivered)
    assert attempt.outcome.note == "the message's thread cannot be posted in here: posted to the channel"
    assert service.taken[0].query == {"wait": "true", "with_components": "true"}


async def test_a_forum_in_which_a_posted_thread_is_not_begins_the_one_that_is_named(http: Http) -> None:
    service = Discord(forum=True)
    async with serving(service) as base:
        attempt = await a_sink(http, type="discord", url=base + service.path()).send(
            posted(content="hi", thread_id="77", thread_name="Outage")
        )
    assert isinstance(attempt.outcome, Delivered)
    assert attempt.outcome.note is None


async def test_discord_takes_components_and_polls(http: Http) -> None:
    service = Discord()
    async with serving(service) as base:
        sink = a_sink(http, type="discord", url=base + service.path())
        for message in (posted(components=COMPONENTS, flags=32768), posted(poll=POLL)):
            assert isinstance((await sink.send(message)).outcome, Delivered)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response(200, body=b'{"id": "99"}'), Delivered(ref="99")),
        (Response(204), Delivered()),
        (Response(200, body=b"<html>welcome</html>"), between(200, "a web page")),
        (Response(200, body=b'{"logged_in": true}'), between(200, "JSON of another shape")),
        (Response(200), between(200, "nothing")),
        (Response(429, body=b'{"retry_after": 0.65}'), Limited(0.65)),
        (Response(429, {"retry-after": "2"}, b'{"retry_after": 0.65, "global": true}'), Limited(0.65)),
        (Response(429, {"retry-after": "60"}, b"<html>"), Limited(60.0)),
        (Response(429, {}, b"<html>error code: 1015"), Limited(600.0)),
        (Response(429, {"via": "1.1 google"}, b""), Limited()),
        (Response(429, body=b'{"retry_after": "soon"}'), Limited()),
        (Response(429, {"retry-after": "0"}, b'{"retry_after": 0}'), Limited()),
        (Response(429, {"retry-after": "3"}, b'{"retry_after": 0}'), Limited(3.0)),
        (Response(429, {"retry-after": "0"}, b""), Limited(600.0)),
        (Response(429, body=b'{"retry_after": 1e300}'), Limited(86400.0)),
        (Response(400, body=b'{"code": 20028, "retry_after": 3.5}'), Limited(3.5)),
        (Response(503, body=b'{"code": 130000, "message": "overloaded"}'), Limited()),
        (Response(403, body=b'{"code": 20016}'), Limited()),
        (
            Response(
                400,
                body=b'{"message":"Invalid Form Body","code":50035,"errors":{"embeds":{"0":{"title":{"_errors":'
                b'[{"code":"BASE_TYPE_MAX_LENGTH","message":"Must be 256 or fewer in length."}]}}}}}',
            ),
            Refused("HTTP 400, code 50035: Invalid Form Body: embeds.0.title: Must be 256 or fewer in length."),
        ),
        (
            Response(400, body=b'{"message":"Cannot send an empty message","code":50006}'),
            Refused("HTTP 400, code 50006: Cannot send an empty message"),
        ),
        (Response(400, body=b'{"code":50035,"errors":[1]}'), Refused("HTTP 400, code 50035")),
        (Response(400, body=b"[]"), between(400, "a text")),
        (Response(400, body=b'{"embeds":["0"]}'), Refused("HTTP 400")),
        (Response(413, body=b"<html>"), Refused("HTTP 413")),
        (Response(403, body=b'{"code":240000,"message":"harmful"}'), Refused("HTTP 403, code 240000: harmful")),
        (Response(403, body=b'{"code":99999,"message":"new"}'), Gone("HTTP 403, code 99999: new")),
        (Response(400, body=b'{"code":99999,"message":"new"}'), Refused("HTTP 400, code 99999: new")),
        (
            Response(401, body=b'{"code":0,"message":"401: Unauthorized"}'),
            Gone("HTTP 401, code 0: 401: Unauthorized"),
        ),
        (Response(403, body=b'{"code":403,"message":"Forbidden"}'), between(403, "JSON of another shape")),
        (Response(403, body=b"error code: 1010"), between(403, "error code: 1010")),
        (
            Response(403, body=b'{"code":40333,"message":"internal network error"}'),
            Away("HTTP 403, code 40333: internal network error", counts=False),
        ),
        (Response(403, body=b'{"code":40004,"message":"off"}'), Away("HTTP 403, code 40004: off")),
        (Response(413, body=b'{"code":40005,"message":"too large"}'), Refused("HTTP 413, code 40005: too large")),
        (
            Response(404, body=b'{"code":10015,"message":"Unknown Webhook"}'),
            Gone("HTTP 404, code 10015: Unknown Webhook"),
        ),
        (Response(404, body=b"nothing here"), between(404, "a text")),
        (Response(401, body=b'{"code":50027,"message":"Invalid"}'), Gone("HTTP 401, code 50027: Invalid")),
        (Response(403, body=b'{"code":50013,"message":"Missing"}'), Gone("HTTP 403, code 50013: Missing")),
        (Response(502, body=b"<html>"), Away("HTTP 502")),
        (Response(500), Away("HTTP 500")),
    ],
)
def test_classify(response: Response, expected: Outcome) -> None:
    assert a_sink(type="discord", url=URL).classify(response) == expected


WEBHOOK = f"discord webhook {ID}"


def test_a_webhook_an_address_and_what_leads_to_a_ban_have_limits_that_sinks_share() -> None:
    limits = (
        Limit("", Rate(10, 1.0)),
        Limit(WEBHOOK, Rate(5, 2.0)),
        Limit(WEBHOOK, Rate(30, 60.0)),
        Limit("ip discord", Rate(50, 1.0)),
        Limit("ip discord invalid", Rate(9000, 600.0), sends=False),
    )
    assert a_sink(type="discord", url=URL).limits == a_sink(type="discord", url=URL, thread_id="7").limits == limits
    assert a_sink(type="discord", url=URL, rate="1/s").limits == (Limit("", Rate(1, 1.0)), limits[-1])
    gateway = a_sink(type="discord", url="https://gateway.example/hook").limits[1].scope
    assert gateway.startswith("discord webhook ")
    assert "gateway" not in gateway


@pytest.mark.parametrize(
    ("status", "headers", "counts"),
    [
        (401, {}, True),
        (403, {}, True),
        (429, {}, True),
        (429, {"x-ratelimit-scope": "user"}, True),
        (429, {"x-ratelimit-scope": "shared"}, False),
        (404, {}, False),
        (400, {}, False),
        (200, {}, False),
    ],
)
def test_what_leads_to_a_ban_is_counted(status: int, headers: dict[str, str], counts: bool) -> None:
    attempt = a_sink(type="discord", url=URL).judge(Response(status, headers, b'{"id": "1"}'))
    assert attempt.scopes == (("ip discord invalid",) if counts else ())


async def test_the_channel_is_learned_from_the_answer_unless_the_operator_gave_a_rate(http: Http) -> None:
    service = Discord(threads=("77",))
    posted = a_message(type_="message.posted", data={"message": {"content": "hi", "thread_id": "77"}})
    async with serving(service) as base:
        url = base + service.path()
        learned = [
            (await a_sink(http, type="discord", url=url, **given).send(message)).learned
            for given, message in (
                ({}, a_message(BLOCKS)),
                ({"thread_id": "77"}, a_message(BLOCKS)),
                ({"rate": "5/s"}, a_message(BLOCKS)),
                ({}, posted),
            )
        ]
    channel, thread = (Limit(f"discord channel {id_}", Rate(30, 60.0)) for id_ in ("987654321", "77"))
    assert learned == [(channel,), (thread,), (), ()]


async def test_no_limit_is_learned_of_threads_that_each_message_begins(http: Http) -> None:
    service = Discord(forum=True)
    async with serving(service) as base:
        sink = a_sink(http, type="discord", url=base + service.path(), thread_name="x")
        attempt = await sink.send(a_message(BLOCKS | {"thread_name": "alice"}))
    assert attempt.outcome == Delivered(ref="1400000000000000001/1400000000000000001")
    assert attempt.learned == ()


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "1.25"}, 1.25),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset-after": "1.25"}, 0.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "soon"}, 0.0),
        ({}, 0.0),
    ],
)
def test_the_last_one_of_a_bucket_is_followed_by_a_pause(headers: dict[str, str], pause: float) -> None:
    assert a_sink(type="discord", url=URL).pause(Response(200, headers)) == pause


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"url": "discord.com/api/webhooks/1/x"}, "should be an address that begins with http:// or https://"),
        ({"url": ""}, "is empty"),
        ({"url": "https://"}, "should be an address"),
        ({"url": "https://exa mple/"}, "should be an address"),
        ({"url": "https://ex\x00/"}, "should be an address"),
        ({"url": f"https://{'a' * 64}.example/"}, "should be an address"),
        ({"url": "https://a..example/"}, "should be an address"),
        ({"url": URL, "username": "My Discord bot"}, "without `discord` or `clyde`"),
        ({"url": URL, "username": " Everyone"}, "not everyone or here"),
        ({"url": URL, "username": "x" * 81}, "1 to 80 characters"),
        ({"url": URL, "thread_id": "1", "thread_name": "x"}, "either thread_id or thread_name"),
        ({"url": URL, "thread_id": "general"}, "should be an id"),
        ({"url": URL, "avatar_url": "ftp://x"}, "should be an address"),
        ({"url": URL, "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, "not both"),
        ({"url": URL, "allowed_mentions": {"parse": ["all"]}}, "everyone"),
        ({"url": URL, "colour": "red"}, "Extra inputs"),
    ],
)
def test_a_wrong_setting_says_what_to_do(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        config(type="discord", **settings)


async def test_discord_takes_it_and_gives_its_id(http: Http) -> None:
    service = Discord()
    async with serving(service) as base:
        attempt = await a_sink(http, type="discord", url=base + service.path()).send(a_message(BLOCKS))
    assert attempt.outcome == Delivered(ref="1400000000000000001")
    assert attempt.status == 200
    assert service.taken[0].headers["user-agent"].startswith("Panelbridge/")


async def test_the_sixth_in_two_seconds_is_limited_and_the_fifth_asks_for_a_pause(http: Http) -> None:
    service = Discord(limit=5)
    async with serving(service) as base:
        sink = a_sink(http, type="discord", url=base + service.path())
        attempts = [await sink.send(a_message(BLOCKS)) for _ in range(6)]
    assert [type(one.outcome) for one in attempts] == [Delivered] * 5 + [Limited]
    assert attempts[3].pause == 0.0
    assert 1.0 < attempts[4].pause <= 2.0


async def test_a_deleted_webhook_is_gone(http: Http) -> None:
    service = Discord()
    service.deleted = True
    async with serving(service) as base:
        attempt = await a_sink(http, type="discord", url=base + service.path()).send(a_message(BLOCKS))
    assert attempt.outcome == Gone("HTTP 404, code 10015: Unknown Webhook")


async def test_a_wrong_token_is_gone_and_stays_secret(http: Http) -> None:
    service = Discord()
    token = "wrong-token-0123456789-abcdef"
    async with serving(service) as base:
        sink = a_sink(http, type="discord", url=base + service.path(token))
        service.answer_next(Answer(401, {"message": f"no webhook {token}", "code": 50027}))
        attempt = await sink.send(a_message(BLOCKS))
    assert attempt.outcome == Gone("HTTP 401, code 50027: no webhook ***")
    assert token not in attempt.answer


async def test_a_posted_thread_that_is_not_here_is_posted_to_the_channel(http: Http) -> None:
    service = Discord()
    message = a_message(type_="message.posted", data={"message": {"content": "hi", "thread_id": "77"}})
    async with serving(service) as base:
        attempt = await a_sink(http, type="discord", url=base + service.path()).send(message)
    assert isinstance(attempt.outcome, Delivered)
    assert attempt.outcome.note == "the message's thread cannot be posted in here: posted to the channel"
    assert service.taken[0].query == {"wait": "true"}


@pytest.mark.parametrize(("native_type", "thread"), [("discord:create_user", "77"), ("user_created", None)])
def test_what_was_posted_to_us_goes_to_its_thread_whatever_it_became(native_type: str, thread: str | None) -> None:
    message = a_message(BLOCKS, data={"message": {"thread_id": "77"}})
    message = replace(message, event=replace(message.event, native_type=native_type))
    assert a_sink(type="discord", url=URL).build(message).url.query.get("thread_id") == thread


async def test_a_posted_thread_that_is_here_is_kept(http: Http) -> None:
    service = Discord(threads=("77",))
    message = a_message(type_="message.posted", data={"message": {"content": "hi", "thread_id": "77"}})
    async with serving(service) as base:
        await a_sink(http, type="discord", url=base + service.path()).send(message)
    assert service.taken[0].query == {"wait": "true", "thread_id": "77"}


async def test_a_thread_of_the_operators_that_is_not_there_is_gone(http: Http) -> None:
    service = Discord()
    async with serving(service) as base:
        attempt = await a_sink(http, type="discord", url=base + service.path(), thread_id="5").send(a_message(BLOCKS))
    assert attempt.outcome == Gone("HTTP 404, code 10003: Unknown Channel")


def taken_by_discord(body: bytes) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(body)
    assert list(discord_faults(said)) == []
    assert not is_empty(said)
    assert said["allowed_mentions"] == {"parse": []}
    return said


records = st.lists(st.tuples(hostile_texts, hostile_texts, st.sampled_from(["inline", "", "x"])), max_size=40)


@given(
    texts=st.fixed_dictionaries(
        dict.fromkeys(("content", "title", "url", "description", "color", "footer"), hostile_texts)
    ),
    fields=records,
    thread=hostile_texts,
)
def test_no_text_makes_a_message_that_discord_refuses(texts: dict[str, str], fields: Any, thread: str) -> None:
    blocks = texts | {"fields": RECORD.join(UNIT.join(one) for one in fields), "thread_name": thread}
    taken_by_discord(a_sink(type="discord", url=URL, thread_name="x").build(a_message(blocks)).body)


emojis = st.sampled_from(["👍", "1️⃣", "🏳️‍🌈", "thumbsup", "x"]).map(lambda name: {"name": name})
media = json_values | st.fixed_dictionaries({}, optional={"text": hostile_texts, "emoji": json_values | emojis})
addresses = json_values | st.sampled_from(["https://x.example/a.png", "attachment://a.png"])
picture_items = st.fixed_dictionaries(
    {"media": st.fixed_dictionaries({"url": addresses})},
    optional={"description": hostile_texts, "spoiler": json_values},
)
leaves = (
    st.fixed_dictionaries({"type": st.just(10), "content": hostile_texts | json_values})
    | st.fixed_dictionaries(
        {"type": st.just(2), "style": st.integers(1, 6), "url": addresses, "label": hostile_texts},
        optional={"emoji": emojis, "custom_id": json_values},
    )
    | st.fixed_dictionaries({"type": st.just(12), "items": st.lists(picture_items, max_size=12)})
    | picture_items.map(lambda item: {"type": 11, **item})
    | st.fixed_dictionaries({"type": st.just(14)}, optional={"divider": json_values, "spacing": json_values})
    | st.fixed_dictionaries({"type": st.integers(0, 20), "components": json_values})
)
component_lists = st.lists(
    st.recursive(
        leaves,
        lambda inner: st.fixed_dictionaries(
            {"type": st.sampled_from([1, 9, 17]), "components": st.lists(inner, max_size=6)},
            optional={"accessory": inner, "accent_color": json_values},
        ),
        max_leaves=12,
    ),
    max_size=45,
)

posts = st.fixed_dictionaries(
    {},
    optional={
        "content": json_values,
        "embeds": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "title": json_values,
                    "description": json_values,
                    "url": json_values | st.just("https://x.example/é ü|?<>"),
                    "color": json_values | st.integers(-5, 2**25),
                    "timestamp": json_values | st.datetimes().map(str),
                    "footer": json_values | st.fixed_dictionaries({"text": hostile_texts, "icon_url": json_values}),
                    "author": json_values | st.fixed_dictionaries({"name": hostile_texts, "url": json_values}),
                    "image": json_values | st.fixed_dictionaries({"url": json_values}),
                    "thumbnail": json_values,
                    "fields": json_values
                    | st.lists(st.fixed_dictionaries({"name": json_values, "value": json_values}), max_size=30),
                },
            )
            | json_values,
            max_size=14,
        )
        | json_values,
        "username": hostile_texts | json_values,
        "avatar_url": json_values,
        "thread_id": json_values,
        "files": st.lists(st.fixed_dictionaries({"name": json_values}), max_size=5) | json_values,
        "thread_name": hostile_texts | json_values,
        "flags": json_values | st.sampled_from([4, 4096, 32768, 32768 | 4096, 2**20]),
        "components": component_lists | json_values,
        "poll": json_values
        | st.fixed_dictionaries(
            {
                "question": json_values | st.fixed_dictionaries({"text": hostile_texts}),
                "answers": json_values
                | st.lists(st.fixed_dictionaries({"poll_media": media}) | json_values, max_size=12),
            },
            optional={"duration": json_values, "allow_multiselect": json_values},
        ),
    },
)


@given(post=posts | json_values)
def test_no_posted_message_makes_one_that_discord_refuses(post: Any) -> None:
    message = a_message({"title": "A message"}, type_="message.posted", data={"message": post})
    taken_by_discord(a_sink(type="discord", url=URL).build(message).body)


@given(st.lists(st.fixed_dictionaries({"title": hostile_texts, "description": hostile_texts}), max_size=12))
def test_what_fits_once_fits_unchanged(embeds: list[dict[str, str]]) -> None:
    fitted = fitted_embeds(embeds)
    assert fitted_embeds(fitted) == fitted
    assert sum(map(embed_length, fitted)) <= 6000
