"""What becomes of a person who is forgotten, in every table. On both engines."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.admin import operations
from bridge.admin.people import forgetting
from bridge.event import Event
from bridge.intake import Destination, Intake, Routed
from bridge.outcome import Again, Attempt, Dead, Delivered, Done, Refused
from bridge.people.person import Person, forgotten_key
from bridge.people.wants import chat_scope
from bridge.store import open_ledger, open_outbox
from bridge.store.backend import open_engine
from bridge.store.base import AddressState, Settlement, State
from bridge.store.migrate import migrate
from bridge.store.outbox import SqlOutbox
from bridge.store.personal import NOBODYS, RULES, WORDS
from bridge.store.queries.erasures import want_empty_log, wanted_log
from bridge.store.queries.links import put_link
from bridge.store.queries.records import count_deliveries, delivery_records
from bridge.store.queries.walk import walked_deliveries
from bridge.store.queries.wishes import set_stopped, wishes_of
from bridge.store.records import DeliveryQuery, DeliveryRecord
from bridge.store.retention import empty_log_forever
from bridge.store.schema import attempts, deliveries, events, metadata, wishes
from bridge.store.scrub import Scrubbed
from bridge.terms import Terms
from bridge.value import replace
from tests.fakes import DECISION, START, FakeClock, an_event, an_intake
from tests.store.boxes import after, claimed, settle
from tests.store.forgetting import ALICE, bytes_with, columns_with, forget, row_of, scrubbed, would_forget

#: What the operator's file or a panel says, and would say again; and what counts names that no customer has.
OF_OTHERS = {"polled", "tables", "tallies"}
NAME = "alice.of-the_9"


def test_every_table_says_what_becomes_of_a_person() -> None:
    assert {table.name for table in RULES} | {table.name for table in NOBODYS} == set(metadata.tables)
    assert not {*RULES} & NOBODYS


def test_every_column_of_words_is_one() -> None:
    for table, names in WORDS.items():
        assert table in RULES
        assert all(isinstance(table.columns[name].type, sa.Text) for name in names)


@pytest.mark.parametrize("table", [one for one in RULES if one.name not in OF_OTHERS], ids=lambda one: one.name)
def test_a_row_of_any_table_that_names_her_in_every_column_keeps_nothing_of_her(
    any_store_url: str, table: sa.Table
) -> None:
    engine = open_engine(any_store_url)
    migrate(engine)
    with engine.begin() as connection:
        columns = row_of(table, 1, NAME)
        structure = {
            name: "ops" for name in ("sink", "row", "family", "sender", "replica", "outcome") if name in columns
        }
        connection.execute(table.insert().values(columns | structure | _of_a_lane(table)))
    engine.dispose()
    before = columns_with(any_store_url, NAME) or columns_with(any_store_url, "700001")
    assert before
    person = Person("marzban", NAME, frozenset({"marzban"}), frozenset({"700001"}))
    forget(any_store_url, person, mentions=True)
    assert scrubbed(any_store_url, person) is Scrubbed.DONE
    assert columns_with(any_store_url, NAME) == columns_with(any_store_url, "700001") == set()
    assert bytes_with(any_store_url, NAME) == []


def _of_a_lane(table: sa.Table) -> dict[str, object]:
    """What of a row is the bridge's own business, and never a customer's."""
    own = {
        "lanes": {"owner": "node-b", "standing": "open", "address": "1f", "spent": "{}", "learned": "[]"},
        "deliveries": {"template": None, "terms": None, "cleared": None, "ref": None, "state": "delivered"},
        "attempts": {"ref": None},
        "audit": {"action": "prefs"},
        "announcements": {"category": "news", "state": "put", "cursor": ""},
        "threads": {"ref": "7", "type": "user.created"},
        "addresses": {"reason": None},
    }
    return own.get(table.name, {})


async def test_all_that_is_hers_goes_and_nothing_else(outbox: SqlOutbox, any_store_url: str) -> None:
    names = ("alice", "bob", "malice", "alice2", "alice")
    await outbox.put(an_intake(*(an_event(f"user:{name}") for name in names), sinks=("ops", "crm")))
    for sink in ("ops", "crm"):
        one, *others = await claimed(outbox, sink=sink)
        await settle(outbox, one, Dead("HTTP 400"), Attempt(Refused("HTTP 400"), 400, '{"of": "alice"}'))
        await settle(outbox, others[0], Again(after(9), "HTTP 502"))
    told = would_forget(any_store_url)
    done = forget(any_store_url)
    assert {name: n for name, n in told.rows.items() if n} == {name: n for name, n in done.rows.items() if n}
    assert {name: n for name, n in done.rows.items() if n} == {"events": 2, "deliveries": 4, "attempts": 2}
    assert subjects(any_store_url) == ["user:bob", "user:malice", "user:alice2"]
    assert columns_with(any_store_url, "alice") == {
        "events.subject", "events.data", "events.native", "deliveries.subject"
    }  # fmt: skip # malice, and alice2
    assert would_forget(any_store_url).is_nothing


@pytest.mark.parametrize(
    ("event", "is_hers"),
    [
        (an_event("user:alice"), True),
        (replace(an_event("device:phone"), data={"user": {"username": "alice"}}), True),
        (replace(an_event("node:fra"), data={"note": "alice called"}, native=None), False),
        (replace(an_event("user:bob"), native={"admin": ["x", {"alice": 1}]}), False),
    ],
)
async def test_what_names_her_beside_is_told_and_erased_where_the_operator_says_so(
    outbox: SqlOutbox, any_store_url: str, event: Event, is_hers: bool
) -> None:
    await outbox.put(an_intake(event))
    told = forget(any_store_url)
    assert (told.rows.get("events", 0), told.mentioned) == ((1, 0) if is_hers else (0, 1))
    assert list(told.mentions) == ([] if is_hers else [f"event {event.id}: {event.type}"])
    if not is_hers:
        assert forget(any_store_url, mentions=True).rows["events"] == 1
    assert columns_with(any_store_url, "alice") == set()


async def test_alice_of_another_panel_stays(outbox: SqlOutbox, any_store_url: str) -> None:
    other = replace(an_event("user:alice"), source="pasarguard")
    await outbox.put(an_intake(an_event("user:alice"), other))
    await outbox.put(replace(an_intake(an_event("user:alice")), realm="fra"))
    assert forget(any_store_url).rows["events"] == 1
    assert subjects(any_store_url) == ["user:alice", "user:alice"]


async def test_an_event_from_before_realms_were_kept_is_known_by_its_source(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await outbox.put(an_intake(an_event("user:alice"), replace(an_event("user:alice"), source="pasarguard")))
    with open_ledger(any_store_url) as ledger:
        ledger.write(lambda connection: connection.execute(sa.update(events).values(realm=None)))
    assert forget(any_store_url).rows["events"] == 1


async def test_ids_of_deliveries_go_on_though_the_newest_was_hers(outbox: SqlOutbox, any_store_url: str) -> None:
    for number in (1, 2, 3):
        await outbox.put(an_intake(an_event("user:alice")))
        forget(any_store_url)
        assert columns_with(any_store_url, "alice") == set()
        await outbox.put(an_intake(an_event("user:bob")))
        [*_, bob] = await claimed(outbox)
        assert bob.id == 2 * number
    with open_ledger(any_store_url) as ledger:
        rows = ledger.read(lambda connection: connection.execute(sa.select(sa.func.count(deliveries.c.id))).scalar())
    assert (len(look_up(any_store_url)), rows) == (3, 4)  # what was left of the first two is gone


async def test_whoever_looks_finds_nothing_of_the_newest_delivery_that_was_hers(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await outbox.put(an_intake(an_event("user:bob")))
    await outbox.put(an_intake(an_event("user:alice")))
    forget(any_store_url)
    with open_ledger(any_store_url) as ledger:
        for query in (
            DeliveryQuery(),
            DeliveryQuery(states=(State.HELD_BACK,)),
            DeliveryQuery(ids=(2,)),
            DeliveryQuery(until=START + timedelta(days=1)),
        ):
            found = ledger.read(walked_deliveries, query).deliveries
            assert {one.subject for one in found} <= {"user:bob"}
            assert ledger.read(count_deliveries, query) == len(found)
        assert [one.subject for one in operations.events_at(ledger, DeliveryQuery())] == ["user:bob"]


async def test_what_comes_of_a_delivery_that_was_forgotten_on_its_way_is_not_recorded(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    both = await claimed(outbox)
    forget(any_store_url)
    attempt = Attempt(Delivered(), 200, '{"text": "alice, bob"}')
    made = await outbox.settle([Settlement(one, Done(), attempt, START, ms=3.0) for one in both])
    assert list(made) == []
    assert columns_with(any_store_url, "alice") == set()
    [bob] = look_up(any_store_url)
    assert (bob.subject, bob.state) == ("user:bob", "delivered")
    with open_ledger(any_store_url) as ledger:
        ids = ledger.read(lambda connection: list(connection.execute(sa.select(attempts.c.delivery_id)).scalars()))
    assert ids == [bob.id]


async def test_a_fallback_is_not_made_of_what_was_forgotten(outbox: SqlOutbox, any_store_url: str) -> None:
    terms = Terms.model_validate({"fallback": ["mail"], "fallback_after": 60.0})
    routed = Routed(an_event("user:alice"), (Destination("ops", "route 1", terms=terms),), DECISION)
    await outbox.put(Intake([routed]))
    [alice] = await claimed(outbox)
    forget(any_store_url)
    assert await settle(outbox, alice, Dead("HTTP 400")) == []
    assert columns_with(any_store_url, "alice") == set()


async def test_whoever_wanted_to_be_told_nothing_still_is_and_their_name_is_gone(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    with open_ledger(any_store_url) as ledger:
        ledger.write(set_stopped, ALICE.key, stop=True, by="operator", now=START)
        forget(any_store_url)
        assert columns_with(any_store_url, "alice") == set()
        wishes = ledger.read(wishes_of, [ALICE.key, "marzban/user:bob"])
        assert wishes.keys() == {ALICE.key}
        assert wishes[ALICE.key].stopped_at == START
        assert wishes[ALICE.key].wants.stopped
        assert would_forget(any_store_url).is_nothing
        ledger.write(set_stopped, ALICE.key, stop=False, by="operator", now=START)
        assert not (await outbox.known("a bot", [ALICE.key]))[ALICE.key].wants.stopped


async def test_a_new_user_of_that_name_does_not_inherit_the_wish(outbox: SqlOutbox, any_store_url: str) -> None:
    with open_ledger(any_store_url) as ledger:
        ledger.write(set_stopped, ALICE.key, stop=True, by="operator", now=START)
    forget(any_store_url)
    await outbox.put(an_intake(an_event("user:alice", type_="user.deleted")))
    assert not (await outbox.known("a bot", [ALICE.key]))[ALICE.key].wants.stopped


async def test_the_addresses_that_she_was_told_at_go_with_what_was_told(outbox: SqlOutbox, any_store_url: str) -> None:
    for place in ("700001", "700002", "555"):
        await outbox.save_address_state("a bot", place, AddressState(START, "blocked"))
    await outbox.put(an_intake(replace(an_event("user:alice"), data={"user": {"telegram_id": 555}})))
    with open_ledger(any_store_url) as ledger:
        told_at = {"places": lambda event: {str(event.data["user"]["telegram_id"])}}
        would = forgetting.forgettable(ledger, ALICE, **told_at)
        done = forgetting.forget(ledger, ALICE, now=START, pause=lambda: None, **told_at)
    assert would.rows["addresses"] == done.rows["addresses"] == 2
    assert await outbox.address_state("a bot", "700002") is not None
    assert await outbox.address_state("a bot", "555") is None


async def test_what_was_said_in_a_chat_that_only_her_events_tell_of_goes_and_a_stop_holds(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    hers, shared = chat_scope("a bot", 555), chat_scope("a bot", 777)
    told = (replace(an_event("user:alice"), data={"user": {"telegram_id": chat}}) for chat in (555, 777))
    await outbox.put(an_intake(*told))
    with open_ledger(any_store_url) as ledger:
        ledger.write(put_link, "marzban/user:bob", "a bot", "777", how="token", now=START)
        for scope in (hers, shared):
            ledger.write(set_stopped, scope, stop=True, by="themselves", now=START)
        told_at = {"places": lambda event: {str(event.data["user"]["telegram_id"])}}
        would = forgetting.forgettable(ledger, ALICE, **told_at)
        done = forgetting.forget(ledger, ALICE, now=START, pause=lambda: None, **told_at)
        assert would.rows["wishes"] == done.rows["wishes"] == 1
        kept = ledger.read(lambda connection: set(connection.execute(sa.select(wishes.c.key)).scalars()))
        assert kept == {forgotten_key(hers), shared}
        assert ledger.read(wishes_of, [hers])[hers].stopped_at == START


async def test_a_bridge_that_runs_empties_its_log_while_it_takes_in_what_comes(
    store_url: str, clock: FakeClock
) -> None:
    async with open_outbox(store_url) as outbox:
        names = [f"user:{name}" for name in ("alice", "bob") * 200]
        await outbox.put(an_intake(*map(an_event, names)))
        emptying = asyncio.create_task(empty_log_forever(outbox.empty_log, clock=clock))
        forgetting_ = asyncio.create_task(asyncio.to_thread(forget, store_url))
        while not forgetting_.done():
            await outbox.put(an_intake(an_event("user:carol")))
        assert await asyncio.to_thread(scrubbed, store_url) is Scrubbed.DONE
        assert bytes_with(store_url, "alice") == []
        assert columns_with(store_url, "alice") == set()
        await outbox.put(an_intake(an_event("user:dora")))
        emptying.cancel()
    assert subjects(store_url)[-1] == "user:dora"
    assert "user:bob" in subjects(store_url)


async def test_a_log_that_somebody_reads_is_emptied_when_they_have_gone(store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event("user:alice")))
        engine = open_engine(store_url)
        with engine.connect().execution_options(reads=True) as reading:
            reading.execute(sa.select(events.c.id)).all()
            forget(store_url)
            with open_ledger(store_url) as ledger:
                wanted = ledger.write(want_empty_log)
                await outbox.empty_log()
                assert ledger.read(wanted_log) == wanted
                assert "panelbridge.db-wal" in bytes_with(store_url, "alice")
        await outbox.empty_log()
        with open_ledger(store_url) as ledger:
            assert ledger.read(wanted_log) is None
        engine.dispose()
        assert bytes_with(store_url, "alice") == []


async def test_a_large_file_is_not_written_anew_beside_a_bridge(
    store_url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.scrub.BESIDE", 1000)
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(*(an_event(f"user:{name}") for name in ("alice", "malice"))))
        emptying = asyncio.create_task(empty_log_forever(outbox.empty_log, clock=clock))
        await asyncio.to_thread(forget, store_url)
        assert await asyncio.to_thread(scrubbed, store_url) is Scrubbed.LARGE
        emptying.cancel()
    assert scrubbed(store_url) is Scrubbed.DONE


async def test_a_bridge_that_does_not_empty_its_log_is_not_waited_for_for_ever(store_url: str) -> None:
    waited: list[float] = []
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event("user:alice")))
        forget(store_url)
        assert scrubbed(store_url, wait=waited.append) is Scrubbed.READ
    assert 59 < sum(waited) < 61


class Killed(Exception):
    """That it ends there."""


def killing_after(steps: int) -> Callable[[], None]:
    left = iter(range(steps - 1))

    def pause() -> None:
        if next(left, None) is None:
            raise Killed

    return pause


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kills=st.lists(st.integers(1, 4), max_size=5))
def test_whatever_interrupts_it_nothing_is_half_erased_and_it_can_be_begun_again(
    any_store_url: str, kills: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.queries.forget.STEP", 2)
    monkeypatch.setattr("bridge.store.queries.forget.WINDOW", 3)
    asyncio.run(_fill(any_store_url))
    for steps in kills:
        with suppress(Killed):
            forget(any_store_url, pause=killing_after(steps))
        assert orphans(any_store_url) == []
    forget(any_store_url)
    assert scrubbed(any_store_url) is Scrubbed.DONE
    assert columns_with(any_store_url, "alice") == set()
    assert bytes_with(any_store_url, "alice") == []
    assert "user:bob" in subjects(any_store_url)


async def _fill(url: str) -> None:
    async with open_outbox(url) as outbox:
        names = ["alice", "bob", "alice", "alice", "carol", "alice"] * 2
        await outbox.put(an_intake(*(an_event(f"user:{name}") for name in names), sinks=("ops", "crm")))
        for one in await claimed(outbox):
            await settle(outbox, one, Done(), Attempt(Delivered(), 200, f"thanks for {one.event.subject}"))
    with open_ledger(url) as ledger:
        ledger.write(set_stopped, ALICE.key, stop=True, by="alice", now=START)


def orphans(url: str) -> list[int]:
    """Deliveries without their events, but for what keeps the ids, and tries without their deliveries."""
    without_event = sa.select(deliveries.c.id).where(
        deliveries.c.event_id != "", ~sa.exists().where(events.c.id == deliveries.c.event_id)
    )
    without_delivery = sa.select(attempts.c.delivery_id).where(
        ~sa.exists().where(deliveries.c.id == attempts.c.delivery_id)
    )
    with open_ledger(url) as ledger:
        return ledger.read(
            lambda connection: [
                *connection.execute(without_event).scalars(),
                *connection.execute(without_delivery).scalars(),
            ]
        )


def look_up(url: str) -> list[DeliveryRecord]:
    with open_ledger(url) as ledger:
        return list(reversed(ledger.read(delivery_records, DeliveryQuery(limit=None))))


def subjects(url: str) -> list[str | None]:
    """Whom the events are about that are left, in their order."""
    with open_ledger(url) as ledger:
        return ledger.read(
            lambda connection: list(connection.execute(sa.select(events.c.subject).order_by(events.c.id)).scalars())
        )
