"""What has to hold when a business is told by one bot, and the figures of it."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from bench.bot_api import BusyTelegram
from bench.crowd import Crowd
from bridge.delivery.gate import PACED
from bridge.store import open_reader
from bridge.store.base import State
from bridge.store.schema import attempts, deliveries

LANES = 2
ON_THE_SOCKET = 8  # messages of a lane that may be on their way
ONE_CLAIM = 100  # later messages that may go before one that waits for nothing: of what a lane has before it
MEMORY = 1.2  # times the memory of the same run to one address
READ_WITHIN = 60.0  # seconds that a look into the store may take


@dataclass(slots=True)
class Told:
    """A delivery, and what became of it.

    ref   the chat and the number of the message that told it, as the service said
    own   whether it has waited for its address
    """

    id: int
    sink: str
    recipient: str
    state: State
    reason: str
    ref: str | None = None
    own: bool = False

    @property
    def number(self) -> int:
        """Of its message: the service counts them as they come."""
        return int((self.ref or "/0").rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class Run:
    """`seconds` in all, of which `taken_in` until the panel was answered; `cpu` seconds, `memory` in MB."""

    seconds: float
    taken_in: float
    cpu: float
    memory: float
    chats: Mapping[str, int]
    telegram: BusyTelegram = field(repr=False)
    deliveries: Sequence[Told] = field(repr=False)

    @property
    def asked_again(self) -> int:
        """Requests to who has blocked the bot, but for the first to each."""
        return self.telegram.asked.total() - len(self.telegram.asked)

    @property
    def unrecorded(self) -> int:
        """Requests that were answered, and nobody recorded that: they were made again."""
        return len(self.telegram.taken) - len({one.ref for one in self.deliveries if one.ref}) + self.asked_again


def read_deliveries(store: str) -> list[Told]:
    """All that a store has, with the messages that told it."""
    reader = open_reader(store, limit=READ_WITHIN)
    try:
        rows = reader.read(lambda opened: opened.execute(sa.select(deliveries).order_by(deliveries.c.id)).all())
        tries = reader.read(lambda opened: opened.execute(sa.select(attempts)).all())
    finally:
        reader.close()
    told = {
        row.id: Told(row.id, row.sink, row.recipient.partition("/")[2], State(row.state), row.reason or "")
        for row in rows
    }
    refs = {one.delivery_id: one.ref for one in tries if one.ref}
    for one in tries:
        delivery = told[one.delivery_id]
        delivery.own |= one.reason == PACED
        if one.outcome == "delivered":
            delivery.ref = refs.get(one.batch_id or one.delivery_id)
    return list(told.values())


@dataclass(frozen=True, slots=True)
class Business:
    """A run to `many` addresses, and the same to `one`."""

    crowd: Crowd
    kills: int
    times: int
    many: Run
    one: Run

    def broken(self) -> Iterator[str]:
        """Each law that does not hold, and why."""
        for name, run in (("", self.many), ("to one address: ", self.one)):
            yield from (f"{name}{one}" for one in [*self._lost(run), *self._repeated(run)])
        yield from self._asked_again()
        if len(too_fast := self.many.telegram.broken) > self.most_too_fast:
            yield f"Telegram had to answer 429 {len(too_fast)} times: {too_fast[0]}"
        for sink in sorted({one.sink for one in self.many.deliveries}):
            if (most := overtaken(self.many.deliveries, sink)) > ONE_CLAIM:
                yield f"{sink}: {most} later messages went before one that had no limit of its own to wait for"
        if self.memory_ratio > MEMORY:
            yield f"memory is {self.memory_ratio:.2f} of the same to one address"

    @property
    def memory_ratio(self) -> float:
        return self.many.memory / self.one.memory

    def _lost(self, run: Run) -> Iterator[str]:
        """Each delivery arrives where its recipient is, but for who has blocked the bot."""
        if len(run.deliveries) != self.crowd.events:
            yield f"{len(run.deliveries)} deliveries of {self.crowd.events} events"
        for one in run.deliveries:
            chat = run.chats[one.recipient]
            if chat in run.telegram.blocked:
                if one.state is not State.HELD_BACK or "blocked" not in one.reason:
                    yield f"delivery {one.id} to who has blocked the bot is {one.state}: {one.reason}"
            elif one.state is not State.DELIVERED:
                yield f"delivery {one.id} is {one.state}: {one.reason}"
            elif (
                one.ref is None or (chat, one.number) not in run.telegram.messages or one.ref != f"{chat}/{one.number}"
            ):
                yield f"delivery {one.id} was told as {one.ref}, which is no message in {chat}"

    def _repeated(self, run: Run) -> Iterator[str]:
        """What nobody recorded was on the socket at a kill."""
        if (number := run.unrecorded) > (most := self.most_repeated):
            yield f"{number} requests were repeated, and {most} can have been on the socket"

    def _asked_again(self) -> Iterator[str]:
        """Who has blocked the bot, and was to be told something, was asked once."""
        told = {self.many.chats[one.recipient] for one in self.many.deliveries}
        if missed := len((self.many.telegram.blocked & told) - self.many.telegram.asked.keys()):
            yield f"{missed} who have blocked the bot were not asked"
        if not self.kills and (again := self.many.asked_again):
            yield f"{again} who have blocked the bot were asked again"

    @property
    def most_too_fast(self) -> int:
        """One request in a thousand, or one: a machine that stands still brings two closer than they were sent."""
        return max(1, self.many.telegram.heard // 1000)

    @property
    def most_repeated(self) -> int:
        return self.kills * LANES * ON_THE_SOCKET

    def table(self) -> str:
        """Its figures, in Markdown."""
        run, crowd = self.many, self.crowd
        allowed = 30 * self.times * run.seconds
        biggest = [one for one in run.deliveries if one.recipient == "owner:reseller-0"]
        rows = (
            ("events, to addresses", f"{len(run.deliveries):,}, to {crowd.addresses:,}"),
            ("taken in", f"{len(run.deliveries) / run.taken_in:,.0f} events/s"),
            ("carried, with what Telegram's clock ran", f"{run.seconds:.0f} s, {self.times} times as fast"),
            ("requests", f"{run.telegram.heard / run.seconds:,.0f}/s, {run.telegram.heard / allowed:.0%} of the bot's"),
            ("processor time of an event", f"{run.cpu / len(run.deliveries) * 1e6:,.0f} µs"),
            ("answered 429", f"{len(run.telegram.broken)}"),
            ("waited for their own chat's limit", f"{sum(one.own for one in run.deliveries):,} deliveries"),
            ("overtaken, of those that did not", ", ".join(self._overtaken())),
            ("the biggest reseller", f"{len(biggest):,} events in {len({one.ref for one in biggest}):,} messages"),
            ("have blocked the bot", f"{len(run.telegram.asked):,}, asked again {run.asked_again}"),
            (
                "kill -9",
                f"{self.kills}, {run.unrecorded} requests repeated of {self.most_repeated} on the socket at most",
            ),
            (
                "memory at its peak",
                f"{run.memory:.1f} MB, to one address {self.one.memory:.1f} MB: {self.memory_ratio:.2f}",
            ),
        )
        return "\n".join(["| what | figure |", "| --- | --- |", *(f"| {name} | {figure} |" for name, figure in rows)])

    def _overtaken(self) -> Iterator[str]:
        for sink in sorted({one.sink for one in self.many.deliveries}):
            yield f"{sink} by {overtaken(self.many.deliveries, sink)} at the most"


def overtaken(told: Sequence[Told], sink: str) -> int:
    """The most messages that arrived before one that had no limit of its own to wait for, and comes before them.

    A message that tells several has its place by the first of them.
    """
    most, later = 0, list[int]()
    firsts = {one.ref: one.id for one in reversed(told)}
    for one in reversed(told):
        if one.sink == sink and one.ref is not None and firsts[one.ref] == one.id:
            if not one.own:
                most = max(most, bisect_left(later, one.number))
            insort(later, one.number)
    return most
