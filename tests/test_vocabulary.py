"""The vocabulary, and docs/events.md: every type and every key stands there in the words of the code."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.config.load import load
from bridge.event import Event
from bridge.foreign import moment
from bridge.panels import NATIVE_TYPES, OPEN_ENDED
from bridge.samples import PANELS, samples_of, sent, settings_of
from bridge.vocabulary import (
    DOCUMENTED,
    KEYS,
    TYPES,
    Key,
    ValueKind,
    are_opposite,
    documented_name,
    ends_trouble,
    event_type,
    opposite,
)
from bridge.vocabulary.types import OPPOSITES, Opposite
from tests.fakes import START
from tests.pages import ROOT, TYPE_ROWS, named, table
from tests.panels.hearing import WORDS, heard, opened
from tests.panels.recorded import recorded


def test_the_types_that_are_documented_are_those_there_are_in_the_same_words() -> None:
    assert [(named(row[0])[0], row[1]) for row in TYPE_ROWS] == [(one.name, one.meaning) for one in TYPES.values()]


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


def cell(key: Key) -> str:
    """What the table of keys says of one: its kind, or those of what is in it."""
    if not key.keys:
        return f"{key.kind}: {key.note}"
    by_kind = groupby(key.keys.items(), key=lambda item: item[1].kind)
    return "; ".join(f"{kind} {', '.join(_noted(*item) for item in items)}" for kind, items in by_kind)


def _noted(name: str, key: Key) -> str:
    return f"`{name}` ({key.note})" if key.note else f"`{name}`"


def test_every_key_of_data_is_documented_with_its_kind_and_unit() -> None:
    rows = [(name, fields) for names, fields in table("docs/events.md", "The keys of `data`") for name in named(names)]
    assert rows == [(name, cell(key)) for name, key in KEYS.items()]


def test_every_kind_is_explained() -> None:
    text = " ".join((ROOT / "docs" / "events.md").read_text("utf-8").split())
    before = text.partition("## The keys of `data`")[2].partition(" | ")[0]
    assert {kind.value for kind in ValueKind if f"**{kind}**" not in before} == set()


def test_a_key_says_the_same_wherever_it_stands() -> None:
    kinds: dict[str, set[ValueKind]] = {}
    for about in KEYS.values():
        for name, key in about.keys.items():
            kinds.setdefault(name, set()).add(key.kind)
    assert {name: said for name, said in kinds.items() if len(said) > 1} == {}
    assert {name for name in KEYS.keys() & kinds.keys() if KEYS[name].kind is not ValueKind.OBJECT} == set()


def test_what_takes_what_back_is_documented() -> None:
    told = [
        list(zip(named(bad), named(good), strict=True)) for bad, good in table("docs/events.md", "What takes what back")
    ]
    pairs = {pair for row in told for pair in row}
    assert pairs == {
        (bad, good) for pair in OPPOSITES for bad in TYPES if bad.endswith(f".{pair.bad}") and (good := opposite(bad))
    }
    for bad, good in pairs:
        assert opposite(bad) == good
        assert are_opposite(good, bad)
        assert are_opposite(bad, good)
        assert ends_trouble(good, bad)
        assert not ends_trouble(bad, good)


@pytest.mark.parametrize("pair", OPPOSITES, ids=lambda pair: pair.bad)
def test_every_pair_of_endings_is_documented_and_holds_for_any_family(pair: Opposite) -> None:
    part = (ROOT / "docs" / "events.md").read_text("utf-8").partition("## What takes what back")[2]
    assert re.search(rf"[`.]{pair.bad}`", part)
    assert re.search(rf"[`.]{pair.good}`", part)
    bad, good = f"disk.{pair.bad}", f"disk.{pair.good}"
    assert opposite(bad) == good
    assert are_opposite(good, bad)
    assert (ends_trouble(good, bad), ends_trouble(bad, good)) == (True, False)


def test_what_has_an_opposite_is_the_opposite_of_it() -> None:
    others = {name: other for name in TYPES if (other := opposite(name))}
    assert all(are_opposite(name, other) for name, other in others.items())
    assert not any(are_opposite(name, other) for name in TYPES for other in TYPES if opposite(name) is None)


def test_no_two_types_are_told_alike() -> None:
    assert len({(one.emoji, one.title) for one in TYPES.values()}) == len(TYPES)
    documented = [one.documented for one in TYPES.values() if one.documented]
    assert len(set(documented)) == len(documented) == len(DOCUMENTED)


@pytest.mark.parametrize(
    ("name", "title", "documented"),
    [
        ("user.updated", "User changed", "USER_PROFILE_UPDATED"),
        ("peer.created", "Peer created", "PEER_CREATED"),
        ("marzban.node-gone.for_good", "Marzban: node gone for good", "MARZBAN_NODE_GONE_FOR_GOOD"),
        ("backup", "Backup", "BACKUP"),
        ("bäckup.ß", "Bäckup: ß", "B_CKUP_SS"),
        ("", "?", ""),
    ],
)
def test_a_type_is_called_by_its_title_or_by_its_name(name: str, title: str, documented: str) -> None:
    assert (event_type(name).title, documented_name(name)) == (title, documented)
    assert (event_type(name).emoji == "🔔") is (name not in TYPES)


# What panels and samples say


FITS: dict[ValueKind, Callable[[Any], bool]] = {
    ValueKind.OBJECT: lambda value: isinstance(value, dict),
    ValueKind.TEXT: lambda value: isinstance(value, str),
    ValueKind.TEXTS: lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    ValueKind.OBJECTS: lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value),
    ValueKind.ID: lambda value: isinstance(value, str) or type(value) is int,
    ValueKind.TRUTH: lambda value: isinstance(value, bool),
    ValueKind.STATE: lambda value: isinstance(value, str),
    ValueKind.TIME: lambda value: isinstance(value, str) and value.endswith("Z") and moment(value) is not None,
    ValueKind.DEADLINE: lambda value: isinstance(value, str) and value.endswith("Z") and moment(value) is not None,
    **dict.fromkeys((ValueKind.NUMBER, ValueKind.BYTES, ValueKind.SECONDS), lambda value: type(value) is int),
    ValueKind.NUMBERS: lambda value: isinstance(value, list) and all(type(one) in (int, float) for one in value),
    ValueKind.FACTOR: lambda value: type(value) in (int, float) and value >= 0,
    **dict.fromkeys((ValueKind.HOURS, ValueKind.DAYS), lambda value: type(value) is int),
    ValueKind.PERCENT: lambda value: type(value) in (int, float) and value >= 0,
    ValueKind.AMOUNT: lambda value: type(value) in (int, float),
}


def strange(data: Mapping[str, Any]) -> Iterator[str]:
    """What in `data` is not as the vocabulary says."""
    for about, value in data.items():
        if about not in KEYS or not FITS[KEYS[about].kind](value):
            yield f"{about}: {value}"
        elif KEYS[about].keys:
            for name, inner in value.items():
                if name not in KEYS[about].keys or not FITS[KEYS[about].keys[name].kind](inner):
                    yield f"{about}.{name}: {inner}"


SAMPLES = [
    event
    for panel in PANELS
    if panel not in OPEN_ENDED
    for one in samples_of(panel)
    if (event := sent(one.native_type, panel, panel, settings_of(panel), at=START))
]


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: f"{event.source} {event.native_type}")
def test_a_sample_says_what_the_vocabulary_says(event: Event) -> None:
    assert list(strange(event.data)) == []


@pytest.mark.parametrize("word", [word for word in WORDS if recorded(word)])
def test_a_panel_says_what_the_vocabulary_says(word: str) -> None:
    for request in recorded(word):
        if not request.refuse:
            for parsed in heard(opened("discord" if request.hook.token else word), request.hook):
                assert list(strange(parsed.data)) == [], request.name


def test_what_is_not_as_the_vocabulary_says_is_found() -> None:
    data = {"user": {"id": 1.5, "used_bytes": "5", "groups": ["a"], "shoe_size": 44}, "owner": {}, "colour": "red"}
    assert list(strange(data)) == [
        "user.id: 1.5",
        "user.used_bytes: 5",
        "user.shoe_size: 44",
        "owner: {}",
        "colour: red",
    ]
