"""What MAX's codes are about: the bot, the chat, a moment that passes. All others are about the message.

Source   github.com/max-messenger/max-bot-api-client-ts @ e75aa71: src/core/network/api/client.ts, error.ts (`code`,
         `message`; verify.token), types/common.ts (`success`, `message`); PyPI aiomax 2.12.5: aiomax/utils.py
         (chat.not.found, access.denied, not.found, internal.error, "Invalid access_token" as plain text)
"""

from bridge.event import JsonObject

#: About the token, and so about every chat.
OF_BOT = frozenset({"verify.token"})
#: About the chat: the person has stopped the bot, it is not there, the bot may not write.
OF_CHAT = frozenset({"chat.denied", "chat.not.found", "access.denied"})
#: What passes by itself, whatever the status.
AWAY = frozenset({"internal.error", "service.unavailable", "attachment.not.ready"})
LIMITED = "too.many.requests"
NOT_FOUND = ("not.found", "not found")
#: About a button under the message, with 400: what the words have in them, "Must have only http/https links format in
#: buttons", said of .local, .internal and their like too.
BUTTONS = "in buttons"
#: What it says of a token in place of an error.
UNKNOWN_BOT = "Invalid access_token"


def fault_of(answer: JsonObject) -> tuple[str, str] | None:
    """The error's code and its words; None where the answer has neither shape that MAX's errors have.

    The code may be empty: what a change of a message came to is told by words alone.
    """
    code, said = answer.get("code"), answer.get("message")
    if isinstance(code, str) and isinstance(said, str):
        return code, said
    return ("", said) if answer.get("success") is False and isinstance(said, str) else None


def is_not_found(answer: JsonObject) -> bool:
    """Whether the message that it is about is not there: by the code, or by words where it has none."""
    code, said = fault_of(answer) or ("", "")
    return code not in OF_CHAT and (code or said).lower().endswith(NOT_FOUND)


def refused_button(status: int, answer: JsonObject) -> str:
    """What it says of a button that it refused, and the message with it; empty where it is about something else."""
    _, said = fault_of(answer) or ("", "")
    return said if status == 400 and BUTTONS in said.lower() else ""


def mid_of(answer: JsonObject) -> str | None:
    """The id of the message that was taken."""
    message = answer.get("message")
    body = message.get("body") if isinstance(message, dict) else None
    mid = body.get("mid") if isinstance(body, dict) else None
    return mid if isinstance(mid, str) and mid.isprintable() and mid and " " not in mid else None
