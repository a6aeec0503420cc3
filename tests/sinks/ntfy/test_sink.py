"""ntfy: what is sent, what its answers mean, and that nothing it could refuse goes out."""

import json
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from bridge.markup.service import ServiceLook
from bridge.message import PLAIN, Circumstances
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.http import Http, Response
from bridge.sinks.ntfy.answers import GONE
from bridge.sinks.ntfy.message import TEXT, TITLE
from bridge.sinks.ntfy.service import NTFY
from bridge.sinks.ntfy.text import NtfyText
from tests.services.ntfy import TOKEN, TOPIC, Ntfy, ntfy_faults
from tests.services.service import serving
from tests.sinks.values import a_digest, a_message, a_sink, an_update, between, config, hostile_texts

BASE: dict[str, Any] = {"type": "ntfy", "topic": TOPIC}
SILENT = Circumstances(silent=True)


def sent(blocks: Any, circumstances: Circumstances = PLAIN, **settings: Any) -> dict[str, Any]:
    message = a_message(blocks, circumstances=circumstances)
    said: dict[str, Any] = json.loads(a_sink(**(BASE | settings)).build(message).body)
    return said


def test_only_what_is_set_is_sent() -> None:
    request = a_sink(**BASE).build(a_message({"heading": "New", "text": "hi"}))
    assert (request.method, str(request.url)) == ("POST", "https://ntfy.sh/")
    assert request.headers == {"Content-Type": "application/json"}
    assert json.loads(request.body) == {"topic": TOPIC, "title": "New", "message": "hi", "tags": ["user.created"]}


def test_every_setting_reaches_the_wire() -> None:
    settings: dict[str, Any] = {"priority": 5, "tags": ["warning"], "icon": "https://x.example/i.png"}
    told = {**settings, "tags": ["warning", "user.created"]}
    assert sent({"text": "hi"}, **settings) == {"topic": TOPIC, "message": "hi", **told}
    request = a_sink(**BASE, token=TOKEN, api_base="https://push.example/").build(a_message({"text": "hi"}))
    assert (str(request.url), request.headers["Authorization"]) == ("https://push.example/", f"Bearer {TOKEN}")


@pytest.mark.parametrize(("priority", "silent"), [(None, 2), (5, 2), (2, 2), (1, 1)])
def test_a_silent_message_is_never_louder(priority: int | None, silent: int) -> None:
    assert sent({"text": "hi"}, SILENT, priority=priority)["priority"] == silent


def test_what_has_nothing_to_show_says_its_type() -> None:
    assert sent({"heading": " \u200b", "text": "\n"}) == {
        "topic": TOPIC,
        "message": "user.created",
        "tags": ["user.created"],
    }


@pytest.mark.parametrize(
    ("type_", "priority"),
    [
        ("node.connection_lost", 4),
        ("security.login_failed", 4),
        ("bridge.lane_parked", 4),
        ("node.connection_restored", None),
        ("user.expired", None),
        ("user.deleted", None),
        ("user.login", 2),
        ("json.what,is,this", None),
    ],
)
def test_how_loud_it_is_says_what_it_means(type_: str, priority: int | None) -> None:
    body = json.loads(a_sink(**BASE).build(a_message({"text": "x"}, type_=type_)).body)
    assert body.get("priority") == priority
    assert body.get("tags") == ([type_] if "," not in type_ else None)
    given = json.loads(a_sink(**BASE, priority=1).build(a_message({"text": "x"}, type_=type_)).body)
    assert given["priority"] == 1


def test_a_digest_is_as_loud_as_the_loudest_of_it() -> None:
    parts = [a_message({"text": "x"}, type_=type_) for type_ in ("user.login", "node.connection_lost")]
    body = json.loads(a_sink(**BASE).build_digest(a_digest({"text": "2 events"}, *parts)).body)
    assert (body["priority"], body["tags"]) == (4, ["user.login", "node.connection_lost"])
    quiet = json.loads(a_sink(**BASE).build_digest(a_digest({"text": "1 event"}, parts[0])).body)
    assert quiet["priority"] == 2


ACTIONS = [{"label": "a", "url": "b"}] * 3


def test_a_touch_and_buttons_lead_somewhere_or_are_left_out() -> None:
    blocks = {
        "text": "x",
        "click": " https://panel.example/ ",
        "action_0_label": "Open\nit",
        "action_0_url": "https://panel.example/alice",
        "action_1_label": "",
        "action_1_url": "https://panel.example/",
        "action_2_label": "bad",
        "action_2_url": "javascript:alert(1)",
    }
    said = sent(blocks, click="c", actions=ACTIONS)
    assert said["click"] == "https://panel.example/"
    assert said["actions"] == [{"action": "view", "label": "Open it", "url": "https://panel.example/alice"}]
    nowhere = sent({"text": "x", "click": "tel:1"}, click="c")
    assert "click" not in nowhere


def test_all_of_it_together_keeps_to_the_limit_of_the_whole() -> None:
    long = f"https://x.example/{'u' * 480}"
    links = {f"action_{n}_{key}": value for n in range(3) for key, value in (("label", "я" * 200), ("url", long))}
    icon = f"https://x.example/{'i' * 2000}"
    sink = a_sink(**BASE, tags=["t" * 60] * 10, icon=icon, click="c", actions=ACTIONS)
    request = sink.build(a_message({"heading": "я" * 900, "text": "я" * 9000, "click": long, **links}))
    assert 8192 - 60 < len(request.body) <= 8192
    assert list(ntfy_faults(json.loads(request.body), len(request.body))) == []


def test_a_title_is_one_line() -> None:
    assert sent({"heading": "a\n\tb", "text": "x"})["title"] == "a b"


@pytest.mark.parametrize("letter", ["x", "я", "😀", '"', "\\", "\x01"])
def test_both_limits_are_in_bytes_as_json_has_them(letter: str) -> None:
    body = sent({"heading": "a" + letter * 5000, "text": "a" + letter * 5000})
    assert TITLE - 24 < len(json.dumps(body["title"], ensure_ascii=False).encode()) - 2 <= TITLE
    assert TEXT - 24 < len(json.dumps(body["message"], ensure_ascii=False).encode()) - 2 <= TEXT


@given(hostile_texts, hostile_texts)
def test_nothing_that_it_could_refuse_goes_out(heading: str, text: str) -> None:
    body = a_sink(**BASE).build(a_message({"heading": heading, "text": text, "remarks": "sent again"})).body
    assert list(ntfy_faults(json.loads(body), len(body))) == []


def test_a_digest_has_the_parts_that_fit_whole_below_its_summary() -> None:
    parts = [a_message({"heading": "New", "text": text * 1000}) for text in "abcdef"]
    summary = {"heading": "6 events", "text": "sum", "more": "{more} more"}
    body = json.loads(a_sink(**BASE).build_digest(a_digest(summary, *parts)).body)
    assert body["title"] == "6 events"
    assert body["message"] == "\n\n".join(["sum", *(f"New\n{text * 1000}" for text in "abcd"), "🆕 alice ×2"])


def test_a_digest_that_is_too_long_alone_is_cut() -> None:
    body = json.loads(a_sink(**BASE).build_digest(a_digest({"text": "line\n" * 2000}, a_message({"text": "x"}))).body)
    assert body["message"].endswith("line…")


NO = {"code": 40301, "http": 403, "error": "no"}


def answer(status: int, code_: int | None = None, **more: Any) -> Response:
    said = {"code": code_, "http": status, "error": "no"} if code_ else {}
    return Response(status, {}, json.dumps(said | more).encode())


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (answer(200, id="sPs71M8A", event="message"), Delivered()),
        (answer(200, id="sPs71M8A", event="open"), between(200, "JSON of another shape")),
        (answer(200, id=7, event="message"), between(200, "JSON of another shape")),
        (answer(200), between(200, "a text")),
        (Response(200, {}, b"<html>"), between(200, "a web page")),
        *((answer(int(str(code)[:3]), code), Gone(f"HTTP {str(code)[:3]}, code {code}: no")) for code in GONE),
        (answer(400, 40000), Refused("HTTP 400, code 40000: no")),
        (answer(400, 40007), Refused("HTTP 400, code 40007: no")),
        (answer(400, 40014), Refused("HTTP 400, code 40014: no")),
        (answer(400, 40024), Refused("HTTP 400, code 40024: no")),
        (answer(413, 41303), Refused("HTTP 413")),
        (answer(403, **(NO | {"http": 200})), between(403, "JSON of another shape")),
        (answer(403, **(NO | {"code": "40301"})), between(403, "JSON of another shape")),
        (answer(403, **(NO | {"code": True})), between(403, "JSON of another shape")),
        (answer(403, **(NO | {"error": None})), between(403, "JSON of another shape")),
        (Response(404, {}, b"404 page not found"), between(404, "a text")),
        (answer(429, 42901), Limited(5.0)),
        (answer(429, 42904), Limited(300.0)),
        (answer(429, 42908), Limited(3600.0)),
        (answer(429, 42909), Limited(60.0)),
        (Response(429, {"retry-after": "7"}, b""), Limited(7.0)),
        (Response(429, {}, b"<html>"), Limited()),
        (answer(500, 50001), Away("HTTP 500")),
        (answer(507, 50701), Away("HTTP 507")),
    ],
)
def test_its_answers(response: Response, outcome: Outcome) -> None:
    assert a_sink(**BASE).classify(response) == outcome


async def test_a_message_arrives_and_what_comes_later_is_a_new_one(http: Http) -> None:
    service = Ntfy(token=TOKEN)
    async with serving(service) as base:
        sink = a_sink(http, **BASE, token=TOKEN, api_base=base)
        assert (await sink.send(a_message({"heading": "Lost", "text": "fra-1"}))).outcome == Delivered()
        assert (await sink.send(an_update("x/1", {"heading": "Back", "text": "fra-1"}))).outcome == Delivered()
        assert (await sink.send_digest(a_digest({"text": "2 events"}, untold=2))).outcome == Delivered()
        stranger = a_sink(http, **BASE, api_base=base)
        assert (await stranger.send(a_message({"text": "x"}))).outcome == Gone("HTTP 403, code 40301: forbidden")
    assert [one.body.get("title") for one in service.taken] == ["Lost", "Back", None]


def test_the_day_is_counted_at_ntfy_sh_alone() -> None:
    assert a_sink(**BASE).service_limits == (
        Limit("ntfy ntfy.sh", Rate(60, 300.0)),
        Limit("ntfy ntfy.sh", Rate(250, 86400.0)),
    )
    assert [limit.rate for limit in a_sink(**BASE, api_base="https://x.example").service_limits] == [Rate(60, 300.0)]


def test_it_wants_a_heading_and_a_text() -> None:
    assert a_sink(**BASE, locale="fa").look == ServiceLook(NTFY, locale="fa", parts=10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"topic": "a b"},
        {"topic": "x" * 65},
        {"topic": ""},
        {"topic": "https://ntfy.sh/vpn"},
        {"priority": 6},
        {"priority": "high"},
        {"tags": ["a,b"]},
        {"tags": [" "]},
        {"tags": ["я" * 1500]},
        {"icon": "https://x.example/" + "i" * 3000},
        {"icon": "x.png"},
        {"actions": [{"label": "a", "url": "b"}] * 4},
        {"actions": [{"label": "a"}]},
    ],
)
def test_what_it_would_refuse_is_no_setting(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**(BASE | wrong))


@pytest.mark.parametrize(
    ("label", "url", "said"),
    [
        ("log", "https://x.example/a", "log (https://x.example/a)"),
        ("https://x.example/a", "https://x.example/a", "https://x.example/a"),
        ("", "https://x.example/a", "https://x.example/a"),
        ("log", "javascript:x", "log"),
    ],
)
def test_a_link_is_its_label_and_its_address(label: str, url: str, said: str) -> None:
    assert NtfyText.link(label, url) == said
