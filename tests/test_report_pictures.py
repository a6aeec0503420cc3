"""A report with its picture, from a panel's request to the chats, through a real process."""

from pathlib import Path

import pytest

from bridge.sinks.picture import HEIGHT, WIDTH
from tests.services.discord import Discord
from tests.services.forms import File
from tests.services.telegram import Telegram
from tests.street import LaterClock, a_house, a_street

pytestmark = pytest.mark.process


async def test_in_the_morning_telegram_and_discord_show_the_same_picture_and_slack_signs(tmp_path: Path) -> None:
    clock, chats = LaterClock(tmp_path), "discord, slack, telegram"
    more = f'reports: {{morning: {{at: "00:00", to: [{chats}], picture: true}}}}'
    async with (
        a_street() as street,
        a_house(
            tmp_path, street.sinks(), rows=["match: user.*, to: slack"], more=more, program=clock.program
        ) as panels,
    ):
        await panels.users("alice", "bob")
        await panels.settled(2)
        clock.step(86_400)
        await panels.bridge.restart()
        found = await panels.settled(5)
        telegram, discord = street["telegram"], street["discord"]
        assert isinstance(telegram, Telegram)
        assert isinstance(discord, Discord)
        assert {one["state"] for one in found} == {"delivered"}
        assert [street[name].refused for name in ("discord", "slack", "telegram")] == [[], [], []]
        [shown], [attached] = telegram.pictures, discord.files
        assert shown == attached.content
        assert File("report.png", "image/png", shown).picture().size == (WIDTH, HEIGHT)
        assert "█" in str(street["slack"].taken[-1].body)
        assert "█" not in str([one.body for one in (*telegram.taken, *discord.taken)])
