"""The samples are events as panels say them; that they keep to the vocabulary is held in test_vocabulary.py."""

import json

from bridge.samples import sample, samples
from bridge.vocabulary import TYPES
from tests.fakes import START

ALL = samples(at=START)


def test_there_is_one_of_every_type() -> None:
    assert [one.type for one in ALL] == list(TYPES)


def test_a_sample_can_be_stored() -> None:
    for event in ALL:
        assert json.loads(json.dumps(event.to_json()))["type"] == event.type
        assert event.occurred_at < event.received_at == START


def test_a_sample_shares_nothing_with_another() -> None:
    one, two = (sample("user.created", at=START).data["user"] for _ in range(2))
    one["groups"].append("vip")
    assert two["groups"] == ["premium"]


def test_a_sample_says_where_it_comes_from() -> None:
    event = sample("user.created", at=START, panel="orbvpn", source="shop")
    assert (event.source, event.panel, event.native_type, event.subject) == (
        "shop",
        "orbvpn",
        "USER_CREATED",
        "user:alice",
    )
