"""Where a Telegram message goes: a chat, and a topic in it."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from bridge.sinks.settings import EXPRESSION_SCHEMA, FROM_DATA

GENERAL = 1  # the topic that must not be named
CHAT = r"-?[0-9]{1,19}|@[A-Za-z][A-Za-z0-9_]{3,31}"


def _chat(value: Any) -> Any:
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not re.fullmatch(CHAT, text):
        raise ValueError("should be a number such as -1001234567890, or the @name of a public channel or group")
    return text if text.startswith("@") else chat_number(text)


def thread_number(value: Any) -> Any:
    """A topic's number."""
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,10}", str(value).strip()):
        raise ValueError("should be a whole number")
    if not 1 <= (thread := int(value)) < 2**31:
        raise ValueError("should be at least 1" if thread < 1 else "should be less than 2147483648")
    return thread


def chat_number(text: str) -> int:
    """A chat's number, as far as Telegram counts."""
    if abs(int(text)) >= 2**52:
        raise ValueError("should have at most 52 bits, as Telegram's chats have")
    return int(text)


TelegramChatId = Annotated[
    int | str,
    BeforeValidator(_chat),
    FROM_DATA,
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^({CHAT})$"}, EXPRESSION_SCHEMA]}),
]
ThreadId = Annotated[
    int | str,
    BeforeValidator(thread_number),
    FROM_DATA,
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, EXPRESSION_SCHEMA]}),
]
