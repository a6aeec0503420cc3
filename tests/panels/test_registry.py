"""The union in panels/__init__.py is the registry: it names every panel of the folder, and opens each."""

import importlib
import inspect
from pathlib import Path
from typing import Any, get_args

import pytest

from bridge import panels
from bridge.panels import DIALECTS, NATIVE_TYPES, SourceSettings, open_panel
from bridge.panels.base import Panel, SourceConfig

CONFIGS: tuple[type[SourceConfig], ...] = get_args(get_args(SourceSettings)[0])
MODULES = [
    importlib.import_module(f"bridge.panels.{file.stem}")
    for file in sorted(Path(panels.__path__[0]).glob("[!_]*.py"))
    if file.stem != "base"
]


def own(module: object, kind: type[Any]) -> set[type[Any]]:
    name = getattr(module, "__name__", "")
    return {
        one
        for _, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, kind) and one.__module__ == name
    }


def test_every_panel_of_the_folder_is_named() -> None:
    assert {one for module in MODULES for one in own(module, SourceConfig)} == set(CONFIGS)


def test_every_dialect_of_the_folder_can_be_spoken() -> None:
    spoken = {module.__name__.rpartition(".")[2]: module.emit for module in MODULES if hasattr(module, "emit")}
    assert dict(DIALECTS) == spoken


@pytest.mark.parametrize("config", CONFIGS)
def test_settings_open_the_panel_of_their_module(config: type[SourceConfig]) -> None:
    for word in get_args(config.model_fields["panel"].annotation):
        more = {"type": "body.kind"} if word == "json" else {}
        panel = open_panel(config.model_validate({"panel": word, "secret": "none", **more}))
        assert isinstance(panel, Panel)
        assert type(panel).__module__ == config.__module__


def test_no_word_chooses_two_panels() -> None:
    words = [word for config in CONFIGS for word in get_args(config.model_fields["panel"].annotation)]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("config", CONFIGS)
def test_a_panel_says_what_to_write_into_its_settings(config: type[SourceConfig]) -> None:
    (kind,) = own(importlib.import_module(config.__module__), Panel)
    assert "{source}" in kind.path
    told = "\n".join(kind.paste) + kind.path
    assert "{url}" in told
    assert "{secret}" in told


def test_native_names_are_those_that_panels_say() -> None:
    assert {"user_created", "user.modified", "peer_metric.connect", "user_activated"} <= NATIVE_TYPES
