"""`mute`: what nobody is to be told of for a while, and the audit of what commands change."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.admin import operations
from bridge.admin.shapes import Audited
from bridge.cli import main
from bridge.outcome import Attempt, Dead, Refused
from bridge.store import open_ledger, open_outbox
from bridge.store.base import LaneState, Settlement, Standing
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import claimed

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
async def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, store_url: str) -> Run:
    """Run a command over a store that knows alice, with a dead letter of hers and a parked lane."""
    names = "sources: {marzban: {panel: marzban, secret: none}}\nsinks: {ops: {type: console}}\n"
    (tmp_path / "config.yaml").write_text(f"store: {store_url}\ntimezone: UTC\n{names}")
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob")))
        alice, _ = await claimed(outbox)
        await outbox.settle([Settlement(alice, Dead("HTTP 400"), Attempt(Refused("HTTP 400")), START, ms=1.0)])
        await outbox.save_lane_state("ops", LaneState(standing=Standing.PARKED, since=START), epoch=0)

    def run_(command: str, *args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as raised:
            main([command, "-c", str(tmp_path / "config.yaml"), *map(str, args)])
        told = capsys.readouterr()
        return int(raised.value.code or 0), told.out, told.err

    return run_


@pytest.mark.parametrize(
    "what", ["user:alice", "user:nobody", "type:user.created", "type:user.*", "source:marzban", "sink:ops"]
)
def test_what_is_muted_is_listed_until_it_is_ended(run: Run, what: str) -> None:
    status, out, err = run("mute", what, "2h")
    assert (status, err) == (0, "")
    assert out.startswith(f"{what}: muted until ")
    [one] = json.loads(run("mute", "--json")[1])
    assert (one["id"], one["what"]) == (1, what)
    assert datetime.fromisoformat(one["until"]) > datetime.now(UTC) + timedelta(hours=1, minutes=50)
    assert what in run("mute", "--list")[1]
    assert run("mute", "--end", what) == (0, f"{what}: told again\n", "")
    assert run("mute")[1] == "nothing is muted\n"


def test_a_mute_can_be_ended_by_its_id(run: Run) -> None:
    run("mute", "user:alice", "2h")
    assert run("mute", "--end", "1") == (0, "user:alice: told again\n", "")
    assert run("mute", "--end", "1") == (1, "", "mute: nothing that is called 1 is muted\n")


@pytest.mark.parametrize(
    ("args", "status", "told"),
    [
        (("alice", "2h"), 1, "mute: alice is no subject such as user:alice, nor type:…, source:… or sink:…"),
        (("user:", "2h"), 1, "mute: user: is no subject"),
        (("user:alice",), 1, "mute: say what and for how long, as in mute user:alice 2h"),
        (("user:alice", "2h", "--list"), 1, "mute: say what and for how long"),
        (("--list", "--end", "1"), 1, "mute: say what and for how long"),
        (("user:alice", "soon"), 1, "mute: for how long should be a duration such as 30s, 5m, 12h or 30d"),
        (("user:alice", "0s"), 1, "mute: for how long should be more than nothing, and at most 366 days"),
        (("user:alice", "400d"), 1, "mute: for how long should be more than nothing, and at most 366 days"),
        (("user:" + "x" * 600, "2h"), 1, "mute: it should have at most 500 characters"),
        (("sink:opps", "2h"), 2, 'no sink is called "opps": did you mean "ops"?'),
        (("source:marzbn", "2h"), 2, 'no source is called "marzbn": did you mean "marzban"?'),
        (("type:user.creatd", "2h"), 2, 'no event has the type "user.creatd"'),
    ],
)
def test_what_cannot_be_muted_is_said_in_one_line(run: Run, args: tuple[str, ...], status: int, told: str) -> None:
    code, out, err = run("mute", *args)
    assert (code, out) == (status, "")
    assert err.startswith(told)
    assert err.count("\n") == 1
    assert run("mute")[1] == "nothing is muted\n"


def audited(store_url: str) -> list[Audited]:
    with open_ledger(store_url) as ledger:
        return operations.audited(ledger)


#: Each command that changes something, and what the audit says of it.
COMMANDS = {
    ("mute", "user:alice", "2h"): ("mute", {"what": "user:alice"}),
    ("resume", "ops"): ("resume", {"sink": "ops", "held": True}),
    ("replay", "--dead"): ("replay", {"deliveries": 1}),
    ("replay", "--dead", "--sink", "ops"): ("replay", {"deliveries": 1, "sink": "ops"}),
    ("dismiss", "--all"): ("dismiss", {"deliveries": 1}),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_command_changes_is_remembered_with_who_did_it(
    run: Run, store_url: str, command: tuple[str, ...]
) -> None:
    assert run(*command)[0] == 0
    action, detail = COMMANDS[command]
    [one] = audited(store_url)
    assert one.action == action
    assert one.detail | detail == one.detail
    assert one.who.endswith("command") or one.who.endswith("(command)")


def test_what_is_undone_is_remembered_too(run: Run, store_url: str) -> None:
    for command in (
        ("mute", "sink:ops", "1h"),
        ("mute", "--end", "sink:ops"),
        ("dismiss", "--all"),
        ("dismiss", "--undo", "--all"),
    ):
        run(*command)
    assert [one.action for one in audited(store_url)] == ["restore", "dismiss", "unmute", "mute"]


@pytest.mark.parametrize(
    "command",
    [("replay", "--dead", "--dry-run"), ("dismiss", "--all", "--dry-run"), ("mute", "--list"), ("lanes",), ("status",)],
)
def test_what_changes_nothing_is_not_remembered(run: Run, store_url: str, command: tuple[str, ...]) -> None:
    run(*command)
    assert audited(store_url) == []
