"""The lane against a simple model of it: whatever comes in, is answered, crashes and is resumed, the laws hold.

The model watches from both ends: what the sink is sent, and what the store is told became of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bridge.message import Digest, Message
from bridge.outcome import Again, Attempt, Away, Dead, Delivered, Done, Fate, Gone, HeldBack, Limited, Outcome, Refused
from bridge.store import open_ledger, open_outbox
from bridge.store.base import Delivery, LaneState, Settlement, Standing
from bridge.store.queries.lanes import resume
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import Query
from bridge.terms import DigestWindow, Terms
from bridge.vocabulary import opposite
from tests.delivery.lanes import Fleet, Script, at_rest, look_up, routed
from tests.fakes import FakeClock, an_event

T = TypeVar("T")
SUBJECTS = ("node:a", "node:b", "node:c", None)
TYPES = ("node.connection_lost", "node.connection_restored", "node.updated")
ROWS = {
    "plain": None,
    "digest": Terms(digest=DigestWindow(window=10)),
    "full": Terms(digest=DigestWindow(window=60, max=3)),
    "hold": Terms(hold=20),
    "both": Terms(hold=5, digest=DigestWindow(window=10)),
}
OUTCOMES: tuple[Outcome, ...] = (
    Delivered(),
    Limited(7.0),
    Away("HTTP 502"),
    Away("HTTP 503", after=40.0),
    Refused("HTTP 400"),
    Gone("HTTP 404"),
)
SOON = timedelta(milliseconds=1)


class Died(BaseException):
    """The process is no more."""


@dataclass
class Known:
    """What the model knows of a delivery. `due`: not before then."""

    delivery: Delivery
    due: datetime | None
    attempts: int = 0
    fate: Fate | None = None

    def __str__(self) -> str:
        one = self.delivery
        return f"{one.id} {one.event.subject} {one.event.type} {one.row} attempts={self.attempts} {self.fate}"

    @property
    def settled(self) -> bool:
        return self.fate is not None and not isinstance(self.fate, Again)


@dataclass
class Model:
    """The laws. Each method is told of something that happens, and fails where it must not."""

    clock: FakeClock
    concurrency: int
    known: dict[int, Known] = field(default_factory=dict)
    in_the_air: dict[str, bool] = field(default_factory=dict)  # event id → whether it is a probe
    answered: dict[str, Outcome] = field(default_factory=dict)  # event id → the answer that is not settled yet
    standing: Standing = Standing.OPEN
    pause: float = 0.0  # monotonic: nothing is sent before then
    stored: LaneState = field(default_factory=LaneState)
    breaches: list[str] = field(default_factory=list)

    def hear(self, what: Callable[..., None], *told: Any) -> None:
        """Note the first breach: raised, it would be taken for a bug of the sink, and tried again."""
        try:
            if not self.breaches:
                what(*told)
        except AssertionError as error:
            self.breaches.append(f"{what.__name__}: {error}")

    def put(self, deliveries: Sequence[Delivery]) -> None:
        self.known |= {one.id: Known(one, one.due_at) for one in deliveries}

    def begins(self, sent: Sequence[str]) -> None:
        """The sink is sent these events, as one message."""
        found = [self._open(event) for event in sent]
        assert [one.delivery.id for one in found] == sorted(one.delivery.id for one in found)
        for one in found:
            behind = [other for other in self._before(one) if not other.settled and other not in found]
            assert not behind, f"{one} was sent before {_said(behind)}"
            subject = one.delivery.event.subject
            air = [self._open(event).delivery.event.subject for event in self.in_the_air]
            assert subject is None or subject not in air, f"two of {subject} at once"
        self._is_due(found)
        assert self.standing is not Standing.PARKED, "sent to an address that is gone"
        assert self.clock.monotonic() >= self.pause - 1e-3, f"sent {self.pause - self.clock.monotonic()} s too early"
        probe = self.standing is Standing.AWAY
        assert not (probe and any(self.in_the_air.values())), "two probes at once"
        self.in_the_air |= dict.fromkeys(sent, probe)
        assert self.concurrency > 1 or len(self.in_the_air) == len(sent)

    def ends(self, sent: Sequence[str], outcome: Outcome) -> None:
        """The sink has answered."""
        now = self.clock.monotonic()
        for event in sent:
            del self.in_the_air[event]
            self.answered[event] = outcome
        match outcome:
            case Away() if self.standing is Standing.PARKED:
                pass  # it was sent before
            case Away(_, after):
                self.standing = Standing.AWAY
                self.pause = max(self.pause, now + (1.0 if after is None else after))
            case Gone():
                self.standing = Standing.PARKED
            case _:
                if self.standing is Standing.AWAY:
                    self.standing, self.pause = Standing.OPEN, 0.0
                if isinstance(outcome, Limited):
                    self.pause = max(self.pause, now + outcome.after)

    def settles(self, settlements: Sequence[Settlement]) -> None:
        """The store is told what became of deliveries."""
        batch = [one.delivery.id for one in settlements]
        for one in settlements:
            known = self.known[one.delivery.id]
            assert not known.settled, f"{known} is settled already"
            self._is_right(one, together=len(settlements))
            known.fate = one.fate
            known.due = one.fate.at if isinstance(one.fate, Again) else known.due
            if isinstance(one.fate, Done | Dead) or (isinstance(one.fate, Again) and one.fate.counts):
                known.attempts += 1
            if known.settled and not isinstance(one.fate, HeldBack):  # what is not told follows nothing
                left = [other for other in self._before(known) if not other.settled and other.delivery.id not in batch]
                assert not left, f"{known} is settled before {_said(left)}"
        self._are_pairs([one for one in settlements if isinstance(one.fate, HeldBack)])

    def keeps(self, state: LaneState) -> None:
        self.stored = state

    def dies(self) -> None:
        """All that was only in memory is gone: what was sent and not recorded is sent again."""
        self.in_the_air.clear()
        self.answered.clear()
        self.standing = self.stored.standing
        self.pause = 0.0

    def resumes(self) -> None:
        self.standing, self.pause, self.stored = Standing.OPEN, 0.0, LaneState()

    def _open(self, event: str) -> Known:
        """The one delivery of an event that may be told: the first that is not settled."""
        found = [one for one in self.known.values() if one.delivery.event.id == event and not one.settled]
        assert found, "sent what is settled"
        return found[0]

    def _before(self, known: Known) -> list[Known]:
        subject, id_ = known.delivery.event.subject, known.delivery.id
        if subject is None:
            return []
        return [one for one in self.known.values() if one.delivery.id < id_ and one.delivery.event.subject == subject]

    def _is_due(self, found: Sequence[Known]) -> None:
        """What waits is not told before it is due, but in a digest with one that is, or in one that is full."""
        waits = [one for one in found if one.due is not None and one.due > self.clock.now() + SOON]
        terms = found[0].delivery.terms
        if not waits or terms is None:
            assert not waits, f"{_said(waits)} sent before due"
            return
        most = terms.digest.max if terms.digest else None
        of_row = [one for one in self.known.values() if one.delivery.row == found[0].delivery.row and one.fate is None]
        full = most is not None and len(of_row) >= most
        assert full or len(waits) < len(found), f"{_said(waits)} sent before due"

    def _is_right(self, one: Settlement, *, together: int) -> None:
        """The fate is what follows from the answer."""
        if isinstance(one.fate, HeldBack):
            return
        match self.answered.pop(one.delivery.event.id), one.fate:
            case (Delivered(), Done()) | (Limited(), Again(counts=False)) | (Gone(), Again(counts=False)):
                pass
            case Away(_, after), Again(counts=counts):
                assert counts is (after is None)
            case Away(_, None), Dead():
                assert self.known[one.delivery.id].attempts == 3
            case Refused(), Dead():
                assert together == 1
            case Refused(), Again(counts=False):
                assert together > 1
            case wrong:
                raise AssertionError(f"{wrong}")

    def _are_pairs(self, held: Sequence[Settlement]) -> None:
        for subject in {one.delivery.event.subject for one in held}:
            deliveries = [one.delivery for one in held if one.delivery.event.subject == subject]
            assert len(deliveries) % 2 == 0
            types = [one.event.type for one in deliveries]
            assert sorted(types) == sorted(map(str, map(opposite, types)))


class Watched(Script):
    """A sink that takes its time, and tells the model."""

    def __init__(self, clock: FakeClock, model: Model) -> None:
        super().__init__(clock)
        self.model = model
        self.concurrency = model.concurrency
        self.meanwhile: Callable[[], Awaitable[None]]  # what happens while it takes its time

    async def send(self, message: Message) -> Attempt:
        return await self._take([message.event.id])

    async def send_digest(self, digest: Digest) -> Attempt:
        return await self._take([event.id for event in digest.events])

    async def _take(self, events: list[str]) -> Attempt:
        self.model.hear(self.model.begins, events)
        await self.meanwhile()
        for _ in range(len(self.answers) % 4):
            await asyncio.sleep(0)
        attempt = self._answer()
        self.model.hear(self.model.ends, events, attempt.outcome)
        return attempt


class Mortal:
    """An outbox that tells the model; once the process `dies`, at the next word that it is told."""

    def __init__(self, outbox: Any, model: Model) -> None:
        self.dies = False
        self._outbox, self._model = outbox, model

    def settle(self, settlements: Sequence[Settlement]) -> "asyncio.Future[Sequence[Delivery]]":
        self._live()
        self._model.hear(self._model.settles, settlements)
        future: asyncio.Future[Sequence[Delivery]] = self._outbox.settle(settlements)
        return future

    def save_lane_state(self, sink: str, state: LaneState, *, epoch: int) -> "asyncio.Future[None]":
        self._live()
        self._model.keeps(state)
        future: asyncio.Future[None] = self._outbox.save_lane_state(sink, state, epoch=epoch)
        return future

    def _live(self) -> None:
        if self.dies:
            raise Died

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)


class Machine(RuleBasedStateMachine):
    """What may happen to a lane."""

    concurrency = 1
    broken = False

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.runner.get_loop().set_exception_handler(lambda _, __: None)  # of flights that died with their process
        self.folder = TemporaryDirectory()
        self.url = f"sqlite:///{Path(self.folder.name)}/panelbridge.db"
        self.clock = FakeClock()
        self.model = Model(self.clock, self.concurrency)
        self.sink = Watched(self.clock, self.model)
        self.opened = open_outbox(self.url)
        self.outbox = self._run(self.opened.__aenter__())
        self._start()

    @rule(
        told=st.lists(
            st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(TYPES), st.sampled_from(sorted(ROWS))),
            min_size=1,
            max_size=6,
        ),
        how=st.sampled_from(("woken", "polled", "while sending")),
    )
    def put(self, told: list[tuple[str | None, str, str]], how: str) -> None:
        """Events come in; the lane is woken for them, or finds them by itself."""
        self.coming += told
        if how == "while sending":
            return
        self._run(self._put())
        if how == "woken":
            self.lane.wake()
        else:
            self.lane._queue.recheck_pending()

    @rule(outcomes=st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=6))
    def will_answer(self, outcomes: list[Outcome]) -> None:
        self.sink.answers += outcomes

    @rule(steps=st.integers(1, 4))
    def step(self, steps: int) -> None:
        for _ in range(steps):
            self._run(self.lane.step())

    @rule(seconds=st.sampled_from((0.5, 2.0, 11.0, 30.0, 45.0, 130.0)))
    def pass_time(self, seconds: float) -> None:
        self.clock.step(seconds)
        self._run(self._carry_all())

    def pass_only_time(self, seconds: float) -> None:
        """Nothing is carried meanwhile."""
        self.clock.step(seconds)

    @rule()
    def restart(self) -> None:
        """It ends in order, and starts anew."""
        self._run(at_rest(self.lane))
        self._start()

    @rule()
    def crash(self) -> None:
        """The next word to the store is never heard."""
        self.store.dies = True
        self._run(self._until_dead())
        self.model.dies()
        self._start()

    @rule()
    def resume(self) -> None:
        """The operator says that it is repaired; the lane looks for that now and then."""
        self._run(at_rest(self.lane))
        if self.model.standing is not Standing.OPEN:
            self._resume()

    @rule(which=st.integers(0, 99))
    def replay(self, which: int) -> None:
        self._run(at_rest(self.lane))
        settled = [one for one in self.model.known.values() if one.settled]
        if not settled:
            return
        again = settled[which % len(settled)].delivery
        if any(one.delivery.event.id == again.event.id and not one.settled for one in self.model.known.values()):
            return  # once at a time, so that the model knows which of them is told
        with open_ledger(self.url) as ledger:
            [id_] = ledger.write(replay_deliveries, Query(ids=(again.id,)), now=self.clock.now())
        claim = self._run(self.outbox.claim("ops", after=id_ - 1, now=None, limit=1))
        made = [one for one in claim.deliveries if one.id == id_]
        self.model.known[id_] = Known(made[0] if made else _replayed(again, id_), None)
        self.lane.wake()

    def teardown(self) -> None:
        """Once the service is well again, all is settled, and the ledger says what the model does."""
        if not hasattr(self, "runner"):
            return
        try:
            if self.broken:
                return
            self._run(self._settle_all())
            for record in look_up(self.url):
                known = self.model.known[record.id]
                assert record.attempts == known.attempts
                assert record.state == {Done: "delivered", Dead: "dead", HeldBack: "held_back"}[type(known.fate)]
        finally:
            self.runner.run(self._close())
            self.runner.close()
            self.folder.cleanup()

    async def _put(self) -> None:
        told, self.coming = self.coming, []
        for subject, type_, row in told:
            event = an_event(subject, type_=type_, at=self.clock.now())
            kept = await self.outbox.put(routed(event, terms=ROWS[row], row=row))
            self.model.put(kept.deliveries)

    async def _put_and_wake(self) -> None:
        await self._put()
        self.lane.wake()

    def _start(self) -> None:
        self.coming: list[tuple[str | None, str, str]] = []
        self.sink.meanwhile = self._put_and_wake
        self.store = Mortal(self.outbox, self.model)
        self.lane = Fleet(self.store, self.clock).lane(self.sink)

    def _resume(self) -> None:
        with open_ledger(self.url) as ledger:
            ledger.write(resume, "ops")
        self.model.resumes()
        self.clock.step(2)

    async def _settle_all(self) -> None:
        await at_rest(self.lane)
        self.sink.answers.clear()
        for _ in range(400):
            await self._carry_all()
            if self.model.breaches:
                return
            if self.model.standing is Standing.PARKED:
                self._resume()
            if all(one.settled for one in self.model.known.values()):
                return
            self.clock.step(5)
        left = [one for one in self.model.known.values() if not one.settled]
        pytest.fail(f"for ever: {_said(left)}")

    async def _carry_all(self) -> None:
        while True:
            self.lane._queue.recheck_pending()
            while not self.model.breaches and await self.lane.step():
                await asyncio.sleep(0)
            await at_rest(self.lane)
            if not self.coming:
                return
            await self._put_and_wake()

    async def _until_dead(self) -> None:
        with suppress(Died):
            await self._carry_all()
        await asyncio.gather(*self.lane._flights, return_exceptions=True)

    async def _close(self) -> None:
        for flight in self.lane._flights:
            flight.cancel()
        await asyncio.gather(*self.lane._flights, return_exceptions=True)
        await self.opened.__aexit__(None, None, None)

    def _run(self, awaited: Awaitable[T]) -> T:
        async def run() -> T:
            return await awaited

        result = self.runner.run(run())
        self.broken = bool(self.model.breaches)
        assert not self.broken, "\n".join(self.model.breaches)
        return result


def _said(known: Sequence[Known]) -> str:
    return "; ".join(map(str, known))


def _replayed(delivery: Delivery, id_: int) -> Delivery:
    return Delivery(
        id=id_, event=delivery.event, sink="ops", row=delivery.row, made_at=delivery.made_at, replay_of=delivery.id
    )


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_lane_keeps_its_laws_whatever_happens(concurrency: int) -> None:
    machine = type("Machine", (Machine,), {"concurrency": concurrency})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=settings.default.max_examples // 2,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
        ),
    )


A, B, C = (("node:a", "node.updated", row) for row in ("plain", "both", "digest"))
#: What once broke a law: (rule, what it is given) in order.
FOUND: list[list[tuple[str, dict[str, Any]]]] = [
    # due, behind one of its subject that is due too: found when that one is settled
    [("put", {"told": [B, C], "how": "woken"})],
    [("put", {"told": [B, A, B], "how": "woken"})],
    # found by itself, and woken for while it is being sent
    [("put", {"told": [A], "how": "polled"}), ("step", {"steps": 4})],
    # put while one of its subject is tried again, with another between them that was passed over
    [
        ("will_answer", {"outcomes": [Away("HTTP 502")]}),
        ("put", {"told": [A], "how": "woken"}),
        ("step", {"steps": 1}),
        ("put", {"told": [A], "how": "woken"}),
        ("restart", {}),
        ("pass_only_time", {"seconds": 31.0}),
        ("put", {"told": [A], "how": "while sending"}),
        ("step", {"steps": 4}),
    ],
]


@pytest.mark.parametrize("steps", FOUND)
@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_once_broke_a_law_does_not_again(concurrency: int, steps: list[tuple[str, dict[str, Any]]]) -> None:
    machine = type("Machine", (Machine,), {"concurrency": concurrency})()
    machine.open()
    try:
        for name, given in steps:
            getattr(machine, name)(**given)
    finally:
        machine.teardown()
