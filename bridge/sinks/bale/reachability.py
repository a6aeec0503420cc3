"""Whether a Bale bot is known, and whether it finds the chat. What it may do there is seen by a message alone.

Source   docs.bale.ai (getMe, getChat)
Sends    POST {api_base}/bot{token}/getMe · getChat {chat_id}
"""

from collections.abc import Callable
from typing import Any

from yarl import URL

from bridge.codec import dump
from bridge.foreign import json_object, object_at
from bridge.outcome import Outcome
from bridge.sinks.http import Request, Response
from bridge.sinks.reachability import ADDRESS_FROM_DATA, ReachabilityFlow, found, is_taken

HEADERS = {"Content-Type": "application/json"}


def chat_reachability(api: URL, chat: int | str | None, classify: Callable[[Response], Outcome]) -> ReachabilityFlow:
    """Ask after the bot behind `api`, and the chat, None where that follows from data."""
    response = yield Request("POST", api / "getMe", b"{}", HEADERS)
    name = f"@{_result(response).get('username')}"
    asked = found(classify(response), f"{name}; {ADDRESS_FROM_DATA}")
    if not is_taken(asked) or chat is None:
        return asked
    response = yield Request("POST", api / "getChat", dump({"chat_id": chat}), HEADERS)
    place = _result(response)
    title = place.get("title") or place.get("username") or place.get("first_name") or chat
    return found(classify(response), f'{name} knows "{title}"; what it may do there is seen by a message alone')


def _result(response: Response) -> dict[str, Any]:
    return object_at(json_object(response.body), "result")
