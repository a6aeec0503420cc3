"""Unfinished announcements: where whoever made their deliveries was ended, the running bridge goes on.

Nobody has to be known to be dead for that: one that has not moved between two looks is gone on with, and where several
do so, each commit is one of them's (`announcing.py`). What nobody has gone on with for hours is news no more: it waits
for the operator's word.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from bridge.clock import Clock
from bridge.errors import BridgeError, StoreError
from bridge.store.queries.announcements import unfinished
from bridge.telemetry import log

if TYPE_CHECKING:
    from bridge.admin.actions import BridgeControls
    from bridge.admin.state import ConfigState

LOG = logging.getLogger("bridge.admin")
ROUND = 15.0  # seconds between two looks
NEWS = timedelta(hours=6)  # for which it is told by itself


class Unfinished:
    """Those of one bridge. `state` is asked for what the file says now."""

    def __init__(self, means: "BridgeControls", state: "Callable[[], ConfigState]", clock: Clock) -> None:
        self._means, self._state, self._clock = means, state, clock
        self._seen: Mapping[int, str] = {}
        self._failed: dict[int, ConfigState] = {}

    async def run(self) -> None:
        """Look, for ever; what is under way ends with it."""
        try:
            while True:
                await self._clock.sleep(ROUND)
                try:
                    await self.look()
                except StoreError as error:  # it is looked again
                    log(LOG, logging.DEBUG, "admin.store_away", reason=str(error))
                except Exception as error:
                    log(LOG, logging.ERROR, "admin.bug", error=error)
        finally:
            await self._means.errands.close()

    async def look(self) -> None:
        """Go on with each that stands where it stood at the last look."""
        since = self._clock.now() - NEWS
        found = await self._means.operate(lambda ledger: ledger.read(unfinished, since=since))
        before, self._seen = self._seen, found
        for id_, cursor in found.items():
            if before.get(id_) == cursor and self._failed.get(id_) is not self._state():
                await self._go_on(id_)

    async def _go_on(self, id_: int) -> None:
        from bridge.admin.people.announcements import SOON, errand_of, put_rest

        errands, state, now = self._means.errands, self._state(), self._clock.now()
        if errands.under_way(errand_of(id_)):
            return
        log(LOG, logging.INFO, "admin.goes_on", announcement=id_)
        try:
            await errands.run(
                errand_of(id_),
                lambda: errands.on_ledger(lambda ledger: put_rest(ledger, state.dry_run, id_, now)),
                within=SOON,
            )
        except StoreError:
            raise
        except BridgeError:  # the log has why: it cannot be while the file is as it is
            self._failed[id_] = state
