"""docs/configuration.md names every setting, with its default, in the words of the code."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bridge.admin.settings import AdminSettings, OwnerSettings
from bridge.alerts.report_settings import ReportSettings
from bridge.alerts.settings import AlertSettings
from bridge.config.model import Config
from bridge.config.orbvpn import OrbvpnWebhook
from bridge.ingress.limits import Limits
from bridge.panels import SourceSettings
from bridge.panels.base import SourceConfig, Watch
from bridge.panels.json.signature import SignatureSettings
from bridge.people.brand import Brand
from bridge.people.directory import DirectorySettings
from bridge.people.record import DirectoryRecord
from bridge.people.settings import Categories, PeopleSettings
from bridge.routing import Route
from bridge.sinks import SinkSettings
from bridge.sinks.base import Retry, SinkConfig
from bridge.sinks.buttons import LinkButton
from bridge.sinks.discord.mentions import AllowedMentions
from bridge.sinks.email.inbox import BouncesSettings
from bridge.sinks.ntfy.sink import NtfyAction
from bridge.sinks.telegram.sink import TelegramButton
from bridge.store.keep import Keep
from bridge.telemetry import Log
from bridge.terms import DigestWindow, Quiet, Repeat, Storm
from bridge.trace_export import Traces
from tests.config.test_example import models

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"

Row = tuple[str, str, str]


def members(union: Any, key: str) -> dict[str, type[BaseModel]]:
    """The models of a union by the first word that chooses each."""
    return {get_args(one.model_fields[key].annotation)[0]: one for one in get_args(get_args(union)[0])}


#: Each table of the page, and the model that it is of.
SECTIONS: dict[str, type[BaseModel]] = {
    "The whole file": Config,
    "keep": Keep,
    "limits": Limits,
    "log": Log,
    "traces": Traces,
    "admin": AdminSettings,
    "owners": OwnerSettings,
    "alerts": AlertSettings,
    "reports": ReportSettings,
    "directory": DirectorySettings,
    "record": DirectoryRecord,
    "people": PeopleSettings,
    "categories": Categories,
    "brands": Brand,
    "Every source": SourceConfig,
    "watch": Watch,
    **{f"panel: {word}": model for word, model in members(SourceSettings, "panel").items()},
    "signature": SignatureSettings,
    "Every sink": SinkConfig,
    "retry": Retry,
    "quiet": Quiet,
    "storm": Storm,
    **{f"type: {word}": model for word, model in members(SinkSettings, "type").items()},
    "allowed_mentions": AllowedMentions,
    "buttons": TelegramButton,
    "actions": NtfyAction,
    "bounces": BouncesSettings,
    "links": LinkButton,
    "Routes": Route,
    "digest": DigestWindow,
    "repeat": Repeat,
    "Webhooks": OrbvpnWebhook,
}


def rows(heading: str) -> list[Row]:
    """What the table under a heading has to say."""
    model = SECTIONS[heading]
    inherited = {"panel", "type"} if heading.startswith(("panel:", "type:")) else set()
    for base in (SourceConfig, SinkConfig):
        if issubclass(model, base) and model is not base:
            inherited |= base.model_fields.keys()
    if heading == "panel: json":
        inherited.remove("type")
    return [
        (one.alias or name, default(one), str(one.description).replace("|", "\\|"))
        for name, one in model.model_fields.items()
        if name not in inherited
    ]


def default(field: FieldInfo) -> str:
    """A default as people write it."""
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if value is None or value == () or value == {} or isinstance(value, BaseModel):
        return ""
    return f"`{written(value)}`"


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(written(one) for one in value)}]"
    if isinstance(value, float) and value >= 1:
        return next(f"{value / size:g}{unit}" for unit, size in UNITS if value % size == 0 and value >= size)
    if isinstance(value, int) and value and value % 2**10 == 0:
        return f"{value // 2**20}MiB" if value % 2**20 == 0 else f"{value // 2**10}KiB"
    return f'"{value}"' if value == "*" else str(value)


UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def shown(heading: str) -> list[Row]:
    """What it says."""
    text = PAGE.read_text("utf-8")
    section = re.split(rf"(?m)^#+ `?{re.escape(heading)}`?$", text)[1]
    table = re.split(r"(?m)^#+ ", section)[0]
    return [
        (match[1], match[2].strip(), match[3]) for match in re.finditer(r"(?m)^\| `(\w+)` \|(.*?)\| (.*) \|$", table)
    ]


@pytest.mark.parametrize("heading", [one for one in SECTIONS if rows(one)])
def test_every_setting_is_documented_in_the_words_of_the_code(heading: str) -> None:
    assert shown(heading) == rows(heading)


def test_no_part_of_the_file_is_forgotten() -> None:
    assert set(models(Config)) <= set(SECTIONS.values())
