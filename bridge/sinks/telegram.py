"""Telegram: one message to a chat, by a bot.

Source   core.telegram.org/bots/api#sendmessage (10.1), bots/faq; github.com/tdlib/telegram-bot-api (Client.cpp) and
         github.com/tdlib/td (MessageEntity.cpp, MessageContent.cpp, HttpReader.cpp, LinkManager.cpp)
Secret   the bot's token, a part of the URL
Sends    POST {api_base}/bot{token}/sendMessage  {chat_id, text, parse_mode: HTML, link_preview_options, …}
         a setting that is not given is left out: null is read as the word null
Units    lengths in code points, counted after the markup is taken off
Limits   text 4096, 100 entities, 32,768 bytes with markup; 100 buttons
         1 message a second in a chat, 20 a minute in a group, all topics together
Answers  200 {ok, result} delivered · 429 limited, for `parameters.retry_after` or Retry-After
         401 token revoked, 403 blocked or kicked, 404 token garbled, 400 chat not found: gone
         400 with `parameters.migrate_to_chat_id`: sent again to the new chat at once
         400 can't parse entities: sent again at once as plain text · other 400 refused · 5xx away
Quirks   the General topic of a forum is 1 and must be left out
         links without a dot in the host lose their target; a button with such a link is refused with its message
"""

import re
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from yarl import URL

from bridge.event import JsonObject, dump
from bridge.message import Look, Message
from bridge.outcome import Attempt, Away, Delivered, Gone, Limited, Outcome, Refused
from bridge.settings import Settings
from bridge.sinks.base import HttpSink, Rate, SinkConfig, Tools, is_page, json_object, retry_after, seconds
from bridge.sinks.http import Request, Response
from bridge.sinks.settings import ApiBase, Token
from bridge.sinks.telegram_html import TEXT, clip_html, plain_text, shows_html
from bridge.sinks.text import clip, shows, web_url

BUTTON_TEXT, BUTTON_URL, BUTTONS = 64, 2048, 100
GENERAL = 1  # the topic that must not be named
CHAT = r"-?[0-9]{1,19}|@[A-Za-z][A-Za-z0-9_]{3,31}"


def _chat(value: Any) -> Any:
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not re.fullmatch(CHAT, text):
        raise ValueError("should be a number such as -1001234567890, or the @name of a public channel or group")
    return text if text.startswith("@") else int(text)


ChatId = Annotated[
    int | str,
    BeforeValidator(_chat),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^({CHAT})$"}]}),
]


class Button(Settings):
    """A link under the message."""

    text: str = Field(description="what the button says, a template")
    url: str = Field(description="where it leads, a template; left out where it is no http, https or tg link")


class TelegramConfig(SinkConfig):
    """A Telegram chat, by a bot's token."""

    type: Literal["telegram"] = Field("telegram", description="a message to a Telegram chat")
    token: Token = Field(description="the bot's token, from @BotFather")
    chat_id: ChatId = Field(description="the chat: -100… for channels and supergroups, or @name")
    message_thread_id: int | None = Field(None, ge=1, description="the topic, in a group that has topics")
    disable_notification: bool = Field(False, description="true: the phone stays silent")
    protect_content: bool = Field(False, description="true: the message cannot be forwarded or saved")
    link_preview: bool = Field(False, description="true: the first link is shown with a preview")
    buttons: tuple[Button, ...] = Field((), max_length=BUTTONS, description="links under each message")
    api_base: ApiBase = Field("https://api.telegram.org", description="where the Bot API is reached")

    def open(self, tools: Tools) -> "TelegramSink":
        return TelegramSink(self, tools)


class TelegramSink(HttpSink[TelegramConfig]):
    def __init__(self, config: TelegramConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._chat = config.chat_id
        self._url = URL(f"{config.api_base}/bot{config.token.get_secret_value()}/sendMessage")
        self._settings: JsonObject = {"link_preview_options": {"is_disabled": not config.link_preview}}
        if config.message_thread_id not in (None, GENERAL):
            self._settings["message_thread_id"] = config.message_thread_id
        self._settings |= {name: True for name in ("disable_notification", "protect_content") if getattr(config, name)}
        self.service_rates = (Rate(1, 1.0),) if _private(config.chat_id) else (Rate(1, 1.0), Rate(20, 60.0))

    @property
    def look(self) -> Look:
        buttons = enumerate(self.config.buttons)
        inline = tuple(pair for i, b in buttons for pair in ((f"button_{i}_text", b.text), (f"button_{i}_url", b.url)))
        return Look("telegram", ("text",), inline, self.config.locale)

    def build(self, message: Message) -> Request:
        return self._request(message, {"text": clip_html(_text(message)), "parse_mode": "HTML"})

    def build_plain(self, message: Message) -> Request:
        """The same without markup."""
        text = plain_text(_text(message)).strip()
        return self._request(message, {"text": clip(text if shows(text) else message.event.type, TEXT)})

    async def carry(self, message: Message) -> Attempt:
        build, notes = self.build, list[str]()
        while True:
            response = await self.ask(build(message))
            if build != self.build_plain and _unparsable(response):
                build = self.build_plain
                notes.append(f"sent as plain text, for the markup was refused: {_description(response)}")
            elif len(notes) < 2 and (chat := _moved_to(response)) is not None:
                self._chat = chat
                notes.append(f"the chat has moved: set chat_id to {chat}")
            else:
                break
        attempt = self.judge(response)
        if notes and isinstance(attempt.outcome, Delivered):
            return replace(attempt, outcome=replace(attempt.outcome, note=self.mask("; ".join(notes))))
        return attempt

    def classify(self, response: Response) -> Outcome:
        said, description = json_object(response.body), _description(response)
        reason = ": ".join(filter(None, [f"HTTP {response.status}", description]))
        if response.status == 429:
            wait = seconds(_parameters(said).get("retry_after"))
            return Limited((retry_after(response) if wait is None else wait) or 1.0)
        if (chat := _moved_to(response)) is not None:
            return Gone(f"the chat has moved: set chat_id to {chat}")
        if response.status in (401, 403, 404) or (response.status == 400 and "chat not found" in description.lower()):
            return Gone(reason)
        match super().classify(response):
            case Delivered() if is_page(response) or said.get("ok") is False:
                return Away(f"HTTP {response.status} without Telegram's answer")
            case Delivered():
                return Delivered(ref=_message_id(said))
            case Refused():
                return Refused(reason)
            case outcome:
                return outcome

    def _request(self, message: Message, text: JsonObject) -> Request:
        body = {"chat_id": self._chat, **text, **self._settings}
        if rows := [[button] for i in range(len(self.config.buttons)) if (button := _button(message, i))]:
            body["reply_markup"] = {"inline_keyboard": rows}
        return Request("POST", self._url, dump(body), {"Content-Type": "application/json"})


def _private(chat: int | str) -> bool:
    return isinstance(chat, int) and chat > 0


def _text(message: Message) -> str:
    """The text with markup; the event's type where nothing of it would be seen."""
    text = message["text"].strip()
    return text if shows_html(text) else message.event.type


def _button(message: Message, index: int) -> JsonObject | None:
    text, url = message[f"button_{index}_text"].strip(), message[f"button_{index}_url"].strip()
    link = url if re.fullmatch(r"tg://[!-~]+", url) and len(url) <= BUTTON_URL else web_url(url, limit=BUTTON_URL)
    if not shows(text) or link is None or (link.startswith("http") and not _has_dot(link)):
        return None
    return {"text": clip(text, BUTTON_TEXT), "url": link}


def _has_dot(link: str) -> bool:
    host = URL(link).host or ""
    return "." in host.strip(".") or ":" in host


def _parameters(said: JsonObject) -> JsonObject:
    parameters = said.get("parameters")
    return parameters if isinstance(parameters, dict) else {}


def _description(response: Response) -> str:
    return str(json_object(response.body).get("description") or "")


def _unparsable(response: Response) -> bool:
    return response.status == 400 and "can't parse entities" in _description(response).lower()


def _moved_to(response: Response) -> int | None:
    if response.status != 400:
        return None
    chat = _parameters(json_object(response.body)).get("migrate_to_chat_id")
    return chat if isinstance(chat, int) and not isinstance(chat, bool) else None


def _message_id(said: JsonObject) -> str | None:
    result = said.get("result")
    return str(result["message_id"]) if isinstance(result, dict) and "message_id" in result else None
