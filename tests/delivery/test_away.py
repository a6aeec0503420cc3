"""When a service is away, or its address is gone: the lane's breaker, parking, and the fallback."""

from bridge.delivery.lane import FALLBACK_PAGE, FALLBACK_PAGES
from bridge.outcome import Attempt, Away, Delivered, Gone, Limit, Limited, Rate, Refused
from bridge.store import open_ledger
from bridge.store.base import Standing
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.lanes import resume
from bridge.terms import Terms
from tests.delivery.lanes import Fleet, Script, a_lane, carry_all, look_up, pass_time, routed
from tests.fakes import FakeClock, an_event, an_intake

AWAY = Away("HTTP 502")
NAMES = [f"user:{n}" for n in range(6)]


async def test_what_waits_for_a_service_that_is_away_burns_no_attempt(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock, [AWAY] * 3)
    await outbox.put(an_intake(*map(an_event, NAMES)))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 6)
    assert sink.times == [0, 1, 3]
    assert [record.attempts for record in look_up(store_url)] == [1, 1, 1, 0, 0, 0]
    await pass_time(lane, clock, 60)
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_probes_go_round_so_that_an_outage_uses_up_no_delivery(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock, [AWAY] * 12)
    await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(40))))
    await pass_time(a_lane(outbox, sink, clock), clock, 4000, by=5)
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_one_answer_opens_the_lane_for_all(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [AWAY])
    await outbox.put(an_intake(*map(an_event, NAMES)))
    await pass_time(a_lane(outbox, sink, clock), clock, 1)
    assert sink.times == [0, 1, 1, 1, 1, 1]


async def test_the_hours_that_a_service_asks_for_are_honoured_by_the_whole_lane_and_over_a_restart(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = Script(clock, [Away("HTTP 503", after=3 * 3600.0)])
    await outbox.put(an_intake(*map(an_event, NAMES)))
    await pass_time(a_lane(outbox, sink, clock), clock, 3600, by=60)
    await pass_time(a_lane(outbox, sink, clock), clock, 2 * 3600, by=60)
    assert sink.times == [0] + [3 * 3600.0] * 6


async def test_a_pause_that_a_429_asked_for_outlives_the_process(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Limited(90)])
    await outbox.put(an_intake(*map(an_event, NAMES[:2])))
    lane = a_lane(outbox, sink, clock)
    await lane.step()
    await lane.flush()
    await carry_all(a_lane(outbox, sink, clock))
    assert sink.times == [0, 90, 90]


async def test_a_window_outlives_the_process(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock)
    sink.limits = (Limit("discord channel 1", Rate(3, 60.0)),)
    await outbox.put(an_intake(*map(an_event, NAMES)))
    lane = a_lane(outbox, sink, clock)
    for _ in range(2):
        await lane.step()
    await lane.flush()
    await carry_all(a_lane(outbox, sink, clock))
    assert sink.times[:3] == [0, 0, 60]


async def test_two_sinks_of_one_channel_share_its_limit_as_soon_as_it_is_known(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    channel = Limit("discord channel 1", Rate(2, 60.0))
    answers = [Attempt(Delivered(), learned=(channel,))]
    ops, team = Script(clock, answers), Script(clock, answers)
    await outbox.put(an_intake(*map(an_event, NAMES[:2]), sinks=("ops", "team")))
    fleet = Fleet(outbox, clock)
    for name, sink in (("ops", ops), ("team", team)):
        await carry_all(fleet.lane(sink, name))
    assert (ops.times, team.times) == ([0, 0], [0, 60])


async def test_a_gone_address_is_sent_nothing_more_and_nothing_is_dead(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock, [Gone("HTTP 404, code 10015: Unknown Webhook")])
    await outbox.put(an_intake(*map(an_event, NAMES)))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 3600, by=60)
    assert sink.times == [0]
    assert {record.state for record in look_up(store_url)} == {"waiting", "pending"}
    assert [record.attempts for record in look_up(store_url)] == [0] * 6
    state = await outbox.lane_state("ops")
    assert (state.standing, state.reason) == (Standing.PARKED, "HTTP 404, code 10015: Unknown Webhook")


async def test_a_parked_lane_stays_parked_over_a_restart(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Gone("HTTP 404")])
    await outbox.put(an_intake(*map(an_event, NAMES)))
    await carry_all(a_lane(outbox, sink, clock))
    await pass_time(a_lane(outbox, sink, clock), clock, 3600, by=600)
    assert sink.times == [0]


async def test_a_parked_lane_flows_again_in_order_when_someone_resumes_it(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock, [Gone("HTTP 404")])
    await outbox.put(an_intake(*map(an_event, ["user:alice", "user:bob", "user:alice"])))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 60)
    with open_ledger(store_url) as ledger:
        ledger.write(resume, "ops")
    await pass_time(lane, clock, 2)
    assert sorted(map(str, sink.subjects)) == ["user:alice"] * 3 + ["user:bob"]
    first, _, again, second = (message.event for message in sink.messages)
    assert first == again
    assert second.subject == "user:alice"
    assert {record.state for record in look_up(store_url)} == {"delivered"}


async def test_a_parked_lane_flows_again_when_its_sink_was_changed(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink = Script(clock, [Gone("HTTP 404")])
    await outbox.put(an_intake(*map(an_event, NAMES)))
    await carry_all(a_lane(outbox, sink, clock))
    sink.address = "elsewhere"
    await carry_all(a_lane(outbox, sink, clock))
    assert len(sink.sent) == 7


FALLBACK = Terms(fallback=("night",), fallback_after=600.0)


async def test_what_is_dead_goes_to_the_fallback_with_a_note_and_is_sent_there(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    await outbox.put(routed(an_event(), terms=FALLBACK))
    fleet = Fleet(outbox, clock)
    await carry_all(fleet.lane(Script(clock, [Refused("HTTP 400")])))
    dead, instead = look_up(store_url)
    assert (dead.state, dead.reason) == ("dead", "HTTP 400; told on night instead")
    assert (instead.sink, instead.state, instead.event_id) == ("night", "pending", dead.event_id)
    assert [one.sink for one in fleet.made] == ["night"]
    night = Script(clock)
    await carry_all(fleet.lane(night, "night"))
    assert night.messages[0].circumstances.instead == "ops: HTTP 400"


async def test_a_lane_that_is_away_for_too_long_lets_what_waits_go_to_the_fallback(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    sink = Script(clock, [AWAY] * 99)
    await outbox.put(routed(*map(an_event, NAMES), terms=FALLBACK))
    await outbox.put(an_intake(an_event("user:without a fallback")))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 590, by=10)
    assert not [record for record in look_up(store_url) if record.sink == "night"]
    await pass_time(lane, clock, 20, by=10)
    fallen = [record for record in look_up(store_url) if record.sink == "night"]
    assert [record.subject for record in fallen] == NAMES
    assert sum(record.attempts for record in look_up(store_url)) == len(sink.sent)
    still = [record for record in look_up(store_url) if record.state in ("pending", "waiting") and record.sink == "ops"]
    assert [record.subject for record in still] == ["user:without a fallback"]


async def test_what_waits_behind_a_thousand_that_are_in_no_hurry_goes_to_the_fallback_as_well(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    patient = Terms(fallback=("night",), fallback_after=86400.0)
    await outbox.put(routed(*(an_event(f"user:{n}") for n in range(FALLBACK_PAGE * FALLBACK_PAGES + 1)), terms=patient))
    await outbox.put(routed(an_event("user:in a hurry"), terms=FALLBACK))
    await pass_time(a_lane(outbox, Script(clock, [Gone("HTTP 404")]), clock), clock, 700, by=10)
    assert [record.subject for record in look_up(store_url) if record.sink == "night"] == ["user:in a hurry"]


async def test_what_has_gone_to_the_fallback_is_not_sent_when_the_service_is_back(
    outbox: SqlOutbox, clock: FakeClock
) -> None:
    sink = Script(clock, [Gone("HTTP 404")])
    await outbox.put(routed(*map(an_event, NAMES), terms=FALLBACK))
    lane = a_lane(outbox, sink, clock)
    await pass_time(lane, clock, 700, by=10)
    sink.address = "elsewhere"
    await carry_all(a_lane(outbox, sink, clock))
    assert len(sink.sent) == 1


async def test_a_fallback_never_goes_in_a_circle(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    terms = Terms(fallback=("night", "ops", "night"), fallback_after=1.0)
    await outbox.put(routed(an_event(), terms=terms))
    fleet = Fleet(outbox, clock)
    for name in ("ops", "night", "ops", "night"):
        await carry_all(fleet.lane(Script(clock, [Refused("HTTP 400")]), name))
    assert [(record.sink, record.state) for record in look_up(store_url)] == [("ops", "dead"), ("night", "dead")]


async def test_a_lane_that_is_not_ours_any_more_sends_nothing(outbox: SqlOutbox, clock: FakeClock) -> None:
    sink, fleet = Script(clock), Fleet(outbox, clock)
    await outbox.put(an_intake(*map(an_event, NAMES)))
    lane = fleet.lane(sink)
    fleet.sure = False
    assert await carry_all(lane) == 0
    fleet.sure = True
    assert await carry_all(lane) == 6


async def test_what_was_settled_under_an_old_term_of_office_changes_nothing(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    await outbox.put(an_intake(an_event()))
    await carry_all(Fleet(outbox, clock).lane(Script(clock), epoch=7))
    assert [record.state for record in look_up(store_url)] == ["pending"]
