"""`init` as it is typed: a file that `check` accepts, secrets in `.env` alone, and what to paste."""

import asyncio
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from bridge.cli import app, main
from bridge.config.load import load
from bridge.setup.plan import known_panels
from bridge.setup.questions import CONFIG_OF, QUESTIONS, is_secret, settings_of, variable
from tests.commands import Run, typed_by
from tests.pages import ROOT
from tests.services import discord, slack, telegram
from tests.services.every import EVERY
from tests.services.service import serving

GROUP = {"update_id": 5, "message": {"message_id": 1, "chat": {"id": -1001, "type": "supergroup", "title": "Night"}}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where it is typed; nothing of the machine's own environment is taken for a setting."""
    monkeypatch.chdir(tmp_path)
    for name in [one for one in os.environ if one.endswith(("_URL", "_SECRET", "_TOKEN", "_TOPIC"))]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return typed_by(capsys)


async def typed(*words: object, answers: str = "") -> Any:
    """Beside services that answer meanwhile."""
    given = ["init", *map(str, words)]
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, given, input=answers))


def values(folder: Path) -> dict[str, str]:
    lines = (folder / ".env").read_text().splitlines()
    return {line.partition("=")[0]: line.partition("=")[2].strip("'") for line in lines}


@pytest.mark.parametrize("panel", known_panels())
@pytest.mark.parametrize("compose", [False, True])
def test_for_every_panel_check_accepts_what_it_writes(run: Run, folder: Path, panel: str, compose: bool) -> None:
    status, out, _ = run("init", "--panel", panel, "--sink", "console", "--yes", *["--compose"] * compose)
    assert status == 0
    secret = values(folder)[variable(panel, "secret")]
    assert secret in out  # to be pasted
    assert re.fullmatch("[0-9a-f]{64}", secret)
    file = folder / ("panelbridge/config.yaml" if compose else "config.yaml")
    config = load(file, values(folder)).config
    assert config.sources[panel].secret[0].get_secret_value() == secret
    assert all(one in out for one in ("written", "✓ panelbridge check", "paste into", "panelbridge doctor"))


@pytest.mark.parametrize(
    ("options", "start", "ask"),
    [
        ([], "panelbridge run", "panelbridge doctor"),
        (["--out", "my.yaml"], "panelbridge run my.yaml", "panelbridge doctor my.yaml"),
        (
            ["--compose"],
            "docker compose --file compose.yaml up --detach",
            "docker compose --file compose.yaml exec panelbridge panelbridge doctor",
        ),
        (
            ["--compose", "--out", "z"],
            "docker compose --file z/compose.yaml up --detach",
            "docker compose --file z/compose.yaml exec panelbridge panelbridge doctor",
        ),
    ],
)
def test_it_ends_with_commands_that_work_where_the_bridge_runs(
    run: Run, options: list[str], start: str, ask: str
) -> None:
    _, out, _ = run("init", "--panel", "marzban", "--sink", "console", "--yes", *options)
    last = out.splitlines()[-3:]
    assert (last[0], last[2]) == (f"start it      {start}", f"ask it        {ask}")


@pytest.mark.parametrize("sink", QUESTIONS)
async def test_every_sink_can_be_set_up_without_being_asked(folder: Path, sink: str) -> None:
    house = EVERY[sink].house
    stand_in = house.stand_in(False) if house else slack.Slack()
    async with serving(stand_in) as base:
        port = base.rpartition(":")[2]
        [given, *_] = house.sinks.values() if house else [{}]
        settings = {name: str(value).replace("{base}", base).replace("{port}", port) for name, value in given.items()}
        words: list[object] = []
        for name, value in settings.items():
            if is_secret(sink, name):
                (folder / name).write_text(f"{value}\n")
                words += ["--secret-file", f"{sink}.{name}={folder / name}"]
            else:
                words += ["--set", f"{sink}.{name}={value}"]
        result = await typed("--panel", "marzban", "--sink", sink, "--yes", *words)
    assert result.exit_code == 0, result.output
    assert stand_in.taken == []
    load(folder / "config.yaml", {})
    text = (folder / "config.yaml").read_text()
    assert [name for name, value in settings.items() if is_secret(sink, name) and value in text + result.output] == []


def test_every_sink_has_its_questions_and_each_is_one_of_its_settings() -> None:
    assert QUESTIONS.keys() == CONFIG_OF.keys()
    for type_, questions in QUESTIONS.items():
        assert [one.setting for one in questions if one.setting not in settings_of(type_)] == []


def test_secrets_are_in_env_alone_for_their_owner_alone(run: Run, folder: Path) -> None:
    run("init", "--panel", "marzban", "--sink", "console", "--yes")
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    [secret] = values(folder).values()
    assert secret not in (folder / "config.yaml").read_text()


@pytest.mark.parametrize("there", ["config.yaml", ".env"])
def test_nothing_that_is_there_is_replaced(run: Run, folder: Path, there: str) -> None:
    (folder / there).write_text("mine")
    status, _, err = run("init", "--panel", "marzban", "--sink", "console", "--yes")
    assert status == 1
    assert f"{there} exists" in err
    assert [(one.name, one.read_text()) for one in folder.iterdir()] == [(there, "mine")]


def test_forced_it_keeps_what_env_says_of_others_and_what_the_panel_has_already(run: Run, folder: Path) -> None:
    (folder / "config.yaml").write_text("mine")
    (folder / ".env").write_text("# for another\nOTHER=1\nMARZBAN_SECRET=it-has-this-one-already\n")
    status, *_ = run("init", "--panel", "marzban", "--sink", "console", "--yes", "--force")
    assert status == 0
    assert (folder / ".env").read_text() == "# for another\nOTHER=1\nMARZBAN_SECRET=it-has-this-one-already\n"


def test_with_compose_the_container_is_reached_and_its_admin_side_asks_for_a_token(run: Run, folder: Path) -> None:
    run("init", "--panel", "marzban", "--sink", "console", "--yes", "--compose")
    config = load(folder / "panelbridge" / "config.yaml", values(folder)).config
    assert (config.listen, config.admin_side().listen) == ("0.0.0.0:8080", "0.0.0.0:8081")
    assert config.admin_side().token[0].get_secret_value() == values(folder)["PANELBRIDGE_ADMIN_TOKEN"]
    written = yaml.safe_load((folder / "compose.yaml").read_text())
    shipped = yaml.safe_load((ROOT / "compose.yaml").read_text())
    service, model = written["services"]["panelbridge"], shipped["services"]["panelbridge"]
    assert service.pop("ports") == [*model.pop("ports"), "127.0.0.1:8081:8081"]
    model.pop("build")
    assert written == shipped


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--panel", "marzbn", "--sink", "console"], 2, 'did you mean "marzban"?'),
        (["--panel", "marzban", "--sink", "discrd"], 2, 'did you mean "discord"?'),
        (["--panel", "marzban", "--sink", "console", "--tell", "all"], 2, 'no choice is called "all"'),
        (["--panel", "marzban", "--sink", "console", "--locale", "xx"], 2, 'no language is called "xx"'),
        (["--sink", "console"], 1, "init: --panel is missing"),
        (["--panel", "marzban"], 1, "init: --sink is missing"),
        (["--panel", "marzban", "--sink", "discord"], 1, "--secret-file discord.url=FILE, or DISCORD_URL"),
        (
            ["--panel", "marzban", "--sink", "discord", "--set", "discord.url=https://x"],
            1,
            "discord.url is a secret, and everyone can read commands",
        ),
        (["--panel", "marzban", "--sink", "console", "--set", "telegram.chat_id=5"], 1, "no --sink telegram"),
        (["--panel", "marzban", "--sink", "console", "--set", "console.colour=no"], 1, 'did you mean "color"?'),
        (["--panel", "marzban", "--sink", "console", "--set", "console"], 1, "should be SINK.SETTING=…"),
        (["--panel", "marzban", "--sink", "discord", "--secret-file", "discord.url=/none"], 1, "should have one line"),
        (["--panel", "marzban", "--sink", "console", "--timezone", "Teheran"], 1, "did you mean Asia/Tehran?"),
    ],
)
def test_what_cannot_be_is_told_in_words_and_nothing_is_written(
    run: Run, folder: Path, words: list[str], status: int, said: str
) -> None:
    ended, _, err = run("init", "--yes", *words)
    assert (ended, said in err) == (status, True), err
    assert list(folder.iterdir()) == []


def test_a_secret_of_the_environment_is_taken(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://127.0.0.1:1/the-secret-path-of-it"
    monkeypatch.setenv("WEBHOOK_URL", url)
    status, out, _ = run("init", "--panel", "marzban", "--sink", "webhook", "--yes")
    assert status == 0
    assert "✗ webhook: no answer: connection refused" in out
    assert values(folder)["WEBHOOK_URL"] == url
    assert "the-secret-path" not in out


async def test_a_person_is_asked_for_all_of_it_the_chat_is_found_and_a_test_is_sent(folder: Path) -> None:
    bot, channel = telegram.Telegram(), discord.Discord()
    bot.updates = [GROUP]
    async with serving(bot) as base, serving(channel) as other:
        url = other + channel.path()
        given = ["--sink", "discord", "--sink", "telegram", "--set", f"telegram.api_base={base}"]
        answers = ["99", "1 remnawave", "not an address", url, telegram.TOKEN, "everything", "fa", "Asia/Tehran", "y"]
        result = await typed(*given, answers="\n".join([*answers, ""]))
    assert result.exit_code == 0, result.output
    config = load(folder / "config.yaml", {}).config
    assert (config.timezone, config.locale) == ("Asia/Tehran", "fa")
    assert [route.match for route in config.routes] == [("*",)]
    sink: Any = config.sinks["telegram"]
    assert sink.chat_id == -1001
    assert "no such one: 99" in result.output
    assert list(config.sources) == ["marzban", "remnawave"]
    assert "should be an address" in result.output
    assert 'found "Night" (-1001)' in result.output
    assert (len(bot.taken), len(channel.taken)) == (1, 1)
    assert [secret for secret in (telegram.TOKEN, discord.TOKEN) if secret in result.output] == []
    assert bot.updates == [GROUP]


async def test_of_several_chats_the_person_chooses_and_without_one_none_is_guessed(folder: Path) -> None:
    bot = telegram.Telegram()
    alice = {"update_id": 6, "message": {"message_id": 2, "chat": {"id": 42, "type": "private", "first_name": "Alice"}}}
    bot.updates = [GROUP, alice]
    (folder / "token").write_text(telegram.TOKEN)
    async with serving(bot) as base:
        given = ["--panel", "marzban", "--sink", "telegram", "--set", f"telegram.api_base={base}", "--no-test"]
        given += ["--secret-file", f"telegram.token={folder / 'token'}"]
        refused = await typed(*given, "--yes")
        result = await typed(*given, answers="2\nneeded\nen\nUTC\n")
    assert (refused.exit_code, str(refused.exception).startswith("init: telegram: several")) == (1, True)
    assert result.exit_code == 0, result.output
    sink: Any = load(folder / "config.yaml", {}).config.sinks["telegram"]
    assert sink.chat_id == -1001  # the newest stands first


async def test_where_the_chat_cannot_be_found_it_is_typed(folder: Path) -> None:
    bot = telegram.Telegram()
    bot.polled = True
    async with serving(bot) as base:
        given = ["--panel", "marzban", "--sink", "telegram", "--set", f"telegram.api_base={base}", "--no-test"]
        answers = "\n".join([telegram.TOKEN, "-1001", "needed", "en", "UTC", ""])
        result = await typed(*given, answers=answers)
    assert result.exit_code == 0, result.output
    assert "another program reads this bot's updates" in result.output
    assert (len(bot.asked), bot.taken) == (1, [])


async def test_a_test_that_is_not_delivered_ends_with_1_and_the_files_stand(folder: Path) -> None:
    channel = discord.Discord()
    async with serving(channel) as base:
        (folder / "url").write_text(base + channel.path())
        channel.fault = (403, 50013, "Missing Permissions")
        words = ["--secret-file", f"discord.url={folder / 'url'}", "--yes", "--test"]
        result = await typed("--panel", "marzban", "--sink", "discord", *words)
    assert result.exit_code == 1
    assert "discord   ✗ HTTP 403, code 50013: Missing Permissions" in result.output
    assert (folder / "config.yaml").exists()


def test_the_command_is_there() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["init", "--help"])
    assert ended.value.code == 0
