"""MAX: one message to a chat, a channel or a person, by a bot.

Source   github.com/max-messenger/max-bot-api-client-ts @ e75aa71: src/core/network/api/ (client.ts, modules/messages,
         modules/chats, types); PyPI maxapi 1.2.3 (maxapi/methods, utils/formatting.py), aiomax 2.12.5
         (aiomax/utils.py); dev.max.ru/docs-api (messages, limits)
Secret   the bot's token, in `Authorization`, without Bearer
Sends    POST {api_base}/messages?chat_id=… or ?user_id=…  {text, format: html, attachments, link, notify}
         PUT {api_base}/messages?message_id=…  {text, format, attachments, notify}: an earlier message, edited
         DELETE {api_base}/messages?message_id=…: an earlier message, taken back
Limits   text 4000 characters with markup; buttons 7 a row and 30 rows, their text 128, their link 2,048
         30 requests a second for the bot, 2 messages a second to a chat, a channel or a person
Answers  200 {message: {body: {mid}}} delivered; to a change {success: true} · errors are {code, message}, or
         {success: false, message}: the code decides, by the tables in answers.py: gone, away; 401, 403, 404 gone
         429 limited, and says not for how long · 5xx away · other 4xx refused · without any of these shapes: away
         to a change or an answer: whatever it refuses but for the bot and the chat: it is sent anew
         400 about a button: sent again at once without them
Quirks   a message's id is one in all chats: it is remembered with its chat, and changed in that one alone
         an edit without `attachments` keeps the buttons: they are always said
         a dialogue's chat_id is found by its person alone: `user_id` reaches people
Open     whether a plain @name mentions; what it says to HTML that it cannot read; for how long a message may be edited
"""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.markup.service import Service, ServiceLook
from bridge.message import Digest, Earlier, Message
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused, Spaced
from bridge.people.address import Form
from bridge.posted import is_silent
from bridge.settings import OneOrMany
from bridge.sinks.base import (
    SENT_ANEW,
    AddressedConfig,
    ChatConfig,
    Flow,
    HttpSink,
    Tools,
    in_between,
    json_object,
    noted,
    retry_after,
    short_hash,
    taken_back,
)
from bridge.sinks.buttons import NO_BUTTONS, LinkButton, button_blocks
from bridge.sinks.http import Request, Response
from bridge.sinks.max.advice import HOST, HOSTS, host_advice, token_advice
from bridge.sinks.max.answers import (
    AWAY,
    LIMITED,
    OF_BOT,
    OF_CHAT,
    UNKNOWN_BOT,
    fault_of,
    is_not_found,
    mid_of,
    refused_button,
)
from bridge.sinks.max.message import BUTTONS, DIGEST_PARTS, digest_payload, message_payload
from bridge.sinks.max.reachability import UNASKED, chat_reachability
from bridge.sinks.max.remedies import REMEDIES
from bridge.sinks.max.service import MAX
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import ADDRESS_FROM_DATA, ReachabilityFlow
from bridge.sinks.settings import EXPRESSION_SCHEMA, FROM_DATA, Advice, ApiBase, Token, of_64_bits
from bridge.value import replace

CHAT = Form("-?[1-9][0-9]{0,18}", "a number such as -72233445566778", of_64_bits)
PERSON = Form("[1-9][0-9]{0,18}", "the number of a person", of_64_bits)
_REF = re.compile(r"(chat|user):(-?[0-9]{1,19})/([\x21-\x7e]{1,200})")  # where it is, and its id


def _written_as(form: Form) -> BeforeValidator:
    """What the file gives has the form of what comes out of data; as a number or as a text."""
    return BeforeValidator(lambda value: form.read(str(value).strip()))


MaxChatId = Annotated[
    int | str,
    _written_as(CHAT),
    FROM_DATA,
    WithJsonSchema({"anyOf": [{"type": "integer"}, EXPRESSION_SCHEMA]}),
]
PersonId = Annotated[
    int | str,
    _written_as(PERSON),
    FROM_DATA,
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, EXPRESSION_SCHEMA]}),
]


class MaxConfig(ChatConfig, AddressedConfig):
    """A MAX chat, channel or person, by a bot's token; or as many as there are owners or nodes."""

    remedies = REMEDIES
    service: ClassVar[Service] = MAX
    address_forms: ClassVar[Mapping[str, Form]] = {"chat_id": CHAT, "user_id": PERSON}
    hosts: ClassVar[tuple[str, ...]] = HOSTS
    specimen: ClassVar[JsonObject] = {"token": "0", "chat_id": 1}
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("token", "MAX bot token (business.max.ru, Chat bots, Integration)"),
        SetupQuestion("chat_id", "The chat's number, as -72233445566778"),
    )
    type: Literal["max"] = Field("max", description="a message to a MAX chat")
    token: Token = Field(description="the bot's token, from business.max.ru")
    chat_id: MaxChatId | None = Field(None, description="the chat or channel: its number")
    user_id: PersonId | None = Field(None, description="or the person: their number")
    link_preview: bool = Field(False, description="true: the first link is shown with a preview")
    links: OneOrMany[LinkButton] = Field((), max_length=BUTTONS, description="buttons with links under each message")
    api_base: ApiBase = Field(f"https://{HOST}", description="where the API is reached")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.chat_id is None) == (self.user_id is None):
            raise ValueError("give either chat_id or user_id")
        return self

    def advise(self) -> Iterator[Advice]:
        yield from token_advice(self.token)
        yield from host_advice(self.api_base, self.ca)

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        return None

    def open(self, tools: Tools) -> "MaxSink":
        return MaxSink(self, tools)


class MaxSink(HttpSink[MaxConfig]):
    digests = True

    def __init__(self, config: MaxConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._url = URL(f"{config.api_base}/")
        self._headers = {"Content-Type": "application/json", "Authorization": config.token.get_secret_value()}

    @property
    def look(self) -> ServiceLook:
        inline = button_blocks(self.config.links)
        return ServiceLook(MAX, inline, self.config.locale, DIGEST_PARTS, self.config.style)

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        bot = Limit(self.sender, Rate(30, 1.0))
        if self.addressing is not None:
            return (bot,)
        return (bot, Limit(f"{self.sender} {self._place}", Rate(2, 1.0)))

    @property
    def sender(self) -> str:
        return f"max bot {short_hash(self.config.token.get_secret_value())}"

    @property
    def service_spacing(self) -> tuple[Spaced, ...]:
        return (Spaced(1, 0.5),)

    @property
    def _place(self) -> str:
        """Where messages go, as what was said there is remembered with."""
        config = self.config
        return f"chat:{config.chat_id}" if config.chat_id is not None else f"user:{config.user_id}"

    def build(self, message: Message) -> Request:
        return self._message_request(message, None, len(self.config.links))

    def ask(self) -> ReachabilityFlow:
        chat, why = (self.config.chat_id, UNASKED) if self.addressing is None else (None, ADDRESS_FROM_DATA)
        return chat_reachability(self._url, self._headers, chat, why, self.classify)

    def build_digest(self, digest: Digest) -> Request:
        return self._send_request(digest_payload(digest), silent=digest.silent)

    def flow(self, message: Message) -> Flow:
        earlier = message.circumstances.earlier
        mid = self._message_id(earlier)
        if earlier is not None and mid is not None and earlier.delete:
            response = yield self._change("DELETE", mid)
            already = _is_changed(response) or is_not_found(json_object(response.body))
            return taken_back(self.judge(response), already=already, about_earlier=_is_lost(response))
        response, note = yield from self._asked(message, earlier if mid is not None else None)
        if earlier is None or mid is None or not _is_lost(response):
            attempt = self.judge(response)
            changed = mid is not None and _is_changed(response)
            attempt = replace(attempt, outcome=Delivered(earlier.ref)) if earlier is not None and changed else attempt
            return noted(attempt, note)
        response, note = yield from self._asked(message, None)
        return noted(self.judge(response), SENT_ANEW, note)

    def _asked(self, message: Message, earlier: Earlier | None) -> Generator[Request, Response, tuple[Response, str]]:
        """The answer to the message, and what is to be known of it: where a button is refused, it goes without them."""
        response = yield self._message_request(message, earlier, len(self.config.links))
        said = refused_button(response.status, json_object(response.body))
        if not said or not self.config.links:
            return response, ""
        return (yield self._message_request(message, earlier, 0)), self.mask(f"{NO_BUTTONS}: {said}")

    def classify(self, response: Response) -> Outcome:
        fault = fault_of(json_object(response.body))
        if response.status == 429 or (fault is not None and fault[0] == LIMITED):
            return Limited(retry_after(response))
        return super().classify(response)

    def concerns_all(self, response: Response) -> bool:
        fault = fault_of(json_object(response.body))
        return response.status == 401 or (fault is not None and fault[0] in OF_BOT)

    def interpret(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        taken = 200 <= response.status < 300
        if taken and (mid := mid_of(answer)) is not None:
            return Delivered(ref=f"{self._place}/{mid}")
        if response.status == 401 and response.body.startswith(UNKNOWN_BOT.encode()):
            return Gone(f"HTTP 401: {UNKNOWN_BOT}")
        if (fault := fault_of(answer)) is None:
            return in_between(response)
        code, said = fault
        reason = ": ".join(filter(None, (f"HTTP {response.status}", code, said)))
        if code in AWAY:
            return Away(reason, retry_after(response))
        return Gone(reason) if response.status in (401, 403, 404) or code in OF_BOT | OF_CHAT else Refused(reason)

    def _message_request(self, message: Message, earlier: Earlier | None, links: int) -> Request:
        """The request that carries the message: a new one, an answer, or the edit of an earlier one."""
        body = message_payload(message, links)
        silent = message.circumstances.silent or is_silent(message.event)
        mid = self._message_id(earlier)
        if earlier is None or mid is None:
            return self._send_request(body, silent=silent)
        if earlier.thread:
            return self._send_request(body | {"link": {"type": "reply", "mid": mid}}, silent=silent)
        return self._change("PUT", mid, body | {"notify": False})

    def _send_request(self, body: JsonObject, *, silent: bool) -> Request:
        config = self.config
        where = {"chat_id": config.chat_id} if config.chat_id is not None else {"user_id": config.user_id}
        url = (self._url / "messages").with_query({name: str(one) for name, one in where.items()})
        if not config.link_preview:
            url = url.update_query(disable_link_preview="true")
        return Request("POST", url, dump(body | ({"notify": False} if silent else {})), self._headers)

    def _change(self, method: str, mid: str, body: JsonObject | None = None) -> Request:
        url = (self._url / "messages").with_query(message_id=mid)
        return Request(method, url, dump(body) if body is not None else b"", self._headers)

    def _message_id(self, earlier: Earlier | None) -> str | None:
        """The id of an earlier message, None where it is not in this chat."""
        named = _REF.fullmatch(earlier.ref) if earlier is not None else None
        return named[3] if named is not None and f"{named[1]}:{named[2]}" == self._place else None


def _is_changed(response: Response) -> bool:
    return 200 <= response.status < 300 and json_object(response.body).get("success") is True


def _is_lost(response: Response) -> bool:
    """Whether a change or an answer is refused for what it is about, and not for the bot, the chat or the moment."""
    fault = fault_of(json_object(response.body))
    passes = response.status in (401, 429) or response.status >= 500
    return fault is not None and not passes and fault[0] not in OF_BOT | OF_CHAT | AWAY | {LIMITED}
