"""What Discord's error codes are about: the place, the message, an earlier message, or a moment that passes.

Source   discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
         github.com/discord/discord-api-docs issue 6473 (40333), resources/webhook#execute-webhook (the forum's codes)
"""

from collections.abc import Mapping
from typing import Any

from bridge.event import JsonObject
from bridge.sinks.http import Response
from bridge.sinks.responses import retry_after, seconds

FRONT = 40333  # Cloudflare, in Discord's shape
PLACES = (401, 403, 404, 410)  # statuses that are about the place
BANNING = (401, 403, 429)  # statuses that count towards a ban of our address
BANNED = "ip discord invalid"  # what they are counted by, with some room below the 10,000
BAN = 600.0  # seconds; a ban does not say how long it lasts

#: About the place: no message will be taken until a person has been there.
GONE: Mapping[int, str] = {
    10003: "Unknown Channel",
    10004: "Unknown Guild",
    10015: "Unknown Webhook",
    10016: "Unknown webhook service",
    40001: "Unauthorized",
    40058: "Cannot send a message in a forum channel",
    40067: "A tag is required to create a forum post in this channel",
    50001: "Missing access",
    50008: "Cannot send messages in a non-text channel",
    50013: "You lack permissions to perform that action",
    50014: "Invalid authentication token provided",
    50024: "Cannot execute this action on this channel type",
    50027: "Invalid webhook token provided",
    50055: "Invalid Guild",
    50083: "Thread is archived",
    160005: "Thread is locked",
    220001: "Webhooks posted to forum channels must have a thread_name or thread_id",
    220002: "Webhooks posted to forum channels cannot have both a thread_name and thread_id",
    220003: "Webhooks can only create threads in forum channels",
    220004: "Webhook services cannot be used in forum channels",
}
#: About the message, also where the status is one of a place.
REFUSED: Mapping[int, str] = {
    20009: "Explicit content cannot be sent to the desired recipient(s)",
    40005: "Request entity too large",
    50006: "Cannot send an empty message",
    50035: "Invalid form body",
    50045: "File uploaded exceeds the maximum size",
    50109: "The request body contains invalid JSON",
    200000: "Message was blocked by automatic moderation",
    200001: "Title was blocked by automatic moderation",
    240000: "Message blocked by harmful links filter",
}
#: A limit was reached, whatever the status.
LIMITED: Mapping[int, str] = {
    20016: "This action cannot be performed due to slowmode rate limit",
    20022: "This message cannot be edited due to announcement rate limits",
    20028: "The channel you are writing has hit the write rate limit",
    20029: "The write action you are performing on the server has hit the write rate limit",
    30046: "Maximum number of edits to messages older than 1 hour reached. Try again later",
    40062: "Service resource is being rate limited",
    130000: "API resource is currently overloaded. Try again a little later",
    160006: "Maximum number of active threads reached",
    160007: "Maximum number of active announcement threads reached",
}
#: Passes by itself: Discord has switched something off, or its front has never asked it.
AWAY: Mapping[int, str] = {
    40004: "Send messages has been temporarily disabled",
    40006: "This feature has been temporarily disabled server-side",
    40333: "Cloudflare is blocking your request",
}
#: To a deletion: it is not there any more, or its thread is not, which is what was asked for.
DELETED: Mapping[int, str] = {10003: "Unknown Channel", 10008: "Unknown Message"}
#: To an edit: the message is not there any more, or cannot be changed any more; it is sent anew. A deletion is refused.
LOST: Mapping[int, str] = {
    10003: "Unknown Channel",
    10008: "Unknown Message",
    50005: "Cannot edit a message authored by another user",
    50083: "Thread is archived",
    160005: "Thread is locked",
}
#: To a message with a thread of its own: that takes nothing from this webhook, or cannot begin here; it is sent to the
#: channel.
NO_THREAD = (10003, 50001, 50013, 50024, 50083, 160005, 220003)


def error_code(answer: JsonObject) -> int | None:
    """Discord's own code; None where the answer has none that could be Discord's: gateways say `code: 403`, too."""
    code = answer.get("code")
    own = isinstance(code, int) and not isinstance(code, bool) and (code >= 10_000 or _is_general(code, answer))
    return code if own else None


def is_form_error(answer: JsonObject) -> bool:
    """Whether it is a refusal in the older shape: the field's name, and a list of what is wrong with it."""
    return bool(answer) and all(isinstance(one, list) for one in answer.values())


def _is_general(code: int, answer: Mapping[str, Any]) -> bool:
    return code == 0 and isinstance(answer.get("message"), str)


def asked_wait(response: Response, answer: JsonObject) -> float | None:
    """The wait asked for by the body or the header; that of a ban, which asks for none."""
    banned = response.status == 429 and not answer and "via" not in response.headers
    return seconds(answer.get("retry_after")) or retry_after(response) or (BAN if banned else None)


def reason_with(reason: str, answer: JsonObject) -> str:
    """`HTTP 400, code 50035: Invalid Form Body: embeds.0.title: Must be 256 or fewer in length.`"""
    code = f", code {answer['code']}" if isinstance(answer.get("code"), int) else ""
    details = [str(answer["message"])] if answer.get("message") else []
    path: list[str] = []
    errors = answer.get("errors")
    while isinstance(errors, dict) and errors and "_errors" not in errors and len(path) < 20:
        key, errors = next(iter(errors.items()))
        path.append(key)
    first = errors["_errors"] if isinstance(errors, dict) and "_errors" in errors else None
    if isinstance(first, list) and first and isinstance(first[0], dict):
        details += [".".join(path), str(first[0].get("message", ""))]
    return ": ".join([f"{reason}{code}", *filter(None, details)])
