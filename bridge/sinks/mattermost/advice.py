"""What is worth saying of a Mattermost sink's settings before anything is sent.

Source   github.com/mattermost/mattermost @ 013f83c: server/channels/web/webhook.go (InitWebhooks)
"""

import re
from collections.abc import Iterator

from pydantic import SecretStr
from yarl import URL

from bridge.sinks.settings import Advice

_CREATE = "create an incoming webhook: Integrations, Incoming Webhooks"


def url_advice(secret: SecretStr) -> Iterator[Advice]:
    """What is wrong with an address that is no incoming webhook's: its path ends in /hooks/ and an id."""
    path = URL(secret.get_secret_value()).path
    if re.search(r"/(channels|messages|pl)/", path):
        yield Advice("url", f"is where people read the channel, and takes no messages: {_CREATE}")
    elif re.search(r"/hooks/commands/", path):
        yield Advice("url", f"answers a command, and takes no messages: {_CREATE}")
    elif not re.search(r"/hooks/[A-Za-z0-9]+/?$", path):
        yield Advice("url", f"is not whole, https://…/hooks/id, unless a gateway makes it so: {_CREATE}", fatal=False)
