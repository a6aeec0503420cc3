"""What happened is counted in the commit that makes it so, by each step that its kind has. On both engines."""

from datetime import datetime, timedelta

import pytest

from bridge.event import Event
from bridge.intake import Decision, Destination, Fingerprint, Intake, Routed, SetAside
from bridge.outcome import Again, Attempt, Away, Dead, Delivered, Done, Fate, HeldBack, Refused
from bridge.store import open_ledger
from bridge.store.base import Settlement
from bridge.store.index_key import LONGEST, index_key
from bridge.store.keep import Keep
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.tallies import (
    DAY,
    HOUR,
    MINUTE,
    MOST,
    MOST_TYPES,
    OTHER,
    QUARTER,
    STEPS,
    TallyKind,
    minute_of,
)
from bridge.store.retention import prune
from bridge.store.schema import tallies
from bridge.terms import Terms
from bridge.value import replace
from tests.fakes import DECISION, START, TABLE, FakeClock, an_event, an_intake
from tests.store.boxes import after, claimed, refuse, under

Counted = dict[tuple[str, str], int]


def counted(url: str, what: TallyKind, step: int = HOUR) -> Counted:
    """How often, by name and detail."""
    found: Counted = {}
    for row in rows(url, what, step):
        found[row.name, row.detail] = found.get((row.name, row.detail), 0) + row.n
    return found


def rows(url: str, what: TallyKind, step: int = HOUR) -> list[object]:
    with open_ledger(url) as ledger:
        of_step = tallies.select().where(tallies.c.what == what.value, tallies.c.step == step)
        return ledger.read(lambda connection: list(connection.execute(of_step.order_by(tallies.c.at)).all()))


async def test_what_comes_in_is_counted_by_its_source_its_type_and_the_rows_that_took_it(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    nowhere = Routed(an_event(type_="user.deleted"), (), Decision(TABLE, (), failed=(("route 2", "no such name"),)))
    aside = SetAside(source="marzban", received_at=START, path="[3]", reason="should be an object", element=1)
    await outbox.put(Intake([*an_intake(an_event(), an_event(type_="user.deleted")).routed, nowhere], [aside]))
    for step in (MINUTE, QUARTER, HOUR):
        assert counted(any_store_url, TallyKind.IN, step) == {("marzban", "accepted"): 3, ("marzban", "nowhere"): 1}
        assert counted(any_store_url, TallyKind.TYPE, step) == {("user.created", ""): 1, ("user.deleted", ""): 2}
    for step in (MINUTE, HOUR):
        assert counted(any_store_url, TallyKind.ROW, step) == {("route 1", "matched"): 2, ("route 2", "failed"): 1}
        assert counted(any_store_url, TallyKind.ASIDE, step) == {("marzban", ""): 1}
        assert counted(any_store_url, TallyKind.OUT, step) == {}


async def test_a_repeat_is_counted_as_one_and_not_as_set_aside(outbox: SqlOutbox, any_store_url: str) -> None:
    for _ in range(3):
        await outbox.put(Intake([Routed(an_event(), (Destination("ops", "route 1"),), DECISION, Fingerprint("7"))]))
    assert counted(any_store_url, TallyKind.IN) == {("marzban", "accepted"): 1, ("marzban", "redelivered"): 2}
    assert counted(any_store_url, TallyKind.ASIDE) == {}


@pytest.mark.parametrize(
    ("fate", "ms", "detail"),
    [
        (Done(), 30.0, "delivered"),
        (Dead("HTTP 400"), 30.0, "dead"),
        (HeldBack("it was taken back"), None, "held_back"),
        (Again(after(60), "HTTP 502"), 30.0, "again"),
        (Again(after(60), "quiet hours"), None, None),
        (Dead("too old"), None, "dead"),
    ],
)
async def test_what_became_of_a_delivery_is_counted_by_its_sink(
    outbox: SqlOutbox, any_store_url: str, fate: Fate, ms: float | None, detail: str | None
) -> None:
    await outbox.put(an_intake(an_event()))
    [delivery] = await claimed(outbox)
    await outbox.settle([Settlement(delivery, fate, Attempt(Refused("x")), START, ms=ms)])
    assert counted(any_store_url, TallyKind.OUT) == ({} if detail is None else {("ops", detail): 1})


async def test_how_long_tries_took_is_added_up_and_the_longest_is_kept(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(3))))
    for delivery, ms in zip(await claimed(outbox), (30.4, 400.0, 5.0), strict=True):
        await outbox.settle([Settlement(delivery, Done(), Attempt(Delivered()), START, ms=ms)])
    [row] = rows(any_store_url, TallyKind.OUT, MINUTE)
    assert (row.n, row.ms_sum, row.ms_max) == (3, 435, 400)


async def test_each_minute_and_each_hour_begins_a_row_of_its_own(outbox: SqlOutbox, any_store_url: str) -> None:
    for seconds in (0, 10, 60, 3600):  # the first is 18 seconds after the full minute
        await outbox.put(an_intake(an_event(at=after(seconds))))
    first = minute_of(START)
    assert [(row.at - first, row.n) for row in rows(any_store_url, TallyKind.TYPE, MINUTE)] == [
        (0, 2),
        (60, 1),
        (3600, 1),
    ]
    first -= first % HOUR
    assert [(row.at - first, row.n) for row in rows(any_store_url, TallyKind.TYPE, HOUR)] == [(0, 3), (3600, 1)]


async def test_what_was_recorded_though_nobody_heard_of_it_is_counted_once(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
    alice, bob = await claimed(outbox)
    tries = [Settlement(alice, Again(after(60), "x"), Attempt(Away("x")), START, ms=1.0)]
    await outbox.settle(tries)
    await outbox.settle([*tries, Settlement(bob, Done(), Attempt(Delivered()), START, ms=1.0)])
    assert counted(any_store_url, TallyKind.OUT) == {("ops", "again"): 1, ("ops", "delivered"): 1}


async def test_what_is_settled_under_an_old_epoch_is_not_counted(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event()))
    [delivery] = await claimed(outbox)
    await outbox.settle([Settlement(delivery, Done(), Attempt(Delivered()), START, epoch=7, ms=1.0)])
    assert counted(any_store_url, TallyKind.OUT) == {}


async def test_a_commit_that_failed_counted_nothing(outbox: SqlOutbox, any_store_url: str) -> None:
    refuse(any_store_url, "INSERT", "deliveries")
    with pytest.raises(Exception, match="no such row"):
        await outbox.put(an_intake(an_event("user:refused")))
    await outbox.put(an_intake(an_event("user:alice")))
    assert counted(any_store_url, TallyKind.IN) == {("marzban", "accepted"): 1}


async def test_a_fallback_is_counted_at_its_own_sink(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(under(Terms(fallback=("night",), fallback_after=60.0), an_event()))
    [delivery] = await claimed(outbox)
    [fallback] = await outbox.settle([Settlement(delivery, Dead("x"), Attempt(Refused("x")), START, ms=1.0)])
    await outbox.settle([Settlement(fallback, Done(), Attempt(Delivered()), START, ms=1.0)])
    assert counted(any_store_url, TallyKind.OUT) == {("ops", "dead"): 1, ("night", "delivered"): 1}


async def test_a_day_tells_so_many_types_apart_whoever_counts_them(outbox: SqlOutbox, any_store_url: str) -> None:
    strange = [an_event(type_=f"strange.{number}") for number in range(MOST_TYPES + 3)]
    await outbox.put(an_intake(*strange))
    outbox._put.keywords["names"].__init__()  # as another process, or after a restart
    await outbox.put(an_intake(an_event(type_="strange.new"), an_event(type_="strange.7")))
    names = counted(any_store_url, TallyKind.TYPE)
    assert len(names) == MOST_TYPES + 1
    assert (names[OTHER, ""], names["strange.7", ""]) == (4, 2)
    await outbox.put(an_intake(an_event(type_="strange.new", at=START + timedelta(days=1))))
    assert counted(any_store_url, TallyKind.TYPE)["strange.new", ""] == 1


async def test_a_name_of_any_length_is_counted_under_its_key(outbox: SqlOutbox, any_store_url: str) -> None:
    long = "strange." + "x" * 10 * LONGEST
    for _ in range(2):
        routed = Routed(an_event(type_=long), (), replace(DECISION, matched=(long,)))
        await outbox.put(Intake([routed]))
    assert counted(any_store_url, TallyKind.TYPE) == {(index_key(long), ""): 2}
    assert counted(any_store_url, TallyKind.ROW) == {(index_key(long), "matched"): 2}


async def test_minutes_are_kept_for_two_days_quarters_for_three_months_and_hours_as_long_as_the_ledger(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    for days in (300, 98, 96, 3, 1):
        await outbox.put(an_intake(an_event(at=START - timedelta(days=days))))
    await prune(outbox, keep=Keep(operators=200.0 * DAY), clock=FakeClock())
    assert _days(any_store_url, MINUTE) == [1]
    assert _days(any_store_url, QUARTER) == [1, 3, 96]
    assert _days(any_store_url, HOUR) == [1, 3, 96, 98]


async def test_whose_and_of_which_node_an_event_is_is_counted_by_the_quarter_of_an_hour(
    outbox: SqlOutbox, any_store_url: str
) -> None:
    up, down = "node.connection_restored", "node.connection_lost"
    told = [_with({"node": {"name": "fra-1"}}, type_=one) for one in (down, up, down)]
    await outbox.put(an_intake(*told, _with({"owner": "reseller-7"}), _with({"owner": ["x"], "node": "x"})))
    assert counted(any_store_url, TallyKind.NODE, QUARTER) == {("fra-1", "down"): 2, ("fra-1", ""): 1}
    assert counted(any_store_url, TallyKind.OWNER, QUARTER) == {("reseller-7", ""): 1}


@pytest.mark.parametrize(("what", "data"), [(TallyKind.OWNER, "owner"), (TallyKind.NODE, "node")])
async def test_a_day_tells_so_many_of_them_apart(
    outbox: SqlOutbox, any_store_url: str, what: TallyKind, data: str
) -> None:
    names = [f"name-{number}" for number in range(MOST[what] + 3)]
    many = [_with({data: {"name": name} if data == "node" else name}) for name in names]
    await outbox.put(an_intake(*many))
    found = counted(any_store_url, what, QUARTER)
    assert (len(found), found[OTHER, ""]) == (MOST[what] + 1, 3)


async def test_nothing_is_kept_longer_than_the_ledger(outbox: SqlOutbox, any_store_url: str) -> None:
    await outbox.put(an_intake(an_event(at=START - timedelta(hours=2))))
    await prune(outbox, keep=Keep(operators=60.0), clock=FakeClock())
    assert [
        rows(any_store_url, what, step) for what in TallyKind for step in STEPS[what] if rows(any_store_url, what, step)
    ] == []


def _with(data: dict[str, object], *, type_: str = "user.created") -> Event:
    return replace(an_event(type_=type_), data=data)


def _days(url: str, step: int) -> list[int]:
    """How many days ago there was something."""
    ago = [START - datetime.fromtimestamp(row.at, START.tzinfo) for row in rows(url, TallyKind.IN, step)]
    return sorted(round(one / timedelta(days=1)) for one in ago)
