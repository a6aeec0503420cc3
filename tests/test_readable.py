"""Chats stay readable: digests, storms, holds, quiet hours, updates, through a real process and strict services."""

import asyncio
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.services.service import Taken
from tests.street import LaterClock, a_house, a_street

pytestmark = pytest.mark.process

CHATS = ("discord", "slack", "telegram")
GREEN = 0x2ECC71
SILENT = 4096  # Discord's flag
TEHRAN = ZoneInfo("Asia/Tehran")
SUMMARY = re.compile(r"([\d,]+) events")


def text_of(one: Taken) -> str:
    return json.dumps(one.body, ensure_ascii=False)


def told_in(taken: Iterable[Taken]) -> int:
    """How many events these messages tell of."""
    found = (SUMMARY.search(text_of(one)) for one in taken)
    return sum(int(summary[1].replace(",", "")) if summary else 1 for summary in found)


def named_in(one: Taken) -> list[str]:
    """The users of a digest, in order, each once."""
    shown = json.dumps(one.body.get("blocks") or one.body.get("embeds") or one.body, ensure_ascii=False)
    return list(dict.fromkeys(re.findall(r"user-\d+", shown)))


# Digests


async def test_a_digest_is_one_message_in_order_although_the_bridge_is_killed_while_it_collects(tmp_path: Path) -> None:
    rows = [
        "match: user.*, to: [discord, slack, slack-bot, telegram], digest: {window: 1h, max: 30}",
        "match: security.*, to: discord, digest: {window: 1s, max: 500}",
    ]
    names = [f"user-{number}" for number in range(20)]
    async with a_street() as street, a_house(tmp_path, street.sinks(), rows=rows) as panels:
        await panels.users(*names)
        await panels.users(*names[:8], action="user_expired")
        await panels.bridge.restart()
        await panels.users(*names[:2], action="user_deleted")
        await panels.tell("security.login_failed", *["admin:root"] * 5)
        found = await panels.settled(30 * 4 + 5)
        assert {(one["state"], one["attempts"]) for one in found} == {("delivered", 1)}
        assert [street[name].refused for name in CHATS] == [[], [], []]
        logins, *digests = sorted(street["discord"].taken, key=lambda one: "Login" not in text_of(one))
        assert "Login failed ×5" in text_of(logins)  # its window is over; the others are full long before
        digests += street["slack"].taken + street["telegram"].taken
        assert [one.path.rpartition("/")[2] for one in digests[1:]].count("chat.postMessage") == 1
        assert len(digests) == 4
        for one in digests:
            assert told_in([one]) == 30
            counts = [text_of(one).index(count) for count in ("created ×20", "expired ×8", "deleted ×2")]
            assert counts == sorted(counts)
            assert set(named_in(one)) == set(names), "whom it does not tell in full it names"
            assert [name for name in named_in(one) if name in names[9:]] == names[9:]
            assert "more" not in text_of(one)


# Storms


async def test_a_midnight_with_5000_expiries_and_a_login_attack_are_a_handful_of_messages(tmp_path: Path) -> None:
    async with (
        a_street(limited=True) as street,
        a_house(tmp_path, street.sinks(""), "[discord, slack, telegram]") as panels,
    ):
        await panels.users(*(f"user-{number}" for number in range(5000)), action="user_expired")
        found = await panels.carried()
        assert {one["state"] for one in found} == {"delivered"}
        midnight = {name: len(street[name].taken) for name in CHATS}
        attack = {"security": {"ip": "203.0.113.9", "username": "root"}}
        await panels.tell("security.login_failed", *["admin:root"] * 1500, data=attack)
        await panels.carried()
    for name, count in midnight.items():
        service = street[name]
        assert service.broken == []
        assert service.refused == []
        assert count <= 12
        assert told_in(service.taken[:count]) == 5000
        assert told_in(service.taken[count:]) == 1500
        assert len(service.taken) - count <= 6
        assert any("Login failed" in text_of(one) and re.search(r"×[\d,]{3,}", text_of(one)) for one in service.taken)
        assert sum(text_of(one).count("203") for one in service.taken[count:]) <= 6 * 2  # once in each, and in `text`


# Holds


async def test_what_is_restored_in_time_is_never_told_and_what_is_not_is_told_although_the_bridge_is_killed(
    tmp_path: Path,
) -> None:
    rows = ["match: node.*, to: [discord, telegram], hold: 1h", "match: user.*, to: [discord, telegram]"]
    clock = LaterClock(tmp_path)
    async with a_street() as street, a_house(tmp_path, street.sinks(), rows=rows, program=clock.program) as panels:
        await panels.node("connection_lost", "node-quick")
        await panels.node("connection_restored", "node-quick")
        await panels.node("connection_lost", "node-killed")
        await panels.node("connection_lost", "node-lost")
        await panels.users("user-1")
        await panels.settled(2)
        assert "user-1" in text_of(street["discord"].taken[0])  # others need not wait
        await panels.bridge.restart()
        await panels.node("connection_restored", "node-killed")
        clock.step(3600)
        await panels.users("user-2")
        await panels.settled(4 + 8 + 2)
        await asyncio.sleep(0.3)
        for name in ("discord", "telegram"):
            nodes = [text_of(one) for one in street[name].taken if "node-" in text_of(one)]
            assert ["node-lost" in one for one in nodes] == [True]
        listed = await panels.command("deliveries", "--held-back")
    assert sorted(one["subject"] for one in listed) == ["node:node-killed"] * 4 + ["node:node-quick"] * 4
    assert {one["state"] for one in listed} == {"held_back"}
    assert all("cancelled out by delivery" in one["reason"] for one in listed)


# Quiet hours


def hours(begin: float, end: float) -> str:
    """Hours of a quiet time in Tehran, from so many seconds before or after now to so many after."""
    now = datetime.now(TEHRAN)
    return "-".join(f"{now + timedelta(seconds=seconds):%H:%M:%S}" for seconds in (begin, end))


async def test_in_quiet_hours_messages_are_silent_or_wait_or_are_left_out(tmp_path: Path) -> None:
    to = "to: [discord, telegram]"
    another_day = f"{datetime.now(TEHRAN) + timedelta(days=3):%a}".lower()  # also where midnight comes meanwhile
    rows = [
        f"match: user.created, {to}, quiet: {{hours: '{hours(-60, 3000)}'}}",
        f"match: user.expired, {to}, quiet: {{hours: '{hours(-60, 3000)}', mode: hold}}",
        f"match: user.deleted, {to}, quiet: {{hours: '{hours(-60, 3600)}', mode: drop}}",
        f"match: user.limited, {to}, quiet: {{hours: '{hours(-60, 3600)}', days: {another_day}, mode: drop}}",
        f"match: user.updated, {to}, quiet: {{hours: '{hours(3600, 7200)}', mode: drop}}",
    ]
    clock = LaterClock(tmp_path)
    actions = ("user_created", "user_expired", "user_deleted", "user_limited", "user_updated")
    async with (
        a_street() as street,
        a_house(tmp_path, street.sinks(), rows=rows, more="timezone: Asia/Tehran", program=clock.program) as panels,
    ):
        for number, action in enumerate(actions):
            await panels.users(f"user-{number}", action=action)
        found = await panels.settled(8)
        told = {name: {named_in(one)[0]: one.body for one in street[name].taken} for name in ("discord", "telegram")}
        assert [list(one) for one in told.values()] == [["user-0", "user-3", "user-4"]] * 2
        held = [one for one in found if one["type"] == "user.expired"]
        assert [(one["state"], one["attempts"]) for one in held] == [("waiting", 0)] * 2
        dropped = [one for one in found if one["type"] == "user.deleted"]
        assert [(one["state"], one["reason"]) for one in dropped] == [("held_back", "quiet hours")] * 2
        clock.step(3600)
        await panels.users("user-5")
        await panels.settled(12)
        told = {name: {user: one.body for one in street[name].taken for user in named_in(one)} for name in told}
    assert {name: one.get("flags", 0) for name, one in told["discord"].items()} == {
        "user-0": SILENT, "user-1": 0, "user-3": 0, "user-4": 0, "user-5": 0,
    }  # fmt: skip
    silent = [name for name, one in told["telegram"].items() if one.get("disable_notification")]
    assert silent == ["user-0"]


# Updates


async def test_a_node_that_comes_back_turns_its_message_green_with_the_downtime_in_it(tmp_path: Path) -> None:
    to = "to: [discord, telegram, slack-bot, slack]"
    rows = [
        f"when: \"subject == 'node:threads'\", {to}, update: thread, stop: true",
        f"match: node.*, {to}, update: subject",
    ]
    began = datetime.now(UTC) - timedelta(minutes=40)
    async with a_street() as street, a_house(tmp_path, street.sinks(), rows=rows) as panels:
        for number, name in enumerate(("fra-1", "threads")):
            await panels.node("connection_lost", name, at=began)
            await panels.settled(4 * number + 4)
        await panels.bridge.restart()
        for number, name in enumerate(("fra-1", "threads")):
            await panels.node("connection_restored", name, at=began + timedelta(minutes=5, seconds=number))
            await panels.settled(4 * number + 12)

        discord = street["discord"].taken
        assert [one.path.partition("/messages/")[2] for one in discord[2:]] == [first_of(street["discord"]), ""]
        assert discord[2].body["embeds"][0]["color"] != discord[0].body["embeds"][0]["color"]
        assert is_green(discord[2].body["embeds"][0]["color"])
        assert "5 min" in text_of(discord[2])

        edit, reply = street["telegram"].taken[2:]
        assert (edit.path.rpartition("/")[2], edit.body["message_id"]) == ("editMessageText", 1)
        assert "🟢" in edit.body["text"]
        assert "5 min" in edit.body["text"]
        assert reply.body["reply_parameters"]["message_id"] == 2

        by_token = [one for one in street["slack"].taken if one.path.startswith("/api/")]
        first, second, _ = street["slack"].messages
        assert (by_token[2].path, by_token[2].body["ts"]) == ("/api/chat.update", first)
        assert "5 min" in by_token[2].body["text"]
        assert (by_token[3].path, by_token[3].body["thread_ts"]) == ("/api/chat.postMessage", second)
        by_hook = [one for one in street["slack"].taken if not one.path.startswith("/api/")]
        assert len(by_hook) == 4  # it can only say it anew

        for name in CHATS:
            street[name].messages.clear()  # someone deleted them
        await panels.node("connection_lost", "fra-1")
        found = await panels.settled(20)
        anew = [street[name].taken[-1] for name in ("discord", "telegram")]
        assert ["/messages/" in anew[0].path, anew[1].path.rpartition("/")[2]] == [False, "sendMessage"]
        notes = {one["sink"]: one["note"] for one in found[-4:]}
        assert [name for name, note in notes.items() if "not there any more" in (note or "")] == [
            "discord",
            "telegram",
            "slack-bot",
        ]


def first_of(service: Any) -> str:
    return str(next(iter(service.messages)))


def is_green(color: int) -> bool:
    red, green, blue = color >> 16, color >> 8 & 255, color & 255
    return green > red and green > blue
