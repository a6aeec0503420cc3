"""Originals of masked fields, sealed: kept beside a delivery where nobody can read them without the operator's key.

Source   cryptography.io/en/latest/fernet: AES-128-CBC with an HMAC-SHA256 over all of it, a fresh vector each time
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bridge.codec import decode, dump
from bridge.originals import Originals, originals_of
from bridge.value import Value

if TYPE_CHECKING:
    from cryptography.fernet import Fernet


class Sealer:
    """Seals with a key, and opens what was sealed with it."""

    def __init__(self, key: str) -> None:
        self._key = urlsafe_b64encode(hashlib.sha256(key.encode()).digest())

    @cached_property
    def _fernet(self) -> "Fernet":
        from cryptography.fernet import Fernet  # only who has a sink that unmasks pays for it

        return Fernet(self._key)

    def seal(self, originals: Originals) -> str:
        return self._fernet.encrypt(dump(originals)).decode()

    def unseal(self, sealed: str) -> Originals | None:
        """None where it was sealed with another key, or is no seal."""
        from cryptography.fernet import InvalidToken

        try:
            found: Originals = decode(self._fernet.decrypt(sealed.encode("utf-8", "replace")))
            return found
        except (InvalidToken, ValueError):
            return None

    def proof(self, purpose: str, text: str) -> str:
        """What nobody else can say of a text, 32 hexadecimal digits; of each purpose another."""
        return hmac.digest(hmac.digest(self._key, purpose.encode(), "sha256"), text.encode(), "sha256").hex()[:32]


class Unmasking(Value):
    """Which sinks are given originals, at which paths, and how these are kept until then."""

    sealer: Sealer
    paths: Mapping[str, Sequence[str]]

    def originals(self, element: Any) -> Mapping[str, Originals]:
        """What of an unmasked element each of the sinks may have."""
        found = {sink: originals_of(element, paths) for sink, paths in self.paths.items()}
        return {sink: originals for sink, originals in found.items() if originals}
