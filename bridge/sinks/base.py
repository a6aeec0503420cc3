"""What a sink is: two pure steps, `build` and `classify`, and the one `send` around them.

Most services speak HTTP: `HttpSink` knows its rules. One with a protocol of its own is a `ServiceSink` that says how a
request is answered.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

from bridge.event import Event
from bridge.foreign import json_object as json_object
from bridge.foreign import object_at
from bridge.markup.service import ServiceLook
from bridge.message import Dialect, Digest, Message
from bridge.outcome import Attempt, Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused, Spaced
from bridge.people.address import Address, Addressing
from bridge.sealing import Sealer
from bridge.sinks.attempts import as_message as as_message
from bridge.sinks.attempts import noted as noted
from bridge.sinks.attempts import taken_back as taken_back
from bridge.sinks.http import Http, ProxyRefused, Request, Response, Unanswered
from bridge.sinks.http import OnSent as OnSent
from bridge.sinks.picture import draw_ahead
from bridge.sinks.reachability import Finding, FindingMark, HostOnly, ReachabilityFlow
from bridge.sinks.responses import BETWEEN, is_front, moved
from bridge.sinks.responses import MILLISECOND as MILLISECOND
from bridge.sinks.responses import in_between as in_between
from bridge.sinks.responses import is_page as is_page
from bridge.sinks.responses import retry_after as retry_after
from bridge.sinks.responses import seconds as seconds
from bridge.sinks.secrets import KnownSecrets
from bridge.sinks.settings import AddressedConfig as AddressedConfig
from bridge.sinks.settings import ChatConfig as ChatConfig
from bridge.sinks.settings import ProgramConfig as ProgramConfig
from bridge.sinks.settings import Retry as Retry
from bridge.sinks.settings import SinkConfig as SinkConfig
from bridge.sinks.settings import address_of as address_of
from bridge.sinks.settings import short_hash as short_hash
from bridge.sinks.text import clip as clip
from bridge.terms import Quiet, Storm
from bridge.value import Value, replace

ANSWER_KEPT = 4096  # characters of a service's answer that are kept
AT_ONCE = 8  # messages of a chat with many addresses that may be on their way
REASON_KEPT = 300  # characters of a reason: it is read in a table

#: What a sink said of a message that was to be edited or answered, and could not be.
SENT_ANEW = "the earlier message is not there any more: sent anew"

#: The requests of one attempt: each is given its response, and in the end there is the attempt.
Flow = Generator[Request, Response, Attempt]

C = TypeVar("C", bound=SinkConfig)


class Tools(Value):
    """What the composition root hands a sink: the socket, how to speak each dialect, and what opens originals."""

    http: Http
    dialects: Mapping[str, Dialect]
    sealer: Sealer | None = None


class Sink(Protocol):
    """All that a lane knows of a sink."""

    @property
    def look(self) -> ServiceLook: ...

    @property
    def limits(self) -> tuple[Limit, ...]: ...

    @property
    def retry(self) -> Retry: ...

    @property
    def quiet(self) -> Quiet | None: ...

    @property
    def storm(self) -> Storm | None: ...

    @property
    def concurrency(self) -> int:
        """How many messages may be on their way at once."""
        ...

    @property
    def digests(self) -> bool:
        """Whether it can tell several events as one message."""
        ...

    @property
    def address(self) -> str:
        """A short hash of the settings: another one where the operator has changed them."""
        ...

    @property
    def addressing(self) -> Addressing | None:
        """How the address of each message is found; None where they all go to the same one."""
        ...

    @property
    def sender(self) -> str:
        """As whom it speaks: what one address says of it, holds for whatever else speaks as the same."""
        ...

    @property
    def spacing(self) -> tuple[Spaced, ...]:
        """How fast one of its many addresses may be spoken to; asked of the sink for that address."""
        ...

    def at(self, address: Address) -> "Sink":
        """The same for one address, where it has many."""
        ...

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt: ...

    async def send_digest(self, digest: Digest, on_sent: OnSent = None) -> Attempt: ...


class ServiceSink(ABC, Generic[C]):
    """A sink that asks a service: one request per message, or as many as its `flow` says, each answered in turn."""

    #: Whether it can tell several events as one message; then it has `build_digest`.
    digests: bool = False
    #: Whether it speaks to one of many addresses.
    is_one_of_many: bool = False

    def __init__(self, config: C, tools: Tools) -> None:
        self.config = config
        self.tools = tools
        self._secrets = KnownSecrets(config)
        self.proxy = config.proxy.get_secret_value() if config.proxy else None
        self.address = address_of(config)
        self.addressing = config.addressing()

    @property
    def look(self) -> ServiceLook:
        return ServiceLook(locale=self.config.locale)

    @property
    def limits(self) -> tuple[Limit, ...]:
        """What the operator says; else 10/s for who reads it all, and what the service allows. What averts a ban holds.

        Where there are many addresses nobody reads it all: what the service allows over all of them is enough.
        """
        if self.config.rate is None:
            enough = self.addressing is not None and any(limit.sends for limit in self.service_limits)
            return (*(() if enough else (Limit("", Rate(10, 1.0)),)), *self.service_limits)
        guards = (limit for limit in self.service_limits if not limit.sends)
        return (*(Limit("", rate) for rate in self.config.rate), *guards)

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        """What the service allows, where it says so."""
        return ()

    @property
    def retry(self) -> Retry:
        return self.config.retry

    @property
    def quiet(self) -> Quiet | None:
        return self.config.quiet

    @property
    def storm(self) -> Storm | None:
        return self.config.storm

    @property
    def concurrency(self) -> int:
        if isinstance(self.config, ProgramConfig):
            return self.config.concurrency
        return 1 if self.addressing is None else AT_ONCE

    @property
    def sender(self) -> str:
        return type(self).__name__

    @property
    def spacing(self) -> tuple[Spaced, ...]:
        """What the operator says, else what the service allows."""
        said = self.config.rate_each if isinstance(self.config, AddressedConfig) else None
        return self.service_spacing if said is None else tuple(map(Spaced.within, said))

    @property
    def service_spacing(self) -> tuple[Spaced, ...]:
        """What the service allows each of many addresses, where it says so."""
        return ()

    def at(self, address: Address) -> Self:
        """The same for one address, where it has many: its settings stand in the place of the expressions."""
        locale = {"locale": address.locale} if address.locale else {}
        sink = type(self)(self.config.bound({**address.settings, **locale}), self.tools)
        sink.is_one_of_many = True
        return sink

    @abstractmethod
    def build(self, message: Message) -> Request:
        """The request that carries the message."""

    @abstractmethod
    def ask(self) -> ReachabilityFlow | HostOnly:
        """The requests that find out whether it would take a message, and tell the service nothing."""

    def build_digest(self, digest: Digest) -> Request:
        """The request that carries a digest, for a sink that `digests`."""
        raise TypeError(f"{type(self).__name__} takes every event by itself")

    @abstractmethod
    def classify(self, response: Response) -> Outcome:
        """What an answer means."""

    @abstractmethod
    async def respond(self, request: Request, *, within: float, on_sent: OnSent = None) -> Response:
        """The service's answer to a request; raise Unanswered where there is none within so many seconds."""

    def concerns_all(self, response: Response) -> bool:
        """Of a sink with many addresses: whether what is gone is what they all need, as a bot's token."""
        return False

    def pause(self, response: Response) -> float:
        """Seconds to stay quiet, where the service's headers say that the allowance is used up."""
        return 0.0

    def flow(self, message: Message) -> Flow:
        """The requests that carry a message: one here. A service that needs more says which follows on which answer."""
        return self.judge((yield self.build(message)))

    def digest_flow(self, digest: Digest) -> Flow:
        """The requests that carry a digest."""
        return self.judge((yield self.build_digest(digest)))

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        await draw_ahead(message)
        return await self._carry(self.flow(message), on_sent)

    async def send_digest(self, digest: Digest, on_sent: OnSent = None) -> Attempt:
        return await self._carry(self.digest_flow(digest), on_sent)

    async def asked(self, *, within: float) -> Finding:
        """What the service says when it is asked; nothing is sent. `within`: seconds for each request."""
        asking = self.ask()
        try:
            if isinstance(asking, HostOnly) and not asking.url.host:
                return Finding(FindingMark.UNKNOWN, asking.why)
            if isinstance(asking, HostOnly):
                await self.tools.http.reach(asking.url, within=within, proxy=self.proxy, ca=self.config.ca)
                return Finding(FindingMark.UNKNOWN, f"{asking.url.host} answers; {asking.why}")
            request = next(asking)
            while True:
                request = asking.send(await self.respond(request, within=within))
        except StopIteration as end:
            finding: Finding = end.value
            return replace(finding, text=clip(self.mask(finding.text), REASON_KEPT))
        except Unanswered as error:
            return Finding(FindingMark.WRONG, self.mask(str(error)))

    async def _carry(self, flow: Flow, on_sent: OnSent) -> Attempt:
        """One attempt: each request of the flow is answered in turn. No response at all is Away."""
        requests = 0
        try:
            request = next(flow)
            while True:
                requests += 1
                try:
                    response = await self.respond(request, within=self.config.timeout, on_sent=on_sent)
                except Unanswered as error:
                    request = flow.throw(error)  # who has told something already may leave it at that
                else:
                    request = flow.send(response)
        except StopIteration as end:
            attempt: Attempt = end.value
            return replace(attempt, requests=requests) if requests > 1 else attempt
        except Unanswered as error:
            return Attempt(self._masked(Away(str(error), counts=not isinstance(error, ProxyRefused))))

    def judge(self, response: Response) -> Attempt:
        """The outcome of a response, with the evidence."""
        answer = self.mask(response.body.decode("utf-8", "replace").replace("\x00", "�"))
        outcome = self._masked(self.classify(response))
        if isinstance(outcome, Gone) and self.is_one_of_many and not self.concerns_all(response):
            outcome = replace(outcome, where="address")
        return Attempt(outcome, response.status, answer[:ANSWER_KEPT], self.pause(response))

    def mask(self, text: str) -> str:
        """`text` without the sink's own secrets, which services like to repeat in their errors."""
        return self._secrets.mask(text)

    def _masked(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Away | Refused | Gone):
            return replace(outcome, reason=clip(self.mask(outcome.reason), REASON_KEPT))
        return outcome


class HttpSink(ServiceSink[C]):
    """A sink that speaks HTTP."""

    def classify(self, response: Response) -> Outcome:
        """HTTP's own rules; what they leave open the service's own words say: `interpret`."""
        match response.status:
            case 301 | 308:
                return moved(response)
            case status if 300 <= status < 400 or status in BETWEEN:
                return in_between(response)
            case 408 | 425:
                return Away(f"HTTP {response.status}", retry_after(response))
            case 413:
                return Refused(f"HTTP {response.status}")
            case 429:
                return Limited(retry_after(response))
            case status if status >= 500:
                return Away(f"HTTP {status}", retry_after(response))
            case _:
                return self.interpret(response)

    def interpret(self, response: Response) -> Outcome:
        """What an answer means that the service itself may have given; a sink overrides it, for services differ.

        One without a shape of its own is gone by 410 alone: 401, 403 and 404 are what gateways say, too.
        """
        if is_front(response):
            return in_between(response)
        match response.status:
            case status if 200 <= status < 300:
                return Delivered()
            case 401 | 403 | 404:
                return Away(f"HTTP {response.status}", retry_after(response))
            case 410:
                return Gone("HTTP 410")
            case status:
                return Refused(f"HTTP {status}")

    async def respond(self, request: Request, *, within: float, on_sent: OnSent = None) -> Response:
        ca = self.config.ca
        return await self.tools.http.send(request, within=within, proxy=self.proxy, ca=ca, on_sent=on_sent)


def object_in(event: Event, key: str) -> Mapping[str, Any]:
    """What is known under `key`, an empty object where it is none: a source may say of anything anything."""
    return object_at(event.data, key)
