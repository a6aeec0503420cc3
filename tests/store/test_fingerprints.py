"""Repeats: what a panel says twice is kept once, and what it says of two things is kept twice."""

import asyncio
import importlib
import pkgutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge import panels
from bridge.event import Event, new_id
from bridge.intake import Destination, Fingerprint, Intake, Routed
from bridge.store import open_ledger, open_outbox
from bridge.store.base import PutResult
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.fingerprints import REPEATED, repeats_of
from bridge.store.queries.records import set_aside_records
from bridge.store.records import DeliveryQuery
from bridge.value import replace
from tests.fakes import DECISION, an_event
from tests.store.boxes import after, claimed

DAY = 86400.0


def marked(event: Event, tries: int | None = None, *, key: str = "k", within: float = DAY) -> Routed:
    return Routed(event, (Destination("ops", "route 1"),), DECISION, Fingerprint(key, tries, within))


def anew(event: Event, seconds: float = 0) -> Event:
    """The same thing told again, later."""
    return replace(event, id=new_id(), received_at=after(seconds), occurred_at=after(seconds))


async def put(outbox: SqlOutbox, *routed: Routed) -> PutResult:
    return await outbox.put(Intake(routed))


async def test_a_repeat_is_set_aside_and_says_of_what(outbox: SqlOutbox, any_store_url: str) -> None:
    event = an_event()
    assert (await put(outbox, marked(event))).repeats == 0
    kept = await put(outbox, marked(anew(event, 5)))
    assert (kept.deliveries, kept.repeats) == ([], 1)
    assert [one.event for one in await claimed(outbox)] == [event]
    with open_ledger(any_store_url) as ledger:
        [aside] = ledger.read(set_aside_records, DeliveryQuery(limit=10))
    assert (aside.reason, aside.element) == (f"a repeat of event {event.id}", event.native)
    assert (aside.source, aside.received_at) == (event.source, after(5))


@pytest.mark.parametrize(
    ("tries", "again", "repeat"),
    [
        (None, None, True),
        (0, 1, True),
        (0, 3, True),
        (0, 0, False),  # the same was done twice
        (2, 1, False),
        (None, 1, False),  # who counts now did not count then
        (1, None, False),
    ],
)
async def test_what_a_repeat_is_depends_on_how_often_it_was_tried(
    outbox: SqlOutbox, tries: int | None, again: int | None, repeat: bool
) -> None:
    event = an_event()
    await put(outbox, marked(event, tries))
    assert (await put(outbox, marked(anew(event), again))).repeats == repeat


async def test_each_try_of_a_panel_is_a_repeat_of_the_same_event(outbox: SqlOutbox, any_store_url: str) -> None:
    event = an_event()
    await put(outbox, marked(event, 0))
    assert [(await put(outbox, marked(anew(event), tries))).repeats for tries in (1, 2, 2, 3)] == [1, 1, 0, 1]
    with open_ledger(any_store_url) as ledger:
        reasons = [aside.reason for aside in ledger.read(set_aside_records, DeliveryQuery(limit=10))]
    assert reasons[1:] == [f"a repeat of event {event.id}"] * 2
    assert reasons[0] != reasons[1]  # the second `2` was an event of its own, and the `3` repeats that one


async def test_when_an_event_was_told_again_can_be_looked_up(outbox: SqlOutbox, any_store_url: str) -> None:
    event, other = an_event(), an_event("user:bob")
    await put(outbox, marked(event), marked(other, key="other"))
    await put(outbox, marked(anew(event, 5)), marked(anew(other, 6), key="other"))
    await put(outbox, marked(anew(event, DAY - 1)))
    with open_ledger(any_store_url) as ledger:
        assert ledger.read(repeats_of, event.id, event.received_at) == [after(5), after(DAY - 1)]
        assert ledger.read(repeats_of, other.id, other.received_at) == [after(6)]
        assert ledger.read(repeats_of, "none", event.received_at) == []


def test_no_panel_is_believed_to_repeat_itself_for_longer_than_is_looked_for_it() -> None:
    withins = {
        value
        for module in pkgutil.walk_packages(panels.__path__, "bridge.panels.")
        for name, value in vars(importlib.import_module(module.name)).items()
        if name in ("RETRIES_WITHIN", "REPEATED_WITHIN")
    }
    assert max(withins) == REPEATED.total_seconds()


@pytest.mark.parametrize(("seconds", "repeat"), [(59.999999, True), (60, False), (3600, False)])
async def test_a_fingerprint_is_remembered_for_its_time(outbox: SqlOutbox, seconds: float, repeat: bool) -> None:
    event = an_event()
    await put(outbox, marked(event, within=60))
    assert (await put(outbox, marked(anew(event, seconds), within=60))).repeats == repeat


async def test_one_request_may_say_the_same_twice(outbox: SqlOutbox) -> None:
    event = an_event()
    kept = await put(outbox, marked(event), marked(anew(event)), marked(an_event("user:bob"), key="other"))
    assert (len(kept.deliveries), kept.repeats) == (2, 1)


async def test_two_requests_in_one_commit_may_say_the_same(outbox: SqlOutbox) -> None:
    event = an_event()
    kept = await asyncio.gather(*(put(outbox, marked(anew(event))) for _ in range(20)))
    assert sorted(one.repeats for one in kept) == [0] + [1] * 19
    assert len(await claimed(outbox)) == 1


async def test_two_replicas_may_be_told_the_same_at_once(postgres_url: str) -> None:
    event = an_event()
    async with open_outbox(postgres_url) as one, open_outbox(postgres_url) as other:
        kept = await asyncio.gather(*(put(box, marked(anew(event))) for _ in range(20) for box in (one, other)))
        assert sorted(one.repeats for one in kept) == [0] + [1] * 39
        assert len(await claimed(one)) == 1


def state(event: Event, name: str, other: str) -> Routed:
    return replace(marked(event), fingerprint=Fingerprint(name, ends=other, within=DAY))


@pytest.mark.parametrize("at_once", [False, True])
async def test_what_was_ended_is_news_again_and_so_is_its_end(outbox: SqlOutbox, at_once: bool) -> None:
    event, salt = an_event(), new_id()
    bad, good = f"{salt} firing", f"{salt} resolved"
    told = [(bad, good), (bad, good), (good, bad), (good, bad), (bad, good), (bad, good), (good, bad)]
    routed = [state(anew(event, at), *names) for at, names in enumerate(told)]
    if at_once:
        kept = await put(outbox, *routed)
        assert (len(kept.deliveries), kept.repeats) == (4, 3)
    else:
        assert [(await put(outbox, one)).repeats for one in routed] == [0, 1, 0, 1, 0, 1, 0]


async def test_a_repeat_ends_nothing(outbox: SqlOutbox) -> None:
    event, salt = an_event(), new_id()
    await put(outbox, state(anew(event), f"{salt} a", f"{salt} b"))
    await put(outbox, marked(anew(event), key=f"{salt} b"))
    assert (await put(outbox, state(anew(event), f"{salt} a", f"{salt} b"))).repeats == 1
    assert (await put(outbox, marked(anew(event), key=f"{salt} b"))).repeats == 1


async def test_an_event_without_a_fingerprint_is_never_a_repeat(outbox: SqlOutbox) -> None:
    event = an_event()
    routed = [replace(marked(anew(event)), fingerprint=None) for _ in range(3)]
    assert (await put(outbox, *routed)).repeats == 0
    assert len(await claimed(outbox)) == 3


async def test_more_keys_than_are_looked_up_at_once(outbox: SqlOutbox) -> None:
    events = [marked(an_event(f"user:{n}"), key=f"k{n}") for n in range(1200)]
    await put(outbox, *events)
    assert (await put(outbox, *(replace(one, event=anew(one.event)) for one in events))).repeats == 1200


@settings(max_examples=settings.default.max_examples // 4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([None, 0, 1, 2]), st.booleans()), max_size=12))
async def test_batches_change_nothing_about_what_is_a_repeat(
    outbox: SqlOutbox, said: list[tuple[str, int | None, bool]]
) -> None:
    """`said`: key, tries, and whether a new request begins with it. A model of one dictionary says the same."""
    salt, remembered, expected = new_id(), dict[str, int | None](), 0
    requests: list[list[Routed]] = [[]]
    for key, tries, new in said:
        if new:
            requests.append([])
        requests[-1].append(marked(an_event(), tries, key=f"{salt} {key}"))
        before = remembered.get(key, "nothing")
        if before != "nothing" and (before == tries is None or (before is not None and (tries or 0) > int(before))):
            expected += 1
        remembered[key] = tries
    found = sum([(await put(outbox, *routed)).repeats for routed in requests])
    assert found == expected
