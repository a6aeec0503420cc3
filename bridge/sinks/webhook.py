"""Webhook: the event to any URL, as JSON, in a panel's dialect, or in the operator's own words.

Source   github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md (1.0.0), PyPI standardwebhooks;
         github.com/cloudevents/spec, cloudevents/http-webhook.md; the dialects' own modules under panels/
Secret   `secret`, several for rotation; and whatever stands in `headers`
Sends    {method} {url}  the event as one JSON object (docs/events.md), or what `format` or `body` say
         `{{ event.id }}` in the URL is the event's, or the digest's: the same at every try
         a digest: an array of the events, application/cloudevents-batch+json, or an array of Marzban's elements
         the event and CloudEvents: `Panelbridge-Replay: 1` where the operator asked for it once more,
         `Panelbridge-Reminder: 2` where trouble lasts, and `Panelbridge-Instead`, percent-encoded,
         where it was for another sink first: what happened there
Signs    the event, CloudEvents and `body`: Standard Webhooks over the bytes as they go out
         webhook-id is the event's id, or the digest's, the same at every try; webhook-timestamp is the try's own
         panels' dialects: the way that panel signs
Answers  any 2xx delivered · 410 gone, and so is 301 or 308 to the same host: no redirect is followed · 429 limited
         401, 403, 404, 408, 409, 5xx away: a program that is being deployed or repaired says them too
         other 3xx, 407 and `error code: 1010` are those of something in between: away · other 4xx refused
         Retry-After is honoured, as seconds and as a date
         what is masked in the event is *** in `event` and `cloudevents`; a panel's dialect leaves it out, and names it
         in `Panelbridge-Left-Out`: a program would take *** for a value. `unmask` gives back what stands at its paths
         in `native`; where the originals are gone, as at a replay, what is masked is left out, and named, in any format
Quirks   the library forces UTC on the time it signs, so it gets an aware UTC one; and signs text, not bytes
         it drops what is no base64 from a secret and signs with another key than the receiver's: refused in the file
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from yarl import URL

from bridge.codec import dump
from bridge.event import Event
from bridge.expressions import as_header, as_segment
from bridge.markup.service import ServiceLook
from bridge.message import Circumstances, Digest, Emission, Message
from bridge.originals import left_out_header, left_out_names, restored, without_masked
from bridge.outcome import Away, Outcome
from bridge.people.address import Address, Addressing, Form, is_expression
from bridge.settings import OneOrMany, Secrets
from bridge.sinks.base import AddressedConfig, HttpSink, ProgramConfig, Tools, retry_after, short_hash
from bridge.sinks.http import Request, Response
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import HostOnly
from bridge.sinks.settings import SECRET_FROM_DATA, Advice, SecretUrl, Token
from bridge.sinks.text import clip
from bridge.value import replace

STANDARD = ("event", "cloudevents")  # signed as Standard Webhooks; every other format is a panel's dialect
#: Formats in which several events can go as one array, and how that array is called.
ARRAYS = {
    "event": "application/json",
    "cloudevents": "application/cloudevents-batch+json",
    "marzban": "application/json",
}
HEADERS = "headers."  # what the name of a header's setting begins with
INSTEAD = 300  # characters
KEY_LENGTH = 32  # characters of base64: 24 bytes
VISIBLE = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"  # what a header may hold as it is, beside letters and digits
OURS = frozenset(("host", "content-length", "transfer-encoding", "connection", "content-type"))
_ID = re.compile(r"\{\{\s*event\.id\s*\}\}")
SLOT = "%7B%7Bevent.id%7D%7D"
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3})?")


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise ValueError("a header's name is made of letters, digits and hyphens")
    if name.lower() in OURS or name.lower().startswith(("webhook-", "panelbridge-")):
        raise ValueError(f"the header {name} is set by the bridge")
    return name


def _with_slots(value: Any) -> Any:
    """`{{ event.id }}` as what it is in an address: filled in for each message, and no expression of whose it is."""
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not isinstance(text, str) or not _ID.search(text):
        return value
    scheme, _, rest = text.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "{{" in host:
        raise ValueError("may carry {{ event.id }} behind its host, and not before")
    return f"{scheme}://{_ID.sub(SLOT, rest)}"


HEADER = Form(
    r"[\x21-\x7e]([\x20-\x7e]{0,1998}[\x21-\x7e])?",
    "one line of plain letters, digits and signs",
    SecretStr,
    place=short_hash,
    escape=as_header,
)
HeaderName = Annotated[str, AfterValidator(_header_name)]


def _fixed_host(url: SecretStr) -> SecretStr:
    """An address that is filled from data has its host in the file, and a part of its path: we are no relay."""
    before = url.get_secret_value().partition("{")[0]
    if is_expression(url.get_secret_value()) and not re.fullmatch(r"https?://[^/?#@\s]+(/[^/?#\s]+)+/", before):
        what = "should have scheme, host and a first part of its path before the first expression"
        raise ValueError(f"{what}, as https://hooks.example.com/in/{{{{ data.owner }}}}")
    return url


class WebhookConfig(ProgramConfig, AddressedConfig):
    """Any URL; or as many as there are owners or nodes, at one host."""

    address_forms: ClassVar[Mapping[str, Form]] = {
        "url": Form(r"https?://\S+", "an address", SecretStr, place=short_hash, escape=as_segment)
    }
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("url", "Address of yours that takes the events as JSON"),
    )
    type: Literal["webhook"] = Field("webhook", description="a request to any URL")
    url: Annotated[SecretUrl, SECRET_FROM_DATA, AfterValidator(_fixed_host), BeforeValidator(_with_slots)] = Field(
        description="where it goes; {{ event.id }} may stand behind the host"
    )
    method: Literal["POST", "PUT", "PATCH"] = Field("POST", description="the HTTP method")
    format: Literal["event", "cloudevents", "marzban", "remnawave", "wgportal", "orbvpn"] = Field(
        "event", description="the event as JSON, a CloudEvents envelope, or the dialect that a panel's webhook speaks"
    )
    secret: Secrets = Field(
        (), description="what it is signed with: whsec_… for event and cloudevents, else the panel's"
    )
    headers: dict[HeaderName, Annotated[Token, SECRET_FROM_DATA]] = Field(
        {}, description="headers that go with every request"
    )
    traced: bool = Field(False, description="whether it is told the trace of the attempt, in the header traceparent")
    unmask: OneOrMany[str] = Field(
        (), description="paths of the panel's payload that it gets unmasked; needs secret_key"
    )
    body: str | None = Field(None, description="a template that writes the body, in place of format")
    content_type: str = Field("application/json", description="of the body that the template writes")

    @model_validator(mode="after")
    def _consistent(self) -> "WebhookConfig":
        if self.body is not None and "format" in self.model_fields_set:
            raise ValueError("give either format or body, not both")
        if self.unmask and self.address_expressions():
            raise ValueError("unmask is not for an address that follows from data: what is masked is yours alone")
        if self.body is not None and self.unmask:
            raise ValueError("give either unmask or body: no template sees what is masked")
        if URL(self.url.get_secret_value()).user is not None and "authorization" in map(str.lower, self.headers):
            raise ValueError("give either a user in url, or the header Authorization, not both")
        if self.format not in STANDARD and len(self.secret) > 1:
            raise ValueError(f"the {self.format} format is signed with one secret, give only one")
        if self.format in STANDARD and not all(map(_is_signing_key, self.secret)):
            raise ValueError("secret should be whsec_ and base64: make one with `openssl rand -base64 32`")
        return self

    def addressing(self) -> Addressing | None:
        """Its address and those of its headers that are written as expressions, each as `headers.X-Name`."""
        written = self.address_expressions()
        forms = {name: self.address_forms.get(name, HEADER) for name in written}
        return Addressing(written, forms, default=self.unknown == "default") if written else None

    def address_expressions(self) -> Mapping[str, str]:
        headers = {f"{HEADERS}{name}": value.get_secret_value() for name, value in self.headers.items()}
        return {**super().address_expressions(), **{name: one for name, one in headers.items() if is_expression(one)}}

    def bound(self, found: Mapping[str, Any]) -> Self:
        headers = {name.removeprefix(HEADERS): one for name, one in found.items() if name.startswith(HEADERS)}
        others = {name: one for name, one in found.items() if not name.startswith(HEADERS)}
        return super().bound({**others, "headers": {**self.headers, **headers}})

    @property
    def any_address(self) -> bool:
        return self.body is not None  # which may be written for whatever service

    def advise(self) -> Iterator[Advice]:
        texts = [secret.get_secret_value() for secret in self.secret]
        if self.format not in STANDARD and not all(text.isprintable() for text in texts):
            yield Advice(
                "secret", "has a line break or a control character in it, which no header carries", fatal=False
            )
        elif self.format not in STANDARD and not all(text.isascii() for text in texts[:1]):
            what = "has signs beyond ASCII: it goes out in UTF-8, and who was written for the panel may read Latin-1"
            yield Advice("secret", what, fatal=False)
        if self.format in STANDARD and any(len(text.removeprefix("whsec_")) < KEY_LENGTH for text in texts):
            what = "is shorter than Standard Webhooks wants, 24 bytes: make one with `openssl rand -base64 32`"
            yield Advice("secret", what, fatal=False)

    def open(self, tools: Tools) -> "WebhookSink":
        return WebhookSink(self, tools)


class WebhookSink(HttpSink[WebhookConfig]):
    def __init__(self, config: WebhookConfig, tools: Tools) -> None:
        from standardwebhooks import Webhook  # only who has a webhook pays for it

        super().__init__(config, tools)
        self._headers = {name: value.get_secret_value() for name, value in config.headers.items()}
        secrets = [secret.get_secret_value() for secret in config.secret]
        self._signers = [Webhook(secret) for secret in secrets] if config.format in STANDARD else []
        self._panel_secret = secrets[0] if secrets and not self._signers else None
        self.digests = config.body is None and config.format in ARRAYS

    @property
    def look(self) -> ServiceLook:
        inline = () if self.config.body is None else (("body", self.config.body),)
        return ServiceLook(inline=inline, locale=self.config.locale)

    def build(self, message: Message) -> Request:
        headers = _circumstance_headers(message.circumstances, standard=self.config.format in STANDARD)
        event, left_out = self._unmasked(message.event, message.sealed)
        return self._request(self._emission(message, event), message.event.id, message.at, headers | left_out)

    def at(self, address: Address) -> Self:
        sink = super().at(address)
        sink.is_one_of_many = "url" in self.config.address_expressions()  # where it is one URL, that is gone for all
        return sink

    def ask(self) -> HostOnly:
        return HostOnly(self._address(""), "whether it takes an event is seen by one alone")

    def build_digest(self, digest: Digest) -> Request:
        events = [self._unmasked(event, digest.sealed.get(event.id)) for event in digest.events]
        emissions = [self._emit(event, digest.at) for event, _ in events]
        elements = b",".join(filter(None, (_elements(emission.body) for emission in emissions)))
        said = [*(emission.headers for emission in emissions), *(more for _, more in events)]
        names = [name for one in said for name in left_out_names(one)]
        headers = {**emissions[0].headers, "Content-Type": ARRAYS[self.config.format], **left_out_header(names)}
        return self._request(Emission(headers, b"[" + elements + b"]"), digest.id, digest.at, {})

    def interpret(self, response: Response) -> Outcome:
        if response.status == 409:  # another try is under way there; the specification wants all but 410 tried again
            return Away("HTTP 409", retry_after(response))
        return super().interpret(response)

    def _request(self, emission: Emission, id_: str, at: datetime, more: Mapping[str, str]) -> Request:
        headers = {**emission.headers, **self._headers, **more, **self._signature(id_, at, emission.body)}
        return Request(self.config.method, self._address(id_), emission.body, headers, traced=self.config.traced)

    def _address(self, id_: str) -> URL:
        """Where a message goes: the address with its id."""
        return URL(self.config.url.get_secret_value().replace(SLOT, quote(id_, safe="")))

    def _unmasked(self, event: Event, sealed: str | None) -> tuple[Event, dict[str, str]]:
        """The event with its originals, or without what is masked where they are gone; and the header that says so."""
        if not self.config.unmask:
            return event, {}
        originals = self.tools.sealer.unseal(sealed) if self.tools.sealer and sealed else None
        if originals is not None:
            return replace(event, native=restored(event.native, originals, self.config.unmask)), {}
        kept, names = without_masked(event.native)
        return replace(event, native=kept), left_out_header(names)

    def _emission(self, message: Message, event: Event) -> Emission:
        if self.config.body is not None:
            return Emission({"Content-Type": self.config.content_type}, message["body"].encode("utf-8", "replace"))
        return self._emit(event, message.at)

    def _emit(self, event: Event, at: datetime) -> Emission:
        if self.config.format == "event":
            return Emission({"Content-Type": "application/json"}, dump(event.to_json()))
        return self.tools.dialects[self.config.format](event, secret=self._panel_secret, at=at)

    def _signature(self, id_: str, at: datetime, body: bytes) -> Mapping[str, str]:
        if not self._signers:
            return {}
        at, text = at.astimezone(UTC), body.decode()
        signatures = [signer.sign(msg_id=id_, timestamp=at, data=text) for signer in self._signers]
        return {
            "webhook-id": id_,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
        }


def _circumstance_headers(circumstances: Circumstances, *, standard: bool) -> dict[str, str]:
    """What a program is to know beside the event: in a panel's dialect only that it is a test, lest it is believed."""
    headers = {"Panelbridge-Test": "1"} if circumstances.test else {}
    if not standard:
        return headers
    if circumstances.replay:
        headers["Panelbridge-Replay"] = "1"
    if circumstances.reminder:
        headers["Panelbridge-Reminder"] = str(circumstances.reminder.number)
    if circumstances.instead:
        headers["Panelbridge-Instead"] = quote(clip(circumstances.instead, INSTEAD), safe=VISIBLE, errors="replace")
    return headers


def _elements(body: bytes) -> bytes:
    """What an event is in an array of them: its object, or those that its dialect already has in an array."""
    return body[1:-1] if body.startswith(b"[") else body


def _is_signing_key(secret: SecretStr) -> bool:
    text = secret.get_secret_value().removeprefix("whsec_").rstrip("=")
    return bool(text) and _BASE64.fullmatch(text) is not None
