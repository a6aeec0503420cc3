"""Any JSON: what the operator's expressions make of it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.errors import BadPayload, BadSignature
from bridge.panels.base import Hook, ParsedEvent
from bridge.panels.json import JsonConfig, JsonPanel
from bridge.value import replace
from tests.panels.hearing import JSON, heard, hook, keeps_its_feet, stored

SECRET = "a-plain-secret"
ALERT = {"kind": "Backup Done", "who": {"login": "alice"}, "at": "2026-11-21T04:14:18Z", "size": 5}


def panel(type_: str = "body.kind", **settings: Any) -> JsonPanel:
    return JsonPanel(JsonConfig.model_validate({"panel": "json", "secret": "none", "type": type_, **settings}))


def understood(type_: str, element: Any = ALERT, **settings: Any) -> ParsedEvent:
    (sighting,) = heard(panel(type_, **settings), hook(element, headers={"X-Event": "Paid"}))
    return sighting


# The expressions


@pytest.mark.parametrize(
    ("expression", "type_", "native"),
    [
        ("body.kind", "backup.done", "Backup Done"),
        ("kind", "backup.done", "Backup Done"),
        ("'user.created'", "user.created", "user.created"),
        ("'User_Created'", "user_created", "User_Created"),
        ("headers['x-event']", "paid", "Paid"),
        ("'backup.' ~ ('big' if size > 3 else 'small')", "backup.big", "backup.big"),
        ("body.who.login | upper", "alice", "ALICE"),
        ("body['missing'].deeper | default('quiet')", "quiet", "quiet"),
        ("size", "5", "5"),
        ("'-- Done! --'", "done", "-- Done! --"),
    ],
)
def test_the_type_is_what_the_operator_says(expression: str, type_: str, native: str) -> None:
    sighting = understood(expression)
    assert (sighting.type, sighting.native_type) == (type_, native)


@pytest.mark.parametrize(
    "expression",
    ["body.missing", "body.missing.deeper", "body.who", "none", "true", "''", "' '", "'!'", "[1]", "body.items"],
)
def test_an_event_without_a_type_is_kept_unnamed(expression: str) -> None:
    assert understood(expression).type == "json.unnamed"


@pytest.mark.parametrize(
    "expression",
    [
        "1 / 0",
        "body.kind()",
        "kind + 1",
        "missing()",
        "kind.__class__.__mro__()",
        "range(10 ** 9) | list",
        "([] | first).x()",
    ],
)
def test_an_expression_that_fails_gives_nothing(expression: str) -> None:
    assert understood(expression).type == "json.unnamed"
    (parsed,) = heard(panel(subject=expression, occurred_at=expression), hook(ALERT))
    assert (parsed.subject, parsed.occurred_at) == (None, None)


@pytest.mark.parametrize(
    ("expression", "subject"),
    [
        ("'user:' ~ body.who.login", "user:alice"),
        ("size", "5"),
        ("body.missing", None),
        ("body.who", None),
        ("''", None),
        ("true", None),
    ],
)
def test_a_subject_is_a_text_or_none(expression: str, subject: str | None) -> None:
    assert understood("kind", subject=expression).subject == subject
    assert understood("kind").subject is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-21T04:14:18Z", "2026-11-21T04:14:18+00:00"),
        ("2026-11-21T07:44:18+03:30", "2026-11-21T04:14:18+00:00"),
        ("2026-11-21T04:14:18", "2026-11-21T04:14:18+00:00"),
        (1795234458, "2026-11-21T04:14:18+00:00"),
        (1795234458500, "2026-11-21T04:14:18.500000+00:00"),
        ("1795234458", "2026-11-21T04:14:18+00:00"),
        ("1795234458500", "2026-11-21T04:14:18.500000+00:00"),
        ("soon", None),
        (1e300, None),
        (None, None),
        (True, None),
    ],
)
def test_a_time_is_text_or_a_number(value: Any, expected: str | None) -> None:
    at = understood("'x'", {"at": value}, occurred_at="body.at").occurred_at
    assert (at.isoformat() if at else None) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "body.update({'kind': 'forged'})",
        "body.pop('kind')",
        "body.who.update({'login': 'mallory'})",
        "who.clear()",
        "headers.update({'x-event': 'Forged'})",
        "headers.pop('x-event')",
        "body.log.append('forged')",
        "log.sort()",
    ],
)
def test_an_expression_cannot_rewrite_the_event_that_is_stored(expression: str) -> None:
    element = {**ALERT, "log": ["b", "a"]}
    request = hook(element, headers={"X-Event": "Paid"})
    for settings in ({"subject": expression}, {"occurred_at": expression}, {"type_": expression}):
        source = panel(**settings)
        (parsed,) = source.elements(request)
        source.parse(parsed, request)
        assert parsed == element


def test_an_element_cannot_hide_the_body_or_the_headers() -> None:
    sighting = understood("body.kind ~ headers['x-event']", {"kind": "a", "body": {"kind": "b"}, "headers": {}})
    assert sighting.native_type == "aPaid"


@pytest.mark.parametrize(
    ("field", "expression"),
    [
        ("type", "body."),
        ("type", "a b"),
        ("type", ""),
        ("subject", "x | nofilter"),
        ("each", "("),
        ("occurred_at", "{{ x }}"),
    ],
)
def test_a_broken_expression_stops_the_start(field: str, expression: str) -> None:
    with pytest.raises(ValidationError, match="is not a Jinja expression") as refusal:
        panel(**{"type_": "kind", field: expression} if field != "type" else {"type_": expression})
    assert refusal.value.errors()[0]["loc"] == (field,)


def test_a_source_without_a_type_stops_the_start() -> None:
    with pytest.raises(ValidationError, match="type"):
        JsonConfig.model_validate({"panel": "json", "secret": "none"})


# The elements


@pytest.mark.parametrize(
    ("body", "settings", "natives"),
    [
        ({"kind": "a"}, {}, ["a"]),
        ([{"kind": "a"}, {"kind": "b"}], {}, ["a", "b"]),
        ([], {}, []),
        ({"alerts": [{"kind": "a"}, {"kind": "b"}]}, {"each": "body.alerts"}, ["a", "b"]),
        ({"alerts": [{"kind": "a"}, {}]}, {"each": "body.alerts | selectattr('kind')"}, ["a"]),
        ([{"kind": "a"}, {"kind": "b"}], {"each": "[body[1]]"}, ["b"]),
        ({"alerts": []}, {"each": "alerts"}, []),
        ({"items": [{"kind": "a"}, {"kind": "b"}]}, {"each": "body.items"}, ["a", "b"]),
        ({"items": {"values": [{"kind": "a"}]}}, {"each": "body.items.values"}, ["a"]),
        ({"keys": [{"kind": "a"}]}, {"each": "keys"}, ["a"]),
        ([{"pop": {"kind": "a"}}], {"each": "body | map(attribute='pop')"}, ["a"]),
    ],
)
def test_each_names_the_elements(body: Any, settings: dict[str, Any], natives: list[str]) -> None:
    assert [one.native_type for one in heard(panel(**settings), hook(body))] == natives


@pytest.mark.parametrize(
    "each", ["body", "body.missing", "5", "'abc'", "[body.items]", "[body.missing]", "1 / 0", "body.x.y()"]
)
def test_a_body_in_which_each_leads_to_no_list_is_one_element(each: str) -> None:
    (parsed,) = heard(panel(each=each), hook({"kind": "a"}))
    assert parsed.native_type == "a"


@pytest.mark.parametrize("value", [5, "text", None, True, 1.5])
def test_an_element_need_not_be_an_object(value: Any) -> None:
    sighting = understood("'x'", value)
    assert sighting.data == {"value": value}


def test_templates_can_read_the_elements_own_keys() -> None:
    assert understood("kind").data == ALERT


@pytest.mark.parametrize("body", [b"", b"nope", b"\xff", b"[" * 100_000, b'{"kind": NaN}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        heard(panel(), hook(body=body))


def test_secrets_are_not_stored() -> None:
    secrets = (
        "password",
        "passwd",
        "secret",
        "token",
        "access_token",
        "api_key",
        "apiKey",
        "private_key",
        "authorization",
    )
    body = {"kind": "a", "deep": [dict.fromkeys(secrets, "s3cr3t")], **{key: {"x": ["s3cr3t"]} for key in secrets}}
    assert "s3cr3t" not in stored(panel(), hook(body))


# The secret

BARE = hook(ALERT)


def test_the_secret_may_come_by_any_of_three_ways() -> None:
    for given_ in (
        replace(BARE, token=SECRET),
        replace(BARE, headers={"authorization": f"Bearer {SECRET}"}),
        replace(BARE, headers={"x-webhook-secret": SECRET}),
    ):
        panel(secret=["new", SECRET]).verify(given_)
        with pytest.raises(BadSignature, match="wrong secret"):
            panel(secret="another").verify(given_)
    with pytest.raises(BadSignature, match="no secret given"):
        panel(secret=SECRET).verify(BARE)


def test_the_header_can_be_named() -> None:
    shop = panel(secret=SECRET, header="X-Shop-Key")
    shop.verify(replace(BARE, headers={"x-shop-key": SECRET}))
    with pytest.raises(BadSignature):
        shop.verify(replace(BARE, headers={"X-Webhook-Secret": SECRET}))


# Anything

EXPRESSIONS = (
    "body.a.b",
    "a ~ b",
    "body | length",
    "body | first",
    "a + 1",
    "a.b.c()",
    "headers.x",
    "body[0]",
    "a | sort | join",
)


@given(JSON | st.dictionaries(st.sampled_from("ab"), JSON), st.sampled_from(EXPRESSIONS), st.sampled_from(EXPRESSIONS))
def test_any_json_is_understood_or_refused(value: Any, type_: str, other: str) -> None:
    keeps_its_feet(panel(type_, subject=other, occurred_at=other), hook(value))
    keeps_its_feet(panel("'x'", each=other), hook(value))


@given(st.binary())
def test_any_bytes_are_understood_or_refused(body: bytes) -> None:
    keeps_its_feet(panel(), hook(body=body))


def test_a_header_that_is_no_text_can_be_stored() -> None:
    hook_ = Hook(body=b"{}", received_at=BARE.received_at, headers={"X-Event": "a\udcff"})
    (sighting,) = heard(panel("headers['x-event']"), hook_)
    assert json.dumps(sighting.native_type, ensure_ascii=False).encode()
