"""The time, as an argument: movers take a Clock, so that no test ever sleeps; and whether someone has set it back."""

import asyncio
import time
from datetime import UTC, datetime, tzinfo
from typing import Protocol


class Clock(Protocol):
    """Aware UTC for what is stored, a monotonic float for what is measured."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float:
        """Seconds that never go back; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None: ...


def in_zone(moment: datetime, zone: tzinfo) -> datetime:
    """The moment in that zone; in its own where the zone has no such day: the calendar ends at its first and last."""
    try:
        return moment.astimezone(zone)
    except OverflowError:
        return moment


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


DRIFT = 2.0  # seconds: less is drift, and hurts nobody


class JumpDetector:
    """Notices that the wall clock was set back, by the monotonic one: what is due at a time of the old clock would wait
    for as much longer."""

    def __init__(self) -> None:
        self._ahead: float | None = None  # of the wall clock before the monotonic one, at the last look

    def set_back(self, now: float, wall: datetime) -> float:
        """Seconds by which the wall clock was set back since the last look, 0.0 where it was not."""
        ahead = wall.timestamp() - now
        back = 0.0 if self._ahead is None else self._ahead - ahead
        if self._ahead is None or back >= DRIFT or back <= 0:
            self._ahead = ahead
        return back if back >= DRIFT else 0.0
