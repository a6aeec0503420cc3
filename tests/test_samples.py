"""The samples are requests as the panels send them: one for every name that a panel has, and for every type there is.

That what they say keeps to the vocabulary is held in test_vocabulary.py.
"""

import json
import re
from datetime import UTC, datetime
from fnmatch import fnmatchcase

import pytest

from bridge.panels import CONFIGS
from bridge.panels.base import SourceConfig
from bridge.samples import FOLDER, PANELS, Sample, names, sample, samples, samples_of, sent, settings_of
from bridge.vocabulary import TYPES
from tests.fakes import START
from tests.panels.hearing import WORDS, heard, opened

PEER = "peer:ToYuKZa0pFJbxXaEbPUuXHCdKDMwTlLQ8ixEgKFFyU0="
ALL = samples(at=START)
EVERY = [(panel, one) for panel in PANELS for one in samples_of(panel)]


def test_every_panel_has_its_file_and_no_file_is_anybody_elses() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(WORDS) == set(PANELS)


@pytest.mark.parametrize(("panel", "one"), EVERY, ids=lambda one: getattr(one, "native_type", one))
def test_a_panel_understands_its_own_words_as_it_is_written(panel: str, one: Sample) -> None:
    settings = {"type": "body.type"} if panel == "json" else {}
    (found,) = heard(opened(panel, **settings), one.hook(START))
    assert (found.type, found.native_type) == (one.type, one.native_type)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.words()[0])
def test_every_name_that_a_panel_has_is_among_its_samples(config: type[SourceConfig]) -> None:
    told = {one.native_type for word in config.words() for one in samples_of(word)}
    assert {name for name in config.native_types if not any(fnmatchcase(one, name) for one in told)} == set()


def test_there_is_one_of_every_type() -> None:
    assert [one.type for one in ALL] == list(TYPES)
    assert set(TYPES) <= set(names())


@pytest.mark.parametrize(("panel", "one"), EVERY, ids=lambda one: getattr(one, "native_type", one))
def test_a_sample_is_likely(panel: str, one: Sample) -> None:
    """It has happened before it arrived, can be stored, and has no time left to fill in."""
    event = sent(one.native_type, "main", panel, settings_of(panel), at=START)
    assert event is not None
    assert event.occurred_at <= event.received_at == START
    assert not re.search(r"\{[a-z]+:[+-]", one.hook(START).body.decode())
    assert json.loads(json.dumps(event.to_json()))["type"] == event.type


def test_a_time_is_counted_from_the_arrival_and_written_as_the_panel_writes_it() -> None:
    body = {
        "a": "{iso:+30d}",
        "b": ["{zoneless:-4m}", "{seconds:+1h}"],
        "c": "on {day:-1s} at {time:-1s}, {seconds:-1s}",
        "d": "{iso}",
    }
    at = datetime(2026, 11, 21, tzinfo=UTC)
    assert json.loads(Sample("t", "n", body).hook(at).body) == {
        "a": "2026-12-21T00:00:00.000Z",
        "b": ["2026-11-20T23:56:00", 1795222800],
        "c": "on 2026-11-20 at 23:59:59, 1795219199",
        "d": "{iso}",
    }


@pytest.mark.parametrize(
    ("name", "panel", "type_", "native", "subject"),
    [
        ("user.created", None, "user.created", "user_created", "user:alice"),
        ("user.created", "orbvpn", "user.created", "USER_CREATED", "user:alice"),
        ("reached_days_left", "pasarguard", "user.expiring", "reached_days_left", "user:alice"),
        ("node.connection_lost", None, "node.connection_lost", "node.connection_lost", "node:fra-1"),
        ("discord:error_node", None, "node.connection_lost", "discord:error_node", "node:fra-1"),
        (
            "peer.deleted",
            "cloudevents",
            "peer.deleted",
            "peer.deleted",
            PEER,
        ),
        ("peer.deleted", "json", "peer.deleted", "peer.deleted", PEER),
    ],
)
def test_a_sample_is_found_by_its_type_and_by_what_a_panel_calls_it(
    name: str, panel: str | None, type_: str, native: str, subject: str
) -> None:
    event = sample(name, at=START, panel=panel, source="shop")
    assert (event.type, event.native_type, event.source) == (type_, native, "shop")
    assert event.subject == subject or panel == "json"  # whose expressions say what it is about


@pytest.mark.parametrize("panel", ["marzban", "wgportal", "json"])
def test_what_a_panel_never_sends_is_not_made_up(panel: str) -> None:
    with pytest.raises(KeyError):
        sample("payment.recieved", at=START, panel=panel)
    if panel != "json":
        with pytest.raises(KeyError):
            sample("payment.received", at=START, panel=panel)


def test_a_sample_shares_nothing_with_another() -> None:
    one, two = (sample("user.created", at=START, panel="pasarguard").data["user"] for _ in range(2))
    one["groups"].append("vip")
    assert two["groups"] == ["premium"]
