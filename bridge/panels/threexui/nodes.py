"""What becomes of nodes and of Xray between two looks: what is kept of them, and which events tell the rest."""

from collections.abc import Iterator
from typing import Any

from bridge.event import JsonObject
from bridge.foreign import name_of, text, whole
from bridge.value import Value, astuple

RUNNING = "running"


class Node(Value):
    """What is kept of a node. `status` and `xray` are None until they were known once: the panel says `unknown` too."""

    name: str
    enabled: bool
    status: str | None
    xray: str | None

    @classmethod
    def load(cls, stored: list[Any]) -> "Node":
        return cls(*stored)

    def dump(self) -> list[Any]:
        return list(astuple(self))


def node_key(element: JsonObject) -> str | None:
    """What a node is known by; None where it has no name. One that is a node's own has no number here."""
    name = name_of(element.get("name"))
    number, guid = whole(element.get("id")), text(element.get("guid"))
    return None if name is None else str(number) if number else guid or name


def look_at(element: JsonObject, before: Node | None) -> Node:
    """What a node is now: what is not known of it is what it was."""
    enabled = element.get("enable") is not False
    status = element.get("status") if element.get("status") in ("online", "offline") and enabled else None
    xray = text(element.get("xrayState")) if status == "online" else None
    return Node(
        name=name_of(element.get("name")) or "",
        enabled=enabled,
        status=status or (before.status if before else None),
        xray=xray or (before.xray if before else None),
    )


def events_of(before: Node | None, now: Node) -> Iterator[str]:
    """What has happened to a node, in the order in which it is told."""
    if before is None:
        yield "node.created"
        return
    if now.name != before.name:
        yield "node.updated"
    if now.enabled != before.enabled:
        yield "node.enabled" if now.enabled else "node.disabled"
    if before.status is not None and now.status != before.status:
        yield "node.up" if now.status == "online" else "node.down"
    yield from xray_events(before.xray, now.xray)


def xray_events(before: str | None, now: str | None) -> Iterator[str]:
    """Whether Xray has gone, or come again. Whether it was stopped or has failed is the same loss."""
    if before is not None and (before == RUNNING) != (now == RUNNING):
        yield "xray.up" if now == RUNNING else "xray.down"
