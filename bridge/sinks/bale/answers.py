"""What Bale's descriptions are about: the bot, the chat, a moment that passes. All others are about the message.

Source   docs.bale.ai (responses); PyPI python-bale-bot: bale/utils/request.py, _error.py, request/http.py
"""

from bridge.event import JsonObject

NOT_FOUND = 440  # what others say with 404
#: About the place, with 400: what the description has in it. With 401, 403, 404 and 440 everything is.
OF_BOT = ("token not found", "bot limit exceed")
GONE = ("no such group or user", "chat not found", "permission_denied", *OF_BOT)
#: A limit was reached, whatever the status.
LIMITED = ("local_rate_limited", "rate limit", "too many requests")
#: To a deletion: it is not there any more, which is what was asked for.
DELETED = ("message not found", "no such message", "not_found")
#: To an edit or an answer: the earlier message is not there any more, or cannot be changed; it is sent anew.
LOST = (*DELETED, "message can't be edited")


def description_of(answer: JsonObject) -> str:
    """What it says, empty where the answer has not the shape that all of Bale's errors have."""
    said = answer.get("description")
    return said if answer.get("ok") is False and isinstance(said, str) and "error_code" in answer else ""


def has_any(text: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in text.lower() for phrase in phrases)
