"""What a reload does with the file: what ends it, what is watched, and how often."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge import watching
from bridge.config.load import Loaded, load
from bridge.reload import reloader as module
from bridge.reload.reloader import Reloader
from tests.fakes import FakeClock, no_parts
from tests.processes import PATIENCE, until

TEXT = "sinks: {ops: {type: console}}\n"
STILL = 0.05  # seconds for which files have to stand still


class Applied(Reloader):
    """Puts nothing in place, and remembers what it would have been."""

    def __init__(self, path: Path) -> None:
        nobody = no_parts()
        super().__init__(path, nobody, nobody, nobody, FakeClock())
        self.applied: list[Loaded] = []

    async def apply(self, loaded: Loaded, *, cause: str = "start") -> None:
        self._loaded = loaded
        self.applied.append(loaded)


class Log:
    """What the watching of a file has told."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    @property
    def told(self) -> list[str]:
        kinds = ("config.reloaded", "config.rejected", "config.bug")
        return [one.msg for one in self._caplog.records if one.msg in kinds]

    async def settled(self, count: int) -> list[str]:
        """What it told, once that is so much, and no more follows while the files stand still."""
        async with asyncio.timeout(PATIENCE):
            while len(self.told) < count:
                await asyncio.sleep(STILL / 5)
        await asyncio.sleep(STILL * 8)
        return self.told


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setattr(watching, "STANDS_STILL", STILL)
    caplog.set_level("INFO", "bridge")
    return Log(caplog)


@asynccontextmanager
async def watched(file: Path) -> AsyncIterator[asyncio.Event]:
    """The file is watched; the event asks for a reload."""
    file.write_text(TEXT)
    reloader, requested = Applied(file), asyncio.Event()
    await reloader.apply(load(file))
    watching = asyncio.create_task(reloader.watch(requested))
    await asyncio.sleep(STILL * 4)
    try:
        yield requested
        assert not watching.done()
    finally:
        watching.cancel()


async def test_a_fault_of_ours_at_a_file_leaves_the_old_one_in_force_and_ends_nothing(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Loaded:
        raise ValueError("nobody has thought of this")

    async with watched(tmp_path / "config.yaml") as requested:
        with monkeypatch.context() as patch:
            patch.setattr(module, "load", fails)
            requested.set()
            assert await log.settled(2) == ["config.bug", "config.rejected"]
        requested.set()
        assert (await log.settled(3))[2:] == ["config.reloaded"]


async def test_a_dotenv_that_is_no_text_is_rejected_and_the_bridge_goes_on(tmp_path: Path, log: Log) -> None:
    (tmp_path / ".env").write_bytes(b"A=1\n")
    async with watched(tmp_path / "config.yaml"):
        (tmp_path / ".env").write_bytes(b"# caf\xe9\n")
        assert await log.settled(1) == ["config.rejected"]
        (tmp_path / ".env").write_bytes(b"# cafe\n")
        assert (await log.settled(2))[1:] == ["config.reloaded"]


# What is watched

SECRET = "sources: {m: {panel: marzban, secret_file: later.txt}}\n"


@pytest.mark.parametrize(
    ("text", "later"),
    [
        (TEXT + SECRET, "later.txt"),
        (TEXT + "sources: {m: {panel: marzban, secret: '${LATER}'}}", ".env"),
        (TEXT + "templates: later", "later/discord/x.j2"),
        (TEXT + "directory: {file: later.csv}\nsources: {m: {panel: marzban, secret: x}}", "later.csv"),
    ],
)
async def test_what_a_rejected_file_names_is_watched_and_when_it_is_there_the_file_is_taken(
    tmp_path: Path, log: Log, text: str, later: str
) -> None:
    async with watched(tmp_path / "config.yaml"):
        (tmp_path / "config.yaml").write_text(text)
        assert await log.settled(1) == ["config.rejected"]
        (tmp_path / later).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / later).write_text("kind,name,telegram\n" if later.endswith("csv") else "LATER=secret\n")
        assert await log.settled(2) == ["config.rejected", "config.reloaded"]


async def test_a_dotenv_that_comes_later_is_seen(tmp_path: Path, log: Log) -> None:
    async with watched(tmp_path / "config.yaml"):
        (tmp_path / ".env").write_text("A=1\n")
        assert await log.settled(1) == ["config.reloaded"]


async def test_the_files_in_force_are_watched_beside_those_of_a_rejected_one(tmp_path: Path, log: Log) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    async with watched(tmp_path / "config.yaml"):
        (tmp_path / "config.yaml").write_text("sinks: {ops: {type: discord, url_file: none}}\n")
        assert await log.settled(1) == ["config.rejected"]
        (tmp_path / ".env").write_text("A=2, and more\n")
        assert await log.settled(2) == ["config.rejected"] * 2


@pytest.mark.parametrize("asked", [True, False])
async def test_a_file_that_is_still_being_written_is_not_read(tmp_path: Path, log: Log, asked: bool) -> None:
    """However long a busy machine takes for a line: who writes here has his turn as often as who watches."""
    file, text = tmp_path / "config.yaml", TEXT + "sources: {a: {panel: marzban, secret: x}}\nroutes: [{to: ops}]\n"
    async with watched(file) as requested:
        with file.open("w") as writing:
            for sign in text:
                writing.write(sign)
                writing.flush()
                if asked:
                    requested.set()
                await asyncio.sleep(STILL / 3)
        assert await log.settled(1) == ["config.reloaded"]


async def test_a_name_that_no_file_has_is_watched_without_harm(tmp_path: Path, log: Log) -> None:
    async with watched(tmp_path / "config.yaml"):
        (tmp_path / "config.yaml").write_text('sinks: {ops: {type: discord, url_file: "a\\0b"}}\n')
        assert await log.settled(1) == ["config.rejected"]
        (tmp_path / "config.yaml").write_text(TEXT)
        assert await log.settled(2) == ["config.rejected", "config.reloaded"]


async def test_a_change_that_names_further_files_is_one_reload(tmp_path: Path, log: Log) -> None:
    (tmp_path / "later.txt").write_text("secret\n")
    async with watched(tmp_path / "config.yaml"):
        (tmp_path / "config.yaml").write_text(TEXT + SECRET)
        assert await log.settled(1) == ["config.reloaded"]
        (tmp_path / "later.txt").write_text("another secret\n")
        assert await log.settled(2) == ["config.reloaded"] * 2


async def test_a_change_of_such_a_file_while_it_is_read_is_not_missed(
    tmp_path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    later, secrets = tmp_path / "later.txt", []
    later.write_text("before\n")

    def changed_behind(*given: Any, **more: Any) -> Loaded:
        found = load(*given, **more)
        if found.config.sources:
            secrets.append(found.config.sources["m"].secret[0].get_secret_value())
            if len(secrets) == 1:
                later.write_text("behind it\n")
        return found

    async with watched(tmp_path / "config.yaml"):
        monkeypatch.setattr(module, "load", changed_behind)
        (tmp_path / "config.yaml").write_text(TEXT + SECRET)
        await until(lambda: secrets[-1:] == ["behind it"])
    assert secrets[0] == "before"
