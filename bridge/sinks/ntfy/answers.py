"""What ntfy's codes are about: the topic, the token or the server; and how long what passes by itself takes.

Source   github.com/binwiederhier/ntfy @ 81a486a (13 July 2025): server/errors.go, server.go (transformBodyJSON,
         authorizeTopic, maybeAuthenticate, handlePublishInternal), config.go for the waits
"""

from bridge.event import JsonObject

#: About the place: no message will be taken until a person has been there.
GONE = {
    40009: "invalid request: topic invalid",
    40010: "invalid request: topic name is not allowed",
    40101: "unauthorized",
    40301: "forbidden",
    40401: "page not found",
}
WAIT = 5.0  # seconds: so often one more request is allowed
#: Seconds to wait where it is limited, and another time is meant. An answer says none.
WAITS = {
    42904: 300.0,  # there are more topics than the server takes
    42908: 3600.0,  # the day's messages, until midnight UTC; an operator may set them anew before
    42909: 60.0,  # too many wrong tokens: so often one more is allowed
}


def is_own(status: int, answer: JsonObject) -> bool:
    """Whether it has the shape that all of ntfy's answers have."""
    if 200 <= status < 300:
        return answer.get("event") == "message" and isinstance(answer.get("id"), str)
    return answer.get("http") == status and isinstance(answer.get("error"), str) and code_of(answer) is not None


def code_of(answer: JsonObject) -> int | None:
    """The error's code, None where there is none."""
    code = answer.get("code")
    return code if type(code) is int else None
