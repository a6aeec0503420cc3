"""What is worth saying of a Discord sink's settings before anything is sent.

Source   discord.com/developers/docs/resources/webhook: /webhooks/{id}/{token}, and beside it /slack and /github, which
         take what those services' webhooks send; support.discord.com/hc/en-us/articles/228383668
"""

import re
from collections.abc import Iterator

from pydantic import SecretStr
from yarl import URL

from bridge.sinks.settings import Advice, is_at

HOSTS = ("discord.com", "discordapp.com", "discord.gg")
_WEBHOOK = re.compile(r"/api(?:/v\d+)?/webhooks/\d+/[^/]+(?:/(?P<rest>.*))?")
_COPY = "copy the webhook's: channel settings, Integrations, Webhooks"


def url_advice(secret: SecretStr) -> Iterator[Advice]:
    """What is wrong with an address at Discord that is no webhook's own."""
    url = URL(secret.get_secret_value())
    if not is_at(url, HOSTS):
        return
    webhook = _WEBHOOK.fullmatch(url.path)
    if webhook is None and url.path.startswith("/channels/"):
        yield Advice("url", f"is where people read the channel, and takes no messages: {_COPY}")
    elif webhook is None:
        yield Advice("url", f"is no webhook's, https://discord.com/api/webhooks/id/token: {_COPY}")
    elif rest := webhook["rest"]:
        ending = f"/{rest}" if re.fullmatch("[a-z]{1,20}", rest) else "more than id and token"
        yield Advice("url", f"ends in {ending}, where nothing of ours is understood: leave that out")
