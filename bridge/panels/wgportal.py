"""WireGuard Portal: users, peers and interfaces that were changed, and peers that come and go.

Source   github.com/h44z/wg-portal @ c800e7d (v2.3.1): internal/app/webhooks/manager.go, models/*.go;
         @ 0cc7ebb (v2.0.5) and @ be29abd (27 June 2025, in no release): the panel's internal structures
Secret   webhook.authentication (its document says webhook.secret, which the code does not read)
Sends    POST {event, entity, identifier, payload}; one try, 10 s; 200, 202 and 204 are success, 201 is not
Signs    Authorization: the configured text as it is
Units    counters in bytes up to 2^64-1, seen from the server: received is what the peer sent up;
         times with up to 9 digits of a second and an offset, the year 1 is never
Quirks   until v2.0 all fields are there, options as {"Value", "Overridable"} and addresses as objects;
         user events carry the password's hash and the API token
         v2.1 on: flat, empty fields left out, connects as peer_metric with the whole peer and its keys
         the form of June 2025 has connects as `peer`, flat, without the peer
         PreUp, PostUp, PreDown and PostDown are shell commands: masked like keys
         an interface's DisplayName repeats its identifier; disabling is an update with `Disabled` set
         UpdatedAt is the last change of the record, not of a deletion; only a metric's tells when it happened
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from bridge.codec import dump
from bridge.errors import BadPayload
from bridge.event import Event, JsonObject, iso
from bridge.foreign import (
    FieldMap,
    moment,
    name_of,
    object_at,
    present,
    read_fields,
    text,
    truth,
    whole,
    write_fields,
)
from bridge.message import Dialect, Emission
from bridge.panels.base import (
    UNNAMED,
    Hook,
    Panel,
    ParsedEvent,
    SourceConfig,
    header_obstacle,
    subject_name,
    unknown_type,
    without_masked_keys,
)

#: `{entity}.{event}` → canonical type.
TYPES = {
    **{
        f"{entity}.{event}": f"{entity}.{event}d"
        for entity in ("user", "peer", "interface")
        for event in ("create", "update", "delete")
    },
    "peer_metric.connect": "peer.connected",
    "peer_metric.disconnect": "peer.disconnected",
    "peer.connect": "peer.connected",
    "peer.disconnect": "peer.disconnected",
}

SYSTEM = "_WG_SYS_"  # how the names of the panel's own jobs begin: internal/domain/context.go
KEYS = ("Password", "ApiToken", "PrivateKey", "PresharedKey", "WebAuthnId", "WebAuthnCredentialList")
COMMANDS = ("PreUp", "PostUp", "PreDown", "PostDown")


def _moment_or_never(value: Any) -> datetime | None:
    found = moment(value)
    return found if found and found.year > 1 else None


def _utc_or_never(value: Any) -> str | None:
    found = _moment_or_never(value)
    return iso(found) if found else None


def _option(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A value that stood in {"Value", "Overridable"} until v2.0."""
    return lambda value: read(value.get("Value") if isinstance(value, dict) else value)


def _addresses(value: Any) -> list[str]:
    """Texts, or until v2.0 objects with the text in `Cidr`."""
    listed = value if isinstance(value, list) else []
    return [found for one in listed if (found := text(one.get("Cidr") if isinstance(one, dict) else one))]


USER: FieldMap = {
    "Identifier": ("username", text),
    "Email": ("email", text),
    "Firstname": ("first_name", text),
    "Lastname": ("last_name", text),
    "Phone": ("phone", text),
    "Department": ("department", text),
    "Notes": ("note", text),
    "CreatedAt": ("created_at", _utc_or_never),
}
PEER: FieldMap = {
    "Identifier": ("key", text),
    "DisplayName": ("name", text),
    "InterfaceIdentifier": ("interface", text),
    "Addresses": ("addresses", _addresses),
    "Endpoint": ("endpoint", _option(text)),
    "AllowedIPsStr": ("allowed_ips", _option(text)),
    "Notes": ("notes", text),
    "ExpiresAt": ("expires_at", _utc_or_never),
    "Disabled": ("disabled_at", _utc_or_never),
}
STATUS: FieldMap = {
    "IsConnected": ("connected", truth),
    "BytesReceived": ("received_bytes", whole),
    "BytesTransmitted": ("sent_bytes", whole),
    "Endpoint": ("endpoint", text),
    "LastHandshake": ("last_handshake_at", _utc_or_never),
    "LastSessionStart": ("session_started_at", _utc_or_never),
}
INTERFACE: FieldMap = {
    "Identifier": ("id", text),
    "DisplayName": ("name", text),
    "ListenPort": ("listen_port", whole),
    "Addresses": ("addresses", _addresses),
    "Type": ("kind", text),
    "PublicKey": ("public_key", text),
    "Disabled": ("disabled_at", _utc_or_never),
}


class WgPortalConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES

    panel: Literal["wgportal"] = Field(description="WireGuard Portal")

    def open(self) -> "WgPortalPanel":
        return WgPortalPanel(self)

    @classmethod
    def dialect(cls) -> Dialect:
        return emit


class WgPortalPanel(Panel[WgPortalConfig]):
    masks: ClassVar[tuple[str, ...]] = (
        *(f"payload.**.{key}" for key in KEYS),
        *(f"payload.**.{prefix}{command}" for prefix in ("", "PeerDef") for command in COMMANDS),
    )
    paste: ClassVar[tuple[str, ...]] = ("webhook:", "  url: {url}", "  authentication: {secret}")

    def verify_head(self, hook: Hook) -> bool:
        return self.verify_secret(hook.header("Authorization"))

    def obstacle(self, secret: str) -> str | None:
        return header_obstacle(secret)

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        entity = text(element.get("entity")) or ""
        event = text(element.get("event")) or UNNAMED
        native = f"{entity}.{event}" if entity and event != UNNAMED else event
        payload = object_at(element, "payload")
        metric = object_at(payload, "Status") if entity == "peer_metric" else {}
        return ParsedEvent(
            type=TYPES.get(native) or unknown_type("wgportal", native),
            native_type=native,
            subject=_subject(element, entity),
            data=_data(element, native, payload),
            occurred_at=_moment_or_never(metric.get("UpdatedAt")),
        )


def _subject(element: JsonObject, entity: str) -> str | None:
    name = name_of(element.get("identifier"))
    return f"{entity.removesuffix('_metric')}:{name}" if entity and name else None


def _data(element: JsonObject, native: str, payload: JsonObject) -> JsonObject:
    identifier = text(element.get("identifier"))
    match native.split("."):
        case ["user", _]:
            return present(user=_user(identifier, payload), **_actor_and_reason(native, payload))
        case ["peer", "connect" | "disconnect"]:
            return present(peer=_peer(identifier, {}, payload, native))
        case ["peer", _]:
            owner = text(payload.get("UserIdentifier"))
            return present(peer=_peer(identifier, payload), owner=owner, **_actor_and_reason(native, payload))
        case ["peer_metric", _]:
            peer = object_at(payload, "Peer")
            known = _peer(identifier, peer, object_at(payload, "Status"), native)
            return present(peer=known, owner=text(peer.get("UserIdentifier")))
        case ["interface", _]:
            return present(interface=_interface(identifier, payload), **_actor_and_reason(native, payload))
        case _:
            return {}


def _actor_and_reason(native: str, payload: JsonObject) -> JsonObject:
    """Who did it, and why something is disabled; of a deletion the record tells neither."""
    by = {"create": "CreatedBy", "update": "UpdatedBy"}.get(native.rpartition(".")[2])
    if by is None:
        return {}
    actor = text(payload.get(by))
    reason = text(payload.get("DisabledReason")) or text(payload.get("LockedReason"))
    return present(actor="system" if actor and actor.startswith(SYSTEM) else actor, reason=reason)


def _user(identifier: str | None, payload: JsonObject) -> JsonObject:
    disabled, locked = _utc_or_never(payload.get("Disabled")), _utc_or_never(payload.get("Locked"))
    status = "disabled" if disabled else "locked" if locked else "active"
    return read_fields(USER, {**payload, "Identifier": identifier}) | {"status": status, "active": status == "active"}


def _peer(identifier: str | None, peer: JsonObject, status: JsonObject | None = None, native: str = "") -> JsonObject:
    addresses = peer.get("Addresses") or object_at(peer, "Interface").get("Addresses")
    known = read_fields(PEER, {**peer, "Identifier": identifier, "Addresses": addresses})
    if status is None:
        return known
    known.pop("endpoint", None)  # the one that the peer dials; a metric's is the one that it comes from
    return known | {"connected": native.endswith(".connect")} | read_fields(STATUS, status)


def _interface(identifier: str | None, payload: JsonObject) -> JsonObject:
    known = read_fields(INTERFACE, {**payload, "Identifier": identifier})
    return {key: value for key, value in known.items() if key != "name" or value != identifier}


def emit(event: Event, *, secret: str | None, at: datetime) -> Emission:
    """The event as WireGuard Portal 2.1 says it; one that came from a WireGuard Portal goes on as it came."""
    envelope = event.native if event.panel == "wgportal" and _is_envelope(event.native) else _envelope(event)
    kept, left_out = without_masked_keys(envelope)
    headers = {"Content-Type": "application/json", **left_out}
    if secret:
        headers["Authorization"] = secret
    return Emission(headers, dump(kept))


def _is_envelope(native: Any) -> bool:
    return isinstance(native, dict) and bool(text(native.get("entity")) and text(native.get("event")))


def _envelope(event: Event) -> JsonObject:
    entity, verb, payload = _entity_event_payload(event)
    return {"event": verb, "entity": entity, "identifier": subject_name(event), "payload": payload}


def _entity_event_payload(event: Event) -> tuple[str, str, JsonObject]:
    """Entity, event and payload. What wg-portal has no word for is said with our words, in its form."""
    entity, _, verb = event.type.partition(".")
    now = iso(event.occurred_at)
    match entity, verb:
        case "user" | "peer" | "interface", "created" | "updated" | "deleted":
            return entity, verb[:-1], _record(event, entity)
        case "user", "disabled" | "limited" | "expired":
            reason = {"Disabled": now, "DisabledReason": event.data.get("reason", verb)}
            return entity, "update", _record(event, entity) | reason
        case "user", "enabled":
            return entity, "update", _record(event, entity)
        case "peer", "connected" | "disconnected":
            status = {"BytesReceived": 0, "BytesTransmitted": 0, "Endpoint": "", "IsPingable": False, "UpdatedAt": now}
            status |= write_fields(STATUS, object_at(event.data, "peer"))
            status["IsConnected"] = verb == "connected"
            return "peer_metric", verb.removesuffix("ed"), {"Status": status, "Peer": _record(event, entity)}
        case _:
            return entity, verb, dict(event.data)


def _record(event: Event, entity: str) -> JsonObject:
    """A user, a peer or an interface in the flat form; what is not known is empty or left out, as Go writes it."""
    fields, empty = FORMS[entity]
    known = write_fields(fields, object_at(event.data, entity))
    now, actor = iso(event.occurred_at), event.data.get("actor", "")
    stamps = {"CreatedBy": actor, "UpdatedBy": actor, "CreatedAt": now, "UpdatedAt": now}
    reason = present(DisabledReason=event.data.get("reason") if "Disabled" in known else None)
    identifier = {"Identifier": subject_name(event)}
    owner = {"UserIdentifier": event.data.get("owner", "")} if entity == "peer" else {}
    return stamps | empty | owner | known | reason | identifier


#: The fields of each record, and what stands there even when it is empty.
FORMS: dict[str, tuple[FieldMap, JsonObject]] = {
    "user": (USER, {"Email": "", "AuthSources": [], "IsAdmin": False}),
    "peer": (
        PEER,
        dict.fromkeys(("Endpoint", "EndpointPublicKey", "AllowedIPsStr", "ExtraAllowedIPsStr", "DisplayName"), "")
        | dict.fromkeys(("InterfaceIdentifier", "InterfaceType", "PublicKey", "CheckAliveAddress"), "")
        | dict.fromkeys(("DnsStr", "DnsSearchStr"), "")
        | dict.fromkeys(("PrivateKey", "PresharedKey"), "***")
        | {"PersistentKeepalive": 0, "Mtu": 0, "AutomaticallyCreated": False, "Addresses": []},
    ),
    "interface": (
        INTERFACE,
        dict.fromkeys(("PublicKey", "DnsStr", "DnsSearchStr", "RoutingTable", "DisplayName", "Type", "DriverType"), "")
        | dict.fromkeys(COMMANDS, "")
        | {"PrivateKey": "***", "ListenPort": 0, "Addresses": [], "Mtu": 0, "FirewallMark": 0, "SaveConfig": False},
    ),
}
