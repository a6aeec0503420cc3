"""The samples are events as docs/events.md describes them."""

import json
import re
from pathlib import Path

import pytest

from bridge.routing import DATA
from bridge.samples import sample, samples
from bridge.vocabulary import TYPES
from tests.fakes import START

KEYS = Path(__file__).parents[1] / "docs" / "events.md"
ALL = samples(at=START)


def test_there_is_one_of_every_type() -> None:
    assert [one.type for one in ALL] == list(TYPES)


def documented() -> dict[str, set[str]]:
    """The keys of `data`, and the fields of each."""
    table = KEYS.read_text("utf-8").partition("## The keys of `data`")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| (`[^|]+) \| ([^|]+) \|$", table)
    return {
        name: set(re.findall(r"`(\w+)`", fields)) for names, fields in rows for name in re.findall(r"`(\w+)`", names)
    }


def test_every_key_that_expressions_know_is_documented() -> None:
    assert documented().keys() == DATA


@pytest.mark.parametrize("event", ALL, ids=lambda one: one.type)
def test_a_sample_says_only_what_is_documented(event: object) -> None:
    event = next(one for one in ALL if one is event)
    known = documented()
    for key, value in event.data.items():
        assert key in known
        if isinstance(value, dict):
            assert value.keys() <= known[key], key
            assert None not in value.values()


@pytest.mark.parametrize("event", ALL, ids=lambda one: one.type)
def test_a_sample_can_be_stored(event: object) -> None:
    event = next(one for one in ALL if one is event)
    assert json.loads(json.dumps(event.to_json()))["type"] == event.type
    assert event.occurred_at < event.received_at == START


def test_a_sample_says_where_it_comes_from() -> None:
    event = sample("user.created", at=START, panel="orbvpn", source="shop")
    assert (event.source, event.panel, event.native_type, event.subject) == (
        "shop",
        "orbvpn",
        "USER_CREATED",
        "user:alice",
    )
