"""Expressions of the file: they read what is there, a payload's own keys before all, and change nothing."""

from copy import deepcopy
from typing import Any

import pytest
from jinja2.sandbox import SecurityError
from pydantic import TypeAdapter, ValidationError

from bridge.expressions import FAULTS, Expression, compile_expression, names_in

#: Its keys are called like methods of what holds them.
BODY: dict[str, Any] = {
    "items": [{"keys": "k", "pop": 1}, {"keys": "l"}],
    "keys": {"values": ["v"], "get": "g"},
    "update": "u",
    "list": [3, 1, 2],
    "deep": [{"list": [{"x": 1}]}],
}


def value(source: str) -> Any:
    return compile_expression(source)(body=BODY, headers={"items": "h"})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("body.items", BODY["items"]),
        ("body['items']", BODY["items"]),
        ("body.items[0].pop", 1),
        ("body.items | map(attribute='keys') | join", "kl"),
        ("body.items | selectattr('pop') | list", [BODY["items"][0]]),
        ("body.keys.values", ["v"]),
        ("body.keys.get", "g"),
        ("body.update ~ headers.items", "uh"),
        ("body.deep[0].list[0].x", 1),
        ("body.deep[0].keys() | list", ["list"]),
        ("body.list | sort | first", 1),
        ("body.missing.deeper", None),
        ("body.missing", None),
        ("body.list.__class__", None),
    ],
)
def test_a_payloads_own_key_comes_before_a_method(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "body.deep[0].update({'x': 1})",
        "body.deep[0].pop('list')",
        "body.deep[0].popitem()",
        "body.deep[0].setdefault('x', 1)",
        "body.deep[0].clear()",
        "body.deep[0].list[0].update({'x': 2})",
        "body.deep[0].list.append(1)",
        "body.list.append(4)",
        "body.list.extend([4])",
        "body.list.insert(0, 4)",
        "body.list.remove(3)",
        "body.list.pop()",
        "body.list.sort()",
        "body.list.reverse()",
        "body.list.clear()",
        "(body.list | attr('append'))(4)",
        "body.list.__iadd__([4])",
        "body.__setitem__('x', 1)",
        "headers.update({'x': 'y'})",
        "headers.pop('items')",
    ],
)
def test_an_expression_changes_nothing(source: str) -> None:
    before = deepcopy(BODY)
    with pytest.raises(SecurityError, match="is unsafe"):
        value(source)
    assert before == BODY


@pytest.mark.parametrize(
    "source",
    [
        *("1 / 0", "body.x.y()", "body.list + 1", "body.list[0]()", "range(10 ** 9)", "x.y()"),
        *("'abc' | truncate(2)", "body.list[0] < 1e999", "body.list[0] > -1e999"),
        *("'a' * 10 ** 12", "10 ** 10 * 'a'", "[1] * 10 ** 12", "9 ** (9 ** 9)", "(2 ** 90000) * 'a'"),
    ],
)
def test_an_expression_that_fails_fails_with_one_of_the_faults(source: str) -> None:
    with pytest.raises(FAULTS):
        value(source)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("'ab' * 3", "ababab"),
        ("3 * 'ab'", "ababab"),
        ("'a' * -1", ""),
        ("2 ** 10", 1024),
        ("2 ** -1", 0.5),
        ("3 * 4", 12),
    ],
)
def test_what_repeats_and_raises_within_reason_does(source: str, result: object) -> None:
    assert value(source) == result


def test_the_names_that_an_expression_speaks_of() -> None:
    assert names_in("body.x ~ (kind if (a | default(b)) else range(3))") == {"body", "kind", "a", "b", "range"}


DEEP = ["(" * 500 + "1" + ")" * 500, "1" + " + 1" * 5000, "x" + ".y" * 5000, "not " * 5000 + "x"]


@pytest.mark.parametrize(
    ("source", "mistake"),
    [
        ("a b", "is not a Jinja expression: there is more after its end"),
        ("{{ a }}", "write it without {{ }}"),
        ("a and\n  (", "is not a Jinja expression in line 2"),
        *((source, "is not a Jinja expression: it is nested too deeply") for source in DEEP),
    ],
)
def test_what_is_no_expression_is_no_setting(source: str, mistake: str) -> None:
    with pytest.raises(ValidationError, match=mistake.replace("{", r"\{")):
        TypeAdapter[Any](Expression).validate_python(source)


@pytest.mark.parametrize("source", DEEP)
def test_names_are_not_looked_for_too_deeply(source: str) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        names_in(source)
