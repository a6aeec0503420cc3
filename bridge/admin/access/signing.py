"""Signing with a time that is given: itsdangerous, by the clock that it is handed."""

from collections.abc import Callable
from hashlib import sha256

from itsdangerous import TimestampSigner


class Signer(TimestampSigner):
    """Signs with HMAC-SHA256 under a key that is derived already."""

    default_digest_method = staticmethod(sha256)
    default_key_derivation = "none"

    def __init__(self, key: bytes, now: Callable[[], float]) -> None:
        super().__init__(key)
        self._now = now

    def get_timestamp(self) -> int:
        return int(self._now())
