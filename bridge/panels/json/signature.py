"""How a sender signs its requests: HMAC in a header, in the few shapes that senders have agreed on.

Source   docs.github.com/webhooks "Validating webhook deliveries"; docs.stripe.com/webhooks "Verify manually";
         github.com/tailscale/tailscale @ de9ec7e: docs/webhooks/example.go; help.crypt.bot/crypto-pay-api "Verifying"
Signs    header: [prefix]hex or base64 of HMAC over the raw body, several separated by a space; or, timestamped,
         header: t=1795942800,v1=…,v1=… over `{t}.{body}`, of whose other parts none is believed
Units    a timestamp is in seconds since 1970
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from bridge.errors import BadSignature
from bridge.panels.base import Hook
from bridge.settings import Duration, Settings

BODY, TIMESTAMP = "{body}", "{timestamp}"
_PLACES = re.compile(r"\{([^{}]*)\}")


class SignatureSettings(Settings):
    """Where the signature stands, and what it is made of."""

    example: ClassVar[str] = "header: X-Hub-Signature-256"

    header: str = Field(min_length=1, description="the header that holds it")
    algorithm: Literal["sha1", "sha256", "sha512"] = Field("sha256", description="sha1, sha256 or sha512")
    encoding: Literal["hex", "base64"] = Field("hex", description="hex or base64")
    prefix: str | None = Field(None, description="what stands before it, as sha256=")
    timestamped: bool = Field(False, description="whether the header is t=…,v1=… and the time is signed too")
    timestamp: str | None = Field(None, min_length=1, description="the header that holds the time, where that is one")
    tolerance: Duration = Field(300.0, gt=0, description="how far the signed time may be from now")
    key: Literal["secret", "sha256"] = Field("secret", description="secret: itself; sha256: its hash, as CryptoBot's")
    signs: str | None = Field(
        None, description="what is signed: {body}, {timestamp}, a header as {webhook-id}; the first two if not given"
    )

    @model_validator(mode="after")
    def _is_whole(self) -> "SignatureSettings":
        if self.timestamped and (self.timestamp or self.prefix):
            raise ValueError("timestamped has the time and the signature in one header: leave out timestamp and prefix")
        if self.signed.count(BODY) != 1:
            raise ValueError("signs should hold {body} once")
        if self.has_time is not (TIMESTAMP in self.signed):
            raise ValueError("signs should hold {timestamp} where there is one, and only there")
        return self

    @property
    def has_time(self) -> bool:
        return self.timestamped or self.timestamp is not None

    @property
    def signed(self) -> str:
        """What is signed, with places to fill in."""
        return self.signs or (f"{TIMESTAMP}.{BODY}" if self.has_time else BODY)


def check_head(settings: SignatureSettings, hook: Hook) -> None:
    """Raise BadSignature where the headers hold no signature, or one of another time."""
    if not _signatures(settings, hook):
        raise BadSignature(f"no signature in {settings.header}")
    if not settings.has_time:
        return
    stamp = _timestamp(settings, hook)
    if not re.fullmatch(b"[0-9]{1,11}", stamp):
        raise BadSignature("the signature has no time")
    if abs(hook.received_at.timestamp() - int(stamp)) > settings.tolerance:
        raise BadSignature(f"the signature's time is more than {settings.tolerance:g} s away from now")


def check_body(settings: SignatureSettings, hook: Hook, secrets: Sequence[bytes]) -> None:
    """Raise BadSignature unless one of the signatures is made with one of the secrets. Constant time."""
    before, after = (_filled(part, settings, hook) for part in settings.signed.split(BODY))
    given = _signatures(settings, hook)
    matches = []
    for secret in secrets:
        key = hashlib.sha256(secret).digest() if settings.key == "sha256" else secret
        made = hmac.new(key, digestmod=settings.algorithm)
        for part in (before, hook.body, after):
            made.update(part)
        matches += [hmac.compare_digest(made.digest(), one) for one in given]
    if not any(matches):
        raise BadSignature("wrong signature")


def _filled(part: str, settings: SignatureSettings, hook: Hook) -> bytes:
    """A text with its places filled in; `split` leaves the names at the odd places."""
    pieces = [
        piece.encode() if index % 2 == 0 else _place(piece, settings, hook)
        for index, piece in enumerate(_PLACES.split(part))
    ]
    return b"".join(pieces)


def _place(name: str, settings: SignatureSettings, hook: Hook) -> bytes:
    return _timestamp(settings, hook) if name == "timestamp" else hook.header(name) or b""


def _timestamp(settings: SignatureSettings, hook: Hook) -> bytes:
    if settings.timestamp is not None:
        return (hook.header(settings.timestamp) or b"").strip()
    return next(iter(_parts(settings, hook, b"t")), b"")


def _signatures(settings: SignatureSettings, hook: Hook) -> list[bytes]:
    """The signatures that are given, as bytes; what cannot be read is none."""
    if settings.timestamped:
        written = _parts(settings, hook, b"v1")
    else:
        prefix = (settings.prefix or "").encode()
        values = (hook.header(settings.header) or b"").split()
        written = [value.removeprefix(prefix) for value in values if value.startswith(prefix)]
    return [found for one in written if (found := _decoded(one, settings.encoding))]


def _parts(settings: SignatureSettings, hook: Hook, name: bytes) -> list[bytes]:
    """The values under that name of `t=…,v1=…`."""
    parts = (part.strip().partition(b"=") for part in (hook.header(settings.header) or b"").split(b","))
    return [value for key, _, value in parts if key == name]


def _decoded(written: bytes, encoding: str) -> bytes:
    try:
        return bytes.fromhex(written.decode()) if encoding == "hex" else base64.b64decode(written, validate=True)
    except ValueError:
        return b""
