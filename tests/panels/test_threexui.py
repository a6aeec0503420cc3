"""3x-ui: what two looks at it tell, of clients, nodes and Xray; what its answers are, and what they may be."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.errors import BadPayload, BadSignature
from bridge.event import JsonObject
from bridge.panels.base import Hook, ParsedEvent
from bridge.panels.threexui import ThreeXuiConfig, ThreeXuiPanel
from bridge.panels.threexui.clients import SET_BACK
from bridge.panels.threexui.panel import OF_NODES, TYPES, Picture
from bridge.polled import PollResponse
from bridge.samples import samples_of
from bridge.vocabulary import are_opposite
from tests.panels.hearing import JSON, heard, hook, keeps_its_feet, stored
from tests.panels.recorded import ARRIVAL
from tests.polling.threexui import GIB, TOKEN, a_client, a_node, milliseconds

DAY = 86_400_000
NOW = milliseconds(ARRIVAL)
SECRETS = ("uuid", "password", "auth", "secret", "privateKey", "preSharedKey", "subId")


def opened(**settings: Any) -> ThreeXuiPanel:
    given = {"panel": "3x-ui", "address": "https://panel.example.com/path", "token": TOKEN, **settings}
    return ThreeXuiConfig.model_validate(given).open()


def clients(*several: JsonObject, **more: Any) -> Picture:
    return Picture({str(one["id"]): one for one in several}, more.get("nodes", {}), more.get("xray", {}))


def nodes(*several: JsonObject) -> Picture:
    return Picture({}, {str(one["id"]): one for one in several}, {})


def between(*looks: Picture, at: datetime = ARRIVAL, panel: ThreeXuiPanel | None = None) -> list[str]:
    """What the last of these looks tells."""
    return [element["event"] for element in elements(*looks, at=at, panel=panel)]


def elements(*looks: Picture, at: datetime = ARRIVAL, panel: ThreeXuiPanel | None = None) -> list[JsonObject]:
    panel, state, told = panel or opened(), None, []
    for look in looks:
        difference = panel.diff(state, look, at)
        state, told = json.loads(json.dumps(difference.state)), list(difference.elements)
    return told


def meant(*looks: Picture) -> ParsedEvent:
    """The one event that the last of these looks tells."""
    (element,) = elements(*looks)
    return opened().parse(element, hook([element]))


ALICE = a_client(1, email="alice", totalGB=10 * GIB, expiryTime=NOW + 30 * DAY, up=GIB, lastOnline=NOW - DAY)


def alice(**changes: Any) -> JsonObject:
    return {**ALICE, **changes, "traffic": {**ALICE["traffic"], **changes.get("traffic", {})}}


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({}, {}, []),
        ({}, {"traffic": {"down": 5 * GIB}}, []),
        ({}, {"traffic": {"down": 9 * GIB - 1}}, ["client.usage_threshold"]),
        ({}, {"traffic": {"down": 9 * GIB}}, ["client.limited"]),
        ({"traffic": {"down": 8 * GIB}}, {"traffic": {"down": 8 * GIB + 1}}, []),
        ({"traffic": {"down": 8 * GIB}}, {"traffic": {"down": 0}}, []),
        ({"traffic": {"down": 9 * GIB}}, {"traffic": {"down": 0}}, ["client.enabled"]),
        ({"traffic": {"down": 9 * GIB}}, {"traffic": {"down": 99 * GIB}}, []),
        ({}, {"totalGB": GIB}, ["client.updated", "client.limited"]),
        ({"totalGB": GIB}, {"totalGB": 0}, ["client.updated", "client.enabled"]),
        ({}, {"enable": False}, ["client.disabled"]),
        ({"enable": False}, {}, ["client.enabled"]),
        ({"enable": False}, {"enable": False, "traffic": {"down": 8 * GIB}}, []),
        ({}, {"expiryTime": NOW}, ["client.updated", "client.expired"]),
        ({}, {"expiryTime": NOW + 2 * DAY}, ["client.updated", "client.expiring"]),
        ({"expiryTime": NOW - DAY}, {}, ["client.updated", "client.enabled"]),
        ({"expiryTime": NOW - DAY}, {"reset": 30}, ["client.renewed"]),
        ({"expiryTime": NOW - DAY}, {"resetDay": 3}, ["client.renewed"]),
        ({"expiryTime": NOW - DAY}, {"expiryTime": NOW - 1, "reset": 30}, ["client.renewed"]),
        ({"expiryTime": NOW + DAY}, {"reset": 30}, ["client.updated"]),  # its end had not come
        ({}, {"email": "bob"}, ["client.updated"]),
        ({}, {"expiryTime": -30 * DAY}, ["client.updated", "client.on_hold"]),
        ({"traffic": {"up": 0, "lastOnline": 0}}, {}, ["client.first_connected"]),
        ({"traffic": {"up": 0, "lastOnline": 0}}, {"traffic": {"up": 0, "lastOnline": 1}}, ["client.first_connected"]),
        ({"expiryTime": -30 * DAY, "traffic": {"up": 0, "lastOnline": 0}}, {}, ["client.first_connected"]),
        ({"expiryTime": -30 * DAY}, {}, []),  # it had connected before it was put on hold
        ({}, {"comment": "more", "tgId": 7}, []),
    ],
)
def test_what_has_changed_of_a_client_is_told(before: JsonObject, now: JsonObject, told: list[str]) -> None:
    assert between(clients(alice(**before)), clients(alice(**now))) == told


def test_who_comes_is_told_as_such_whatever_else_he_is_and_so_is_who_goes() -> None:
    bob = a_client(2, email="bob", totalGB=1, up=2, expiryTime=1)
    assert between(clients(alice()), clients(alice(), bob)) == ["client.created"]
    assert between(clients(alice(), bob), clients(alice())) == ["client.deleted"]


def test_nothing_is_told_of_a_first_look() -> None:
    assert between(clients(alice(), nodes={"1": a_node(1, status="offline")}, xray={"state": "error"})) == []


def test_who_has_connected_once_does_not_do_so_for_the_first_time_after_a_reset() -> None:
    fresh = {"traffic": {"up": 0, "lastOnline": 0}}
    assert between(clients(alice()), clients(alice(**fresh)), clients(alice())) == []


@pytest.mark.parametrize("percent", [50, 79, 80, 89, 90, 99])
def test_each_part_of_the_traffic_is_told_once_and_the_highest_of_several(percent: int) -> None:
    panel = opened(usage_thresholds=[50, 80, 90])
    used = clients(alice(traffic={"up": 0, "down": 10 * GIB * percent // 100 + 1}))
    assert between(clients(alice()), used, panel=panel) == ["client.usage_threshold"]
    assert between(clients(alice()), used, used, panel=panel) == []


@pytest.mark.parametrize("traffic", [None, {}, "lacks"])
@pytest.mark.parametrize(
    ("down", "now", "told"),
    [
        (5 * GIB, {}, []),
        (8 * GIB, {}, []),
        (9 * GIB, {}, []),
        (9 * GIB, {"totalGB": 11 * GIB}, ["client.updated"]),
        (9 * GIB, {"totalGB": 0}, ["client.updated", "client.enabled"]),
        (8 * GIB, {"enable": False}, ["client.disabled"]),
        (9 * GIB, {"expiryTime": NOW}, ["client.updated", "client.expired"]),
    ],
)
def test_a_look_without_traffic_tells_nothing_of_it(down: int, now: JsonObject, told: list[str], traffic: Any) -> None:
    before = clients(alice(traffic={"down": down}))
    silent = {**ALICE, **now, "traffic": traffic}
    if traffic == "lacks":
        del silent["traffic"]
    assert between(before, clients(silent)) == told
    if not now:
        assert between(before, clients(silent), before) == []


def test_what_a_look_without_traffic_left_open_is_told_with_the_next() -> None:
    limited, silent = clients(alice(traffic={"down": 9 * GIB})), clients({**ALICE, "traffic": None})
    assert between(limited, silent, clients(alice(traffic={"down": 0}))) == ["client.enabled"]
    used = clients(alice(traffic={"down": 8 * GIB}))
    assert between(clients(alice()), silent, used) == ["client.usage_threshold"]


def test_nobody_is_told_of_parts_that_nobody_wants() -> None:
    used = clients(alice(traffic={"down": 8 * GIB}, expiryTime=NOW + 40 * DAY))
    assert between(clients(alice(expiryTime=NOW + 40 * DAY)), used, panel=opened(usage_thresholds="none")) == []


def test_an_end_that_comes_near_is_told_at_each_of_its_marks_and_then_that_it_has_come() -> None:
    panel, state, told = opened(expiring=["3d", "1d"]), None, []
    for hours in range(24 * 6):
        at = ARRIVAL + timedelta(hours=hours)
        difference = panel.diff(state, clients(alice(expiryTime=NOW + 5 * DAY)), at)
        state = difference.state
        told += [(hours, element["event"]) for element in difference.elements]
    assert told == [(48, "client.expiring"), (96, "client.expiring"), (120, "client.expired")]


def test_a_clock_that_is_set_back_a_little_makes_nobody_young_again() -> None:
    panel, state, told = opened(), None, []
    for seconds in (-90, 90, -90, 90):
        for end in (3 * DAY, 0):
            person = clients(alice(id=end + 1, expiryTime=NOW + end))
            difference = panel.diff((state or {}).get(end), person, ARRIVAL + timedelta(seconds=seconds))
            state = {**(state or {}), end: difference.state}
            told += [element["event"] for element in difference.elements]
    assert told == ["client.expiring", "client.expired"]
    over, young = clients(alice(expiryTime=NOW)), ARRIVAL - timedelta(milliseconds=SET_BACK + 1)
    before = panel.diff(None, over, ARRIVAL).state
    assert [one["event"] for one in panel.diff(before, over, young).elements] == ["client.enabled"]


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({}, {"latencyMs": 900, "cpuPct": 99.0}, []),
        ({}, {"status": "offline"}, ["node.down"]),
        ({"status": "offline"}, {}, ["node.up"]),
        ({}, {"status": "unknown"}, []),
        ({"status": "unknown"}, {}, []),
        ({}, {"enable": False, "status": "offline"}, ["node.disabled"]),
        ({"enable": False, "status": "offline"}, {}, ["node.enabled"]),
        ({}, {"name": "other"}, ["node.updated"]),
        ({}, {"xrayState": "error"}, ["xray.down"]),
        ({}, {"xrayState": "stop"}, ["xray.down"]),
        ({"xrayState": "stop"}, {"xrayState": "error"}, []),
        ({"xrayState": "error"}, {}, ["xray.up"]),
        ({}, {"status": "offline", "xrayState": "error"}, ["node.down"]),  # nobody knows of its Xray
        ({}, {"xrayState": ""}, []),
    ],
)
def test_what_has_changed_of_a_node_is_told(before: JsonObject, now: JsonObject, told: list[str]) -> None:
    assert between(nodes(a_node(1, **before)), nodes(a_node(1, **now))) == told


def test_nodes_that_come_and_go_are_told() -> None:
    assert between(nodes(a_node(1)), nodes(a_node(1), a_node(2))) == ["node.created"]
    assert between(nodes(a_node(1), a_node(2)), nodes(a_node(1))) == ["node.deleted"]


def test_what_is_not_known_of_a_node_is_what_it_was() -> None:
    lost, unknown, found = a_node(1, status="offline"), a_node(1, status="unknown"), a_node(1)
    assert between(nodes(found), nodes(unknown), nodes(lost)) == ["node.down"]
    assert between(nodes(lost), nodes(unknown), nodes(found)) == ["node.up"]


@pytest.mark.parametrize(("xray", "told"), [({}, []), ({"state": "running"}, []), ({"state": "stop"}, ["xray.down"])])
def test_the_panel_s_own_xray_is_told_of_and_is_what_it_was_just_after_a_start(
    xray: JsonObject, told: list[str]
) -> None:
    assert between(clients(xray={"state": "running"}), clients(xray=xray)) == told


def test_what_a_client_is_is_told_in_our_words() -> None:
    limited = alice(traffic={"down": 9 * GIB}, tgId=77, group="vip", comment="pays late")
    event = meant(clients(alice()), clients(limited))
    assert (event.type, event.subject) == ("user.limited", "user:alice")
    assert event.data == {
        "user": {
            "username": "alice",
            "id": 1,
            "status": "limited",
            "used_bytes": 10 * GIB,
            "limit_bytes": 10 * GIB,
            "expires_at": "2026-12-21T12:00:00Z",
            "created_at": "2026-09-21T14:13:20Z",
            "online_at": "2026-11-20T12:00:00Z",
            "device_limit": 2,
            "telegram_id": 77,
            "groups": ["vip"],
            "note": "pays late",
        }
    }


def test_how_much_is_used_and_how_long_is_left_is_told() -> None:
    used = meant(clients(alice()), clients(alice(traffic={"down": 8 * GIB})))
    assert used.data["usage"] == {"used_bytes": 9 * GIB, "limit_bytes": 10 * GIB, "percent": 90}
    end = NOW + 2 * DAY + 3_600_000
    state = opened(expiring="none").diff(None, clients(alice(expiryTime=end)), ARRIVAL).state
    (element,) = opened().diff(state, clients(alice(expiryTime=end)), ARRIVAL).elements
    ends = {"at": "2026-11-23T13:00:00Z", "days_left": 2, "hours": 49}
    assert opened().parse(element, hook([element])).data["expiry"] == ends


def test_who_has_expired_did_so_when_it_was_over_and_who_is_on_hold_has_so_long() -> None:
    state = opened().diff(None, clients(alice(expiryTime=NOW - 1000)), ARRIVAL - timedelta(hours=1)).state
    (element,) = opened().diff(state, clients(alice(expiryTime=NOW - 1000)), ARRIVAL).elements
    assert opened().parse(element, hook([element])).occurred_at == ARRIVAL - timedelta(seconds=1)
    held = elements(clients(alice()), clients(alice(expiryTime=-30 * DAY)))[-1]
    assert opened().parse(held, hook([held])).data["user"]["on_hold_seconds"] == 30 * 86400


@pytest.mark.parametrize(
    ("now", "subject", "reason"),
    [
        ({"status": "offline", "lastError": "i/o timeout"}, "node:node-1", "i/o timeout"),
        ({"status": "offline"}, "node:node-1", None),
        ({"xrayState": "error", "xrayError": "exit 1"}, "node/xray:node-1", "Xray: exit 1"),
        ({"xrayState": "stop"}, "node/xray:node-1", "Xray does not run"),
    ],
)
def test_why_a_node_is_lost_is_told_and_its_xray_is_another_subject(
    now: JsonObject, subject: str, reason: str | None
) -> None:
    event = meant(nodes(a_node(1)), nodes(a_node(1, **now)))
    assert (event.type, event.subject) == ("node.connection_lost", subject)
    assert event.data.get("reason") == reason
    assert event.data["node"]["name"] == "node-1"


def test_the_path_of_a_node_s_panel_is_shown_nowhere() -> None:
    error = 'Get "https://203.0.113.7:2053/a-hidden-path/panel/api/server/status": i/o timeout'
    lost = a_node(1, status="offline", basePath="/a-hidden-path/", lastError=error)
    (element,) = elements(nodes(a_node(1)), nodes(lost))
    assert "a-hidden-path" not in stored(opened(), hook([element]))
    (event,) = heard(opened(), hook([element]))
    assert event.data["reason"] == 'Get "https://203.0.113.7:2053/***": i/o timeout'


def test_what_is_lost_and_found_again_takes_each_other_back() -> None:
    assert are_opposite(OF_NODES["node.down"], OF_NODES["node.up"])
    assert are_opposite(OF_NODES["xray.down"], OF_NODES["xray.up"])
    assert are_opposite(TYPES["client.disabled"], TYPES["client.enabled"])


# What is asked and answered


def test_it_is_asked_with_its_token_and_nothing_is_posted_to_it() -> None:
    asked = opened().questions()
    assert [one.path for one in asked] == [
        "panel/api/server/status",
        "panel/api/clients/list",
        "panel/api/nodes/list",
    ]
    assert {one.headers["Authorization"] for one in asked} == {f"Bearer {TOKEN}"}
    assert TOKEN not in repr(asked)
    with pytest.raises(BadSignature):
        opened().verify(hook([]))
    with pytest.raises(ValidationError, match="its own secret is its token"):
        opened(secret="something")


def answer(value: Any, status: int = 200) -> PollResponse:
    return PollResponse(status, json.dumps(value).encode())


def well(obj: Any) -> PollResponse:
    return answer({"success": True, "msg": "", "obj": obj})


def test_what_may_lack_may_lack() -> None:
    picture = opened().read([well(None), well([{"email": "alice"}, None, 7, {"email": None}]), None])
    assert picture == Picture({"alice": {"email": "alice"}}, None, {})
    assert opened().read([well({}), well(None), well(None)]) == Picture({}, {}, {})


def test_nodes_of_nodes_have_no_number_and_are_told_apart_all_the_same() -> None:
    listed = [a_node(0, guid="a", transitive=True), a_node(0, guid="b"), a_node(0, guid="", name="c"), a_node(3)]
    picture = opened().read([well({}), well([]), well(listed)])
    assert picture.nodes is not None
    assert set(picture.nodes) == {"a", "b", "c", "3"}


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (answer({}, 404), "does not know the token"),
        (answer({}, 403), "should not be monitor"),
        (answer({}, 500), "HTTP 500"),
        (answer({"success": False, "msg": "database is locked"}), "database is locked"),
        (answer({"success": False}), "none of 3x-ui's API"),
        (answer([]), "none of 3x-ui's API"),
        (PollResponse(200, b"<html>"), "not JSON"),
        (PollResponse(307), "HTTP 307"),
    ],
)
def test_an_answer_that_says_nothing_is_refused_and_why(refused: PollResponse, reason: str) -> None:
    for answers in ([refused, None, None], [well({}), refused, None], [well({}), well([]), refused]):
        with pytest.raises(BadPayload, match=reason):
            opened().read(answers)


@given(st.lists(JSON, max_size=3), st.lists(JSON, max_size=3), JSON)
def test_whatever_is_answered_is_compared_or_refused(first: list[Any], second: list[Any], beside: Any) -> None:
    panel, state = opened(), None
    for listed in (first, second):
        named = [{**one, "email": "x"} if isinstance(one, dict) else one for one in listed]
        try:
            of_nodes = well([{"name": "n", "status": beside, "xrayState": beside}])
            picture = panel.read([well(beside), well(named), of_nodes])
        except BadPayload:  # a number that no JSON has
            continue
        difference = panel.diff(state, picture, ARRIVAL)
        state = json.loads(json.dumps(difference.state))
        for element in difference.elements:
            assert panel.parse(element, hook([element])).type in TYPES.values()


@given(JSON)
def test_whatever_an_element_is_it_is_understood_or_refused(element: Any) -> None:
    panel = opened()
    for one in (
        element,
        {"event": element},
        *({"event": event, "client": element, "node": element} for event in TYPES),
    ):
        keeps_its_feet(panel, hook([one]))


def test_every_event_has_a_sample_that_is_what_the_panel_tells() -> None:
    assert {one.native_type for one in samples_of("3x-ui")} == set(TYPES)
    for one in samples_of("3x-ui"):
        sent: Hook = one.hook(ARRIVAL)
        (element,) = opened().elements(sent)
        assert opened().parse(element, sent).type == one.type
