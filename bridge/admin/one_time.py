"""What one page shows once, and nobody else is ever told: a link that was made, a form that could not be taken."""

import secrets
from collections import OrderedDict
from typing import Any

MOST = 100  # things that wait to be shown


class OneTimeStore:
    """Things by words that nobody can guess. Each process has its own, and forgets it as it ends."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def keep(self, thing: Any) -> str:
        """The word by which the next page shows it; of too many the oldest is forgotten."""
        while len(self._kept) >= MOST:
            self._kept.popitem(last=False)
        word = secrets.token_urlsafe(12)
        self._kept[word] = thing
        return word

    def take(self, word: str) -> Any:
        """The thing, which is then gone; None where there is none."""
        return self._kept.pop(word, None)
