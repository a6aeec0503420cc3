"""The store's last trouble: what it said when it did not take what it was given, and how many requests that cost."""

from collections.abc import Callable
from datetime import datetime, timedelta

from bridge.counters import COUNTERS
from bridge.errors import StoreError
from bridge.store.ledger import Ledger
from bridge.store.writer import touch
from bridge.value import Value

LATELY = timedelta(minutes=10)  # that somebody wants to know of it


class StoreTrouble(Value):
    """What the store said last, and since when it says such things.

    refused  requests that were answered 503 since then
    is_over  whether it has taken something after that
    """

    since: datetime
    reason: str
    refused: int
    is_over: bool


class StoreWatch:
    """Remembers it in this process. `now` is asked for the time."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._since = self._last = now() - 2 * LATELY
        self._reason = ""
        self._refused = self._committed = 0

    def failed(self, reason: str) -> None:
        """The store did not take what it was given."""
        now = self._now()
        if now - self._last > LATELY:
            self._since, self._refused = now, _refused()
        self._last, self._reason, self._committed = now, reason, _committed()

    def trouble(self) -> StoreTrouble | None:
        """What there was of late; None where all is well."""
        if not self._reason or not timedelta() <= self._now() - self._last <= LATELY:
            return None
        return StoreTrouble(self._since, self._reason, _refused() - self._refused, _committed() > self._committed)


def trouble_of(ledger: Ledger, now: datetime) -> StoreTrouble | None:
    """What the store says now to who writes nothing; None where it takes it."""
    try:
        ledger.write(touch, ())
    except StoreError as error:
        return StoreTrouble(now, str(error), 0, is_over=False)
    return None


def _refused() -> int:
    return sum(n for (_, status), n in COUNTERS.requests.items() if status == 503)


def _committed() -> int:
    return sum(COUNTERS.commit_writes.counts)
