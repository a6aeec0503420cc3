"""The Event: what happened at a panel, in words that are the same for every panel."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import uuid_utils

from bridge.value import Value

JsonObject = dict[str, Any]


class Event(Value, kw_only=True):
    """One thing that happened.

    id           UUIDv7 text, made at the door
    source       the configured source's name
    panel        the kind of panel that said it: marzban, pasarguard, remnawave …
    type         canonical and dotted (`vocabulary.TYPES`), or `{panel}.{native}` where the vocabulary has no word
    native_type  as the panel said it
    subject      what it is about, `user:alice`, `node:fra-1`, `peer:<key>`; None where there is no such thing.
                 Order is kept per subject
    occurred_at  aware UTC; equals received_at where the panel's stamp is not true
    received_at  aware UTC
    data         the same keys whatever the panel: docs/events.md. Times are ISO 8601 text in UTC, sizes bytes
    native       the payload as sent, secrets masked
    """

    id: str
    source: str
    panel: str
    type: str
    native_type: str
    subject: str | None
    occurred_at: datetime
    received_at: datetime
    data: Mapping[str, Any]
    native: Any

    def to_json(self) -> JsonObject:
        """The event as a JSON object: the field names as keys, times as ISO 8601 with Z."""
        return {
            "id": self.id,
            "source": self.source,
            "panel": self.panel,
            "type": self.type,
            "native_type": self.native_type,
            "subject": self.subject,
            "occurred_at": iso(self.occurred_at),
            "received_at": iso(self.received_at),
            "data": self.data,
            "native": self.native,
        }


def new_id() -> str:
    """A fresh UUIDv7: sorts by time."""
    return str(uuid_utils.uuid7())


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with Z: `2026-11-21T04:14:18.161673Z`."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat().removesuffix("+00:00") + "Z"
