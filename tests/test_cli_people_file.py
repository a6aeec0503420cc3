"""`people export` and `people import`: from one store to another, and what is wrong with a file."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.cli.people_file import NOUNS
from bridge.store import open_ledger, open_outbox
from bridge.store.base import AddressState
from bridge.store.people_file import TABLES
from bridge.store.queries.audit import audit_records
from bridge.store.queries.wishes import set_stopped
from tests.commands import Run, typed_by
from tests.fakes import START

FILE = "timezone: UTC\nsources: {marzban: {panel: marzban, secret: none}}\nsinks: {ops: {type: console}}\nstore: "


@pytest.fixture
async def at(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[[str], Run]:
    """`people` at one of two stores, of which the old one knows that alice wants nothing, and that bob has gone."""
    for name in ("old", "new"):
        url = f"sqlite:///{tmp_path}/{name}.db"
        (tmp_path / f"{name}.yaml").write_text(FILE + url)
        async with open_outbox(url) as outbox:
            if name == "old":
                await outbox.save_address_state("a bot", "700002", AddressState(START, "blocked"))
    with open_ledger(f"sqlite:///{tmp_path}/old.db") as ledger:
        ledger.write(set_stopped, "marzban/user:alice", stop=True, by="operator", now=START)
    run = typed_by(capsys)
    return lambda name: lambda *words: run("people", "-c", tmp_path / f"{name}.yaml", *words)


def test_what_one_store_knows_another_is_told(at: Callable[[str], Run], tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    assert at("old")("export", file) == (0, f"{file}: 2 rows\n", "")
    assert file.stat().st_mode & 0o777 == 0o600  # it has people's addresses
    assert at("new")("import", file, "--dry-run") == (0, "would take 1 wish, 1 address\n", "")
    assert at("new")("export")[1] == '{"panelbridge":"people","version":1}\n'
    assert at("new")("import", file) == (0, "took 1 wish, 1 address\n", "")
    assert at("new")("export")[1] == at("old")("export")[1] == file.read_text()
    assert at("new")("import", file) == (0, "took nothing new\n", "")
    with open_ledger(f"sqlite:///{tmp_path}/new.db") as ledger:
        [line] = ledger.read(audit_records, limit=5)
    assert (line.action, line.detail) == ("people import", {"wishes": 1, "addresses": 1})


def test_rows_of_every_table_have_a_name() -> None:
    assert NOUNS.keys() == {table.name for table in TABLES}


def test_an_export_that_is_to_do_nothing_makes_no_file(at: Callable[[str], Run], tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    status, _, err = at("old")("export", file, "--dry-run")
    assert (status, err.partition(":")[0]) == (1, "people export")
    assert not file.exists()


def test_it_comes_through_a_pipe_too(at: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(at("old")("export", "-")[1]))
    assert json.loads(at("new")("import", "-", "--json")[1]) == {"wishes": 1, "addresses": 1}


def test_of_a_file_with_a_mistake_nothing_is_taken(at: Callable[[str], Run], tmp_path: Path) -> None:
    file = tmp_path / "people.jsonl"
    file.write_text(at("old")("export")[1] + "{\n")
    status, _, err = at("new")("import", file)
    assert (status, err) == (1, f"people import: nothing was taken\n{file}:4: is no JSON\n")
    assert at("new")("export")[1] == '{"panelbridge":"people","version":1}\n'


def test_what_cannot_be_read_or_written_is_told(at: Callable[[str], Run], tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"\xff\xfe")
    for words, error in (
        (("import",), "people import: say from which file; - is standard input"),
        (("import", tmp_path / "no"), f"people import: cannot read {tmp_path}/no: No such file or directory"),
        (("import", tmp_path / "there"), f"people import: {tmp_path}/there is not UTF-8"),
        (("export", tmp_path / "there"), f"people export: there is a {tmp_path}/there already: give another name"),
        (
            ("export", tmp_path / "no" / "no"),
            f"people export: cannot write {tmp_path}/no/no: No such file or directory",
        ),
        (("user:alice", tmp_path / "no"), "people: a file goes with export and import, --dry-run with import"),
    ):
        assert at("new")(*words) == (1, "", f"{error}\n")
