"""What any HTTP answer tells, whichever service was asked, and whoever it was that answered.

Between us and a service there are gateways, filters, portals and the service's own front. What they say in its place
passes, and says nothing of the address: a place is gone only by the service's own word.
"""

import math
import re
from email.utils import mktime_tz, parsedate_tz
from typing import Any

from yarl import URL

from bridge.foreign import json_object
from bridge.outcome import Away, Gone
from bridge.sinks.http import Response

LONGEST_WAIT = 86400.0  # seconds: a garbled Retry-After must not close a lane for good
MILLISECOND = 0.001  # seconds

#: What only something in between says: a proxy that wants to know who we are, a network that does.
BETWEEN = (407, 511)

_FRONT = re.compile(rb"\s*(error code: [0-9]{3,4})\s*")  # Cloudflare's, where it is asked for no page


def seconds(value: Any, *, unit: float = 1.0) -> float | None:
    """A wait that a service asks for in units of so many seconds, at most a day; None where it is no number, or none at
    all."""
    try:
        wait = float(value) * unit
    except (TypeError, ValueError, OverflowError):
        return None
    return min(wait, LONGEST_WAIT) if 0 < wait < math.inf and not isinstance(value, bool) else None


def retry_after(response: Response) -> float | None:
    """The Retry-After header in seconds from the answer's own Date; None where it asks for no wait: absent, 0, in the
    past, garbled."""
    text = response.headers.get("retry-after", "")
    wait = seconds(text)
    if wait is not None:
        return wait
    try:
        until, now = parsedate_tz(text), parsedate_tz(response.headers.get("date", ""))
        return seconds(mktime_tz(until) - mktime_tz(now)) if until and now else None
    except (ValueError, OverflowError):
        return None


def is_page(response: Response) -> bool:
    """Whether it is a web page."""
    return response.body.lstrip()[:1] == b"<"


def is_front(response: Response) -> bool:
    """Whether it is what the front of a service says, `error code: 1010`: the service itself was not asked."""
    return _FRONT.fullmatch(response.body) is not None


def in_between(response: Response) -> Away:
    """Something in between answered in the service's place. That passes by itself, and costs no attempt."""
    reason = f"HTTP {response.status} with {_content(response)}, which is not the service's own answer"
    return Away(reason, retry_after(response), counts=False)


def moved(response: Response) -> Gone | Away:
    """A redirect for good: the service's own word where it stays on its host, else that of something in between."""
    target = _target(response)
    if target is None or response.url is None or target.host != response.url.host:
        return in_between(response)
    # in two parts, for the address as a whole may be the secret that is masked
    return Gone(f"HTTP {response.status}: moved to {target.raw_path} at {target.origin()}")


def _content(response: Response) -> str:
    """What came, in words. Not as it came: it may repeat a secret."""
    if 300 <= response.status < 400:
        target = _target(response)
        return f"a redirect to {target.host}" if target is not None and target.host else "a redirect"
    if front := _FRONT.fullmatch(response.body):
        return front[1].decode()
    if is_page(response):
        return "a web page"
    if json_object(response.body):
        return "JSON of another shape"
    return "a text" if response.body.strip() else "nothing"


def _target(response: Response) -> URL | None:
    """Where a redirect leads to, None where it does not say."""
    try:
        target = URL(response.headers.get("location", ""))
        return (response.url.join(target) if response.url is not None else target) if str(target) else None
    except ValueError:
        return None
