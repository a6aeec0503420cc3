"""Whether a bot may write in a Telegram chat: its own name, the chat, and what it is there.

Source   core.telegram.org/bots/api#getme, #getchat, #getchatmember, #chatmember, #chatpermissions
Sends    POST {api_base}/bot{token}/getMe · getChat {chat_id} · getChatMember {chat_id, user_id}
Answers  {ok, result}: User · Chat {id, type, title, username, permissions} · ChatMember {status, can_post_messages}
         errors as to a message; a chat that moved says where with `parameters.migrate_to_chat_id`
Quirks   a private chat has no members, and is not found until its person has written to the bot
"""

from collections.abc import Callable
from typing import Any

from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.outcome import Outcome
from bridge.sinks.base import json_object
from bridge.sinks.http import Request, Response
from bridge.sinks.reachability import ADDRESS_FROM_DATA, Finding, FindingMark, ReachabilityFlow, found, is_taken

HEADERS = {"Content-Type": "application/json"}


def chat_reachability(api: URL, chat: int | str | None, classify: Callable[[Response], Outcome]) -> ReachabilityFlow:
    """Ask after the bot behind `api`, the chat, None where that follows from data, and what the bot may do there."""
    response = yield Request("GET", api / "getMe")
    bot = _result(response)
    asked = found(classify(response), f"@{bot.get('username')}; {ADDRESS_FROM_DATA}")
    if not is_taken(asked) or chat is None:
        return asked
    response = yield _post(api / "getChat", {"chat_id": chat})
    place = _result(response)
    asked = found(classify(response), f"@{bot.get('username')} may post in {chat_name(place)}")
    if not is_taken(asked) or place.get("type") == "private":
        return asked
    response = yield _post(api / "getChatMember", {"chat_id": chat, "user_id": bot.get("id")})
    member = found(classify(response), asked.text)
    lacks = _lacks(_result(response), place) if is_taken(member) else ""
    return Finding(FindingMark.WRONG, f"@{bot.get('username')} {lacks} in {chat_name(place)}") if lacks else member


def chat_name(chat: JsonObject) -> str:
    """What people call a chat, in quotes: its title, else its name."""
    name = chat.get("title") or chat.get("username") or chat.get("first_name") or chat.get("id")
    return f'"{name}"'


def _lacks(member: JsonObject, chat: JsonObject) -> str:
    """What keeps a member from writing; empty where nothing does."""
    match member.get("status"):
        case "left" | "kicked" as status:
            return "is not a member" if status == "left" else "was kicked: it is no member"
        case "restricted" if not member.get("can_send_messages"):
            return "has no rights to write: it is restricted"
        case "administrator" if chat.get("type") == "channel" and not member.get("can_post_messages"):
            return "has not enough rights to post: its administrators' right to post is off"
        case "member" if chat.get("type") == "channel":
            return "has not enough rights to post: it is no administrator"
        case "member" if _permissions(chat).get("can_send_messages") is False:
            return "has no rights to write: members of the group may not"
        case _:
            return ""


def _permissions(chat: JsonObject) -> JsonObject:
    given = chat.get("permissions")
    return given if isinstance(given, dict) else {}


def _post(url: URL, body: JsonObject) -> Request:
    return Request("POST", url, dump(body), HEADERS)


def _result(response: Response) -> dict[str, Any]:
    result = json_object(response.body).get("result")
    return result if isinstance(result, dict) else {}
