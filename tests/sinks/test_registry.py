"""What a sink brings with it: what is missing is named here, all of it at once."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from bridge.sinks.base import ChatConfig, SinkConfig
from tests.pages import ROOT, named, table
from tests.sinks.values import CONFIGS


def type_of(config: type[SinkConfig]) -> str:
    word: str = config.model_fields["type"].default
    return word


def lacking(configs: Iterable[type[SinkConfig]]) -> set[str]:
    """What is not there for these sinks."""
    rows = {named(row[1])[0] for row in table("README.md", "Sinks")}
    tables = {heading: {named(row[0])[0] for row in table("docs/templates.md", heading)} for heading in BLOCKS}
    headings = (ROOT / "docs" / "configuration.md").read_text("utf-8").splitlines()
    example = (ROOT / "config.example.yaml").read_text("utf-8")
    found = set()
    for config in configs:
        word = type_of(config)
        wanted = {
            f"{word} has no row in README.md": word in rows,
            f"docs/configuration.md has no section `type: {word}`": f"### `type: {word}`" in headings,
            f"config.example.yaml shows no {word}": f"type: {word}\n" in example,
            f"tests/services/{word}.py is missing": _is_there("tests/services", word),
            f"tests/sinks/ has no tests of {word}": _is_there("tests/sinks", f"test_{word}", word),
        }
        if issubclass(config, ChatConfig):
            wanted |= {
                f"{word} has no row under {heading!r} in docs/templates.md": word in words
                for heading, words in tables.items()
            }
            wanted |= {
                f"templates/{word}/{name}.j2 is missing": _is_there(f"templates/{word}", name) for name in SHIPPED
            }
            wanted |= {f"config.example.yaml shows no console with format: {word}": f"format: {word}" in example}
        found |= {sentence for sentence, is_there in wanted.items() if not is_there}
    return found


#: The headings of docs/templates.md under which every chat stands, and the templates that every chat ships.
BLOCKS = ("Blocks", "Digests")
SHIPPED = ("base", "digest", "message")


def test_nothing_lacks_for_any_sink() -> None:
    assert lacking(CONFIGS) == set()


def test_what_lacks_for_a_sink_is_named() -> None:
    class CarrierConfig(ChatConfig):
        type: Literal["carrier"] = "carrier"

    assert lacking([*CONFIGS, CarrierConfig]) == {
        "carrier has no row in README.md",
        "docs/configuration.md has no section `type: carrier`",
        "config.example.yaml shows no carrier",
        "config.example.yaml shows no console with format: carrier",
        "tests/services/carrier.py is missing",
        "tests/sinks/ has no tests of carrier",
        "carrier has no row under 'Blocks' in docs/templates.md",
        "carrier has no row under 'Digests' in docs/templates.md",
        *(f"templates/carrier/{name}.j2 is missing" for name in SHIPPED),
    }


def _is_there(folder: str, *names: str) -> bool:
    """A file or a folder of one of these names, whatever its ending."""
    return any(file.stem in names for file in Path(ROOT, folder).glob("*"))
