"""Whether a MAX bot is known, whether it is in the chat, and whether it may write there.

Source   github.com/max-messenger/max-bot-api-client-ts @ e75aa71: src/core/network/api/modules/bots/api.ts,
         chats/api.ts; types/chat.ts (status, permissions)
Sends    GET {api_base}/me · chats/{chat_id} · chats/{chat_id}/members/me
"""

from collections.abc import Callable, Mapping

from yarl import URL

from bridge.event import JsonObject
from bridge.foreign import json_object
from bridge.outcome import Outcome
from bridge.sinks.http import Request, Response
from bridge.sinks.reachability import Finding, FindingMark, ReachabilityFlow, refused

#: Why a person is not asked after.
UNASKED = "whether it may write to the person is seen by a message alone"


def chat_reachability(
    api: URL, headers: Mapping[str, str], chat: int | str | None, why: str, classify: Callable[[Response], Outcome]
) -> ReachabilityFlow:
    """Ask after the bot behind `api`, and the chat; where there is none to be asked after, `why`."""
    response = yield Request("GET", api / "me", headers=headers)
    bot = json_object(response.body)
    if response.status != 200 or not isinstance(bot.get("user_id"), int):
        return refused(response, classify)
    name = f"@{bot['username']}" if bot.get("username") else str(bot.get("name") or bot.get("first_name"))
    if chat is None:
        return Finding(FindingMark.OK, f"{name}; {why}")
    response = yield Request("GET", api / "chats" / str(chat), headers=headers)
    place = json_object(response.body)
    if response.status != 200 or "chat_id" not in place:
        return refused(response, classify)
    title = place.get("title") or chat
    if place.get("status") != "active":
        return Finding(FindingMark.WRONG, f'{name} is not in "{title}": it is {place.get("status")} there')
    if place.get("type") == "dialog":
        return Finding(FindingMark.OK, f"{name} may write to {title}")
    response = yield Request("GET", api / "chats" / str(chat) / "members/me", headers=headers)
    member = json_object(response.body)
    if response.status != 200 or "user_id" not in member:
        return refused(response, classify)
    if place.get("type") == "channel" and not _may_write(member):
        return Finding(
            FindingMark.WRONG, f'{name} may not write in "{title}": make it an administrator with that right'
        )
    return Finding(FindingMark.OK, f'{name} may write in "{title}"')


def _may_write(member: JsonObject) -> bool:
    return member.get("is_owner") is True or "write" in (member.get("permissions") or [])
