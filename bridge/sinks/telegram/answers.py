"""What Telegram's descriptions are about: the place, or an earlier message. All others are about the message.

Source   github.com/tdlib/telegram-bot-api (Client.cpp: check_chat_access, fail_query_with_error), which passes on what
         the server says in capitals, and what TDLib says in words; TelegramBotAPI/errors; core.telegram.org/api/errors
"""

from bridge.event import JsonObject
from bridge.foreign import json_object
from bridge.sinks.http import Response

#: About the place, with 400: how a description begins, for behind that it may repeat the message. With 401, 403 and 404
#: everything is.
GONE = (
    # the chat
    "chat not found",
    "private chat not found",
    "user not found",
    "peer_",  # PEER_ID_INVALID
    "chat_",  # CHAT_WRITE_FORBIDDEN, CHAT_RESTRICTED, CHAT_ADMIN_REQUIRED, CHAT_SEND_PLAIN_FORBIDDEN, CHAT_ID_INVALID
    "channel_",  # CHANNEL_PRIVATE, CHANNEL_INVALID
    "group chat was deactivated",
    "the group chat was deleted",
    "group chat was upgraded",
    "group is deactivated",
    "chat was deleted",
    "user is deactivated",
    # the topic
    "message thread not found",
    "topic_",  # TOPIC_CLOSED, TOPIC_DELETED, TOPIC_ID_INVALID
    # what the bot may do there
    "bot is not a member",
    "bot was kicked",
    "bot was blocked",
    "bot can't initiate conversation",
    "bot can't send messages to",
    "not enough rights",
    "need administrator rights",
    "have no rights",
    "have no write access",
    "user_banned_in_channel",
    "user_is_blocked",
    "user_is_bot",
    "you_blocked_user",
    "privacy_premium_required",
    "allow_payment_required",
    "frozen_method_invalid",
)
#: About a button under the message, and nothing that it says: how a description begins.
BUTTON = (
    "inline keyboard button",
    "button_",  # BUTTON_URL_INVALID, BUTTON_USER_PRIVACY_RESTRICTED
    "reply_markup_",  # REPLY_MARKUP_TOO_LONG
)
#: To an edit or a reply: the earlier message is not there any more, or cannot be changed; it is sent anew.
LOST = (
    "message to edit not found",
    "message can't be edited",
    "there is no text in the message to edit",
    "message_id_invalid",
    "message to be replied not found",
    "message to reply not found",
    "replied message not found",
    "reply message not found",
)
#: To a deletion: it is not there any more, which is what was asked for.
DELETED = ("message to delete not found", "message_id_invalid")
#: To an edit: it says that already.
UNCHANGED = "message is not modified"


def is_about_place(said: str) -> bool:
    """Whether a refusal with 400 is about the place."""
    return _begins(said, GONE)


def is_about_button(response: Response) -> bool:
    """Whether a button was refused, and with it the message."""
    return response.status == 400 and _begins(description(response), BUTTON)


def is_own(status: int, answer: JsonObject) -> bool:
    """Whether it has the shape that all of Telegram's answers have."""
    if 200 <= status < 300:
        return answer.get("ok") is True
    return answer.get("ok") is False and isinstance(answer.get("description"), str) and "error_code" in answer


def parameters(answer: JsonObject) -> JsonObject:
    """What an answer says beside its words, as how long to wait."""
    found = answer.get("parameters")
    return found if isinstance(found, dict) else {}


def description(response: Response) -> str:
    """The words of an answer."""
    return str(json_object(response.body).get("description") or "")


def is_unparsable(response: Response) -> bool:
    """Whether its markup was refused."""
    return is_refused_for(response, "can't parse entities")


def moved_to(response: Response) -> int | None:
    """What the chat has become."""
    if response.status != 400:
        return None
    chat = parameters(json_object(response.body)).get("migrate_to_chat_id")
    return chat if isinstance(chat, int) and not isinstance(chat, bool) else None


def is_refused_for(response: Response, *phrases: str) -> bool:
    """Whether it was refused in one of these phrases."""
    said = description(response).lower()
    return response.status == 400 and any(phrase in said for phrase in phrases)


def _begins(said: str, phrases: tuple[str, ...]) -> bool:
    return said.lower().removeprefix("bad request: ").startswith(phrases)
