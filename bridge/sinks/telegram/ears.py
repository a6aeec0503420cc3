"""What people write to a Telegram bot, and how it answers them.

Source   core.telegram.org/bots/api#getupdates, #update, #message, #callbackquery, #chatmemberupdated,
         #answercallbackquery, #editmessagetext, #deletemessage, #inlinekeyboardbutton;
         core.telegram.org/bots/features#deep-linking
Sends    POST {api_base}/bot{token}/getUpdates  {offset, limit: 100, timeout, allowed_updates}: `offset` confirms all
         before it, and what is confirmed is never told again · sendMessage, editMessageText, answerCallbackQuery;
         deleteMessage  {chat_id, message_id}: what somebody has sent in a private chat, for two days
Limits   64 bytes behind a button, 64 signs of A-Za-z0-9_- behind /start; updates are kept for a day
Answers  200 {ok, result: [{update_id, message | callback_query | my_chat_member}]}
         409 `Conflict: terminated by other getUpdates request`, to the one that asked first
         409 `Conflict: can't use getUpdates method while webhook is active`
Quirks   answers have no parse_mode: a text that is no markup need not be escaped, whatever somebody is called
         a button's message may be too old to be told of; whose it is, is said beside it
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.foreign import json_object
from bridge.people.chat import AnswerWords, BotAnswer, BotUnavailable, ChatAction, ChatUpdate, ChatUpdates
from bridge.people.pasted import proofs_in
from bridge.sinks.http import Request, Response
from bridge.sinks.responses import retry_after, seconds
from bridge.sinks.settings import short_hash
from bridge.sinks.telegram.answers import is_own

UPDATES = ("message", "callback_query", "my_chat_member")
LONGEST = 4096  # characters of a text that is looked at
LONGEST_TOKEN = 64
AT_ONCE = 100
COMMANDS = {"start": ChatAction.START, "stop": ChatAction.STOP, "settings": ChatAction.SETTINGS}
FORWARDED = ("forward_origin", "forward_date", "via_bot", "sender_chat")  # somebody else's words
MEMBERS = {"kicked": ChatAction.BLOCKED, "left": ChatAction.BLOCKED, "member": ChatAction.UNBLOCKED}
_COMMAND = re.compile(r"/([a-z]{1,16})(?:@[a-z0-9_]{1,64})?(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)


def bot_of(token: str) -> str:
    """As whom a token speaks: its bot's number; of one that is none, a hash."""
    id_ = token.partition(":")[0]
    return f"telegram bot {id_ if id_.isdigit() and id_ != token else short_hash(token)}"


class TelegramEars:
    """A bot, by its token."""

    def __init__(self, token: str, *, api_base: str, proxy: str | None = None) -> None:
        self.sender, self.proxy = bot_of(token), proxy
        self._url = URL(f"{api_base}/bot{token}/")

    def name_question(self) -> Request:
        return self._request("getMe", {})

    def name_in(self, response: Response) -> str:
        user = _result(response)
        name = user.get("username") if isinstance(user, dict) else None
        if not isinstance(name, str) or not re.fullmatch("[A-Za-z0-9_]{1,64}", name):
            raise BotUnavailable("the bot has no name")
        return name

    def deep_link(self, name: str, token: str) -> str:
        return f"https://t.me/{name}?start={token}"

    def question(self, after: int | None, *, wait: int) -> Request:
        offset = {} if after is None else {"offset": after + 1}
        return self._request("getUpdates", {**offset, "limit": AT_ONCE, "timeout": wait, "allowed_updates": UPDATES})

    def hearing_in(self, response: Response) -> ChatUpdates:
        updates = _result(response)
        known = [one for one in updates if isinstance(one, dict)] if isinstance(updates, list) else []
        numbers = [one["update_id"] for one in known if _is_number(one.get("update_id"))]
        return ChatUpdates([one for update in known for one in _chat_updates(update)], max(numbers, default=None))

    def requests(self, answer: BotAnswer, words: AnswerWords) -> Sequence[Request]:
        keyboard = [[{"text": one.text, "callback_data": one.data} for one in row] for row in words.buttons]
        body: JsonObject = {"chat_id": answer.chat, "text": words.text, "link_preview_options": {"is_disabled": True}}
        if keyboard:
            body["reply_markup"] = {"inline_keyboard": keyboard}
        pressed = [self._request("answerCallbackQuery", {"callback_query_id": answer.press})] if answer.press else []
        if answer.message is not None:
            return [*pressed, self._request("editMessageText", {**body, "message_id": answer.message})]
        if answer.secret is not None:
            pressed.append(self._request("deleteMessage", {"chat_id": answer.chat, "message_id": answer.secret}))
        return [*pressed, self._request("sendMessage", body)]

    def wait_in(self, response: Response) -> float | None:
        return _wait_in(response) if response.status == 429 else None

    def _request(self, method: str, body: JsonObject) -> Request:
        return Request("POST", self._url / method, dump(body), {"Content-Type": "application/json"})


def _result(response: Response) -> Any:
    """What an answer holds; raise BotUnavailable where it is an error, or not Telegram's."""
    answer = json_object(response.body)
    if answer.get("ok") is True and response.status == 200:
        return answer.get("result")
    said = str(answer.get("description") or "not Telegram's own answer")[:200]
    if response.status == 409 and is_own(409, answer):
        reader = "a webhook" if "webhook" in said else "another program (the panel's own bot?)"
        raise BotUnavailable(f"its updates are read by {reader}: links and /stop do not work, sending does", taken=True)
    raise BotUnavailable(
        f"HTTP {response.status}: {said}", after=_wait_in(response) if response.status == 429 else None
    )


def _wait_in(response: Response) -> float:
    parameters = json_object(response.body).get("parameters")
    asked = seconds(parameters.get("retry_after")) if isinstance(parameters, dict) else None
    return asked or retry_after(response) or 1.0


def _chat_updates(update: JsonObject) -> Iterator[ChatUpdate]:
    """What an update says of a private chat; nothing of any other, and nothing that is not as it should be."""
    message, press, member = (_object(update, name) for name in UPDATES)
    if message:
        yield from _written(message)
    elif press:
        yield from _pressed(press)
    elif member and (chat := _private(member)) is not None:
        said = MEMBERS.get(str(_object(member, "new_chat_member").get("status")))
        if said is not None:
            yield ChatUpdate(said=said, chat=chat)


def _written(message: JsonObject) -> Iterator[ChatUpdate]:
    text, chat = message.get("text"), _private(message)
    if chat is None or not isinstance(text, str) or len(text) > LONGEST or any(one in message for one in FORWARDED):
        return
    said, behind = _command(text.strip())
    number, language = message.get("message_id"), _language(message)
    if said is ChatAction.OTHER and _is_number(number) and (proofs := proofs_in(text)):
        yield ChatUpdate(said=ChatAction.SHOWN, chat=chat, proofs=proofs, secret=number, language=language)
        return
    token = behind[:LONGEST_TOKEN] if said is ChatAction.START else ""
    yield ChatUpdate(said=said, chat=chat, token=token, language=language)


def _command(text: str) -> tuple[ChatAction, str]:
    """The command, and what stands behind it. That somebody wants to be left alone is understood without the slash."""
    if text.casefold() == "stop":
        return ChatAction.STOP, ""
    command = _COMMAND.fullmatch(text)
    if command is None:
        return ChatAction.OTHER, ""
    return COMMANDS.get(command[1].lower(), ChatAction.OTHER), (command[2] or "").strip()


def _pressed(press: JsonObject) -> Iterator[ChatUpdate]:
    under, id_, data = _object(press, "message"), press.get("id"), press.get("data")
    chat = _private({**press, "chat": under.get("chat")})
    if chat is None or not isinstance(id_, str) or not isinstance(data, str) or len(data) > 64 or len(id_) > 64:
        return
    number = under.get("message_id")
    message = number if _is_number(number) else None
    yield ChatUpdate(
        said=ChatAction.PRESSED, chat=chat, pressed=data, language=_language(press), message=message, press=id_
    )


def _private(said: JsonObject) -> int | None:
    """The private chat in which its one person said it; None where it is another kind of chat."""
    chat, person = _object(said, "chat"), _object(said, "from")
    id_ = chat.get("id")
    if chat.get("type") != "private" or person.get("is_bot") is not False or not _is_number(id_):
        return None
    return id_ if isinstance(id_, int) and id_ == person.get("id") and 0 < id_ < 2**52 else None


def _language(said: JsonObject) -> str:
    code = _object(said, "from").get("language_code")
    return code[:8] if isinstance(code, str) else ""


def _object(value: JsonObject, name: str) -> JsonObject:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
