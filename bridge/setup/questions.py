"""What each sink has to be told, and where people find it: to be asked, or to be given by name.

Whatever else a sink can be told may be given by name as well; a secret never as a word of a command.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.sinks import CONFIGS
from bridge.sinks.settings import SinkConfig


@dataclass(frozen=True, slots=True)
class Question:
    """A setting that a sink cannot be without, and what to say to who is asked for it."""

    setting: str
    text: str


#: Sink → its questions, in order.
QUESTIONS: Mapping[str, Sequence[Question]] = {
    "discord": (Question("url", "Discord webhook (channel settings → Integrations → Webhooks → Copy URL)"),),
    "slack": (Question("url", "Slack incoming webhook (api.slack.com/apps → Incoming Webhooks)"),),
    "telegram": (Question("token", "Telegram bot token (from @BotFather)"), Question("chat_id", "Chat")),
    "ntfy": (Question("topic", "ntfy topic (a name that nobody guesses)"),),
    "gohighlevel": (Question("url", "HighLevel trigger (workflow → Inbound Webhook → Copy URL)"),),
    "zapier": (Question("url", "Zapier catch hook (Webhooks by Zapier → Catch Hook → Copy URL)"),),
    "webhook": (Question("url", "Address of yours that takes the events as JSON"),),
    "console": (),
}

CONFIG_OF: Mapping[str, type[SinkConfig]] = {one.model_fields["type"].default: one for one in CONFIGS}


def is_secret(type_: str, setting: str) -> bool:
    """Whether it is one that no command, and no file that is shown around, should have in it."""
    field = CONFIG_OF[type_].model_fields.get(setting)
    return field is not None and "SecretStr" in str(field.annotation)


def variable(name: str, setting: str) -> str:
    """What `.env` and the environment call it: `DISCORD_URL`."""
    return f"{name}_{setting}".upper().replace("-", "_").replace(".", "_")
