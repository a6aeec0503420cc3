"""Marzban's figures: counters, percentages, days and times, as each of the family writes them."""

from datetime import UTC, datetime
from typing import Any

from bridge.event import iso
from bridge.foreign import moment, number, whole


def count(value: Any) -> int | None:
    """The whole number, if a counter can show it: not negative, and within 64 bits."""
    found = whole(value)
    return found if found is not None and 0 <= found < 2**64 else None


def percentage(given: Any, used: int | None, limit: int | None) -> float | None:
    """The panel's figure; without one, as much of the limit as is used."""
    found = number(given)
    if found is not None and 0 <= found < 2**64:
        return float(found)
    return 100 * used / limit if used is not None and limit else None


def days_left(given: Any, expires_at: Any, now: datetime) -> int | None:
    """The panel's figure; without one to the nearest day: Marzneshin tells half a minute before or after it is full."""
    if (days := count(given)) is not None:
        return days
    end = moment_or_never(expires_at)
    return max(0, round((end - now).total_seconds() / 86400)) if end else None


def moment_or_never(value: Any) -> datetime | None:
    """Aware UTC, from epoch seconds or ISO 8601 text; None for never and for nonsense."""
    if value is None:
        return None
    seconds = number(value)
    if seconds is None:
        return moment(value)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def utc_or_never(value: Any) -> str | None:
    at = moment_or_never(value)
    return iso(at) if at else None
