"""What is worth saying of an ntfy sink's settings before anything is sent.

Source   github.com/binwiederhier/ntfy @ 81a486a: server/config.go (DefaultDisallowedTopics, which every server has and
         may add to), user/manager.go (tokens begin with tk_ and have 32 characters)
"""

from collections.abc import Iterator

from pydantic import SecretStr
from yarl import URL

from bridge.sinks.settings import Advice, is_at

HOSTS = ("ntfy.sh",)
DISALLOWED = ("docs", "static", "file", "app", "metrics", "account", "settings", "signup", "login", "v1")
_TOKEN_LENGTH = 32


def topic_advice(secret: SecretStr) -> Iterator[Advice]:
    """What is wrong with a topic that no server takes."""
    if secret.get_secret_value() in DISALLOWED:
        yield Advice("topic", "is a name that ntfy keeps for itself: give another one")


def token_advice(secret: SecretStr) -> Iterator[Advice]:
    """What is wrong with a token, at whichever server."""
    token = secret.get_secret_value()
    wanted = "give an access token, tk_…: Account, Access tokens, or `ntfy token add`"
    if "://" in token:
        yield Advice("token", f"is an address: {wanted}")
    elif not token.startswith("tk_") or len(token) != _TOKEN_LENGTH:
        yield Advice("token", f"has not the form of ntfy's: {wanted}", fatal=False)


def base_advice(api_base: str) -> Iterator[Advice]:
    """What is wrong with the address of ntfy.sh itself; one's own may stand behind any path."""
    base = URL(api_base)
    if is_at(base, HOSTS) and base.path.strip("/"):
        yield Advice("api_base", "is the server alone: the topic stands under topic")
