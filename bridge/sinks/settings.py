"""What every sink can be told: when, how fast, through which proxy; and the kinds of value people write for it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.markup.service import Extent, Service
from bridge.outcome import Rate
from bridge.people.address import Addressing, Form, audience_of, is_expression
from bridge.people.recipient import Audience
from bridge.sealing import Sealer
from bridge.settings import Duration, OneOrMany, Settings
from bridge.sinks.ears import Ears
from bridge.sinks.inbox import Inbox
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.rates import Rates
from bridge.sinks.remedies import Remedies
from bridge.sinks.text import web_url
from bridge.sinks.trust import RootsFile
from bridge.terms import Quiet, Storm
from bridge.value import INT64_MAX, Value

PROXIES = ("http", "https", "socks4", "socks5", "socks5h")


def _web_address(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text:
        raise ValueError("is empty: give the address, beginning with https://")
    _parsed(text, ("http", "https"), "should be an address that begins with http:// or https://")
    return SecretStr(text)


def _base_address(value: str) -> str:
    text = _web_address(SecretStr(value)).get_secret_value()
    if re.search("[?#]", text):
        raise ValueError("should be an address without ? and #: paths are put behind it")
    return text.rstrip("/")


def _proxy_address(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    url = _parsed(text, PROXIES, "should begin with http://, https://, socks4:// or socks5://")
    if url.scheme.startswith("socks") and url.explicit_port is None:
        raise ValueError("should name the port, as in socks5://127.0.0.1:1080")
    return SecretStr(text)


def _parsed(text: str, schemes: tuple[str, ...], fault: str) -> URL:
    try:
        url = URL(text)
    except ValueError:
        raise ValueError(fault) from None  # yarl's own words repeat the address
    if url.scheme not in schemes or not _is_host(url.host):
        raise ValueError(fault)
    return url


def _is_host(host: str | None) -> bool:
    """Whether it can be looked up: what has a space, a control or a label of more than 63 letters is none."""
    try:
        return bool((host or "").encode("idna")) and not re.search(r"[\s\x00-\x1f\x7f]", host or "")
    except UnicodeError:
        return False


def _picture_address(value: str) -> str:
    if (url := web_url(value)) is None:
        raise ValueError("should be an address that begins with http:// or https://")
    return url


def _filled(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text:
        raise ValueError("is empty")
    if not text.isprintable() or not text.isascii():
        raise ValueError("should be one line of plain letters, digits and signs")
    return SecretStr(text)


def of_64_bits(text: str) -> int:
    """A whole number, as services count their chats; ValueError where it has more bits."""
    if abs(number := int(text)) > INT64_MAX:
        raise ValueError("should have at most 64 bits")
    return number


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


#: An http(s) address that is itself the credential: a webhook's URL.
SecretUrl = Annotated[SecretStr, AfterValidator(_web_address)]
#: A picture that a service fetches for itself.
PictureUrl = Annotated[str, AfterValidator(_picture_address)]
#: A token or key, never empty, that goes into a header or a path.
Token = Annotated[SecretStr, BeforeValidator(_as_text), AfterValidator(_filled)]
#: A service's fixed host, for those who stand behind a gateway of their own.
ApiBase = Annotated[str, AfterValidator(_base_address)]
ProxyUrl = Annotated[SecretStr, AfterValidator(_proxy_address)]


class Retry(Settings):
    """When to try again after a service was away."""

    example: ClassVar[str] = "max_retries: 3"

    max_retries: int = Field(3, ge=0, le=100, description="tries after the first one")
    waits: OneOrMany[Duration] = Field(
        (30.0, 120.0, 300.0), min_length=1, description="how long to wait before each; the last one repeats"
    )
    give_up: Duration = Field(
        7 * 86400.0, gt=0, description="how old a delivery may be that a service keeps asking to wait"
    )
    jitter: float = Field(0.1, ge=0, le=1, description="the part of a wait that is left to chance")


class Advice(Value):
    """What is worth saying of a setting before anything is sent; `fatal` where nothing can arrive as it is."""

    setting: str
    text: str
    fatal: bool = True


def is_at(url: URL, hosts: Iterable[str]) -> bool:
    """Whether the address is at one of the hosts, or below one of them."""
    return any(url.host == one or (url.host or "").endswith(f".{one}") for one in hosts)


class SinkConfig(Settings):
    """What every sink has."""

    #: The service's own hosts, by which an address of another service is told; none where any address will do.
    hosts: ClassVar[tuple[str, ...]] = ()
    #: What it has to be told by who sets it up, in order.
    questions: ClassVar[Sequence[SetupQuestion]]
    #: What to do about what the service says, beside what may be said of any.
    remedies: ClassVar[Remedies] = ()

    enabled: bool = Field(True, description="false: routes to it deliver nothing")
    rate: Rates | None = Field(None, description="replaces 10/s and the service's own limits: 10/s, 30/min, unlimited")
    retry: Retry = Field(Retry(), description="when to try again")
    timeout: Duration = Field(15.0, gt=0, le=600, description="how long one try may take")
    proxy: ProxyUrl | None = Field(None, description="http://… or socks5://host:port, with user:password@ if need be")
    ca: RootsFile | None = Field(
        None,
        description="a PEM file with roots that this sink alone trusts, beside the machine's; read when it changes",
    )
    locale: str | None = Field(None, description="language of this sink's messages; the file's if not given")
    quiet: Quiet | None = Field(None, description="hours in which nobody should be woken; a row's own come first")
    storm: Storm | None = Field(None, description="when it has fallen behind, and digests by itself")

    @property
    def any_address(self) -> bool:
        """Whether it may be meant to send to an address of another service."""
        return False

    def advise(self) -> Iterator[Advice]:
        """What is worth saying of its settings. What a gateway of the operator's may take is none of it."""
        return iter(())

    def addressing(self) -> Addressing | None:
        """How the address of each message is found, where that follows from data; None where the file has the address.

        Raise ValueError where an expression speaks of what it may not.
        """
        return None

    def bound(self, found: Mapping[str, Any]) -> Self:
        """The same with what was found of an address in the place of its expressions."""
        return self.model_copy(update=dict(found))

    def ears(self) -> Ears | None:
        """How what people write to it is heard; None where nobody can."""
        return None

    def inbox(self, sealer: Sealer | None) -> Inbox | None:
        """Where its letters come back to, and by whose key they are known; None where nobody looks there."""
        return None

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        """Why it can neither edit (`subject`) or answer (`thread`) what it said before; None where it can."""
        return "it has no messages that could be changed"


class AddressedConfig(SinkConfig):
    """What a sink has that can speak to many addresses: its address settings may be expressions."""

    #: Whether there are words for customers in its service.
    for_customers: ClassVar[bool] = False
    #: The settings that an address is made of, and the form that each has where it comes out of data.
    address_forms: ClassVar[Mapping[str, Form]]

    unknown: Literal["drop", "default"] = Field(
        "drop", description="where there is no address. default: the directory's default record is asked"
    )
    rate_each: Rates | None = Field(
        None, description="replaces what the service allows each of many addresses: 1/s, [1/s, 20/min], unlimited"
    )

    def addressing(self) -> Addressing | None:
        written = self.address_expressions()
        return Addressing(written, self.address_forms, default=self.unknown == "default") if written else None

    def address_expressions(self) -> Mapping[str, str]:
        """The settings that are written as expressions."""
        texts = {name: _plain(getattr(self, name)) for name in self.address_forms}
        return {name: text for name, text in texts.items() if is_expression(text)}

    @model_validator(mode="after")
    def _one_audience(self) -> Self:
        addressing = self.addressing()
        if addressing is not None and addressing.audience is Audience.PERSON and not self.for_customers:
            raise ValueError("is addressed to customers, and its service has no words for them")
        return self


def _expression_or_given(value: Any, given: ValidatorFunctionWrapHandler) -> Any:
    if not is_expression(value):
        return given(value)
    audience_of({"": value})
    return value.strip()


def _secret_expression_or_given(value: Any, given: ValidatorFunctionWrapHandler) -> Any:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return SecretStr(_expression_or_given(text, given)) if is_expression(text) else given(value)


#: Of a setting that may be an expression over the event and the directory's record, as `{{ owner.telegram }}`.
FROM_DATA = WrapValidator(_expression_or_given)
#: The same of one that is a secret where it is written out.
SECRET_FROM_DATA = WrapValidator(_secret_expression_or_given)
#: How an editor knows such an expression.
EXPRESSION_SCHEMA: JsonObject = {"type": "string", "pattern": r"\{\{"}

#: How much messages say.
MessageStyle = Annotated[
    Extent, Field(description="short: three facts at most; normal: what matters to the type; full: all that is known")
]


class ChatConfig(SinkConfig):
    """What every chat has."""

    service: ClassVar[Service]
    #: Settings with which a request can be built that is sent nowhere: to show what the service would get.
    specimen: ClassVar[JsonObject]

    style: MessageStyle = "normal"
    storm: Storm | None = Field(Storm(), description="when it has fallen behind, and digests by itself; null for never")


class ProgramConfig(SinkConfig):
    """What every program has that takes events."""

    concurrency: int = Field(1, ge=1, le=256, description="how many may be on their way at once, in order per subject")


#: How a sink is spoken to, and not where: changing these repairs no address.
NO_ADDRESS = frozenset(
    (
        *("enabled", "rate", "rate_each", "retry", "timeout", "locale", "style", "quiet", "storm", "concurrency"),
        *("unknown", "bounces"),
    )
)


def address_of(config: SinkConfig) -> str:
    """A short hash of where the sink sends and as whom; one word of it gives no secret away."""
    names = sorted(type(config).model_fields.keys() - NO_ADDRESS)
    return _hash(dump({name: _plain(getattr(config, name)) for name in names}))


def short_hash(*texts: str) -> str:
    """A name for what must not be named itself, as a webhook's URL; the same for the same texts."""
    return _hash(dump(texts))


def _hash(data: bytes) -> str:
    return sha256(data).hexdigest()[:16]


def _plain(value: Any) -> Any:
    """The settings with their secrets, as JSON has them."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Settings():
            return {name: _plain(getattr(value, name)) for name in sorted(type(value).model_fields)}
        case Mapping():
            return {str(key): _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case Path():
            return str(value)
        case Rate():
            return [value.count, value.period]
        case _:
            return value
