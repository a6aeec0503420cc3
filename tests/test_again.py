"""Told again: panels that repeat themselves, and operators who want it once more; through a real process."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.services.service import Answer, Taken
from tests.street import BATCH, MARZBAN, Panels, a_house, a_street

pytestmark = pytest.mark.process

INVALID = Answer(400, {"message": "Invalid Form Body", "code": 50035})


async def answered(panels: Panels, *elements: dict[str, Any]) -> dict[str, Any]:
    """What Marzban is answered for a batch."""
    headers = {"x-webhook-secret": MARZBAN}
    async with panels.http.post(f"{panels.bridge.url}/in/marzban", json=list(elements), headers=headers) as response:
        assert response.status == 200
        answer: dict[str, Any] = await response.json()
        return answer


def marzban(action: str, tries: int = 0) -> dict[str, Any]:
    return {"action": action, "username": "alice", "tries": tries, "enqueued_at": 1795234456.66, "send_at": 1.5 + tries}


def types(taken: list[Taken]) -> list[str]:
    return [one.body["type"] for one in taken]


# Panels


async def test_a_panels_repeats_are_answered_200_recorded_and_told_once_and_equal_events_are_not_merged(
    tmp_path: Path,
) -> None:
    async with a_street() as street, a_house(tmp_path, street.sinks(), "shop") as panels:
        assert await answered(panels, marzban("user_created")) == {"accepted": 1, "set_aside": 0}
        for tries in (1, 2, 3):
            again = marzban("user_created", tries)
            assert await answered(panels, again) == {"accepted": 0, "set_aside": 0, "repeated": 1}
        for action in ("user_deleted", "user_created", "user_deleted", "user_created"):
            assert (await answered(panels, marzban(action)))["accepted"] == 1  # equal byte for byte, and real
        body = json.dumps({"event": "node.disabled", "timestamp": "2026-11-21T04:08:45.559Z", "data": {"name": "fra"}})
        for text in (body, body, body.replace("45.559Z", "46.000Z")):
            await panels.remnawave(text.encode())
        cloud = {"specversion": "1.0", "source": "/a", "type": "payment.failed", "subject": "user:bob", "data": {}}
        for id_ in ("1", "1", "2"):
            assert await panels.send("/in/program", [cloud | {"id": id_}], BATCH) == 200
        found = await panels.settled(9)
        assert len(found) == 9
        aside = await panels.command("deliveries", "--set-aside")
    assert types(street["shop"].taken) == [
        *("user.created", "user.deleted", "user.created", "user.deleted", "user.created"),
        *("node.disabled", "node.disabled", "payment.failed", "payment.failed"),
    ]
    assert [one["source"] for one in aside] == ["program", "remnawave", "marzban", "marzban", "marzban"]
    known = {one["event_id"] for one in found}
    assert all(one["reason"].removeprefix("a repeat of event ") in known for one in aside)


# Operators


async def test_replays_say_that_they_are_replays_and_keep_their_order(tmp_path: Path) -> None:
    everywhere = "[discord, slack, telegram, shop]"
    async with (
        a_street() as street,
        a_house(tmp_path, street.sinks(), rows=[f"match: user.created, to: {everywhere}"]) as panels,
    ):
        street["discord"].answer_next(INVALID, INVALID)
        await panels.users("alice", "bob", "carol")
        found = await panels.settled(12)
        assert [one["sink"] for one in found if one["state"] == "dead"] == ["discord"] * 2

        made = (await panels.command("replay", "--dead", "--sink", "discord"))["replayed"]
        found = await panels.settled(14)
        assert [(one["id"], one["subject"], one["replay_of"] > 0) for one in found[12:]] == [
            (made[0], "user:alice", True),
            (made[1], "user:bob", True),
        ]
        told = [one.body for one in street["discord"].taken]
        assert [one["embeds"][0]["description"] for one in told] == ["`carol`", "`alice`", "`bob`"]
        assert [one.get("content") for one in told] == [None, "🔁 Replay", "🔁 Replay"]

        await panels.command("replay", "--delivered", "--type", "user.created", "--subject", "user:carol")
        await panels.settled(18)
        assert [
            name for name in ("slack", "telegram") if street[name].taken[-1].body["text"].startswith("🔁 Replay")
        ] == [
            "slack",
            "telegram",
        ]
        headers = [one.headers.get("panelbridge-replay") for one in street["shop"].taken]
        assert headers == [None, None, None, "1"]


async def test_events_that_no_row_took_are_sent_by_todays_table(tmp_path: Path) -> None:
    async with (
        a_street() as street,
        a_house(tmp_path, street.sinks(), rows=["match: user.created, to: shop"]) as panels,
    ):
        await panels.users("alice", "bob", action="user_limited")
        await panels.users("carol")
        await panels.settled(1)
        await panels.bridge.reload(lambda text: text + "  - {match: user.limited, to: [discord, shop]}\n")
        words = ("replay", "--events", "--since", "1h", "--type", "user.limited")
        said = await panels.command(*words, "--dry-run")
        assert said == {"events": 2, "matched": 2, "sinks": {"discord": 2, "shop": 2}, "replayed": [], "dry_run": True}
        assert len(panels.records()) == 1
        said = await panels.command(*words)
        assert len(said["replayed"]) == 4
        found = await panels.settled(5)
        assert [one["replay_of"] for one in found] == [None, 0, 0, 0, 0]
        assert [one.body["content"] for one in street["discord"].taken] == ["🔁 Replay"] * 2
        assert [one.body["data"]["user"]["username"] for one in street["shop"].taken] == ["carol", "alice", "bob"]
        assert [one.headers.get("panelbridge-replay") for one in street["shop"].taken] == [None, "1", "1"]
