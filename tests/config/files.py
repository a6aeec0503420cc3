"""A folder with a file in it, and what `load` makes of it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bridge.config.load import Loaded, load
from bridge.errors import ConfigError

SINK = "sinks:\n  ops: {type: console}\n"


def loaded(folder: Path, text: str, env: Mapping[str, str] | None = None) -> Loaded:
    file = folder / "config.yaml"
    file.write_text(text, "utf-8")
    return load(file, env or {})


def mistakes(folder: Path, text: str, env: Mapping[str, str] | None = None) -> list[str]:
    """Every mistake, as `check` prints it, without the folder."""
    with pytest.raises(ConfigError) as raised:
        loaded(folder, text, env)
    return [line.removeprefix(f"{folder}/") for line in str(raised.value).splitlines()]


def warnings(folder: Path, text: str, env: Mapping[str, str] | None = None) -> list[str]:
    """Every warning of a file that has no mistake: line, column and words."""
    return [f"{one.where('')[1:]}: {one.text}" for one in loaded(folder, text, env).warnings]
