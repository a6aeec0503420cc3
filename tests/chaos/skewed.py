"""`panelbridge`, on a machine whose clock is wrong by as many seconds as the file in the first argument says."""

import select
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.__main__ import main
from bridge.clock import SystemClock

file = Path(sys.argv.pop(1))


def now(_: SystemClock) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(file.read_text() or 0))


def sleep(seconds: float) -> None:
    """Why: libfaketime takes the monotonic moment at which a sleep ends for one of the clock that it has set wrong."""
    select.select([], [], [], seconds)


SystemClock.now = now  # type: ignore[method-assign]
time.sleep = sleep
main()
