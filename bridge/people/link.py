"""Links: how a customer shows that a chat is theirs. Pure but for the token, which is made by chance.

A token is given away once and kept nowhere: the store has its hash. Whoever has the token may bind one private chat,
once, until it is over.
"""

import re
import secrets
from hashlib import sha256

TOKEN_BYTES = 16  # 128 bits
HOLDS = 7 * 86400.0  # seconds that a link can be used
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


def new_token() -> str:
    """A token that nobody guesses: 22 signs of `A-Za-z0-9_-`."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def is_token(text: str) -> bool:
    """Whether a text could be one at all."""
    return _TOKEN.fullmatch(text) is not None


def hash_of(token: str) -> str:
    """What is kept of a token. 128 bits of chance need neither a salt nor a slow hash."""
    return sha256(token.encode()).hexdigest()
