"""Forgetting: settled deliveries and their events are kept for a while, then deleted in small steps; and what was
deleted for a person's sake does not stay in a file's log.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bridge.clock import Clock
from bridge.errors import StoreError
from bridge.store.base import Outbox
from bridge.store.keep import Keep
from bridge.telemetry import log

LOG = logging.getLogger("bridge.retention")
INTERVAL = 3600.0  # seconds between two rounds
BATCH = 500  # rows per transaction: the store stays free for what comes in
LOG_EVERY = 1.0  # seconds between two looks at whether the log is to be emptied
PAUSE = 0.2  # seconds between two steps


async def prune(outbox: Outbox, *, keep: Keep, clock: Clock) -> int:
    """One round: delete what was settled longer ago than it is kept. Returns how many rows went."""
    before, audiences = keep.before(clock.now()), keep.audiences_before(clock.now())
    total = 0
    while pruned := await outbox.prune(before=before, audiences=audiences, now=clock.now(), limit=BATCH):
        total += pruned
        await clock.sleep(PAUSE)
    return total


async def prune_forever(outbox: Outbox, *, keep: Keep, clock: Clock) -> None:
    """A round at the start and every hour."""
    while True:
        try:
            if pruned := await prune(outbox, keep=keep, clock=clock):
                log(LOG, logging.INFO, "retention.pruned", rows=pruned)
        except StoreError as error:
            log(LOG, logging.WARNING, "retention.store_away", reason=str(error))
        await clock.sleep(INTERVAL)


async def empty_log_forever(empty_log: Callable[[], Awaitable[None]], *, clock: Clock) -> None:
    """Empty a file's log soon after somebody was forgotten: until then it has what the file has not any more."""
    while True:
        with suppress(StoreError):
            await empty_log()
        await clock.sleep(LOG_EVERY)
