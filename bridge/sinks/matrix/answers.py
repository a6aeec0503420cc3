"""What Matrix's error codes are about: the room, the token, the account or the server. All others are the message's.

Source   github.com/matrix-org/matrix-spec @ d0ba2aa: content/client-server-api/_index.md (standard error response);
         github.com/element-hq/synapse @ a58ad44: synapse/api/errors.py, handlers/message.py (_validate_event_relation)
"""

from bridge.event import JsonObject

#: About the room: not in it, banned, not allowed to speak; no such room or alias.
OF_ROOM = frozenset(
    {
        "M_FORBIDDEN",
        "M_NOT_FOUND",
        "M_GUEST_ACCESS_FORBIDDEN",
        "M_BAD_ALIAS",
        "M_UNABLE_TO_AUTHORISE_JOIN",
        "M_UNABLE_TO_GRANT_JOIN",
    }
)
#: No message will be taken until a person has been there.
GONE = frozenset(
    {
        *OF_ROOM,
        # the token
        "M_UNKNOWN_TOKEN",
        "M_MISSING_TOKEN",
        "M_UNAUTHORIZED",
        # the account
        "M_USER_DEACTIVATED",
        "M_USER_LOCKED",
        "M_USER_SUSPENDED",
        "M_USER_LIMIT_EXCEEDED",
        "M_CONSENT_NOT_GIVEN",
        "ORG_MATRIX_EXPIRED_ACCOUNT",
        # the server
        "M_RESOURCE_LIMIT_EXCEEDED",
        "M_UNRECOGNIZED",
    }
)
FORBIDDEN, NOT_FOUND = "M_FORBIDDEN", "M_NOT_FOUND"


def error_of(answer: JsonObject) -> str:
    """The error's code, empty where there is none."""
    code = answer.get("errcode")
    return code if isinstance(code, str) and "_" in code else ""


def text_at(answer: JsonObject, key: str, sign: str) -> str | None:
    """An id in an answer, which begins with its sign: `event_id` with $, `room_id` with !."""
    value = answer.get(key)
    return value if isinstance(value, str) and value.startswith(sign) and value.isprintable() else None
