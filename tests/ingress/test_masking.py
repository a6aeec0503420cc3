"""Masking at the door."""

import json
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ingress.masking import Masker, _masked
from bridge.paths import matches
from tests.panels.hearing import WORDS, opened
from tests.panels.recorded import PAYLOADS, recorded

SECRET = "s3cr3t-value"
#: Of whom there are recorded requests.
FOLDERS = sorted(folder.name for folder in PAYLOADS.iterdir())


@pytest.mark.parametrize(
    ("rule", "element", "masked"),
    [
        ("key", {"key": SECRET}, {"key": "***"}),
        ("user.links", {"user": {"links": [SECRET, SECRET]}}, {"user": {"links": ["***", "***"]}}),
        ("user.p", {"user": {"p": {"vless": {"id": SECRET}}}}, {"user": {"p": {"vless": {"id": "***"}}}}),
        ("users.*.key", {"users": [{"key": SECRET, "n": 1}]}, {"users": [{"key": "***", "n": 1}]}),
        ("users.1.key", {"users": [{"key": 1}, {"key": 2}]}, {"users": [{"key": 1}, {"key": "***"}]}),
        ("users.2.key", {"users": [{"key": 1}, {"key": 2}]}, {"users": [{"key": 1}, {"key": 2}]}),
        ("ids.1", {"ids": [1, 2, 3]}, {"ids": [1, "***", 3]}),
        ("ids.3", {"ids": [1, 2, 3]}, {"ids": [1, 2, 3]}),
        ("**.Key", {"a": {"b": [{"Key": SECRET}]}, "Key": 1}, {"a": {"b": [{"Key": "***"}]}, "Key": "***"}),
        ("a.**.k", {"k": 1, "a": {"k": 2, "x": {"k": 3}}}, {"k": 1, "a": {"k": "***", "x": {"k": "***"}}}),
        ("by.telegram_id", {"by": {"telegram_id": 987654321}}, {"by": {"telegram_id": "***"}}),
        ("by.telegram_id", {"by": {"telegram_id": None}}, {"by": {"telegram_id": None}}),
        ("by.telegram_id", {"by": None}, {"by": None}),
        ("by.telegram_id", {"by": "text"}, {"by": "text"}),
        ("a.b.c", {"a": [1]}, {"a": [1]}),
        ("a", 7, 7),
        ("**", {"a": [SECRET]}, {"a": ["***"]}),
    ],
)
def test_what_a_rule_masks(rule: str, element: Any, masked: Any) -> None:
    assert Masker([rule])(element) == masked


LINK = "vless://c0ffee00-1234@de.example.com:443?type=tcp"
HOOK = f"https://discord.com/api/webhooks/1/{SECRET}"


@pytest.mark.parametrize("rules", [[], ["users"]])
@pytest.mark.parametrize(
    ("element", "names"),
    [
        ({LINK: 1, "n": 2}, ["vless://***@de.example.com:443?type=tcp", "n"]),
        ({HOOK: {"token": SECRET}}, ["https://discord.com/api/webhooks/1/***"]),
        ({f"{HOOK}a": 1, f"{HOOK}b": 2}, ["https://discord.com/api/webhooks/1/***"] * 2),
        ({"A" * 200 + f" {HOOK}": 1}, ["A" * 200 + " https://discord.com/api/webhooks/1/***"]),
    ],
)
def test_a_secret_in_the_name_of_a_key_is_masked_where_it_stands_and_nothing_is_lost(
    element: Any, names: list[str], rules: list[str]
) -> None:
    masked = Masker(rules)({"users": [element]})["users"][0]
    assert [name.rstrip("*") for name in masked] == [name.rstrip("*") for name in names]
    assert not [one for one in ("c0ffee", SECRET) if one in json.dumps(masked)]


def test_what_the_operator_lets_through_is_let_through_and_nothing_beside_it() -> None:
    masker = Masker(["user.proxies", "user.links"], unmask=["user.proxies.vless.id", "user.links"])
    element = {"user": {"proxies": {"vless": {"id": "a", "x": "b"}, "trojan": {"password": "c"}}, "links": ["d"]}}
    masked = {"user": {"proxies": {"vless": {"id": "a", "x": "***"}, "trojan": {"password": "***"}}, "links": ["d"]}}
    assert masker(element) == masked


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcs"), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_nothing_under_a_masked_key_survives_at_any_depth(value: Any) -> None:
    element = {"x": [{"s": {"deep": [SECRET, value]}}, value], "s": SECRET}
    assert SECRET not in json.dumps(Masker(["**.s"])(element))


RULES = st.lists(
    st.sampled_from(["a", "*", "**", "a.b", "**.c", "a.*.b", "0", "*.s", "a.**.1", "**.**.b", "**.a.*"]), max_size=4
)


@given(JSON, RULES)
def test_masking_keeps_the_shape_and_raises_nothing(value: Any, rules: list[str]) -> None:
    def shape(one: Any) -> Any:
        if isinstance(one, dict):
            return {key: shape(inner) for key, inner in one.items()}
        return [shape(inner) for inner in one] if isinstance(one, list) else one is None

    before = shape(value)
    assert shape(Masker(rules)(value)) == before


def masked_rule_by_rule(rules: Iterable[str], element: Any) -> Any:
    """The element, masked in the most obvious way: each rule on a walk of its own, then what is a secret by itself."""
    for rule in rules:
        for container, key in matches(element, tuple(rule.split("."))):
            container[key] = _masked(container[key])
    return Masker([])(element)


@given(JSON, RULES)
def test_one_walk_masks_what_a_walk_for_each_rule_masks(value: Any, rules: list[str]) -> None:
    assert Masker(rules)(deepcopy(value)) == masked_rule_by_rule(rules, deepcopy(value))


@pytest.mark.parametrize("folder", FOLDERS)
def test_so_it_is_of_every_recorded_request_whichever_panel_it_is_taken_for(folder: str) -> None:
    bodies = [json.loads(one.hook.body) for one in recorded(folder) if one.hook.body[:1] in (b"[", b"{")]
    assert bodies
    for rules in {opened(word).masks for word in WORDS}:
        for body in bodies:
            for element in body if isinstance(body, list) else [body]:
                assert Masker(rules)(deepcopy(element)) == masked_rule_by_rule(rules, deepcopy(element))
