"""Where looking ended: what a list says that did not look through all that is kept, and how to go on."""

import sys
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.cli.console import local_time


def print_end(what: str, end: object, back_to: datetime | None, zone: ZoneInfo) -> None:
    """Say so beside the list, which programs may read; `end`: what one goes on from, None where all was seen."""
    if end is not None and back_to is not None:
        print(
            f"looked through the {what} back to {local_time(back_to, zone)}: go on with --before {end}", file=sys.stderr
        )
