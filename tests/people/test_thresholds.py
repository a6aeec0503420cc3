"""What a customer is told once, until a renewal: whatever a panel repeats, and from wherever."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.event import Event, iso
from bridge.intake import Destination, Intake, Renewal, Routed, Threshold
from bridge.outcome import Again, Dead, Done, Fate, HeldBack
from bridge.people.recipient import Audience, Recipients
from bridge.people.thresholds import USED, is_renewed, renewals_of, threshold_of
from bridge.routing import Route, Router
from bridge.store.base import Delivery
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.people import steps_of
from bridge.store.queries.wishes import set_stopped
from bridge.terms import Terms
from bridge.value import replace
from tests.fakes import DECISION, START, Switch, an_event
from tests.store.boxes import settle

GB = 2**30
ALICE = "marzban/user:alice"
Putting = Callable[..., Awaitable[list[str]]]


def used(percent: float, limit: int = 50 * GB) -> Event:
    user = {"username": "alice", "used_bytes": int(limit * percent / 100), "limit_bytes": limit}
    return replace(an_event(type_="user.usage_threshold"), data={"user": user})


def sized(used: float, limit: float, *, type_: str = "user.usage_threshold") -> Event:
    """So many bytes of so many."""
    return replace(an_event(type_=type_), data={"user": {"used_bytes": used, "limit_bytes": limit}})


def left(days: float, *, end: float = 30.0) -> Event:
    """So many days before the end."""
    user = {"username": "alice", "expires_at": iso(START + timedelta(days=end))}
    at = START + timedelta(days=end - days)
    return replace(an_event(type_="user.expiring"), data={"user": user}, occurred_at=at)


ENDING = Threshold("left", "2026-12-21T04:14", -3)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (used(83.2), Threshold("used", str(50 * GB), 80, int(50 * GB * 0.832))),
        (used(20), Threshold("used", str(50 * GB), 0, int(50 * GB * 0.2))),
        (replace(used(99), type="user.limited"), Threshold("used", str(50 * GB), 100, int(50 * GB * 0.99))),
        (left(3), ENDING),
        (left(2.9), Threshold("left", "2026-12-21T04:14", -3)),
        (replace(left(0), type="user.expired"), Threshold("left", "2026-12-21T04:14", 0)),
        (replace(left(-2), type="user.expired_reminder"), Threshold("left", "2026-12-21T04:14", 2)),
        (replace(left(3), data={"user": {}}), None),
        (replace(left(3), data={"subscription": {"expires_at": iso(START + timedelta(days=30))}}), ENDING),
        (replace(used(80), data={"user": {"used_bytes": 5}}), None),
        (replace(used(80), type="user.enabled"), None),
    ],
)
def test_an_event_is_brought_to_the_step_that_it_has_reached(event: Event, expected: Any) -> None:
    assert threshold_of(event) == expected


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_higher_figure_is_never_a_lower_step(one: float, other: float) -> None:
    low, high = threshold_of(used(min(one, other))), threshold_of(used(max(one, other)))
    assert low is not None
    assert high is not None
    assert low.rank <= high.rank


@given(st.integers(1, 2**62), st.sampled_from(USED))
def test_a_step_is_reached_at_its_first_byte_and_not_one_earlier(limit: int, step: int) -> None:
    reached = -(-limit * step // 100)
    at, before = threshold_of(sized(reached, limit)), threshold_of(sized(reached - 1, limit))
    assert at is not None
    assert before is not None
    assert at.rank >= step > before.rank


@pytest.mark.parametrize("type_", ["user.usage_threshold", "user.limited"])
@pytest.mark.parametrize(
    ("used", "limit"),
    [(2**63, 2**62), (2**64 - 1, 2**64 - 1), (5, 2**64), (1e300, 10**18), (10**400, 5), (5, 10**400), (-(2**64), 5)],
    ids=lambda figure: f"{figure!s:.21}",
)
async def test_no_figure_is_too_odd_to_be_kept(outbox: SqlOutbox, type_: str, used: float, limit: float) -> None:
    assert await put(outbox, sized(used, limit, type_=type_)) == [type_]


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
@pytest.mark.parametrize("type_", ["user.expiring", "user.expired", "user.expired_reminder"])
async def test_no_end_is_too_far_away_to_be_kept(outbox: SqlOutbox, type_: str, end: str) -> None:
    event = replace(an_event(type_=type_), data={"user": {"username": "alice", "expires_at": end}})
    assert await put(outbox, event) == [type_]


def for_customers(event: Event, key: str = ALICE) -> Routed:
    to = Destination("dm", "route 1", recipient=key, once=threshold_of(event))
    return Routed(replace(event, id=an_event().id), (to,), DECISION, renewals=renewals_of(event))


async def put(outbox: SqlOutbox, *events: Event, key: str = ALICE) -> list[str]:
    """The types that are to be sent, each event put by itself."""
    made = []
    for event in events:
        result = await outbox.put(Intake([for_customers(event, key)]))
        made += [one.event.type for one in result.deliveries]
    return made


async def put_together(outbox: SqlOutbox, *events: Event) -> list[str]:
    """The types that are to be sent, all events put in one request."""
    result = await outbox.put(Intake([for_customers(event) for event in events]))
    return [one.event.type for one in result.deliveries]


async def test_all_sinks_of_a_row_tell_a_step_and_none_of_them_tells_it_again(outbox: SqlOutbox) -> None:
    for event, sinks in ((used(80), ["dm", "mail"]), (used(81), []), (used(90), ["dm", "mail"])):
        to = [Destination(sink, "route 1", recipient=ALICE, once=threshold_of(event)) for sink in ("dm", "mail")]
        result = await outbox.put(Intake([Routed(event, tuple(to), DECISION)]))
        assert [one.sink for one in result.deliveries] == sinks


async def test_a_step_is_told_once_and_never_after_a_higher_one(outbox: SqlOutbox) -> None:
    assert len(await put(outbox, used(80), used(81), used(89.9), used(80))) == 1
    assert len(await put(outbox, used(95), used(96), used(95.5))) == 1
    assert await put(outbox, left(3), left(2.8), left(1), replace(left(1), type="user.expired"), left(0.5)) == [
        *["user.expiring"] * 2,
        "user.expired",
    ]


async def test_a_renewal_begins_anew(outbox: SqlOutbox) -> None:
    assert len(await put(outbox, left(3), left(3, end=60.0), left(3, end=60.0))) == 2
    assert len(await put(outbox, used(95), used(80, limit=100 * GB), used(80, limit=100 * GB))) == 2


async def test_traffic_that_was_reset_without_a_word_begins_anew(outbox: SqlOutbox) -> None:
    assert len(await put(outbox, used(80), used(50), used(80))) == 3


FIRST, LATER = left(3), left(3, end=60.0)
LIMITED = sized(50 * GB, 50 * GB, type_="user.limited")
EXPIRED = replace(left(0), type="user.expired")
RESET, RENEWED, ENABLED = (an_event(type_=one) for one in ("user.usage_reset", "subscription.renewed", "user.enabled"))


@pytest.mark.parametrize("putting", [put, put_together])
@pytest.mark.parametrize(
    ("before", "renewal"),
    [
        *[(LIMITED, one) for one in (RESET, RENEWED, ENABLED)],
        *[(sized(0, 50 * GB, type_="user.limited"), one) for one in (RESET, RENEWED, ENABLED)],
        *[(used(95), one) for one in (RESET, RENEWED)],
        *[(EXPIRED, one) for one in (RENEWED, ENABLED)],
        (left(3), RENEWED),
    ],
)
async def test_what_a_panel_says_to_have_begun_anew_is_told_again(
    outbox: SqlOutbox, putting: Putting, before: Event, renewal: Event
) -> None:
    types = [before.type, renewal.type]
    assert await putting(outbox, before, before, renewal, before, before, renewal, before) == [*types * 2, before.type]


@pytest.mark.parametrize(
    ("before", "event"),
    [
        (used(95), ENABLED),  # who was disabled has used as much as before
        (left(3), ENABLED),
        (left(3), RESET),
        (EXPIRED, RESET),
        (EXPIRED, replace(ENABLED, data=EXPIRED.data)),  # the end that it names is the same
        (LIMITED, an_event("user:bob", type_="user.usage_reset")),
        (LIMITED, an_event("node:fra-1", type_="node.usage_reset")),
    ],
)
async def test_what_has_not_begun_anew_is_not_told_again(outbox: SqlOutbox, before: Event, event: Event) -> None:
    assert await put(outbox, before, event, before) == [before.type, event.type]


@pytest.mark.parametrize(
    ("event", "later", "expected"),
    [
        *[(LIMITED, one, True) for one in (RESET, RENEWED, ENABLED)],
        *[(used(80), one, over) for one, over in ((RESET, True), (RENEWED, True), (ENABLED, False))],
        *[(left(3), one, over) for one, over in ((RESET, False), (RENEWED, True), (ENABLED, False))],
        *[(EXPIRED, one, over) for one, over in ((RESET, False), (RENEWED, True), (ENABLED, True))],
        *[(FIRST, replace(an_event(type_="user.updated"), data=one.data), one is LATER) for one in (FIRST, LATER)],
        *[(EXPIRED, replace(ENABLED, data=one.data), one is LATER) for one in (FIRST, LATER)],
        (LATER, FIRST, False),
        (used(80), used(40, limit=100 * GB), True),
        (used(80, limit=100 * GB), LIMITED, False),
        (used(80), LIMITED, False),
        (used(80), LATER, False),
        (ENABLED, LATER, False),
    ],
)
def test_what_is_over_is_known_by_what_comes_later(event: Event, later: Event, expected: bool) -> None:
    second = replace(later, occurred_at=event.occurred_at + timedelta(hours=1))
    assert is_renewed(event, second) is expected
    assert not is_renewed(event, replace(later, occurred_at=event.occurred_at - timedelta(hours=1)))


async def test_what_was_reached_before_a_reset_and_comes_late_is_not_told_again(outbox: SqlOutbox) -> None:
    hours = (replace(one, occurred_at=START + timedelta(hours=n)) for n, one in enumerate((LIMITED, RESET, LIMITED)))
    before, reset, after = (replace(one, received_at=START + timedelta(days=1)) for one in hours)
    assert await put(outbox, before, reset, before, after, reset, after) == [
        *["user.limited", "user.usage_reset"] * 2,
    ]


async def test_what_has_begun_anew_is_no_step_that_somebody_was_told_of(outbox: SqlOutbox) -> None:
    async def steps() -> list[str]:
        return [one.family for one in await outbox.operate(lambda ledger: ledger.read(steps_of, ALICE))]

    await put(outbox, used(80), left(3))
    assert await steps() == ["left", "used"]
    await put(outbox, RESET)
    assert await steps() == ["left"]


def test_where_no_customers_are_told_nothing_of_theirs_begins_anew() -> None:
    sinks, row = {"dm": Switch(), "ops": Switch()}, ("route 1", Route(match=("user.limited",), to=("dm",)))
    customers = Recipients({"dm": Audience.PERSON})
    for recipients, expected in ((customers, (Renewal("used", 0),)), (Recipients(), ())):
        assert Router([row], sinks=sinks, recipients=recipients).route(RESET).renewals == expected


async def test_what_comes_late_is_no_renewal(outbox: SqlOutbox) -> None:
    early, late = (START + timedelta(hours=hours) for hours in (1, 2))
    lower, higher = replace(used(82), occurred_at=early), replace(used(95), occurred_at=late)
    assert await put(outbox, *(replace(one, received_at=late) for one in (higher, lower))) == ["user.usage_threshold"]


async def test_a_clock_that_is_ahead_holds_back_nothing_of_the_next_cycle(outbox: SqlOutbox) -> None:
    ahead = replace(used(95), occurred_at=START + timedelta(days=3000))
    assert len(await put(outbox, ahead, used(80, limit=100 * GB))) == 2


async def test_each_customer_is_told_by_themselves(outbox: SqlOutbox) -> None:
    assert len(await put(outbox, used(80))) == 1
    assert len(await put(outbox, used(80), key="pasarguard/user:alice")) == 1


async def test_whoever_is_called_so_after_a_deletion_is_somebody_else(outbox: SqlOutbox) -> None:
    await outbox.operate(lambda ledger: ledger.write(set_stopped, ALICE, stop=True, by="operator", now=START))
    assert len(await put(outbox, used(80), used(80))) == 1
    assert (await outbox.known("a bot", [ALICE]))[ALICE].wants.stopped
    await outbox.put(Intake([Routed(an_event(type_="user.deleted"), (), DECISION)]))
    assert len(await put(outbox, used(80))) == 1
    assert not (await outbox.known("a bot", [ALICE]))[ALICE].wants.stopped


async def test_who_is_deleted_and_made_again_in_one_request_is_told_of_their_own_steps(outbox: SqlOutbox) -> None:
    deleted = an_event(type_="user.deleted")
    assert await put_together(outbox, used(80), deleted, used(80), used(81)) == [
        *["user.usage_threshold", "user.deleted", "user.usage_threshold"],
    ]
    assert await put(outbox, used(80)) == []


async def deliveries_of(outbox: SqlOutbox, event: Event, *sinks: str, terms: Terms | None = None) -> list[Delivery]:
    """Alice's deliveries of an event, which its row has each of these sinks tell."""
    to = [Destination(one, "route 1", terms=terms, recipient=ALICE, once=threshold_of(event)) for one in sinks]
    result = await outbox.put(Intake([Routed(replace(event, id=an_event().id), tuple(to), DECISION)]))
    return list(result.deliveries)


HELD_BACK = [HeldBack("no address", unreached=True), HeldBack("max_per_day"), HeldBack("quiet hours")]


@pytest.mark.parametrize("fate", [Done(), Dead("HTTP 400"), Again(START, "HTTP 502"), *HELD_BACK], ids=repr)
@pytest.mark.parametrize("event", [used(80), left(3), EXPIRED, LIMITED], ids=lambda event: str(event.type))
async def test_who_was_not_told_of_a_step_is_told_when_the_panel_says_it_again(
    outbox: SqlOutbox, event: Event, fate: Fate
) -> None:
    [delivery] = await deliveries_of(outbox, event, "dm")
    await settle(outbox, delivery, fate)
    assert bool(await put(outbox, event)) is (fate in HELD_BACK)


@pytest.mark.parametrize("other", [None, Done(), Again(START, "HTTP 502"), *HELD_BACK], ids=repr)
async def test_who_was_told_by_another_sink_was_told(outbox: SqlOutbox, other: Fate | None) -> None:
    first, second = await deliveries_of(outbox, used(80), "dm", "mail")
    if other is not None:
        await settle(outbox, second, other)
    await settle(outbox, first, HELD_BACK[0])
    assert bool(await put(outbox, used(80))) is (other in HELD_BACK)


async def test_who_is_told_by_the_fallback_is_told(outbox: SqlOutbox) -> None:
    [delivery] = await deliveries_of(outbox, used(80), "dm", terms=Terms(fallback=("mail",), fallback_after=60.0))
    [fallback] = await settle(outbox, delivery, HELD_BACK[0])
    assert await put(outbox, used(80)) == []
    await settle(outbox, fallback, HELD_BACK[0])
    assert len(await put(outbox, used(80))) == 1


HOUR_LATER = START + timedelta(hours=1)


@pytest.mark.parametrize("other", [replace(used(95), occurred_at=HOUR_LATER, received_at=HOUR_LATER), left(3), EXPIRED])
async def test_what_else_was_told_stays_told(outbox: SqlOutbox, other: Event) -> None:
    [delivery] = await deliveries_of(outbox, used(80), "dm")
    assert len(await put(outbox, other)) == 1
    await settle(outbox, delivery, HELD_BACK[0])
    assert await put(outbox, other) == []


async def test_what_is_over_when_it_is_held_back_takes_nothing_back(outbox: SqlOutbox) -> None:
    """A settlement of a lane that somebody else carries by now."""
    [delivery] = await deliveries_of(outbox, used(80), "dm")
    await settle(outbox, delivery, HELD_BACK[0], epoch=7)
    assert await put(outbox, used(80)) == []
