"""What each sink has to be told: to be asked, or to be given by name.

Whatever else a sink can be told may be given by name as well; a secret never as a word of a command.
"""

from collections.abc import Mapping, Sequence

from pydantic.fields import FieldInfo

from bridge.sinks import CONFIGS
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.settings import SinkConfig

CONFIG_OF: Mapping[str, type[SinkConfig]] = {one.model_fields["type"].default: one for one in CONFIGS}
#: Sink → its questions, in order.
QUESTIONS: Mapping[str, Sequence[SetupQuestion]] = {type_: config.questions for type_, config in CONFIG_OF.items()}


def settings_of(type_: str) -> Mapping[str, FieldInfo]:
    """All that a sink can be told, as the file calls it."""
    return {field.alias or name: field for name, field in CONFIG_OF[type_].model_fields.items()}


def is_secret(type_: str, setting: str) -> bool:
    """Whether it is one that no command, and no file that is shown around, should have in it."""
    field = settings_of(type_).get(setting)
    return field is not None and "SecretStr" in str(field.annotation)


def variable(name: str, setting: str) -> str:
    """What `.env` and the environment call it: `DISCORD_URL`."""
    return f"{name}_{setting}".upper().replace("-", "_").replace(".", "_")
