"""What is worth saying of a Matrix sink's settings before anything is sent.

Source   github.com/matrix-org/matrix-spec @ d0ba2aa: content/appendices.md (identifiers, matrix.to);
         github.com/element-hq/synapse @ a58ad44: synapse/handlers/auth.py (tokens begin with syt_)
"""

from collections.abc import Iterator

from pydantic import SecretStr
from yarl import URL

from bridge.sinks.settings import Advice, is_at

HOSTS = ("matrix.org",)
CLIENTS = ("matrix.to", "app.element.io", "app.cinny.in", "app.schildi.chat")
_WANTED = "give the homeserver's, https://matrix.example.com"


def base_advice(api_base: str) -> Iterator[Advice]:
    """What is wrong with an address that is no homeserver's."""
    base = URL(api_base)
    if is_at(base, CLIENTS):
        yield Advice("api_base", f"is where people read: {_WANTED}")
    elif base.path.strip("/").startswith("_matrix"):
        yield Advice("api_base", f"is the homeserver alone, without /_matrix: {_WANTED}")


def token_advice(secret: SecretStr) -> Iterator[Advice]:
    """What is wrong with a token, at whichever server."""
    token = secret.get_secret_value()
    wanted = "give the account's access token: in Element, All settings, Help & About, Advanced"
    if "://" in token:
        yield Advice("token", f"is an address: {wanted}")
    elif token.startswith(("@", "!", "#")):
        yield Advice("token", f"is a name: {wanted}")
    elif token.startswith("syr_"):
        yield Advice("token", f"is a refresh token: {wanted}")
