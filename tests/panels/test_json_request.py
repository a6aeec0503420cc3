"""Any JSON: an element of a body that `each` has taken apart still sees all of it, but no secret."""

from typing import Any

import pytest

from bridge.event import Event
from bridge.ingress.source import FingerprintedEvent, Source
from bridge.panels.json import JsonConfig, JsonPanel
from tests.panels.hearing import hook

PEERS = {"action": "peer_deleted", "configuration": "wg0", "peers": ["a=", "b="]}


def told(body: Any, **settings: Any) -> list[FingerprintedEvent]:
    given = {"panel": "json", "secret": "none", "type": "'x'", **settings}
    source = Source("main", "json", JsonPanel(JsonConfig.model_validate(given)))
    events, set_aside = source.parse(hook(body, headers={"X-Kind": "deleted"}))
    assert set_aside == []
    return events


def understood(body: Any, **settings: Any) -> list[Event]:
    return [event for event, _ in told(body, **settings)]


def test_what_stands_beside_the_elements_says_what_happened_to_each() -> None:
    events = understood(
        PEERS,
        each="body.peers",
        type="'peer.' ~ request.headers['x-kind'] if request.body.action == 'peer_deleted' else none",
        subject="'peer:' ~ body",
        data={"peer.key": "body", "peer.interface": "request.body.configuration"},
    )
    assert [(one.type, one.subject, one.data["peer"]) for one in events] == [
        ("peer.deleted", "peer:a=", {"key": "a=", "interface": "wg0"}),
        ("peer.deleted", "peer:b=", {"key": "b=", "interface": "wg0"}),
    ]


@pytest.mark.parametrize(
    ("body", "each", "expected"),
    [
        ({"kind": "x"}, None, ["{'kind': 'x'}"]),
        ([1, 2], None, ["[1, 2]", "[1, 2]"]),
        ({"in": [1]}, "body['in']", ["{'in': [1]}"]),
        ({"in": 7}, "body['in']", ["{'in': 7}"]),
    ],
)
def test_the_request_is_the_whole_body_whatever_is_taken_of_it(
    body: Any, each: str | None, expected: list[str]
) -> None:
    events = understood(body, each=each, data={"reason": "request.body | string"})
    assert [one.data["reason"] for one in events] == expected


def test_a_senders_own_request_is_a_key_of_its_body() -> None:
    body = {"request": {"id": "r1"}}
    (event,) = understood(body, data={"reason": "body.request.id ~ request.body.request.id"})
    assert event.data["reason"] == "r1r1"


SECRET_BODY = {
    "token": "t0ken-t0ken-t0ken",
    "note": "hidden by rule",
    "alerts": [{"user": {"phone": "+49 30 000000"}, "password": "p4ss-p4ss-p4ss"}, {"name": "second"}],
}


def test_no_secret_of_the_whole_body_is_seen_by_any_of_its_elements() -> None:
    events = understood(
        SECRET_BODY,
        each="body.alerts",
        mask=["user.phone", "note"],
        data={"reason": "request.body | tojson"},
    )
    kept = str([(one.data, one.native) for one in events])
    for secret in ("t0ken", "p4ss", "000000", "hidden by rule"):
        assert secret not in kept
    assert all("second" in one.data["reason"] for one in events)


def test_a_key_of_repeats_may_be_made_of_what_is_masked_in_what_is_told() -> None:
    marks = [
        [mark for _, mark in told({**SECRET_BODY, "token": token}, each="body.alerts",
                                  dedupe="request.body.token ~ (body.name or '')")]
        for token in ("one-one-one-one", "two-two-two-two")
    ]  # fmt: skip
    assert len({mark.key for several in marks for mark in several if mark is not None}) == 4
