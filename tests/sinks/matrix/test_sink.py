"""Matrix: what is sent, once; what its answers mean; and what becomes of what was said before."""

import json
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from bridge.markup.service import ServiceLook
from bridge.message import PLAIN, Circumstances, Message
from bridge.outcome import Attempt, Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.http import Http, Response
from bridge.sinks.matrix.answers import GONE
from bridge.sinks.matrix.message import HTML
from bridge.sinks.matrix.service import MATRIX
from bridge.sinks.reachability import FindingMark
from bridge.value import replace
from tests.services.matrix import ALIAS, ROOM, TOKEN, Matrix, matrix_faults
from tests.services.service import Answer, serving
from tests.sinks.values import a_deletion, a_digest, a_message, a_sink, an_update, between, config, hostile_texts

BASE: dict[str, Any] = {"type": "matrix", "token": TOKEN, "room": ROOM, "api_base": "https://matrix.example"}
SILENT = Circumstances(silent=True)
ANEW = "the earlier message is not there any more: sent anew"


def a_room(http: Http, base: str, **settings: Any) -> Any:
    return a_sink(http, **(BASE | {"api_base": base} | settings))


def sent(blocks: Any, circumstances: Circumstances = PLAIN, **settings: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(
        a_sink(**(BASE | settings)).build(a_message(blocks, circumstances=circumstances)).body
    )
    return said


def delivery(message: Message, number: int) -> Message:
    return replace(message, delivery=number)


def ref_of(attempt: Attempt) -> str:
    assert isinstance(attempt.outcome, Delivered)
    assert attempt.outcome.ref
    return attempt.outcome.ref


def test_a_message_is_html_and_the_same_in_plain() -> None:
    request = a_sink(**BASE).build(a_message({"text": "<b>New</b>: <code>a &lt; b</code>\nline"}))
    assert request.method == "PUT"
    assert request.url.raw_path.startswith(
        "/_matrix/client/v3/rooms/%21AbCdEfGhIjKlMnOp%3Amatrix.example/send/m.room.message/"
    )
    assert request.headers == {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    assert json.loads(request.body) == {
        "msgtype": "m.text",
        "body": "New: a < b\nline",
        "format": "org.matrix.custom.html",
        "formatted_body": "<b>New</b>: <code>a &lt; b</code><br>line",
        "m.mentions": {},
    }


@pytest.mark.parametrize(
    ("text", "html", "plain"),
    [
        (
            '<a href="https://x.example/a">log</a>!',
            '<a href="https://x.example/a">log</a>!',
            "log (https://x.example/a)!",
        ),
        ("https://x.example/a", "https://x.example/a", "https://x.example/a"),
        ("a\n<blockquote>b\nc</blockquote>\nd", "a<blockquote>b<br>c</blockquote>d", "a\n> b\n> c\nd"),
        ("<blockquote>b</blockquote>", "<blockquote>b</blockquote>", "> b"),
        ("a\n<pre><code>b\nc</code></pre>\nd", "a<pre><code>b\nc</code></pre>d", "a\nb\nc\nd"),
    ],
)
def test_line_breaks_links_and_quotes(text: str, html: str, plain: str) -> None:
    said = sent({"text": text})
    assert (said["formatted_body"], said["body"]) == (html, plain)


def test_every_setting_reaches_the_wire() -> None:
    assert sent({"text": "x"}, notice=True)["msgtype"] == "m.notice"
    assert sent({"text": "x"}, SILENT)["msgtype"] == "m.notice"
    assert sent({"text": "x"}, thread="$root")["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$root",
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": "$root"},
    }


@pytest.mark.parametrize("letter", ["x", "я", "😀", '"', "\\", "\n.", "&amp;"])
def test_an_event_has_room_for_an_edit(letter: str) -> None:
    body = a_sink(**BASE).build(a_message({"text": "a" + letter * HTML})).body
    assert len(body) < (65_536 - 2_000) // 2
    assert list(matrix_faults(json.loads(body), len(body))) == []


@given(hostile_texts)
def test_nothing_that_it_could_refuse_goes_out(text: str) -> None:
    body = a_sink(**BASE).build(a_message({"text": MATRIX.text.lines(text), "remarks": "sent again"})).body
    assert list(matrix_faults(json.loads(body), len(body))) == []


async def test_the_same_delivery_is_one_message_however_often_it_is_tried(http: Http) -> None:
    service = Matrix()
    async with serving(service) as base:
        sink = a_room(http, base)
        message = delivery(a_message({"text": "fra-1 is away"}), 7)
        first, second = await sink.send(message), await sink.send(message)
        digest = a_digest({"text": "2 events"}, untold=2)
        third, fourth = await sink.send_digest(digest), await sink.send_digest(digest)
    assert service.shown() == ["fra-1 is away", "2 events\n\n🆕 0, 1"]
    assert (first, third) == (second, fourth)


async def test_a_message_that_has_changed_since_it_was_taken_is_sent_and_not_only_said_to_be(http: Http) -> None:
    """A known transaction is answered 200 whatever the message says: it must not be the same one."""
    service = Matrix()
    async with serving(service) as base:
        sink = a_room(http, base)
        message = delivery(a_message({"text": "one"}), 7)
        refs = {ref_of(await sink.send(one)) for one in (message, replace(message, blocks={"text": "two"}))}
    assert service.shown() == ["one", "two"]
    assert len(refs) == 2


async def test_a_replay_and_another_bridges_delivery_are_messages_of_their_own(http: Http) -> None:
    service = Matrix()
    async with serving(service) as base:
        sink = a_room(http, base)
        event = a_message({"text": "one"})
        for message in (delivery(event, 7), delivery(event, 8), delivery(a_message({"text": "one"}), 7)):
            assert isinstance((await sink.send(message)).outcome, Delivered)
        digest = a_digest({"text": "sum"}, untold=2)
        for deliveries in ([1, 2], [3, 4]):
            await sink.send_digest(replace(digest, deliveries=deliveries))
    assert service.shown() == ["one"] * 3 + ["sum\n\n🆕 0, 1"] * 2


async def test_an_address_is_looked_up_once_and_the_room_is_joined_when_it_has_to_be(http: Http) -> None:
    service = Matrix(member=False, invited=True)
    async with serving(service) as base:
        sink = a_room(http, base, room=ALIAS)
        first = await sink.send(a_message({"text": "one"}))
        second = await sink.send(a_message({"text": "two"}))
    assert (first.requests, second.requests) == (4, 1)
    assert ref_of(first).startswith(f"{ROOM}/$")
    assert service.shown() == ["one", "two"]


async def test_an_address_that_leads_to_another_room_by_now_is_followed(http: Http) -> None:
    service = Matrix()
    async with serving(service) as base:
        sink = a_room(http, base, room=ALIAS)
        await sink.send(a_message({"text": "one"}))
        service.rooms, service.aliases = {ROOM: False, "!new": False}, {ALIAS: "!new"}
        service.invited = {"!new"}
        second = await sink.send(a_message({"text": "two"}))
    assert ref_of(second).startswith("!new/$")


async def test_who_is_not_let_in_is_told_by_the_servers_word(http: Http) -> None:
    service = Matrix(member=False)
    async with serving(service) as base:
        attempt = await a_room(http, base).send(a_message({"text": "one"}))
        nowhere = await a_room(http, base, room="#no:matrix.example").send(a_message({"text": "one"}))
        service.answer_next(
            Answer(403, {"errcode": "M_FORBIDDEN", "error": "no"}),
            Answer(429, {"errcode": "M_LIMIT_EXCEEDED", "error": "no", "retry_after_ms": 2500}),
        )
        limited = await a_room(http, base).send(a_message({"text": "one"}))
    assert attempt.outcome == Gone(f"HTTP 403, M_FORBIDDEN: User @panelbridge:matrix.example not in room {ROOM}")
    assert nowhere.outcome == Gone("HTTP 404, M_NOT_FOUND: Room alias #no:matrix.example not found")
    assert limited.outcome == Limited(2.5)


async def test_an_edit_names_the_first_message_however_often(http: Http) -> None:
    service = Matrix()
    async with serving(service) as base:
        sink = a_room(http, base, room=ALIAS)
        ref = ref_of(await sink.send(a_message({"text": "fra-1 is away"})))
        for text in ("it is back", "it is away", "it is <b>back</b>"):
            attempt = await sink.send(an_update(ref, {"text": text}))
            assert ref_of(attempt) == ref
    assert service.shown() == ["it is back"]
    assert service.taken[-1].body["body"] == "* it is back"
    assert service.taken[-1].body["m.new_content"]["formatted_body"] == "it is <b>back</b>"


async def test_an_answer_goes_into_the_first_messages_thread_however_often(http: Http) -> None:
    service = Matrix()
    async with serving(service) as base:
        sink = a_room(http, base)
        ref = ref_of(await sink.send(a_message({"text": "away"})))
        for text in ("back", "away", "back"):
            assert ref_of(await sink.send(an_update(ref, {"text": text}, thread=True))) == ref
    root = ref.partition("/")[2]
    assert [one.body["m.relates_to"]["event_id"] for one in service.taken[1:]] == [root] * 3
    assert service.refused == []


async def test_in_the_operators_thread_the_earlier_message_is_answered_there(http: Http) -> None:
    service = Matrix()
    async with serving(service) as base:
        root = ref_of(await a_room(http, base).send(a_message({"text": "root"}))).partition("/")[2]
        sink = a_room(http, base, thread=root)
        ref = ref_of(await sink.send(a_message({"text": "away"})))
        await sink.send(an_update(ref, {"text": "back"}, thread=True))
    relation = service.taken[-1].body["m.relates_to"]
    assert (relation["event_id"], relation["is_falling_back"]) == (root, False)
    assert relation["m.in_reply_to"] == {"event_id": ref.partition("/")[2]}


@pytest.mark.parametrize("thread", [False, True])
async def test_what_was_deleted_is_said_anew(http: Http, thread: bool) -> None:
    """An edit of what was redacted would be answered 200, and seen by nobody."""
    service = Matrix()
    async with serving(service) as base:
        sink = a_room(http, base)
        ref = ref_of(await sink.send(a_message({"text": "away"})))
        service.redacted.add(ref.partition("/")[2])
        attempt = await sink.send(an_update(ref, {"text": "back"}, thread=thread))
        unknown = await sink.send(an_update(f"{ROOM}/$unknown", {"text": "back"}, thread=thread))
    assert [one.outcome.note for one in (attempt, unknown)] == [ANEW, ANEW]
    assert service.shown() == ["back", "back"]
    assert ref_of(attempt) != ref


async def test_what_cannot_be_related_to_is_said_anew(http: Http) -> None:
    service = Matrix()
    async with serving(service) as base:
        sink = a_room(http, base)
        first = ref_of(await sink.send(a_message({"text": "away"})))
        threaded = service.taken[0]
        await sink.send(an_update(first, {"text": "in the thread"}, thread=True))
        inner = f"{ROOM}/{list(service.events)[-1]}"
        attempt = await sink.send(an_update(inner, {"text": "back"}, thread=True))
    assert attempt.outcome.note == ANEW
    assert threaded.body["body"] == "away"


async def test_what_was_said_in_another_room_is_never_edited(http: Http) -> None:
    service = Matrix()
    service.rooms["!other"] = True
    async with serving(service) as base:
        ref = ref_of(await a_room(http, base).send(a_message({"text": "away"})))
        for strange in (ref, "1/2", "C1/1732160058.000001", ""):
            attempt = await a_room(http, base, room="!other").send(an_update(strange, {"text": "back"}))
            assert (attempt.requests, ref_of(attempt).partition("/")[0]) == (1, "!other")


async def test_a_message_is_taken_back_once(http: Http) -> None:
    service = Matrix()
    async with serving(service) as base:
        sink = a_room(http, base)
        ref = ref_of(await sink.send(a_message({"text": "away"})))
        first = await sink.send(a_deletion(ref))
        unknown = await sink.send(a_deletion(f"{ROOM}/$unknown"))
    assert service.shown() == []
    assert isinstance(first.outcome, Delivered)
    assert unknown.outcome == Delivered()


def answer(status: int, code: str = "", **more: Any) -> Response:
    said = {"errcode": code, "error": "no"} if code else {}
    return Response(status, {}, json.dumps(said | more).encode())


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (answer(200, event_id="$1"), Delivered("$1")),
        (answer(200, event_id="1"), between(200, "JSON of another shape")),
        (answer(200), between(200, "a text")),
        (Response(200, {}, b"<html>"), between(200, "a web page")),
        *((answer(403, code), Gone(f"HTTP 403, {code}: no")) for code in GONE),
        (answer(400, "M_BAD_JSON"), Refused("HTTP 400, M_BAD_JSON: no")),
        (answer(400, "M_UNKNOWN"), Refused("HTTP 400, M_UNKNOWN: no")),
        (answer(413, "M_TOO_LARGE"), Refused("HTTP 413")),
        (answer(403, "FORBIDDEN"), between(403, "JSON of another shape")),
        (answer(401, "M_UNKNOWN_TOKEN", error=None), between(401, "JSON of another shape")),
        (Response(404, {}, b"404 page not found"), between(404, "a text")),
        (answer(429, "M_LIMIT_EXCEEDED", retry_after_ms=1500), Limited(1.5)),
        (answer(429, "M_LIMIT_EXCEEDED", retry_after_ms=600_000), Limited(600.0)),
        (answer(429, "M_LIMIT_EXCEEDED", retry_after_ms=1e12), Limited(86400.0)),
        (Response(429, {"retry-after": "7"}, b'{"retry_after_ms": 1}'), Limited(7.0)),
        (answer(429, "M_LIMIT_EXCEEDED", retry_after_ms="soon"), Limited()),
        (answer(500, "M_UNKNOWN"), Away("HTTP 500")),
        (Response(502, {}, b"<html>"), Away("HTTP 502")),
    ],
)
def test_its_answers(response: Response, outcome: Outcome) -> None:
    assert a_sink(**BASE).classify(response) == outcome


def test_an_account_may_send_ten_at_once_and_one_more_every_five_seconds() -> None:
    (limit,) = a_sink(**BASE).service_limits
    assert limit == Limit(limit.scope, Rate(10, 50.0))
    assert a_sink(**BASE, notice=True).service_limits == (limit,)
    assert a_sink(**(BASE | {"token": "other"})).service_limits != (limit,)


def test_it_wants_a_text() -> None:
    assert a_sink(**BASE, locale="fa").look == ServiceLook(MATRIX, locale="fa", parts=10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"room": "vpn"},
        {"room": "#vpn"},
        {"room": "https://matrix.to/#/!x:x.example"},
        {"room": "@me:x.example"},
        {"thread": "root"},
        {"token": ""},
        {"api_base": "matrix.example"},
    ],
)
def test_what_leads_nowhere_is_no_setting(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**(BASE | wrong))


def test_a_homeserver_is_needed() -> None:
    with pytest.raises(ValidationError, match="Field required"):
        config(type="matrix", token="x", room=ROOM)


@pytest.mark.parametrize(
    ("member", "room", "mark", "text"),
    [
        (True, ALIAS, FindingMark.OK, f"@panelbridge:matrix.example is in {ALIAS}"),
        (True, ROOM, FindingMark.OK, f"@panelbridge:matrix.example is in {ROOM}"),
        (False, ROOM, FindingMark.LOOK, f"@panelbridge:matrix.example is not in {ROOM}"),
        (
            True,
            "#no:matrix.example",
            FindingMark.WRONG,
            "HTTP 404, M_NOT_FOUND: Room alias #no:matrix.example not found",
        ),
    ],
)
async def test_it_is_asked_whether_the_account_is_in_the_room(
    http: Http, member: bool, room: str, mark: FindingMark, text: str
) -> None:
    async with serving(Matrix(member=member)) as base:
        finding = await a_room(http, base, room=room).asked(within=60)
        wrong = await a_room(http, base, token="other").asked(within=60)
    assert (finding.mark, finding.text) == (mark, text)
    assert (wrong.mark, wrong.text) == (FindingMark.WRONG, "HTTP 401, M_UNKNOWN_TOKEN: Invalid access token passed.")
