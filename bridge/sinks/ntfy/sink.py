"""ntfy: one notification to a topic, at ntfy.sh or at a server of one's own.

Source   docs.ntfy.sh/publish/#publish-as-json, #limitations (the day's 250); github.com/binwiederhier/ntfy @ 81a486a
         (13 July 2025): server/errors.go, server.go, config.go
Secret   the topic, for who knows it may read and write it; and an access token, in `Authorization: Bearer`
Sends    POST {api_base}/  {topic, title, message, priority, tags, icon, click, actions}
         priority and a tag by the type of the event, unless the sink has a priority of its own: meaning.py
Limits   message 4096 bytes, what is longer becomes an attachment; 8192 bytes in all, as JSON has them
         60 requests at once and one more every 5 s; 250 messages a day at ntfy.sh
Answers  200 {id, event: "message", …} delivered · errors are {code, http, error}, http being the status
         the code decides, by the table in answers.py: gone; all others refused
         an answer without that shape: away, something in between
         429 limited, and says not for how long: a while, by its code · 413 refused · 5xx away
Quirks   a message is never edited or answered: whatever comes later is a new one
         numbers as text and a priority beyond 5 are refused; without a title it shows the topic's address
         more than three actions, or one without label or url, are refused
         tags go on joined by commas; a token is passed over by a server that knows no users
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator
from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.markup.service import Service, ServiceLook
from bridge.message import Digest, Message
from bridge.outcome import Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.people.address import Form
from bridge.settings import OneOrMany, Settings
from bridge.sinks.base import (
    AddressedConfig,
    ChatConfig,
    HttpSink,
    Tools,
    in_between,
    json_object,
    retry_after,
    short_hash,
)
from bridge.sinks.http import Request, Response
from bridge.sinks.ntfy.advice import HOSTS, base_advice, token_advice, topic_advice
from bridge.sinks.ntfy.answers import GONE, WAIT, WAITS, code_of, is_own
from bridge.sinks.ntfy.meaning import priority_of, tags_of
from bridge.sinks.ntfy.message import ACTIONS, DIGEST_PARTS, digest_payload, fitted, links, message_payload
from bridge.sinks.ntfy.reachability import server_reachability
from bridge.sinks.ntfy.service import NTFY
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import ReachabilityFlow
from bridge.sinks.settings import SECRET_FROM_DATA, Advice, ApiBase, PictureUrl, Token

PUBLIC = "ntfy.sh"
LOW = 2  # the priority that makes neither a sound nor the phone tremble
SETTINGS_SIZE = 3000  # bytes of tags and picture together: the message beside them has room in any case


def _topic(value: SecretStr) -> SecretStr:
    if not re.fullmatch("[-_A-Za-z0-9]{1,64}", value.get_secret_value()):
        raise ValueError("should be up to 64 letters, digits, - and _")
    return value


def _tag(value: str) -> str:
    if not value.strip() or "," in value or not value.isprintable():
        raise ValueError("should be one word, or the name of an emoji, without a comma")
    return value


class NtfyAction(Settings):
    """A button below the notification."""

    label: str = Field(description="what the button says, a template")
    url: str = Field(description="where it leads, a template; left out where it is no http or https address")


class NtfyConfig(ChatConfig, AddressedConfig):
    """An ntfy topic; or as many as there are owners or nodes."""

    service: ClassVar[Service] = NTFY
    address_forms: ClassVar[Mapping[str, Form]] = {
        "topic": Form("[-_A-Za-z0-9]{1,64}", "up to 64 letters, digits, - and _", SecretStr, place=short_hash)
    }
    hosts: ClassVar[tuple[str, ...]] = HOSTS
    specimen: ClassVar[JsonObject] = {"topic": "panelbridge"}
    questions: ClassVar[Sequence[SetupQuestion]] = (SetupQuestion("topic", "ntfy topic (a name that nobody guesses)"),)
    type: Literal["ntfy"] = Field("ntfy", description="a notification to an ntfy topic")
    topic: Annotated[Token, AfterValidator(_topic), SECRET_FROM_DATA] = Field(
        description="the topic; who knows it can read it"
    )
    token: Token | None = Field(None, description="an access token, tk_…, where the topic asks for one")
    priority: int | None = Field(
        None, ge=1, le=5, description="from 1, unseen, to 5, urgent; by what the event means if not given"
    )
    tags: OneOrMany[Annotated[str, AfterValidator(_tag)]] = Field(
        (), max_length=10, description="tags; names of emojis are shown as these"
    )
    icon: PictureUrl | None = Field(None, description="the picture beside it")
    click: str | None = Field(None, description="where a touch leads, a template")
    actions: OneOrMany[NtfyAction] = Field((), max_length=ACTIONS, description="buttons below it")
    api_base: ApiBase = Field("https://ntfy.sh", description="where the server is reached")

    @model_validator(mode="after")
    def _leaves_room(self) -> "NtfyConfig":
        if len(dump([self.tags, self.icon])) > SETTINGS_SIZE:
            raise ValueError(f"tags and icon together should have no more than {SETTINGS_SIZE} bytes")
        return self

    def advise(self) -> Iterator[Advice]:
        yield from topic_advice(self.topic)
        if self.token is not None:
            yield from token_advice(self.token)
        yield from base_advice(self.api_base)

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        return "a notification can be neither edited nor answered"

    def open(self, tools: Tools) -> "NtfySink":
        return NtfySink(self, tools)


class NtfySink(HttpSink[NtfyConfig]):
    digests = True

    def __init__(self, config: NtfyConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._url = URL(f"{config.api_base}/")
        self._headers = {"Content-Type": "application/json"}
        if config.token is not None:
            self._headers["Authorization"] = f"Bearer {config.token.get_secret_value()}"

    @property
    def look(self) -> ServiceLook:
        buttons = enumerate(self.config.actions)
        inline = [
            pair for i, one in buttons for pair in ((f"action_{i}_label", one.label), (f"action_{i}_url", one.url))
        ]
        inline += [("click", self.config.click)] if self.config.click else []
        return ServiceLook(NTFY, tuple(inline), self.config.locale, DIGEST_PARTS, self.config.style)

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        token = self.config.token
        visitor = f"ntfy {self._url.host}{' ' + short_hash(token.get_secret_value()) if token else ''}"
        daily = (Limit(visitor, Rate(250, 86400.0)),) if self._url.host == PUBLIC else ()
        return (Limit(visitor, Rate(60, 300.0)), *daily)

    def build(self, message: Message) -> Request:
        payload = message_payload(message) | links(message, len(self.config.actions))
        return self._request(payload, [message.event.type], silent=message.circumstances.silent)

    def ask(self) -> ReachabilityFlow:
        token = self.config.token
        return server_reachability(self._url, token.get_secret_value() if token else None, self.classify)

    def build_digest(self, digest: Digest) -> Request:
        return self._request(digest_payload(digest), list(digest.tally.kinds), silent=digest.silent)

    def classify(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        if response.status == 429 and is_own(response.status, answer):
            return Limited(retry_after(response) or WAITS.get(code_of(answer) or 0, WAIT))
        return super().classify(response)

    def interpret(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        if not is_own(response.status, answer):
            return in_between(response)
        if 200 <= response.status < 300:
            return Delivered()
        code = code_of(answer)
        reason = f"HTTP {response.status}, code {code}: {answer['error']}"
        return Gone(reason) if code in GONE else Refused(reason)

    def _request(self, payload: JsonObject, types: Sequence[str], *, silent: bool) -> Request:
        config = self.config
        body: JsonObject = {"topic": config.topic.get_secret_value(), **payload}
        priority = min(LOW, config.priority or LOW) if silent else config.priority or priority_of(types)
        body |= {"priority": priority} if priority is not None else {}
        body |= {"tags": tags} if (tags := [*config.tags, *tags_of(types)]) else {}
        body |= {"icon": config.icon} if config.icon else {}
        return Request("POST", self._url, dump(fitted(body)), self._headers)
