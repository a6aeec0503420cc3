"""The directory: where owners and nodes are reached, as the operator writes it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from bridge.codec import dump
from bridge.people.recipient import Audience, is_name, recipient_key
from bridge.settings import Settings

#: The key of the record that is asked where there is no address.
DEFAULT = "default"
MOST = 1000  # records that stand in the file itself


def _whole_number(value: Any) -> Any:
    if isinstance(value, bool) or not re.fullmatch(r"-?[1-9][0-9]{0,15}", str(value).strip()):
        raise ValueError("should be a number such as -1001234567890")
    return int(value)


Number = Annotated[int, BeforeValidator(_whole_number), WithJsonSchema({"type": "integer"})]


class Record(Settings):
    """Where one of them is reached. Keys that begin with `x_` are the operator's own."""

    example: ClassVar[str] = "telegram: -1001234567890"
    model_config = Settings.model_config | {"extra": "allow"}

    telegram: Number | None = Field(None, description="a chat of Telegram: -100… for channels and supergroups")
    thread: Number | None = Field(None, ge=1, description="the topic there")
    slack: str | None = Field(None, description="a channel of Slack, by its id: C…")
    discord: str | None = Field(None, description="the URL of a webhook of Discord")
    discord_thread: str | None = Field(None, description="the thread of its channel")
    ntfy: str | None = Field(None, description="a topic of ntfy")
    locale: str | None = Field(None, description="the language of messages there; the sink's if not given")

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: Any) -> Any:
        for name in value if isinstance(value, dict) else ():
            if name not in cls.model_fields and not str(name).startswith("x_"):
                raise ValueError(
                    f'has no key "{name}": there are {", ".join(cls.model_fields)}; own ones begin with x_'
                )
        return value

    def values(self) -> Mapping[str, Any]:
        """What is given, as an expression reads it."""
        return self.model_dump(mode="json", exclude_none=True)


class DirectorySettings(Settings):
    """`directory:` where owners and nodes are reached."""

    example: ClassVar[str] = "owners: {reseller-7: {telegram: -1001234567890}}"

    realm: str | None = Field(
        None, description="the sources whose owners and nodes these are; needed where there are several"
    )
    default: Record | None = Field(None, description="who is told where there is no address and unknown is default")
    owners: dict[str, Record] = Field({}, max_length=MOST, description="by their names in the panel")
    nodes: dict[str, Record] = Field({}, max_length=MOST, description="by their names in the panel")

    @model_validator(mode="after")
    def _valid_names(self) -> "DirectorySettings":
        if wrong := next((name for name in (*self.owners, *self.nodes) if not is_name(name)), None):
            raise ValueError(f"{wrong[:40]!r} is no name: it has signs that are not seen, or too many")
        return self

    def records(self, realm: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each recipient's key with what is known of it; `realm` is whose they are where the file does not say so."""
        if self.default is not None:
            yield DEFAULT, self.default.values()
        for audience, named in ((Audience.OWNER, self.owners), (Audience.NODE, self.nodes)):
            for name, record in named.items():
                yield recipient_key(self.realm or realm, audience, name), record.values()


def generation_of(records: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """What tells these records from all others; the empty text where there are none."""
    digest, empty = sha256(), True
    for record in records:
        digest.update(dump(record) + b"\n")
        empty = False
    return "" if empty else digest.hexdigest()[:16]
