"""The lane against a simple model of it: whatever comes in, is answered, crashes and is resumed, the laws hold.

The model watches from both ends: what the sink is sent, and what the store is told became of it.
"""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bridge.outcome import Away, Dead, Delivered, Done, Gone, HeldBack, Limited, Outcome, Refused
from bridge.store import open_ledger, open_outbox
from bridge.store.base import Delivery, Standing
from bridge.store.queries.lanes import resume
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import DeliveryQuery
from bridge.terms import DigestWindow, Terms
from tests.delivery.lanes import Fleet, at_rest, look_up, routed
from tests.delivery.model import Died, Known, Model, MortalOutbox, WatchedSink, listed
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
    Limited(),
    Away("HTTP 502"),
    Away("HTTP 503", after=40.0),
    Away("HTTP 403 with a web page", counts=False),
    Refused("HTTP 400"),
    Gone("HTTP 404"),
)


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
        self.sink = WatchedSink(self.clock, self.model)
        self.opened = open_outbox(self.url)
        self.outbox = self._run(self.opened.__aenter__())
        self._start()

    @rule(
        events=st.lists(
            st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(TYPES), st.sampled_from(sorted(ROWS))),
            min_size=1,
            max_size=6,
        ),
        how=st.sampled_from(("woken", "polled", "while sending")),
    )
    def put(self, events: list[tuple[str | None, str, str]], how: str) -> None:
        """Events come in; the lane is woken for them, or finds them by itself."""
        self.incoming += events
        if how == "while sending":
            return
        self._run(self._put())
        if how == "woken":
            self.lane.wake()
        else:
            self.lane._queue.recheck()  # as whenever it has been idle for long enough

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
            return  # once at a time, so that the model knows which of them is sent
        with open_ledger(self.url) as ledger:
            [replay] = ledger.write(replay_deliveries, DeliveryQuery(ids=(again.id,)), now=self.clock.now())
        id_ = replay.id
        assert id_ is not None
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
        events, self.incoming = self.incoming, []
        for subject, type_, row in events:
            event = an_event(subject, type_=type_, at=self.clock.now())
            kept = await self.outbox.put(routed(event, terms=ROWS[row], row=row))
            self.model.put(kept.deliveries)

    async def _put_and_wake(self) -> None:
        await self._put()
        self.lane.wake()

    def _start(self) -> None:
        self.incoming: list[tuple[str | None, str, str]] = []
        self.sink.meanwhile = self._put_and_wake
        self.store = MortalOutbox(self.outbox, self.model)
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
        pytest.fail(f"for ever: {listed(left)}")

    async def _carry_all(self) -> None:
        while True:
            self.lane._queue.recheck(waiting=False)
            while not self.model.breaches and await self.lane.step():
                await asyncio.sleep(0)
            await at_rest(self.lane)
            if not self.incoming:
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
    [("put", {"events": [B, C], "how": "woken"})],
    [("put", {"events": [B, A, B], "how": "woken"})],
    # found by itself, and woken for while it is being sent
    [("put", {"events": [A], "how": "polled"}), ("step", {"steps": 4})],
    # put to wait for others, when the lane knew of nothing that waits, and found by itself
    [("pass_time", {"seconds": 0.5}), ("put", {"events": [B], "how": "polled"}), ("pass_time", {"seconds": 0.5})],
    # put while one of its subject is tried again, with another between them that was passed over
    [
        ("will_answer", {"outcomes": [Away("HTTP 502")]}),
        ("put", {"events": [A], "how": "woken"}),
        ("step", {"steps": 1}),
        ("put", {"events": [A], "how": "woken"}),
        ("restart", {}),
        ("pass_only_time", {"seconds": 31.0}),
        ("put", {"events": [A], "how": "while sending"}),
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
