"""Whether a Discord webhook is there: `GET` of its address, which posts nothing.

Source   discord.com/developers/docs/resources/webhook#get-webhook-with-token
Answers  200 {id, type, name, channel_id, guild_id}, whoever asks; errors as to a message
Quirks   whether a thread takes anything is seen by a message alone, and the channel's name is told to bots alone
"""

from collections.abc import Callable

from yarl import URL

from bridge.outcome import Outcome
from bridge.sinks.base import json_object
from bridge.sinks.http import Request, Response
from bridge.sinks.reachability import ReachabilityFlow, found


def webhook_reachability(url: URL, classify: Callable[[Response], Outcome]) -> ReachabilityFlow:
    """Ask after the webhook of `url`."""
    query = {key: value for key, value in url.query.items() if key not in ("wait", "thread_id")}
    response = yield Request("GET", url.with_query(query))
    answer = json_object(response.body)
    return found(classify(response), f'webhook "{answer.get("name")}" of channel {answer.get("channel_id")}')
