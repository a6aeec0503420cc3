"""Noticing that the wall clock was set back: what is due at a time of the old clock would wait for as much longer."""

from datetime import datetime

LEAST = 2.0  # seconds: less is drift, and hurts nobody


class Wall:
    """Compares the wall clock with the monotonic one."""

    def __init__(self) -> None:
        self._ahead: float | None = None  # of the wall clock before the monotonic one, at the last look

    def set_back(self, now: float, wall: datetime) -> float:
        """Seconds by which the wall clock was set back since the last look, 0.0 where it was not."""
        ahead = wall.timestamp() - now
        back = 0.0 if self._ahead is None else self._ahead - ahead
        if self._ahead is None or back >= LEAST or back <= 0:
            self._ahead = ahead
        return back if back >= LEAST else 0.0
