"""Templates of announcements: the operator's, in `announcements/` of their folder, and the shipped ones."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path

from bridge.clock import in_zone
from bridge.errors import BridgeError, UnknownName, suggestion
from bridge.messages.customer import ANNOUNCEMENTS
from bridge.messages.renderer import SHIPPED

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def names(folders: Iterable[Path]) -> list[str]:
    """What there is, of the operator's and the shipped."""
    found = (file.stem for folder in (*folders, SHIPPED) for file in (folder / ANNOUNCEMENTS).glob("*.j2"))
    return sorted({one for one in found if _NAME.fullmatch(one)})


def timed(folders: Sequence[Path], zone: tzinfo, name: str, *, start: str, end: str, sign: str = "") -> str:
    """The template of that name with the times that it speaks of, as `moment_said` takes them, empty for none; an end
    without a day is the first one after the start. `sign` stands before their names where a mistake is told.
    """
    begins = moment_said(start, zone, what=f"{sign}start") if start else None
    day = in_zone(begins, zone).date() if begins is not None else None
    ends = moment_said(end, zone, what=f"{sign}end", day=day) if end else None
    if begins is not None and ends is not None and ends <= begins:
        ends = _next_day(ends, what=f"{sign}end")
    return template(folders, name, begins, ends)


def template(folders: Sequence[Path], name: str, start: datetime | None = None, end: datetime | None = None) -> str:
    """The template of that name, in which `start` and `end` are these; raise UnknownName where there is none."""
    files = [folder / ANNOUNCEMENTS / f"{name}.j2" for folder in (*folders, SHIPPED)]
    file = next((one for one in files if one.is_file()), None) if _NAME.fullmatch(name) else None
    if file is None:
        raise UnknownName(f'announce: no template is called "{name}": {suggestion(name, names(folders))}')
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = "is no UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise BridgeError(f"announce: {file}: {why}") from None
    return f"{_set('start', start)}{_set('end', end)}{text}"


def _set(name: str, at: datetime | None) -> str:
    said = "none" if at is None else f'"{at.isoformat()}"'
    return f"{{% set {name} = {said} %}}"


def _next_day(at: datetime, *, what: str) -> datetime:
    try:
        return at + timedelta(days=1)
    except OverflowError:
        raise BridgeError(f"announce: {what} is after the last day of the calendar") from None


def moment_said(text: str, zone: tzinfo, *, what: str, day: date | None = None) -> datetime:
    """The time that `2026-12-01 02:00` is in a zone, or `02:30` on that `day`; raise BridgeError where it is none."""
    try:
        if day is not None and len(text) == len("02:30"):
            return datetime.combine(day, time.fromisoformat(text), zone)
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BridgeError(f"announce: {what} should be a time such as 2026-12-01 02:00, not {text}") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone)
