"""Apprise: what has no sink of its own, through the library of that name: Microsoft Teams, Google Chat, Rocket.Chat,
Gotify, Pushover, Synology Chat, Signal, an Apprise API.

Source   PyPI apprise 2.2.0 (github.com/caronc/apprise), an extra: `pip install 'panelbridge[apprise]'`
Secret   the address
Sends    a title and a text, in markdown or in plain words, by the plug-in of the address's scheme
Limits   by scheme: schemes.py
Answers  Apprise says yes or no; what that is worth is told by the service's own answer: answers.py
         200 in the service's own words delivered · 202 and other receipts refused, unless `unconfirmed` · 204 gone
         4xx in the service's words gone or refused · 424, 5xx away · 429 limited
Quirks   a message is never edited or answered; an address tells one place alone
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator
from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.foreign import json_object
from bridge.markup.service import Service, ServiceLook
from bridge.message import Digest, Message
from bridge.outcome import Limit, Outcome
from bridge.sinks.apprise.advice import address_advice
from bridge.sinks.apprise.answers import NO, SAID, UNASKED, YES, decisive, is_told, refused, taken
from bridge.sinks.apprise.message import DIGEST_PARTS, digest_content, message_content
from bridge.sinks.apprise.plugin import INSTALL, Threads
from bridge.sinks.apprise.remedies import REMEDIES
from bridge.sinks.apprise.schemes import FORBIDDEN, SCHEMES, place_of, scheme_of
from bridge.sinks.apprise.service import APPRISE
from bridge.sinks.base import ChatConfig, HttpSink, OnSent, Tools, short_hash
from bridge.sinks.deadlines import answered_within
from bridge.sinks.http import Request, Response, Unanswered
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import HostOnly
from bridge.sinks.settings import Advice
from bridge.value import replace


def _address(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if "://" not in text or scheme_of(text) not in SCHEMES:
        raise ValueError(f"should begin with one of {', '.join(f'{name}://' for name in SCHEMES)}")
    if not text.isprintable() or " " in text:
        raise ValueError("should be one address, in one line without spaces")
    try:
        url = URL(text)
    except ValueError:
        raise ValueError("should be an address: Apprise's wiki says what belongs into it") from None
    if found := sorted(FORBIDDEN & {name.lower().lstrip("+-:") for name in url.query}):
        raise ValueError(f"should be without {', '.join(found)}: of these the bridge takes care itself")
    if "@" in url.path and scheme_of(text).startswith("rocket"):
        raise ValueError("should have the webhook in its query: rocket://host/?webhook=id/token")
    if not url.host:
        raise ValueError("should name whom it leads to")
    return SecretStr(text)


class AppriseConfig(ChatConfig):
    """A service that has no sink of its own, through Apprise."""

    remedies = REMEDIES
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("url", "Apprise address of a service, as gotify://host/token"),
    )
    service: ClassVar[Service] = APPRISE
    specimen: ClassVar[JsonObject] = {"url": "gotify://localhost/Aaaaaaaaaaaaaaa"}
    type: Literal["apprise"] = Field("apprise", description="a message by Apprise")
    url: Annotated[SecretStr, AfterValidator(_address)] = Field(
        description="the service's address as Apprise writes it, gotify://host/token"
    )
    unconfirmed: bool = Field(
        False, description="true: a service that only says that it took a message, as Teams does, has delivered it"
    )

    @model_validator(mode="after")
    def _can_deliver(self) -> "AppriseConfig":
        if self.scheme.startswith("workflow") and not self.unconfirmed:
            raise ValueError(
                "Teams only says that it started the flow, and never whether it posted: say unconfirmed: true"
            )
        return self

    @property
    def scheme(self) -> str:
        return scheme_of(self.url.get_secret_value())

    @property
    def any_address(self) -> bool:
        return True

    def advise(self) -> Iterator[Advice]:
        yield from address_advice(self.url.get_secret_value())

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        return "what Apprise has sent can be neither edited nor answered"

    def open(self, tools: Tools) -> "AppriseSink":
        return AppriseSink(self, tools)


class AppriseSink(HttpSink[AppriseConfig]):
    digests = True

    def __init__(self, config: AppriseConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._address = config.url.get_secret_value()
        self._scheme = SCHEMES[config.scheme]
        self._place = place_of(self._address)

    @property
    def look(self) -> ServiceLook:
        return ServiceLook(APPRISE, locale=self.config.locale, parts=DIGEST_PARTS, style=self.config.style)

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        return (Limit(f"apprise {short_hash(self._address)}", self._scheme.rate),)

    def build(self, message: Message) -> Request:
        return self._request(message_content(message, self._scheme))

    def build_digest(self, digest: Digest) -> Request:
        return self._request(digest_content(digest, self._scheme))

    def ask(self) -> HostOnly:
        return HostOnly(self._place, "whether it takes a message is seen by one alone")

    def classify(self, response: Response) -> Outcome:
        if response.status == UNASKED or 200 <= response.status < 300:
            return taken(response, self._scheme, unconfirmed=self.config.unconfirmed)
        return super().classify(response)

    def interpret(self, response: Response) -> Outcome:
        return refused(response, self._scheme)

    async def respond(self, request: Request, *, within: float, on_sent: OnSent = None) -> Response:
        """The answer that counts, with what Apprise made of it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        answers: list[Response] = []
        failures: list[Unanswered] = []

        async def answered(one: Request) -> Response:
            left = until - loop.time()
            if left <= 0:
                raise Unanswered(f"no answer within {within:g} s")
            ca = self.config.ca
            return await self.tools.http.send(one, within=left, proxy=self.proxy, ca=ca, on_sent=on_sent)

        def ask(one: Request) -> Response:
            try:
                answer = asyncio.run_coroutine_threadsafe(answered(one), loop).result()
            except Unanswered as error:
                failures.append(error)
                raise
            answers.append(answer)
            return answer

        threads = self.tools.http.beside(Threads)
        try:
            async with answered_within(within):
                said = await threads.run(self._address, json_object(request.body), ask)
        except TimeoutError:
            raise Unanswered(f"no answer within {within:g} s") from None
        except ModuleNotFoundError:
            raise Unanswered(INSTALL) from None
        finally:
            until = float("-inf")  # the thread of who is cancelled goes on, and asks nothing more
        answer = decisive(answers, self._scheme)
        if failures and not is_told(answer, self._scheme):
            raise failures[0]
        return replace(answer, headers={**answer.headers, SAID: YES if said else NO})

    def _request(self, content: JsonObject) -> Request:
        return Request("NOTIFY", self._place, dump({"scheme": self.config.scheme, **content}))
