"""CloudEvents 1.0 over HTTP, from any program; and Panelbridge's own events, one to one, from another Panelbridge.

Source   github.com/cloudevents/spec @ v1.0.2: spec.md, formats/json-format.md, bindings/http-protocol-binding.md,
         http-webhook.md;
         github.com/standard-webhooks/standard-webhooks: spec/standard-webhooks.md 1.0.0
Secret   in the URL, as Authorization: Bearer, as ?access_token=, in X-Webhook-Secret; or as the key of a signature
Sends    structured (application/cloudevents+json), batched (application/cloudevents-batch+json),
         binary (ce-* headers, the body is the data); before all that, where it wants to know whether it may,
         OPTIONS with WebHook-Request-Origin
Signs    webhook-signature: v1,base64 of HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`, several separated
         by a space; the key is the base64 after whsec_, and a secret that is no base64 of 24 bytes is itself the key
Units    webhook-timestamp in seconds since 1970, taken up to 5 minutes either way; time is RFC 3339
Quirks   the library makes up an id, a specversion and a time where they are missing: they are looked for first
         the signing library verifies by the real clock: we sign the same content, and compare
         it signs text: a signed body that is not UTF-8 is refused
         data_base64 is what the body of a binary request would be, and is read like that; what cannot be stays as it is
         source and id together name an event: one that has both in common with another is its repeat

An Event becomes: id, type and subject as they are; time, when it occurred; source /panelbridge/{its source}; data, its
`data`; and the extensions panel, nativetype, receivedat, and native, which is JSON text, for no extension is an object.
Such an envelope is read back the same way. Any other CloudEvent keeps a type that is canonical, and its data: under our
keys where it has them, under its own else, and under `value` where it is no object. It is its own native, in structured
form.
"""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import quote, unquote

from pydantic import Field

from bridge.codec import dump, finite
from bridge.errors import BadPayload, BadSignature
from bridge.event import Event, JsonObject, iso
from bridge.foreign import holds_more_values, moment, parse_json, present, text
from bridge.intake import Fingerprint
from bridge.message import Dialect, Emission
from bridge.panels.base import UNNAMED, Hook, Panel, ParsedEvent, SourceConfig, fingerprint_key, unknown_type
from bridge.vocabulary import TYPES

if TYPE_CHECKING:
    from standardwebhooks import Webhook

OURS = "/panelbridge/"
VALUES = 100_000  # JSON values of a data_base64: one that holds more stays as it is
TOLERANCE = 300  # seconds between a signature's timestamp and now
KEY_SIZE = 24  # bytes: the shortest key of Standard Webhooks
STRUCTURED, BATCHED = "application/cloudevents+json", "application/cloudevents-batch+json"

UNREADABLE_SIGNATURE = "the signature's headers are not ASCII, or the body is not UTF-8"


#: What the headers of a signature begin with: Standard Webhooks' and Svix's, which came before it.
BRANDS = ("webhook", "svix")
SIGNATURE = ("id", "signature", "timestamp")


class CloudEventsConfig(SourceConfig):
    panel: Literal["cloudevents"] = Field(description="any program that sends CloudEvents 1.0")

    def open(self) -> "CloudEventsPanel":
        return CloudEventsPanel(self)

    @classmethod
    def dialect(cls) -> Dialect:
        return emit


class CloudEventsPanel(Panel[CloudEventsConfig]):
    #: `data.api_key` of our own events, and Remnawave's in their `native`.
    described: ClassVar[tuple[str, ...]] = ("api_key", "apiToken")

    def verify_head(self, hook: Hook) -> bool:
        try:
            return self.verify_secret(*hook.plain_secrets(), hook.query.get("access_token"))
        except BadSignature:
            if not _signed(hook):
                raise
        stamp = _signature_headers(hook)[2]
        if not re.fullmatch("[0-9]{1,11}", stamp) or abs(hook.received_at.timestamp() - int(stamp)) > TOLERANCE:
            raise BadSignature("webhook-timestamp is more than 5 minutes away from now")
        return False

    def verify_body(self, hook: Hook) -> None:
        id_, given, stamp = _signature_headers(hook)
        try:
            body = hook.body.decode()
        except UnicodeDecodeError:
            raise BadSignature(UNREADABLE_SIGNATURE) from None
        at = datetime.fromtimestamp(int(stamp), UTC)
        signs = [_signer(secret.get_secret_value()).sign(id_, at, body).encode() for secret in self.config.secret]
        matches = [hmac.compare_digest(one.encode(), sign) for one in given.split(" ") for sign in signs]
        if not any(matches):
            raise BadSignature("wrong signature")

    def elements(self, hook: Hook) -> Sequence[Any]:
        media = _media_type(hook)
        if media.startswith("application/cloudevents"):
            return _body_envelopes(media, hook.body)
        if any(key.lower().startswith("ce-") for key in hook.headers):
            return [_with_native_unpacked(_header_envelope(media, hook))]
        return _body_envelopes(STRUCTURED, hook.body)

    def fingerprint(self, element: Any, index: int, hook: Hook) -> Fingerprint | None:
        named = [text(element.get(name)) for name in ("source", "id")] if isinstance(element, dict) else [None]
        # U+FFFD stands for what no database takes: two names may have become one
        return Fingerprint(fingerprint_key(*named)) if all(one and "\ufffd" not in one for one in named) else None

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        return _own_event(element) if _is_own(element) else _foreign_event(element)

    def consent(self, headers: Mapping[str, str]) -> dict[str, str]:
        """That whoever asks may send, as much as they like; a request proves itself all the same."""
        origin = next((value for name, value in headers.items() if name.lower() == "webhook-request-origin"), "")
        if not origin or not (origin.isascii() and origin.isprintable()):
            return {}
        return {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*", "Allow": "POST"}


def _signed(hook: Hook) -> bool:
    return any(hook.header(f"{brand}-signature") is not None for brand in BRANDS)


def _signature_headers(hook: Hook) -> tuple[str, str, str]:
    """The id, the signatures and the time, as Standard Webhooks sends them; raise BadSignature where they cannot be."""
    brand = next((brand for brand in BRANDS if hook.header(f"{brand}-signature") is not None), BRANDS[0])
    try:
        id_, given, stamp = ((hook.header(f"{brand}-{name}") or b"").decode("ascii") for name in SIGNATURE)
    except UnicodeDecodeError:
        raise BadSignature(UNREADABLE_SIGNATURE) from None
    return id_, given, stamp


def _signer(secret: str) -> "Webhook":
    from standardwebhooks import Webhook  # only who signs pays for it

    key = _decoded_key(secret.removeprefix("whsec_"))
    is_key = len(key) >= KEY_SIZE or (key and secret.startswith("whsec_"))
    return Webhook(key if is_key else secret.encode())


def _decoded_key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret + "=" * (-len(secret) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _media_type(hook: Hook) -> str:
    """The media type in lower case, without its parameters."""
    return _bare_media_type((hook.header("Content-Type") or b"").decode("latin-1"))


def _bare_media_type(media: str) -> str:
    return media.partition(";")[0].strip().lower()


def _body_envelopes(media: str, body: bytes) -> Sequence[Any]:
    """The envelopes of a structured or a batched body; an array is a batch, whatever it is called."""
    if media not in (STRUCTURED, BATCHED):
        raise BadPayload(f"{media} is not read: send {STRUCTURED}, {BATCHED}, or ce-* headers")
    value = parse_json(body)
    if not isinstance(value, dict | list):
        raise BadPayload("the body is neither a CloudEvent nor an array of them")
    envelopes = value if isinstance(value, list) else [value]
    return [_with_native_unpacked(_with_data_decoded(one)) for one in envelopes]


def _with_data_decoded(element: Any) -> Any:
    """An envelope with its data as JSON or text, for masks to reach into; as it is where that cannot be."""
    if not isinstance(element, dict) or element.get("data") is not None:
        return element
    encoded, media = text(element.get("data_base64")), text(element.get("datacontenttype"))
    try:
        raw = base64.b64decode(encoded or "", validate=True)
        decoded = {} if holds_more_values(raw, VALUES) else _binary_data(_bare_media_type(media or ""), raw)
    except (BadPayload, ValueError):
        return element
    if "data" not in decoded:
        return element
    return {key: value for key, value in element.items() if key != "data_base64"} | {"data": decoded["data"]}


def _with_native_unpacked(element: Any) -> Any:
    """Our own envelope with its native payload unpacked, for masks to reach into; any other as it is."""
    if not _is_own(element) or not isinstance(element["native"], str):
        return element
    try:
        return element | {"native": parse_json(element["native"].encode())}
    except BadPayload:
        return element


def _header_envelope(media: str, hook: Hook) -> JsonObject:
    """A binary request in structured form."""
    from cloudevents.core.bindings.http import HTTPMessage, from_binary  # only who has such a source pays for it
    from cloudevents.core.exceptions import CloudEventValidationError
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent

    headers = {key.lower(): value for key, value in hook.headers.items() if key.lower().startswith("ce-")}
    time = headers.pop("ce-time", "")  # the library takes no other event for a bad time
    wellformed = {key: value for key, value in headers.items() if key.removeprefix("ce-").isalnum() and value}
    try:
        attributes = from_binary(HTTPMessage(wellformed, b""), JSONFormat(), CloudEvent).get_attributes()
    except CloudEventValidationError:  # odd, and kept
        attributes = {key.removeprefix("ce-"): unquote(value) for key, value in headers.items()}
    attributes = attributes | {"time": unquote(time)}
    # through JSON once more: a header can hold what no database takes
    envelope: JsonObject = parse_json(json.dumps(attributes).encode())
    return envelope | _binary_data(media, hook.body)


def _binary_data(media: str, body: bytes) -> JsonObject:
    kind = {"datacontenttype": media} if media else {}
    if not body:
        return kind
    if media.endswith(("/json", "+json")):
        return kind | {"data": parse_json(body)}
    try:
        return kind | {"data": body.decode().replace("\x00", "�")}
    except UnicodeDecodeError:
        return kind | {"data_base64": base64.b64encode(body).decode()}


def _is_own(element: Any) -> bool:
    return (
        isinstance(element, dict)
        and str(element.get("source")).startswith(OURS)
        and all(text(element.get(name)) for name in ("type", "panel", "nativetype"))
        and isinstance(element.get("data"), dict)
        and "native" in element
    )


def _own_event(element: JsonObject) -> ParsedEvent:
    return ParsedEvent(
        type=element["type"],
        native_type=element["nativetype"],
        subject=text(element.get("subject")),
        data=element["data"],
        occurred_at=moment(element.get("time")),
        panel=element["panel"],
        native=element["native"],
    )


def _foreign_event(element: JsonObject) -> ParsedEvent:
    type_, data = text(element.get("type")) or UNNAMED, element.get("data")
    return ParsedEvent(
        type=type_ if type_ in TYPES else unknown_type("cloudevents", type_),
        native_type=type_,
        subject=text(element.get("subject")),
        data=dict(data) if isinstance(data, dict) else present(value=data),
        occurred_at=moment(element.get("time")),
    )


def emit(event: Event, *, secret: str | None, at: datetime) -> Emission:
    """The event in structured mode, signed as Standard Webhooks where there is a secret."""
    from cloudevents.core.bindings.http import to_structured  # only who has such a sink pays for it
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent

    message = to_structured(CloudEvent(_attributes(event), finite(event.data)), JSONFormat())
    headers = {"Content-Type": STRUCTURED}
    if secret:
        headers["webhook-id"] = event.id
        headers["webhook-timestamp"] = str(int(at.timestamp()))
        headers["webhook-signature"] = _signer(secret).sign(event.id, at.astimezone(UTC), message.body.decode())
    return Emission(headers, message.body)


def _attributes(event: Event) -> JsonObject:
    subject = {"subject": event.subject} if event.subject else {}
    return subject | {
        "specversion": "1.0",
        "id": event.id,
        "source": OURS + quote(event.source, safe=""),
        "type": event.type,
        "time": event.occurred_at.astimezone(UTC),
        "datacontenttype": "application/json",
        "panel": event.panel,
        "nativetype": event.native_type,
        "receivedat": iso(event.received_at),
        "native": dump(event.native).decode(),
    }
