"""Alertmanager: its alerts one by one, each told once, and none taken back by another's end."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadPayload, BadSignature
from bridge.intake import Fingerprint
from bridge.panels.alertmanager import TYPES, AlertmanagerConfig, AlertmanagerPanel
from bridge.panels.base import ParsedEvent
from bridge.vocabulary import TYPES as CANONICAL
from bridge.vocabulary import are_opposite
from tests.panels.hearing import JSON, gives_what_is_expected, heard, hook, keeps_its_feet, shaped
from tests.panels.recorded import Recorded, recorded

SECRET = "am-test-secret-0123456789"
REQUESTS = recorded("alertmanager")
FIRING = {
    "status": "firing",
    "labels": {"alertname": "DiskWillFill", "instance": "fra-2:9100", "mountpoint": "/", "severity": "warning"},
    "annotations": {"summary": "full in 4 h", "description": "since noon", "runbook_url": "https://example.com"},
    "startsAt": "2026-11-29T08:58:58.352295075Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prom.example.net/graph",
    "fingerprint": "a051217a8fd6d40d",
}
RESOLVED = {**FIRING, "status": "resolved", "endsAt": "2026-11-29T09:10:00Z"}


def panel(secret: Any = SECRET) -> AlertmanagerPanel:
    return AlertmanagerPanel(AlertmanagerConfig.model_validate({"panel": "alertmanager", "secret": secret}))


def understood(alert: Any = FIRING, **changes: Any) -> ParsedEvent:
    (only,) = heard(panel("none"), hook({"status": "firing", "alerts": [{**alert, **changes}]}))
    return only


def mark(alert: Any = FIRING, **changes: Any) -> Fingerprint | None:
    return panel().fingerprint({**alert, **changes}, 0, hook())


def marks(part: str) -> list[Fingerprint | None]:
    (request,) = [one.hook for one in REQUESTS if one.name.startswith(part)]
    return [panel().fingerprint(one, index, request) for index, one in enumerate(panel().elements(request))]


# What was recorded


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_request_is_understood(request_: Recorded) -> None:
    gives_what_is_expected(panel(), request_)


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_every_recorded_alert_has_a_canonical_type_and_a_time_of_its_own(request_: Recorded) -> None:
    for one in heard(panel(), request_.hook):
        assert one.type == TYPES[one.native_type]
        assert one.type in CANONICAL
        assert one.occurred_at is not None
        assert one.occurred_at.year == 2026
        assert "0001" not in str(one.data)


# Who sends it


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("header", [f"Bearer {SECRET}", basic("alertmanager", SECRET), basic("", SECRET)])
def test_the_secret_is_a_token_or_a_password(header: str) -> None:
    assert panel().verify_head(hook({}, headers={"Authorization": header}))


def test_the_secret_may_be_the_whole_header_or_stand_in_the_address() -> None:
    whole = basic("alertmanager", "another")
    assert panel(whole).verify_head(hook({}, headers={"Authorization": whole}))
    assert panel().verify_head(hook({}, token=SECRET))


@pytest.mark.parametrize(
    "header", [None, "", "Basic", "Basic ü", "Basic !", "Basic \udcff", "Basic QQ=", basic(SECRET, "x"), "Bearer x"]
)
def test_a_bad_header_is_refused(header: str | None) -> None:
    with pytest.raises(BadSignature):
        panel().verify(hook({}, headers={"Authorization": header} if header is not None else {}))


# What it says


def test_what_is_known_of_an_alert() -> None:
    event = understood()
    assert (event.type, event.subject) == ("alert.firing", "alert/a051217a8fd6d40d:fra-2:9100")
    assert str(event.occurred_at) == "2026-11-29 08:58:58.352295+00:00"
    assert event.data == {
        "alert": {
            "name": "DiskWillFill",
            "severity": "warning",
            "instance": "fra-2:9100",
            "summary": "full in 4 h",
            "description": "since noon",
            "url": "http://prom.example.net/graph",
            "started_at": "2026-11-29T08:58:58.352295Z",
            "labels": {"mountpoint": "/"},
        }
    }


def test_what_is_resolved_happened_when_it_ended() -> None:
    event = understood(RESOLVED)
    assert (event.type, str(event.occurred_at)) == ("alert.resolved", "2026-11-29 09:10:00+00:00")
    assert event.data["alert"]["ended_at"] == "2026-11-29T09:10:00Z"


def test_the_end_of_an_alert_is_the_opposite_of_itself_alone() -> None:
    other = {**RESOLVED, "fingerprint": "bbbb", "labels": {**FIRING["labels"], "mountpoint": "/var"}}
    assert are_opposite(understood().type, understood(RESOLVED).type)
    assert understood(RESOLVED).subject == understood().subject != understood(other).subject


def test_alerts_of_one_group_are_told_by_their_own_status() -> None:
    group = {"status": "firing", "alerts": [FIRING, RESOLVED]}
    assert [one.type for one in heard(panel("none"), hook(group))] == ["alert.firing", "alert.resolved"]


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"instance": "a", "alertname": "B"}, "a"),
        ({"alertname": "B"}, "B"),
        ({"alertname": "B", "instance": " "}, "B"),
        ({"alertname": None, "instance": 7}, None),
        ({}, None),
        (None, None),
    ],
)
def test_an_alert_is_about_its_instance_or_else_its_name(labels: Any, name: str | None) -> None:
    expected = f"alert/{FIRING['fingerprint']}:{name}" if name else None
    assert understood(labels=labels).subject == expected


def test_without_a_fingerprint_its_labels_tell_it() -> None:
    one, same, other = (
        understood(fingerprint=None, labels={"instance": "a", "mountpoint": at}).subject for at in ("/", "/", "/var")
    )
    assert one == same != other
    assert mark(fingerprint=None) not in (None, mark(fingerprint=None, labels={}))


@pytest.mark.parametrize("odd", [None, "", "soon", [], {}, True, "0001-01-01T00:00:00Z"])
def test_an_odd_time_is_left_out_and_nothing_is_told_to_repeat_without_its_start(odd: Any) -> None:
    event = understood(RESOLVED, startsAt=odd, endsAt=odd)
    assert event.occurred_at is None
    assert not {"started_at", "ended_at"} & event.data["alert"].keys()
    assert mark(startsAt=odd) is None


@pytest.mark.parametrize("status", [None, 7, " ", [], {"a": 1}])
def test_what_has_no_status_is_unnamed(status: Any) -> None:
    event = understood(status=status)
    assert (event.type, event.native_type) == ("alertmanager.unnamed", "unnamed")


def test_an_unknown_status_flows() -> None:
    assert understood(status="Muted").type == "alertmanager.muted"


@pytest.mark.parametrize("alerts", [None, [], "x", {}, 7])
def test_a_body_without_alerts_is_one_event_about_nobody(alerts: Any) -> None:
    (event,) = heard(panel("none"), hook({"status": "firing", "alerts": alerts}))
    assert (event.type, event.subject, event.data) == ("alert.firing", None, {})


# Repeats


def test_a_reminder_is_a_repeat() -> None:
    assert marks("18-") == marks("19-") != [None]


def test_of_a_group_that_changed_only_the_changed_alert_is_new() -> None:
    before, after = marks("04-"), marks("05-")
    assert [one in before for one in after] == [True, False, True]


def test_firing_and_resolved_end_each_other_and_nothing_else() -> None:
    firing, resolved = mark(), mark(status="resolved")
    assert firing is not None
    assert resolved is not None
    assert (firing.ends, resolved.ends) == (resolved.key, firing.key)
    for odd in ("suppressed", None, ["firing"]):
        other = mark(status=odd)
        assert other is not None
        assert other.ends is None
    later = mark(startsAt="2026-11-29T10:00:00Z")
    assert later is not None
    assert later.ends != firing.ends


def test_what_flaps_is_told_each_time() -> None:
    found = marks("22-") + marks("23-") + marks("24-")
    assert len(set(found)) == 3
    assert None not in found


@pytest.mark.parametrize("change", [{"annotations": {}}, {"endsAt": "2026-11-29T09:10:01Z"}, {"generatorURL": ""}])
def test_what_may_change_while_an_alert_lasts_makes_no_new_one(change: dict[str, Any]) -> None:
    assert mark(**change) == mark()


# What is refused


@pytest.mark.parametrize("body", [b"", b"7", b"nope", b"\xff\xfe", b"[]", b'[{"status": "firing"}]'])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        heard(panel("none"), hook(body=body))


@given(JSON | st.lists(JSON | shaped(dict.fromkeys(FIRING, JSON)), max_size=3).map(lambda alerts: {"alerts": alerts}))
def test_any_json_is_understood_or_refused(value: Any) -> None:
    keeps_its_feet(panel("none"), hook(value))


# What is left out


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
def test_how_many_alerts_of_a_group_were_left_out_is_told_of_each_of_the_others(request_: Recorded) -> None:
    left_out = json.loads(request_.hook.body)["truncatedAlerts"]
    told = {event.data["alert"].get("left_out", 0) for event in heard(panel(), request_.hook)}
    assert told == {left_out}
    assert (left_out > 0) is ("truncated" in request_.name)


@pytest.mark.parametrize("odd", [None, 0, -1, "many", [], {}, 1.5])
def test_a_number_that_is_none_leaves_nothing_out(odd: Any) -> None:
    (event,) = heard(panel("none"), hook({"alerts": [{"status": "firing"}], "truncatedAlerts": odd}))
    assert "left_out" not in event.data.get("alert", {})
