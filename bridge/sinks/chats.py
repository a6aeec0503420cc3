"""The chats there are: to add one, write its folder and name it here."""

from typing import get_args

from bridge.markup.service import Service
from bridge.sinks.apprise import AppriseConfig
from bridge.sinks.bale import BaleConfig
from bridge.sinks.discord import DiscordConfig
from bridge.sinks.email import EmailConfig
from bridge.sinks.matrix import MatrixConfig
from bridge.sinks.mattermost import MattermostConfig
from bridge.sinks.max import MaxConfig
from bridge.sinks.ntfy import NtfyConfig
from bridge.sinks.slack import SlackConfig
from bridge.sinks.telegram import TelegramConfig

ChatSettings = (
    DiscordConfig
    | SlackConfig
    | TelegramConfig
    | NtfyConfig
    | EmailConfig
    | MatrixConfig
    | MattermostConfig
    | BaleConfig
    | MaxConfig
    | AppriseConfig
)


_CONFIGS: tuple[type[ChatSettings], ...] = get_args(ChatSettings)

#: The service of each chat, by its name.
SERVICES: dict[str, Service] = {config.service.name: config.service for config in _CONFIGS}


def specimen(service: Service) -> ChatSettings:
    """Settings of a sink of that service that reaches nobody: for what it would be told where no sink is set up."""
    config = next(config for config in _CONFIGS if config.service is service)
    return config.model_validate(config.specimen)
