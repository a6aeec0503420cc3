"""What a lane makes of a refusal by whose fault it is, over real sinks and strict services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.sinks.http import Http
from bridge.store import open_ledger
from bridge.store.base import Standing
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.lanes import resume
from tests.delivery.lanes import a_lane, look_up, pass_time
from tests.fakes import FakeClock, an_event, an_intake
from tests.services.discord import Discord
from tests.services.service import Answer, Service, serving
from tests.services.slack import TOKEN as SLACK_TOKEN
from tests.services.slack import Slack
from tests.services.telegram import TOKEN as BOT_TOKEN
from tests.services.telegram import Telegram
from tests.services.zapier import HOOK, Zapier
from tests.sinks.values import a_sink

NAMES = ["user:alice", "user:bob", "user:alice"]
HOUR = 3600.0


@asynccontextmanager
async def speaking_to(service: Service) -> AsyncIterator[Any]:
    """A sink that speaks to the service, as fast as it likes."""
    http = Http()
    async with serving(service) as base:
        match service:
            case Telegram():
                sink = a_sink(http, type="telegram", token=BOT_TOKEN, chat_id=-1001, api_base=base, rate="unlimited")
            case Slack():
                settings = {"token": SLACK_TOKEN, "channel": "#notifications", "api_base": base + "/api"}
                sink = a_sink(http, type="slack", rate="unlimited", **settings)
            case Discord():
                sink = a_sink(http, type="discord", url=base + service.path(), rate="unlimited")
            case _:
                sink = a_sink(http, type="zapier", url=base + HOOK, rate="unlimited")
        yield sink
    await http.close()


@pytest.mark.parametrize(
    ("service", "fault"),
    [
        (Telegram(), (400, "Bad Request: not enough rights to send text messages to the chat")),
        (Telegram(), (400, "Bad Request: TOPIC_CLOSED")),
        (Slack(), "not_in_channel"),
        (Discord(), (400, 160005, "Thread is locked")),
    ],
)
async def test_a_place_that_takes_nothing_parks_the_lane_and_everything_waits_until_it_does(
    service: Any, fault: Any, outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    service.fault = fault
    async with speaking_to(service) as sink:
        await outbox.put(an_intake(*map(an_event, NAMES)))
        lane = a_lane(outbox, sink, clock)
        await pass_time(lane, clock, HOUR, by=60)
        state = await outbox.lane_state("ops")
        assert state.standing is Standing.PARKED
        assert str(fault if isinstance(fault, str) else fault[-1]) in str(state.reason)
        assert service.requests == 1
        assert {(one.state, one.attempts) for one in look_up(store_url)} == {("waiting", 0), ("pending", 0)}
        service.fault = None
        with open_ledger(store_url) as ledger:
            ledger.write(resume, "ops")
        await pass_time(lane, clock, 2)
    assert {one.state for one in look_up(store_url)} == {"delivered"}


FRONT = {"message": "internal network error", "code": 40333}


@pytest.mark.parametrize("name", ["telegram", "slack", "discord", "zapier"])
@pytest.mark.parametrize("answer", [Answer(403, "<html>blocked"), Answer(404, "nothing"), Answer(200, "<html>log in")])
async def test_something_in_between_costs_nothing_and_the_lane_recovers_by_itself(
    name: str, answer: Answer, outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    service: Service = {"telegram": Telegram, "slack": Slack, "discord": Discord, "zapier": Zapier}[name]()
    service.answer_next(*[answer] * 20)
    async with speaking_to(service) as sink:
        await outbox.put(an_intake(an_event()))
        lane = a_lane(outbox, sink, clock)
        await pass_time(lane, clock, HOUR / 2, by=10)
        assert (await outbox.lane_state("ops")).standing is Standing.AWAY
        assert [(one.state, one.attempts) for one in look_up(store_url)] == [("waiting", 0)]
        await pass_time(lane, clock, 2 * HOUR, by=60)
        assert (await outbox.lane_state("ops")).standing is Standing.OPEN
    assert [(one.state, one.attempts) for one in look_up(store_url)] == [("delivered", 1)]
    assert service.requests == 21


async def test_discords_front_is_no_word_of_discord(outbox: SqlOutbox, store_url: str, clock: FakeClock) -> None:
    service = Discord()
    service.answer_next(*[Answer(403, FRONT), Answer(403, "error code: 1010")] * 4)
    async with speaking_to(service) as sink:
        await outbox.put(an_intake(*map(an_event, NAMES)))
        await pass_time(a_lane(outbox, sink, clock), clock, HOUR, by=60)
    assert [(one.state, one.attempts) for one in look_up(store_url)] == [("delivered", 1)] * 3


async def test_a_service_that_wants_to_be_left_alone_for_no_time_is_not_hammered(
    outbox: SqlOutbox, store_url: str, clock: FakeClock
) -> None:
    service = Telegram()
    limited = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 0}}
    service.answer_next(*[Answer(429, limited, {"Retry-After": "0"})] * 1000)
    async with speaking_to(service) as sink:
        await outbox.put(an_intake(*map(an_event, NAMES)))
        await pass_time(a_lane(outbox, sink, clock), clock, HOUR, by=1)
    assert service.requests <= 9 + HOUR / 300
    assert {one.attempts for one in look_up(store_url)} == {0}
