"""When a service is away, gone, or says no; through a real process, real sockets and strict services."""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.processes import until
from tests.services import discord
from tests.services.receiver import Receiver
from tests.services.service import Answer, serving
from tests.street import Panels, a_house, a_street

pytestmark = pytest.mark.process

INVALID = Answer(400, {"message": "Invalid Form Body", "code": 50035})
FAST = "rate: unlimited, retry: {waits: [1s], jitter: 0}"


class Shaky(Receiver):
    """Cuts every connection while it is `down`, and notes when it was asked; can let requests wait for an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.knocks: list[float] = []
        self.waiting = self.most_waiting = 0
        self._held_from = sys.maxsize
        self._released = asyncio.Event()

    def hold(self, *, taken: int) -> None:
        """Who comes once so many were taken waits, until all are released."""
        self._held_from = taken
        self._released.clear()

    def release(self) -> None:
        self._held_from = sys.maxsize
        self._released.set()

    async def serve(self, request: web.Request, body: bytes) -> web.Response:
        if self.down:
            self.knocks.append(time.monotonic())
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        try:
            if len(self.taken) >= self._held_from:
                await self._released.wait()
            return await super().serve(request, body)
        finally:
            self.waiting -= 1


def marks(service: Receiver) -> list[tuple[str, int]]:
    """The subject and the mark of each event that was taken."""
    return [(one.body["subject"], one.body["data"]["system"]["mark"]) for one in service.taken]


async def tell(panels: Panels, subjects: int, numbers: Iterable[int]) -> None:
    """Events about so many subjects, each with the next mark."""
    for number in numbers:
        await panels.tell("system.checked", *map(str, range(subjects)), data={"system": {"mark": number}})


def in_order(told: list[tuple[str, int]]) -> bool:
    """Whether each subject's marks only grow, repeats aside."""
    seen: dict[str, int] = {}
    for subject, mark in told:
        if mark < seen.get(subject, mark):
            return False
        seen[subject] = mark
    return True


# Away


async def test_a_service_that_is_down_for_a_while_is_hardly_asked_and_then_gets_all_of_it_in_order(
    tmp_path: Path,
) -> None:
    shop = Shaky()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(shop))
        sinks = f"sinks:\n  shop: {{type: webhook, url: '{url}', {FAST}}}\n"
        panels = await stack.enter_async_context(a_house(tmp_path, sinks, "shop"))
        shop.down = True
        await tell(panels, 10, range(3))
        await until(lambda: len(shop.knocks) > 1)
        await until(lambda: panels.standing("shop") == "away")
        await panels.bridge.restart()
        await until(lambda: len(shop.knocks) > 3)
        assert all(later - earlier > 0.7 for earlier, later in itertools.pairwise(shop.knocks))
        shop.down = False
        found = await panels.carried()
        assert {one["state"] for one in found} == {"delivered"}
        assert max(one["attempts"] for one in found) == 2  # what was tried was another one each time
        assert sorted(marks(shop)) == sorted((str(n), mark) for n in range(10) for mark in range(3))
        assert in_order(marks(shop))

        shop.answer_next(Answer(503, "", {"Retry-After": "2"}))
        before, told = shop.requests, time.monotonic()
        await tell(panels, 2, [3])
        found = await panels.carried()
        assert min(one.at for one in shop.taken[-2:]) - told >= 2
        assert [(one["state"], one["attempts"]) for one in found[-2:]] == [("delivered", 1)] * 2
        assert shop.requests == before + 3


# Gone


async def test_an_address_that_is_gone_is_asked_once_and_all_is_held_until_it_is_repaired(tmp_path: Path) -> None:
    fresh = discord.Discord(webhooks={"55": "another-webhook-token"})
    async with AsyncExitStack() as stack:
        street = await stack.enter_async_context(a_street())
        url = await stack.enter_async_context(serving(fresh))
        panels = await stack.enter_async_context(a_house(tmp_path, street.sinks(), "[discord, shop]"))
        street["discord"].deleted = True
        await panels.users("alice", "bob", "carol")
        await panels.settled(3)
        await until(lambda: panels.standing("discord") == "parked")  # what it has not recorded is asked once more
        await panels.bridge.restart()
        await panels.users("dave")
        await panels.settled(4)  # the other sink flows
        lane = panels.lane_state("discord")
        assert (lane["standing"], lane["pending"] + lane["waiting"], lane["dead"]) == ("parked", 4, 0)
        assert "10015" in lane["reason"]
        assert street["discord"].requests == 1

        street["discord"].deleted = False
        said = await panels.bridge.command("resume", "discord")
        assert said.startswith("discord: resumed; it was parked")
        found = await panels.settled(8)
        assert {(one["state"], one["attempts"]) for one in found} == {("delivered", 1)}
        assert named(street["discord"].taken) == ["alice", "bob", "carol", "dave"]

        street["discord"].deleted = True
        asked = street["discord"].requests
        await panels.users("eve", "frank")
        await panels.settled(10)
        await until(lambda: street["discord"].requests > asked)
        old = f"{street.urls['discord']}{street['discord'].path()}"
        await panels.bridge.reload(lambda text: text.replace(old, url + fresh.path("another-webhook-token", "55")))
        await panels.settled(12)
        assert named(fresh.taken) == ["eve", "frank"]
        assert street["discord"].requests == asked + 1
        await until(lambda: panels.standing("discord") == "open")


def named(taken: Iterable[Any]) -> list[str]:
    return [one.body["embeds"][0]["description"].strip("`") for one in taken]


# Fallbacks


async def test_what_cannot_be_told_is_told_elsewhere_with_a_note_and_never_in_a_circle(tmp_path: Path) -> None:
    shop = Shaky()
    shop.down = True
    rows = [
        "match: user.created, to: discord, fallback: [telegram, slack]",
        "match: user.expired, to: away, fallback: telegram, fallback_after: 1s",
        "match: user.deleted, to: discord, fallback: slack",
        "match: user.deleted, to: slack, fallback: discord",
    ]
    async with AsyncExitStack() as stack:
        street = await stack.enter_async_context(a_street())
        url = await stack.enter_async_context(serving(shop))
        sinks = f"{street.sinks()}  away: {{type: webhook, url: '{url}', rate: unlimited}}\n"
        panels = await stack.enter_async_context(a_house(tmp_path, sinks, rows=rows))
        street["discord"].answer_next(INVALID)
        await panels.users("alice")
        await panels.settled(2)
        (told,) = [one.body["text"] for one in street["telegram"].taken]
        assert told.startswith("↪️ Instead of discord: HTTP 400, code 50035: Invalid Form Body")
        assert "alice" in told

        street["discord"].answer_next(INVALID)
        street["telegram"].answer_next(Answer(400, {"ok": False, "error_code": 400, "description": "Bad Request: no"}))
        await panels.users("bob")
        await panels.settled(5)
        (told,) = [one.body["text"] for one in street["slack"].taken]
        assert "bob" in told
        assert "Instead of telegram" in told

        await panels.users("carol", "dave", action="user_expired")
        found = await panels.settled(9)
        told = [one.body["text"] for one in street["telegram"].taken[1:]]
        assert ["carol" in told[0], "dave" in told[1]] == [True, True]
        assert all("Instead of away" in one for one in told)
        dead = [one["reason"] for one in found if one["sink"] == "away"]
        assert all("away has not taken anything for" in one for one in dead)

        asked = street["discord"].requests, street["slack"].requests
        street["discord"].answer_next(INVALID)
        street["slack"].answer_next(Answer(400, "invalid_payload"))
        await panels.users("eve", action="user_deleted")
        found = await panels.settled(11)
        await asyncio.sleep(0.3)
        assert [one["state"] for one in found if one["type"] == "user.deleted"] == ["dead", "dead"]
        assert (street["discord"].requests, street["slack"].requests) == (asked[0] + 1, asked[1] + 1)


# Several at once


async def test_several_at_once_are_in_order_per_subject_and_a_crash_repeats_at_most_those(tmp_path: Path) -> None:
    shop = Shaky()
    shop.hold(taken=0)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(shop))
        sinks = f"sinks:\n  shop: {{type: webhook, url: '{url}', concurrency: 8, timeout: 10m, {FAST}}}\n"
        panels = await stack.enter_async_context(a_house(tmp_path, sinks, "shop"))
        await tell(panels, 20, range(6))
        await until(lambda: shop.waiting == 8)
        shop.release()
        await panels.carried()
        assert shop.most_waiting == 8
        shop.hold(taken=160)
        await tell(panels, 20, range(6, 12))
        await until(lambda: shop.waiting == 8)
        await panels.bridge.kill()
        shop.release()
        await panels.bridge.start()
        await panels.carried()
        told = marks(shop)
        assert set(told) == {(str(n), mark) for n in range(20) for mark in range(12)}
        assert len(told) - 240 <= 8
        assert in_order(told)


# Poison

BIG = {"system": {"name": "\ud800", "count": 2**70, "deep": [[[[[[{"a": None}]]]]]], "\x00": "\x00", "": -0.0}}


async def test_whatever_is_wrong_with_one_message_never_stops_the_lane(tmp_path: Path) -> None:
    everywhere = "[discord, slack, slack-bot, telegram, trigger, zapier, shop]"
    sinks = ("discord", "slack", "telegram")
    for name in sinks:
        (tmp_path / "templates" / name).mkdir(parents=True)
        (tmp_path / "templates" / name / "user.created.j2").write_text(
            f'{{% extends "{name}/base.j2" %}}{{% block {"title" if name == "discord" else "text"} %}}'
            "{% if 1 / (0 if data.user.username == 'zero' else 1) %}Welcome{% endif %}{% endblock %}"
        )
    async with (
        a_street() as street,
        a_house(
            tmp_path, street.sinks(), everywhere, more="templates: templates", program=["tests.poisoned"]
        ) as panels,
    ):
        await panels.users("zero", "alice")
        await panels.users("poison", "poison", "bob")
        await panels.tell("system.checked", "server:big", data=BIG)
        found = await panels.carried()
        faults = {one["sink"]: one["note"] for one in found if one["subject"] == "user:zero" and one["note"]}
        dead = [one for one in found if one["state"] == "dead"]
        assert [(one["sink"], one["subject"], one["attempts"]) for one in dead] == [("shop", "user:poison", 4)] * 2
        assert {one["reason"] for one in dead} == {
            "unforeseen ZeroDivisionError, see the log; gave up after 4 attempts"
        }
        assert sorted(faults) == ["discord", "slack", "slack-bot", "telegram"]
        assert "zero" in json.dumps(street["discord"].taken[0].body)  # in the built-in words
        assert street["discord"].taken[1].body["embeds"][0]["title"] == "Welcome"
        assert [street[name].refused for name in street.services] == [[]] * len(street.services)
        assert "ZeroDivisionError: a bug" in panels.bridge.log.read_text()
