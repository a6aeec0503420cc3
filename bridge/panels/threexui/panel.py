"""3x-ui: its clients, its nodes and Xray, by what has changed since it was last asked.

Source   github.com/MHSanaei/3x-ui @ 02002dc: internal/web/controller/{api,client,node,server}.go,
         internal/database/model/model.go (ClientRecord, Node), internal/xray/client_traffic.go,
         internal/web/service/server.go (Status)
Secret   an API token of its settings, sent as Authorization: Bearer …; one of scope monitor may not read clients
Sends    nothing; GET panel/api/server/status, panel/api/clients/list, panel/api/nodes/list answer {success, msg, obj}
Signs    nothing
Units    totalGB is in bytes, 0 is unlimited; times are milliseconds since 1970, an expiryTime of 0 is never, and one
         below 0 is a length that begins with the first connection; lastHeartbeat is in seconds
Answers  404 to a token that it does not know, 403 to one that may not
Quirks   enable may stay true for a client that is limited or has expired: both are computed
         a client that it renews by itself (reset, resetDay) gets a later expiryTime once the old one is over
         clients of one customer may share a subId, and are all shown by one subscription link
         traffic may lack, obj may be null; a node of a node has the id 0; older panels answer their nodes' apiToken
         lastError is Go's, with the address that was asked in it: Get "https://host:2053/a-path/panel/…": i/o timeout
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, ClassVar, Literal

from pydantic import Field

from bridge.errors import BadPayload
from bridge.event import JsonObject, iso
from bridge.foreign import moment, name_of, object_at, parse_json, present, text, texts, utc, value_at, whole
from bridge.originals import MASK
from bridge.panels.base import UNNAMED, Hook, ParsedEvent, PolledConfig, PolledPanel, unknown_type
from bridge.panels.threexui import clients, nodes
from bridge.people.proof import Proof, ProofKind
from bridge.polled import Difference, PollRequest, PollResponse
from bridge.settings import Durations, Percents
from bridge.value import Value

OF_CLIENTS = {
    "client.created": "user.created",
    "client.updated": "user.updated",
    "client.deleted": "user.deleted",
    "client.enabled": "user.enabled",
    "client.disabled": "user.disabled",
    "client.on_hold": "user.on_hold",
    "client.limited": "user.limited",
    "client.expired": "user.expired",
    "client.expiring": "user.expiring",
    "client.usage_threshold": "user.usage_threshold",
    "client.first_connected": "user.first_connected",
    "client.renewed": "subscription.renewed",
}
OF_NODES = {
    "node.created": "node.created",
    "node.updated": "node.updated",
    "node.deleted": "node.deleted",
    "node.enabled": "node.enabled",
    "node.disabled": "node.disabled",
    "node.down": "node.connection_lost",
    "node.up": "node.connection_restored",
    "xray.down": "node.connection_lost",
    "xray.up": "node.connection_restored",
}
TYPES = OF_CLIENTS | OF_NODES

#: What a customer has of a client, in their subscription link and in their configurations.
PROOFS = {
    "subId": ProofKind.SUBSCRIPTION,
    "uuid": ProofKind.CREDENTIAL,
    "password": ProofKind.CREDENTIAL,
    "auth": ProofKind.CREDENTIAL,
}

XRAY = "Xray"  # what it is called where it is the panel's own
SECRETS = ("uuid", "password", "auth", "secret", "privateKey", "preSharedKey", "subId", "apiToken", "basePath")
_PATH = re.compile(r"(https?://[^/\s\"]+/)[^\s\"]+")


class ThreeXuiConfig(PolledConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES

    panel: Literal["3x-ui"] = Field(description="3x-ui")
    usage_thresholds: Percents = Field(
        (80,), description="parts of a client's traffic to tell of, as [50, 80]; or none"
    )
    expiring: Durations = Field((3 * 86400.0,), description="how long before a client's end to tell of it, as [7d, 1d]")

    def open(self) -> "ThreeXuiPanel":
        return ThreeXuiPanel(self)


class Picture(Value):
    """What the panel says of itself; `nodes` is None where it knows of none, `xray` where it does not say."""

    clients: Mapping[str, JsonObject]
    nodes: Mapping[str, JsonObject] | None
    xray: JsonObject


class ThreeXuiPanel(PolledPanel[ThreeXuiConfig]):
    masks: ClassVar[tuple[str, ...]] = tuple(f"**.{name}" for name in SECRETS)

    def __init__(self, config: ThreeXuiConfig) -> None:
        super().__init__(config)
        self._marks = clients.Marks(config.usage_thresholds, config.expiring)
        address = config.address.get_secret_value().rstrip("/")
        self._address = blake2b(address.encode(), digest_size=8).hexdigest()

    def questions(self) -> Sequence[PollRequest]:
        headers = {"Authorization": f"Bearer {self.config.token.get_secret_value()}", "Accept": "application/json"}
        return (
            PollRequest("panel/api/server/status", headers),
            PollRequest("panel/api/clients/list", headers),
            PollRequest("panel/api/nodes/list", headers, optional=True),
        )

    def read(self, answers: Sequence[PollResponse | None]) -> Picture:
        status, listed, of_nodes = answers
        xray = object_at(_content(status), "xray")
        found = {key: one for one in _objects(_content(listed)) if (key := clients.client_key(one))}
        if of_nodes is None:
            return Picture(found, None, xray)
        return Picture(found, {key: one for one in _objects(_content(of_nodes)) if (key := nodes.node_key(one))}, xray)

    def diff(self, before: JsonObject | None, picture: Picture, at: datetime) -> Difference:
        """What has changed; nothing where there is nothing to compare with, or it was another panel's."""
        known = before if before is not None and before.get("address") == self._address else {}
        of_clients, client_elements = self._of_clients(object_at(known, "clients"), picture.clients, at)
        of_nodes, node_elements = _of_nodes(known.get("nodes"), picture.nodes)
        xray_before, xray = text(known.get("xray")), text(picture.xray.get("state")) or text(known.get("xray"))
        of_xray = [{"event": event, "xray": picture.xray} for event in nodes.xray_events(xray_before, xray)]
        state = {"address": self._address, "clients": of_clients, "nodes": of_nodes, "xray": xray}
        return Difference(state, [*of_xray, *node_elements, *client_elements] if known else ())

    def proofs(self, element: Any) -> Iterable[Proof]:
        client = object_at(element, "client")
        for name, kind in PROOFS.items():
            if value := text(client.get(name)):
                yield Proof(kind, value)

    def scrub(self, element: Any) -> Any:
        """Without the path of a node's panel, which stands in what went wrong."""
        node = object_at(element, "node")
        if (said := text(node.get("lastError"))) is None:
            return element
        return {**element, "node": {**node, "lastError": _PATH.sub(rf"\1{MASK}", said)}}

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        native = text(element.get("event")) or UNNAMED
        if native in OF_CLIENTS:
            return _client_event(native, element, hook.received_at)
        if native in OF_NODES:
            return _node_event(native, element)
        return ParsedEvent(type=unknown_type("3x-ui", native), native_type=native, subject=None, data={})

    def _of_clients(
        self, known: JsonObject, found: Mapping[str, JsonObject], at: datetime
    ) -> tuple[JsonObject, list[JsonObject]]:
        state: JsonObject = {}
        elements: list[JsonObject] = []
        for key, element in found.items():
            before = clients.Client.load(known[key]) if key in known else None
            now = clients.look_at(element, before, self._marks, at)
            renews = any(whole(element.get(name)) for name in ("reset", "resetDay"))
            state[key] = now.dump()
            happened = clients.events_of(before, now, renews=renews, at=at)
            elements += [{"event": event, "status": now.status, "client": element} for event in happened]
        gone = [clients.Client.load(known[key]) for key in known if key not in found]
        return state, elements + [{"event": "client.deleted", "client": {"email": one.email}} for one in gone]


def _of_nodes(
    before: JsonObject | None, found: Mapping[str, JsonObject] | None
) -> tuple[JsonObject | None, list[JsonObject]]:
    """Nothing is told where they are first heard of all together: a panel has learnt to speak of them."""
    if found is None:
        return before, []
    known = before or {}
    state: JsonObject = {}
    elements: list[JsonObject] = []
    for key, element in found.items():
        was = nodes.Node.load(known[key]) if key in known else None
        now = nodes.look_at(element, was)
        state[key] = now.dump()
        elements += [{"event": event, "node": element} for event in nodes.events_of(was, now)]
    gone = [nodes.Node.load(known[key]) for key in known if key not in found]
    elements += [{"event": "node.deleted", "node": {"name": one.name}} for one in gone]
    return state, [] if before is None else elements


# What was answered


def _content(answer: PollResponse | None) -> Any:
    """The `obj` of an answer; raise BadPayload where there is none to be had."""
    status = 0 if answer is None else answer.status
    if status == 404:
        raise BadPayload("HTTP 404: there is no panel at this address, or it does not know the token")
    if status in (401, 403):
        raise BadPayload(f"HTTP {status}: the token may not read this, its scope should not be monitor")
    if answer is None or status != 200:
        raise BadPayload(f"HTTP {status}")
    body = parse_json(answer.body)
    if value_at(body, "success") is not True:
        raise BadPayload(text(value_at(body, "msg")) or "the answer is none of 3x-ui's API")
    return value_at(body, "obj")


def _objects(value: Any) -> list[JsonObject]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


# What it means


def _client_event(native: str, element: JsonObject, at: datetime) -> ParsedEvent:
    client = object_at(element, "client")
    name, ends = name_of(client.get("email")), _ends(client)
    told: JsonObject = {}
    if native == "client.usage_threshold":
        told = {"usage": _usage(client)}
    elif native == "client.expiring" and ends is not None:
        left = (ends - at).total_seconds()
        told = {"expiry": {"at": iso(ends), "days_left": int(left // 86400), "hours": int(left // 3600)}}
    return ParsedEvent(
        type=TYPES[native],
        native_type=native,
        subject=f"user:{name}" if name else None,
        data=present(user=_user(client, text(element.get("status"))), **told),
        occurred_at=ends if native == "client.expired" and ends is not None and ends <= at else None,
    )


def _user(client: JsonObject, status: str | None) -> JsonObject:
    expiry, traffic = whole(client.get("expiryTime")) or 0, object_at(client, "traffic")
    return present(
        username=name_of(client.get("email")),
        id=whole(client.get("id")),
        status=status,
        used_bytes=clients.used_bytes(client) if traffic else None,
        limit_bytes=whole(client.get("totalGB")) or None,
        expires_at=iso(ends) if (ends := _ends(client)) else None,
        on_hold_seconds=-expiry // 1000 if expiry < 0 else None,
        created_at=_time(client.get("createdAt")),
        online_at=_time(traffic.get("lastOnline")),
        device_limit=whole(client.get("limitIp")) or None,
        telegram_id=whole(client.get("tgId")) or None,
        groups=texts([client.get("group")]),
        note=text(client.get("comment")),
    )


def _usage(client: JsonObject) -> JsonObject:
    used, limit = clients.used_bytes(client), whole(client.get("totalGB"))
    percent = used * 100 // limit if limit and limit > 0 else None
    return present(used_bytes=used, limit_bytes=limit, percent=percent)


def _node_event(native: str, element: JsonObject) -> ParsedEvent:
    node, own_xray = object_at(element, "node"), object_at(element, "xray")
    name = name_of(node.get("name")) or (XRAY if "xray" in element else None)
    is_xray = native.startswith("xray.")
    reason = None
    if native == "node.down":
        reason = text(node.get("lastError"))
    elif native == "xray.down":
        said = text(node.get("xrayError")) or text(own_xray.get("errorMsg"))
        reason = f"{XRAY}: {said}" if said else f"{XRAY} does not run"
    return ParsedEvent(
        type=TYPES[native],
        native_type=native,
        subject=f"{'node/xray' if is_xray else 'node'}:{name}" if name else None,
        data=present(node=_node(node, own_xray, name), reason=reason),
    )


def _node(node: JsonObject, own_xray: JsonObject, name: str | None) -> JsonObject:
    return present(
        name=name,
        id=whole(node.get("id")) or None,
        address=text(node.get("address")),
        port=whole(node.get("port")),
        core_version=text(node.get("xrayVersion")) or text(own_xray.get("version")),
        node_version=text(node.get("panelVersion")),
        uptime_seconds=whole(node.get("uptimeSecs")),
        users_online=whole(node.get("onlineCount")),
    )


def _ends(client: JsonObject) -> datetime | None:
    expiry = whole(client.get("expiryTime")) or 0
    return moment(expiry / 1000) if expiry > 0 else None


def _time(milliseconds: Any) -> str | None:
    found = whole(milliseconds) or 0
    return utc(found / 1000) if found > 0 else None
