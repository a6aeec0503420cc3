"""Whom a message may ping: Discord's allowed mentions."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from bridge.event import JsonObject
from bridge.settings import OneOrMany, Settings
from bridge.sinks.discord.posted import SNOWFLAKE


def _snowflake(value: str) -> str:
    if not SNOWFLAKE.fullmatch(value):
        raise ValueError("should be an id, as Discord's `Copy ID` gives it: digits only")
    return value


Snowflake = Annotated[str, AfterValidator(_snowflake)]


class AllowedMentions(Settings):
    """Whom a message may ping."""

    example: ClassVar[str] = "parse: [users]"

    parse: OneOrMany[Literal["users", "roles", "everyone"]] = Field((), description="kinds that may all be pinged")
    users: OneOrMany[Snowflake] = Field((), max_length=100, description="ids of users who may be pinged")
    roles: OneOrMany[Snowflake] = Field((), max_length=100, description="ids of roles that may be pinged")

    @model_validator(mode="after")
    def _exclusive(self) -> "AllowedMentions":
        for kind in ("users", "roles"):
            if kind in self.parse and getattr(self, kind):
                raise ValueError(f"name either all {kind} under `parse`, or some under `{kind}`, not both")
        return self

    def to_json(self) -> JsonObject:
        mentions = {"parse": self.parse, "users": self.users, "roles": self.roles}
        return {key: list(dict.fromkeys(value)) for key, value in mentions.items() if value or key == "parse"}
