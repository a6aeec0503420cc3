"""JSON that others wrote: read as what it should be, and never with a failure that says nothing."""

import json
import math
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from bridge import foreign
from bridge.errors import BadPayload
from bridge.foreign import FieldMap
from tests.panels.hearing import JSON

ELEMENT = {"user": {"name": "alice", "note": " ", "quota": 5, "tags": ["a", 1]}, "list": [{"name": "bob"}]}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), ELEMENT),
        (("user", "name"), "alice"),
        (("user", "missing"), None),
        (("user", "name", "deeper"), None),
        (("list", "0"), None),
    ],
)
def test_a_path_leads_to_its_value_or_to_nothing(path: tuple[str, ...], value: Any) -> None:
    assert foreign.value_at(ELEMENT, *path) == value


@pytest.mark.parametrize(
    ("path", "found"), [(("user",), ELEMENT["user"]), (("list",), {}), (("user", "name"), {}), (("missing",), {})]
)
def test_what_is_no_object_is_an_empty_one(path: tuple[str, ...], found: Any) -> None:
    assert foreign.object_at(ELEMENT, *path) == found


@pytest.mark.parametrize("parent", [None, 5, "text", [1], True])
def test_there_is_nothing_in_what_is_no_object(parent: Any) -> None:
    assert foreign.value_at(parent, "key") is None
    assert foreign.object_at(parent, "key") == foreign.object_at(parent) == {}


@pytest.mark.parametrize(
    ("value", "number", "whole"),
    [
        (5, 5, 5),
        (5.0, 5.0, 5),
        (2.5, 2.5, None),
        ("5", 5, 5),
        ("-5.50", -5.5, None),
        (2**80, 2**80, 2**80),
        ("1" * 31, None, None),
        ("1e3", None, None),
        (" 5", None, None),
        ("٥", None, None),
        (True, None, None),
        (math.inf, None, None),
        (math.nan, None, None),
        (None, None, None),
        ([5], None, None),
    ],
)
def test_a_number_is_one_or_a_decimal_text(value: Any, number: Any, whole: Any) -> None:
    found = foreign.number(value)
    assert (found, type(found)) == (number, type(number))
    assert foreign.whole(value) == whole


@pytest.mark.parametrize(
    ("value", "truth"), [(True, True), (False, False), (" Yes", True), ("FALSE", False), ("on", None), (1, None)]
)
def test_a_truth_is_one_or_a_word_for_it(value: Any, truth: bool | None) -> None:
    assert foreign.truth(value) is truth


def test_blank_texts_are_none() -> None:
    assert [foreign.text(one) for one in ("a", " a ", "", " ", 5, None)] == ["a", " a ", None, None, None, None]
    assert foreign.texts(["a", " ", 1, None, "b"]) == ["a", "b"]
    assert foreign.texts("ab") == foreign.texts(None) == []


AT = datetime(2026, 11, 21, 4, 14, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "name"), [("alice", "alice"), (7, "7"), (" ", None), ("", None), (True, None), (1.5, None), ({}, None)]
)
def test_a_text_or_a_whole_number_is_a_name(value: Any, name: str | None) -> None:
    assert foreign.name_of(value) == name


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-21T04:14:18Z", AT),
        (" 2026-11-21T07:44:18+03:30 ", AT),
        ("2026-11-21T07:44:18", AT),
        (AT.timestamp(), AT),
        (AT.timestamp() * 1000, AT),
        (str(int(AT.timestamp())), AT),
        (f" {AT.timestamp():.3f} ", AT),
        (str(int(AT.timestamp() * 1000)), AT),
        ("20261121T041418Z", AT),
        ("20261121041418", None),  # no digits that are counted from 1970, and no date
        ("202611210414187", None),
        ("20261", None),
        ("0001-01-01T00:00:00", None),
        ("soon", None),
        (1e300, None),
        (True, None),
        (None, None),
    ],
)
def test_a_time_is_text_in_its_zone_or_counted_from_1970(value: Any, moment: datetime | None) -> None:
    assert foreign.moment(value, ZoneInfo("Asia/Tehran")) == moment
    assert foreign.utc(value, ZoneInfo("Asia/Tehran")) == ("2026-11-21T04:14:18Z" if moment else None)


def test_eight_digits_are_a_date_and_nine_are_counted_from_1970() -> None:
    assert foreign.moment("20261121") == datetime(2026, 11, 21, tzinfo=UTC)
    assert foreign.moment("179523265") == datetime(1975, 9, 9, 19, 34, 25, tzinfo=UTC)
    assert foreign.iso_moment("20261121") == datetime(2026, 11, 21, tzinfo=UTC)
    assert [foreign.iso_moment(one) for one in ("179523265", "1796041200959", "1795234458.5", "soon")] == [None] * 4


FIELDS: FieldMap = {"login": ("username", foreign.text), "quota": ("limit_bytes", foreign.whole)}


def test_fields_are_read_under_our_keys_and_written_back_under_theirs() -> None:
    assert foreign.read_fields(FIELDS, {"login": "alice", "quota": "5", "other": 1}) == {
        "username": "alice",
        "limit_bytes": 5,
    }
    assert foreign.read_fields(FIELDS, {"login": " ", "quota": None}) == {}
    assert foreign.write_fields(FIELDS, {"username": "alice", "limit_bytes": None}) == {"login": "alice"}
    assert foreign.write_all_fields(FIELDS, {"username": "alice"}) == {"login": "alice", "quota": None}


def test_what_says_nothing_is_left_out() -> None:
    assert foreign.present(a=0, b=False, c=None, d="", e={}, f=[], g=[0]) == {"a": 0, "b": False, "g": [0]}


def test_a_key_that_is_null_is_left_out_wherever_it_stands() -> None:
    value = {"a": None, "b": [None, {"c": None, "d": 0}], "e": {"f": None}, "g": ""}
    assert foreign.without_nulls(value) == {"b": [None, {"d": 0}], "e": {}, "g": ""}


@given(JSON)
def test_nothing_fails_on_any_json(value: Any) -> None:
    for read in (
        foreign.text,
        foreign.texts,
        foreign.number,
        foreign.whole,
        foreign.truth,
        foreign.moment,
        foreign.utc,
    ):
        read(value)
    foreign.object_at(value, "a", "b")


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", "the body is not JSON: Expecting value at line 1 column 1"),
        (b'{"a": }', "the body is not JSON: Expecting value at line 1 column 7"),
        (b"\xff", "the body is not UTF-8 at byte 0"),
        (b"[" * 100_000, "the body is nested too deeply"),
        (b"[" * 101 + b"]" * 101, "the body is nested too deeply"),
        (b'{"a": NaN}', "the body is not JSON: NaN is not JSON"),
        (b"[1e999]", "the body is not JSON: a number is too large"),
    ],
)
def test_a_body_that_is_no_json_is_refused_and_says_where(body: bytes, refusal: str) -> None:
    with pytest.raises(BadPayload) as refused:
        foreign.parse_json(body)
    assert str(refused.value) == refusal


def test_a_body_is_read_whatever_stands_before_it_and_made_safe_to_store() -> None:
    assert foreign.parse_json(b"\xef\xbb\xbf[1]") == [1]
    assert foreign.parse_json(rb'{"a\u0000": ["\ud800b"], "c": 1}') == {"a\ufffd": ["\ufffdb"], "c": 1}
    deep = json.loads("[" * 100 + "]" * 100)
    assert foreign.parse_json(json.dumps(deep).encode()) == deep


@pytest.mark.parametrize("body", [b"", b"[1]", b"5", b"<html>", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_object_is_an_empty_one(body: bytes) -> None:
    assert foreign.json_object(body) == {}
    assert foreign.json_object(b'{"ok": true}') == {"ok": True}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"a=1&b=x+y%20z&c", {"a": "1", "b": "x y z", "c": ""}),
        (b"a=1&a=2&=3&&", {"a": "2", "": "3"}),
        (b"a=%00%ff%ED%A0%80%zz", {"a": "\ufffd\ufffd\ufffd\ufffd\ufffd%zz"}),
        (b"n" * (foreign.LONGEST_FIELD_NAME + 1) + b"=1&a=2", {"a": "2"}),
        (b"", {}),
    ],
)
def test_a_forms_fields_can_be_stored_whatever_they_are(body: bytes, fields: dict[str, str]) -> None:
    assert foreign.form_fields(body, most=10) == fields


def test_a_forms_fields_are_counted_before_any_is_made() -> None:
    assert len(foreign.form_fields(b"&".join(b"%d=" % one for one in range(10)), most=10)) == 10
    with pytest.raises(BadPayload, match="more than 10 fields"):
        foreign.form_fields(b"&" * 10, most=10)
    assert foreign.form_fields(b"a=1&b=2", most=2, kept={"b"}) == {"b": "2"}


@given(JSON)
def test_values_are_counted_as_they_are_whatever_signs_stand_in_texts(value: Any) -> None:
    def values(one: Any) -> int:
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        return 1 + sum(map(values, inner))

    body, count = json.dumps(value).encode(), values(value)
    assert not foreign.holds_more_values(body, count + _containers(value))
    assert count <= 1 or foreign.holds_more_values(body, max(0, (count - 2) // 2))


def _containers(value: Any) -> int:
    """How many arrays and objects there are: each is counted as it opens, and so is what follows a comma in it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, dict | list) + sum(map(_containers, inner))


@pytest.mark.parametrize(
    "text", ["," * 1000, "[{" * 500, '\\",' * 300, "\\\\", 'a"b,[{', "," * 100_000 + "\\", "\u2028,ü,"]
)
def test_signs_inside_of_a_text_are_no_values(text: str) -> None:
    body = json.dumps([text, {text: text}, [1]]).encode()
    assert not foreign.holds_more_values(body, 6)
    assert foreign.holds_more_values(body, 4)
    assert foreign.holds_more_values(body[:-9] + b"," * 9 + b'"' + b"," * 9, 9)  # what is no JSON is no way around it
