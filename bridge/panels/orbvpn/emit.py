"""To speak like OrbVPN, in its generic form."""

from datetime import datetime
from typing import Any

from bridge.codec import dump
from bridge.event import Event, JsonObject
from bridge.foreign import moment, object_at, present, text, whole, write_fields
from bridge.message import Emission
from bridge.panels.base import without_masked_keys
from bridge.panels.orbvpn.fields import OBJECTS, PROFILE, USER
from bridge.vocabulary import documented_name


def emit(event: Event, *, secret: str | None, at: datetime) -> Emission:
    """The event in OrbVPN's generic form; one that came from OrbVPN in that form goes on as it came."""
    own = event.panel == "orbvpn" and isinstance(event.native, dict) and text(event.native.get("eventType"))
    kept, left_out = without_masked_keys(event.native if own else _payload(event))
    headers = {"Content-Type": "application/json", **left_out}
    if secret:
        headers["X-Webhook-Secret"] = secret
    return Emission(headers, dump(kept))


def _payload(event: Event) -> JsonObject:
    """The generic form; what OrbVPN has no object for comes under our own name for it, in camelCase."""
    user, subscription = object_at(event.data, "user"), object_at(event.data, "subscription")
    kind, _, subject = (event.subject or "").partition(":")
    named = {"username": subject} if kind == "user" else {}
    objects = {about: write_fields(fields, object_at(event.data, about)) for about, fields in OBJECTS.items()}
    objects["subscription"] |= present(expires_at=_zoneless(subscription.get("expires_at")))
    if kind in ("node", "system"):
        objects["system"].setdefault("server", subject)
    payload = {
        "event_type": documented_name(event.type),
        "timestamp": _zoneless(event.occurred_at.isoformat()),
        **named,
        **present(**write_fields(USER, user) | {"user_id": whole(user.get("id"))}),
        **present(profile=write_fields(PROFILE, user), auto_renew=subscription.get("auto_renew")),
        **present(**objects, amount=object_at(event.data, "reseller").get("amount")),
    }
    others = {key: value for key, value in event.data.items() if key != "user" and key not in OBJECTS}
    return {_camel(key): _camel_keys(value) for key, value in (payload | others).items()}


def _camel(key: str) -> str:
    head, *tail = key.split("_")
    return head + "".join(word.capitalize() for word in tail)


def _camel_keys(value: Any) -> Any:
    return {_camel(key): inner for key, inner in value.items()} if isinstance(value, dict) else value


def _zoneless(stamp: Any) -> str | None:
    """A time the way the document writes it: without a zone, in UTC."""
    found = moment(stamp)
    return found.replace(tzinfo=None).isoformat() if found else None
