"""A text is looked for in the newest events, wherever it stands, and it is said how far that was. On both engines."""

import pytest

from bridge.event import Event
from bridge.store import open_ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import events, search
from bridge.store.records import DeliveryQuery
from bridge.value import replace
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import after

HOSTILE = "100% _ \\ \" ' ‮ алиса [*]? <b>"


def found(url: str, text: str, query: DeliveryQuery | None = None, *, nowhere: bool = False) -> search.FoundEvents:
    with open_ledger(url) as ledger:
        return ledger.read(search.search, text, query or DeliveryQuery(), nowhere=nowhere)


def said(note: str, n: int = 0) -> Event:
    return replace(an_event(f"user:{n}", at=after(n)), native={"note": note})


@pytest.mark.parametrize("place", ["subject", "data", "native"])
@pytest.mark.parametrize("text", ["mina", HOSTILE, HOSTILE[:3], '"'])
async def test_a_text_is_found_wherever_it_stands_and_stands_for_nothing_but_itself(
    outbox: SqlOutbox, any_store_url: str, place: str, text: str
) -> None:
    whole = f"so {text} it is"
    plain = an_event("user:bob")
    it = replace(plain, id=an_event().id, **{place: whole if place == "subject" else {"note": whole}})
    await outbox.put(an_intake(plain, it))
    hits = [one.id for one in found(any_store_url, text).events]
    assert it.id in hits
    if text != '"':  # which is in all JSON
        assert hits == [it.id]


async def test_the_walk_is_bounded_and_goes_on_where_it_ended(
    outbox: SqlOutbox, any_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SEARCHED", 3)
    events = [said("mina" if number == 0 else "no", number) for number in range(7)]
    for one in events:
        await outbox.put(an_intake(one))
    first = found(any_store_url, "mina")
    assert (first.events, first.before, first.back_to) == ([], events[4].id, after(4))
    second = found(any_store_url, "mina", DeliveryQuery(before=first.before))
    assert second.before == events[1].id
    last = found(any_store_url, "mina", DeliveryQuery(before=second.before))
    assert ([one.id for one in last.events], last.before, last.back_to) == ([events[0].id], None, None)


async def test_what_else_is_asked_for_holds_for_a_text_as_well(outbox: SqlOutbox, any_store_url: str) -> None:
    for sinks in (("ops",), ("team",), ()):
        await outbox.put(an_intake(said("mina", len(sinks)), sinks=sinks))
    assert len(found(any_store_url, "mina").events) == 3
    assert len(found(any_store_url, "mina", DeliveryQuery(sink="ops")).events) == 1
    assert len(found(any_store_url, "mina", nowhere=True).events) == 1
    assert found(any_store_url, "mina", DeliveryQuery(until=START)).events == []
    assert len(found(any_store_url, "mina", DeliveryQuery(limit=2)).events) == 2


async def test_a_text_of_any_length_is_looked_for_as_far_as_is_worth_it(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(said("x" * search.LONGEST)))
    assert len(found(any_store_url, "x" * 10**6).events) == 1


async def test_a_walk_that_no_index_shortens_ends_somewhere_and_says_where(
    outbox: SqlOutbox, any_store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "WALKED", 2)
    came = [an_event(f"user:{number}", at=after(60 * number)) for number in range(5)]
    for event in came:
        await outbox.put(an_intake(event, sinks=("team" if event is came[0] else "ops",)))
    with open_ledger(any_store_url) as ledger:
        query, met, looks = DeliveryQuery(sink="team", limit=9), list[str](), 0
        while True:
            found = ledger.read(events.walked_events, query)
            met += [one.id for one in found.events]
            looks += 1
            if found.before is None:
                break
            assert found.back_to == next(one.received_at for one in came if one.id == found.before)
            query = replace(query, before=found.before)
        of_subject = ledger.read(events.walked_events, DeliveryQuery(subject="user:0", limit=9))
        newest = ledger.read(events.walked_events, DeliveryQuery(limit=9))
    assert (met, looks) == ([came[0].id], 3)
    assert ([one.id for one in of_subject.events], of_subject.before) == ([came[0].id], None)
    assert (len(newest.events), newest.before) == (5, None)


async def test_events_of_a_time_are_found_to_the_microsecond(outbox: SqlOutbox, any_store_url: str) -> None:
    came = [an_event(f"user:{number}", at=after(number)) for number in range(5)]
    await outbox.put(an_intake(*came))
    with open_ledger(any_store_url) as ledger:
        found = ledger.read(events.event_records, DeliveryQuery(since=after(1), until=after(3)))
    assert [one.id for one in found] == [came[2].id, came[1].id]
