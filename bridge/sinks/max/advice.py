"""What is worth saying of a MAX sink's settings before anything is sent.

Source   github.com/max-messenger/max-bot-api-client-ts @ e75aa71: src/core/network/api/client.ts (the hosts);
         PyPI aiomax 2.12.5: aiomax/bot.py (the root that it brings along)
"""

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr
from yarl import URL

from bridge.sinks.settings import Advice, is_at

HOSTS = ("max.ru",)
HOST = "platform-api2.max.ru"
GIVEN_UP = ("platform-api.max.ru", "botapi.max.ru")


def token_advice(secret: SecretStr) -> Iterator[Advice]:
    token = secret.get_secret_value()
    if " " in token or "://" in token or token.lower().startswith("bearer"):
        yield Advice("token", "is the bot's token alone, without Bearer, as business.max.ru shows it")


def host_advice(api_base: str, ca: Path | None) -> Iterator[Advice]:
    """What is wrong with where it is reached, where that is MAX itself."""
    base = URL(api_base)
    if not is_at(base, HOSTS):
        return
    if base.host in GIVEN_UP:
        yield Advice("api_base", f"was given up by MAX: it is https://{HOST} now", fatal=False)
    if ca is None and base.host == HOST:
        yield Advice(
            "ca",
            "is not given: MAX's certificate is by the Russian Trusted Root CA, which few machines know",
            fatal=False,
        )
