"""OrbVPN's webhook configuration object, taken as it is documented: each becomes a sink, and a row of the table.

Source   OrbVPN's webhook documentation, "Configuration"; its code keeps providerSpecificConfig as JSON text
Secret   the endpoint, and an apiKey or api_key inside providerSpecificConfig
Units    retryDelay in seconds
Quirks   subscribedEvents are spelled USER_CREATED in one place and user.created in another: both are taken.
         None, an empty list or "*" stand for all
         a GoHighLevel endpoint takes the documented body; only HighLevel's own API does not, there contacts are written
         endpoint may stand inside providerSpecificConfig, beside what else the provider needs
         secret, createdAt and updatedAt come along in an export; nothing here needs them, and a warning says so
"""

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from yarl import URL

from bridge.config.errors import suggestion
from bridge.redaction import redacted
from bridge.routing import Route
from bridge.settings import Duration, NameList, Settings
from bridge.sinks import SinkSettings
from bridge.sinks.gohighlevel import is_api
from bridge.sinks.settings import SecretUrl
from bridge.vocabulary import DOCUMENTED

#: Built when a sink is validated by itself: a file without webhooks needs it only for what is wrong in it.
SINK: TypeAdapter[SinkSettings] = TypeAdapter(SinkSettings, config=ConfigDict(defer_build=True))

#: What each provider can be told: the document's word, and the sink's setting for it.
PROVIDERS: Mapping[str, Mapping[str, str]] = {
    "SLACK": {"channel": "channel", "username": "username", "icon_emoji": "icon_emoji", "icon_url": "icon_url"},
    "GOHIGHLEVEL": {"locationId": "location_id", "apiKey": "api_key", "source": "source_name"},
    "ZAPIER": {"source": "source_name", "version": "version", "api_key": "api_key"},
}
#: Keys of an export that say nothing about deliveries.
UNREAD = ("secret", "created_at", "updated_at")


def _object(value: Any) -> Any:
    """The object, also where it is JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value or "{}")
        except ValueError:
            raise ValueError("should be an object, or one as JSON text") from None
    return {} if value is None else value


def _object_or_empty(value: Any) -> dict[str, Any]:
    """The same where nobody is to be told that it is none."""
    try:
        found = _object(value)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


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
    subscribed_events: NameList = Field((), description="USER_CREATED or user.created …; none for all")
    provider_specific_config: Annotated[dict[str, Any], BeforeValidator(_object)] = Field(
        {},
        repr=False,  # it may hold an apiKey
        exclude=True,
        description="SLACK: channel, username, icon_emoji; GOHIGHLEVEL: locationId, apiKey, source; "
        "ZAPIER: source, version, api_key",
    )
    max_retries: int = Field(3, ge=0, le=100, description="tries after the first one")
    retry_delay: Duration | None = Field(None, description="seconds between them; 30, 120, 300 if not given")
    id: int | str | None = Field(None, description="what testWebhookConfiguration knows it by; else its name")
    secret: SecretStr | None = Field(None, description="not needed: none of the three services reads a signature")
    created_at: str | None = Field(None, description="not needed")
    updated_at: str | None = Field(None, description="not needed")

    @model_validator(mode="before")
    @classmethod
    def _endpoint_inside(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "endpoint" in given:
            return given
        inside = _object_or_empty(given.get("providerSpecificConfig")).get("endpoint")
        return given if inside is None else {**given, "endpoint": inside}

    @model_validator(mode="after")
    def _makes_a_sink(self) -> "OrbvpnWebhook":
        try:
            self.sink()
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            what = first.get("ctx", {}).get("error") or first["msg"].replace("Input should", "should")
            where = ".".join(str(part) for part in first["loc"][1:])
            named = {setting: word for word, setting in PROVIDERS[self.provider_type].items()}
            raise ValueError(f"{named.get(where, where)} {what}".strip()) from None
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

    def unread(self) -> Iterator[str]:
        """Every key that nothing here reads, with what was meant or why: none is passed over in silence."""
        if unread := [to_camel(name) for name in UNREAD if getattr(self, name) is not None]:
            yield f"nothing here needs {', '.join(unread)}"
        words = PROVIDERS[self.provider_type]
        for key, value in self.provider_specific_config.items():
            is_endpoint = key == "endpoint" and value == self.endpoint.get_secret_value()
            if _plain(key) not in map(_plain, words) and not is_endpoint:
                yield f'nothing reads "{redacted(key)}" in providerSpecificConfig: {suggestion(key, list(words))}'

    def _service(self) -> dict[str, Any]:
        match self.provider_type:
            case "SLACK":
                return {"type": "slack", "url": self.endpoint} | self._given()
            case "ZAPIER":
                return {"type": "zapier", "url": self.endpoint} | self._given()
            case "GOHIGHLEVEL":
                return {"type": "gohighlevel"} | self._gohighlevel(URL(self.endpoint.get_secret_value()))

    def _gohighlevel(self, endpoint: URL) -> dict[str, Any]:
        """Who takes the documented body, or the API, where contacts are written."""
        given = self._given()
        if not is_api(endpoint):
            return given | {"url": self.endpoint}
        if not given.keys() >= {"api_key", "location_id"}:
            raise ValueError("endpoint is HighLevel's API: give apiKey and locationId in providerSpecificConfig")
        return given | {"api_base": str(endpoint.origin())}

    def _given(self) -> dict[str, Any]:
        """The provider's settings that are given, by the sink's names; however their words are spelled."""
        settings = {_plain(word): setting for word, setting in PROVIDERS[self.provider_type].items()}
        found = {settings.get(_plain(key)): value for key, value in self.provider_specific_config.items()}
        return {name: value for name, value in found.items() if name and value not in (None, "")}


def slug(name: object, id_: object = None) -> str:
    """What the sink of a webhook is called: its name in letters that a sink's name can have.

    Where it has none of them, it is called by its id or else by a hash of its name, and never by its place: deliveries
    wait under it for this webhook.
    """
    if plain := _sink_name(name):
        return plain
    if plain := _sink_name(id_) if id_ is not None else "":
        return f"webhook-id-{plain}"[:64]
    return f"webhook-{sha256(str(name).strip().encode()).hexdigest()[:8]}"


def _sink_name(text: object) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", str(text).lower()).strip("-._")[:64]


def spellings(event: str) -> tuple[str, ...]:
    """A documented name and its canonical type, whichever of its spellings was given; any other name as it is."""
    name = event.strip().upper().replace(".", "_")
    return (name, DOCUMENTED[name]) if name in DOCUMENTED else (event,)


def _plain(key: str) -> str:
    """A key as all of its spellings are written: apiKey and api_key are the same."""
    return re.sub(r"[^a-z0-9]", "", key.lower())
