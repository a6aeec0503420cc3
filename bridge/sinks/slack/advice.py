"""What is worth saying of a Slack sink's settings before anything is sent.

Source   docs.slack.dev/authentication/tokens (the kinds of token), messaging/sending-messages-using-incoming-webhooks;
         slack.com/help/articles/360041352714 (workflows that begin with a webhook)
"""

import re
from collections.abc import Iterator

from pydantic import SecretStr
from yarl import URL

from bridge.sinks.settings import Advice, is_at

HOSTS = ("slack.com", "slack-gov.com")
_CREATE = "create an incoming webhook: api.slack.com/apps, Incoming Webhooks"
_WORKFLOW = re.compile(r"/(workflows|triggers)/")
_READ = re.compile(r"/(archives|client|messages|app_redirect|team)\b")
#: Kinds of token that post nothing, and what each is.
_POSTS_NOTHING = {
    "xapp-": "an app's token, for sockets",
    "xoxe-": "a refresh token",
    "xoxa-": "a token of an old kind",
    "xoxr-": "a refresh token of an old kind",
}


def url_advice(secret: SecretStr) -> Iterator[Advice]:
    """What is wrong with an address at Slack that is no incoming webhook's."""
    url = URL(secret.get_secret_value())
    if not is_at(url, HOSTS):
        return
    if _READ.match(url.path):
        yield Advice("url", f"is where people read the channel, and takes no messages: {_CREATE}")
    elif _WORKFLOW.match(url.path):
        what = "starts a workflow, which understands only the variables that it names"
        yield Advice("url", f"{what}: for messages {_CREATE}", fatal=False)
    elif (url.host or "").startswith("hooks.") and not re.fullmatch(r"/services/[^/]+/[^/]+/[^/]+/?", url.path):
        yield Advice("url", f"is not whole, https://hooks.slack.com/services/T…/B…/…: copy it again, or {_CREATE}")


def token_advice(secret: SecretStr, api_base: str) -> Iterator[Advice]:
    """What is wrong with a token that Slack itself would have to take."""
    if not is_at(URL(api_base), HOSTS):
        return
    token = secret.get_secret_value()
    wanted = "give the bot's, xoxb-…: api.slack.com/apps, OAuth & Permissions"
    if what := next((what for kind, what in _POSTS_NOTHING.items() if token.startswith(kind)), None):
        yield Advice("token", f"is {what}, which posts no message: {wanted}")
    elif "://" in token:
        yield Advice("token", f"is an address: an incoming webhook's stands under url; as token {wanted}")
    elif not token.startswith("xox"):
        yield Advice("token", f"has not the form of Slack's: {wanted}", fatal=False)
