"""The chats there are: to add one, write its folder and name it here."""

from typing import get_args

from bridge.markup.service import Service
from bridge.sinks.discord import DiscordConfig
from bridge.sinks.ntfy import NtfyConfig
from bridge.sinks.settings import ChatConfig
from bridge.sinks.slack import SlackConfig
from bridge.sinks.telegram import TelegramConfig

Chat = DiscordConfig | SlackConfig | TelegramConfig | NtfyConfig


def _services() -> dict[str, Service]:
    configs: tuple[type[ChatConfig], ...] = get_args(Chat)
    return {config.service.name: config.service for config in configs}


#: The service of each chat, by its name.
SERVICES = _services()
