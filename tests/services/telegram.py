"""Telegram's sendMessage, sendPhoto and editMessageText, as strict as the real ones: lengths are counted after parsing.

Source   tests/contracts/telegram.sendMessage.schema.json; github.com/tdlib/td, td/telegram/MessageEntity.cpp
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from html.parser import HTMLParser
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bridge.event import Event
from bridge.sinks.http import Request
from tests.services.forms import NoForm, form_in, form_of
from tests.services.known import SECRET, House, KnownChat, Pace, Way
from tests.services.service import breaches, contract, parsed
from tests.services.telegram_html import Unparsable, parsed_html
from tests.services.telegram_photo import CAPTION, photo_faults, photo_message
from tests.services.telegram_updates import Updates, ok

TOKEN = "123456789:AAF-telegram-bot-token-0123456789abc"
BOT = 123456789
ADMINISTRATOR = {"status": "administrator", "can_post_messages": True}
PING = re.compile(r"(?<![A-Za-z0-9_])@[A-Za-z0-9_]|tg://|ton://")
EDITED = ("chat_id", "message_id", "text", "parse_mode", "link_preview_options", "reply_markup")
UNSEEN = "\u00ad\u034f\u200b\u200c\u200d\u200e\u200f\u2060\u2028\u2029\u2800\u3164\ufeff\ufffc"


class Telegram(Updates):
    """`moved` is what the chat has become; -1001 and @news are the chats that there are beside it.

    `limited`: 30 a second for the bot, 1 a second in a chat, 20 a minute in a group or channel.
    `messages`: (chat, id) → the message that is there. `fault`: code and description of what is wrong with every chat,
    `photo_fault` with every photo; `pictures`: those that were taken.
    `tokens`: its bots; which of them was spoken to stands in the path.
    `members`: chat → what the bot is there, as its ChatMember says; an administrator where nothing is said.
    """

    def __init__(
        self,
        *,
        chats: tuple[int | str, ...] = (-1001, 42, "@news"),
        moved: dict[int, int] | None = None,
        limited: bool = False,
        tokens: Collection[str] = (TOKEN,),
    ) -> None:
        super().__init__(limited=limited)
        self._tokens = tokens
        self.chats: Collection[int | str] = [*chats, *(moved or {}).values()]
        self.fault: tuple[int, str] | None = None
        self.members: dict[int | str, dict[str, Any]] = {}
        self.photo_fault: tuple[int, str] | tuple[int, str, dict[str, Any]] | None = None
        self.pictures: list[bytes] = []
        self._moved = moved or {}

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if not request.path.startswith("/bot"):
            return self.error(404, "Not Found")
        token, _, method = request.path.removeprefix("/bot").partition("/")
        if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]{30,}", token):
            return self.error(404, "Not Found")
        if token not in self._tokens:
            return self.error(401, "Unauthorized")
        value = parsed(body) if request.content_type == "application/json" else None
        if method.lower() == "getupdates":
            return await self.told_of(value if isinstance(value, dict) else {})
        if (answer := self._told(method.lower(), value if isinstance(value, dict) else {})) is not None:
            return answer
        if method.lower() == "answercallbackquery":
            return self.press_answered(value if isinstance(value, dict) else {})
        if method.lower() == "sendphoto":
            return self._photo(request, body)
        does = {"sendmessage": self._send, "editmessagetext": self._edit, "deletemessage": self._delete}
        if method.lower() not in does:
            return self.error(404, "Not Found")
        message = value if isinstance(value, dict) else {}
        return self._placed(request, message, does[method.lower()])

    def _photo(self, request: web.Request, body: bytes) -> web.Response:
        """A photo that is in the request."""
        try:
            form = form_in(request, body)
            message = photo_message(form)
            faults = list(photo_faults(message, form))
        except NoForm as fault:
            return self.error(400, f"Bad Request: {fault}")

        def send(request: web.Request, message: dict[str, Any], chat: int | str) -> web.Response:
            if self.photo_fault:
                return self.error(*self.photo_fault)
            said = {key: one for key, one in message.items() if key not in ("photo", "caption")}
            wrong = [*faults, *telegram_faults(said | {"text": message.get("caption", "-")}, longest=CAPTION)]
            if wrong:
                return self.error(400, f"Bad Request: {wrong[0]}")
            self.take(request, message)
            self.pictures.append(form.files["photo"].content)
            self.last += 1
            self.messages[(chat, self.last)] = message
            return self._done(chat, self.last)

        return self._placed(request, message, send)

    def _told(self, method: str, asked: dict[str, Any]) -> web.Response | None:
        """What it says to who asks, and sends nothing; None where that is no question."""
        if method == "getme":
            return ok({"id": BOT, "is_bot": True, "first_name": "Fra", "username": "fravpn_bot"})
        if method == "getwebhookinfo":
            return ok({"url": self.webhook, "has_custom_certificate": False, "pending_update_count": len(self.updates)})
        if method not in ("getchat", "getchatmember"):
            return None
        if self.fault:
            return self.error(*self.fault)
        chat = asked.get("chat_id")
        if isinstance(chat, int) and chat in self._moved:
            parameters = {"migrate_to_chat_id": self._moved[chat]}
            return self.error(400, "Bad Request: group chat was upgraded to a supergroup chat", parameters)
        if not isinstance(chat, int | str) or chat not in self.chats:
            return self.error(400, "Bad Request: chat not found")
        if method == "getchatmember":
            if asked.get("user_id") != BOT:
                return self.error(400, "Bad Request: user not found")
            return ok({"user": {"id": BOT, "is_bot": True}, **self.members.get(chat, ADMINISTRATOR)})
        type_ = (
            "private" if isinstance(chat, int) and chat > 0 else "channel" if isinstance(chat, str) else "supergroup"
        )
        return ok({"id": chat, "type": type_, "title": "VPN night shift", "permissions": {"can_send_messages": True}})

    def _placed(
        self,
        request: web.Request,
        message: dict[str, Any],
        do: Callable[[web.Request, dict[str, Any], int | str], web.Response],
    ) -> web.Response:
        chat = message.get("chat_id")
        if self.fault:
            return self.error(*self.fault)
        if isinstance(chat, int) and chat in self._moved:
            parameters = {"migrate_to_chat_id": self._moved[chat]}
            return self.error(400, "Bad Request: group chat was upgraded to a supergroup chat", parameters)
        if not isinstance(chat, int | str) or chat not in self.chats:
            return self.error(400, "Bad Request: chat not found")
        if (wait := self._over_limit(chat)) > 0:
            after = int(wait) + 1
            return self.error(429, f"Too Many Requests: retry after {after}", {"retry_after": after})
        try:
            return do(request, message, chat)
        except Unparsable as error:
            return self.error(400, f"Bad Request: can't parse entities: {error}")

    def _over_limit(self, chat: int | str) -> float:
        if not self._limited:
            return 0.0
        group = not isinstance(chat, int) or chat < 0
        waits = [self.over("bot", 30, 1.0), self.over(f"chat {chat}", 1, 1.0)]
        return max(*waits, self.over(f"chat {chat}", 20, 60.0) if group else 0.0)

    def _send(self, request: web.Request, message: dict[str, Any], chat: int | str) -> web.Response:
        if faults := list(telegram_faults(message)):
            return self.error(400, f"Bad Request: {faults[0]}")
        reply = message.get("reply_parameters", {})
        if reply and (chat, reply["message_id"]) not in self.messages and not reply.get("allow_sending_without_reply"):
            return self.error(400, "Bad Request: message to be replied not found")
        self.take(request, message)
        self.last += 1
        self.messages[(chat, self.last)] = message
        return self._done(chat, self.last)

    def _edit(self, request: web.Request, message: dict[str, Any], chat: int | str) -> web.Response:
        id_ = message.get("message_id")
        wrong = [f"{key} is no parameter of an edit" for key in message if key not in EDITED]
        if faults := [*wrong, *telegram_faults({key: one for key, one in message.items() if key != "message_id"})]:
            return self.error(400, f"Bad Request: {faults[0]}")
        if not isinstance(id_, int) or (chat, id_) not in self.messages:
            return self.error(400, "Bad Request: message to edit not found")
        there = self.messages[(chat, id_)]
        if "photo" in there:
            return self.error(400, "Bad Request: there is no text in the message to edit")
        if all(there.get(key) == message.get(key) for key in ("text", "parse_mode", "reply_markup")):
            same = "specified new message content and reply markup are exactly the same as a current content"
            return self.error(400, f"Bad Request: message is not modified: {same} and reply markup of the message")
        self.take(request, message)
        self.messages[(chat, id_)] = message
        return self._done(chat, id_)

    def _delete(self, request: web.Request, message: dict[str, Any], chat: int | str) -> web.Response:
        if wrong := [key for key in message if key not in ("chat_id", "message_id")]:
            return self.error(400, f"Bad Request: {wrong[0]} is no parameter of a deletion")
        if (written := (chat, message["message_id"])) in self.written:
            self.deleted.append(self.written.pop(written))
            return web.json_response({"ok": True, "result": True})
        if self.messages.pop((chat, message["message_id"]), None) is None:
            return self.error(400, "Bad Request: message to delete not found")
        self.take(request, message)
        return web.json_response({"ok": True, "result": True})

    def _done(self, chat: int | str, id_: int) -> web.Response:
        result = {"message_id": id_, "date": 1732160058, "chat": {"id": chat, "type": "supergroup"}}
        there = self.messages[(chat, id_)]
        said = {"photo": [], "caption": there.get("caption")} if "photo" in there else {"text": there["text"]}
        return web.json_response({"ok": True, "result": result | said})


def telegram_faults(message: dict[str, Any], *, longest: int = 4096) -> Iterator[str]:
    """What Telegram has against a message; raise Unparsable where it cannot read the markup."""
    yield from breaches(contract("telegram.sendMessage"), message)
    yield from _nulls(message, "")
    text = message.get("text")
    if not isinstance(text, str):
        return
    if len(text.encode()) > 32_768:
        yield "text is too long"
    shown, entities = parsed_html(text) if message.get("parse_mode") == "HTML" else (text, 0)
    if not shown.strip().strip(UNSEEN).strip():
        yield "text must be non-empty"
    if len(shown.strip()) > longest:
        yield "message is too long"
    if entities > 100:
        yield f"{entities} entities, the last ones would be lost"
    if message.get("message_thread_id") == 1:
        yield "message thread not found"
    yield from _bad_buttons(message)


def _nulls(value: Any, path: str) -> Iterator[str]:
    if value is None:
        yield f"null at {path}"
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in items:
            yield from _nulls(one, f"{path}.{key}")


def _bad_buttons(message: dict[str, Any]) -> Iterator[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    if "reply_markup" in message and not rows:
        yield "empty keyboard"
    for button in (one for row in rows for one in row):
        if not button["text"].strip():
            yield "inline keyboard button text must be non-empty"
        if "callback_data" in button:
            if not 1 <= len(button["callback_data"].encode()) <= 64 or "url" in button:
                yield "BUTTON_DATA_INVALID"
            continue
        parts = urlsplit(button.get("url", ""))
        if parts.scheme != "tg" and (parts.scheme not in ("http", "https") or "." not in (parts.hostname or "")):
            yield f"inline keyboard button URL '{button.get('url')}' is invalid: Wrong HTTP URL"


class Reader(HTMLParser):
    """Telegram's view of a text: fails where Telegram would, keeps the words and the links."""

    ALLOWED = frozenset({"b", "i", "u", "s", "code", "pre", "a", "blockquote", "tg-spoiler"})

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.words = ""
        self.links: list[str] = []
        self.open: list[str] = []
        assert not re.search(r"&(?!(lt|gt|amp|quot);)", markup), markup
        self.feed(markup)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.ALLOWED, tag
        assert not (tag == "blockquote" and tag in self.open), "a quote inside a quote"
        self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def words(markup: str) -> str:
    return Reader(markup).words


def harmless(markup: str) -> None:
    read = Reader(markup)
    assert not PING.search(read.words)
    assert all(link.startswith(("http://", "https://")) for link in read.links)


def shown(message: dict[str, Any]) -> str:
    return str(message["caption"] if "photo" in message else message["text"])


def seen(message: dict[str, Any]) -> str:
    return words(shown(message))


def pings(message: dict[str, Any], event: Event) -> Iterator[str]:
    read = Reader(re.sub(r"<(code|pre)[ >].*?</\1>", "", shown(message), flags=re.DOTALL))
    if PING.search(read.words) or any(link.startswith(("tg:", "ton:")) for link in read.links):
        yield f"a ping: {shown(message)}"


def _faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
    if request.payload is None:
        return telegram_faults(parsed(request.body))
    form = form_of(request.headers["Content-Type"], request.body)
    said = photo_message(form)
    text = {key: one for key, one in said.items() if key not in ("photo", "caption")} | {"text": said["caption"]}
    return chain(photo_faults(said, form), telegram_faults(text, longest=CAPTION))


_BUTTON = {"text": "{{ event.source }} {{ data.user.username }}", "url": "https://panel.example.com/{{ event.id }}"}
KNOWN = KnownChat(
    example={"token": SECRET, "chat_id": -1001},
    secretive=({"token": f"123456:{SECRET}", "chat_id": 42},),
    ways={"bot": Way(settings={"token": "1:A", "chat_id": -1001, "buttons": [_BUTTON]}, faults=_faults)},
    house=House(
        stand_in=lambda limited: Telegram(limited=limited),
        sinks={"telegram": {"token": TOKEN, "chat_id": -1001, "api_base": "{base}"}},
        secrets=(TOKEN,),
    ),
    pace=Pace(
        stand_in=lambda: Telegram(limited=True),
        path=f"/bot{TOKEN}/sendMessage",
        body={"chat_id": 42, "text": "x"},
        count=1,
    ),
    words=words,
    harmless=harmless,
    shown=shown,
    seen=seen,
    pings=pings,
    silences=("disable_notification", True),
)
