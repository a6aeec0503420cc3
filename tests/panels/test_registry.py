"""The union in panels/__init__.py is the registry: it names every panel of the folder, and a panel is told by it alone.

What else must be there for a panel (recorded requests, its row in the documents, its names in docs/events.md) is asked
for here, of every member of the union.
"""

import importlib
import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, ClassVar, Literal, get_args

import pytest

from bridge import panels
from bridge.panels import CONFIGS, DIALECTS, NATIVE_TYPES, OPEN_ENDED
from bridge.panels.base import Panel, SourceConfig, unknown_type
from bridge.sinks.webhook import STANDARD, WebhookConfig
from bridge.vocabulary import TYPES
from tests.pages import ROOT, TYPE_ROWS, named, table
from tests.panels.hearing import WORDS, opened
from tests.panels.recorded import recorded

#: A file or a folder of its own for each panel.
MODULES = [
    importlib.import_module(f"bridge.panels.{file.stem}")
    for file in sorted(Path(panels.__path__[0]).glob("[!_]*"))
    if file.stem != "base" and (file.suffix == ".py" or (file / "__init__.py").exists())
]

HEADINGS = (ROOT / "docs" / "configuration.md").read_text("utf-8").splitlines()

#: Whose requests are recorded elsewhere, or nowhere.
UNRECORDED = {
    "discord": "what Marzban and PasarGuard post there lies with theirs",
    "cloudevents": "any program sends it: its specification has the examples",
    "json": "any program sends it",
    "3x-ui": "it posts nothing: tests/polling/threexui.py answers as it does",
}


def own(module: ModuleType, kind: type[Any]) -> set[type[Any]]:
    """The classes of that kind which a panel's file or folder defines."""
    inside = [f"{module.__name__}.{one.name}" for one in iter_modules(getattr(module, "__path__", []))]
    return {
        one
        for file in (module, *map(importlib.import_module, inside))
        for _, one in inspect.getmembers(file, inspect.isclass)
        if issubclass(one, kind) and one.__module__ == file.__name__
    }


def documented() -> dict[str, set[str]]:
    """The panels that each page has a row for."""
    return {
        page: {named(row[1])[0].removeprefix("panel: ") for row in table(page, heading)}
        for page, heading in (("README.md", "Panels"), ("docs/panels.md", "Setting the bridge beside a panel"))
    }


def lacking(configs: Iterable[type[SourceConfig]]) -> set[str]:
    """What is not there for these panels."""
    rows = documented()
    names = {named(row[0])[0]: named(row[2]) for row in TYPE_ROWS}
    found = set()
    for config in configs:
        file, first = config.__module__.removeprefix("bridge.panels.").partition(".")[0], next(iter(config.words()))
        if not (ROOT / "tests" / "panels" / f"test_{file}.py").exists():
            found.add(f"tests/panels/test_{file}.py is missing")
        if f"### `panel: {first}`" not in HEADINGS:
            found.add(f"docs/configuration.md has no section `panel: {first}`")
        for word in config.words():
            found |= {f"{word} has no row in {page}" for page, words in rows.items() if word not in words}
            if not recorded(word) and word not in UNRECORDED:
                found.add(f"nothing is recorded in tests/payloads/{word}/")
        for native, type_ in config.native_types.items():
            if type_ in TYPES and native not in names[type_]:
                found.add(f"{native} does not stand beside {type_} in docs/events.md")
    return found


def test_every_panel_of_the_folder_is_named() -> None:
    assert {one for module in MODULES for one in own(module, SourceConfig)} == set(CONFIGS)


def test_nothing_lacks_for_any_panel() -> None:
    assert lacking(CONFIGS) == set()


def test_what_lacks_for_a_panel_is_named() -> None:
    class AcmeConfig(SourceConfig):
        native_types: ClassVar[Mapping[str, str]] = {"join": "user.created"}
        panel: Literal["acme", "acme2"]

    assert lacking([*CONFIGS, AcmeConfig]) == {
        "docs/configuration.md has no section `panel: acme`",
        f"tests/panels/test_{AcmeConfig.__module__.partition('.')[0]}.py is missing",
        "nothing is recorded in tests/payloads/acme/",
        "nothing is recorded in tests/payloads/acme2/",
        "acme has no row in README.md",
        "acme2 has no row in README.md",
        "acme has no row in docs/panels.md",
        "acme2 has no row in docs/panels.md",
        "join does not stand beside user.created in docs/events.md",
    }


def test_no_document_tells_of_a_panel_that_there_is_not() -> None:
    assert set().union(*documented().values()) <= WORDS.keys()


def test_no_word_chooses_two_panels() -> None:
    words = [word for config in CONFIGS for word in config.words()]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("word", WORDS)
def test_settings_open_the_panel_of_their_module(word: str) -> None:
    panel = opened(word)
    (kind,) = own(importlib.import_module(".".join(WORDS[word].__module__.split(".")[:3])), Panel)
    assert type(panel) is kind


@pytest.mark.parametrize("word", WORDS)
def test_a_panel_says_what_to_write_into_its_settings(word: str) -> None:
    panel = opened(word)
    assert "{source}" in panel.path
    told = "\n".join(panel.paste) + panel.path
    assert "{url}" in told
    assert "{secret}" in told


def test_every_dialect_of_the_folder_can_be_spoken_and_is_a_format() -> None:
    emitting = {module.__name__.rpartition(".")[2] for module in MODULES if hasattr(module, "emit")}
    assert emitting == set(DIALECTS)
    formats = set(get_args(WebhookConfig.model_fields["format"].annotation))
    assert formats == DIALECTS.keys() | set(STANDARD)


def test_two_panels_leave_it_to_the_sender_to_name_the_types() -> None:
    assert set(OPEN_ENDED) == {"json", "cloudevents"}


@pytest.mark.parametrize(
    ("native", "type_"),
    [
        ("ошибка", "p.ошибка"),
        ("Ошибка Диска", "p.ошибка.диска"),
        ("خطا", "p.خطا"),
        ("完成", "p.完成"),
        ("Backup done!", "p.backup.done"),
        ("user:created/2", "p.user.created.2"),
        ("💥", "p.unnamed"),
        (" ", "p.unnamed"),
        ("", "p.unnamed"),
    ],
)
def test_what_the_vocabulary_has_no_word_for_is_told_apart_in_any_script(native: str, type_: str) -> None:
    assert unknown_type("p", native) == type_


def test_native_names_are_those_that_panels_say() -> None:
    assert {
        *("user_created", "user.modified", "user.expiration", "peer_metric.connect", "user_activated"),
        *("USER_CREATED", "discord:report_login/failed"),
    } <= NATIVE_TYPES


@pytest.mark.parametrize("config", CONFIGS)
def test_what_a_panel_calls_its_events_becomes_one_of_our_types_or_its_own(config: type[SourceConfig]) -> None:
    for type_ in config.native_types.values():
        assert type_ in TYPES or type_.partition(".")[0] in WORDS
