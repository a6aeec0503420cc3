"""What a letter is called, so that a report about it proves itself.

Whoever may stop a mailbox must have had the letter: its id carries a proof under the operator's key of which letter it
is and to which mailbox it went. A stranger who writes reports of their own has none; one who was given somebody else's
letter cannot make it speak of a third mailbox.
"""

import hmac
import re

from bridge.sealing import Sealer
from bridge.value import Value

_PURPOSE = "panelbridge letter v1"
_PROVED = r"(?P<what>[0-9a-f]{16})\.(?P<proof>[0-9a-f]{32})\.(?P<about>[A-Za-z0-9-]{1,80})"
_ID = re.compile(rf"<{_PROVED}@[A-Za-z0-9.-]{{1,254}}>")
_ENVELOPE = re.compile(_PROVED)
LONGEST_ENVELOPE = 100  # characters, RFC 3461 §4.4


class LetterIds(Value):
    """Makes ids under a sender's host, and knows its own again. Without a key they prove nothing."""

    host: str
    sealer: Sealer | None = None

    def make(self, what: str, about: str, place: str) -> str:
        """The id of a letter to the mailbox with that place: `what` is its delivery's, `about` its event's."""
        proof = f".{self._proof(what, about, place)}" if self.sealer is not None else ""
        return f"<{what}{proof}.{about}@{self.host}>"

    def proves(self, id_: str, place: str) -> bool:
        """Whether it is the id of a letter of ours to that mailbox, or of its envelope."""
        found = _ID.fullmatch(id_) or _ENVELOPE.fullmatch(id_)
        if found is None or self.sealer is None:
            return False
        return hmac.compare_digest(self._proof(found["what"], found["about"], place), found["proof"])

    def _proof(self, what: str, about: str, place: str) -> str:
        assert self.sealer is not None
        return self.sealer.proof(_PURPOSE, f"{what} {about} {place}")


def envelope_id(message_id: str) -> str | None:
    """What a letter's envelope is called, so that a report proves itself by that too; None where it proves nothing, or
    would be too long.
    """
    id_ = message_id.strip("<>").partition("@")[0]
    return id_ if _ID.fullmatch(message_id) and len(id_) <= LONGEST_ENVELOPE else None
