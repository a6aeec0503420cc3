"""Telegram: one message to a chat, by a bot.

Source   core.telegram.org/bots/api#sendmessage, #editmessagetext, #replyparameters (10.1), bots/faq;
         github.com/tdlib/telegram-bot-api (Client.cpp) and github.com/tdlib/td (MessageEntity.cpp,
         MessageContent.cpp, HttpReader.cpp, LinkManager.cpp)
Secret   the bot's token, a part of the URL
Sends    POST {api_base}/bot{token}/sendMessage  {chat_id, text, parse_mode: HTML, link_preview_options, …}
         POST {api_base}/bot{token}/editMessageText  {chat_id, message_id, text, …}: an earlier message, edited
         POST {api_base}/bot{token}/deleteMessage  {chat_id, message_id}: an earlier message, taken back
         a setting that is not given is left out: null is read as the word null
Units    lengths in code points, counted after the markup is taken off
Limits   text 4096, 100 entities, 32,768 bytes with markup; 100 buttons
         30 messages a second over all chats, 1 a second in a chat, 20 a minute in a group, all topics together
Answers  200 {ok, result} delivered · 429 limited, for `parameters.retry_after` or Retry-After
         401 token revoked, 403 blocked or kicked, 404 token garbled, 400 with one of the phrases in answers.py, as
         chat not found, not enough rights, TOPIC_CLOSED: gone · an answer without its shape: away, something in between
         400 with `parameters.migrate_to_chat_id`: sent again to the new chat at once
         400 can't parse entities: sent again at once as plain text · other 400 refused · 5xx away
         to an edit: 400 message is not modified: delivered, it says that already
         to an edit or a reply: 400 with one of the phrases in LOST: the earlier message is gone, it is sent anew
Quirks   a message's id means something in its chat alone, and nothing after the chat has moved
         the General topic of a forum is 1 and must be left out
         links without a dot in the host lose their target; a button with such a link is refused with its message
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.markup.service import Look, Service
from bridge.message import Digest, Earlier, Message
from bridge.outcome import Delivered, Gone, Limit, Limited, Outcome, Rate, Refused, Spaced
from bridge.people.address import Form, nowhere
from bridge.posted import is_silent
from bridge.sinks.asking import Asking
from bridge.sinks.base import (
    SENT_ANEW,
    AddressedConfig,
    ChatConfig,
    Flow,
    HttpSink,
    Tools,
    done,
    in_between,
    json_object,
    noted,
    retry_after,
    seconds,
)
from bridge.sinks.buttons import LinkButton, button_blocks
from bridge.sinks.http import Request, Response
from bridge.sinks.questions import Question
from bridge.sinks.settings import EXPRESSION_SCHEMA, FROM_DATA, Advice, ApiBase, Token
from bridge.sinks.telegram.advice import HOSTS, token_advice
from bridge.sinks.telegram.answers import DELETED, LOST, UNCHANGED, is_about_place, is_own
from bridge.sinks.telegram.asking import chat_asking
from bridge.sinks.telegram.chats import chats_heard
from bridge.sinks.telegram.hearing import TelegramEars, bot_of
from bridge.sinks.telegram.mending import MENDING
from bridge.sinks.telegram.message import BUTTONS, DIGEST_PARTS, digest_payload, message_payload
from bridge.sinks.telegram.service import TELEGRAM

GENERAL = 1  # the topic that must not be named
CHAT = r"-?[0-9]{1,19}|@[A-Za-z][A-Za-z0-9_]{3,31}"

_REF = re.compile(r"(.+)/([0-9]{1,18})")  # the chat, and the message's id there


def _chat(value: Any) -> Any:
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not re.fullmatch(CHAT, text):
        raise ValueError("should be a number such as -1001234567890, or the @name of a public channel or group")
    return text if text.startswith("@") else _chat_number(text)


def _thread(value: Any) -> Any:
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,10}", str(value).strip()):
        raise ValueError("should be a whole number")
    if not 1 <= (thread := int(value)) < 2**31:
        raise ValueError("should be at least 1" if thread < 1 else "should be less than 2147483648")
    return thread


def _chat_number(text: str) -> int:
    if abs(int(text)) >= 2**52:
        raise ValueError("should have at most 52 bits, as Telegram's chats have")
    return int(text)


ChatId = Annotated[
    int | str,
    BeforeValidator(_chat),
    FROM_DATA,
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^({CHAT})$"}, EXPRESSION_SCHEMA]}),
]
ThreadId = Annotated[
    int | str,
    BeforeValidator(_thread),
    FROM_DATA,
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, EXPRESSION_SCHEMA]}),
]


class Button(LinkButton):
    """A link under the message."""

    url: str = Field(description="where it leads, a template; left out where it is no http, https or tg link")


class TelegramConfig(ChatConfig, AddressedConfig):
    """A Telegram chat, by a bot's token; or as many as there are owners or nodes."""

    mending = MENDING
    service: ClassVar[Service] = TELEGRAM
    for_customers: ClassVar[bool] = True
    address_forms: ClassVar[Mapping[str, Form]] = {
        "chat_id": Form("-?[1-9][0-9]{0,15}", "a number such as -1001234567890", _chat_number, linked=True),
        "message_thread_id": Form("[0-9]{1,10}", "the number of a topic", _thread, optional=True, place=nowhere),
    }
    hosts: ClassVar[tuple[str, ...]] = HOSTS
    specimen: ClassVar[JsonObject] = {"token": "0:0", "chat_id": 0}
    questions: ClassVar[Sequence[Question]] = (
        Question("token", "Telegram bot token (from @BotFather)"),
        Question(
            "chat_id",
            "The chat's number, as -1001234567890",
            doing="Chat: write /start to the bot, or add it to the group and write anything there …",
            finder=chats_heard,
        ),
    )
    type: Literal["telegram"] = Field("telegram", description="a message to a Telegram chat")
    token: Token = Field(description="the bot's token, from @BotFather")
    chat_id: ChatId = Field(description="the chat: -100… for channels and supergroups, or @name")
    message_thread_id: ThreadId | None = Field(None, description="the topic, in a group that has topics")
    disable_notification: bool = Field(False, description="true: the phone stays silent")
    protect_content: bool = Field(False, description="true: the message cannot be forwarded or saved")
    link_preview: bool = Field(False, description="true: the first link is shown with a preview")
    buttons: tuple[Button, ...] = Field((), max_length=BUTTONS, description="links under each message")
    api_base: ApiBase = Field("https://api.telegram.org", description="where the Bot API is reached")

    def advise(self) -> Iterator[Advice]:
        return token_advice(self.token, self.chat_id, self.api_base)

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        return None

    def ears(self) -> TelegramEars:
        proxy = self.proxy.get_secret_value() if self.proxy else None
        return TelegramEars(self.token.get_secret_value(), api_base=self.api_base, proxy=proxy)

    def open(self, tools: Tools) -> "TelegramSink":
        return TelegramSink(self, tools)


class TelegramSink(HttpSink[TelegramConfig]):
    digests = True

    def __init__(self, config: TelegramConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._chat = config.chat_id
        self._url = URL(f"{config.api_base}/bot{config.token.get_secret_value()}/")
        self._preview: JsonObject = {"link_preview_options": {"is_disabled": not config.link_preview}}
        self._settings: JsonObject = {}
        if config.message_thread_id not in (None, GENERAL):
            self._settings["message_thread_id"] = config.message_thread_id
        self._settings |= {name: True for name in ("disable_notification", "protect_content") if getattr(config, name)}

    @property
    def look(self) -> Look:
        inline = button_blocks(self.config.buttons)
        return Look(TELEGRAM, inline, self.config.locale, DIGEST_PARTS, self.config.style)

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        bot, chat = self.sender, self.config.chat_id
        place = f"{bot} chat {chat}"
        if self.addressing is not None:
            return (Limit(bot, Rate(30, 1.0)),)
        group = () if isinstance(chat, int) and chat > 0 else (Limit(place, Rate(20, 60.0)),)
        return (Limit(bot, Rate(30, 1.0)), Limit(place, Rate(1, 1.0)), *group)

    @property
    def sender(self) -> str:
        return bot_of(self.config.token.get_secret_value())

    @property
    def service_spacing(self) -> tuple[Spaced, ...]:
        """1 a second; in a group 20 in any minute, of which five at once."""
        chat = self.config.chat_id
        return (Spaced(1, 1.0),) if isinstance(chat, int) and chat > 0 else (Spaced(1, 1.0), Spaced(5, 4.0))

    def build(self, message: Message) -> Request:
        return self._message_request(message, None, plain=False)

    def ask(self) -> Asking:
        chat = None if "chat_id" in self.config.address_expressions() else self._chat
        return chat_asking(self._url, chat, self.classify)

    def build_plain(self, message: Message) -> Request:
        """The same without markup."""
        return self._message_request(message, None, plain=True)

    def build_digest(self, digest: Digest) -> Request:
        return self._digest_request(digest, plain=False)

    def flow(self, message: Message) -> Flow:
        earlier = message.circumstances.earlier
        if earlier is not None and earlier.delete:
            return self._delete_flow(earlier)
        return self._flow(lambda earlier, plain: self._message_request(message, earlier, plain=plain), earlier)

    def digest_flow(self, digest: Digest) -> Flow:
        return self._flow(lambda _, plain: self._digest_request(digest, plain=plain), None)

    def _delete_flow(self, earlier: Earlier) -> Flow:
        """Take the earlier message back; one that is not there any more is taken back."""
        place = {"chat_id": self._chat, "message_id": self._message_id(earlier)}
        response = yield Request("POST", self._url / "deleteMessage", dump(place), {"Content-Type": "application/json"})
        return done(self.judge(response), _refused_for(response, *DELETED))

    def _flow(self, build: Callable[[Earlier | None, bool], Request], earlier: Earlier | None) -> Flow:
        """Until it is taken or refused for good: without markup, in the place of a chat that moved, anew."""
        earlier, plain, moved = earlier if self._message_id(earlier) else None, False, 0
        notes: list[str] = []
        while True:
            response = yield build(earlier, plain)
            if not plain and _unparsable(response):
                plain = True
                notes.append(f"sent as plain text, for the markup was refused: {_description(response)}")
            elif moved < 2 and (chat := _moved_to(response)) is not None:
                self._chat, earlier, moved = chat, None, moved + 1
                notes.append(f"the chat has moved: set chat_id to {chat}")
            elif earlier is not None and _refused_for(response, *LOST):
                earlier = None
                notes.append(SENT_ANEW)
            else:
                break
        attempt = self.judge(response)
        if earlier is not None and not earlier.thread and _refused_for(response, UNCHANGED):
            attempt = replace(attempt, outcome=Delivered(earlier.ref))
        return noted(attempt, *map(self.mask, notes))

    def classify(self, response: Response) -> Outcome:
        if response.status == 429:
            asked = seconds(_parameters(json_object(response.body)).get("retry_after"))
            return Limited(asked or retry_after(response))
        return super().classify(response)

    def concerns_all(self, response: Response) -> bool:
        return response.status in (401, 404)  # the bot's token

    def interpret(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        if not is_own(response.status, answer):
            return in_between(response)
        if (chat := _moved_to(response)) is not None:
            return Gone(f"the chat has moved: set chat_id to {chat}")
        reason = ": ".join(filter(None, [f"HTTP {response.status}", _description(response)]))
        match response.status:
            case status if 200 <= status < 300:
                return Delivered(ref=self._reference(answer))
            case 401 | 403 | 404:
                return Gone(reason)
            case 400 if is_about_place(_description(response)):
                return Gone(reason)
            case _:
                return Refused(reason)

    def _message_request(self, message: Message, earlier: Earlier | None, *, plain: bool) -> Request:
        """The request that carries the message: a new one, a reply, or the edit of an earlier one."""
        body = message_payload(message, len(self.config.buttons), plain=plain)
        id_ = self._message_id(earlier)
        if earlier is None or id_ is None:
            return self._send_request(body, silent=message.circumstances.silent or is_silent(message.event))
        if earlier.thread:
            body["reply_parameters"] = {"message_id": id_, "allow_sending_without_reply": True}
            return self._send_request(body, silent=message.circumstances.silent or is_silent(message.event))
        return self._request("editMessageText", {"chat_id": self._chat, "message_id": id_, **body})

    def _digest_request(self, digest: Digest, *, plain: bool) -> Request:
        return self._send_request(digest_payload(digest, plain=plain), silent=digest.silent)

    def _send_request(self, body: JsonObject, *, silent: bool) -> Request:
        quiet = {"disable_notification": True} if silent else {}
        return self._request("sendMessage", {"chat_id": self._chat, **body, **self._settings, **quiet})

    def _request(self, method: str, body: JsonObject) -> Request:
        return Request("POST", self._url / method, dump(body | self._preview), {"Content-Type": "application/json"})

    def _message_id(self, earlier: Earlier | None) -> int | None:
        """The id of an earlier message, None where it is not in this chat."""
        named = _REF.fullmatch(earlier.ref) if earlier is not None else None
        return int(named[2]) if named is not None and named[1] == str(self._chat) else None

    def _reference(self, answer: JsonObject) -> str | None:
        result = answer.get("result")
        ref = f"{self._chat}/{result.get('message_id')}" if isinstance(result, dict) else ""
        return ref if _REF.fullmatch(ref) else None


def _parameters(answer: JsonObject) -> JsonObject:
    parameters = answer.get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def _description(response: Response) -> str:
    return str(json_object(response.body).get("description") or "")


def _unparsable(response: Response) -> bool:
    return _refused_for(response, "can't parse entities")


def _moved_to(response: Response) -> int | None:
    if response.status != 400:
        return None
    chat = _parameters(json_object(response.body)).get("migrate_to_chat_id")
    return chat if isinstance(chat, int) and not isinstance(chat, bool) else None


def _refused_for(response: Response, *phrases: str) -> bool:
    """Whether it was refused in one of these phrases."""
    description = _description(response).lower()
    return response.status == 400 and any(phrase in description for phrase in phrases)
