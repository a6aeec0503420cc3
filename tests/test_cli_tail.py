"""`tail` as it is typed: a line for each thing that happens, until Ctrl-C."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.cli import tail
from bridge.errors import StoreUnavailable
from bridge.store import open_outbox
from tests.commands import Run, typed_by
from tests.fakes import an_event, an_intake
from tests.processes import PATIENCE


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return typed_by(capsys)


@pytest.fixture
def file(tmp_path: Path, store_url: str) -> Path:
    asyncio.run(put(store_url, "user:before"))
    file = tmp_path / "config.yaml"
    file.write_text(
        f"store: {store_url}\nsources: {{marzban: {{panel: marzban, secret: a-long-random-text}}}}\n"
        "sinks: {ops: {type: console}}\nroutes: [{match: '*', to: ops}]\n"
    )
    return file


async def put(store_url: str, subject: str) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event(subject, at=datetime.now(UTC))))


def between(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]) -> None:
    """What happens between two looks, and then Ctrl-C."""
    left = list(steps)

    def sleep(_: float) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop(0)()

    monkeypatch.setattr(tail.time, "sleep", sleep)


def test_what_comes_in_is_told_and_ctrl_c_ends_it_with_0(
    run: Run, file: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    between(monkeypatch, lambda: asyncio.run(put(store_url, "user:\x1b[31malice")))
    status, out, err = run("tail", "-c", file)
    assert (status, err) == (0, "")
    [line] = out.splitlines()
    assert line.split()[1:] == ["▸", "marzban", "user.created", "user:�[31malice", "→", "ops"]


def test_as_json_each_is_a_line(run: Run, file: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    between(monkeypatch, lambda: asyncio.run(put(store_url, "user:alice")))
    status, out, _ = run("tail", "-c", file, "--json", "--type", "user.*")
    [told] = map(json.loads, out.splitlines())
    assert (status, told["kind"], told["subject"], told["to"]) == (0, "event", "user:alice", ["ops"])


def test_with_since_it_begins_there(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    between(monkeypatch)
    _, out, _ = run("tail", "-c", file, "--since", "1h")
    assert [line.split()[4] for line in out.splitlines()] == ["user:before"]


@pytest.mark.parametrize(
    ("words", "said"), [(["--sink", "opps"], 'did you mean "ops"?'), (["--type", "user.createt"], "user.created")]
)
def test_a_name_that_there_is_not_is_a_slip(run: Run, file: Path, words: list[str], said: str) -> None:
    status, _, err = run("tail", "-c", file, *words)
    assert (status, said in err) == (2, True)


def test_a_store_that_is_away_for_a_while_is_told_once_and_waited_for(
    run: Run, file: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge.admin.streams.tail import Tail

    look, away = Tail.look, [True, True, False, False]

    def looked(self: Tail, now: datetime) -> object:
        if away.pop(0):
            raise StoreUnavailable("store: it is away")
        return look(self, now)

    monkeypatch.setattr(Tail, "look", looked)
    between(monkeypatch, lambda: None, lambda: None, lambda: asyncio.run(put(store_url, "user:alice")))
    status, out, err = run("tail", "-c", file)
    assert (status, err) == (0, "store: it is away; it is looked for again\n")
    assert "user:alice" in out


@pytest.mark.process
def test_whoever_stops_reading_ends_it_without_a_word(file: Path) -> None:
    command = [sys.executable, "-m", "bridge", "tail", "-c", str(file), "--since", "1h"]
    root = Path(__file__).parents[1]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert "user:before" in running.stdout.readline()
        running.stdout.close()
        ends = time.monotonic() + PATIENCE
        while running.poll() is None and time.monotonic() < ends:  # it finds out when it has something to say
            asyncio.run(put(f"sqlite:///{file.parent}/panelbridge.db", "user:more"))
            time.sleep(0.1)
        assert (running.returncode, running.stderr.read()) == (0, "")
