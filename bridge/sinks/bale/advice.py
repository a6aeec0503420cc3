"""What is worth saying of a Bale sink's settings before anything is sent.

Source   docs.bale.ai: a token is the bot's number, a colon, and its secret; https://tapi.bale.ai/bot{token}/{method}
"""

from collections.abc import Iterator

from pydantic import SecretStr
from yarl import URL

from bridge.sinks.settings import Advice, is_at

HOSTS = ("bale.ai", "ble.ir")
_FORM = "123456789:ABC…, as @botfather in Bale gives it"


def token_advice(secret: SecretStr, chat_id: int | str, api_base: str) -> Iterator[Advice]:
    """What is wrong with a token, where it is not a gateway of the operator's that is given it."""
    base, token = URL(api_base), secret.get_secret_value()
    if not is_at(base, HOSTS):
        return
    if base.path.strip("/").startswith("bot"):
        yield Advice("api_base", "is the host alone: /bot and the token are added to it")
    number, colon, rest = token.partition(":")
    if "://" in token:
        yield Advice("token", f"is an address: give the token alone, {_FORM}")
    elif not colon or not number.isdecimal() or not rest:
        yield Advice("token", f"should be a number, a colon and letters: {_FORM}")
    if number == str(chat_id):
        yield Advice("chat_id", "is the bot itself, which cannot write to itself: give the chat's")
