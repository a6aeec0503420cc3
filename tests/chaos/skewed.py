"""`panelbridge`, on a machine whose clock is wrong by as many seconds as the file in the first argument says."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.__main__ import main
from bridge.clock import SystemClock

file = Path(sys.argv.pop(1))


def now(_: SystemClock) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(file.read_text() or 0))


SystemClock.now = now  # type: ignore[method-assign]
main()
