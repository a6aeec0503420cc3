"""Bale: one message to a chat, by a bot.

Source   docs.bale.ai (sendMessage, editMessageText, deleteMessage, responses); PyPI python-bale-bot (bale/request,
         bale/version.py: 4096 characters; bale/_error.py: 440, descriptions)
Secret   the bot's token, a part of the URL
Sends    POST {api_base}/bot{token}/sendMessage  {chat_id, text, reply_to_message_id, reply_markup}
         POST {api_base}/bot{token}/editMessageText  {chat_id, message_id, text, reply_markup}
         POST {api_base}/bot{token}/deleteMessage  {chat_id, message_id}
Units    characters are counted in UTF-16 units, which is never too few: which it counts, it does not say
Limits   text 4096 characters; its rates are nowhere told: one a second to a chat is what its kind allows
Answers  200 {ok: true, result} delivered · errors {ok: false, error_code, description}, with that status or with 200
         401, 403, 404, 440 and a description of answers.py: gone · 429 and rate limits: limited, for
         `parameters.retry_after` if there is one · other 4xx refused · 5xx away · without that shape: away
         to an edit or an answer: the earlier message is not there any more: it is sent anew
Quirks   text is always read as markdown: there is no parse_mode, no silent message, no preview to be switched off
         440 is what others say with 404
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.foreign import object_at
from bridge.markup.service import Service, ServiceLook
from bridge.message import Digest, Earlier, Message
from bridge.outcome import Delivered, Gone, Limit, Limited, Outcome, Rate, Refused, Spaced
from bridge.people.address import Form
from bridge.settings import OneOrMany
from bridge.sinks.bale.advice import HOSTS, token_advice
from bridge.sinks.bale.answers import DELETED, GONE, LIMITED, LOST, NOT_FOUND, OF_BOT, description_of, has_any
from bridge.sinks.bale.message import BUTTONS, DIGEST_PARTS, digest_payload, message_payload
from bridge.sinks.bale.reachability import chat_reachability
from bridge.sinks.bale.remedies import REMEDIES
from bridge.sinks.bale.service import BALE
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
    seconds,
    short_hash,
    taken_back,
)
from bridge.sinks.buttons import LinkButton, button_blocks
from bridge.sinks.http import Request, Response
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import ReachabilityFlow
from bridge.sinks.settings import EXPRESSION_SCHEMA, FROM_DATA, Advice, ApiBase, Token, of_64_bits
from bridge.value import replace

CHAT = r"-?[0-9]{1,19}|@[A-Za-z][A-Za-z0-9_]{3,31}"
_REF = re.compile(r"(.+)/([0-9]{1,19})")  # the chat, and the message's id there


def _chat(value: Any) -> Any:
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not re.fullmatch(CHAT, text):
        raise ValueError("should be a number such as 4912345678, or the @name of a public channel or group")
    return text if text.startswith("@") else of_64_bits(text)


BaleChatId = Annotated[
    int | str,
    BeforeValidator(_chat),
    FROM_DATA,
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^({CHAT})$"}, EXPRESSION_SCHEMA]}),
]


class BaleConfig(ChatConfig, AddressedConfig):
    """A Bale chat, by a bot's token; or as many as there are owners or nodes."""

    remedies = REMEDIES
    service: ClassVar[Service] = BALE
    address_forms: ClassVar[Mapping[str, Form]] = {
        "chat_id": Form("-?[1-9][0-9]{0,18}", "a number such as 4912345678", of_64_bits)
    }
    hosts: ClassVar[tuple[str, ...]] = HOSTS
    specimen: ClassVar[JsonObject] = {"token": "0:0", "chat_id": 0}
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("token", "Bale bot token (from @botfather)"),
        SetupQuestion("chat_id", "The chat's number, or its @name"),
    )
    type: Literal["bale"] = Field("bale", description="a message to a Bale chat")
    token: Token = Field(description="the bot's token, from @botfather in Bale")
    chat_id: BaleChatId = Field(description="the chat: its number, or the @name of a public one")
    links: OneOrMany[LinkButton] = Field((), max_length=BUTTONS, description="buttons with links under each message")
    api_base: ApiBase = Field("https://tapi.bale.ai", description="where the API is reached")

    def advise(self) -> Iterator[Advice]:
        return token_advice(self.token, self.chat_id, self.api_base)

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        return None

    def open(self, tools: Tools) -> "BaleSink":
        return BaleSink(self, tools)


class BaleSink(HttpSink[BaleConfig]):
    digests = True

    def __init__(self, config: BaleConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._url = URL(f"{config.api_base}/bot{config.token.get_secret_value()}/")

    @property
    def look(self) -> ServiceLook:
        inline = button_blocks(self.config.links)
        return ServiceLook(BALE, inline, self.config.locale, DIGEST_PARTS, self.config.style)

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        if self.addressing is not None:
            return ()
        return (Limit(f"{self.sender} chat {self.config.chat_id}", Rate(1, 1.0)),)

    @property
    def sender(self) -> str:
        return f"bale bot {short_hash(self.config.token.get_secret_value())}"

    @property
    def service_spacing(self) -> tuple[Spaced, ...]:
        return (Spaced(1, 1.0),)

    def build(self, message: Message) -> Request:
        return self._message_request(message, None)

    def ask(self) -> ReachabilityFlow:
        chat = None if self.addressing is not None else self.config.chat_id
        return chat_reachability(self._url, chat, self.classify)

    def build_digest(self, digest: Digest) -> Request:
        return self._request("sendMessage", {"chat_id": self.config.chat_id, **digest_payload(digest)})

    def flow(self, message: Message) -> Flow:
        earlier = message.circumstances.earlier if self._message_id(message) is not None else None
        if earlier is not None and earlier.delete:
            place = {"chat_id": self.config.chat_id, "message_id": self._message_id(message)}
            response = yield self._request("deleteMessage", place)
            already = _is_lost(response, DELETED)
            return taken_back(self.judge(response), already=already, about_earlier=_is_lost(response))
        response = yield self._message_request(message, earlier)
        if earlier is None or not _is_lost(response):
            attempt = self.judge(response)
            if earlier is None or earlier.thread or not isinstance(attempt.outcome, Delivered):
                return attempt
            return replace(attempt, outcome=Delivered(earlier.ref))
        return noted(self.judge((yield self._message_request(message, None))), SENT_ANEW)

    def classify(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        if response.status == 429 or answer.get("error_code") == 429 or has_any(_description(response), LIMITED):
            return Limited(seconds(object_at(answer, "parameters").get("retry_after")) or retry_after(response))
        return super().classify(response)

    def concerns_all(self, response: Response) -> bool:
        return response.status == 401 or has_any(_description(response), OF_BOT)

    def interpret(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        if 200 <= response.status < 300 and answer.get("ok") is True:
            return Delivered(ref=self._reference(answer))
        if not (said := description_of(answer)):
            return in_between(response)
        code = answer["error_code"] if isinstance(answer["error_code"], int) else response.status
        reason = f"HTTP {code}: {said}"
        return Gone(reason) if code in (401, 403, 404, NOT_FOUND) or has_any(said, GONE) else Refused(reason)

    def _message_request(self, message: Message, earlier: Earlier | None) -> Request:
        """The request that carries the message: a new one, an answer, or the edit of an earlier one."""
        body = {"chat_id": self.config.chat_id, **message_payload(message, len(self.config.links))}
        if earlier is None:
            return self._request("sendMessage", body)
        id_ = self._message_id(message)
        if earlier.thread:
            return self._request("sendMessage", body | {"reply_to_message_id": id_})
        return self._request("editMessageText", body | {"message_id": id_})

    def _request(self, method: str, body: JsonObject) -> Request:
        return Request("POST", self._url / method, dump(body), {"Content-Type": "application/json"})

    def _message_id(self, message: Message) -> int | None:
        """The id of the earlier message, None where there is none in this chat."""
        earlier = message.circumstances.earlier
        named = _REF.fullmatch(earlier.ref) if earlier is not None else None
        return int(named[2]) if named is not None and named[1] == str(self.config.chat_id) else None

    def _reference(self, answer: JsonObject) -> str | None:
        ref = f"{self.config.chat_id}/{object_at(answer, 'result').get('message_id')}"
        return ref if _REF.fullmatch(ref) else None


def _description(response: Response) -> str:
    """The description; what is no JSON may be a rate limit all the same."""
    if description := description_of(json_object(response.body)):
        return description
    return response.body[:100].decode("utf-8", "replace") if response.status >= 400 else ""


def _is_lost(response: Response, phrases: tuple[str, ...] = LOST) -> bool:
    said = description_of(json_object(response.body))
    return bool(said) and has_any(said, phrases) and not has_any(said, GONE)
