"""Alertmanager: each alert of a group, as it fires and as it is resolved.

Source   github.com/prometheus/alertmanager 0.25 (Debian's, run): notify/webhook/webhook.go, template/template.go
Secret   http_config of its receiver: authorization (Bearer), or basic_auth's password
Sends    POST {version: "4", status, alerts: [{status, labels, annotations, startsAt, endsAt, generatorURL,
         fingerprint}], receiver, groupKey, truncatedAlerts, …}, a group at once; after 5xx within a second and ever
         later, after 4xx with the group, at every group_interval
Signs    nothing
Units    times in ISO 8601 with zone, up to nanoseconds; endsAt is in the year 1 while the alert fires
Quirks   firing and resolved ones are mixed: the status is the alert's own, that of the group is firing while one is
         when one alert of a group changes, all of them come again, as they do at every repeat_interval; fingerprint,
         startsAt and status tell what was told before. An alert that flaps keeps its fingerprint and starts anew; one
         that ended because Prometheus was away comes back as it had started: it is news again after each end
         what is beyond max_alerts is counted in truncatedAlerts and left out, which is told of each of the others: one
         may be resolved that never fired
         labels and annotations may lack, the name and the instance among them
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from bridge.errors import BadPayload
from bridge.event import JsonObject, iso
from bridge.foreign import moment, object_at, parse_json, present, text, whole
from bridge.intake import Fingerprint
from bridge.panels.base import UNNAMED, Hook, Panel, ParsedEvent, SourceConfig, fingerprint_key, unknown_type

TYPES = {"firing": "alert.firing", "resolved": "alert.resolved"}

OPPOSITES = {"firing": "resolved", "resolved": "firing"}

#: Labels that are told by keys of their own.
NAMED_LABELS = ("alertname", "instance", "severity")
#: How many alerts of its group are left out, which are more than max_alerts.
LEFT_OUT = "truncatedAlerts"
#: Seconds: an alert is told again for as long as it fires.
REPEATED_WITHIN = 30 * 86400.0


class AlertmanagerConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = TYPES

    panel: Literal["alertmanager"] = Field(description="Prometheus' Alertmanager")

    def open(self) -> "AlertmanagerPanel":
        return AlertmanagerPanel(self)


class AlertmanagerPanel(Panel[AlertmanagerConfig]):
    paste: ClassVar[tuple[str, ...]] = (
        "webhook_configs:",
        "- url: {url}",
        "  http_config: {{authorization: {{credentials: {secret}}}}}",
    )

    def verify_head(self, hook: Hook) -> bool:
        given = hook.header("Authorization") or b""
        return self.verify_secret(*hook.plain_secrets(), given, _password(given))

    def elements(self, hook: Hook) -> Sequence[Any]:
        """The alerts; the body itself where it lists none."""
        body = parse_json(hook.body)
        if not isinstance(body, dict):
            raise BadPayload("the body is no JSON object")
        alerts = body.get("alerts")
        if not isinstance(alerts, list) or not alerts:
            return [body]
        left_out = whole(body.get(LEFT_OUT)) or 0
        return [_with_left_out(one, left_out) for one in alerts] if left_out > 0 else alerts

    def fingerprint(self, element: Any, index: int, hook: Hook) -> Fingerprint | None:
        if not isinstance(element, dict) or _time(element.get("startsAt")) is None:
            return None
        status, about = element.get("status"), (_identity(element), element.get("startsAt"))
        ended = OPPOSITES.get(text(status) or "")
        ends = fingerprint_key(*about, ended) if ended else None
        return Fingerprint(fingerprint_key(*about, status), within=REPEATED_WITHIN, ends=ends)

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        status = text(element.get("status")) or UNNAMED
        started, ended = _time(element.get("startsAt")), _time(element.get("endsAt"))
        return ParsedEvent(
            type=TYPES.get(status) or unknown_type("alertmanager", status),
            native_type=status,
            subject=_subject(element),
            data=present(alert=_alert(element, started, ended)),
            occurred_at=ended if status == "resolved" and ended else started,
        )


def _with_left_out(alert: Any, left_out: int) -> Any:
    """An alert with what its group says of it: that it does not stand for all of them."""
    return {**alert, LEFT_OUT: left_out} if isinstance(alert, dict) else alert


def _password(authorization: bytes) -> bytes | None:
    """The password of `Basic …`, None where there is none."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        return base64.b64decode(encoded.strip()).partition(b":")[2]
    except binascii.Error:
        return None


def _alert(element: JsonObject, started: datetime | None, ended: datetime | None) -> JsonObject:
    labels, annotations = object_at(element, "labels"), object_at(element, "annotations")
    return present(
        name=text(labels.get("alertname")),
        severity=text(labels.get("severity")),
        instance=text(labels.get("instance")),
        summary=text(annotations.get("summary")),
        description=text(annotations.get("description")),
        url=text(element.get("generatorURL")),
        started_at=iso(started) if started else None,
        ended_at=iso(ended) if ended else None,
        left_out=whole(element.get(LEFT_OUT)) or None,
        labels={name: value for name, value in labels.items() if name not in NAMED_LABELS and text(value)},
    )


def _subject(element: JsonObject) -> str | None:
    """One for each alert, though several be about one instance: what ends one of them ends none of the others."""
    labels = object_at(element, "labels")
    name = text(labels.get("instance")) or text(labels.get("alertname"))
    return f"alert/{_identity(element)}:{name}" if name else None


def _identity(element: JsonObject) -> str:
    """Alertmanager's own hash of the labels; ours where it gives none."""
    given = text(element.get("fingerprint"))
    return given.replace(":", ".") if given else fingerprint_key(object_at(element, "labels"))[:16]


def _time(value: Any) -> datetime | None:
    """A time of our age: that of an alert which has not ended is in the year 1."""
    found = moment(value)
    return found if found and found.year > 1970 else None
