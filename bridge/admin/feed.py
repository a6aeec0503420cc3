"""The feed: what happens, as it happens, for programs that listen: events, tries, and how lanes stand.

One tail for all of them looks at the store once a second at most while somebody listens, and a little longer: who comes
back is told what he missed, as far as it is remembered. Each hears what he wants; who reads slowly is told how
much was left out.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Protocol, TypeVar

from bridge.admin.answers import Refused
from bridge.admin.live import AWAY, BEAT, EVERY, LASTS, LIVES, SHARE, Said
from bridge.admin.tail import Happening, Kind, Tail, Wanted
from bridge.clock import Clock
from bridge.errors import StoreError
from bridge.store.ledger import Ledger

MOST = 8  # listeners at once
KEPT = 1000  # things that happened which are remembered, and which wait for one listener
GRACE = 30.0  # seconds for which it goes on when nobody listens: somebody may come back
_NAMES = {Kind.EVENT: "event", Kind.LANE: "lane", Kind.LEFT_OUT: "left_out"}  # all else is an attempt
T = TypeVar("T")


class Run(Protocol):
    """Runs a look into the store off the loop; raises StoreError where it fails."""

    def __call__(self, look: Callable[[Ledger], T], /) -> Awaitable[T]: ...


class Listener:
    """One of them. `may`: whether whoever opened it is still there, and may still look."""

    def __init__(self, wanted: Wanted, may: Callable[[], bool]) -> None:
        self.wanted, self.may = wanted, may
        self.ends_at = 0.0
        self._waiting: deque[Said] = deque()
        self._left_out = 0
        self._is_over = False
        self._changed = asyncio.Event()

    def tell(self, happened: Happening, id_: str) -> None:
        """Tell it, where it is wanted."""
        if not self.wanted.tells(happened):
            return
        if len(self._waiting) >= KEPT:
            self._waiting.popleft()
            self._left_out += 1
        self._say(Said(happened.model_dump_json(exclude_none=True), id_, _NAMES.get(happened.kind, "attempt")))

    def beat(self, state: str) -> None:
        if not self._waiting:
            self._say(Said(state, event="beat"))

    def end(self) -> None:
        self._is_over = True
        self._changed.set()

    async def messages(self, now: Callable[[], datetime]) -> AsyncIterator[Said]:
        """What is to be told, until it is over."""
        while True:
            await self._changed.wait()
            if self._is_over:
                return
            self._changed.clear()
            if self._left_out:
                number, self._left_out = self._left_out, 0
                left_out = Happening(at=now(), kind=Kind.LEFT_OUT, number=number, text="read too slowly")
                yield Said(left_out.model_dump_json(exclude_none=True), event="left_out")
            while self._waiting:
                yield self._waiting.popleft()

    def _say(self, said: Said) -> None:
        self._waiting.append(said)
        self._changed.set()


class Feed:
    """`run` looks into the store, `now` is the time of what happens there, by `clock` it looks again."""

    def __init__(self, run: Run, now: Callable[[], datetime], clock: Clock) -> None:
        self._run, self._now, self._clock = run, now, clock
        self._listeners: dict[Listener, None] = {}
        self._name, self._number = secrets.token_hex(4), 0
        self._happened: deque[tuple[int, Happening]] = deque(maxlen=KEPT)
        self._tail: Tail | None = None
        self._since: datetime | None = None
        self._until = self._beat_at = float("-inf")
        self._state = LIVES
        self._reading: asyncio.Task[None] | None = None

    def open(self, listener: Listener, last_id: str | None = None) -> None:
        """From now on it is told, and what came after `last_id`; raise Refused where there are too many."""
        self._end_over()
        if len(self._listeners) >= MOST:
            raise Refused(503, "too many listen already", f"There are {MOST} at once at the most.", retry_after=10)
        listener.ends_at = self._clock.monotonic() + LASTS
        listener.beat(LIVES)
        for number, one in self._after(last_id):
            listener.tell(one, self._id(number))
        self._listeners[listener] = None
        if self._reading is None or self._reading.done():
            self._since = self._now()
            self._reading = asyncio.create_task(self._read())

    def leave(self, listener: Listener) -> None:
        """It is told no more."""
        self._listeners.pop(listener, None)
        listener.end()
        self._until = self._clock.monotonic() + GRACE

    async def close(self) -> None:
        """End all of them."""
        for listener in list(self._listeners):
            self.leave(listener)
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError):
                await self._reading

    async def _read(self) -> None:
        while self._listeners or self._clock.monotonic() < self._until:
            began = self._clock.monotonic()
            self._end_over()
            state = await self._look()
            if state != self._state or began - self._beat_at >= BEAT:
                self._state, self._beat_at = state, began
                for listener in self._listeners:
                    listener.beat(state)
            await self._clock.sleep(max(EVERY, SHARE * (self._clock.monotonic() - began)))
        self._tail = self._since = None
        self._happened.clear()

    async def _look(self) -> str:
        """Tell what is new; whether the store could be asked. After one that failed it looks back to the one before,
        the first one to when somebody began to listen."""
        now = self._now()
        try:
            tail, since = self._tail, self._since or now
            if tail is None:
                tail = await self._run(lambda ledger: Tail(ledger, Wanted(), since=since, back=True))
            found = await self._run(lambda _: tail.look(now))
        except StoreError:
            self._tail = None
            return AWAY
        self._tail, self._since = tail, now
        self._tell(found)
        return LIVES

    def _tell(self, found: Iterable[Happening]) -> None:
        for one in found:
            self._number += 1
            self._happened.append((self._number, one))
            for listener in self._listeners:
                listener.tell(one, self._id(self._number))

    def _id(self, number: int) -> str:
        return f"{self._name}-{number}"

    def _after(self, last_id: str | None) -> Iterable[tuple[int, Happening]]:
        """What came after that, with its number; first that something is left out, where nobody knows what."""
        if last_id is None:
            return []
        name, _, text = last_id.rpartition("-")
        first = self._happened[0][0] if self._happened else self._number + 1
        if name == self._name and text.isascii() and text.isdigit() and int(text[:18]) >= first - 1:
            return [(number, one) for number, one in self._happened if number > int(text[:18])]
        gap = Happening(at=self._now(), kind=Kind.LEFT_OUT, text="what happened meanwhile is not remembered")
        return [(first - 1, gap), *self._happened]

    def _end_over(self) -> None:
        now = self._clock.monotonic()
        for listener in [one for one in self._listeners if now >= one.ends_at or not one.may()]:
            self.leave(listener)
