"""WGDashboard: what its webhooks say of peers, as JSON and as forms."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadPayload, BadSignature, TooLarge
from bridge.panels.base import ParsedEvent
from bridge.panels.wgdashboard import FIELDS, PEERS, REPEATED_SIZE, TYPES, WGDashboardConfig, WGDashboardPanel
from bridge.vocabulary import TYPES as CANONICAL
from tests.panels.hearing import JSON, gives_what_is_expected, heard, hook, keeps_its_feet, shaped
from tests.panels.recorded import Recorded, recorded

SECRET = "wgd-test-secret-0123456789"
REQUESTS = recorded("wgdashboard")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SAID = {
    "action": "peer_created",
    "configuration": "wg0",
    "peers": ["a=", "b="],
    "time": "2026-11-29 08:56:53",
    "webhook_id": "1",
    "webhook_session": "s",
}


def panel(secret: Any = SECRET, **settings: Any) -> WGDashboardPanel:
    return WGDashboardPanel(WGDashboardConfig.model_validate({"panel": "wgdashboard", "secret": secret, **settings}))


def understood(**changes: Any) -> list[ParsedEvent]:
    return heard(panel("none"), hook({**SAID, **changes}))


def keys(request: Any) -> list[str]:
    marks = [panel().fingerprint(one, index, request) for index, one in enumerate(panel().elements(request))]
    return [mark.key for mark in marks if mark is not None]


def recording(part: str) -> Recorded:
    return next(request for request in REQUESTS if part in request.name)


# What was recorded


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_request_is_understood(request_: Recorded) -> None:
    gives_what_is_expected(panel(), request_)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_event_has_a_canonical_type_and_a_time(request_: Recorded) -> None:
    for sighting in heard(panel(), request_.hook):
        assert sighting.type == TYPES[sighting.native_type]
        assert sighting.type in CANONICAL
        assert sighting.occurred_at is not None


@pytest.mark.parametrize("secret", [SECRET[:-1], "Bearer", "x"])
def test_a_wrong_secret_is_refused(secret: str) -> None:
    with pytest.raises(BadSignature):
        panel(secret).verify(REQUESTS[0].hook)


@pytest.mark.parametrize("header", [None, "", "ü", "\udcff", f"Basic {SECRET}"])
def test_a_bad_header_is_refused(header: str | None) -> None:
    with pytest.raises(BadSignature):
        panel().verify(hook({}, headers={"Authorization": header} if header is not None else {}))


# What it says


def test_each_peer_is_an_event_of_its_own() -> None:
    first, second = understood()
    assert (first.subject, second.subject) == ("peer:a=", "peer:b=")
    assert first.data == {"peer": {"key": "a=", "interface": "wg0"}}


def test_an_element_is_a_request_about_one_peer() -> None:
    assert panel().elements(hook(SAID)) == [{**SAID, "peers": [one]} for one in ("a=", "b=")]


def test_a_form_says_what_json_says() -> None:
    form = urlencode({**SAID, "peers": json.dumps(SAID["peers"])})
    assert heard(panel("none"), hook(body=form.encode(), headers=FORM)) == understood()
    assert understood(peers='["a=", "b="]') == understood()


def test_its_times_are_of_its_own_zone() -> None:
    (tehran, _) = heard(panel("none", timezone="Asia/Tehran"), hook(SAID))
    assert str(tehran.occurred_at) == "2026-11-29 05:26:53+00:00"
    assert str(understood()[0].occurred_at) == "2026-11-29 08:56:53+00:00"


def test_an_unknown_name_flows() -> None:
    sighting = understood(action="Peer Restricted")[0]
    assert (sighting.type, sighting.native_type) == ("wgdashboard.peer.restricted", "Peer Restricted")


# Repeats


@pytest.mark.parametrize("form", ["", "-form"])
def test_a_second_try_is_the_first_ones_repeat(form: str) -> None:
    number = 36 if form else 34
    first, again = (recording(f"{number + try_}{form}-retry").hook for try_ in (0, 1))
    assert keys(first) == keys(again) != []


def test_no_two_recorded_events_are_one_but_a_retry() -> None:
    found = [key for one in REQUESTS if "retry" not in one.name for key in keys(one.hook)]
    assert len(found) == len(set(found)) > 0


def test_without_a_session_nothing_tells_a_repeat() -> None:
    assert keys(hook({**SAID, "webhook_session": None})) == []


# What is odd, and what is refused


@pytest.mark.parametrize(
    "peers", [None, "a", '"a"', "[", "[]", [], {"a": 1}, [" "], [None], [["a"]], [{"id": "a"}], [True]]
)
def test_peers_that_are_none_make_one_event_about_nobody(peers: Any) -> None:
    (event,) = understood(peers=peers)
    assert (event.type, event.subject, event.data) == ("peer.created", None, {"peer": {"interface": "wg0"}})


def test_an_odd_peer_is_told_beside_its_neighbours() -> None:
    assert [one.subject for one in understood(peers=["a=", None, 7])] == ["peer:a=", None, "peer:7"]


@pytest.mark.parametrize("action", [None, 7, " ", [], {"a": 1}])
def test_what_has_no_name_is_unnamed(action: Any) -> None:
    event = understood(action=action)[0]
    assert (event.type, event.native_type, event.subject) == ("wgdashboard.unnamed", "unnamed", "peer:a=")


@pytest.mark.parametrize("odd", [None, "", "soon", "2026-13-45 00:00:00", [], True])
def test_an_odd_time_or_interface_is_left_out(odd: Any) -> None:
    event = understood(time=odd, configuration=odd if odd != "soon" else None)[0]
    assert (event.occurred_at, event.subject) == (None, "peer:a=")
    assert "None" not in str(event.data)


def test_a_form_lies_in_the_store_without_what_no_database_takes() -> None:
    form = urlencode({"action": "peer_created", "configuration": "a\x00b", "peers": '["a="]'}).encode() + b"&odd=%ff"
    (element,) = panel().elements(hook(body=form, headers=FORM))
    assert element == {"action": "peer_created", "configuration": "a\ufffdb", "odd": "\ufffd", "peers": ["a="]}


@pytest.mark.parametrize("body", [b"", b"&&", b"&" * FIELDS])
def test_a_form_without_fields_or_with_too_many_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        heard(panel("none"), hook(body=body, headers=FORM))


@pytest.mark.parametrize("body", [b"", b"7", b"nope", b"\xff\xfe", b"[]", b'["x"]'])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        heard(panel("none"), hook(body=body))


@pytest.mark.parametrize("peers", [["a"] * (PEERS + 1), json.dumps(["a"] * (PEERS + 1)), "[" * (PEERS + 1)])
@pytest.mark.parametrize("headers", [{}, FORM])
def test_more_peers_than_one_request_may_hold_are_refused(peers: Any, headers: dict[str, str]) -> None:
    said = {**SAID, "peers": peers if isinstance(peers, str) or not headers else json.dumps(peers)}
    body = urlencode(said).encode() if headers else json.dumps(said).encode()
    with pytest.raises(TooLarge):
        panel().elements(hook(body=body, headers=headers))


def test_what_would_grow_beyond_measure_when_each_peer_is_told_of_it_is_refused() -> None:
    told = {**SAID, "peers": ["a"] * 1000, "note": "x" * (REPEATED_SIZE // 1000 - 200)}
    assert len(panel().elements(hook(told))) == 1000
    with pytest.raises(TooLarge):
        panel().elements(hook({**told, "note": "x" * (REPEATED_SIZE // 1000)}))


def test_no_element_shares_anything_with_another() -> None:
    first, second = panel().elements(hook({**SAID, "more": {"a": [1]}}))
    first["more"]["a"].append(2)
    assert second["more"] == {"a": [1]}


@given(JSON | shaped({key: st.just(one) for key, one in SAID.items()}))
def test_any_json_is_understood_or_refused(value: Any) -> None:
    keeps_its_feet(panel("none"), hook(value))


@given(st.binary(), st.sampled_from([{}, FORM]))
def test_any_bytes_are_understood_or_refused(body: bytes, headers: dict[str, str]) -> None:
    keeps_its_feet(panel("none"), hook(body=body, headers=headers))


@given(st.dictionaries(st.sampled_from([*SAID]) | st.text(), st.text()))
def test_any_form_is_understood_or_refused(fields: dict[str, str]) -> None:
    body = urlencode(fields, errors="replace").encode()
    keeps_its_feet(panel("none"), hook(body=body, headers=FORM))
