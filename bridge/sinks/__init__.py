"""The sinks there are. This list is the registry: to add a sink, write its module and name it here.

A chat is named among the chats (`chats.py`), for the console shows what they would get.
"""

from typing import Annotated, get_args

from pydantic import Field

from bridge.sinks.chats import SERVICES as SERVICES
from bridge.sinks.chats import ChatSettings
from bridge.sinks.console import ConsoleConfig
from bridge.sinks.gohighlevel import GoHighLevelConfig
from bridge.sinks.settings import SinkConfig
from bridge.sinks.webhook import WebhookConfig
from bridge.sinks.zapier import ZapierConfig

#: A configured sink: the word under `type` chooses which.
SinkSettings = Annotated[
    ChatSettings | GoHighLevelConfig | ZapierConfig | WebhookConfig | ConsoleConfig, Field(discriminator="type")
]

#: Its members.
CONFIGS: tuple[type[SinkConfig], ...] = get_args(get_args(SinkSettings)[0])
