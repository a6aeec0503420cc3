"""Logs: one line per record, for eyes or for machines; what is not a named field is never logged.

text   2026-11-21T07:44:18.161+03:30 info ingress.accepted source=marzban events=3 ms=1.2
json   {"at": "2026-11-21T04:14:18.161Z", "level": "info", "event": "ingress.accepted", "source": "marzban", …}

Text has its times in the file's zone, as all that people read; JSON in UTC.

A line break or a quote in a value cannot imitate a further line or field: such values are written as JSON texts.

No library writes here: of its record stand the logger's name, the words without what was put into them, where it was
said, and of an exception its kind and where it was raised. What strangers can cause is told ten times a second at most,
and then counted.

A warning, and what is worse, is written at once, with all that was logged before. The other lines of one turn of the
loop are written together at its end: a line for each request would cost as much to write as to make.

*Why* not structlog, which renders both: in a started bridge its import (26.1) takes 65 ms of processor time and 2.9 MB,
for it brings in Rich where that is installed; 14 ms and 0.4 MB where it is not. This module takes 4 ms and 0.4 MB.
"""

import asyncio
import json
import logging
import re
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import Field

from bridge.clock import in_zone
from bridge.settings import Settings
from bridge.tracing import trace_id

#: What JSON lets stand, and a terminal obeys: controls, other ends of lines, changes of direction.
CONTROLS = r"\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_PLAIN = re.compile(rf"[^\s\"=\\\x00-\x1f{CONTROLS}]+")
_CONTROL = re.compile(f"[{CONTROLS}]")

K = TypeVar("K", bound=Hashable)


class Log(Settings):
    """How the bridge speaks of itself."""

    example: ClassVar[str] = "level: info"

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least that is worth a line")
    format: Literal["text", "json"] = Field("text", description="text for eyes, json for machines")


def log(
    logger: logging.Logger, level: int, event: str, *, error: BaseException | None = None, **fields: object
) -> None:
    """Log `event` with its fields and its trace; None is left out. `error` adds its traceback: for our own bugs."""
    if logger.isEnabledFor(level):
        if (trace := trace_id()) is not None:
            fields.setdefault("trace", trace)
        extra = {"fields": fields, "error": error}
        logger.handle(logger.makeRecord(logger.name, level, "", 0, event, (), None, extra=extra))


class Throttle(Generic[K]):
    """Lets so many within `per` seconds through for each key, and counts the others. Bounded."""

    def __init__(
        self, most: int = 10, *, per: float = 1.0, keys: int = 1000, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._per, self._keys, self._now = most, per, keys, now
        self._windows: OrderedDict[K, _Window] = OrderedDict()

    def left_out(self, key: K) -> int | None:
        """How many of its kind were left out before this one; None where this one is to be left out as well."""
        now, window = self._now(), self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(now)
            if len(self._windows) > self._keys:
                self._windows.popitem(last=False)
        elif now - window.since >= self._per:
            window.since, window.told = now, 0
        window.told += 1
        if window.told > self._most:
            window.left_out += 1
            return None
        left_out, window.left_out = window.left_out, 0
        return left_out

    def overdue(self) -> Iterator[tuple[K, int]]:
        """What was left out and whose time is over, with how often: nothing later has told of it.

        This tells of it, and is the first of those that its next window lets through.
        """
        now = self._now()
        for key, window in self._windows.items():
            if window.left_out and now - window.since >= self._per:
                left_out, window.left_out = window.left_out, 0
                window.since, window.told = now, 1
                yield key, left_out


class _Window:
    __slots__ = ("left_out", "since", "told")

    def __init__(self, since: float) -> None:
        self.since, self.told, self.left_out = since, 0, 0


def configure_logging(settings: Log, zone: tzinfo = UTC) -> None:
    """Send everything to standard error in the chosen form; of libraries only warnings, and what is worse.

    `zone`: that of times in text.

    Called again, it replaces what it set up before.
    """
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Handler)]:
        handler.flush()
        root.removeHandler(handler)
    root.addHandler(_Handler(_JsonFormatter() if settings.format == "json" else _TextFormatter(zone)))
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[settings.level.upper()]))
    logging.getLogger("bridge").setLevel(settings.level.upper())
    # it tells of each lost connection with a traceback; the store says so in one line
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


class _Handler(logging.StreamHandler[Any]):
    """Ours, and known as ours when the settings change."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(formatter)
        self._throttle: Throttle[tuple[str, str, int]] = Throttle()
        self._lines: list[str] = []
        self._flushed_by: asyncio.AbstractEventLoop | None = None  # at the end of its turn

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.append(f"{self.format(record)}\n")
        except Exception:  # noqa: BLE001 as every handler does: no line ends what it tells of
            self.handleError(record)
        if record.levelno >= logging.WARNING or not self._flush_soon():
            self.flush()

    def flush(self) -> None:
        with self.lock or nullcontext(), suppress(OSError, ValueError):  # nobody could be told that nothing can be told
            lines, self._lines, self._flushed_by = self._lines, [], None
            self.stream.write("".join(lines))
            self.stream.flush()

    def _flush_soon(self) -> bool:
        """Whether there is a loop that writes what was logged."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if self._flushed_by is not loop:
            self._flushed_by = loop
            loop.call_soon(self.flush)
        return True

    def filter(self, record: logging.LogRecord) -> bool:
        if hasattr(record, "fields"):
            return True
        left_out = self._throttle.left_out((record.name, record.pathname, record.lineno))
        record.left_out = left_out or None
        return left_out is not None


class _TextFormatter(logging.Formatter):
    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self._zone = zone

    def format(self, record: logging.LogRecord) -> str:
        words = (f"{key}={_quoted(value, self._zone)}" for key, value in _fields(record))
        line = " ".join((_timestamp(record, self._zone), record.levelname.lower(), _event(record), *words))
        return "\n    ".join((line, *_traceback(record)))


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"at": _timestamp(record), "level": record.levelname.lower(), "event": _event(record)}
        trace = {"traceback": lines} if (lines := _traceback(record)) else {}
        return _json({**line, **dict(_fields(record)), **trace})


def _timestamp(record: logging.LogRecord, zone: tzinfo = UTC) -> str:
    until_seconds, ahead = _second(int(record.created), zone)
    return f"{until_seconds}.{int(record.msecs):03}{ahead}"


@lru_cache(2)
def _second(seconds: int, zone: tzinfo) -> tuple[str, str]:
    """A time to the second, and what its zone is ahead of UTC: the same for every record of that second."""
    text = datetime.fromtimestamp(seconds, zone).isoformat()
    return text[:19], _zulu(text[19:])


def _zulu(time: str) -> str:
    return time.replace("+00:00", "Z")


def _event(record: logging.LogRecord) -> str:
    """A library's record has its logger's name for an event."""
    return record.msg if hasattr(record, "fields") else record.name


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    if (fields := getattr(record, "fields", None)) is None:
        fields = _about_a_library(record)
    for key, value in fields.items():
        if value is not None:
            yield key, round(value, 3) if isinstance(value, float) else value


def _about_a_library(record: logging.LogRecord) -> dict[str, object]:
    """What surely holds nothing that anyone sent: not the arguments, nor a message that has them in it already."""
    error = record.exc_info[1] if record.exc_info else None
    frames = traceback.extract_tb(error.__traceback__) if error else []
    return {
        "message": record.msg if record.args and isinstance(record.msg, str) else None,
        "said": f"{Path(record.pathname).name}:{record.lineno}",
        "error": type(error).__name__ if error else None,
        "raised": f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else None,
        "repeated": getattr(record, "left_out", None),
    }


def _traceback(record: logging.LogRecord) -> list[str]:
    error = getattr(record, "error", None)
    return "".join(traceback.format_exception(error)).splitlines() if error else []


def _quoted(value: object, zone: tzinfo) -> str:
    if type(value) is int or type(value) is float:
        return str(value)
    text = value if type(value) is str else _text(value, zone)
    return text if _PLAIN.fullmatch(text) else _json(text)


def _json(value: object) -> str:
    return escaped(_encode(value))


_encode = json.JSONEncoder(ensure_ascii=False, default=lambda value: _text(value)).encode


def escaped(text: str) -> str:
    """JSON text as a terminal can show it safely."""
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _text(value: object, zone: tzinfo = UTC) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case datetime():
            return _zulu(in_zone(value, zone).isoformat())
        case list() | tuple():
            return ",".join(_text(one, zone) for one in value)
        case _:
            return str(value)
