"""The stand-ins keep the limits of the real services, and remember who broke one."""

from typing import Any

import aiohttp
import pytest

from bridge.sinks.base import ServiceSink
from tests.fakes import FakeClock
from tests.services import discord, slack, telegram
from tests.services.every import EVERY
from tests.services.service import StandIn, serving
from tests.sinks.values import config, tools

EMBED = {"embeds": [{"title": "x"}], "allowed_mentions": {"parse": []}}
BLOCKS = {"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}]}
TELL = f"/bot{telegram.TOKEN}/sendMessage"


async def posted(service: StandIn, path: str, body: Any, times: int, *, wait: float = 0.0) -> list[int]:
    """The statuses of so many posts, one after the other, so many seconds apart."""
    statuses, clock = [], FakeClock()
    service.now = clock.monotonic
    async with serving(service) as base, aiohttp.ClientSession() as http:
        for _ in range(times):
            async with http.post(base + path, json=body) as response:
                statuses.append(response.status)
            clock.step(wait)
    return statuses


@pytest.mark.parametrize("name", [name for name, known in EVERY.items() if known.pace])
async def test_one_too_many_is_told_to_wait_and_written_down(name: str) -> None:
    pace = EVERY[name].pace
    assert pace is not None
    service, send = pace.stand_in(), pace.send or posted
    statuses = await send(service, pace.path, pace.body, pace.count + 1)
    assert pace.limited not in statuses[:-1]
    assert statuses[-1] == pace.limited
    assert len(service.broken) == 1


@pytest.mark.parametrize("name", EVERY)
def test_a_stand_in_keeps_the_limits_that_its_sink_keeps(name: str) -> None:
    sink = config(type=name, **EVERY[name].example).open(tools())
    limited = isinstance(sink, ServiceSink) and any(limit.sends for limit in sink.service_limits)
    assert (EVERY[name].pace is not None) is limited


async def test_a_channel_bears_thirty_a_minute_over_all_its_webhooks_and_no_header_tells() -> None:
    service, clock = discord.Discord(webhooks={"1": "a", "2": "b"}, limited=True), FakeClock()
    service.now = clock.monotonic
    async with serving(service) as base, aiohttp.ClientSession() as http:
        for number in range(30):
            path = service.path(*(("a", "1"), ("b", "2"))[number % 2])
            async with http.post(f"{base}{path}?wait=true", json=EMBED) as response:
                assert response.status == 200
                remaining = response.headers["X-RateLimit-Remaining"]
            clock.step(0.6)
        async with http.post(f"{base}{service.path('a', '1')}?wait=true", json=EMBED) as response:
            assert (response.status, remaining) == (429, "5")
    assert [fault.partition(":")[0] for fault in service.broken] == ["channel 987654321"]


async def test_a_group_bears_twenty_a_minute_all_topics_together() -> None:
    service = telegram.Telegram(limited=True)
    statuses = await posted(service, TELL, {"chat_id": -1001, "text": "x"}, 21, wait=1.1)
    assert statuses == [200] * 20 + [429]
    assert [fault.partition(":")[0] for fault in service.broken] == ["chat -1001"]


async def test_who_waits_as_long_as_he_should_breaks_nothing() -> None:
    service = slack.Slack(limited=True)
    assert await posted(service, slack.HOOK, BLOCKS, 3, wait=1.0) == [200] * 3
    assert service.broken == []


async def test_without_being_asked_a_service_bears_anything() -> None:
    service = slack.Slack()
    assert await posted(service, slack.HOOK, BLOCKS, 5) == [200] * 5
    assert service.broken == []


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"flags": 4096}, None),
        ({"flags": 4}, None),
        ({"flags": 32768}, "flags"),
        ({"flags": "4096"}, "flags"),
    ],
)
def test_only_flags_that_may_be_set_are_taken(more: dict[str, Any], fault: str | None) -> None:
    faults = list(discord.discord_faults(EMBED | more))
    assert bool(faults) is (fault is not None)
    assert all(one.startswith("flags") for one in faults)
