"""OrbVPN's four formats, read as one: the event's name, and its fields the way Zapier gets them."""

import html
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bridge.event import JsonObject
from bridge.foreign import object_at, present, text
from bridge.panels.base import UNNAMED
from bridge.panels.orbvpn.fields import NAMES, OBJECTS, event_name

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


def name_and_fields(element: JsonObject) -> tuple[str, JsonObject]:
    """The event's name as sent, and its fields the way Zapier gets them, whatever the format."""
    fields = {_snake(key): _snake_keys(value) for key, value in element.items()}
    for key in ("event_type", "event_name", "event"):
        if native := text(fields.get(key)):
            return native, fields
    if isinstance(element.get("contact"), dict):
        return _from_gohighlevel(element)
    if {"text", "blocks", "attachments"} & element.keys():
        return _from_slack(element)
    return UNNAMED, fields


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()


def _snake_keys(value: Any) -> Any:
    return {_snake(key): inner for key, inner in value.items()} if isinstance(value, dict) else value


def _from_gohighlevel(element: JsonObject) -> tuple[str, JsonObject]:
    contact = {_snake(key): value for key, value in object_at(element, "contact").items()}
    fields = present(email=text(contact.get("email")), profile=contact)
    for key, value in object_at(element, "customFields").items():
        about, _, field = _snake(key).partition("_")
        _set_field(fields, about if about in OBJECTS else "", field if about in OBJECTS else _snake(key), value)
    tags = element.get("tags")
    named = (_event_of_tag(tag) for tag in tags if text(tag)) if isinstance(tags, list) else iter(())
    return text(fields.get("event_type")) or next(filter(None, named), "GOHIGHLEVEL_CONTACT"), fields


def _event_of_tag(tag: str) -> str | None:
    """The event that a tag names: `New User`, `User Deleted`, `Deleted User`."""
    if tag == "New User":
        return "USER_CREATED"
    names = (event_name(tag), event_name(" ".join(reversed(tag.split()))))
    return next((name for name in names if name in NAMES), None)


def _set_field(fields: JsonObject, about: str, field: str, value: Any) -> None:
    """Set a field of the object `about`, or of the element itself; what is set already stays."""
    place = fields.setdefault(about, {}) if about else fields
    if isinstance(place, dict):
        place.setdefault(ALIASES.get(about, {}).get(field, field), value)


_NAME = re.compile(r"\*([A-Za-z][\w.]+)\*|\b([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b|\b([a-z_]+(?:\.[a-z_]+)+)\b")
_HEADING = re.compile(r"\*([^*:]+)\*\s*$")
_LABEL = re.compile(r"[\s•*-]*([A-Za-z][\w /()'-]{0,60}?)\s*:\*?\s+(.*\S)")


def _from_slack(element: JsonObject) -> tuple[str, JsonObject]:
    texts = [lines for one in _texts(element) if (lines := one.strip().splitlines())]
    name = next((found for lines in texts if (found := _NAME.search(lines[0]))), None)
    fields: JsonObject = {}
    about = ""
    for line in (line for lines in texts for line in lines):
        if heading := _HEADING.search(line):
            about = _section(heading[1])
        elif label := _LABEL.match(line):
            _set_label(fields, about, event_name(label[1]).lower(), _unescaped(label[2]))
    return (name[1] or name[2] or name[3]) if name else UNNAMED, fields


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


def _set_label(fields: JsonObject, about: str, label: str, value: str) -> None:
    if label == "time":
        _set_field(fields, "", "timestamp", _iso_time(value))
    elif label == "name" and about == "profile":
        first, _, last = value.partition(" ")
        _set_field(fields, about, "first_name", first)
        _set_field(fields, about, "last_name", last)
    else:
        field = label.removeprefix(f"{about}_") if about else label
        _set_field(fields, about, field, _iso_time(value) if field.endswith("_at") else value.removesuffix("%"))


def _unescaped(value: str) -> str:
    """Slack's own escapes and links undone: `<mailto:a@b.c|a@b.c>` is a@b.c."""
    return html.unescape(re.sub(r"<[^|<>]*\|([^<>]*)>", r"\1", value)).strip()


def _iso_time(value: str) -> str:
    """`Nov 03, 2024 15:27:47` as ISO 8601, still without a zone; anything else as it is."""
    try:
        return datetime.strptime(value, "%b %d, %Y %H:%M:%S").isoformat()
    except ValueError:
        return value
