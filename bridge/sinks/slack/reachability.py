"""Whether Slack takes a bot's token and the bot is in the channel. An incoming webhook says nothing but to a message.

Source   docs.slack.dev/reference/methods/auth.test, conversations.info
Sends    POST {api_base}/auth.test · GET {api_base}/conversations.info?channel={id}
Answers  {ok, team, user} · {ok, channel: {name, is_member, is_archived}}; errors as to a message
Quirks   conversations.info wants channels:read, which posting does not, and an id: a name is seen by a message alone
"""

import re
from collections.abc import Callable, Mapping

from yarl import URL

from bridge.foreign import object_at
from bridge.outcome import Outcome
from bridge.sinks.base import json_object
from bridge.sinks.http import Request, Response
from bridge.sinks.reachability import ADDRESS_FROM_DATA, Finding, FindingMark, ReachabilityFlow, found, is_taken

UNTOLD = ("missing_scope", "no_permission", "access_denied")
_ID = re.compile(r"[CGD][A-Z0-9]{6,}")


def token_reachability(
    api_base: str, token: str, channel: str | None, classify: Callable[[Response], Outcome]
) -> ReachabilityFlow:
    """Ask after the token, and after the channel, None where that follows from data, where the token may."""
    headers = {"Authorization": f"Bearer {token}"}
    response = yield Request("POST", URL(f"{api_base}/auth.test"), headers=headers)
    answer = json_object(response.body)
    who = f'{answer.get("user")} in the workspace "{answer.get("team")}"'
    why = f"the channel {channel} is seen by a message alone" if channel else ADDRESS_FROM_DATA
    asked = found(classify(response), f"{who}; {why}")
    if not is_taken(asked) or not channel or not _ID.fullmatch(channel):
        return asked
    response = yield Request("GET", URL(f"{api_base}/conversations.info").with_query(channel=channel), headers=headers)
    answer = json_object(response.body)
    if answer.get("error") in UNTOLD:
        return asked
    return _member(found(classify(response), who), object_at(answer, "channel"))


def _member(asked: Finding, channel: Mapping[str, object]) -> Finding:
    if not is_taken(asked):
        return asked
    name = f"#{channel.get('name')}"
    if channel.get("is_archived"):
        return Finding(FindingMark.WRONG, f"{name}: is_archived")
    if channel.get("is_member") is False:
        return Finding(FindingMark.WRONG, f"{name}: not_in_channel")
    return Finding(FindingMark.OK, f"{asked.text}, posts in {name}")
