"""`forget`: what it shows, asks and erases, and what it says of what it cannot reach."""

import json
from pathlib import Path

import pytest

from bridge.cli.forget import NOUNS
from bridge.outcome import Attempt, Dead, Refused
from bridge.store import open_ledger, open_outbox
from bridge.store.base import AddressState, Settlement
from bridge.store.personal import RULES
from bridge.store.queries.audit import audit_records
from tests.commands import Run, typed_by
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import claimed
from tests.store.forgetting import bytes_with, columns_with

FILE = """
timezone: UTC
sources: {{marzban: {{panel: marzban, secret: none-at-all-0123}}}}
sinks:
  ops: {{type: console}}
  dm: {{type: telegram, token: "123456:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", chat_id: "{{{{ person.telegram }}}}"}}
routes: [{{match: user.*, to: dm, audience: user}}]
directory:
  file: people.csv
  users: {{bob: {{telegram: 700002}}}}
store: {store}
"""
PEOPLE = "kind,name,telegram\nuser,carol,700003\nuser,alice,700001\n"


@pytest.fixture
async def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, store_url: str) -> Run:
    """Type `forget` over a store that has an event of alice and of bob, a dead letter and an address of hers."""
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "config.yaml").write_text(FILE.format(store=store_url))
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
        alice, _ = await claimed(outbox)
        await outbox.settle([Settlement(alice, Dead("HTTP 400"), Attempt(Refused("HTTP 400")), START, ms=1.0)])
        await outbox.save_address_state("a bot", "700001", AddressState(START))
        await outbox.keep_directory("1", [("marzban/user:alice", {"telegram": 700001})])
    run_ = typed_by(capsys)
    return lambda *words: run_(words[0], "-c", tmp_path / "config.yaml", *words[1:])


async def test_it_shows_what_it_would_erase_and_erases_nothing_that_nobody_agrees_to(
    run: Run, store_url: str, tmp_path: Path
) -> None:
    status, out, err = run("forget", "user:alice")
    assert out == (
        "marzban/user:alice: 1 event, 1 delivery, 1 attempt, 1 record of the directory, 1 address\n"
        f"not within reach: {tmp_path}/people.csv:3, backups, logs, what stands in the chats\n"
    )
    assert (status, err) == (1, "forget: nothing was erased: say --yes, or answer on a terminal\n")
    assert "events.data" in columns_with(store_url, "alice")


async def test_what_is_erased_is_gone_from_rows_and_bytes_and_the_audit_does_not_name_her(
    run: Run, store_url: str
) -> None:
    status, out, err = run("forget", "user:alice", "--yes")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == ("erased: 1 event, 1 delivery, 1 attempt, 1 record of the directory, 1 address")
    assert columns_with(store_url, "alice") == columns_with(store_url, "700001") == set()
    assert bytes_with(store_url, "alice") == []
    with open_ledger(store_url) as ledger:
        [line] = ledger.read(audit_records, limit=5)
    assert (line.action, line.detail["events"]) == ("forget", 1)
    assert run("forget", "user:alice", "--yes")[1].endswith("nothing is kept about them\n")
    assert run("forget", "user:alice", "--check") == (0, "marzban/user:alice: nothing is left\n", "")


async def test_a_name_is_asked_for_on_a_terminal(run: Run, store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "bob")
    assert run("forget", "user:alice")[2] == "forget: nothing was erased: that is another name\n"
    assert "events.data" in columns_with(store_url, "alice")
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "alice")
    assert run("forget", "user:alice")[0] == 0
    assert columns_with(store_url, "alice") == set()


async def test_what_is_left_is_told_by_check(run: Run, store_url: str) -> None:
    status, out, _ = run("forget", "user:alice", "--check", "--json")
    told = json.loads(out)
    assert (status, told["left"], told["rows"]["events"]) == (1, True, 1)
    run("forget", "user:alice", "--yes")
    file = Path(store_url.removeprefix("sqlite:///"))
    file.write_bytes(file.read_bytes() + b"alice".rjust(4096, b"\0"))
    status, out, _ = run("forget", "user:alice", "--check")
    assert status == 1
    assert "panelbridge.db: has the name where no row is: forget writes it anew" in out


async def test_events_of_others_that_name_her_are_named(run: Run, store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        event = an_event("node:fra", type_="node.error")
        event.data["note"] = "alice says it is slow"
        await outbox.put(an_intake(event))
    out = run("forget", "user:alice", "--yes")[1]
    assert "also named in 1 event of others: --mentions erases those too" in out
    assert f"  event {event.id}: node.error" in out
    assert "events.data" in columns_with(store_url, "alice")
    assert "erased: 1 event" in run("forget", "user:alice", "--yes", "--mentions")[1]
    assert columns_with(store_url, "alice") == set()


@pytest.mark.parametrize(
    ("who", "error"),
    [
        ("alice", "say whom, as owner:NAME, node:NAME, user:NAME"),
        ("owner:reseller-7", "forget: say whom, as user:NAME: an owner is no person"),
        ("node:fra", "forget: say whom, as user:NAME: a node is no person"),
        ("user: alice", "say whom, as owner:NAME, node:NAME, user:NAME"),
    ],
)
async def test_only_a_user_can_be_forgotten(run: Run, who: str, error: str) -> None:
    assert run("forget", who, "--yes") == (1, "", f"{error}\n")


def test_rows_of_every_table_that_are_somebodys_have_a_name() -> None:
    """Of the others a name is erased, or it is told who still says it."""
    others = {"audit", "lanes", "announcements", "polled", "tables"}
    assert {table.name for table in RULES} - NOUNS.keys() == others
    assert not others & NOUNS.keys()
