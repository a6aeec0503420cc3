"""What every chat says of a digest beside its parts: what it is about, and how much was left out."""

from bridge.message import Digest
from bridge.sinks.text import clip

COUNTS = 250  # characters
NUMBER = "{more}"  # where the number goes


def more(digest: Digest, shown: int) -> str:
    """What to say of the events that the first `shown` parts do not tell; empty where they tell all of them."""
    left = digest.tally.total - sum(part.circumstances.repeats for part in digest.parts[:shown])
    return digest["more"].strip().replace(NUMBER, str(left)) if left > 0 else ""


def counts_by_type(digest: Digest) -> str:
    """The bare count by type, for where no template works."""
    kinds = ", ".join(f"{kind} ×{count}" for kind, count in digest.tally.kinds.items())
    return clip(kinds or "×0", COUNTS)
