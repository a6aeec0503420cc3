"""The feed: what happens, as it happens, for programs that listen: events, tries, and how lanes stand.

One tail for all of them, while somebody listens and a little longer: who comes back is told what he missed, as far as
it is remembered. Each hears what he wants; who reads slowly is told how much was left out.
"""

import secrets
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime

from bridge.admin.reader_pool import ReadStore
from bridge.admin.streams.broadcast import LIVES, Broadcast, ServerSentEvent, Subscriber
from bridge.admin.streams.tail import Happening, HappeningKind, Tail, TailFilter
from bridge.clock import Clock

KEPT = 1000  # things that happened which are remembered, and which wait for one listener
#: What things are called to who listens; all else is an attempt.
_NAMES = {
    HappeningKind.EVENT: "event",
    HappeningKind.LANE: "lane",
    HappeningKind.LEFT_OUT: "left_out",
}


class Listener(Subscriber):
    """One of them, and the id of what he heard last."""

    def __init__(self, wanted: TailFilter, may: Callable[[], bool], last_id: str | None = None) -> None:
        super().__init__(may)
        self.wanted, self.last_id = wanted, last_id
        self._left_out = 0
        self._left_out_at: datetime | None = None

    def tell(self, happened: Happening, id_: str) -> None:
        """Tell it, where it is wanted."""
        if not self.wanted.tells(happened):
            return
        if len(self._waiting) >= KEPT:
            self._waiting.popleft()
            self._left_out += 1
            self._left_out_at = happened.at
        self._say(_as_event(happened, id_))

    def _next(self) -> ServerSentEvent | None:
        """First how much was left out of what is told next."""
        number, at = self._left_out, self._left_out_at
        if at is None:
            return super()._next()
        self._left_out, self._left_out_at = 0, None
        return _as_event(Happening(at=at, kind=HappeningKind.LEFT_OUT, number=number, text="read too slowly"))


class Feed(Broadcast[Listener]):
    """The reader: `run` looks into the store, `now` is the time of what happens there."""

    most = 8
    refused = ("too many listen already", f"There are {most} at once at the most.")
    grace = 30.0

    def __init__(self, run: ReadStore, now: Callable[[], datetime], clock: Clock) -> None:
        super().__init__(clock)
        self._run, self._now = run, now
        self._name, self._number = _a_name(), 0
        self._happened: deque[tuple[int, Happening]] = deque(maxlen=KEPT)
        self._tail: Tail | None = None
        self._since = now()

    async def _look(self, *, is_time: bool) -> None:
        """After one that failed it looks back to the one before, the first one to when somebody began to listen."""
        now, since = self._now(), self._since
        tail, self._tail = self._tail, None
        if tail is None:
            tail = await self._run(lambda ledger: Tail(ledger, TailFilter(), since=since, back=True))
        found = await self._run(lambda _: tail.look(now))
        self._tail, self._since = tail, now
        self._tell(found)
        self._beat(LIVES, due=is_time)

    def _greet(self, listener: Listener) -> None:
        """What came after he heard the last; then that it is there, for that says how far he has heard."""
        for number, one in self._after(listener.last_id):
            listener.tell(one, self._id(number))
        super()._greet(listener)

    def _position(self) -> str:
        return self._id(self._number)

    def _begin(self) -> None:
        self._since = self._now()

    def _forget(self) -> None:
        """Of what happens from now on nobody knows: what was told before has ids of another name."""
        self._name, self._tail = _a_name(), None
        self._happened.clear()

    def _tell(self, found: Iterable[Happening]) -> None:
        for one in found:
            self._number += 1
            self._happened.append((self._number, one))
            for listener in self._subscribers:
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
        gap = Happening(at=self._now(), kind=HappeningKind.LEFT_OUT, text="what happened meanwhile is not remembered")
        return [(first - 1, gap), *self._happened]


def _a_name() -> str:
    return secrets.token_hex(4)


def _as_event(happened: Happening, id_: str | None = None) -> ServerSentEvent:
    return ServerSentEvent(happened.model_dump_json(exclude_none=True), id_, _NAMES.get(happened.kind, "attempt"))
