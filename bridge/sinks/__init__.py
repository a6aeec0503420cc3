"""The sinks there are. This list is the registry: to add a sink, write its module and name it here."""

from typing import Annotated

from pydantic import Field

from bridge.sinks.console import ConsoleConfig
from bridge.sinks.discord import DiscordConfig
from bridge.sinks.gohighlevel import GoHighLevelConfig
from bridge.sinks.slack import SlackConfig
from bridge.sinks.telegram import TelegramConfig
from bridge.sinks.webhook import WebhookConfig
from bridge.sinks.zapier import ZapierConfig

#: A configured sink: the word under `type` chooses which.
SinkSettings = Annotated[
    DiscordConfig | SlackConfig | TelegramConfig | GoHighLevelConfig | ZapierConfig | WebhookConfig | ConsoleConfig,
    Field(discriminator="type"),
]
