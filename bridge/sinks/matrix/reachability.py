"""Whether a Matrix account is known and in its room: who it is, which room an address leads to, where it has joined.

Source   github.com/matrix-org/matrix-spec @ d0ba2aa: data/api/client-server (whoami, directory, list_joined_rooms)
Sends    GET …/account/whoami · directory/room/{alias} · joined_rooms
Answers  {user_id} · {room_id, servers} · {joined_rooms}; errors as to a message
"""

from collections.abc import Callable, Mapping
from urllib.parse import quote

from yarl import URL

from bridge.foreign import json_object
from bridge.outcome import Outcome
from bridge.sinks.http import Request, Response
from bridge.sinks.matrix.answers import text_at
from bridge.sinks.reachability import ADDRESS_FROM_DATA, Finding, FindingMark, ReachabilityFlow, refused


def room_reachability(
    api: URL, headers: Mapping[str, str], room: str | None, classify: Callable[[Response], Outcome]
) -> ReachabilityFlow:
    """Ask after the account behind `api`, and its room, an id or an address, None where that follows from data."""
    response = yield Request("GET", api / "account/whoami", headers=headers)
    name = text_at(json_object(response.body), "user_id", "@")
    if name is None:
        return refused(response, classify)
    if room is None:
        return Finding(FindingMark.OK, f"{name}; {ADDRESS_FROM_DATA}")
    place: str | None = room
    if room.startswith("#"):
        path = f"{api}directory/room/{quote(room, safe='')}"
        response = yield Request("GET", URL(path, encoded=True), headers=headers)
        place = text_at(json_object(response.body), "room_id", "!")
        if place is None:
            return refused(response, classify)
    response = yield Request("GET", api / "joined_rooms", headers=headers)
    joined = json_object(response.body).get("joined_rooms")
    if not isinstance(joined, list):
        return refused(response, classify)
    if place in joined:
        return Finding(FindingMark.OK, f"{name} is in {room}")
    return Finding(FindingMark.LOOK, f"{name} is not in {room}", "Invite it: it joins when it has something to say.")
