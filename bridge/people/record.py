"""Where one owner, user or node is reached: one record of the directory."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from bridge.people.link import is_private_chat
from bridge.redaction import redacted
from bridge.settings import Settings, TimeZone
from bridge.terms import QuietHours


def _whole_number(value: Any) -> Any:
    if isinstance(value, bool) or not re.fullmatch(r"-?[1-9][0-9]{0,15}", str(value).strip()):
        raise ValueError("should be a number such as -1001234567890")
    return int(value)


Number = Annotated[int, BeforeValidator(_whole_number), WithJsonSchema({"type": "integer"})]


class DirectoryRecord(Settings):
    """Where one of them is reached. Keys that begin with `x_` are the operator's own."""

    example: ClassVar[str] = "locale: fa"
    model_config = Settings.model_config | {"extra": "allow"}

    telegram: Number | None = Field(None, description="a chat of Telegram: -100… for channels and supergroups")
    thread: Number | None = Field(None, ge=1, description="the topic there")
    slack: str | None = Field(None, description="a channel of Slack, by its id: C…")
    discord: str | None = Field(None, description="the URL of a webhook of Discord")
    discord_thread: str | None = Field(None, description="the thread of its channel")
    ntfy: str | None = Field(None, description="a topic of ntfy")
    email: str | None = Field(None, description="an address of e-mail, without a name")
    matrix: str | None = Field(None, description="a room of Matrix, by its id: !…")
    matrix_thread: str | None = Field(None, description="the thread there, by the id of its first message: $…")
    mattermost: str | None = Field(None, description="a channel of Mattermost, by its name in addresses, or @name")
    bale: Number | None = Field(None, description="a chat of Bale")
    max: Number | None = Field(None, description="a chat or a person of MAX")
    brand: str | None = Field(None, description="of an owner: who speaks to their customers, one of people.brands")
    locale: str | None = Field(None, description="the language of messages there; the sink's if not given")
    zone: TimeZone | None = Field(
        None, description="the time zone there, of quiet hours and dates; the file's if not given"
    )
    quiet: QuietHours | None = Field(
        None, description="hours in which nothing is told there, as 23:00-08:00; held until they end"
    )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        for name in value if isinstance(value, dict) else ():
            if name not in cls.model_fields and not str(name).startswith("x_"):
                raise ValueError(
                    f'has no key "{redacted(name)}": there are {", ".join(cls.model_fields)}; own ones begin with x_'
                )
        return value

    @property
    def private_chat(self) -> int | None:
        """The chat with one person in which a bot tells them; None where there is none, or that of a group."""
        return self.telegram if self.telegram is not None and self.telegram > 0 else None

    def values(self) -> Mapping[str, Any]:
        """What is given, as an expression reads it."""
        return self.model_dump(mode="json", exclude_none=True)


def private_chat_of(values: Mapping[str, Any]) -> str | None:
    """The same of a record's values."""
    chat = str(values.get("telegram"))
    return chat if is_private_chat(chat) else None
