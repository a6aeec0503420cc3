"""OrbVPN: customers, plans, payments, devices and resellers, in the four formats that it sends.

Source   OrbVPN's webhook documentation: "Event Types", "Payload Examples", "Provider Formats"; the code is closed
Secret   none documented: a secret of our own in the URL, as Authorization: Bearer, or in X-Webhook-Secret
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

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from bridge.errors import BadPayload
from bridge.event import Event, JsonObject, dump
from bridge.foreign import (
    FieldMap,
    moment,
    number,
    object_at,
    present,
    read_fields,
    text,
    truth,
    utc,
    whole,
    write_fields,
)
from bridge.message import Dialect, Emission
from bridge.panels.base import Hook, Panel, ParsedEvent, SourceConfig, json_elements, unknown_type
from bridge.settings import TimeZone
from bridge.vocabulary import DOCUMENTED, TYPES, documented_name

#: Every spelling of a name, upper case with underscores → canonical type.
NAMES = {type_.upper().replace(".", "_"): type_ for type_ in TYPES} | DOCUMENTED


def _id(value: Any) -> int | str | None:
    """A number, or the text that an id is elsewhere."""
    found = whole(value)
    return text(value) if found is None else found


USER: FieldMap = {
    "username": ("username", text),
    "email": ("email", text),
    "user_id": ("id", _id),
    "active": ("active", truth),
}
PROFILE: FieldMap = {
    "first_name": ("first_name", text),
    "last_name": ("last_name", text),
    "country": ("country", text),
    "phone": ("phone", text),
}
#: Each object in snake_case, and what we call its fields; `expires_at` is read apart, for it needs the zone.
OBJECTS: dict[str, FieldMap] = {
    "subscription": {
        "group_name": ("plan", text),
        "group_id": ("plan_id", _id),
        "status": ("status", text),
        "multi_login_count": ("multi_login_count", whole),
        "duration_days": ("duration_days", whole),
        "is_trial_period": ("trial", truth),
        "price": ("price", number),
        "currency": ("currency", text),
    },
    "payment": {
        "id": ("id", _id),
        "amount": ("amount", number),
        "currency": ("currency", text),
        "gateway": ("gateway", text),
        "status": ("status", text),
    },
    "reseller": {
        "id": ("id", _id),
        "name": ("name", text),
        "email": ("email", text),
        "level": ("level", text),
        "level_id": ("level_id", _id),
        "discount_percent": ("discount_percent", number),
        "credit": ("credit", number),
    },
    "device": {
        "id": ("id", _id),
        "name": ("name", text),
        "os": ("os", text),
        "os_version": ("os_version", text),
        "model": ("model", text),
        "user_agent": ("user_agent", text),
    },
    "usage": {
        "used_bytes": ("used_bytes", whole),
        "limit_bytes": ("limit_bytes", whole),
        "percent": ("percent", number),
    },
    "security": {
        "username": ("username", text),
        "ip": ("ip", text),
        "user_agent": ("user_agent", text),
        "description": ("description", text),
    },
    "system": {
        "server": ("server", text),
        "message": ("message", text),
        "version": ("version", text),
        "component": ("component", text),
    },
}
#: Labels of the Slack layout, and of GoHighLevel's fields, that are not the field's name.
ALIASES = {
    "subscription": {
        "plan": "group_name",
        "group": "group_name",
        "duration": "duration_days",
        "trial": "is_trial_period",
    },
    "reseller": {"discount": "discount_percent"},
}


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

    def verify(self, hook: Hook) -> None:
        self.proves(*hook.carried())

    def elements(self, hook: Hook) -> Sequence[Any]:
        return json_elements(hook.body)

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        native, fields = _told(element)
        type_ = NAMES.get(_spelled(native)) or unknown_type("orbvpn", native)
        return ParsedEvent(
            type=type_,
            native_type=native,
            subject=_subject(type_, native, fields),
            data=_data(type_, fields, self._zone),
            occurred_at=moment(fields.get("occurred_at", fields.get("timestamp")), self._zone),
        )


def _spelled(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_").upper()


def _told(element: JsonObject) -> tuple[str, JsonObject]:
    """The event's name as sent, and its fields the way Zapier gets them, whatever the format."""
    fields = {_snake(key): _snaked(value) for key, value in element.items()}
    for key in ("event_type", "event_name", "event"):
        if native := text(fields.get(key)):
            return native, fields
    if isinstance(element.get("contact"), dict):
        return _from_gohighlevel(element)
    if {"text", "blocks", "attachments"} & element.keys():
        return _from_slack(element)
    raise BadPayload("is missing", "eventType")


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()


def _snaked(value: Any) -> Any:
    return {_snake(key): inner for key, inner in value.items()} if isinstance(value, dict) else value


def _from_gohighlevel(element: JsonObject) -> tuple[str, JsonObject]:
    contact = {_snake(key): value for key, value in object_at(element, "contact").items()}
    fields = present(email=text(contact.get("email")), profile=contact)
    for key, value in object_at(element, "customFields").items():
        about, _, field = _snake(key).partition("_")
        _put(fields, about if about in OBJECTS else "", field if about in OBJECTS else _snake(key), value)
    tags = element.get("tags")
    named = (_tagged(tag) for tag in tags if text(tag)) if isinstance(tags, list) else iter(())
    return text(fields.get("event_type")) or next(filter(None, named), "GOHIGHLEVEL_CONTACT"), fields


def _tagged(tag: str) -> str | None:
    """The event that a tag names: `New User`, `User Deleted`, `Deleted User`."""
    if tag == "New User":
        return "USER_CREATED"
    names = (_spelled(tag), _spelled(" ".join(reversed(tag.split()))))
    return next((name for name in names if name in NAMES), None)


def _put(fields: JsonObject, about: str, field: str, value: Any) -> None:
    """Set a field of the object `about`, or of the element itself; what is set already stays."""
    place = fields.setdefault(about, {}) if about else fields
    if isinstance(place, dict):
        place.setdefault(ALIASES.get(about, {}).get(field, field), value)


_NAME = re.compile(r"\*([A-Za-z][\w.]+)\*|\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b|\b([a-z_]+(?:\.[a-z_]+)+)\b")
_HEADING = re.compile(r"\*([^*:]+)\*\s*$")
_LABEL = re.compile(r"[\s•*-]*([A-Za-z][\w /()'-]{0,60}?)\s*:\*?\s+(.*\S)")


def _from_slack(element: JsonObject) -> tuple[str, JsonObject]:
    said = [lines for one in _texts(element) if (lines := one.strip().splitlines())]
    name = next((found for lines in said if (found := _NAME.search(lines[0]))), None)
    if name is None:
        raise BadPayload("names no event in its first line", "text" if text(element.get("text")) else "blocks")
    fields: JsonObject = {}
    about = ""
    for line in (line for lines in said for line in lines):
        if heading := _HEADING.search(line):
            about = _section(heading[1])
        elif label := _LABEL.match(line):
            _put_label(fields, about, _spelled(label[1]).lower(), _plain(label[2]))
    return name[1] or name[2] or name[3], fields


def _texts(element: Any, depth: int = 0) -> Iterator[str]:
    """Every text of a Slack message: its own, its blocks' and its attachments', in their order."""
    if isinstance(element, str):
        yield element
    elif isinstance(element, list) and depth < 6:
        for one in element:
            yield from _texts(one, depth + 1)
    elif isinstance(element, dict) and depth < 6:
        for key in ("text", "fields", "elements", "blocks", "attachments"):
            yield from _texts(element.get(key), depth + 1)


def _section(heading: str) -> str:
    """`Subscription Details` is about the subscription."""
    words = heading.lower()
    return next((about for about in ("profile", *OBJECTS) if about in words), "")


def _put_label(fields: JsonObject, about: str, label: str, value: str) -> None:
    if label == "time":
        _put(fields, "", "timestamp", _written(value))
    elif label == "name" and about == "profile":
        first, _, last = value.partition(" ")
        _put(fields, about, "first_name", first)
        _put(fields, about, "last_name", last)
    else:
        field = label.removeprefix(f"{about}_") if about else label
        _put(fields, about, field, _written(value) if field.endswith("_at") else value.removesuffix("%"))


def _plain(value: str) -> str:
    """Slack's own escapes and links undone: `<mailto:a@b.c|a@b.c>` is a@b.c."""
    return html.unescape(re.sub(r"<[^|<>]*\|([^<>]*)>", r"\1", value)).strip()


def _written(value: str) -> str:
    """`Nov 03, 2024 15:27:47` as ISO 8601, still without a zone; anything else as it is."""
    try:
        return datetime.strptime(value, "%b %d, %Y %H:%M:%S").isoformat()
    except ValueError:
        return value


def _subject(type_: str, native: str, fields: JsonObject) -> str | None:
    kind = _spelled(native).partition("_")[0].lower()
    reseller, server = object_at(fields, "reseller"), text(object_at(fields, "system").get("server"))
    match kind:
        case "reseller":
            name = text(reseller.get("email")) or _id(reseller.get("id"))
        case "system" | "node":
            kind = "node" if type_.startswith("node.") else "system"
            name = server
        case _:
            kind = "user"
            name = text(fields.get("username")) or text(fields.get("email")) or _id(fields.get("user_id"))
    return f"{kind}:{name}" if name is not None else None


def _data(type_: str, fields: JsonObject, zone: tzinfo) -> JsonObject:
    data = {about: read_fields(words, object_at(fields, about)) for about, words in OBJECTS.items()}
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


def emit(event: Event, *, secret: str | None, at: datetime) -> Emission:
    """The event in OrbVPN's generic form; one that came from OrbVPN in that form goes on as it came."""
    own = event.panel == "orbvpn" and isinstance(event.native, dict) and text(event.native.get("eventType"))
    headers = {"Content-Type": "application/json"}
    if secret:
        headers["X-Webhook-Secret"] = secret
    return Emission(headers, dump(event.native if own else _said(event)))


def _said(event: Event) -> JsonObject:
    """The generic form; what OrbVPN has no object for comes under our own name for it, in camelCase."""
    user, subscription = object_at(event.data, "user"), object_at(event.data, "subscription")
    kind, _, subject = (event.subject or "").partition(":")
    named = {"username": subject} if kind == "user" else {}
    objects = {about: _known(words, object_at(event.data, about)) for about, words in OBJECTS.items()}
    objects["subscription"] |= present(expires_at=_zoneless(subscription.get("expires_at")))
    if kind in ("node", "system"):
        objects["system"].setdefault("server", subject)
    fields = {
        "event_type": documented_name(event.type),
        "timestamp": _zoneless(event.occurred_at.isoformat()),
        **named,
        **present(**_known(USER, user) | {"user_id": whole(user.get("id"))}),
        **present(profile=_known(PROFILE, user), auto_renew=subscription.get("auto_renew")),
        **present(**objects, amount=object_at(event.data, "reseller").get("amount")),
    }
    others = {key: value for key, value in event.data.items() if key != "user" and key not in OBJECTS}
    return {_camel(key): _cameled(value) for key, value in (fields | others).items()}


def _known(words: FieldMap, known: JsonObject) -> JsonObject:
    return present(**write_fields(words, known))


def _camel(key: str) -> str:
    head, *tail = key.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _cameled(value: Any) -> Any:
    return {_camel(key): inner for key, inner in value.items()} if isinstance(value, dict) else value


def _zoneless(stamp: Any) -> str | None:
    """A time the way the document writes it: without a zone, in UTC."""
    found = moment(stamp)
    return found.replace(tzinfo=None).isoformat() if found else None
