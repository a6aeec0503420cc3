"""What the process is told by signals: to stop, which it does in time whatever hangs, and to read its file again."""

import asyncio
import logging
import os
import signal
import threading

from bridge.telemetry import log

LOG = logging.getLogger("bridge.app")
LAST_WORDS = 0.1  # seconds for the last line of the log


def heard_signals(*, within: float) -> tuple[asyncio.Event, asyncio.Event]:
    """What is set when the process shall stop, which it has done `within` seconds, and when it shall reload."""
    stop, reload = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def begin_to_stop() -> None:
        if not stop.is_set():
            stop.set()
            last_resort = threading.Timer(within, _cut_short)
            last_resort.daemon = True
            last_resort.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, begin_to_stop)
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    return stop, reload


def _cut_short() -> None:
    """End the process though something still hangs: a store that does not answer, a disk, a name server.

    Nothing is lost by it: what was answered 2xx is on the disk, and what has not been recorded is sent again.
    """
    last_words = threading.Thread(target=log, args=(LOG, logging.WARNING, "app.cut_short"), daemon=True)
    last_words.start()
    last_words.join(LAST_WORDS)  # a log that takes nothing must not hold us up either
    os._exit(0)
