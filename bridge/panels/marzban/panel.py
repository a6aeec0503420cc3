"""Marzban and its forks PasarGuard, Marzneshin and Rebecca: who was created, changed, cut off.

Source   github.com/Gozargah/Marzban @ 7f396db (v0.8.4): app/utils/notification.py, app/jobs/send_notifications.py;
         github.com/PasarGuard/panel v5.2.1: app/notification/webhook; github.com/marzneshin/marzneshin v0.7.4
Secret   one text of the panel's settings; PasarGuard has one for each URL
Sends    Marzban 0.4+ and PasarGuard: an array of {action, username, enqueued_at, send_at, tries, user?, by?};
         Marzban 0.3: one such object with username, action, enqueued_at, tries alone;
         Marzneshin: one object {action, created_at, user, by?}, the name only in `user`
Signs    x-webhook-secret: the secret itself, no HMAC; absent where none is set. Marzban writes it in Latin-1, and
         sends nothing where that cannot be; the others in UTF-8, PasarGuard before 3.1 only where it is ASCII
Units    sizes in bytes, 0 or null is unlimited; `expire` is epoch seconds in Marzban, ISO 8601 in PasarGuard,
         `expire_date` without zone in Marzneshin; times without zone are UTC
Quirks   an element is told by its shape, for people move from one to the other and keep the source; of Rebecca's, which
         in Python are Marzban's and in Go are none, says rebecca.py more
         `enqueued_at` of Marzban and `created_at` of Marzneshin are the start of the panel's process: not used
         PasarGuard's admins have a discord_id up to 4.0, and custom_variables since 5.x, whose values are anything:
         both are masked, like their notes
         PasarGuard sends its next plan as data_usage_reset without `by`, and on hold as user_enabled
         Marzneshin's user_deactivated says why in `user`; its thresholds come without the figure
         there is no id, and two real events of Marzban can be equal byte for byte: only one whose `tries` is above 0
         can be a repeat, of one that is equal but for `tries` and `send_at`; PasarGuard's `tries` stays 0, but its
         `enqueued_at` is true, and an equal element is a repeat; Marzneshin never repeats
         the token of a subscription link of Marzban and PasarGuard holds the second in which it was made, and differs
         from webhook to webhook: it proves nothing. Marzneshin's is `key`, Rebecca's in Python `credential_key`, and
         stays until it is revoked
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.foreign import moment, name_of, object_at, present, text, texts, value_at
from bridge.intake import Fingerprint
from bridge.message import Dialect
from bridge.panels.base import (
    UNNAMED,
    Hook,
    Panel,
    ParsedEvent,
    SourceConfig,
    fingerprint_key,
    header_obstacle,
    unknown_type,
)
from bridge.panels.marzban import rebecca
from bridge.panels.marzban.emit import emit
from bridge.panels.marzban.figures import count, days_left, moment_or_never, percentage, utc_or_never
from bridge.panels.marzban.names import MARKS, MARZNESHIN_TYPES, REBECCA_TYPES, TYPES
from bridge.people.proof import Proof, ProofKind

#: What a customer's configurations have of a proxy: an id or a password, Hysteria's is called auth.
CREDENTIALS = ("id", "password", "auth")
#: What is known of an admin beside the name, and is nobody else's: how to reach them, what they may, what is noted.
OF_ADMINS = (
    *("discord_webhook", "discord_id", "telegram_id"),
    *("note", "role", "permission_overrides", "custom_variables"),
    *("disabled_reason", "permissions", "subscription_settings"),  # Rebecca's
)
#: What a retry changes in an element.
CHANGING = ("tries", "send_at")
#: Seconds in which the panels try again: 4 times, 180 s apart, later where the batches are big.
RETRIES_WITHIN = 1800.0


class MarzbanConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES | MARZNESHIN_TYPES

    panel: Literal["marzban", "pasarguard", "marzneshin"] = Field(description="Marzban or one of its forks")

    def open(self) -> "MarzbanPanel":
        return MarzbanPanel(self)

    @classmethod
    def dialect(cls) -> Dialect:
        return emit


class RebeccaConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = REBECCA_TYPES

    panel: Literal["rebecca"] = Field(description="Rebecca")

    def open(self) -> "MarzbanPanel":
        return MarzbanPanel(self)


class MarzbanPanel(Panel[MarzbanConfig | RebeccaConfig]):
    masks: ClassVar[tuple[str, ...]] = (
        "user.proxies",
        "user.proxy_settings",
        "user.links",
        "user.link_data",
        "user.subscription_url",
        "user.subscription_urls",
        "user.key_subscription_url",
        "user.key",
        "user.credential_key",
        *(f"{admin}.{secret}" for admin in ("by", "user.admin") for secret in OF_ADMINS),
    )

    @property
    def paste(self) -> tuple[str, ...]:
        """PasarGuard is set in its dashboard, the others by their `.env`."""
        if self.config.panel == "pasarguard":
            return ("{url}", "{secret}")
        return ('WEBHOOK_ADDRESS="{url}"', 'WEBHOOK_SECRET="{secret}"')

    def verify_head(self, hook: Hook) -> bool:
        return self.verify_secret(hook.header("x-webhook-secret"))

    def obstacle(self, secret: str) -> str | None:
        """Who is written in Python with requests sends nothing where the header is not Latin-1."""
        return header_obstacle(secret, "latin-1" if self.config.panel in ("marzban", "rebecca") else "utf-8")

    def fingerprint(self, element: Any, index: int, hook: Hook) -> Fingerprint | None:
        """PasarGuard's is told by its `user`, which is in all that it has sent since its stamp is true (2.0). Rebecca's
        stamp is true in Go."""
        if not isinstance(element, dict):
            return None
        key = fingerprint_key({name: value for name, value in element.items() if name not in CHANGING})
        if rebecca.is_from_go(element, self.config.panel):
            return None if moment(element.get("enqueued_at")) is None else Fingerprint(key, within=RETRIES_WITHIN)
        if not text(element.get("username")) or not text(element.get("action")):
            return None
        if object_at(element, "user").keys() & MARKS["pasarguard"]:
            stamped = moment_or_never(element.get("enqueued_at")) is not None
            return Fingerprint(key, within=RETRIES_WITHIN) if stamped else None
        tries = _tries(element)
        return None if tries is None else Fingerprint(key, tries, RETRIES_WITHIN)

    def proofs(self, element: Any) -> Iterable[Proof]:
        user = object_at(element, "user")
        for name in ("key", "credential_key"):
            if key := text(user.get(name)):
                yield Proof(ProofKind.SUBSCRIPTION, key)
        for proxy in (*object_at(user, "proxies").values(), *object_at(user, "proxy_settings").values()):
            for name in CREDENTIALS:
                if credential := text(value_at(proxy, name)):
                    yield Proof(ProofKind.CREDENTIAL, credential)

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        if rebecca.is_from_go(element, self.config.panel):
            return rebecca.parse(element)
        action = text(element.get("action")) or UNNAMED
        username = _username(element)
        panel = _panel(element, self.config.panel)
        type_ = _type(element, action, panel)
        return ParsedEvent(
            type=type_,
            native_type=action,
            subject=None if username is None else f"user:{username}",
            data=_data(element, username, type_, hook.received_at),
            occurred_at=moment_or_never(element.get("enqueued_at")) if panel == "pasarguard" else None,
            panel=panel,
        )


def _tries(element: JsonObject) -> int | None:
    """How often the panel has tried before, None where it does not say so."""
    tries = element.get("tries")
    return tries if type(tries) is int and 0 <= tries < 2**31 else None


def _username(element: JsonObject) -> str | None:
    """The exact name, None where it is blank; Marzneshin has it only in `user`."""
    if element.get("username") is None:
        return name_of(value_at(element, "user", "username"))
    return name_of(element["username"])


def _panel(element: JsonObject, configured: str) -> str:
    """Which panel of the family made this; the configured one where the element leaves it open."""
    keys = {*object_at(element, "user"), *object_at(element, "by")}
    for panel, marks in MARKS.items():
        if keys & marks:
            return panel
    if element.get("username") is None and name_of(value_at(element, "user", "username")) is not None:
        return "marzneshin"
    return "marzban" if configured == "marzneshin" else configured


def _type(element: JsonObject, action: str, panel: str) -> str:
    user = object_at(element, "user")
    match action:
        case "user_enabled" if user.get("status") == "on_hold":
            return "user.on_hold"
        case "data_usage_reset" if panel == "pasarguard" and "by" not in element:
            return "user.plan_advanced"
        case "user_deactivated" if user.get("expired") is True:
            return "user.expired"
        case "user_deactivated" if user.get("data_limit_reached") is True:
            return "user.limited"
    own = REBECCA_TYPES if panel == "rebecca" else MARZNESHIN_TYPES
    return TYPES.get(action) or own.get(action) or unknown_type(panel, action)


def _data(element: JsonObject, username: str | None, type_: str, now: datetime) -> JsonObject:
    user = object_at(element, "user")
    known = _user(username, user)
    used, limit, expires_at = known.get("used_bytes"), known.get("limit_bytes"), known.get("expires_at")
    data = present(
        user=known,
        owner=text(object_at(user, "admin").get("username"))
        or text(user.get("owner_username"))
        or text(user.get("admin_username")),
        actor=text(object_at(element, "by").get("username")),
        reason=text(element.get("reason")),
    )
    if type_ == "user.usage_threshold":
        percent = percentage(element.get("used_percent"), used, limit)
        data["usage"] = present(used_bytes=used, limit_bytes=limit, percent=percent)
    if type_ == "user.expiring":
        data["expiry"] = present(at=expires_at, days_left=days_left(element.get("days_left"), expires_at, now))
    return data


def _user(username: str | None, user: JsonObject) -> JsonObject:
    next_plan, active = user.get("next_plan"), user.get("is_active")
    return present(
        username=username,
        id=count(user.get("id")),
        status=text(user.get("status")) or _status_of_flags(user),
        note=text(user.get("note")),
        used_bytes=count(user.get("used_traffic")),
        limit_bytes=count(user.get("data_limit")) or None,
        lifetime_used_bytes=count(user.get("lifetime_used_traffic")),
        reset_strategy=text(user.get("data_limit_reset_strategy")),
        expires_at=utc_or_never(user.get("expire")) or utc_or_never(user.get("expire_date")),
        created_at=utc_or_never(user.get("created_at")),
        online_at=utc_or_never(user.get("online_at")),
        device_limit=count(user.get("hwid_limit")) or count(user.get("ip_limit")) or None,
        telegram_id=count(user.get("telegram_id")) or None,
        phone=text(user.get("contact_number")),
        groups=texts(user.get("group_names")),
        on_hold_seconds=count(user.get("on_hold_expire_duration")) or count(user.get("usage_duration")) or None,
        on_hold_until=utc_or_never(user.get("on_hold_timeout")) or utc_or_never(user.get("activation_deadline")),
        auto_delete_days=count(user.get("auto_delete_in_days")),
        next_plan=bool(next_plan) if "next_plan" in user else None,
        active=active if isinstance(active, bool) else None,
    )


def _status_of_flags(user: JsonObject) -> str | None:
    """Marzneshin gives the status as flags: the word that the rest of the family would say."""
    if user.get("enabled") is False:
        return "disabled"
    if user.get("expired") is True:
        return "expired"
    if user.get("data_limit_reached") is True:
        return "limited"
    if user.get("expire_strategy") == "start_on_first_use":
        return "on_hold"
    return "active" if user.get("is_active") is True else None
