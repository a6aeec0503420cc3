"""Any JSON in our words: keys of data, opposites, repeats, forms."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.errors import BadPayload
from bridge.intake import Fingerprint
from bridge.panels.base import ParsedEvent
from bridge.panels.json import JsonConfig, JsonPanel
from bridge.panels.json.mapping import KINDS
from bridge.vocabulary import KEYS, ValueKind, are_opposite
from tests.panels.hearing import JSON, heard, hook, keeps_its_feet
from tests.panels.recorded import SENDERS, recorded

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"content-type": "multipart/form-data; boundary=frontier"}


def panel(**settings: Any) -> JsonPanel:
    given = {"panel": "json", "secret": "none", "type": "body.kind", **settings}
    return JsonPanel(JsonConfig.model_validate(given))


def understood(element: Any, **settings: Any) -> ParsedEvent:
    (event,) = heard(panel(**settings), hook(element))
    return event


# Our keys

#: What each kind of value takes, and as what; and what it does not take.
TAKEN: dict[ValueKind, tuple[list[tuple[Any, Any]], list[Any]]] = {
    ValueKind.TEXT: ([("a", "a"), (7, "7"), (1.5, "1.5")], [None, " ", True, [], {"a": 1}]),
    ValueKind.STATE: ([("active", "active")], [None, "", True, ["a"]]),
    ValueKind.ID: ([("x-1", "x-1"), (7, "7")], [None, "", False, {}]),
    ValueKind.TIME: ([("2026-11-21T07:44:18+03:30", "2026-11-21T04:14:18Z")], [None, "soon", True, []]),
    ValueKind.DEADLINE: ([(1795234458, "2026-11-21T04:14:18Z")], [None, "", {}, "never"]),
    ValueKind.NUMBER: ([(7, 7), ("7", 7), (7.0, 7)], [None, "many", True, []]),
    ValueKind.BYTES: ([("1073741824", 2**30)], [None, "1 GB", [], {}]),
    **{
        kind: ([(1.5, 1.5), ("1.5", 1.5), (2, 2)], [None, "x", True, [1]])
        for kind in (
            *(ValueKind.SECONDS, ValueKind.HOURS, ValueKind.DAYS),
            *(ValueKind.PERCENT, ValueKind.AMOUNT, ValueKind.FACTOR),
        )
    },
    ValueKind.TRUTH: ([(True, True), ("no", False)], [None, "maybe", 1, []]),
    ValueKind.TEXTS: ([(["a", "b"], ["a", "b"]), (["a", 7, None], ["a"])], [None, "a", 7, {"a": 1}, []]),
    ValueKind.NUMBERS: ([([0.1, 2], [0.1, 2])], [None, 7, "x", {}]),
    ValueKind.OBJECTS: ([([{"a": 1}], [{"a": 1}])], [None, 7, "x", {}]),
    ValueKind.OBJECT: ([({"a": "b"}, {"a": "b"})], [None, 7, "x", [1], {}]),
}


@pytest.mark.parametrize("key", KINDS)
def test_every_key_takes_what_belongs_there_and_nothing_else(key: str) -> None:
    about, _, inner = key.partition(".")
    taken, refused = TAKEN[KINDS[key]]
    for value, expected in taken:
        found = understood({"kind": "x", "v": value}, data={key: "body.v"}, unmask=["**"]).data
        assert found == ({about: {inner: expected}} if inner else {about: expected})
    for value in refused:
        assert understood({"kind": "x", "v": value}, data={key: "body.v"}, unmask=["**"]).data == {}


def test_every_key_of_the_vocabulary_can_be_filled() -> None:
    assert {key.partition(".")[0] for key in KINDS} == set(KEYS)
    assert set(KINDS.values()) | {ValueKind.OBJECT} == set(ValueKind)


def test_what_is_mapped_is_told_in_place_of_what_was_sent() -> None:
    data = {"node.name": "body.host", "node.address": "body.ip", "reason": "body.why", "actor": "body.none.deeper"}
    event = understood({"kind": "x", "host": "fra-1", "ip": None, "why": "timed out", "noise": 4}, data=data)
    assert event.data == {"node": {"name": "fra-1"}, "reason": "timed out"}


@pytest.mark.parametrize("expression", ["1 / 0", "body.missing()", "range(10 ** 9) | list", "body.none", "missing"])
def test_an_expression_that_fails_leaves_its_key_out(expression: str) -> None:
    assert understood({"kind": "x"}, data={"reason": expression, "action": "'done'"}).data == {"action": "done"}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"node.nmae": "x"}, 'did you mean "node.name"'),
        ({"node": "x"}, '"node" is no key of data'),
        ({"qqq": "x"}, '"qqq" is no key of data'),
        ({"node.name": "x +"}, "is not a Jinja expression"),
    ],
)
def test_a_key_that_there_is_not_is_told(data: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        panel(data=data)


# Opposites


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("disk.broken", "disk.firing"),
        ("disk.mended", "disk.resolved"),
        ("Disk Broken", "disk.firing"),
        ("broken", "alert.firing"),
        ("mended", "alert.resolved"),
        ("disk.watched", "disk.watched"),
        ("unbroken", "unbroken"),
    ],
)
def test_words_that_are_a_pair_take_each_other_back(kind: str, type_: str) -> None:
    event = understood({"kind": kind}, pairs={"broken": "mended"})
    assert (event.type, event.native_type) == (type_, kind)


def test_a_pair_is_one_for_whoever_waits_for_the_good_news() -> None:
    bad, good = (understood({"kind": kind}, pairs={"Broken": "Mended"}).type for kind in ("broken", "mended"))
    assert are_opposite(bad, good)


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ({"a.b": "c"}, "one word"),
        ({"a": " "}, "one word"),
        ({"a": "a"}, "stands there twice"),
        ({"a": "b", "c": "B"}, "stands there twice"),
    ],
)
def test_pairs_that_are_none_are_told(pairs: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        panel(pairs=pairs)


# Repeats


def mark(element: Any, *, index: int = 0, headers: dict[str, str] | None = None, **settings: Any) -> Fingerprint | None:
    return panel(**settings).fingerprint(element, index, hook(element, headers=headers or {}))


def test_what_comes_again_under_its_own_key_is_a_repeat_wherever_it_stands() -> None:
    one, again = (mark({"id": "a"}, index=index, dedupe="body.id") for index in (0, 3))
    assert one == again is not None
    assert mark({"id": "b"}, dedupe="body.id") not in (None, one)


def test_of_one_key_bad_news_and_good_end_each_other_and_neither_repeats_the_other() -> None:
    settings: dict[str, Any] = {"type": "body.is", "pairs": {"broken": "mended"}, "dedupe": "body.id"}
    bad, good, other = (mark({"id": "a", "is": one}, **settings) for one in ("disk.broken", "disk.mended", "disk.new"))
    assert bad is not None
    assert good is not None
    assert other is not None
    assert (bad.ends, good.ends, other.ends) == (good.key, bad.key, None)
    assert len({bad.key, good.key, other.key}) == 3


def test_a_senders_delivery_is_told_by_its_header() -> None:
    request = recorded("github", SENDERS)[0].hook
    headers = dict(request.headers)
    one, same = (mark({}, headers=headers, dedupe="headers['x-github-delivery']") for _ in range(2))
    other = mark({}, headers={**headers, "X-GitHub-Delivery": "another"}, dedupe="headers['x-github-delivery']")
    assert one == same != other
    assert None not in (one, other)


@pytest.mark.parametrize("odd", [None, "", " ", True, [], {}])
def test_a_key_that_says_nothing_tells_no_repeat(odd: Any) -> None:
    assert mark({"id": odd}, dedupe="body.id") is None
    assert mark({"id": odd}, dedupe="body.id", headers={"webhook-id": "msg_1"}) is not None


def test_two_names_that_may_have_become_one_tell_no_repeat() -> None:
    assert mark({"id": "a\ufffd"}, dedupe="body.id") is None


# Subjects


@pytest.mark.parametrize("name", [None, "", " "])
def test_a_kind_without_a_name_is_no_subject(name: Any) -> None:
    assert understood({"kind": "x", "node": name}, subject="'node:' ~ body.node").subject is None
    assert understood({"kind": "x"}, subject="'node:' ~ body.node").subject is None
    assert understood({"kind": "x", "node": "fra"}, subject="'node:' ~ body.node").subject == "node:fra"


# Forms


def multipart(**fields: str) -> bytes:
    parts = [
        f'--frontier\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return "".join([*parts, "--frontier--\r\n"]).encode()


@pytest.mark.parametrize(
    ("body", "headers"),
    [(urlencode({"kind": "paid", "who": "alice"}).encode(), FORM), (multipart(kind="paid", who="alice"), MULTIPART)],
)
def test_a_form_is_an_object_of_texts(body: bytes, headers: dict[str, str]) -> None:
    (event,) = heard(panel(subject="'user:' ~ who"), hook(body=body, headers=headers))
    assert (event.type, event.subject, event.data) == ("paid", "user:alice", {"kind": "paid", "who": "alice"})


@pytest.mark.parametrize(
    "encode", [lambda value: urlencode({"payload": value}).encode(), lambda v: multipart(payload=v)]
)
def test_a_form_may_hold_the_json_in_a_field(encode: Any) -> None:
    body = encode(json.dumps({"kind": "paid", "size": 5}))
    headers = MULTIPART if body.startswith(b"--") else FORM
    (event,) = heard(panel(field="payload"), hook(body=body, headers=headers))
    assert event.data == {"kind": "paid", "size": 5}
    with pytest.raises(BadPayload, match='no field "other"'):
        heard(panel(field="other"), hook(body=body, headers=headers))


@pytest.mark.parametrize("body", [b'{"kind": "a=b"}', b'[{"kind": "a=b"}]', b' {"kind": "a=b"}'])
@pytest.mark.parametrize("headers", [FORM, MULTIPART])
def test_what_is_json_is_read_as_json_whatever_it_is_called(body: bytes, headers: dict[str, str]) -> None:
    (event,) = heard(panel(), hook(body=body, headers=headers))
    assert event.native_type == "a=b"


def test_a_form_of_too_many_fields_is_refused() -> None:
    with pytest.raises(BadPayload, match="more than 1000 fields"):
        heard(panel(), hook(body=b"a=b&" * 1001, headers=FORM))


# Whatever comes

FULL = panel(
    data=dict.fromkeys(KINDS, "body.v"),
    pairs={"down": "up"},
    dedupe="body.v",
    field="payload",
    subject="'user:' ~ body.v",
)


@given(JSON)
def test_any_json_is_understood_or_refused(value: Any) -> None:
    for element in (value, {"kind": "down", "v": value}):
        keeps_its_feet(FULL, hook(element))
        FULL.fingerprint(element, 0, hook(element))


@given(st.binary(), st.sampled_from([{}, FORM, MULTIPART]))
def test_any_bytes_are_understood_or_refused(body: bytes, headers: dict[str, str]) -> None:
    keeps_its_feet(FULL, hook(body=body, headers=headers))
