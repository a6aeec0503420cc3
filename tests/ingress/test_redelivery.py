"""Repeats: a panel that tells an event again is understood, and no two different events are ever taken for one.

A panel is played that has what the real ones have: a queue in which what was not answered well stands again with one
more try, batches in any order, and real events that are equal byte for byte. The door and the store are the real ones.
"""

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import StoreUnavailable
from bridge.ingress.limits import Limits
from bridge.ingress.receiver import Receiver
from bridge.ingress.redelivery import SUBJECTS, Redelivery
from bridge.ingress.source import Source
from bridge.intake import Intake
from bridge.panels.base import Hook
from bridge.panels.marzban.panel import MarzbanConfig, MarzbanPanel
from bridge.routing import Route, Router
from bridge.store import open_ledger, open_outbox
from bridge.store.base import PutResult
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.records import delivery_records, set_aside_records
from bridge.store.records import DeliveryQuery
from bridge.value import Value, replace
from tests.fakes import START, FakeClock, an_event
from tests.panels.recorded import recorded

TABLE = Router([("route 1", Route(to=("ops",)))], sinks={"ops": SimpleNamespace(enabled=True)})
ATTEMPTS = 4

#: What becomes of a request.
Fate = Literal[
    "answered",  # taken, and the panel knows
    "answer lost",  # taken, and the panel does not know
    "refused",  # the store is away
    "unknown",  # the store is cut off in the middle of a commit that succeeds
    "down",  # the bridge is not running; it starts anew afterwards
    "lost",  # it never reaches us
]
KNOWN: tuple[Fate, ...] = ("answered", "answer lost", "refused", "unknown", "down")


class QueuedEvent(Value):
    """One real event in a panel's queue; `number` is known to nobody but the test."""

    number: int
    name: str
    action: str
    tries: int = 0


class Step(Value):
    """New events, how the batch is ordered, and what becomes of the request."""

    events: Sequence[tuple[str, str]]
    fate: Fate
    oldest_last: bool = False


class FlakyOutbox:
    """The real outbox, away before or after a commit when told so."""

    def __init__(self, outbox: SqlOutbox) -> None:
        self._outbox = outbox
        self.fate: Fate = "answered"

    async def put(self, intake: Intake) -> PutResult:
        if self.fate == "refused":
            raise StoreUnavailable("store: away")
        kept = await self._outbox.put(intake)
        if self.fate == "unknown":
            raise StoreUnavailable("store: the connection was lost")
        return kept


class SimulatedPanel:
    """A panel, the receiver it posts to, and what came of its events."""

    def __init__(self, outbox: SqlOutbox, kind: Literal["marzban", "pasarguard"]) -> None:
        self.clock, self.outbox = FakeClock(), FlakyOutbox(outbox)
        self.taken: set[int] = set()
        self.repeats = 0
        self._kind, self._numbers = kind, 0
        self._queue: list[QueuedEvent] = []
        self._start()

    def _start(self) -> None:
        config = MarzbanConfig(panel=self._kind, secret="none")
        self._source = Source("main", self._kind, MarzbanPanel(config))
        self._receiver = Receiver(self.outbox, Redelivery(self.clock.now()), Limits(), announce=lambda deliveries: None)
        self._receiver.configure({"main": self._source}, TABLE)

    async def step(self, step: Step) -> None:
        """One request of the panel, and what it makes of the answer."""
        self.clock.step(180)
        new = [QueuedEvent(self._numbers + n, *event) for n, event in enumerate(step.events)]
        self._numbers += len(new)
        batch = [*new, *self._queue] if step.oldest_last else [*self._queue, *new]
        if not await self._reaches(batch, step.fate):
            self._queue = [replace(one, tries=one.tries + 1) for one in batch if one.tries + 1 < ATTEMPTS]
        else:
            self._queue = []

    async def _reaches(self, batch: Sequence[QueuedEvent], fate: Fate) -> bool:
        if fate in ("down", "lost"):
            if fate == "down":
                self._start()
            return False
        self.outbox.fate = fate
        body = json.dumps([self._element(one) for one in batch]).encode()
        try:
            receipt = await self._receiver.receive(self._source, Hook(body=body, received_at=self.clock.now()))
        except StoreUnavailable:
            self._receiver.distrust(self._source, self.clock.now())
            return False
        self.repeats += receipt.repeats
        self.taken |= {one.number for one in batch}
        return fate == "answered"

    def _element(self, one: QueuedEvent) -> dict[str, Any]:
        element = {"username": one.name, "action": one.action, "enqueued_at": 1795234456.661964}
        if self._kind == "marzban":
            return {**element, "send_at": 1795234456.7 + one.tries, "tries": one.tries}
        return {**element, "enqueued_at": 1795234456 + one.number / 1000, "tries": 0, "user": {"proxy_settings": {}}}


async def played(
    steps: Sequence[Step], kind: Literal["marzban", "pasarguard"] = "marzban"
) -> tuple[SimulatedPanel, Counter[Any]]:
    """The panel after these requests, and how often each (name, action) was kept."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/panelbridge.db"
        async with open_outbox(url) as outbox:
            panel = SimulatedPanel(outbox, kind)
            for step in steps:
                await panel.step(step)
        with open_ledger(url) as ledger:
            found = ledger.read(delivery_records, DeliveryQuery(limit=None))
    return panel, Counter((one.subject, one.native_type) for one in found)


def missing(steps: Sequence[Step], panel: SimulatedPanel, kept: Counter[Any]) -> list[Any]:
    """Which (name, action) were kept less often than they were really told and taken."""
    events = [event for step in steps for event in step.events]
    real = Counter((f"user:{name}", action) for n, (name, action) in enumerate(events) if n in panel.taken)
    return [one for one, count in real.items() if kept[one] < count]


EVENTS = st.tuples(st.sampled_from(["alice", "bob"]), st.sampled_from(["user_created", "user_deleted"]))


def steps(fates: Sequence[Fate], *, most: int = 4) -> st.SearchStrategy[list[Step]]:
    one = st.builds(Step, st.lists(EVENTS, max_size=most), st.sampled_from(fates), st.booleans())
    return st.lists(one, min_size=1, max_size=8)


@given(plan=steps(KNOWN))
def test_no_two_real_events_of_marzban_are_merged_whatever_fails_and_whatever_is_equal(plan: list[Step]) -> None:
    panel, kept = asyncio.run(played(plan))
    assert missing(plan, panel, kept) == []


FAILURES = st.lists(st.sampled_from(["refused", "unknown", "down", "lost", "answer lost"]), max_size=ATTEMPTS - 1)


@given(plan=st.lists(FAILURES, max_size=8))
def test_a_user_made_and_deleted_over_and_over_is_told_each_time_even_if_requests_vanish(
    plan: list[list[Fate]],
) -> None:
    story: list[Step] = []
    for n, failures in enumerate(plan):
        first, *others = [*failures, "answered"]
        story += [Step([("alice", ("user_created", "user_deleted")[n % 2])], first), *(Step([], one) for one in others)]
    panel, kept = asyncio.run(played(story))
    assert len(panel.taken) == len(plan)
    assert missing(story, panel, kept) == []


@given(plan=st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["answered", "answer lost"]), st.booleans())))
def test_what_marzban_tells_again_is_taken_once(plan: list[tuple[int, Fate, bool]]) -> None:
    names = iter(range(1000))
    story = [Step([(f"u{next(names)}", "user_created") for _ in range(n)], *more) for n, *more in plan]
    panel, kept = asyncio.run(played(story))
    assert len(kept) == len(panel.taken)
    assert set(kept.values()) <= {1}


@given(plan=steps((*KNOWN, "lost")))
def test_pasarguards_events_are_each_taken_once_whatever_fails(plan: list[Step]) -> None:
    panel, kept = asyncio.run(played(plan, "pasarguard"))
    events = [event for step in plan for event in step.events]
    real = Counter((f"user:{name}", action) for n, (name, action) in enumerate(events) if n in panel.taken)
    assert missing(plan, panel, kept) == []
    if all(step.fate != "unknown" for step in plan):
        assert kept == real


# The recorded traps, one by one

C, D = ("alice", "user_created"), ("alice", "user_deleted")


@pytest.mark.parametrize(
    ("story", "kept", "repeats"),
    [
        pytest.param([Step([C, D, C, D], "answered")], 4, 0, id="create, delete, create, delete in one batch"),
        pytest.param([Step([one], "answered") for one in (C, D, C, D)], 4, 0, id="the same, one by one"),
        pytest.param([Step([C, D, C, D], "answer lost"), Step([], "answered")], 4, 4, id="the batch told again"),
        pytest.param([Step([C], "answer lost"), Step([], "answer lost"), Step([], "answered")], 1, 2, id="told thrice"),
        pytest.param(
            [Step([C], "answered"), Step([D], "answered"), Step([C], "refused"), Step([], "answered")],
            *(3, 0),
            id="the second create was refused",
        ),
        pytest.param(
            [Step([D], "answered"), Step([C], "answered"), Step([D], "down"), Step([], "answered")],
            *(3, 0),
            id="the second delete came while nothing ran",
        ),
        pytest.param(
            [Step([D], "answered"), Step([C], "answered"), Step([D], "lost"), Step([], "answered")],
            *(3, 0),
            id="the second delete vanished on the way",
        ),
        pytest.param(
            [Step([D], "down"), Step([C, D], "answered", oldest_last=True)],
            *(3, 0),
            id="two deletes in one batch, the older last",
        ),
        pytest.param(
            [Step([D], "down"), Step([D], "down"), Step([], "answered", oldest_last=True)],
            *(2, 0),
            id="two deletes in one batch, both tried before",
        ),
        pytest.param(
            [Step([C], "refused"), Step([], "answer lost"), Step([], "answered")], 1, 1, id="taken at the second try"
        ),
        pytest.param(
            [Step([C], "answer lost"), Step([("bob", "user_created")], "answered")], 2, 1, id="told again with others"
        ),
    ],
)
async def test_a_trap(story: list[Step], kept: int, repeats: int) -> None:
    panel, found = await played(story)
    assert (found.total(), panel.repeats) == (kept, repeats)


async def test_marzbans_recorded_retries_are_one_event_each(store_url: str) -> None:
    source = Source("main", "marzban", MarzbanPanel(MarzbanConfig(panel="marzban", secret="none")))
    parts = [one for part in ("080", "081", "082", "083") for one in recorded("marzban") if one.name.startswith(part)]
    async with open_outbox(store_url) as outbox:
        receiver = Receiver(outbox, Redelivery(START), Limits(), announce=lambda deliveries: None)
        receiver.configure({"main": source}, TABLE)
        receipts = [await receiver.receive(source, one.hook) for one in parts]
    assert [(len(one.events), one.repeats) for one in receipts] == [(1, 0), (2, 1), (2, 2), (2, 2)]


async def test_sources_do_not_share_what_they_remember(store_url: str) -> None:
    config = MarzbanConfig(panel="pasarguard", secret="none")
    one, two = (Source(name, "pasarguard", MarzbanPanel(config)) for name in ("one", "two"))
    (request,) = [one.hook for one in recorded("pasarguard") if one.name.startswith("100")]
    async with open_outbox(store_url) as outbox:
        receiver = Receiver(outbox, Redelivery(START), Limits(), announce=lambda deliveries: None)
        receiver.configure({"one": one, "two": two}, TABLE)
        assert [(await receiver.receive(source, request)).repeats for source in (one, two, one)] == [0, 0, 1]


async def test_a_repeat_is_written_down_masked_and_names_the_event(store_url: str) -> None:
    source = Source("main", "pasarguard", MarzbanPanel(MarzbanConfig(panel="pasarguard", secret="none")))
    (request,) = [one.hook for one in recorded("pasarguard") if one.name.startswith("100")]
    async with open_outbox(store_url) as outbox:
        receiver = Receiver(outbox, Redelivery(START), Limits(), announce=lambda deliveries: None)
        receiver.configure({"main": source}, TABLE)
        first, again = [await receiver.receive(source, request) for _ in range(2)]
    with open_ledger(store_url) as ledger:
        (aside,) = ledger.read(set_aside_records, DeliveryQuery(limit=9))
        (record,) = ledger.read(delivery_records, DeliveryQuery())
    assert (first.repeats, again.repeats) == (0, 1)
    assert aside.reason == f"a repeat of event {record.event_id}"
    assert isinstance(aside.element, dict)
    assert set(aside.element["user"]["proxy_settings"]["vmess"].values()) == {"***"}


# Since when a count is believed


def test_what_is_remembered_is_not_believed_from_before_this_process_began() -> None:
    redelivery = Redelivery(START)
    assert redelivery.trusted_since(an_event()) == START


def test_while_another_replica_is_at_work_nothing_that_was_told_before_is_believed() -> None:
    clock = FakeClock()
    redelivery = Redelivery(clock.now())
    redelivery.remember("marzban", ["user:alice"], clock.now())
    redelivery.distrust("marzban", clock.now())
    clock.step(60)
    redelivery.distrust_all(clock.now())
    for subject in ("user:alice", "user:bob"):
        assert redelivery.trusted_since(an_event(subject)) == clock.now()


async def test_what_was_told_before_a_sources_settings_changed_is_believed_no_more(store_url: str) -> None:
    def a_source(secret: str) -> Source:
        return Source("main", "marzban", MarzbanPanel(MarzbanConfig(panel="marzban", secret=secret)))

    element = {"username": "alice", "action": "user_deleted", "enqueued_at": 1795234456.6, "tries": 0}
    old, same, new = a_source("the-old-secret"), a_source("the-old-secret"), a_source("the-new-secret")
    async with open_outbox(store_url) as outbox:
        clock = FakeClock()
        receiver = Receiver(outbox, Redelivery(clock.now()), Limits(), announce=lambda deliveries: None)
        repeats = []
        for tries, source in enumerate((old, same, new, new)):
            clock.step(60)
            receiver.configure({"main": source}, TABLE)
            hook = Hook(body=json.dumps({**element, "tries": tries}).encode(), received_at=clock.now())
            repeats.append((await receiver.receive(source, hook)).repeats)
    assert repeats == [0, 1, 0, 1]


def test_after_a_loss_nothing_is_believed_that_was_heard_before_even_if_the_clock_is_set_back() -> None:
    clock = FakeClock()
    redelivery = Redelivery(clock.now())
    redelivery.remember("marzban", ["user:alice"], clock.now())
    clock.step(-3600)
    redelivery.remember("marzban", ["user:carol"], clock.now())
    redelivery.distrust("marzban", clock.now())
    assert redelivery.trusted_since(an_event("user:alice")) > START
    assert redelivery.trusted_since(an_event("user:bob")) > START


def test_a_later_word_about_a_subject_ends_the_belief_in_an_earlier_one_and_in_no_other() -> None:
    clock = FakeClock()
    redelivery = Redelivery(clock.now())
    for _ in range(2):  # the same moment twice: still one after the other
        before = redelivery.trusted_since(an_event("user:alice"))
        redelivery.remember("marzban", ["user:alice", "user:alice"], clock.now())
    assert redelivery.trusted_since(an_event("user:alice")) > before
    assert redelivery.trusted_since(an_event("user:bob")) == START


def test_more_subjects_than_can_be_known_cost_belief_and_not_memory() -> None:
    clock = FakeClock()
    redelivery = Redelivery(clock.now())
    clock.step(1)
    first = clock.now()
    redelivery.remember("marzban", ["user:alice"], first)
    clock.step(1)
    redelivery.remember("marzban", [f"user:{n}" for n in range(SUBJECTS)], clock.now())
    assert len(redelivery._subject_since) == SUBJECTS
    assert redelivery.trusted_since(an_event("user:alice")) == first
    assert redelivery.trusted_since(an_event("user:1")) == clock.now()
