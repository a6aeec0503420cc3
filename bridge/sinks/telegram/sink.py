"""Telegram: one message to a chat, by a bot.

Source   core.telegram.org/bots/api#sendmessage, #editmessagetext, #replyparameters (10.1), bots/faq;
         github.com/tdlib/telegram-bot-api (Client.cpp) and github.com/tdlib/td (MessageEntity.cpp,
         MessageContent.cpp, HttpReader.cpp, LinkManager.cpp)
Secret   the bot's token, a part of the URL
Sends    POST {api_base}/bot{token}/sendMessage  {chat_id, text, parse_mode: HTML, link_preview_options, …}
         POST {api_base}/bot{token}/editMessageText  {chat_id, message_id, text, …}: an earlier message, edited
         POST {api_base}/bot{token}/deleteMessage  {chat_id, message_id}: an earlier message, taken back
         POST {api_base}/bot{token}/sendPhoto  a form {chat_id, photo, caption, …}: a report with its
         picture; a text too long for a caption goes before it, and where no picture is taken, alone
         a setting that is not given is left out: null is read as the word null
Units    lengths in code points, counted after the markup is taken off
Limits   text 4096, a caption 1024, 100 entities, 32,768 bytes with markup; 100 buttons
         30 messages a second over all chats, 1 a second in a chat, 20 a minute in a group, all topics together
Answers  200 {ok, result} delivered · 429 limited, for `parameters.retry_after` or Retry-After
         401 token revoked, 403 blocked or kicked, 404 token garbled, 400 with one of the phrases in answers.py, as
         chat not found, not enough rights, TOPIC_CLOSED: gone · an answer without its shape: away, something in between
         400 with `parameters.migrate_to_chat_id`: sent again to the new chat at once
         400 can't parse entities: sent again at once as plain text; about a button: at once without buttons
         other 400 refused · 5xx away
         to an edit: 400 message is not modified: delivered, it says that already
         to an edit or a reply: 400 with one of the phrases in LOST: the earlier message is gone, it is sent anew
Quirks   a message's id means something in its chat alone, and nothing after the chat has moved
         the General topic of a forum is 1 and must be left out
         links without a dot in the host lose their target; a button with such a link is refused with its message, and
         so is one that leads to a person who does not want it, or to a host that the server, not TDLib, takes for none
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field
from yarl import URL

from bridge.chart import with_signs
from bridge.codec import dump
from bridge.event import JsonObject
from bridge.markup.service import Service, ServiceLook
from bridge.message import Digest, Earlier, Message
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused, Spaced
from bridge.people.address import Form, nowhere
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
    seconds,
    taken_back,
)
from bridge.sinks.buttons import NO_BUTTONS, LinkButton, button_blocks
from bridge.sinks.http import Request, Response, Unanswered
from bridge.sinks.picture import NAME, NO_PICTURE, form, has_picture, picture_of
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import ReachabilityFlow
from bridge.sinks.settings import Advice, ApiBase, Token
from bridge.sinks.telegram.advice import HOSTS, token_advice
from bridge.sinks.telegram.answers import (
    DELETED,
    LOST,
    UNCHANGED,
    description,
    is_about_button,
    is_about_place,
    is_own,
    is_refused_for,
    is_unparsable,
    moved_to,
    parameters,
)
from bridge.sinks.telegram.chats import find_chats
from bridge.sinks.telegram.ears import TelegramEars, bot_of
from bridge.sinks.telegram.message import (
    BUTTONS,
    DIGEST_PARTS,
    MessageOptions,
    caption_payload,
    digest_payload,
    is_caption,
    message_payload,
)
from bridge.sinks.telegram.place import GENERAL, TelegramChatId, ThreadId, chat_number, thread_number
from bridge.sinks.telegram.reachability import chat_reachability
from bridge.sinks.telegram.remedies import REMEDIES
from bridge.sinks.telegram.service import TELEGRAM
from bridge.value import replace

_REF = re.compile(r"(.+)/([0-9]{1,18})")  # the chat, and the message's id there


class TelegramButton(LinkButton):
    """A link under the message."""

    url: str = Field(description="where it leads, a template; left out where it is no http, https or tg link")


class TelegramConfig(ChatConfig, AddressedConfig):
    """A Telegram chat, by a bot's token; or as many as there are owners or nodes."""

    remedies = REMEDIES
    service: ClassVar[Service] = TELEGRAM
    for_customers: ClassVar[bool] = True
    address_forms: ClassVar[Mapping[str, Form]] = {
        "chat_id": Form("-?[1-9][0-9]{0,15}", "a number such as -1001234567890", chat_number, linked=True),
        "message_thread_id": Form("[0-9]{1,10}", "the number of a topic", thread_number, optional=True, place=nowhere),
    }
    hosts: ClassVar[tuple[str, ...]] = HOSTS
    specimen: ClassVar[JsonObject] = {"token": "0:0", "chat_id": 0}
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("token", "Telegram bot token (from @BotFather)"),
        SetupQuestion(
            "chat_id",
            "The chat's number, as -1001234567890",
            doing="Chat: write /start to the bot, or add it to the group and write anything there …",
            finder=find_chats,
        ),
    )
    type: Literal["telegram"] = Field("telegram", description="a message to a Telegram chat")
    token: Token = Field(description="the bot's token, from @BotFather")
    chat_id: TelegramChatId = Field(description="the chat: -100… for channels and supergroups, or @name")
    message_thread_id: ThreadId | None = Field(None, description="the topic, in a group that has topics")
    disable_notification: bool = Field(False, description="true: the phone stays silent")
    protect_content: bool = Field(False, description="true: the message cannot be forwarded or saved")
    link_preview: bool = Field(False, description="true: the first link is shown with a preview")
    buttons: OneOrMany[TelegramButton] = Field((), max_length=BUTTONS, description="links under each message")
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
        self._whole = MessageOptions(buttons=len(config.buttons))
        self._settings |= {name: True for name in ("disable_notification", "protect_content") if getattr(config, name)}

    @property
    def look(self) -> ServiceLook:
        inline = button_blocks(self.config.buttons)
        return ServiceLook(TELEGRAM, inline, self.config.locale, DIGEST_PARTS, self.config.style)

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
        if has_picture(message) and is_caption(message):
            return self._photo_request(message, None, self._whole, caption=True)
        return self._message_request(message, None, self._whole)

    def ask(self) -> ReachabilityFlow:
        chat = None if "chat_id" in self.config.address_expressions() else self._chat
        return chat_reachability(self._url, chat, self.classify)

    def build_digest(self, digest: Digest) -> Request:
        return self._digest_request(digest, self._whole)

    def flow(self, message: Message) -> Flow:
        earlier = message.circumstances.earlier
        if earlier is not None and earlier.delete:
            return self._delete_flow(earlier)
        if not has_picture(message) or (earlier is not None and not earlier.thread):  # an edit has no picture
            return self._text_flow(with_signs(message, "text"))
        return self._picture_flow(message) if is_caption(message) else self._text_and_picture_flow(message)

    def digest_flow(self, digest: Digest) -> Flow:
        return self._flow(lambda _, options: self._digest_request(digest, options), None)

    def _text_flow(self, message: Message) -> Flow:
        earlier = message.circumstances.earlier
        return self._flow(lambda earlier, options: self._message_request(message, earlier, options), earlier)

    def _picture_flow(self, message: Message) -> Flow:
        """The picture, and the text as its caption; where it is refused, the text alone."""
        earlier = message.circumstances.earlier
        attempt = yield from self._flow(
            lambda earlier, options: self._photo_request(message, earlier, options, caption=True), earlier
        )
        if not isinstance(attempt.outcome, Refused | Gone):
            return attempt
        without = yield from self._text_flow(with_signs(message, "text"))
        return noted(without, f"{NO_PICTURE}: {attempt.outcome.reason}")

    def _text_and_picture_flow(self, message: Message) -> Flow:
        """The text, then the picture. Once the text is there nothing is tried again: it would be there twice."""
        attempt = yield from self._text_flow(message)
        if not isinstance(attempt.outcome, Delivered):
            return attempt
        try:
            outcome = self.judge((yield self._photo_request(message, None, self._whole, caption=False))).outcome
        except Unanswered as error:
            outcome = Away(self.mask(str(error)))
        match outcome:
            case Delivered():
                return attempt
            case Limited(after):
                return noted(replace(attempt, pause=after or 0.0), f"{NO_PICTURE}: it asks to wait")
            case _:
                return noted(attempt, f"{NO_PICTURE}: {outcome.reason}")

    def _delete_flow(self, earlier: Earlier) -> Flow:
        """Take the earlier message back; one that is not there any more is taken back."""
        place = {"chat_id": self._chat, "message_id": self._message_id(earlier)}
        response = yield Request("POST", self._url / "deleteMessage", dump(place), {"Content-Type": "application/json"})
        already = is_refused_for(response, *DELETED)
        return taken_back(self.judge(response), already=already, about_earlier=is_refused_for(response, *LOST))

    def _flow(self, build: Callable[[Earlier | None, MessageOptions], Request], earlier: Earlier | None) -> Flow:
        """Until it is taken or refused for good: without markup or buttons, in the place of a chat that moved, anew."""
        earlier, options, moved = earlier if self._message_id(earlier) else None, self._whole, 0
        notes: list[str] = []
        while True:
            response = yield build(earlier, options)
            if not options.plain and is_unparsable(response):
                options = replace(options, plain=True)
                notes.append(f"sent as plain text, for the markup was refused: {description(response)}")
            elif options.buttons and is_about_button(response):
                options = replace(options, buttons=0)
                notes.append(f"{NO_BUTTONS}: {description(response)}")
            elif moved < 2 and (chat := moved_to(response)) is not None:
                self._chat, earlier, moved = chat, None, moved + 1
                notes.append(f"the chat has moved: set chat_id to {chat}")
            elif earlier is not None and is_refused_for(response, *LOST):
                earlier = None
                notes.append(SENT_ANEW)
            else:
                break
        attempt = self.judge(response)
        if earlier is not None and not earlier.thread and is_refused_for(response, UNCHANGED):
            attempt = replace(attempt, outcome=Delivered(earlier.ref))
        return noted(attempt, *map(self.mask, notes))

    def classify(self, response: Response) -> Outcome:
        if response.status == 429:
            asked = seconds(parameters(json_object(response.body)).get("retry_after"))
            return Limited(asked or retry_after(response))
        return super().classify(response)

    def concerns_all(self, response: Response) -> bool:
        return response.status in (401, 404)  # the bot's token

    def interpret(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        if not is_own(response.status, answer):
            return in_between(response)
        if (chat := moved_to(response)) is not None:
            return Gone(f"the chat has moved: set chat_id to {chat}")
        reason = ": ".join(filter(None, [f"HTTP {response.status}", description(response)]))
        match response.status:
            case status if 200 <= status < 300:
                return Delivered(ref=self._reference(answer))
            case 401 | 403 | 404:
                return Gone(reason)
            case 400 if is_about_place(description(response)):
                return Gone(reason)
            case _:
                return Refused(reason)

    def _message_request(self, message: Message, earlier: Earlier | None, options: MessageOptions) -> Request:
        """The request that carries the message: a new one, a reply, or the edit of an earlier one."""
        body = message_payload(message, options)
        id_ = self._message_id(earlier)
        if earlier is None or id_ is None:
            return self._send_request(body, silent=message.circumstances.silent or is_silent(message.event))
        if earlier.thread:
            body["reply_parameters"] = {"message_id": id_, "allow_sending_without_reply": True}
            return self._send_request(body, silent=message.circumstances.silent or is_silent(message.event))
        return self._request("editMessageText", {"chat_id": self._chat, "message_id": id_, **body})

    def _photo_request(
        self, message: Message, earlier: Earlier | None, options: MessageOptions, *, caption: bool
    ) -> Request:
        """The request that carries the picture: with the text, or beside it, and then nobody is woken by it."""
        fields = caption_payload(message, options) if caption else {}
        if (id_ := self._message_id(earlier)) is not None:
            fields["reply_parameters"] = {"message_id": id_, "allow_sending_without_reply": True}
        silent = not caption or message.circumstances.silent or is_silent(message.event)
        fields = {
            "chat_id": self._chat,
            **fields,
            **self._settings,
            **({"disable_notification": True} if silent else {}),
        }
        body, headers = form(fields, "photo", picture_of(message))
        payload = dump(fields | {"photo": f"attach://{NAME}"})
        return Request("POST", self._url / "sendPhoto", body, headers, payload=payload)

    def _digest_request(self, digest: Digest, options: MessageOptions) -> Request:
        return self._send_request(digest_payload(digest, options), silent=digest.silent)

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
