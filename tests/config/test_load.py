"""Loading ends with a Config or a ConfigError, whatever the file says."""

import json
from collections.abc import Iterator, Mapping
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.document import KeyPath
from bridge.config.load import load
from bridge.config.schema import schema
from bridge.config.yaml import read_document
from bridge.errors import ConfigError, Mistake
from tests.config.test_example import ENV, load_everything


def words() -> list[str]:
    """Every key of every setting, and the words that choose."""
    found = set(schema()["properties"])
    for model in schema()["$defs"].values():
        [settings, *_] = model.get("anyOf", [model])  # what may stand alone as well
        found |= set(settings["properties"]) | {str(one.get("const", "")) for one in settings["properties"].values()}
    return sorted(found - {""})


WORD = st.sampled_from(
    [*words(), "marzban", "pasarguard", "ops", "*", "!user.*", "${X}", "{{ x", "none", "https://x/y", "<<"]
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORD | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=4),
    max_leaves=12,
)
ENTRY = st.dictionaries(WORD, VALUE, max_size=6)


class Folder:
    """A folder with a file that has all settings in it, and what stands at each."""

    def __init__(self, folder: Path) -> None:
        load_everything(folder)
        self._file = folder / "config.yaml"
        self._data = read_document(self._file.read_bytes(), folder, ENV).data
        self.settings = [path for path in _paths(self._data) if path[-1] != "templates"]

    def with_one(self, path: KeyPath, value: Any) -> Path:
        """The file in which that setting holds another value; of sinks and sources there is that one alone."""
        kept = {path[0]: {path[1]}} if path[0] in ("sinks", "sources") and len(path) > 1 else {}
        data = _with(self._data, path, value)
        data = {**data, **{name: {key: data[name][key] for key in keys} for name, keys in kept.items()}}
        self._file.write_text(json.dumps(data).replace("$", "$$"))
        return self._file


def _paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    if path:
        yield path
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _paths(one, (*path, key))


def _with(data: Any, path: KeyPath, value: Any) -> Any:
    changed = copy(data)
    changed[path[0]] = _with(data[path[0]], path[1:], value) if len(path) > 1 else value
    return changed


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(tmp_path_factory.mktemp("whole"))


FILES = st.fixed_dictionaries(
    {},
    optional={
        "sources": st.dictionaries(WORD, ENTRY | VALUE, max_size=3),
        "sinks": st.dictionaries(WORD, ENTRY | VALUE, max_size=3),
        "routes": st.lists(ENTRY | VALUE, max_size=3),
        "webhooks": st.lists(ENTRY | VALUE, max_size=3),
        "templates": VALUE,
        "listen": VALUE,
        "timezone": VALUE,
        "limits": VALUE,
    },
)


@given(told=FILES)
def test_whatever_the_file_says_loading_ends_with_settings_or_with_mistakes(told: object) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "config.yaml"
        file.write_text(json.dumps(told))
        assert all(one.line == 1 and one.column >= 1 and one.text for one in mistakes(file))


#: What a hand or a program may leave behind anywhere; of each kind one.
ODD: tuple[Any, ...] = (
    *(
        "",
        "[",
        "https://[",
        "http://[::1",
        "https://x:y/",
        "a\0b",
        "https://a\0b/",
        "é",
        "\u2028",
        "../..",
        "25:61",
        "*[",
    ),
    *("9" * 5000, f"{'9' * 5000}d", f"{'9' * 5000}/s", f"{{{{ {'9' * 5000} }}}}", "{{ '\\x' }}", "{" * 400, "(" * 400),
    *(
        "a" * 300,
        f"https://{'ä' * 100}/",
        "postgresql://[",
        "\\",
        None,
        True,
        -1,
        1.5,
        2**64,
        1e308,
        [],
        {},
        [None],
        [[]],
    ),
    *({"a": {"b": []}}, {"": ""}, {"\0": 1}, "2026-01-01"),
)


def test_whatever_one_setting_holds_loading_ends_with_settings_or_with_mistakes(whole: Folder) -> None:
    """Of all settings that the example shows, in a file that is right otherwise."""

    @given(st.sampled_from(sorted(whole.settings, key=str)), st.sampled_from(ODD))
    def law(path: KeyPath, odd: Any) -> None:
        assert all(one.line >= 1 and one.text for one in mistakes(whole.with_one(path, odd), ENV))

    law()


def mistakes(file: Path, env: Mapping[str, str] = MappingProxyType({})) -> list[Mistake]:
    try:
        assert load(file, env).config.table() is not None
    except ConfigError as error:
        return error.mistakes or [Mistake(0, 0, "an error without a mistake")]
    return []
