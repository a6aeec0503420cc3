"""Texts of any length, in whatever an index holds."""

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import StoreRefused
from bridge.intake import Fingerprint, Intake, Routed
from bridge.outcome import Again, Dead, Done
from bridge.store import migrate, open_ledger, open_outbox
from bridge.store.backend import open_engine
from bridge.store.index_key import LONGEST, index_key
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import DeliveryQuery
from bridge.terms import DigestWindow, Terms
from tests.fakes import DECISION, START, an_event, an_intake
from tests.store.boxes import after, claimed, downgrade, refuse, settle, subjects, under


def hard(seed: int, length: int = 5000) -> str:
    """A text that cannot be compressed: what PostgreSQL compresses may be longer."""
    return "user:" + "".join(chr(0x4E00 + (seed + n * n * 7919) % 20000) for n in range(length))


LONG, OTHER = hard(1), hard(1)[:-1] + "x"
RETRY = Again(after(60), "HTTP 502")


@given(st.text(max_size=2 * LONGEST), st.text(max_size=2 * LONGEST))
def test_no_two_texts_share_a_key(one: str, other: str) -> None:
    assert (index_key(one) == index_key(other)) is (one == other)


@given(st.text())
def test_a_short_text_is_its_own_key_and_a_long_one_has_a_short_key(text: str) -> None:
    assert index_key(text) == text
    assert len(index_key(text * 1000).encode()) < LONGEST + 64


async def test_a_subject_of_any_length_can_be_tried_again(outbox: SqlOutbox) -> None:
    await outbox.put(an_intake(an_event(LONG), an_event(OTHER), an_event(LONG)))
    first, other, _ = await claimed(outbox)
    assert (first.event.subject, other.event.subject) == (LONG, OTHER)
    await settle(outbox, first, RETRY)
    assert subjects(await claimed(outbox)) == [OTHER]  # its order is kept
    await settle(outbox, (await claimed(outbox, now=after(61)))[0], Done())
    assert subjects(await claimed(outbox)) == [OTHER, LONG]


async def test_a_subject_of_any_length_can_be_collected_and_cancelled_out(outbox: SqlOutbox) -> None:
    held = Terms(hold=60.0)
    await outbox.put(
        under(held, an_event(LONG, type_="node.connection_lost"), an_event(OTHER, type_="node.connection_lost"))
    )
    await outbox.put(under(held, an_event(LONG, type_="node.connection_restored")))
    await outbox.put(under(Terms(digest=DigestWindow(window=60.0)), an_event(LONG), sinks=["team"]))
    first = (await claimed(outbox, now=after(61)))[0]
    assert [one.id for one in await outbox.batch_members(first, limit=10)] == [1, 3]
    assert subjects(await claimed(outbox, now=after(61), sink="team")) == [LONG]


async def test_a_subject_of_any_length_can_be_updated(outbox: SqlOutbox) -> None:
    await outbox.put(under(Terms(update="subject"), an_event(LONG), an_event(OTHER)))
    first, other = await claimed(outbox)
    await settle(outbox, first, Done(ref="1"))
    await settle(outbox, other, Done(ref="2"))
    earlier = [await outbox.earlier_message("ops", subject) for subject in (LONG, OTHER)]
    assert [one and one.ref for one in earlier] == ["1", "2"]
    assert await outbox.prune(before=after(1e7), now=after(1e7), limit=10) > 0
    assert await outbox.earlier_message("ops", LONG) is None


async def test_a_subject_of_any_length_can_be_replayed_and_tried_again(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event(LONG)))
    await settle(outbox, (await claimed(outbox))[0], Dead("HTTP 400"))
    with open_ledger(any_store_url) as ledger:
        ledger.write(replay_deliveries, DeliveryQuery(subject=LONG), now=START)
    await settle(outbox, (await claimed(outbox))[0], RETRY)
    assert subjects(await claimed(outbox, now=after(61))) == [LONG]


async def test_a_fingerprint_of_any_length_tells_a_repeat(outbox: SqlOutbox) -> None:
    async def repeats(key: str) -> int:
        return (await outbox.put(Intake([Routed(an_event(), (), DECISION, Fingerprint(key))]))).repeats

    assert [await repeats(key) for key in (LONG, OTHER, LONG)] == [0, 0, 1]


@pytest.mark.parametrize("url", ["store_url", pytest.param("postgres_url", marks=pytest.mark.process)])
async def test_what_was_kept_before_keys_keeps_its_order(request: pytest.FixtureRequest, url: str) -> None:
    """SQLite took every text; PostgreSQL those that it could compress."""
    store, text = request.getfixturevalue(url), "user:" + "a" * 5000
    engine = open_engine(store)
    async with open_outbox(store) as outbox:
        await outbox.put(under(Terms(hold=60.0, update="subject"), an_event(text, type_="node.connection_lost")))
    with engine.begin() as connection:
        for statement in (
            "UPDATE deliveries SET subject = :text",
            "INSERT INTO threads VALUES ('ops', :text, '7', 'node.connected', 1, 1)",
            "INSERT INTO fingerprints VALUES (:text, 'e', 0, 99999999999999999)",
        ):
            connection.execute(sa.text(statement), {"text": text})
        downgrade(connection, "0002")
    migrate.migrate(engine)
    engine.dispose()
    async with open_outbox(store) as outbox:
        await outbox.put(an_intake(an_event(text), an_event("user:bob")))
        assert subjects(await claimed(outbox)) == ["user:bob"]  # the other waits behind what is held
        earlier = await outbox.earlier_message("ops", text)
        assert earlier is not None
        assert earlier.ref == "7"
        repeat = Intake([Routed(an_event(), (), DECISION, Fingerprint(text, tries=1))])
        assert (await outbox.put(repeat)).repeats == 1


async def test_what_the_store_refuses_is_no_outage_and_harms_no_neighbour(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    refuse(any_store_url, "INSERT", "events")
    with pytest.raises(StoreRefused, match="no such row"):
        await outbox.put(an_intake(an_event("user:refused")))
    await outbox.put(an_intake(an_event()))
    assert subjects(await claimed(outbox)) == ["user:alice"]
