"""OrbVPN's webhook configuration object, taken as it is documented: each becomes a sink, and a row of the table.

Source   OrbVPN's webhook documentation, "Configuration"; its code keeps providerSpecificConfig as JSON text
Secret   the endpoint, and an apiKey inside providerSpecificConfig
Units    retryDelay in seconds
Quirks   subscribedEvents are spelled USER_CREATED in one place and user.created in another: both are taken.
         None, an empty list or "*" stand for all
         id, secret, createdAt and updatedAt come along in an export; nothing here needs them
"""

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel, to_snake
from yarl import URL

from bridge.routing import Route
from bridge.settings import Duration, Names, Settings
from bridge.sinks import SinkSettings
from bridge.sinks.settings import SecretUrl
from bridge.vocabulary import DOCUMENTED

#: Built when a sink is validated by itself: a file without webhooks needs it only for what is wrong in it.
SINK: TypeAdapter[SinkSettings] = TypeAdapter(SinkSettings, config=ConfigDict(defer_build=True))


def _object(value: Any) -> Any:
    """The object, also where it is JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value or "{}")
        except ValueError:
            raise ValueError("should be an object, or one as JSON text") from None
    return {} if value is None else value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class OrbvpnWebhook(Settings):
    """One webhook, as OrbVPN configures it."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_alias=True, hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=200, description="its name; the sink is called like it")
    provider_type: Annotated[Literal["SLACK", "GOHIGHLEVEL", "ZAPIER"], BeforeValidator(_upper)] = Field(
        description="SLACK, GOHIGHLEVEL or ZAPIER"
    )
    endpoint: SecretUrl = Field(description="where it posts")
    active: bool = Field(True, description="false: it delivers nothing")
    subscribed_events: Names = Field((), description="USER_CREATED or user.created …; none for all")
    provider_specific_config: Annotated[dict[str, Any], BeforeValidator(_object)] = Field(
        {},
        repr=False,  # it may hold an apiKey
        exclude=True,
        description="SLACK: channel, username, icon_emoji; GOHIGHLEVEL: apiKey, locationId; ZAPIER: nothing",
    )
    max_retries: int = Field(3, ge=0, le=100, description="tries after the first one")
    retry_delay: Duration | None = Field(None, description="seconds between them; 30, 120, 300 if not given")
    id: int | str | None = Field(None, description="not needed")
    secret: SecretStr | None = Field(None, description="not needed: none of the three services reads a signature")
    created_at: str | None = Field(None, description="not needed")
    updated_at: str | None = Field(None, description="not needed")

    @model_validator(mode="after")
    def _makes_a_sink(self) -> "OrbvpnWebhook":
        try:
            self.sink()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            what = first.get("ctx", {}).get("error") or first["msg"].replace("Input should", "should")
            where = ".".join(str(part) for part in first["loc"][1:])
            raise ValueError(f"{where} {what}".strip()) from None
        return self

    def sink(self) -> SinkSettings:
        """The sink that it describes."""
        retry: dict[str, Any] = {"max_retries": self.max_retries}
        if self.retry_delay is not None:
            retry["waits"] = (self.retry_delay,)
        return SINK.validate_python({**self._service(), "enabled": self.active, "retry": retry})

    def route(self, sink: str) -> Route:
        """The row that sends it the events it is subscribed to, under OrbVPN's name and under the canonical one."""
        names = [name for event in self.subscribed_events for name in spellings(event)]
        return Route(match=tuple(dict.fromkeys(names)) or ("*",), to=(sink,))

    def _service(self) -> dict[str, Any]:
        given = {to_snake(key): value for key, value in self.provider_specific_config.items()}
        match self.provider_type:
            case "SLACK":
                names = ("channel", "username", "icon_emoji", "icon_url")
                return {"type": "slack", "url": self.endpoint} | {key: given[key] for key in names if given.get(key)}
            case "ZAPIER":
                return {"type": "zapier", "url": self.endpoint}
            case "GOHIGHLEVEL":
                return self._gohighlevel(given)

    def _gohighlevel(self, given: dict[str, Any]) -> dict[str, Any]:
        """An inbound trigger, or with a key for the API a contact that is written there."""
        address = self.endpoint.get_secret_value()
        renamed = {"location_id": given.get("location_id"), "source_name": given.get("source")}
        settings = {"type": "gohighlevel"} | {key: value for key, value in renamed.items() if value}
        if "/hooks/" in address or not given.get("api_key"):
            return settings | {"url": self.endpoint}
        base = URL(address).with_query(None).with_fragment(None)
        return settings | {"api_key": given["api_key"], "api_base": str(base).partition("/contacts")[0]}


def slug(name: object, index: int) -> str:
    """What the sink of the webhook at `index` is called: its name in letters that a sink's name can have."""
    return re.sub(r"[^a-z0-9._-]+", "-", str(name).lower()).strip("-._")[:64] or f"webhook-{index + 1}"


def spellings(event: str) -> tuple[str, ...]:
    """A documented name and its canonical type, whichever of its spellings was given; any other name as it is."""
    name = event.strip().upper().replace(".", "_")
    return (name, DOCUMENTED[name]) if name in DOCUMENTED else (event,)
