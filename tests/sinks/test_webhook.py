"""Webhook: what goes out in which form, how it is signed, and what the answers mean."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError
from standardwebhooks import Webhook

from bridge.event import Event
from bridge.markup.service import ServiceLook
from bridge.message import Circumstances, Emission, Message, Reminder
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.base import Tools
from bridge.sinks.http import Http, Response
from bridge.value import replace
from tests.fakes import an_event
from tests.services.receiver import Receiver
from tests.services.service import serving
from tests.sinks.values import a_digest, a_message, a_sink, between, config, hostile_texts, json_values

URL = "https://shop.example/hook"
SECRET, OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
VECTORS = json.loads((Path(__file__).parent.parent / "contracts" / "standard-webhooks.vectors.json").read_text())


def request_of(message: Message, **settings: Any) -> Any:
    return a_sink(type="webhook", url=URL, **settings).build(message)


def test_the_event_goes_out_as_one_compact_json_object() -> None:
    message = a_message(data={"user": {"username": "علی"}})
    request = request_of(message)
    assert (request.method, str(request.url), dict(request.headers)) == (
        "POST",
        URL,
        {"Content-Type": "application/json"},
    )
    assert json.loads(request.body) == message.event.to_json()
    assert "علی".encode() in request.body
    assert b'": ' not in request.body


def test_what_json_has_no_word_for_is_null() -> None:
    request = request_of(a_message(data={"usage": {"percent": float("inf"), "list": [float("nan"), 1.5]}}))
    assert json.loads(request.body)["data"] == {"usage": {"percent": None, "list": [None, 1.5]}}


def test_headers_and_method_are_the_operators() -> None:
    request = request_of(a_message(), method="PUT", headers={"Authorization": "Bearer abc", "X-Count": 7})
    assert request.method == "PUT"
    assert dict(request.headers) == {"Content-Type": "application/json", "Authorization": "Bearer abc", "X-Count": "7"}


def test_a_template_writes_the_body_and_it_is_signed_like_the_event() -> None:
    settings: dict[str, Any] = {"body": "{{ data.user.username }}", "content_type": "text/plain", "secret": SECRET}
    assert a_sink(type="webhook", url=URL, **settings).look == ServiceLook(
        inline=(("body", "{{ data.user.username }}"),)
    )
    request = request_of(a_message({"body": "alice ✓"}), **settings)
    assert request.body == "alice ✓".encode()
    assert request.headers["Content-Type"] == "text/plain"
    assert request.headers["webhook-signature"].startswith("v1,")


def shout(event: Event, *, secret: str | None, at: datetime) -> Emission:
    """A dialect of its own."""
    return Emission({"X-Secret": secret or "none", "X-At": at.isoformat()}, event.type.upper().encode())


@pytest.mark.parametrize("format_", ["marzban", "remnawave", "wgportal", "orbvpn"])
def test_a_panels_dialect_is_signed_by_the_dialect_itself(format_: str) -> None:
    sink = config(type="webhook", url=URL, format=format_, secret="shop secret").open(Tools(Http(), {format_: shout}))
    request = sink.build(a_message())
    assert request.body == b"USER.CREATED"
    assert dict(request.headers) == {"X-Secret": "shop secret", "X-At": "2026-11-21T04:14:18+00:00"}


def test_cloudevents_are_signed_as_standard_webhooks() -> None:
    settings = {"format": "cloudevents", "secret": [SECRET, OLD]}
    request = config(type="webhook", url=URL, **settings).open(Tools(Http(), {"cloudevents": shout})).build(a_message())
    assert request.headers["X-Secret"] == "none"
    assert len(request.headers["webhook-signature"].split(" ")) == 2


@pytest.mark.parametrize("secret", [SECRET, OLD])
def test_during_a_rotation_either_secret_verifies(secret: str) -> None:
    message = Message(event=an_event(), at=datetime.now(UTC))
    request = request_of(message, secret=[SECRET, OLD])
    assert Webhook(secret).verify(request.body, dict(request.headers)) == message.event.to_json()


def test_a_retry_keeps_the_id_and_is_dated_anew() -> None:
    event = an_event()
    at = datetime(2026, 11, 21, 7, 44, 18, 900_000, tzinfo=timezone(timedelta(hours=3, minutes=30)))
    first, second = [
        request_of(Message(event=event, at=moment), secret=SECRET).headers
        for moment in (at, at + timedelta(seconds=30))
    ]
    assert first["webhook-id"] == second["webhook-id"] == event.id
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1795234458", "1795234488")
    assert first["webhook-signature"] != second["webhook-signature"]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_the_signature_is_that_of_the_vectors(vector: Mapping[str, Any]) -> None:
    event = replace(an_event(), id=vector["id"])
    message = Message(
        event=event, at=datetime.fromtimestamp(vector["timestamp"], UTC), blocks={"body": vector["payload"]}
    )
    headers = request_of(message, body="x", secret=vector["secret"]).headers
    assert headers["webhook-signature"] == vector["signature"]


def told(circumstances: Circumstances, **settings: Any) -> dict[str, str]:
    headers = request_of(a_message(circumstances=circumstances), **settings).headers
    return {name: value for name, value in headers.items() if name.startswith("Panelbridge")}


def test_a_program_is_told_of_a_replay_and_of_another_sink_in_headers_and_nowhere_else() -> None:
    given = Circumstances(replay=True, reminder=Reminder(2, 5, 7200.0), instead='ops: "404"; 50% نام\r\nX: y')
    assert told(given) == {
        "Panelbridge-Replay": "1",
        "Panelbridge-Reminder": "2",
        "Panelbridge-Instead": "ops:%20%22404%22;%2050%25%20%D9%86%D8%A7%D9%85%0D%0AX:%20y",
    }
    assert told(Circumstances()) == {}
    assert request_of(a_message(circumstances=given)).body.count(b"ops") == 0


def test_a_panels_dialect_is_spoken_as_the_panel_does_and_tells_nothing_beside_it() -> None:
    sink = config(type="webhook", url=URL, format="marzban").open(Tools(Http(), {"marzban": shout}))
    headers = sink.build(a_message(circumstances=Circumstances(replay=True, instead="ops: HTTP 404"))).headers
    assert set(headers) == {"X-Secret", "X-At"}


@given(instead=hostile_texts)
def test_no_text_breaks_a_header(instead: str) -> None:
    value = told(Circumstances(instead=instead)).get("Panelbridge-Instead", "")
    assert re.fullmatch("[!-~]*", value)
    assert '"' not in value


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"secret": "shop-secret"}, "should be whsec_ and base64: make one with `openssl rand -base64 32`"),
        ({"secret": ["whsec_!"]}, "should be whsec_ and base64"),
        ({"secret": "whsec_"}, "should be whsec_ and base64"),
        ({"secret": ""}, "should be a secret"),
        ({"format": "marzban", "secret": ["a", "b"]}, "signed with one secret"),
        ({"format": "event", "body": "x"}, "give either format or body"),
        ({"unmask": ["a"], "body": "x"}, "give either unmask or body"),
        ({"format": "xml"}, "Input should be"),
        ({"headers": {"X Y": "z"}}, "a header's name"),
        ({"headers": {"Content-Length": "5"}}, "is set by the bridge"),
        ({"headers": {"panelbridge-replay": "5"}}, "is set by the bridge"),
        ({"headers": {"X": "a\r\nY: b"}}, "one line"),
        ({"method": "GET"}, "Input should be"),
    ],
)
def test_a_wrong_setting_says_what_to_do(settings: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        config(type="webhook", url=URL, **settings)


def test_secret_none_signs_nothing() -> None:
    assert "webhook-id" not in request_of(a_message(), secret="none").headers


DATE = "Sat, 21 Nov 2026 04:14:18 GMT"


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        *((Response(status), Delivered()) for status in (200, 201, 202, 204, 299)),
        (Response(407), between(407, "nothing")),
        (Response(403, body=b"error code: 1010\n"), between(403, "error code: 1010")),
        (Response(403, body=b"<html>"), Away("HTTP 403")),
        (Response(410, body=b"<html>"), Gone("HTTP 410")),
        (Response(410), Gone("HTTP 410")),
        *((Response(status), Refused(f"HTTP {status}")) for status in (400, 405, 413, 415, 422)),
        *(
            (Response(status), Away(f"HTTP {status}"))
            for status in (401, 403, 404, 408, 409, 425, 500, 502, 503, 504, 599)
        ),
        (Response(429), Limited()),
        (Response(429, {"retry-after": "120"}), Limited(120.0)),
        (Response(429, {"retry-after": "Sat, 21 Nov 2026 04:16:18 GMT", "date": DATE}), Limited(120.0)),
        (Response(429, {"retry-after": "Sat, 21 Nov 2026 04:10:18 GMT", "date": DATE}), Limited()),
        (Response(429, {"retry-after": "99999999999"}), Limited(86400.0)),
        (Response(429, {"retry-after": "nan"}), Limited()),
        *((Response(429, {"retry-after": none}), Limited()) for none in ("-5", "0", "0.0", "", "soon", "1e999", "٣x")),
        *((Response(503, {"retry-after": none}), Away("HTTP 503")) for none in ("-5", "0", "", "soon")),
        (Response(503, {"retry-after": "60"}), Away("HTTP 503", 60.0)),
        (Response(503, {"retry-after": "Sat, 21 Nov 2026 05:14:18 +0000", "date": DATE}), Away("HTTP 503", 3600.0)),
        (Response(503, {"retry-after": "tomorrow", "date": DATE}), Away("HTTP 503")),
        (Response(503, {"retry-after": DATE, "date": DATE}), Away("HTTP 503")),
        (Response(503, {"retry-after": "Sat, 21 Nov 2026 04:10:18 GMT", "date": DATE}), Away("HTTP 503")),
        (Response(503, {"retry-after": DATE, "date": "never"}), Away("HTTP 503")),
    ],
)
def test_classify(response: Response, expected: Outcome) -> None:
    assert a_sink(type="webhook", url=URL).classify(response) == expected


def test_ten_a_second_unless_told_otherwise() -> None:
    assert a_sink(type="webhook", url=URL).limits == (Limit("", Rate(10, 1.0)),)
    assert a_sink(type="webhook", url=URL, rate="unlimited").limits == ()
    assert a_sink(type="webhook", url=URL, rate=["5/s", "100/min", "1000/2h"]).limits == (
        Limit("", Rate(5, 1.0)),
        Limit("", Rate(100, 60.0)),
        Limit("", Rate(1000, 7200.0)),
    )
    assert a_sink(type="webhook", url=URL, rate=0.5).limits == (Limit("", Rate(1, 2.0)),)


async def test_a_receiver_verifies_what_it_gets_byte_for_byte(http: Http) -> None:
    service = Receiver(secret=SECRET)
    message = Message(event=an_event(), at=datetime.now(UTC))
    async with serving(service) as base:
        attempt = await a_sink(http, type="webhook", url=base + "/hook", secret=SECRET).send(message)
        wrong = await a_sink(http, type="webhook", url=base + "/hook", secret=OLD).send(message)
    assert attempt.outcome == Delivered()
    assert service.taken[0].body == message.event.to_json()
    assert wrong.outcome == Away("HTTP 401")


@given(data=json_values)
def test_no_event_makes_a_body_that_is_no_json(data: Any) -> None:
    body = request_of(a_message(data={"x": data}), secret=SECRET).body

    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(body.decode(), parse_constant=refuse)


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://x.example/hook/{{ event.id }}", "https://x.example/hook/a%2Fb%3Fc%25"),
        ("https://x.example/{{event.id}}?id={{ event.id }}", "https://x.example/a%2Fb%3Fc%25?id=a/b?c%25"),
    ],
)
def test_the_events_id_may_stand_in_the_address_and_leads_nowhere_else(url: str, seen: str) -> None:
    message = a_message()
    message = replace(message, event=replace(message.event, id="a/b?c%"))
    assert str(a_sink(type="webhook", url=url).build(message).url) == seen


def test_a_digest_has_an_id_as_well() -> None:
    digest = a_digest({}, a_message(), a_message())
    assert str(a_sink(type="webhook", url="https://x.example/{{ event.id }}").build_digest(digest).url) == (
        f"https://x.example/{digest.id}"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://{{ event.id }}.example/hook",
        "https://{{ event.id }}",
        "https://x.example{{ event.id }}/hook",
        "https://x.example/{{ event.subject }}",
        "https://x.example/{% if x %}",
        "https://x.example/{{ event.id",
    ],
)
def test_nothing_else_may_be_filled_in_and_nothing_before_the_path(url: str) -> None:
    with pytest.raises(ValidationError):
        config(type="webhook", url=url)
