"""Proofs: what only a customer has shows whose chat it is. Pure.

A subscription link, or what stands in a configuration: an id or a password. What a panel sends and what somebody shows
to a bot are compared by a keyed hash; the values themselves are kept nowhere, and nothing is ever fetched.
"""

import hmac
import math
import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from itertools import islice
from string import ascii_lowercase, ascii_uppercase, digits, punctuation
from typing import ClassVar

from bridge.codec import dump
from bridge.value import Value

MOST = 8  # of one customer, or in one message, that are looked at
SHORTEST, LONGEST = 10, 256  # characters of a value
FEWEST_BITS = 48.0
HASH_BYTES = 16
_PURPOSE = b"panelbridge proof v1"
_VALUE = re.compile(rf"[!-~]{{{SHORTEST},{LONGEST}}}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
#: Signs that are chosen from together, and how many they count for: of what is neither letter nor digit few are used.
_CHOICES = tuple(
    (frozenset(signs), count)
    for signs, count in ((digits, 10), (ascii_lowercase, 26), (ascii_uppercase, 26), (punctuation, 2))
)


class ProofKind(StrEnum):
    """What a value is."""

    SUBSCRIPTION = "sub"  # the part of a subscription link that no other has
    CREDENTIAL = "id"  # the id or the password in a configuration


class Proof(Value):
    """Something that only one customer should have. It is a secret: it stands in no text, log or store."""

    HIDDEN: ClassVar = frozenset({"value"})

    kind: ProofKind
    value: str


class ProofKey:
    """Makes hashes under a key that follows from `secret_key`, the same in each replica and after each restart."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    @cached_property
    def _key(self) -> bytes:
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # only who takes proofs pays for it

        return HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(self._secret)

    def hashes(self, realms: Iterable[str], proofs: Iterable[Proof]) -> tuple[str, ...]:
        """What stands for those of the proofs that are worth something, of users of these realms; each once."""
        some = list(islice((one for one in proofs if is_strong(one.value)), MOST))
        return tuple(dict.fromkeys(self._hash(realm, one) for realm in realms for one in some))

    def _hash(self, realm: str, proof: Proof) -> str:
        value = proof.value.lower() if _UUID.fullmatch(proof.value) else proof.value
        return hmac.digest(self._key, dump([realm, proof.kind, value]), "sha256")[:HASH_BYTES].hex()


def is_strong(value: str) -> bool:
    """Whether nobody guesses it: it is long enough, and more than a few signs again and again."""
    if _VALUE.fullmatch(value) is None:
        return False
    signs = set(value)
    choice = sum(count for several, count in _CHOICES if not several.isdisjoint(signs))
    return min(len(value), 2 * len(signs)) * math.log2(choice) >= FEWEST_BITS
