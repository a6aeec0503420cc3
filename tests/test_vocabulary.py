"""The vocabulary, and docs/events.md: every type and every key stands there in the words of the code."""

from pathlib import Path

import pytest
import yaml

from bridge.config.load import load
from bridge.event import Event
from bridge.panels import NATIVE_TYPES
from bridge.routing import DATA
from bridge.samples import samples
from bridge.vocabulary import TYPES
from tests.fakes import START
from tests.pages import TYPE_ROWS, named, table


def test_the_types_that_are_documented_are_those_there_are_in_the_same_words() -> None:
    assert [(named(row[0])[0], row[1]) for row in TYPE_ROWS] == list(TYPES.items())


def test_a_name_that_is_documented_is_one_that_a_panel_sends() -> None:
    assert {name for row in TYPE_ROWS for name in named(row[2])} <= NATIVE_TYPES


def test_every_name_that_is_documented_is_one_that_routes_may_match(tmp_path: Path) -> None:
    names = [name for row in TYPE_ROWS for cell in (row[0], row[2]) for name in named(cell)]
    settings = {
        "sources": {"main": {"panel": "marzban", "secret": "none"}},
        "sinks": {"here": {"type": "console"}},
        "routes": [{"match": name, "to": "here"} for name in [*names, *(f"!{name}" for name in names)]],
    }
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(settings), "utf-8")
    load(file, env={})


def _data_keys() -> dict[str, set[str]]:
    return {
        key: set(named(fields))
        for names, fields in table("docs/events.md", "The keys of `data`")
        for key in named(names)
    }


def test_the_keys_of_data_are_those_that_routes_know() -> None:
    assert set(_data_keys()) == DATA


@pytest.mark.parametrize("event", samples(at=START), ids=lambda event: event.type)
def test_a_sample_holds_nothing_that_is_not_documented(event: Event) -> None:
    documented = _data_keys()
    for key, value in event.data.items():
        assert key in documented
        if isinstance(value, dict):
            assert set(value) <= documented[key], key
