"""What a command is given and where it writes: words that are no text, streams that are closed, full or not read."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bridge.store import open_outbox
from tests.commands import typed_by
from tests.fakes import an_event, an_intake

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[1]
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}


@pytest.fixture
async def file(tmp_path: Path, store_url: str) -> Path:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event()))
    file = tmp_path / "config.yaml"
    file.write_text(f"store: {store_url}\nsinks: {{ops: {{type: console}}}}\n")
    return file


def typed(command: str, *, more: Mapping[str, str] | None = None, **words: Path) -> tuple[int, str, str]:
    """What a shell makes of a command, and of where its streams lead."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    names = {"panelbridge": f"{sys.executable} -m bridge", **words}
    done = subprocess.run(
        ["/bin/sh", "-c", command.format_map(names)],
        cwd=ROOT,
        env={**environment, **(more or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("more", [{}, UNBUFFERED])
@pytest.mark.parametrize("words", ["events", "lanes --json", "people export", "backup -"])
def test_where_nothing_can_be_written_it_says_so_in_one_line_and_ends_with_1(
    file: Path, words: str, more: Mapping[str, str]
) -> None:
    told = typed(f"{{panelbridge}} {words} -c {{file}} > /dev/full", file=file, more=more)
    assert told == (1, "", "cannot write: No space left on device\n")


@pytest.mark.parametrize("words", ["status", "render --service telegram --locale fa"])
def test_what_a_terminal_has_no_signs_for_is_escaped(file: Path, words: str) -> None:
    ascii_alone = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    _, out, error = typed(f"{{panelbridge}} {words} -c {{file}}", file=file, more=ascii_alone)
    assert (bool(out), out.isascii(), error) == (True, True, "")


@pytest.mark.parametrize("more", [{}, UNBUFFERED])
@pytest.mark.parametrize("words", ["events", "people export"])
def test_where_nobody_reads_any_more_it_ends_without_a_word(file: Path, words: str, more: Mapping[str, str]) -> None:
    status = "{panelbridge} " + words + " -c {file}; echo $? >&2"
    assert typed(f"({status}) | true", file=file, more=more) == (0, "", "1\n")


def test_with_its_output_closed_it_does_what_it_does(file: Path) -> None:
    assert typed("{panelbridge} events -c {file} >&-", file=file) == (0, "", "")
    assert typed("{panelbridge} events -c {file} --sink opps 2>&-", file=file)[:2] == (2, "")


def test_a_file_whose_name_is_not_utf_8_is_named_nevertheless(file: Path) -> None:
    target = file.parent / os.fsdecode(b"\xff.db")
    told = typed(
        "{panelbridge} backup {target} -c {file}", file=file, target=target, more={"PYTHONIOENCODING": "utf-8"}
    )
    assert told == (0, f"{file.parent}/\\udcff.db: 1 event, 1 delivery\n", "")


def test_what_the_outputs_encoding_has_not_is_written_by_its_number(file: Path) -> None:
    status, out, err = typed("{panelbridge} status -c {file}", file=file, more={"PYTHONIOENCODING": "ascii"})
    assert (status, out[:7], err) == (1, "\\u25c6 ", "")


@pytest.mark.parametrize(
    "words",
    [
        ("deliveries", "--subject", "user:\udcff"),
        ("events", "--sink", "\udcff"),
        ("deliveries", "--type", "\udcff"),
        ("explain", "\udcff"),
        ("mute", "user:\udcff", "2h"),
        ("replay", "--subject", "user:\udcff"),
        ("dismiss", "--source", "\udcff"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(
    file: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    assert typed_by(capsys)(*words, "-c", file) == (2, "", "store: a text is not UTF-8\n")
