"""Letters that came back: inboxes are looked through on a clock, and mailboxes that are gone for good are kept as such.

take a turn → look → keep, with the place behind which is looked next → mark the reports as read

Only who has the turn looks, whichever replica that is. What follows from a report and the place behind it are one
commit; whatever is told twice is the same the second time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from bridge.clock import Clock
from bridge.errors import StoreError
from bridge.polled import Polling, PollKey, PollResult, SourceHealth, Turn
from bridge.polling.health import asked_again
from bridge.sinks.inbox import Bounce, Inbox, InboxResult, InboxUnreadable
from bridge.store.base import Outbox
from bridge.telemetry import log

LOG = logging.getLogger("bridge.inbox")
EVERY = 60.0  # seconds from look to look
WITHIN = 45.0  # seconds for one: the next may be another replica's, and must not meet it
MARKING = 10.0  # seconds to mark what was read
LOOK = 5.0  # seconds between two looks at whose turn it is, at the most
#: Seconds behind which a report tells nothing any more: servers give up within five days, and mailboxes come back.
OLDEST = 6 * 86400.0

#: Keeps that letters of a sender came back, under the turn in which that was found; False where it is over.
KeepBounces = Callable[[str, Sequence[Bounce], PollResult, datetime], Awaitable[bool]]


class Inboxes:
    """Looks through inboxes, each in a task of its own. Which, is swapped whole on reload."""

    def __init__(self, outbox: Outbox, clock: Clock, keep: KeepBounces) -> None:
        self._outbox = outbox
        self._clock = clock
        self._keep = keep
        self._inboxes: Mapping[str, Inbox] = {}
        self._changed = asyncio.Event()

    def configure(self, inboxes: Sequence[Inbox]) -> None:
        """From now on look through these."""
        self._inboxes = {inbox.key: inbox for inbox in inboxes}
        self._changed.set()

    async def run(self) -> None:
        """Look, for ever."""
        running: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._changed.wait()
                self._changed.clear()
                running = {key: task for key, task in running.items() if not task.done()}
                for key in self._inboxes.keys() - running.keys():
                    running[key] = tasks.create_task(self._look_forever(key), name=f"look through {key}")

    async def _look_forever(self, key: str) -> None:
        """For as long as there is an inbox of that key."""
        while (inbox := self._inboxes.get(key)) is not None:
            wait = LOOK
            try:
                wait = await self.step(inbox)
            except StoreError as error:  # nothing was kept: it is looked at again
                log(LOG, logging.WARNING, "inbox.store_away", inbox=inbox.name, reason=str(error))
            except Exception as error:
                log(LOG, logging.ERROR, "inbox.bug", inbox=inbox.name, error=error)
            await self._clock.sleep(min(wait, LOOK))

    async def step(self, inbox: Inbox) -> float:
        """Look once if it is our turn; seconds until there may be another one."""
        turn = await self._outbox.take_turn(PollKey(inbox.key, Polling.INBOX), now=self._clock.now(), every=EVERY)
        if not isinstance(turn, Turn):
            return turn
        since = self._clock.now() - timedelta(seconds=OLDEST)
        try:
            found = await inbox.look(turn.state, since=since, within=WITHIN)
        except InboxUnreadable as error:
            await self._failed(inbox, turn, str(error))
            return LOOK
        await self._found(inbox, turn, found)
        return 0.0 if found.more else LOOK

    async def _found(self, inbox: Inbox, turn: Turn, found: InboxResult) -> None:
        now = self._clock.now()
        if not found.bounces and not found.more and found.state == turn.state and turn.health == SourceHealth():
            return
        due_at = now if found.more else None
        result = PollResult(turn=turn, health=SourceHealth(), state=found.state, due_at=due_at)
        if not await self._keep(inbox.sender, found.bounces, result, now):
            log(LOG, logging.WARNING, "inbox.turn_over", inbox=inbox.name)
            return
        if turn.health.failing_since is not None:
            log(LOG, logging.INFO, "inbox.read_again", inbox=inbox.name)
        if not found.bounces:
            return
        log(LOG, logging.INFO, "inbox.came_back", inbox=inbox.name, letters=len(found.bounces))
        with suppress(InboxUnreadable):
            await inbox.set_read([one.number for one in found.bounces], within=MARKING)

    async def _failed(self, inbox: Inbox, turn: Turn, reason: str) -> None:
        """Keep why it could not be looked through, and look again later."""
        now, before = self._clock.now(), turn.health
        health = SourceHealth(failing_since=before.failing_since or now, reason=reason, failures=before.failures + 1)
        if before.reason != reason:
            log(LOG, logging.WARNING, "inbox.unread", inbox=inbox.name, reason=reason)
        due_at = asked_again(health, now, every=EVERY)
        await self._keep(inbox.sender, (), PollResult(turn=turn, health=health, due_at=due_at), now)
