"""What the log says of requests that are not taken: one line each at most, and ten of a kind in a second."""

import logging
import re
from collections.abc import Collection

from aiohttp.http import HttpProcessingError

from bridge.counters import COUNTERS
from bridge.telemetry import Throttle, log

LOG = logging.getLogger("bridge.ingress")
NOT_HTTP = "it is no proper HTTP request"
#: How what is no HTTP/1.1 begins, and what to say of it.
OTHER_PROTOCOLS = {
    b"\x16\x03": "it is TLS, and this port speaks plain HTTP: post to http://, or to a proxy that speaks https",
    b"PRI * HTTP/2.0": "it is HTTP/2 from the first byte, and this port speaks HTTP/1.1",
}
_VERSION = re.compile("v[0-9]{1,3}")
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PROPFIND"))
PARTS = 12  # of a path that are shown


class Refusals:
    """Counts them, and what it leaves out. `None` for a source is a request that names none, or not one of ours."""

    def __init__(self) -> None:
        self._throttle: Throttle[tuple[str | None, int]] = Throttle()

    def log(self, source: str | None, status: int, reason: str) -> None:
        self.count(source, status)
        if (left_out := self._throttle.left_out((source, status))) is not None:
            self.tell(source=source, status=status, reason=reason, repeated=left_out or None)

    def count(self, source: str | None, status: int) -> None:
        """Count one."""
        COUNTERS.request_refused(source, status)

    def log_left_out(self) -> None:
        """Tell of what was left out, where nothing later did."""
        for (source, status), left_out in self._throttle.overdue():
            self.tell(source=source, status=status, repeated=left_out)

    def tell(self, **fields: object) -> None:
        """Write the line."""
        log(LOG, logging.WARNING, "ingress.refused", error=None, **fields)

    def tell_bug(self, error: Exception) -> None:
        """Write that a request met a fault of ours."""
        log(LOG, logging.ERROR, "ingress.bug", error=error)


def shown_path(path: str, known: Collection[str]) -> str:
    """A path as it may be logged: a part of it that is neither known nor a version may be a secret, and is `…`."""
    parts = path.split("/")
    shown = [part if not part or part in known or _VERSION.fullmatch(part) else "…" for part in parts[:PARTS]]
    return "/".join(shown) + ("/…" if len(parts) > PARTS else "")


def shown_method(method: str) -> str:
    """A request's method as it may be logged."""
    return method if method in METHODS else "another method"


def other_protocol(data: bytes) -> str | None:
    """What speaks on a connection that begins with these bytes, None where it may be HTTP/1.1."""
    return next((reason for start, reason in OTHER_PROTOCOLS.items() if data.startswith(start)), None)


class HttpLog(logging.Logger):
    """What aiohttp's server is given to log to: its words hold what was sent, secrets as well."""

    def __init__(self, refusals: Refusals) -> None:
        super().__init__("bridge.ingress.http")
        self._refusals = refusals

    def handle(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        match error:
            case HttpProcessingError():
                self._refusals.log(None, 400, f"{NOT_HTTP}: {type(error).__name__}")
            case Exception():  # our own bug: it is answered 500
                self._refusals.count(None, 500)
                self._refusals.tell_bug(error)
            case _:
                pass

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802
        """Also for what it takes for noise: it is somebody at the door."""
        return level > logging.NOTSET
