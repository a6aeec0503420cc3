"""config.example.yaml is the operator's first page: it works as it is, and it leaves no setting out.

Lines that begin with "#: " are settings that are not in use there; with the "#: " taken away the file loads too.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from bridge.config.load import load
from bridge.config.model import Config
from bridge.config.yaml import read_document
from bridge.sinks import SERVICES
from tests.certificates import authority

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"

#: What the file's variables stand for.
ENV = {
    name: f"https://hooks.example.com/{name.lower()}"
    for name in ("OPS_DISCORD_URL", "SLACK_URL", "GHL_URL", "ZAPIER_URL", "MATTERMOST_URL")
} | {
    "SLACK_TOKEN": "xoxb-1",
    "BOT_TOKEN": "123456:abc",
    "CUSTOMERS_BOT_TOKEN": "654321:abc",
    "SEVEN_BOT_TOKEN": "777777:abc",
    "GHL_API_KEY": "pit-1",
    "ZAPIER_API_KEY": "z",
    "NTFY_TOPIC": "t",
    "NTFY_TOKEN": "tk_1",
    "BALE_TOKEN": "123456:abc",
    "MAX_TOKEN": "f9LHodD0cOKabc",
    "APPRISE_URL": "gotify://gotify.example/Aaaaaaaaaaaaaaa",
    "MATRIX_TOKEN": "syt_1",
    "SHOP_SECRET": "s",
    "COLLECTOR_TOKEN": "t",
    "SMTP_PASSWORD": "p",
    "DB_PASSWORD": "p",
    "SECRET_KEY": "k" * 44,
    "ADMIN_TOKEN": "a" * 32,
    "READ_TOKEN": "r" * 32,
    "SEVEN_PAGE_TOKEN": "7" * 32,
}


def everything() -> str:
    """The file with all of its settings in use."""
    return re.sub(r"(?m)^#: ", "", EXAMPLE.read_text("utf-8"))


def load_everything(folder: Path) -> Config:
    (folder / "secrets").mkdir()
    (folder / "my-templates" / "seven").mkdir(parents=True)
    (folder / "directory.csv").write_text("kind,name,telegram\nowner,reseller-5,-1002000000005\n")
    authority(folder / "secrets")
    for name in ("backups", "forum"):
        (folder / "secrets" / name).write_text(f"https://discord.com/api/webhooks/1/{name}\n")
    (folder / "config.yaml").write_text(everything(), "utf-8")
    return load(folder / "config.yaml", ENV).config


def test_it_works_as_it_is_without_any_variable() -> None:
    config = load(EXAMPLE, {}).config
    assert {sink.type for sink in config.sinks.values()} == {"console"}
    assert {getattr(sink, "format", None) for sink in config.sinks.values()} == set(SERVICES)
    assert config.table()[0][1].match == ("*",)


def test_its_only_warnings_are_that_its_secrets_are_known_to_everyone() -> None:
    found = load(EXAMPLE, {})
    assert len(found.warnings) == len(found.config.sources)
    assert all("which everyone knows" in one.text for one in found.warnings)


def test_all_of_its_settings_can_be_used(tmp_path: Path) -> None:
    config = load_everything(tmp_path)
    assert {source.panel for source in config.sources.values()} >= {"marzban", "discord", "remnawave", "json"}
    assert config.webhooks


def test_what_it_shows_as_a_default_is_the_default() -> None:
    """Of what stands at the top level, where there is nothing else to compare it with."""
    told = read_document(everything().encode(), EXAMPLE.parent, ENV).data
    default = Config()
    shown = Config.model_validate({key: told[key] for key in ("listen", "keep", "shutdown", "timezone", "locale")})
    assert (shown.listen, shown.shutdown) == (default.listen, default.shutdown)
    assert {shown.keep.operators, shown.keep.owner, shown.keep.user} == {default.keep.operators}
    assert (shown.timezone, shown.locale) == (default.timezone, default.locale)
    assert Config.model_validate({"limits": told["limits"], "log": told["log"]}) == default


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every model that a setting can hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    for one in get_args(annotation):
        yield from models(one)


def keys(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of the file, with the word that says what it is."""
    if isinstance(value, dict):
        yield str(value.get("panel") or value.get("type") or ""), value
        for one in value.values():
            yield from keys(one)
    elif isinstance(value, list):
        for one in value:
            yield from keys(one)


@pytest.mark.parametrize("model", sorted(set(models(Config)), key=lambda one: f"{one.__module__}.{one.__name__}"))
def test_no_setting_is_left_out(model: type[BaseModel]) -> None:
    mappings = list(keys(read_document(everything().encode(), EXAMPLE.parent, ENV).data))
    words = {word for name in ("panel", "type") if name in model.model_fields for word in get_args(_kind(model, name))}
    shown = {key for word, mapping in mappings if not words or word in words for key in mapping}
    common = {key for _, mapping in mappings for key in mapping}  # told once for all sources, or for all sinks
    wanted = {one.alias or name for name, one in model.model_fields.items() if "not needed" not in str(one.description)}
    inherited = {name for base in model.__bases__ for name in getattr(base, "model_fields", {})}
    assert wanted - shown - (inherited & common) == set()


def _kind(model: type[BaseModel], name: str) -> Any:
    return model.model_fields[name].annotation
