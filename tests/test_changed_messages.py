"""A message that is posted to a real bridge with Discord's library, edited, and deleted: in strict chats."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from discord_webhook import DiscordWebhook

from tests.processes import until
from tests.street import TOKENS, a_house, a_street

pytestmark = pytest.mark.process

CHATS = ("discord", "slack", "telegram")


def shown(street: Any) -> dict[str, list[str]]:
    """What stands in each channel now, as text."""
    return {
        "discord": [str(one.body) for one in street["discord"].messages.values()],
        "slack": [str(one) for one in street["slack"].messages.values()],
        "telegram": [str(one) for one in street["telegram"].messages.values()],
    }


async def test_it_is_changed_and_taken_back_wherever_it_went_though_the_bridge_is_killed(tmp_path: Path) -> None:
    sinks = "[discord, slack-bot, telegram, shop]"
    async with a_street() as street, a_house(tmp_path, street.sinks(), sinks) as panels:

        def everywhere(text: str, count: int = 1) -> bool:
            return all(sum(text in one for one in shown(street)[chat]) == count for chat in CHATS)

        url = f"{panels.bridge.url}/api/webhooks/reports/{TOKENS[0]}"
        message = DiscordWebhook(url=url, content="backup: running", username="Backups")
        assert (await asyncio.to_thread(message.execute)).status_code == 200
        await panels.carried()  # what is not recorded when the bridge is killed is sent once more
        assert everywhere("backup: running")
        await panels.bridge.restart()
        message.content = "backup: done"
        assert (await asyncio.to_thread(message.edit)).status_code == 200
        await until(lambda: everywhere("backup: done"))
        assert everywhere("backup: running", 0)
        assert (await asyncio.to_thread(message.delete)).status_code == 204
        await until(lambda: not any(shown(street).values()))
        assert (await asyncio.to_thread(message.edit)).status_code == 404
        assert len(street["shop"].taken) == 1  # a program has no message that could be changed
        assert [street[chat].refused for chat in CHATS] == [[], [], []]


async def test_of_what_waits_for_a_service_the_last_text_stays(tmp_path: Path) -> None:
    async with a_street() as street, a_house(tmp_path, street.sinks(), "telegram") as panels:
        telegram = street["telegram"]
        telegram.fault = (502, "Bad Gateway")
        url = f"{panels.bridge.url}/api/webhooks/reports/{TOKENS[0]}"
        message = DiscordWebhook(url=url, content="backup: running")
        await asyncio.to_thread(message.execute)
        message.content = "backup: done"
        assert (await asyncio.to_thread(message.edit)).status_code == 200
        telegram.fault = None
        await until(lambda: any("backup: done" in text for text in shown(street)["telegram"]))
        assert len(telegram.messages) == 1
