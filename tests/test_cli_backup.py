"""`backup` and `restore`, as an operator gives them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.store import open_outbox
from tests.fakes import an_event, an_intake

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, new_file_url: str) -> Run:
    config = tmp_path / "config.yaml"
    config.write_text(f"store: {new_file_url}\nsinks: {{ops: {{type: console}}}}\n")

    def run_(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as raised:
            main([*map(str, words), "--config", str(config)])
        told = capsys.readouterr()
        return int(raised.value.code or 0), told.out, told.err

    return run_


async def test_a_backup_says_what_is_in_it_and_a_restore_where_the_old_store_is(
    run: Run, store_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup.db"
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event(), sinks=("ops", "team")))
        assert run("backup", file) == (0, f"{file}: 1 event, 2 deliveries\n", "")
    status, out, err = run("restore", file)
    [kept] = tmp_path.glob("panelbridge.db.before-*")
    assert (status, err) == (0, "")
    assert out == f"restored from {file}: 1 event, 2 deliveries\nwhat was there is kept as {kept}\n"


@pytest.mark.process
async def test_a_backup_may_come_through_a_pipe_as_into_a_container(run: Run, store_url: str, tmp_path: Path) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event()))
    run("backup", tmp_path / "backup.db")
    elsewhere = tmp_path / "new" / "config.yaml"
    elsewhere.parent.mkdir()
    elsewhere.write_text("store: sqlite:///here/panelbridge.db\n")
    command = [sys.executable, "-m", "bridge", "restore", "-", "--config", str(elsewhere)]
    with (tmp_path / "backup.db").open("rb") as backup:
        done = subprocess.run(command, stdin=backup, cwd=elsewhere.parent, capture_output=True, text=True, check=True)
    assert done.stdout == "restored: 1 event, 1 delivery\n"
    assert {one.name for one in (elsewhere.parent / "here").iterdir()} == {"panelbridge.db", "panelbridge.db.lock"}


@pytest.mark.process
async def test_a_backup_may_go_through_a_pipe_and_says_what_is_in_it_beside_that(
    run: Run, store_url: str, tmp_path: Path
) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event(), sinks=("ops", "team")))
    before = {one.name for one in tmp_path.iterdir()}
    command = [sys.executable, "-m", "bridge", "backup", "-", "--config", str(tmp_path / "config.yaml")]
    with (tmp_path / "backup.db").open("wb") as backup:
        done = subprocess.run(command, stdout=backup, stderr=subprocess.PIPE, text=True, check=True)
    assert done.stderr == "standard output: 1 event, 2 deliveries\n"
    assert {one.name for one in tmp_path.iterdir()} - before == {"backup.db"}
    assert run("restore", tmp_path / "backup.db")[1].startswith("restored from")
    assert not Path("-").exists()


async def test_a_terminal_is_sent_no_backup(run: Run, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event()))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    said = "backup: standard output is a terminal: send it into a file, as with backup - > backup.db\n"
    assert run("backup", "-") == (1, "", said)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_what_cannot_be_is_said_in_one_line(run: Run, command: str, tmp_path: Path) -> None:
    missing = tmp_path / ("panelbridge.db" if command == "backup" else "no-backup.db")
    assert run(command, tmp_path / "no-backup.db") == (1, "", f"store: there is none at {missing}\n")
    if command == "backup":
        assert run(command, "-") == (1, "", f"store: there is none at {missing}\n")


@pytest.mark.parametrize(("command", "means"), [("backup", "pg_dump"), ("restore", "pg_restore")])
def test_for_a_database_its_own_means_are_named(run: Run, tmp_path: Path, command: str, means: str) -> None:
    (tmp_path / "config.yaml").write_text("store: postgresql+psycopg://panelbridge@db.example.com/panelbridge\n")
    status, out, err = run(command, tmp_path / "backup.db")
    assert (status, out, len(err.splitlines())) == (1, "", 1)
    assert means in err
