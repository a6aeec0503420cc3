"""Uptime Kuma: what is down, and up again.

Source   github.com/louislam/uptime-kuma 2.5 (run): server/notification-providers/webhook.js, server/model/monitor.js,
         src/util.ts
Secret   a header of our own among its additional ones, Authorization: Bearer …
Sends    POST {heartbeat, monitor, msg} as JSON, as multipart with the JSON in `data`, or as a text of the operator's,
         which is called a form though it be JSON; one try
Signs    nothing
Units    heartbeat.status: 0 down, 1 up, 2 pending, 3 maintenance; its time and lastDownTime: UTC, without saying so
Quirks   its test and its notices of certificates and domains have neither heartbeat nor monitor, only `msg`: a test
         ends on " Testing"; the example of its own form gives a `Body` alone
         `msg` calls everything down that is not up; an empty message becomes N/A
         two monitors may have one name; resendInterval tells down again, as a reminder
         monitor.url is the operator's, and may hold a secret: of it only the host is told; heartbeat.response is the
         text of the watched page; before 1.15 the monitor has the headers and the body that it asks with, before 1.19
         how it reaches its database
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field

from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.foreign import (
    moment,
    name_of,
    object_at,
    parse_json,
    present,
    text,
    utc,
    whole,
)
from bridge.panels.base import UNNAMED, Hook, Panel, ParsedEvent, SourceConfig, form_of, unknown_type

STATUSES = {0: "down", 1: "up", 2: "pending", 3: "maintenance"}
OF_NODES = {"down": "node.connection_lost", "up": "node.connection_restored"}
TYPES = {
    "down": "alert.firing",
    "up": "alert.resolved",
    **{name: f"uptimekuma.{name}" for name in ("pending", "maintenance", "test", "notice")},
}

FIELDS = 100  # of a form: one is sent


class UptimeKumaConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES
    other_types: ClassVar[frozenset[str]] = frozenset(OF_NODES.values())

    panel: Literal["uptimekuma"] = Field(description="Uptime Kuma")
    about: Literal["alert", "node"] = Field("alert", description="what its monitors watch: node, if they are nodes")

    def open(self) -> "UptimeKumaPanel":
        return UptimeKumaPanel(self)


class UptimeKumaPanel(Panel[UptimeKumaConfig]):
    paste: ClassVar[tuple[str, ...]] = ("POST {url}", '{{"Authorization": "Bearer {secret}"}}')
    masks: ClassVar[tuple[str, ...]] = (
        "heartbeat.response",
        *(f"monitor.{name}" for name in ("headers", "body", "databaseConnectionString")),
    )

    def verify_head(self, hook: Hook) -> bool:
        return self.verify_secret(*hook.plain_secrets())

    def elements(self, hook: Hook) -> Sequence[Any]:
        form = form_of(hook, most=FIELDS)
        value = parse_json(hook.body if form is None else form.get("data", "").encode())
        if not isinstance(value, dict):
            raise BadPayload("the body is no JSON object")
        return [value]

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        heartbeat, monitor = object_at(element, "heartbeat"), object_at(element, "monitor")
        message = text(element.get("msg")) or text(element.get("Body"))
        native = _native(heartbeat, message)
        name, at_node = name_of(monitor.get("name")), self.config.about == "node"
        about = _node(name, monitor) if at_node else _alert(name, monitor, heartbeat)
        told = present(reason=_reason(native, heartbeat)) if heartbeat else {"system": present(message=message)}
        return ParsedEvent(
            type=(at_node and OF_NODES.get(native)) or TYPES.get(native) or unknown_type("uptimekuma", native),
            native_type=native,
            subject=_subject(name, None if at_node else name_of(heartbeat.get("monitorID")), self.config.about),
            data=present(**{self.config.about: about}, **told),
            occurred_at=moment(heartbeat.get("time")),
        )


def _native(heartbeat: JsonObject, message: str | None) -> str:
    if heartbeat:
        status = whole(heartbeat.get("status"))
        return UNNAMED if status is None else STATUSES.get(status, f"status {status}")
    return "test" if (message or "").endswith(" Testing") else "notice"


def _reason(native: str, heartbeat: JsonObject) -> str | None:
    """Why it is not up, in its own words."""
    said = text(heartbeat.get("msg"))
    return None if native == "up" or said == "N/A" else said


def _subject(name: str | None, id_: str | None, kind: str) -> str | None:
    """One for each monitor, though two be called the same: what is up again is not the other."""
    kind = f"{kind}/{id_.replace(':', '.')}" if id_ else kind
    return f"{kind}:{name}" if name else None


def _alert(name: str | None, monitor: JsonObject, heartbeat: JsonObject) -> JsonObject:
    host, port = _address(monitor)
    tags = monitor.get("tags")
    named = [one for one in tags if isinstance(one, dict)] if isinstance(tags, list) else []
    return present(
        name=name,
        address=f"{host}:{port}" if host and port else host,
        started_at=utc(heartbeat.get("lastDownTime")),
        labels=present(**{key: text(one.get("value")) or "yes" for one in named if (key := text(one.get("name")))}),
    )


def _node(name: str | None, monitor: JsonObject) -> JsonObject:
    host, port = _address(monitor)
    return present(name=name, address=host, port=port)


def _address(monitor: JsonObject) -> tuple[str | None, int | None]:
    """What is watched: a host with its port, or the host of an address."""
    if host := text(monitor.get("hostname")):
        return host, whole(monitor.get("port"))
    with suppress(ValueError):
        url = urlsplit(text(monitor.get("url")) or "")
        return url.hostname or None, url.port
    return None, None
