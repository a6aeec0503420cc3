"""Uptime Kuma: what is down and up again, in every shape that it posts."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadPayload, BadSignature
from bridge.panels.base import ParsedEvent
from bridge.panels.uptimekuma import FIELDS, OF_NODES, STATUSES, TYPES, UptimeKumaConfig, UptimeKumaPanel
from bridge.vocabulary import are_opposite
from tests.panels.hearing import JSON, gives_what_is_expected, heard, hook, keeps_its_feet, shaped, stored
from tests.panels.recorded import Recorded, recorded

SECRET = "kuma-test-secret-0123456789"
REQUESTS = recorded("uptimekuma")
BOUNDARY = "--------------------------f64beeabd7fd238bd09e2232"
MULTIPART = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BEAT = {"monitorID": 7, "status": 0, "time": "2026-11-29 08:12:44.318", "msg": "connect ECONNREFUSED"}
MONITOR = {
    "id": 7,
    "name": "de-fra-1",
    "url": "https://fra-1.example.net/health/s3cr3t",
    "hostname": None,
    "port": None,
}
UP = {**BEAT, "status": 1, "time": "2026-11-29 08:20:03.007", "msg": "200 - OK", "lastDownTime": BEAT["time"]}


def panel(secret: Any = SECRET, **settings: Any) -> UptimeKumaPanel:
    return UptimeKumaPanel(UptimeKumaConfig.model_validate({"panel": "uptimekuma", "secret": secret, **settings}))


def understood(beat: Any = BEAT, monitor: Any = MONITOR, msg: Any = "x", about: str = "alert") -> ParsedEvent:
    (only,) = heard(panel("none", about=about), hook({"heartbeat": beat, "monitor": monitor, "msg": msg}))
    return only


def multipart(value: str, name: str = "data", more: str = "") -> bytes:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
    return f"{part}--{BOUNDARY}--\r\n".encode()


# What was recorded


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_request_is_understood(request_: Recorded) -> None:
    gives_what_is_expected(panel(), request_)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_event_has_its_type_and_what_is_watched_a_time(request_: Recorded) -> None:
    for one in heard(panel(), request_.hook):
        assert one.type == TYPES[one.native_type]
        assert (one.occurred_at is None) is (one.subject is None)


@pytest.mark.parametrize("header", [None, "", "ü", "\udcff", "Bearer x", f"Basic {SECRET}"])
def test_a_bad_header_is_refused(header: str | None) -> None:
    with pytest.raises(BadSignature):
        panel().verify(hook({}, headers={"Authorization": header} if header is not None else {}))


# What it says


def test_what_is_down_is_an_alert() -> None:
    event = understood()
    assert (event.type, event.subject) == ("alert.firing", "alert/7:de-fra-1")
    assert str(event.occurred_at) == "2026-11-29 08:12:44.318000+00:00"
    assert event.data == {
        "alert": {"name": "de-fra-1", "address": "fra-1.example.net"},
        "reason": "connect ECONNREFUSED",
    }


def test_what_is_up_again_takes_it_back_and_says_since_when_it_was_down() -> None:
    event = understood(UP, {**MONITOR, "tags": [{"name": "env", "value": "prod"}, {"name": "paid", "value": ""}, 7]})
    assert are_opposite(event.type, understood().type)
    assert event.subject == understood().subject
    assert event.data["alert"] == {
        "name": "de-fra-1",
        "address": "fra-1.example.net",
        "started_at": "2026-11-29T08:12:44.318000Z",
        "labels": {"env": "prod", "paid": "yes"},
    }
    assert "reason" not in event.data


def test_a_monitor_can_watch_a_node() -> None:
    lost, restored = understood(about="node"), understood(UP, about="node")
    assert (lost.type, restored.type) == (OF_NODES["down"], OF_NODES["up"])
    assert are_opposite(lost.type, restored.type)
    assert lost.subject == restored.subject == "node:de-fra-1"
    assert lost.data == {"node": {"name": "de-fra-1", "address": "fra-1.example.net"}, "reason": "connect ECONNREFUSED"}
    assert understood({**BEAT, "status": 3}, about="node").type == "uptimekuma.maintenance"


@pytest.mark.parametrize(("status", "native"), STATUSES.items())
@pytest.mark.parametrize("written", [int, str])
def test_the_status_says_what_it_is_and_not_the_message(status: int, native: str, written: Any) -> None:
    event = understood({**BEAT, "status": written(status)}, msg="[de-fra-1] [🔴 Down] x")
    assert (event.native_type, event.type) == (native, TYPES[native])


@pytest.mark.parametrize("status", [None, "down", True, [], {}, 1.5e300])
def test_a_heartbeat_of_an_odd_status_is_never_down_nor_up(status: Any) -> None:
    assert understood({**BEAT, "status": status}).type.startswith("uptimekuma.")
    assert understood({**BEAT, "status": 9}).type == "uptimekuma.status.9"


@pytest.mark.parametrize(
    ("msg", "native"),
    [
        ("bridge Testing", "test"),
        ("Testing of a domain will expire", "notice"),
        ("Domain name example.net will expire in 14 days", "notice"),
        (None, "notice"),
        (7, "notice"),
    ],
)
def test_what_has_no_heartbeat_is_a_test_or_a_notice_about_nobody(msg: Any, native: str) -> None:
    for about in ("alert", "node"):
        event = understood(None, None, msg, about)
        assert (event.native_type, event.type, event.subject) == (native, f"uptimekuma.{native}", None)
        assert event.data == ({"system": {"message": msg}} if isinstance(msg, str) else {})


@pytest.mark.parametrize("name", [None, " ", [], {"a": 1}, True])
def test_a_monitor_without_a_name_is_nobody(name: Any) -> None:
    event = understood(monitor={**MONITOR, "name": name})
    assert (event.subject, event.type) == (None, "alert.firing")


def test_two_monitors_of_one_name_are_two() -> None:
    assert understood().subject != understood({**BEAT, "monitorID": 8}).subject
    assert understood({**BEAT, "monitorID": None}).subject == "alert:de-fra-1"


@pytest.mark.parametrize(
    ("monitor", "address"),
    [
        ({"url": "https://user:pw@fra-1.example.net:8443/x?token=y"}, "fra-1.example.net:8443"),
        ({"url": "https://", "hostname": "203.0.113.9", "port": 22}, "203.0.113.9:22"),
        ({"url": "https://", "hostname": "gw", "port": None}, "gw"),
        ({"url": "https://", "hostname": "gw", "port": "ssh"}, "gw"),
        ({"url": "https://"}, None),
        ({"url": "http://[::1"}, None),
        ({"url": "http://x:port"}, None),
        ({"url": None, "hostname": 7}, None),
    ],
)
def test_of_an_address_the_host_is_told(monitor: Any, address: str | None) -> None:
    assert understood(monitor={"name": "a", **monitor}).data["alert"].get("address") == address


def test_the_text_of_the_watched_page_is_not_kept() -> None:
    request = hook({"heartbeat": {**BEAT, "response": "a page's own text"}, "monitor": MONITOR, "msg": "x"})
    assert "own text" not in stored(panel("none"), request)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("headers", '{"Authorization": "Bearer let-me-in"}'),
        ("body", '{"pin": "let-me-in"}'),
        ("databaseConnectionString", "Password=let-me-in;Server=db"),
    ],
)
def test_what_an_old_kuma_asks_with_is_not_kept(name: str, said: str) -> None:
    request = hook({"heartbeat": BEAT, "monitor": {**MONITOR, name: said}, "msg": "x"})
    assert "let-me-in" not in stored(panel("none"), request)


@pytest.mark.parametrize("said", ["N/A", "", None, 7])
def test_no_message_is_no_reason(said: Any) -> None:
    assert "reason" not in understood({**BEAT, "msg": said}).data


# In which form it comes


@pytest.mark.parametrize("more", ["", "; charset=utf-8"])
def test_forms_say_what_json_says(more: str) -> None:
    value = json.dumps({"heartbeat": BEAT, "monitor": MONITOR, "msg": "[é]"})
    for body, headers in (
        (multipart(value), MULTIPART),
        (urlencode({"data": value}).encode(), {"Content-Type": FORM["Content-Type"] + more}),
        (value.encode(), FORM),  # a text of the operator's
        (value.encode(), {"Content-Type": "text/plain"}),
    ):
        assert heard(panel("none"), hook(body=body, headers=headers)) == [understood()]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        multipart("{}", name="other"),
        multipart("{}", more='; filename="a"'),
        multipart("[]"),
        multipart("nope"),
        multipart("{}")[:-6],
        f"--{BOUNDARY}\r\n\r\n\r\n".encode() * (FIELDS + 1),
    ],
)
def test_a_form_without_what_it_should_hold_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        heard(panel("none"), hook(body=body, headers=MULTIPART))


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; x=\n"])
def test_a_form_without_a_boundary_is_refused(kind: str) -> None:
    with pytest.raises(BadPayload):
        heard(panel("none"), hook(body=multipart("{}"), headers={"Content-Type": kind}))


@pytest.mark.parametrize("body", [b"", b"7", b"nope", b"\xff\xfe", b"[]", b'[{"msg": "x"}]'])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        heard(panel("none"), hook(body=body))


@given(JSON | shaped({"heartbeat": shaped(dict.fromkeys(UP, JSON)), "monitor": shaped(dict.fromkeys(MONITOR, JSON))}))
def test_any_json_is_understood_or_refused(value: Any) -> None:
    for about in ("alert", "node"):
        keeps_its_feet(panel("none", about=about), hook(value))


@given(st.binary(), st.sampled_from([{}, FORM, MULTIPART]))
def test_any_bytes_are_understood_or_refused(body: bytes, headers: dict[str, str]) -> None:
    keeps_its_feet(panel("none"), hook(body=body, headers=headers))


@given(st.text())
def test_any_field_is_understood_or_refused(value: str) -> None:
    body = multipart(value.encode("utf-8", "replace").decode())
    keeps_its_feet(panel("none"), hook(body=body, headers=MULTIPART))
