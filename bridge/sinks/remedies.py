"""What somebody can do about a service's words: the sink's own rows, looked through from the top."""

import re
from collections.abc import Sequence

#: What a reason has in it, and one or two sentences, which are translated where they are shown.
Remedies = Sequence[tuple[re.Pattern[str], str]]


def remedies(*rows: tuple[str, str]) -> Remedies:
    """Rows of a pattern, whatever its case, and what to do."""
    return [(re.compile(pattern, re.IGNORECASE), text) for pattern, text in rows]
