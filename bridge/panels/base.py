"""What a panel is: pure steps, that verify a request and parse it, over one request as it arrived.

A panel opens no socket, logs nothing and asks no clock. What the ingress does with it, for every request:
`verify_head` (raises BadSignature, before the body is read) → where the head proves nothing yet, `verify_body` →
`elements` (bytes → elements) → `fingerprint`, `proofs` → masking with `masks` → `parse`
(element → ParsedEvent).
"""

import hashlib
import hmac
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_args

from pydantic import AfterValidator, Field, SecretStr

from bridge.codec import dump
from bridge.errors import BadPayload, BadSignature
from bridge.event import Event, JsonObject
from bridge.foreign import form_fields, multipart_fields, parse_json
from bridge.intake import Fingerprint
from bridge.message import Dialect
from bridge.originals import left_out_header, without_masked
from bridge.people.proof import Proof
from bridge.polled import Difference, PollRequest, PollResponse
from bridge.settings import Duration, OneOrMany, SecretAddress, Secrets, Settings, SilentAfter
from bridge.value import Value, field


class Watch(Settings):
    """What is asked now and then to see whether a panel answers."""

    example: ClassVar[str] = "address: https://panel.example.com/"

    address: SecretAddress = Field(description="what is asked, by GET")
    status: OneOrMany[int] = Field((), description="the answers that are right, as [200]; any below 400 if not given")
    interval: Duration = Field(60.0, ge=10, le=86400, description="how often it is asked")
    within: Duration = Field(10.0, gt=0, le=60, description="how long an answer may take")
    lost_after: Duration = Field(180.0, le=86400, description="how long it gives no right answer before that is told")


class SourceConfig(Settings):
    """What every source has: the secret its panel proves itself with, and what is masked beyond the panel's rules.

    Each panel's own has the word that chooses it under `panel`.
    """

    #: What the panel itself calls its events, names or globs, and which type each becomes: routes may match either.
    #: Empty where the sender names the types.
    native_types: ClassVar[Mapping[str, str]] = {}

    #: Types that a setting can have them become besides.
    other_types: ClassVar[frozenset[str]] = frozenset()

    secret: Secrets = Field(description="the panel's secret, several for rotation, or the word none")
    mask: OneOrMany[str] = Field((), description="more paths to mask, as in user.note or **.phone")
    unmask: OneOrMany[str] = Field((), description="paths that would be masked, let through")
    realm: str | None = Field(
        None, min_length=1, max_length=64, description="one word for all sources whose users are the same; its name"
    )
    silent_after: SilentAfter | None = Field(
        None, description="tell where nothing came for so long; auto: 6 times as long as usual, 1h at least"
    )

    watch: Watch | None = Field(None, description="tell where the panel itself does not answer")

    @abstractmethod
    def open(self) -> "Panel[Any]":
        """The panel that these settings describe."""

    @classmethod
    def dialect(cls) -> Dialect | None:
        """How to speak to a program that was written for the panel's webhook; None where we do not."""
        return None

    @classmethod
    def words(cls) -> tuple[str, ...]:
        """The words that choose this panel; the first one names its dialect."""
        return get_args(cls.model_fields["panel"].annotation)


C = TypeVar("C", bound=SourceConfig, covariant=True)


def _nobody(value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if value:
        raise ValueError("should be none: this panel is asked, and posts nothing; its own secret is its token")
    return value


class PolledConfig(SourceConfig):
    """What a source has whose panel posts nothing, and is asked."""

    secret: Annotated[Secrets, AfterValidator(_nobody)] = Field((), description="none: nothing is posted")
    address: SecretAddress = Field(description="where the panel is, with its path")
    token: SecretStr = Field(min_length=1, description="what the panel lets in")
    interval: Duration = Field(60.0, ge=30, le=3600, description="how often it is asked")
    lost_after: Duration = Field(180.0, le=86400, description="how long it does not answer before that is told")

    @abstractmethod
    def open(self) -> "PolledPanel[Any]":
        """The panel that these settings describe."""


class Hook(Value):
    """One request as it arrived. Header names are matched in any case; `token` is the secret in the URL, if any.

    `dialect` is whose body the end of the path says that it is, where one source takes those of several. `whole` is
    what the panel's `whole` gave, masked where its elements are.
    """

    body: bytes
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None
    dialect: str | None = None
    whole: Any = None

    def header(self, name: str) -> bytes | None:
        """A header's value as the bytes on the wire, None where it is absent."""
        wanted = name.lower()
        for key, value in self.headers.items():
            if key.lower() == wanted:
                return value.encode("utf-8", "surrogateescape")
        return None

    def plain_secrets(self, header: str = "X-Webhook-Secret") -> list[bytes | str | None]:
        """Every place that a plain secret can stand in: the URL, `Authorization: Bearer`, and `header`."""
        scheme, _, bearer = (self.header("Authorization") or b"").partition(b" ")
        return [self.token, bearer.strip() if scheme.lower() == b"bearer" else None, self.header(header)]


class ParsedEvent(Value, kw_only=True):
    """What a panel's element says, before it gets an id and a time of arrival.

    `occurred_at` is None where the panel gives no true time; `panel` where it is the one that was configured;
    `native` where the element itself is the payload, and not an envelope around it.
    """

    type: str
    native_type: str
    subject: str | None
    data: JsonObject
    occurred_at: datetime | None = None
    panel: str | None = None
    native: Any = None


class Panel(ABC, Generic[C]):
    """A kind of system that events come from."""

    #: Secret fields, masked at the door: dotted paths into an element; `*` is any one key or index, `**` any depth.
    masks: ClassVar[tuple[str, ...]] = ()
    #: Keys of objects that are called like a secret and only describe one: what is none in them stays.
    described: ClassVar[tuple[str, ...]] = ()

    #: Where the panel posts to.
    path: ClassVar[str] = "/in/{source}"

    def __init__(self, config: C) -> None:
        self.config = config
        self._secrets = [secret.get_secret_value().encode() for secret in config.secret]
        self._sent_secrets = [one for secret in config.secret for one in _as_sent(secret.get_secret_value())]

    @property
    def paste(self) -> tuple[str, ...]:
        """What to write into the panel's settings so that it posts, with `{url}` and `{secret}` to be filled in."""
        return ("POST {url}", "X-Webhook-Secret: {secret}")

    def verify(self, hook: Hook) -> None:
        """Raise BadSignature unless the request proves that it comes from the panel."""
        if not self.verify_head(hook):
            self.verify_body(hook)

    @abstractmethod
    def verify_head(self, hook: Hook) -> bool:
        """Whether path, headers and query prove it; False where only the body can.

        Raise BadSignature where nothing that may follow can prove it. Asked before the body is read, so `hook.body` may
        still be empty.
        """

    def verify_body(self, hook: Hook) -> None:
        """Raise BadSignature unless the body proves what the head could not: over bytes, before anything is parsed."""
        raise NotImplementedError

    def elements(self, hook: Hook) -> Sequence[Any]:
        """The elements of the body, as sent; raise BadPayload where there are none to be had.

        Most panels send one JSON object, or an array of them.
        """
        value = parse_json(hook.body)
        if isinstance(value, list):
            return value
        if isinstance(value, dict):
            return [value]
        raise BadPayload("the body is neither a JSON object nor an array of them")

    def whole(self, hook: Hook) -> Any:
        """The whole body, where what an element says depends on what stands beside it; None where it does not."""
        return None

    def fingerprint(self, element: Any, index: int, hook: Hook) -> Fingerprint | None:
        """What tells a repeat of the `index`th element from every other event; None where nothing surely does.

        Called before masking: what differs in nothing but a secret is not the same. Its key holds none of it.
        """
        return None

    def proofs(self, element: Any) -> Iterable[Proof]:
        """What only the user has that the element is about, and can show; nothing where the panel tells of none.

        Called before masking, where proofs are taken: hashes of them are kept, and nothing else.
        """
        return ()

    def scrub(self, element: Any) -> Any:
        """Take out secrets that are not a field of their own, as a password inside a text. Called after masking."""
        return element

    @abstractmethod
    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        """What one masked element says; raise BadPayload where it is none of this panel's."""

    def consent(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Headers that answer a sender which asks by OPTIONS whether it may send; empty where panels do not ask."""
        return {}

    def verify_secret(self, *given: bytes | str | None) -> bool:
        """True where one of `given` is one of the source's secrets; raise BadSignature otherwise.

        Constant time, over bytes, in whichever encoding they were sent. A source with `secret: none` takes everything.
        """
        if not self._secrets:
            return True
        raw = [one.encode("utf-8", "surrogateescape") if isinstance(one, str) else one or b"" for one in given]
        matches = [hmac.compare_digest(one, secret) for one in raw for secret in self._sent_secrets]
        if not any(matches):
            raise BadSignature("wrong secret" if any(raw) else "no secret given")
        return True

    def obstacle(self, secret: str) -> str | None:
        """Why the panel can never send this secret, of one that has no other place for it; None where it can."""
        return None


_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def header_obstacle(secret: str, encoding: str = "utf-8") -> str | None:
    """Why no header has this secret as its value, from a panel that writes headers so; None where one can have it."""
    if _CONTROL.search(secret):
        return "has a line break or a control character in it, which no header carries"
    try:
        secret.encode(encoding)
    except UnicodeEncodeError:
        return "has a sign that the panel can write into no header, as all beyond Latin-1: make one of plain letters"
    return None


def _as_sent(secret: str) -> tuple[bytes, ...]:
    """The bytes that a secret may come as in a header: UTF-8, and Latin-1, which is what Python and Node write."""
    forms = [secret.encode()]
    if not secret.isascii():
        with suppress(UnicodeEncodeError):
            forms.append(secret.encode("latin-1"))
    return tuple(forms)


P = TypeVar("P", bound=PolledConfig, covariant=True)


class PolledPanel(Panel[P]):
    """A panel without a webhook: it is asked, and what has changed is what it would have posted.

    questions → `read` (answers → what they say) → `diff` (what they said before → a state to be kept, elements), and
    from there on as if these had been posted: `elements`, masking, `parse`.
    """

    paste: ClassVar[tuple[str, ...]] = ("GET {url}", "Authorization: Bearer {secret}")  # what it sees of us

    def verify_head(self, hook: Hook) -> bool:
        raise BadSignature("this source is asked, and nothing is posted to it")

    @abstractmethod
    def questions(self) -> Sequence[PollRequest]:
        """What it is asked, one after the other."""

    @abstractmethod
    def read(self, answers: Sequence[PollResponse | None]) -> Any:
        """What the answers say, one for each question, None for an optional one that it does not know.

        Raise BadPayload where they cannot be understood, or say that it does not let us in.
        """

    @abstractmethod
    def diff(self, before: JsonObject | None, picture: Any, at: datetime) -> Difference:
        """What has changed since `before`, by what `read` found `at` that time; nothing is told of a first look."""


def form_of(hook: Hook, *, most: int) -> dict[str, str] | None:
    """The fields of a form, URL-encoded or multipart; None where the body is none: clients call a JSON text one too.

    Raise BadPayload where it cannot be read, or has more than `most` fields.
    """
    kind = (hook.header("Content-Type") or b"").decode("latin-1")
    if hook.body.lstrip()[:1] in b'{["' or b"=" not in hook.body:
        return None
    if kind.lower().startswith("multipart/form-data"):
        return multipart_fields(hook.body, kind, most=most)
    if kind.lower().startswith("application/x-www-form-urlencoded"):
        return form_fields(hook.body, most=most)
    return None


def without_masked_keys(envelope: JsonObject) -> tuple[JsonObject, dict[str, str]]:
    """An envelope without what is masked in it, and the header that says what is missing.

    Why: a program that was written for the panel's webhook takes `***` for a value, and writes it over the one it has.
    """
    kept, names = without_masked(envelope)
    return kept or {}, left_out_header(names)


def subject_name(event: Event) -> str:
    """The name of what the event is about, `alice` of `user:alice`; empty where it is about nothing."""
    return (event.subject or "").partition(":")[2]


def fingerprint_key(*parts: Any) -> str:
    """What stands for these JSON values, and for no others: 32 hex digits that show none of them."""
    return digest(dump(parts))


def digest(raw: bytes) -> str:
    """What stands for these bytes: 128 bits in hex, for it is kept with every event, twice."""
    return hashlib.sha256(raw).hexdigest()[:32]


class EmptyMessage(BadPayload):
    """A Discord message with nothing in it: Discord answers it with a code of its own."""

    def __init__(self) -> None:
        super().__init__("cannot send an empty message")


#: What an event is called that its sender gives no name.
UNNAMED = "unnamed"


def unknown_type(panel: str, native: str) -> str:
    """The type of an event that the vocabulary has no word for: `{panel}.{native}`, lower case and dotted."""
    return f"{panel}.{dotted(native) or UNNAMED}"


def dotted(native: str) -> str:
    """A name in the form of a type, whatever its script: lower case, with dots for what is no word; perhaps empty."""
    return re.sub(r"[^\w.]+", ".", native.lower()).strip(".")
