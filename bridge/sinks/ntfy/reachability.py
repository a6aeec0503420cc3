"""Whether an ntfy server is well, and knows the token. Whether the topic takes it is seen by a notification alone.

Source   github.com/binwiederhier/ntfy @ 81a486a (13 July 2025): server/server.go (handleHealth, apiAccountPath),
         server/server_account.go (handleAccountGet); docs.ntfy.sh/config/#health-checks
Answers  GET {api_base}/v1/health 200 {healthy} · GET {api_base}/v1/account 200 {username, role}; errors as to a message
Quirks   /{topic}/auth asks for the right to read, which who publishes need not have
"""

from collections.abc import Callable

from yarl import URL

from bridge.foreign import json_object
from bridge.outcome import Outcome
from bridge.sinks.http import Request, Response
from bridge.sinks.reachability import Finding, FindingMark, ReachabilityFlow, refused

TOPIC = "whether the topic takes a message is seen by one alone"


def server_reachability(api: URL, token: str | None, classify: Callable[[Response], Outcome]) -> ReachabilityFlow:
    """Ask after the server, and after the token where there is one."""
    response = yield Request("GET", api / "v1/health")
    healthy = json_object(response.body).get("healthy")
    if healthy is not True:
        return refused(response, classify) if healthy is None else UNWELL
    if token is None:
        return Finding(FindingMark.OK, f"the server is well; {TOPIC}")
    response = yield Request("GET", api / "v1/account", headers={"Authorization": f"Bearer {token}"})
    name = json_object(response.body).get("username")
    if response.status == 200 and name:
        return Finding(FindingMark.OK, f"the server is well and knows {name}; {TOPIC}")
    return refused(response, classify)


UNWELL = Finding(FindingMark.WRONG, "the server says that it is not healthy")
