"""What an event says of a contact: the documented body, and the parts that the API takes.

Source   the OrbVPN webhook documentation, "GoHighLevel Format": flat, every value a text, the unknown ones empty
Quirks   the API refuses the whole contact for one part that it does not know: 422 `email must be an email`, 400 for a
         phone number whose country there is not. What it would refuse is left out
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.event import Event, JsonObject, iso
from bridge.sinks.base import object_in
from bridge.sinks.gohighlevel.countries import COUNTRIES
from bridge.vocabulary import documented_name

IN_CONTACT = ("first_name", "last_name", "email", "phone", "country")
_ATOM, _LABEL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+", r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: At a name of the DNS, whose last part has letters.
_EMAIL = re.compile(
    rf"(?=[^@]{{1,64}}@[^@]{{1,189}}$){_ATOM}(\.{_ATOM})*@({_LABEL}\.)+([A-Za-z]{{2,63}}|xn--[A-Za-z0-9-]{{2,59}})"
)
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{6,15}")  # E.164, or a number of the location's own country
_BESIDE_DIGITS = re.compile(r"^tel:|\(0\)|[^\w+]", re.IGNORECASE)  # +49 (0) 30 is +49 30
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


def documented_body(event: Event, *, location: str, tags: list[str]) -> JsonObject:
    """The documented format; what we add stands behind the documented custom fields."""
    user = object_in(event, "user")
    contact = {
        "firstName": _text(user.get("first_name")),
        "lastName": _text(user.get("last_name")),
        "email": email_of(event),
        "phone": _text(user.get("phone")),
        "address1": "",
        "city": "",
        "country": _country(event),
        "postalCode": "",
    }
    return {"contact": contact, "customFields": dict(custom_fields(event)), "tags": tags, "locationId": location}


def known_contact(event: Event) -> JsonObject:
    """What the API calls what is known of the contact; the unknown is empty."""
    user = object_in(event, "user")
    first, last = _text(user.get("first_name")), _text(user.get("last_name"))
    return {
        "firstName": first,
        "lastName": last,
        "name": "" if first or last else _text(user.get("username")),
        "email": email_of(event),
        "phone": phone_of(event),
        "country": country if (country := _country(event)) in COUNTRIES else "",
    }


def event_tag(event: Event) -> str:
    """The tag that names the event: `New User`, `Subscription Trial Ended`."""
    words = event.type.replace(".", " ").replace("_", " ").title().replace("2Fa", "2FA").replace("Ip ", "IP ")
    return "New User" if event.type == "user.created" else words


def custom_fields(event: Event) -> Iterator[tuple[str, str]]:
    """What is known, flattened: `payment_amount`, `user_usedBytes`; the documented names where there are some."""
    user, subscription = object_in(event, "user"), object_in(event, "subscription")
    yield "user_id", _text(user.get("id")) or _text(user.get("username")) or event.subject or event.id
    yield "subscription_group", _text(subscription.get("plan"))
    yield "subscription_status", _status(event)
    expires = _text(subscription.get("expires_at")) or _text(user.get("expires_at"))
    yield "subscription_expiresAt", expires if _TIME.fullmatch(expires) else ""
    yield "event_type", documented_name(event.type)
    yield "event_id", event.id
    yield "event_occurredAt", iso(event.occurred_at)
    taken = {"user_id", "subscription_group", "subscription_plan", "subscription_status", "subscription_expiresAt"}
    for path, value in _leaves(event.data):
        name = _name(path)
        if name not in taken and not name.startswith("event_") and not (path[0] == "user" and path[-1] in IN_CONTACT):
            taken.add(name)
            yield name, value


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text and number with the path that leads to it; a list of them is one text."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(one, (*path, str(key)))
    elif isinstance(value, list | tuple):
        text = ", ".join(filter(None, map(_text, value)))
        yield from [(path, text)] if text else []
    elif text := _text(value):
        yield path, text


def _name(path: tuple[str, ...]) -> str:
    parts = [part for part in map(_camel, path) if part]
    name = "_".join(parts)
    return name if name[:1].isalpha() else f"field_{name}".strip("_")


def _camel(key: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", key)
    return "".join(word if i == 0 else word[:1].upper() + word[1:] for i, word in enumerate(words))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str | int | float) else ""


def email_of(event: Event) -> str:
    """The user's address; a username that is one will do."""
    user = object_in(event, "user")
    candidates = (_text(user.get("email")), _text(user.get("username")))
    return next((one for one in candidates if _EMAIL.fullmatch(one)), "")


def phone_of(event: Event) -> str:
    """The number, in digits alone, behind a + where it names its country; empty where it is none."""
    text = _BESIDE_DIGITS.sub("", _text(object_in(event, "user").get("phone")))
    number = re.sub("^00", "+", "".join(str(unicodedata.digit(one, one)) for one in text))
    return number if _PHONE.fullmatch(number) else ""


def _country(event: Event) -> str:
    country = _text(object_in(event, "user").get("country"))
    return country.upper() if re.fullmatch(r"[A-Za-z]{2}", country) else ""


def _status(event: Event) -> str:
    user = object_in(event, "user")
    known = _text(object_in(event, "subscription").get("status")) or _text(user.get("status"))
    if not known and isinstance(user.get("active"), bool):
        known = "ACTIVE" if user["active"] else "INACTIVE"
    return re.sub(r"[^A-Z]+", "_", known.upper()).strip("_")
