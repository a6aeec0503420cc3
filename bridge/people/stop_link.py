"""The link in a letter by which whoever got it wants no more of them. Pure: nothing of it is kept.

Source   RFC 8058 (one click, by POST; https alone)

A token is the place of a mailbox, a hash that shows nobody's address, and the proof that we have made it: an
HMAC-SHA256 under a key that follows from `secret_key`, so that each replica knows it and a restart changes nothing. It
can be used again and again, for as long as the key stands.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from typing import ClassVar

from bridge.value import Value

PATH = "stop"
_PURPOSE = b"panelbridge stop v1"
_TOKEN = re.compile(r"([0-9A-Za-z]{1,64})-[A-Za-z0-9_-]{43}", re.ASCII)


class StopLinks(Value):
    """Makes links under a public address, and knows its own again."""

    HIDDEN: ClassVar = frozenset({"secret"})

    base: str
    secret: str

    def link(self, place: str) -> str:
        """What is opened, or posted to, to get no more letters at a place."""
        return f"{self.base}/{PATH}/{self._token(place)}"

    def place_of(self, token: str) -> str | None:
        """The place that a token of ours is for; None for whatever else."""
        found = _TOKEN.fullmatch(token)
        if found is None or not hmac.compare_digest(self._token(found[1]), token):
            return None
        return found[1]

    def _token(self, place: str) -> str:
        key = hmac.digest(self.secret.encode(), _PURPOSE, "sha256")
        proof = hmac.digest(key, place.encode(), "sha256")
        return f"{place}-{urlsafe_b64encode(proof).decode().rstrip('=')}"
