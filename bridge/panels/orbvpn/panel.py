"""OrbVPN: customers, plans, payments, devices and resellers, in the four formats that it sends.

Source   OrbVPN's webhook documentation: "Event Types", "Payload Examples", "Provider Formats"; the code is closed
Secret   none documented: a secret of our own in the URL, as Authorization: Bearer, or in X-Webhook-Secret; as Zapier it
         sends its api_key in X-API-Key, and as GoHighLevel its apiKey as Authorization: Bearer
Sends    generic       {eventType, timestamp, userId, email, username, profile, subscription, reseller …}, camelCase
         Zapier        {event_type, occurred_at, …} the same in snake_case, duration_days as text
         GoHighLevel   {contact, customFields, tags, locationId}: all texts, no time, the event only hinted at in a tag
         Slack         {text} or {blocks}: a line with the name, "Time: …", and "• Label: value" under headings
         one object, or an array of them; tries after 30, 120 and 300 s
Signs    nothing: "signature verification available", but neither header nor method is told
Units    times without zone: read in `timezone`; sizes in bytes; amounts in the currency's own unit
Quirks   the document spells names USER_CREATED in one place and subscription.created in another: both are taken
         only USER_CREATED is shown; the other events' objects are modelled on it
         the tag "New User" is USER_CREATED, other tags are tried as names; a contact with none of them is
         GOHIGHLEVEL_CONTACT
"""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.foreign import moment, number, object_at, present, read_fields, text, truth, utc, whole
from bridge.message import Dialect
from bridge.panels.base import Hook, Panel, ParsedEvent, SourceConfig, unknown_type
from bridge.panels.orbvpn.emit import emit
from bridge.panels.orbvpn.fields import NAMES, OBJECTS, PROFILE, USER, event_name, id_of
from bridge.panels.orbvpn.formats import name_and_fields
from bridge.settings import TimeZone
from bridge.vocabulary import DOCUMENTED


class OrbvpnConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = DOCUMENTED

    panel: Literal["orbvpn"] = Field(description="OrbVPN")
    timezone: TimeZone = Field("UTC", description="the zone of the panel's times, which name none, as Europe/Berlin")

    def open(self) -> "OrbvpnPanel":
        return OrbvpnPanel(self)

    @classmethod
    def dialect(cls) -> Dialect:
        return emit


class OrbvpnPanel(Panel[OrbvpnConfig]):
    masks: ClassVar[tuple[str, ...]] = ("**.apiKey", "**.api_key", "**.password", "**.token", "**.secret")
    path: ClassVar[str] = "/in/{source}/{secret}"  # its settings have nothing but an address
    paste: ClassVar[tuple[str, ...]] = ("endpoint: {url}",)

    def __init__(self, config: OrbvpnConfig) -> None:
        super().__init__(config)
        self._zone = ZoneInfo(config.timezone)

    def verify_head(self, hook: Hook) -> bool:
        return self.verify_secret(*hook.plain_secrets(), hook.header("X-API-Key"))

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        native, fields = name_and_fields(element)
        type_ = NAMES.get(event_name(native)) or unknown_type("orbvpn", native)
        return ParsedEvent(
            type=type_,
            native_type=native,
            subject=_subject(type_, native, fields),
            data=_data(type_, fields, self._zone),
            occurred_at=moment(fields.get("occurred_at", fields.get("timestamp")), self._zone),
        )


def _subject(type_: str, native: str, fields: JsonObject) -> str | None:
    kind = event_name(native).partition("_")[0].lower()
    reseller, server = object_at(fields, "reseller"), text(object_at(fields, "system").get("server"))
    match kind:
        case "reseller":
            name = text(reseller.get("email")) or id_of(reseller.get("id"))
        case "system" | "node":
            kind = "node" if type_.startswith("node.") else "system"
            name = server
        case _:
            kind = "user"
            name = text(fields.get("username")) or text(fields.get("email")) or id_of(fields.get("user_id"))
    return f"{kind}:{name}" if name is not None else None


def _data(type_: str, fields: JsonObject, zone: tzinfo) -> JsonObject:
    data = {about: read_fields(names, object_at(fields, about)) for about, names in OBJECTS.items()}
    subscription = object_at(fields, "subscription")
    data["user"] = read_fields(USER, fields) | read_fields(PROFILE, object_at(fields, "profile"))
    data["subscription"] |= present(
        duration_days=whole(subscription.get("duration_days", subscription.get("duration"))),
        expires_at=utc(subscription.get("expires_at"), zone),
        auto_renew=truth(subscription.get("auto_renew", fields.get("auto_renew"))),
    )
    if type_.startswith("reseller.credit_"):
        data["reseller"] |= present(amount=number(fields.get("amount")))
    if type_.startswith("node."):
        data["node"] = present(name=data["system"].get("server"))
    return present(**data, action=text(fields.get("action")), reason=text(fields.get("reason")))
