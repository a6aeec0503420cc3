"""A lane over a real store, with a sink that answers as it is told."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from bridge.delivery.lane import Lane
from bridge.delivery.limiter import RateWindows
from bridge.delivery.memory import EventMemory
from bridge.delivery.resources import LaneSettings, Resources
from bridge.event import Event
from bridge.incident import OnIncident, ignore
from bridge.intake import Destination, Intake, Routed
from bridge.markup.service import ServiceLook
from bridge.message import PLAIN, Circumstances, Digest, DigestTally, Message
from bridge.messages.renderer import Rendered
from bridge.outcome import Attempt, Delivered, Limit, Outcome, Spaced
from bridge.people.address import Address, Addressing
from bridge.sinks.base import OnSent, Retry
from bridge.store import open_ledger
from bridge.store.base import Delivery
from bridge.store.queries.records import delivery_records
from bridge.store.records import DeliveryQuery, DeliveryRecord
from bridge.terms import Quiet, Storm, Terms
from tests.fakes import DECISION, FakeClock, NoChance

UTC = ZoneInfo("UTC")


class ScriptedSink:
    """A sink that answers from a list, then takes everything; it remembers what it was sent, and when."""

    look = ServiceLook(parts=3)
    retry = Retry()
    limits: tuple[Limit, ...] = ()
    quiet: Quiet | None = None
    storm: Storm | None = None
    concurrency = 1
    digests = True
    address = "here"
    addressing: Addressing | None = None
    spacing: tuple[Spaced, ...] = ()
    sender = "a bot"

    def __init__(self, clock: FakeClock, answers: Iterable[Outcome | Attempt | Exception] = ()) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[float, str | None]] = []
        self.messages: list[Message | Digest] = []
        self._clock = clock

    def at(self, address: Address) -> "ScriptedSink":
        return self

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        self.sent.append((self._clock.monotonic(), message.event.subject))
        self.messages.append(message)
        return self._answer()

    async def send_digest(self, digest: Digest, on_sent: OnSent = None) -> Attempt:
        self.sent += [(self._clock.monotonic(), event.subject) for event in digest.events]
        self.messages.append(digest)
        return self._answer()

    def _answer(self) -> Attempt:
        answer = self.answers.pop(0) if self.answers else Delivered()
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Attempt) else Attempt(answer)

    @property
    def subjects(self) -> list[str | None]:
        return [subject for _, subject in self.sent]

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.sent]

    @property
    def digested(self) -> list[list[str]]:
        """The types of the events of each message."""
        return [
            [event.type for event in one.events] if isinstance(one, Digest) else [one.event.type]
            for one in self.messages
        ]


class BlankRenderer:
    """A renderer with nothing to say."""

    def __init__(self, fault: str | None = None) -> None:
        self.fault = fault

    def render(
        self, event: Event, look: ServiceLook, template: str | None = None, circumstances: Circumstances = PLAIN
    ) -> Rendered:
        blocks: Mapping[str, str] = {}
        return Rendered(blocks, self.fault)

    def digest(self, tally: DigestTally, look: ServiceLook, circumstances: Circumstances = PLAIN) -> Rendered:
        return Rendered({}, self.fault)


class Fleet:
    """What lanes share; `made` are the deliveries that fallbacks made, `sure` whether the lanes are ours."""

    def __init__(self, outbox: Any, clock: FakeClock, *, on_incident: OnIncident = ignore) -> None:
        self.outbox = outbox
        self.clock = clock
        self.made: list[Delivery] = []
        self.sure = True
        self._resources = Resources(
            outbox,
            clock,
            NoChance(),
            RateWindows(),
            EventMemory(),
            sure=lambda: self.sure,
            announce=self.made.extend,
            on_limit=lambda: None,
            on_incident=on_incident,
        )

    def lane(self, sink: Any, name: str = "ops", *, renderer: Any = None, epoch: int = 0) -> Lane:
        return Lane(name, sink, LaneSettings(renderer or BlankRenderer(), UTC), self._resources, epoch=epoch)


def a_lane(outbox: Any, sink: ScriptedSink, clock: FakeClock, renderer: Any = None) -> Lane:
    return Fleet(outbox, clock).lane(sink, renderer=renderer)


def routed(*events: Event, terms: Terms | None = None, sink: str = "ops", row: str = "route 1") -> Intake:
    """These events for one sink, by a row with these terms."""
    return Intake([Routed(event, (Destination(sink, row, None, terms),), DECISION) for event in events])


async def carry_all(lane: Lane) -> int:
    """Carry what may be carried without waiting; how many turns that were."""
    steps = 0
    while await lane.step() or lane._flights:
        steps += 1
        if lane._is_full() or lane._is_closed():
            await at_rest(lane)
        await asyncio.sleep(0)
    await at_rest(lane)
    return steps


async def at_rest(lane: Lane) -> None:
    """Wait until what is on its way has landed, and is recorded."""
    while lane._flights:
        await asyncio.wait(lane._flights)
        await asyncio.sleep(0)
    await lane.flush()


async def pass_time(lane: Lane, clock: FakeClock, seconds: float, *, by: float = 1.0) -> None:
    """Let time pass in steps, and the lane carry what it may after each."""
    end = clock.monotonic() + seconds
    await carry_all(lane)
    while clock.monotonic() < end:
        clock.step(min(by, end - clock.monotonic()))
        lane._queue.recheck(waiting=False)
        await carry_all(lane)


def look_up(store_url: str) -> list[DeliveryRecord]:
    """All deliveries, the oldest first."""
    with open_ledger(store_url) as ledger:
        return list(reversed(ledger.read(delivery_records, DeliveryQuery(limit=None))))
