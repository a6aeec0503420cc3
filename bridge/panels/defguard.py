"""Defguard: its users, and their keys.

Source   github.com/DefGuard/defguard: crates/defguard_core/src/appstate.rs, db/models/webhook.rs (constructed from its
         code, none was recorded)
Secret   the token of the webhook, sent as Authorization: Bearer …
Sends    POST the user: {id, username, email, first_name, last_name, groups, is_active, enrolled, devices, …}; of one
         that was deleted {username}, of keys {username, email, ssh_key, pgp_key, serial}; one try, the answer is not
         looked at
Signs    nothing
Quirks   what happened stands in the header x-defguard-event alone
         disabling is user_modified with is_active false, a rename user_modified with the new name and the old id
         it carries neither an id nor a time: two equal requests are two events
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.foreign import name_of, present, text, texts, truth
from bridge.panels.base import UNNAMED, Hook, Panel, ParsedEvent, SourceConfig, unknown_type

TYPES = {
    "user_created": "user.created",
    "user_modified": "user.updated",
    "user_deleted": "user.deleted",
    "user_keys": "defguard.user_keys",
}
EVENT = "x-defguard-event"


class DefguardConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES

    panel: Literal["defguard"] = Field(description="Defguard")

    def open(self) -> "DefguardPanel":
        return DefguardPanel(self)


class DefguardPanel(Panel[DefguardConfig]):
    masks: ClassVar[tuple[str, ...]] = ("ssh_key", "pgp_key", "devices.*.wireguard_pubkey")
    paste: ClassVar[tuple[str, ...]] = ("POST {url}", "Token: {secret}")

    def verify_head(self, hook: Hook) -> bool:
        return self.verify_secret(*hook.plain_secrets())

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        native = (hook.header(EVENT) or b"").decode("utf-8", "replace").strip() or UNNAMED
        name = name_of(element.get("username"))
        return ParsedEvent(
            type=TYPES.get(native) or unknown_type("defguard", native),
            native_type=native,
            subject=f"user:{name}" if name else None,
            data=present(user=_user(element, name)),
        )


def _user(element: JsonObject, name: str | None) -> JsonObject:
    active = truth(element.get("is_active"))
    return present(
        username=name,
        id=name_of(element.get("id")),
        email=text(element.get("email")),
        first_name=text(element.get("first_name")),
        last_name=text(element.get("last_name")),
        groups=texts(element.get("groups")),
        active=active,
        status=None if active is None else "active" if active else "disabled",
    )
