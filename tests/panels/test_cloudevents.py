"""CloudEvents: the three forms, the signatures, and the way from one Panelbridge to another."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cloudevents.core.bindings.http import from_structured_event, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from bridge.errors import BadPayload, BadSignature
from bridge.expressions import compile_expression
from bridge.markup.service import ServiceLook
from bridge.messages.renderer import Renderer
from bridge.panels.base import Hook, ParsedEvent
from bridge.panels.cloudevents import BATCHED, STRUCTURED, VALUES, CloudEventsConfig, CloudEventsPanel, emit
from bridge.sinks import SERVICES
from bridge.value import replace
from bridge.vocabulary import TYPES as CANONICAL
from tests.panels.hearing import DATA, JSON, THEN, an_event, arriving, heard, hook, keeps_its_feet, shaped, stored
from tests.panels.recorded import ARRIVAL

VECTORS = json.loads((Path(__file__).parent.parent / "contracts" / "standard-webhooks.vectors.json").read_text("utf-8"))
KEY = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
SECRET = "a-plain-secret"
ENVELOPE = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "user.created"}


def panel(secret: Any = None, **settings: Any) -> CloudEventsPanel:
    return CloudEventsPanel(
        CloudEventsConfig.model_validate({"panel": "cloudevents", "secret": secret or "none", **settings})
    )


def understood(envelope: Any, media: str = STRUCTURED, **settings: Any) -> ParsedEvent:
    (sighting,) = heard(panel(**settings), hook(envelope, headers={"Content-Type": media}))
    return sighting


def binary(body: bytes = b"", **headers: str) -> Hook:
    required = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "user.created"}
    return hook(body=body, headers=required | {name.replace("_", "-"): value for name, value in headers.items()})


# The three forms


def test_what_the_library_sends_is_understood_in_either_mode() -> None:
    data = {"user": {"username": "alice"}, "order": 7}
    attributes = {"type": "user.created", "source": "/shop", "subject": "user:alice ü", "time": THEN}
    for send in (to_structured_event, to_binary_event):
        message = send(CloudEvent({**attributes, "datacontenttype": "application/json"}, data))
        hook_ = Hook(body=message.body, received_at=ARRIVAL, headers=message.headers)
        (sighting,) = heard(panel(), hook_)
        assert (sighting.type, sighting.native_type) == ("user.created", "user.created")
        assert (sighting.subject, sighting.occurred_at) == ("user:alice ü", THEN)
        assert sighting.data == data
        (element,) = panel().elements(hook_)
        assert element["data"] == data


def test_a_batch_is_as_many_events() -> None:
    batch = [ENVELOPE, {**ENVELOPE, "id": "2", "type": "com.example.Order-Paid"}]
    for media in (BATCHED, f"{BATCHED}; charset=utf-8", STRUCTURED, "application/json", ""):
        first, second = heard(panel(), hook(batch, headers={"content-type": media}))
        assert (first.type, second.type) == ("user.created", "cloudevents.com.example.order.paid")
        assert second.native_type == "com.example.Order-Paid"
    assert heard(panel(), hook([], headers={"content-type": BATCHED})) == []


@pytest.mark.parametrize(
    ("media", "body", "expected"),
    [
        ("application/json", b'{"a": 1}', {"data": {"a": 1}, "datacontenttype": "application/json"}),
        ("application/vnd.shop+json", b"[1]", {"data": [1], "datacontenttype": "application/vnd.shop+json"}),
        ("text/plain", b"hello\x00", {"data": "hello�", "datacontenttype": "text/plain"}),
        ("image/png", b"\x89PNG", {"data_base64": "iVBORw==", "datacontenttype": "image/png"}),
        ("", b"", {}),
    ],
)
def test_a_binary_request_is_kept_in_structured_form(media: str, body: bytes, expected: dict[str, Any]) -> None:
    (element,) = panel().elements(binary(body, content_type=media, ce_shopnumber="5", ce_time="2026-11-21T04:14:18Z"))
    assert element == {**ENVELOPE, "shopnumber": "5", "time": "2026-11-21T04:14:18Z", **expected}


@pytest.mark.parametrize(
    ("media", "raw", "data"),
    [
        ("application/json", b'{"order": {"id": 7}}', {"order": {"id": 7}}),
        ("Application/JSON; charset=utf-8", b"[1]", [1]),
        ("application/vnd.shop+json", b'{"a": "\\u0000"}', {"a": "\ufffd"}),
        ("text/plain", b"hello\x00", "hello\ufffd"),
        (None, b"hello", "hello"),
    ],
)
@pytest.mark.parametrize("beside", [{}, {"data": None}])
def test_data_in_base64_is_read_as_the_body_of_a_binary_request(
    media: str | None, raw: bytes, data: Any, beside: dict[str, Any]
) -> None:
    kind = {"datacontenttype": media} if media else {}
    envelope = {**ENVELOPE, **kind, **beside, "data_base64": base64.b64encode(raw).decode()}
    assert list(panel().elements(hook([envelope, ENVELOPE]))) == [{**ENVELOPE, **kind, "data": data}, ENVELOPE]
    assert understood(envelope).data == (data if isinstance(data, dict) else {"value": data})


@pytest.mark.parametrize(
    "odd",
    [
        {"data_base64": "iVBORw==", "datacontenttype": "image/png"},
        {"data_base64": "no base64", "datacontenttype": "application/json"},
        {"data_base64": base64.b64encode(b"{").decode(), "datacontenttype": "application/json"},
        {
            "data_base64": base64.b64encode(b"[1" + b",1" * VALUES + b"]").decode(),
            "datacontenttype": "application/json",
        },
        {"data_base64": base64.b64encode(b"1").decode(), "data": {"b": 2}},
        {"data_base64": ""},
        {"data_base64": {"a": 1}, "datacontenttype": 5},
    ],
)
def test_data_in_base64_that_cannot_be_read_stays_as_it_came(odd: dict[str, Any]) -> None:
    assert list(panel().elements(hook({**ENVELOPE, **odd}))) == [{**ENVELOPE, **odd}]
    assert understood({**ENVELOPE, **odd}).data == odd.get("data", {})


def test_header_values_are_percent_decoded() -> None:
    (sighting,) = heard(panel(), binary(ce_subject="user:%D8%B3%20%22x%22%00"))
    assert sighting.subject == 'user:س "x"�'


# Attributes


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
@pytest.mark.parametrize("value", [None, "", 5, {}, []])
def test_an_event_without_a_required_attribute_is_told_as_far_as_it_goes(name: str, value: Any) -> None:
    expected = "cloudevents.unnamed" if name == "type" else understood(ENVELOPE).type
    without = {key: one for key, one in ENVELOPE.items() if key != name}
    for envelope in (ENVELOPE | {name: value}, without):
        assert (understood(envelope).type, understood(envelope).subject) == (expected, ENVELOPE.get("subject"))


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
def test_an_event_without_a_required_header_is_told_as_far_as_it_goes(name: str) -> None:
    whole = binary()
    (expected,) = heard(panel(), whole)
    for headers in (
        {**whole.headers, f"ce-{name}": " "},
        {k: v for k, v in whole.headers.items() if k != f"ce-{name}"},
    ):
        (parsed,) = heard(panel(), replace(whole, headers=headers))
        assert parsed.type == ("cloudevents.unnamed" if name == "type" else expected.type)
        assert parsed.subject == expected.subject


@pytest.mark.parametrize("version", ["0.3", "1.1", "one"])
def test_other_versions_are_told_as_far_as_they_go(version: str) -> None:
    assert understood({**ENVELOPE, "specversion": version}).type == understood(ENVELOPE).type
    (parsed,) = heard(panel(), binary(ce_specversion=version))
    assert parsed.type == heard(panel(), binary())[0].type


@pytest.mark.parametrize("time", ["soon", "", 5.5e300, None, {}, "0001-01-01T00:00:00+14:00"])
def test_an_odd_time_is_no_time(time: Any) -> None:
    assert understood({**ENVELOPE, "time": time}).occurred_at is None
    (sighting,) = heard(panel(), binary(ce_time=str(time)))
    assert sighting.occurred_at is None


def test_odd_attributes_do_not_matter() -> None:
    sighting = understood({**ENVELOPE, "subject": 5, "Not_An-Extension": {}, "data": "text", "data_base64": "x"})
    assert (sighting.subject, sighting.data) == (None, {"value": "text"})
    (sighting,) = heard(panel(), binary(ce_not_an_extension="x", ce_Foo="", ce_subject=""))
    assert sighting.subject is None


@pytest.mark.parametrize(
    ("given", "data"),
    [
        ({"user": {"username": "a"}, "node": "fra-1", "foo": {}, "usage": None}, None),
        ({"order": {"id": 7, "lines": [1, 2]}, "customer": "alice"}, None),
        ({}, {}),
        ([1, {"a": 2}], {"value": [1, {"a": 2}]}),
        ("done", {"value": "done"}),
        (0, {"value": 0}),
        (False, {"value": False}),
        ("", {}),
        (None, {}),
    ],
)
def test_a_foreign_event_keeps_its_data_whatever_the_keys(given: Any, data: Any) -> None:
    assert understood({**ENVELOPE, "data": given}).data == (given if data is None else data)


def test_the_data_of_a_foreign_event_is_there_for_people_and_for_rows() -> None:
    order = {**ENVELOPE, "type": "com.example.order.paid", "data": {"order": {"id": 7}, "customer": "alice"}}
    parsed = understood(order)
    event = an_event(parsed.type, parsed.data, panel="cloudevents", native_type=parsed.native_type, subject=None)
    renderer = Renderer(folders=[], timezone=ZoneInfo("UTC"), locale="en")
    text = renderer.render(event, ServiceLook(SERVICES["telegram"])).blocks["text"]
    assert "<b>Order id:</b> <code>7</code>" in text
    assert "<b>Customer:</b> <code>alice</code>" in text
    assert compile_expression("data.order.id == 7 and data.customer == 'alice'")({"data": parsed.data})


@pytest.mark.parametrize("body", [b"", b"7", b'"x"', b"{", b"\xff", b"[" * 100_000, b'{"id": NaN}'])
@pytest.mark.parametrize("media", [STRUCTURED, BATCHED, "application/json"])
def test_what_is_no_json_is_refused(body: bytes, media: str) -> None:
    with pytest.raises(BadPayload):
        heard(panel(), hook(body=body, headers={"Content-Type": media}))


def test_another_form_is_refused_by_name() -> None:
    with pytest.raises(BadPayload, match=r"application/cloudevents\+avro is not read"):
        understood(ENVELOPE, "application/cloudevents+avro")
    with pytest.raises(BadPayload):
        heard(panel(), binary(b"{", content_type="application/json"))


def test_secrets_are_not_stored() -> None:
    secrets = (
        "password",
        "passwd",
        "secret",
        "token",
        "access_token",
        "apiKey",
        "private_key",
        "authorization",
        "api_key",
    )
    data = {
        "user": dict.fromkeys(secrets, "s3cr3t"),
        **dict.fromkeys(secrets, "s3cr3t"),
        "nested": [{"token": "s3cr3t"}],
    }
    assert "s3cr3t" not in stored(panel(), hook({**ENVELOPE, "data": data}))
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    kept = stored(panel(), hook({**ENVELOPE, "datacontenttype": "application/json", "data_base64": encoded}))
    assert "s3cr3t" not in kept
    assert encoded not in kept


# Consent

ORIGIN = "eventemitter.example.com"


@pytest.mark.parametrize("name", ["WebHook-Request-Origin", "webhook-request-origin"])
def test_who_asks_whether_they_may_send_gets_consent(name: str) -> None:
    consent = {"WebHook-Allowed-Origin": ORIGIN, "WebHook-Allowed-Rate": "*", "Allow": "POST"}
    assert panel(SECRET).consent({"Host": "x", name: ORIGIN, "WebHook-Request-Rate": "120"}) == consent


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": ORIGIN}, *({"WebHook-Request-Origin": one} for one in ("", "\udcff"))]
)
def test_who_does_not_ask_gets_none(headers: dict[str, str]) -> None:
    assert panel(SECRET).consent(headers) == {}


# The secret

BARE = hook(ENVELOPE, headers={"Content-Type": STRUCTURED})


def test_a_plain_secret_may_come_by_any_of_four_ways() -> None:
    for given_ in (
        replace(BARE, token=SECRET),
        replace(BARE, headers={"Authorization": f"Bearer {SECRET}"}),
        replace(BARE, headers={"X-Webhook-Secret": SECRET}),
        replace(BARE, query={"access_token": SECRET}),
    ):
        panel(["new", SECRET]).verify(given_)
        with pytest.raises(BadSignature, match="wrong secret"):
            panel("another").verify(given_)
    with pytest.raises(BadSignature, match="no secret given"):
        panel(SECRET).verify(BARE)
    panel().verify(BARE)


def signed(vector: dict[str, Any], *, brand: str = "webhook", **changes: str) -> Hook:
    headers = {
        f"{brand}-id": vector["id"],
        f"{brand}-timestamp": str(vector["timestamp"]),
        f"{brand}-signature": vector.get("signature", ""),
    }
    arrived = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    return Hook(body=vector["payload"].encode(), received_at=arrived, headers=headers | changes)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_every_vector_of_standard_webhooks_verifies(vector: dict[str, Any]) -> None:
    panel(vector["secret"]).verify(signed(vector))
    panel(vector["secret"]).verify(signed(vector, brand="svix"))
    panel([KEY.replace("A", "B"), vector["secret"]]).verify(signed(vector))
    with pytest.raises(BadSignature):
        panel("whsec_" + base64.b64encode(b"another key of 24 bytes.").decode()).verify(signed(vector))


@pytest.mark.parametrize("clock", [-301, -300, 300, 301])
def test_a_signature_is_good_for_five_minutes_either_way(clock: int) -> None:
    vector = VECTORS["vectors"][0]
    arrived = datetime.fromtimestamp(vector["timestamp"] + clock, UTC)
    hook_ = replace(signed(vector), received_at=arrived)
    if abs(clock) <= 300:
        panel(vector["secret"]).verify(hook_)
    else:
        with pytest.raises(BadSignature, match="5 minutes"):
            panel(vector["secret"]).verify(hook_)


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": "v1"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,ü"},
        {"webhook-signature": "v2," + VECTORS["vectors"][0]["signature"][3:]},
        {"webhook-id": "msg_other"},
        {"webhook-id": "\udcff"},
        {"webhook-timestamp": "abc"},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-timestamp": ""},
    ],
)
def test_a_bad_signature_is_refused(changes: dict[str, str]) -> None:
    vector = VECTORS["vectors"][0]
    with pytest.raises(BadSignature):
        panel(vector["secret"]).verify(signed(vector, **changes))


def test_a_signed_body_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(BadSignature, match="not UTF-8"):
        panel(KEY).verify(replace(signed(VECTORS["vectors"][0]), body=b"\xff"))


def test_one_good_signature_among_several_is_enough() -> None:
    vector = VECTORS["vectors"][0]
    panel(vector["secret"]).verify(signed(vector, **{"webhook-signature": f"v1a,x v1,AAAA {vector['signature']}"}))


@pytest.mark.parametrize("secret", [SECRET, "ünïcode", "whsec_", "whsec_!!!", "ab"])
def test_a_secret_that_is_no_key_signs_as_it_is(secret: str) -> None:
    emission = emit(an_event(), secret=secret, at=ARRIVAL)
    panel(secret).verify(arriving(emission))
    content = f"{an_event().id}.{int(ARRIVAL.timestamp())}.".encode() + emission.body
    mac = base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()
    assert emission.headers["webhook-signature"] == f"v1,{mac}"


# From one Panelbridge to another


@pytest.mark.parametrize("type_", [*sorted(CANONICAL), "marzban.something.new", "backup.done"])
def test_an_event_goes_over_one_to_one(type_: str) -> None:
    data = {"user": {"username": "alice"}, "api_key": {"name": "ci"}, "foo": [1, {"bar": None}]}
    for subject in ("user:علی", None):
        event = an_event(type_, data, subject=subject, native={"payload": [1, {"x": "ü"}]}, source="my bridge/1")
        (sighting,) = heard(panel(KEY), arriving(emit(event, secret=KEY, at=ARRIVAL)))
        assert (sighting.type, sighting.native_type, sighting.subject) == (type_, type_, subject)
        assert (sighting.data, sighting.native, sighting.panel) == (data, event.native, "marzban")
        assert sighting.occurred_at == THEN


def test_the_envelope_is_a_cloud_event_that_the_library_reads() -> None:
    event = an_event(data={"user": {"username": "alice"}}, source="main ü", native_type="user_created")
    emission = emit(event, secret=None, at=ARRIVAL)
    assert emission.headers == {"Content-Type": "application/cloudevents+json"}
    said = json.loads(emission.body)
    assert said == {
        "specversion": "1.0",
        "id": event.id,
        "source": "/panelbridge/main%20%C3%BC",
        "type": "user.created",
        "subject": "user:alice",
        "time": "2026-11-21T04:14:18.500000Z",
        "datacontenttype": "application/json",
        "panel": "marzban",
        "nativetype": "user_created",
        "receivedat": "2026-11-21T12:00:00Z",
        "native": '{"action":"user.created"}',
        "data": {"user": {"username": "alice"}},
    }
    read = from_structured_event(to_structured_event(CloudEvent({"type": "x", "source": "y"})))
    assert read.get_type() == "x"


def test_the_signature_is_one_that_the_library_verifies() -> None:
    now = datetime.now(UTC)
    emission = emit(an_event(), secret=KEY, at=now)
    assert Webhook(KEY).verify(emission.body, dict(emission.headers))["id"] == an_event().id
    assert emission.headers["webhook-id"] == an_event().id


def test_masks_reach_into_the_native_payload() -> None:
    event = an_event(native={"user": {"password": "s3cr3t", "note": "n"}})
    (sighting,) = heard(panel(mask=["native.user.note"]), arriving(emit(event, secret=None, at=ARRIVAL)))
    assert sighting.native == {"user": {"password": "***", "note": "***"}}


@pytest.mark.parametrize("missing", ["panel", "nativetype", "native", "data"])
def test_what_only_looks_like_ours_is_foreign(missing: str) -> None:
    said = json.loads(emit(an_event(data={"foo": 1}), secret=None, at=ARRIVAL).body)
    del said[missing]
    sighting = understood(said)
    kept = {} if missing == "data" else {"foo": 1}
    assert (sighting.type, sighting.data, sighting.panel) == ("user.created", kept, None)


def test_a_native_that_is_no_json_stays_text() -> None:
    said = json.loads(emit(an_event(), secret=None, at=ARRIVAL).body)
    assert understood({**said, "native": "{"}).native == "{"
    assert understood({**said, "native": {"x": 1}}).native == {"x": 1}


# Anything

ATTRIBUTES = {
    **{name: st.just(value) for name, value in ENVELOPE.items()},
    **dict.fromkeys(("time", "subject", "data", "panel", "nativetype", "native"), JSON),
}
HEADERS = st.dictionaries(
    st.sampled_from(["ce-time", "ce-subject", "ce-x", "ce-id", "content-type", "webhook-id"]), st.text()
)


OWN = st.fixed_dictionaries(
    {
        **{name: st.just(value) for name, value in ENVELOPE.items()},
        **dict.fromkeys(("panel", "nativetype"), st.text(min_size=1)),
        **dict.fromkeys(("native", "data", "time", "subject"), JSON),
        "source": st.just("/panelbridge/x"),
    }
)


@given(JSON | shaped(ATTRIBUTES) | OWN)
def test_any_json_is_understood_or_refused(value: Any) -> None:
    keeps_its_feet(panel(), hook(value))


@given(st.binary(), HEADERS)
def test_any_request_is_understood_or_refused(body: bytes, headers: dict[str, str]) -> None:
    keeps_its_feet(panel(), replace(binary(body), headers={**binary().headers, **headers}))
    keeps_its_feet(
        panel(KEY), hook(body=body, headers={"webhook-signature": "v1,x", "webhook-timestamp": "5", **headers})
    )


@given(DATA, st.sampled_from(sorted(CANONICAL)), st.none() | st.text(), JSON, st.text(min_size=1))
def test_any_event_goes_over(data: Any, type_: str, subject: str | None, native: Any, source: str) -> None:
    event = an_event(type_, data, subject=subject, native=native, source=source)
    keeps_its_feet(panel(), arriving(emit(event, secret=KEY, at=ARRIVAL)))
