"""Streams of server-sent events, many at once: what each is to be told next, and one reader that looks for all of them.

The reader looks once a second at most, and for a twentieth of the time; while nobody listens there is none. Where it
cannot look, for the store is away or by a fault of ours, it says so and goes on. However long a look took, and so what
comes after it, each stream hears meanwhile how it is, and ends in time.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import ClassVar, Generic, TypeVar

from bridge.admin.answers import RequestRefused
from bridge.clock import Clock
from bridge.errors import StoreError
from bridge.telemetry import log
from bridge.value import Value

LOG = logging.getLogger("bridge.admin")
EVERY = 1.0  # seconds between two looks, at the least
SHARE = 20  # times as long as a look took, until the next one begins
BEAT = 15.0  # seconds in which each stream says something: that it is there, if nothing else
LASTS = 600.0  # seconds after which a stream ends: whoever is still there asks again, and has a session that goes on
LIVES, AWAY = "live", "away"  # what a beat says
S = TypeVar("S", bound="Subscriber")


class ServerSentEvent(Value):
    """One message of a stream; what has no `event` is a region of a page."""

    data: str
    id: str | None = None
    event: str | None = None


class Subscriber:
    """Whoever listens to one stream.

    may   whether whoever opened it is still there, and may still look
    most  messages that wait for it; an older one goes where another comes. None: it sees to that itself
    """

    def __init__(self, may: Callable[[], bool], most: int | None = None) -> None:
        self.may = may
        self.ends_at = 0.0
        self._waiting: deque[ServerSentEvent] = deque(maxlen=most)
        self._state = ""
        self._is_over = False
        self._changed = asyncio.Event()

    def beat(self, state: str, *, due: bool, id_: str | None = None) -> None:
        """Tell how it is, where that is another or has not been told for a while, and nothing waits that tells more.
        `id_`: up to where all has been told.
        """
        if not self._waiting and (due or state != self._state):
            self._state = state
            self._say(ServerSentEvent(state, id_, "beat"))

    def beat_again(self, id_: str | None = None) -> None:
        """Tell once more how it is."""
        self.beat(self._state, due=True, id_=id_)

    def end(self) -> None:
        self._is_over = True
        self._changed.set()

    async def messages(self) -> AsyncIterator[ServerSentEvent]:
        """What is to be told, until it is over."""
        while not self._is_over:
            if (one := self._next()) is not None:
                yield one
            else:
                self._changed.clear()
                await self._changed.wait()

    def _say(self, one: ServerSentEvent) -> None:
        self._waiting.append(one)
        self._changed.set()

    def _next(self) -> ServerSentEvent | None:
        return self._waiting.popleft() if self._waiting else None


class Broadcast(ABC, Generic[S]):
    """The reader, by `clock`, and who listens.

    most     subscribers at once
    refused  what one more is told: the title and the detail of a problem
    grace    seconds for which it goes on when nobody listens: somebody may come back
    """

    most: ClassVar[int]
    refused: ClassVar[tuple[str, str]]
    grace: ClassVar[float] = 0.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._subscribers: dict[S, None] = {}
        self._reading: asyncio.Task[None] | None = None
        self._until = self._beat_at = float("-inf")

    def open(self, subscriber: S) -> None:
        """From now on it is told; raise RequestRefused where there are too many."""
        self._end_over()
        if len(self._subscribers) >= self.most:
            raise RequestRefused(503, *self.refused, retry_after=10)
        subscriber.ends_at = self._clock.monotonic() + LASTS
        self._greet(subscriber)
        self._subscribers[subscriber] = None
        if self._reading is None or self._reading.done():
            self._begin()
            self._reading = asyncio.create_task(self._read())

    def leave(self, subscriber: S) -> None:
        """It is told no more."""
        self._subscribers.pop(subscriber, None)
        subscriber.end()
        self._until = self._clock.monotonic() + self.grace

    async def close(self) -> None:
        """End all of them."""
        for one in list(self._subscribers):
            self.leave(one)
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    @abstractmethod
    async def _look(self, *, is_time: bool) -> None:
        """Tell what is new, and beat; `is_time`: a beat is due. Raise StoreError where the store cannot be asked."""

    def _greet(self, subscriber: S) -> None:
        """Tell what a new one hears first."""
        subscriber.beat(LIVES, due=True, id_=self._position())

    def _begin(self) -> None:
        """The reader begins."""

    @abstractmethod
    def _forget(self) -> None:
        """The reader has ended."""

    async def _read(self) -> None:
        while self._subscribers or self._clock.monotonic() < self._until:
            began = self._clock.monotonic()
            is_time = began - self._beat_at >= BEAT
            if is_time:
                self._beat_at = began
            await self._try_to_look(is_time=is_time)
            await self._rest(max(EVERY, SHARE * (self._clock.monotonic() - began)))
        self._forget()

    async def _rest(self, seconds: float) -> None:
        """Until the next look."""
        while seconds > BEAT:
            seconds -= BEAT
            await self._clock.sleep(BEAT)
            try:
                self._end_over()
            except Exception as error:  # our own bug, as in a look
                log(LOG, logging.ERROR, "admin.bug", error=error)
            for one in self._subscribers:
                one.beat_again(self._position())
        await self._clock.sleep(seconds)

    async def _try_to_look(self, *, is_time: bool) -> None:
        try:
            self._end_over()
            await self._look(is_time=is_time)
        except StoreError:
            self._beat(AWAY, due=is_time)
        except Exception as error:  # our own bug: the streams stand still, and end or go on as if the store were away
            log(LOG, logging.ERROR, "admin.bug", error=error)
            self._beat(AWAY, due=is_time)

    def _beat(self, state: str, *, due: bool) -> None:
        for one in self._subscribers:
            one.beat(state, due=due, id_=self._position())

    def _position(self) -> str | None:
        """The id up to which all has been told; None where beats have none."""
        return None

    def _end_over(self) -> None:
        """End those that have lasted long enough, whose other end is gone, or who may look no more."""
        now = self._clock.monotonic()
        for one in [one for one in self._subscribers if now >= one.ends_at or not one.may()]:
            self.leave(one)
