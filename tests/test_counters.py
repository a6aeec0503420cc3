"""What happens is counted where it happens, once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, get_args

import aiohttp
import pytest

from bridge.counters import COUNTERS, NAME_LENGTH, NAMED_TYPES, OTHER, UNKNOWN, Counters, Histogram, Settled
from bridge.errors import StoreUnavailable
from bridge.incident import LaneStanding, StoreFailing
from bridge.intake import Decision, Destination, Intake, Routed, SetAside
from bridge.message import Message
from bridge.outcome import Again, Attempt, Away, Dead, Delivered, Done, Fate, Gone, HeldBack, Limited, Outcome, Refused
from bridge.sinks.base import OnSent
from bridge.store import open_outbox
from bridge.store.base import SETTLED, PutResult
from bridge.store.outbox import SqlOutbox
from bridge.terms import DigestWindow, Terms
from bridge.value import replace
from bridge.vocabulary import TYPES
from tests.alerts.telling import Replica
from tests.delivery.lanes import BlankRenderer, Fleet, ScriptedSink, a_lane, carry_all, routed
from tests.fakes import DECISION, START, TABLE, FakeClock, an_event, an_intake
from tests.ingress.running import ELEMENT, HEADERS, TOKEN, Ingress, post, running_ingress


@pytest.fixture
def counters() -> Iterator[Counters]:
    """Those of this process, which has counted nothing yet."""
    COUNTERS.clear()
    yield COUNTERS
    COUNTERS.clear()


@pytest.fixture
async def outbox(store_url: str) -> Any:
    async with open_outbox(store_url) as opened:
        yield opened


# histograms and names


@pytest.mark.parametrize(("value", "counts"), [(0, [1, 0, 0]), (1, [1, 0, 0]), (1.5, [0, 1, 0]), (9, [0, 0, 1])])
def test_a_value_falls_under_the_first_bound_that_it_does_not_exceed(value: float, counts: list[int]) -> None:
    histogram = Histogram((1, 2))
    histogram.observe(value)
    assert (histogram.counts, histogram.sum) == (counts, value)


def test_a_histogram_adds_up_what_falls_into_it() -> None:
    histogram = Histogram((1, 2))
    for value in (0.5, 1.5, 1.5, 7):
        histogram.observe(value)
    assert (histogram.counts, histogram.sum) == ([1, 2, 1], 10.5)


def of_types(*names: str) -> Intake:
    return Intake([Routed(an_event(type_=name), (), DECISION) for name in names])


def test_strange_types_have_names_up_to_a_bound_and_those_of_the_vocabulary_always() -> None:
    counters = Counters()
    counters.events_taken("marzban", of_types(*(f"strange.{number}" for number in range(5000))), ())
    counters.events_taken("marzban", of_types(*TYPES), ())
    names = {type_ for _, type_ in counters.events}
    assert names >= {*TYPES, "strange.0", OTHER}
    assert len(names) == NAMED_TYPES + 1
    assert counters.events["marzban", OTHER] == 5000 - (NAMED_TYPES - len(TYPES))
    assert sum(counters.events.values()) == 5000 + len(TYPES)


@pytest.mark.parametrize("name", ["x" * (NAME_LENGTH + 1), "half\ud83d", "line\nend", "\u202eback"])
def test_a_type_that_is_no_name_is_another(name: str) -> None:
    counters = Counters()
    counters.events_taken("marzban", of_types(name), ())
    assert counters.events == {("marzban", OTHER): 1}


# coming in


def test_an_event_is_counted_with_its_rows_unless_it_is_a_repeat() -> None:
    counters = Counters()
    decision = Decision(TABLE, ("route 1", "route 3"), (("route 2", "division by zero"),))
    sent = Routed(an_event(), (Destination("ops", "route 1"),), decision)
    nowhere = Routed(an_event(type_="user.deleted"), (), Decision(TABLE, ()))
    nowhere_too = replace(nowhere, event=an_event(type_="user.deleted"))
    repeat = replace(sent, event=an_event())
    aside = SetAside(source="marzban", received_at=START, path="[3]", reason="is no object", element=3)
    counters.events_taken("marzban", Intake([sent, nowhere, nowhere_too, repeat], [aside]), [repeat.event.id])
    assert counters.events == {("marzban", "user.created"): 1, ("marzban", "user.deleted"): 2}
    assert counters.row_matches == {"route 1": 1, "route 3": 1}
    assert counters.row_failures == {"route 2": 1}
    assert (counters.unrouted, counters.redelivered, counters.set_aside) == (
        {"marzban": 2}, {"marzban": 1}, {"marzban": 1}
    )  # fmt: skip


@pytest.fixture
async def ingress(store_url: str, clock: FakeClock, counters: Counters) -> Any:
    async with running_ingress(store_url, clock, changing={"ops"}) as opened:
        yield opened


@pytest.fixture
async def http() -> Any:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_requests_are_counted_by_source_and_what_they_were_answered(
    ingress: Ingress, http: aiohttp.ClientSession, counters: Counters
) -> None:
    await post(http, f"{ingress.url}/in/marzban", [ELEMENT, ELEMENT])
    await post(http, f"{ingress.url}/in/marzban", ELEMENT, headers={"x-webhook-secret": "wrong"})
    await post(http, f"{ingress.url}/in/marzban", b"{")
    await post(http, f"{ingress.url}/in/stranger", ELEMENT)
    await post(http, f"{ingress.url}/nowhere", ELEMENT)
    assert counters.requests == {
        ("marzban", 200): 1,
        ("marzban", 401): 1,
        ("marzban", 422): 1,
        (UNKNOWN, 404): 2,
    }
    assert sum(counters.request_seconds["marzban"].counts) == 1
    assert counters.events == {("marzban", "user.created"): 2}


async def test_an_event_that_is_told_again_is_counted_as_such_and_not_as_another(
    ingress: Ingress, http: aiohttp.ClientSession, counters: Counters
) -> None:
    for tries in (0, 1):
        await post(http, f"{ingress.url}/in/marzban", ELEMENT | {"tries": tries})
    assert counters.events == {("marzban", "user.created"): 1}
    assert counters.redelivered == {"marzban": 1}


async def test_a_message_that_is_posted_and_changed_is_counted_each_time(
    ingress: Ingress, http: aiohttp.ClientSession, counters: Counters
) -> None:
    webhook = f"{ingress.url}/api/webhooks/chat/{TOKEN}"
    async with http.post(webhook, params={"wait": "true"}, json={"content": "first"}) as response:
        message = await response.json()
    async with http.patch(f"{webhook}/messages/{message['id']}", json={"content": "second"}) as response:
        assert response.status == 200
    assert counters.requests == {("chat", 200): 2}
    assert sum(counters.request_seconds["chat"].counts) == 2
    assert sum(counters.events.values()) == 2


async def test_what_the_store_did_not_take_is_counted_as_refused(
    ingress: Ingress, http: aiohttp.ClientSession, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def put(intake: Intake) -> PutResult:
        raise StoreUnavailable("store: disk full")

    monkeypatch.setattr(ingress.receiver._outbox, "put", put)
    status, _ = await post(http, f"{ingress.url}/in/marzban", ELEMENT, headers=HEADERS)
    assert (status, counters.requests, counters.events) == (503, {("marzban", 503): 1}, {})


# going out


ANSWERS: list[tuple[Outcome, str, Settled | None]] = [
    (Delivered(), "delivered", Settled.DELIVERED),
    (Limited(5.0), "limited", None),
    (Away("HTTP 502"), "away", None),
    (Refused("HTTP 400"), "refused", Settled.DEAD),
    (Gone("HTTP 404"), "gone", None),
]


@pytest.mark.parametrize(("answer", "word", "fate"), ANSWERS)
async def test_an_attempt_is_counted_by_its_outcome_and_what_is_settled_by_its_fate(
    outbox: SqlOutbox, clock: FakeClock, counters: Counters, answer: Outcome, word: str, fate: Settled | None
) -> None:
    await outbox.put(an_intake(an_event()))
    lane = a_lane(outbox, ScriptedSink(clock, [answer]), clock)
    await lane.step()
    await lane.flush()
    assert counters.attempts == {("ops", word): 1}
    assert sum(counters.attempt_seconds["ops"].counts) == 1
    assert counters.deliveries == ({} if fate is None else {("ops", fate): 1})


def test_every_outcome_has_a_row_above() -> None:
    assert {type(answer) for answer, _, _ in ANSWERS} == set(get_args(Outcome))


@pytest.mark.parametrize(
    ("fate", "counted"),
    [
        (Done(), {("ops", "delivered"): 1}),
        (Dead("HTTP 400"), {("ops", "dead"): 1}),
        (HeldBack("quiet hours"), {("ops", "held_back"): 1}),
        (Again(START, "HTTP 502"), {}),
    ],
)
def test_only_what_is_settled_for_good_is_counted(fate: Fate, counted: dict[tuple[str, str], int]) -> None:
    counters = Counters()
    counters.settled("ops", fate, made_at=START, at=START + timedelta(seconds=4))
    assert counters.deliveries == counted
    assert sum(one.sum for one in counters.delay_seconds.values()) == (4 if isinstance(fate, Done) else 0)


def test_what_may_become_of_a_delivery_is_what_the_store_calls_settled() -> None:
    assert [one.value for one in Settled] == [one.value for one in SETTLED]


async def test_the_time_of_an_attempt_is_counted_in_seconds(
    outbox: SqlOutbox, clock: FakeClock, counters: Counters
) -> None:
    class Slow(ScriptedSink):
        async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
            clock.step(0.3)
            return await super().send(message, on_sent)

    await outbox.put(an_intake(an_event()))
    await carry_all(a_lane(outbox, Slow(clock), clock))
    assert counters.attempt_seconds["ops"].sum == pytest.approx(0.3)


async def test_each_delivery_of_a_digest_is_counted_and_its_message_once(
    outbox: SqlOutbox, clock: FakeClock, counters: Counters
) -> None:
    digest = Terms(digest=DigestWindow(window=60))
    await outbox.put(routed(an_event("user:a", at=clock.now()), an_event("user:b", at=clock.now()), terms=digest))
    clock.step(61)
    await carry_all(a_lane(outbox, ScriptedSink(clock), clock))
    assert counters.attempts == {("ops", "delivered"): 1}
    assert counters.deliveries == {("ops", "delivered"): 2}


async def test_what_goes_to_another_sink_is_counted_with_both(
    outbox: SqlOutbox, clock: FakeClock, counters: Counters
) -> None:
    await outbox.put(routed(an_event(), terms=Terms(fallback=("team",), fallback_after=600)))
    lane = Fleet(outbox, clock).lane(ScriptedSink(clock, [Refused("HTTP 400")]))
    await carry_all(lane)
    assert counters.fallbacks == {("ops", "team"): 1}


async def test_a_templates_fault_is_counted(outbox: SqlOutbox, clock: FakeClock, counters: Counters) -> None:
    await outbox.put(an_intake(an_event(), an_event("user:bob")))
    await carry_all(a_lane(outbox, ScriptedSink(clock), clock, BlankRenderer("line 3: no such filter")))
    assert counters.template_faults == {"ops": 2}


# the store, the file, alerts


async def test_a_commit_is_counted_with_what_it_carried_and_whether_it_reached_the_disk(
    outbox: SqlOutbox, clock: FakeClock, counters: Counters
) -> None:
    await outbox.put(an_intake(an_event()))
    durable = sum(counters.commit_seconds[True].counts)
    assert durable >= 1
    assert sum(counters.commit_writes.counts) == durable
    await carry_all(a_lane(outbox, ScriptedSink(clock), clock))
    assert sum(counters.commit_seconds[False].counts) >= 1


def test_a_file_that_is_rejected_leaves_the_time_of_the_one_in_force() -> None:
    counters = Counters()
    counters.config_applies(1000.0)
    counters.config_is_rejected()
    assert (counters.config_in_force, counters.config_applied_at) == (False, 1000.0)
    counters.config_applies(2000.0)
    assert (counters.config_in_force, counters.config_applied_at) == (True, 2000.0)
    assert (counters.config_applied, counters.config_rejected) == (2, 1)


async def test_an_alert_is_counted_once_it_is_kept_or_sent(
    outbox: SqlOutbox, clock: FakeClock, counters: Counters
) -> None:
    replica = Replica(outbox, clock)
    replica.desk.hear(LaneStanding("team", "parked", START, "HTTP 404"))
    await replica.desk.tell()
    replica.desk.hear(StoreFailing("store: disk full"))
    await replica.desk.tell_of_the_store()
    assert counters.alerts == {"bridge.lane_parked": 1, "bridge.store_failing": 1}
    assert counters.events == {}
