"""What a sink is: two pure steps, `build` and `classify`, and the one `send` between them."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Generic, Protocol, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, WithJsonSchema, field_validator
from yarl import URL

from bridge.message import Dialect, Look, Message
from bridge.outcome import Attempt, Away, Delivered, Gone, Limited, Outcome, Refused
from bridge.settings import Duration, Settings
from bridge.sinks.http import Http, Request, Response, Unanswered

ANSWER_KEPT = 4096  # characters of a service's answer that are kept
PERIODS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` messages in any `period` seconds."""

    count: int
    period: float


def _rates(value: Any) -> Any:
    """`10/s`, `30/min`, a bare number per second, a list of these; `unlimited` or 0 for none."""
    if value in ("unlimited", "none", 0):
        return ()
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(one if isinstance(one, Rate) else _rate(one) for one in values)


def _rate(value: Any) -> Rate:
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return Rate(int(value), 1.0) if value >= 1 else Rate(1, 1 / value)
    match = re.fullmatch(r"(\d+)\s*/\s*(\d*)\s*(s|min|m|h|d)", value.strip()) if isinstance(value, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError("should be a rate such as 10/s or 30/min, a list of them, or the word unlimited")
    return Rate(int(match[1]), PERIODS[match[3]] * int(match[2] or 1))


Rates = Annotated[
    tuple[Rate, ...],
    BeforeValidator(_rates),
    WithJsonSchema({"type": ["string", "number", "array"], "examples": ["10/s", "30/min", "unlimited"]}),
]


class Retry(Settings):
    """When to try again after a service was away."""

    max_retries: int = Field(3, ge=0, le=100, description="tries after the first one")
    waits: tuple[Duration, ...] = Field(
        (30.0, 120.0, 300.0), min_length=1, description="how long to wait before each; the last one repeats"
    )
    jitter: float = Field(0.1, ge=0, le=1, description="the part of a wait that is left to chance")


class SinkConfig(Settings):
    """What every sink has."""

    enabled: bool = Field(True, description="false: routes to it deliver nothing")
    rate: Rates | None = Field(None, description="replaces 10/s and the service's own limits: 10/s, 30/min, unlimited")
    retry: Retry = Field(Retry(), description="when to try again")
    timeout: Duration = Field(15.0, gt=0, description="how long one try may take")
    proxy: SecretStr | None = Field(None, description="http://… or socks5://…, with user:password@ if need be")
    locale: str | None = Field(None, description="language of this sink's messages; the file's if not given")

    @field_validator("proxy")
    @classmethod
    def _known_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and URL(value.get_secret_value()).scheme not in ("http", "https", "socks4", "socks5", "socks5h"):
            raise ValueError("should begin with http://, https://, socks4:// or socks5://")
        return value


C = TypeVar("C", bound=SinkConfig)


@dataclass(frozen=True, slots=True)
class Tools:
    """What the composition root hands a sink: the socket, and how to speak each panel's dialect."""

    http: Http
    dialects: Mapping[str, Dialect]


class Sink(Protocol):
    """All that a lane knows of a sink."""

    @property
    def look(self) -> Look: ...

    @property
    def rates(self) -> tuple[Rate, ...]: ...

    @property
    def retry(self) -> Retry: ...

    async def send(self, message: Message) -> Attempt: ...


class HttpSink(ABC, Generic[C]):
    """A sink that is one HTTP request per message. A service that needs more overrides `send`."""

    #: What the service itself allows, where it says so.
    service_rates: tuple[Rate, ...] = ()

    def __init__(self, config: C, tools: Tools) -> None:
        self.config = config
        self.tools = tools

    @property
    def look(self) -> Look:
        return Look(locale=self.config.locale)

    @property
    def rates(self) -> tuple[Rate, ...]:
        return (Rate(10, 1.0), *self.service_rates) if self.config.rate is None else self.config.rate

    @property
    def retry(self) -> Retry:
        return self.config.retry

    @abstractmethod
    def build(self, message: Message) -> Request:
        """The request that carries the message."""

    def classify(self, response: Response) -> Outcome:
        """HTTP's own rules; a sink overrides only where its API differs."""
        match response.status:
            case status if 200 <= status < 300:
                return Delivered()
            case 429:
                return Limited(retry_after(response) or 1.0)
            case 401 | 403 | 404 | 410:
                return Gone(f"HTTP {response.status}")
            case 408 | 425:
                return Away(f"HTTP {response.status}", retry_after(response))
            case status if status >= 500:
                return Away(f"HTTP {status}", retry_after(response))
            case status:
                return Refused(f"HTTP {status}")

    def pause(self, response: Response) -> float:
        """Seconds to stay quiet, where the service's headers say that the allowance is used up."""
        return 0.0

    async def send(self, message: Message) -> Attempt:
        return await self.exchange(self.build(message))

    async def exchange(self, request: Request) -> Attempt:
        """One request and its judgement. No response at all is Away."""
        proxy = self.config.proxy.get_secret_value() if self.config.proxy else None
        try:
            response = await self.tools.http.send(request, timeout=self.config.timeout, proxy=proxy)
        except Unanswered as error:
            return Attempt(Away(str(error)))
        answer = self.mask(response.body.decode("utf-8", "replace").replace("\x00", "�"))
        return Attempt(self._masked(self.classify(response)), response.status, answer[:ANSWER_KEPT], self.pause(response))

    def mask(self, text: str) -> str:
        """`text` without the sink's own secrets, which services like to repeat in their errors."""
        for secret in secrets_of(self.config):
            text = text.replace(secret, "***")
        return text

    def _masked(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Away | Refused | Gone):
            return replace(outcome, reason=self.mask(outcome.reason))
        return outcome


def secrets_of(settings: Settings) -> list[str]:
    """Every secret text in the settings, and the telling parts of those that are URLs; the longest first."""
    found: set[str] = set()
    for value in (getattr(settings, name) for name in type(settings).model_fields):
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, SecretStr):
                text = one.get_secret_value()
                found |= {text, *(part for part in re.split(r"[/?&=]", text) if len(part) >= 16)}
    return sorted(found - {""}, key=len, reverse=True)


def retry_after(response: Response) -> float | None:
    """The Retry-After header in seconds, None where it is absent or not a number."""
    try:
        seconds = float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


def json_body(value: Any) -> bytes:
    """Compact UTF-8 JSON, serialised once: what is signed is what is sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def json_object(body: bytes) -> dict[str, Any]:
    """A JSON answer's object, an empty one where it is none."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def clip(text: str, limit: int) -> str:
    """`text` in at most `limit` characters: whole lines, or where the first is too long whole words, then an ellipsis."""
    if len(text) <= limit:
        return text
    room = text[: limit - 1]
    cut = max(room.rfind("\n"), 0) or max(room.rfind(" "), 0) or len(room)
    return room[:cut].rstrip() + "…"
