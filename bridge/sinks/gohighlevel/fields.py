"""The custom fields that a location has, and what an event has to say in them.

Source   github.com/GoHighLevel/highlevel-api-docs, apps/locations.json: GET /locations/{locationId}/customFields
Quirks   a key is `contact.` and the field's name in small letters: subscription_expiresAt may be there as
         contact.subscription_expiresat or contact.subscription_expires_at
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bridge.event import JsonObject
from bridge.foreign import number
from bridge.value import Value

_KEY = re.compile(r"(?:\{\{\s*)?contact\.(\w+)(?:\s*\}\})?", re.ASCII)
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T.*)?", re.ASCII)


class CustomField(Value):
    """A field of the location, and the kind of value that it holds: TEXT, NUMERICAL, DATE …"""

    id: str
    kind: str

    def value_of(self, text: str) -> Any:
        """The text as such a field takes it; None where it takes none."""
        match self.kind:
            case "NUMERICAL" | "MONETORY":  # their spelling
                return number(text)
            case "DATE":
                return found[1] if (found := _DATE.fullmatch(text)) else None
            case "CHECKBOX" | "MULTIPLE_OPTIONS":
                return [text]
            case "FILE_UPLOAD" | "SIGNATURE":
                return None
            case _:
                return text


#: By their keys, as `_plain` writes them.
LocationFields = Mapping[str, CustomField]
NO_FIELDS: LocationFields = {}


def location_fields(answer: JsonObject) -> LocationFields:
    """The fields that a contact has there, from what the API answers."""
    found = answer.get("customFields")
    fields: dict[str, CustomField] = {}
    for one in found if isinstance(found, list) else []:
        if not isinstance(one, dict):
            continue
        id_, key = one.get("id"), _KEY.fullmatch(str(one.get("fieldKey")))
        if isinstance(id_, str) and id_ and key:
            fields.setdefault(_plain(key[1]), CustomField(id_, str(one.get("dataType"))))
    return fields


def field_values(fields: LocationFields, known: Iterable[tuple[str, str]]) -> Iterator[JsonObject]:
    """What is known, for those of the fields that are called like it; of two with one name the first."""
    left = dict(fields)
    for name, text in known:
        field = left.pop(_plain(name), None) if text else None
        if field is not None and (value := field.value_of(text)) is not None:
            yield {"id": field.id, "field_value": value}


def _plain(name: str) -> str:
    """A name by which two spellings of it are the same."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
