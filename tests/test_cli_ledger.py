"""`deliveries` and `replay`: looking up what became of events, and sending them again."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from bridge.intake import Intake, SetAside
from bridge.outcome import Again, Attempt, Away, Dead, Delivered, Done, Fate, Refused
from bridge.store import open_outbox
from bridge.store.base import Delivery, Settlement
from tests.fakes import START, an_event, an_intake

Run = Callable[..., tuple[int, str, str]]
LONG_AGO = START - timedelta(days=300)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    (tmp_path / "config.yaml").write_text(
        f"store: sqlite:///{tmp_path}/panelbridge.db\ntimezone: Asia/Tehran\n"
        "sinks:\n  ops: {type: console}\n  team: {type: console}\n"
    )

    def run_(command: str, *args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as raised:
            main([command, "-c", str(tmp_path / "config.yaml"), *map(str, args)])
        told = capsys.readouterr()
        return int(raised.value.code or 0), told.out, told.err

    return run_


@pytest.fixture
async def kept(store_url: str) -> None:
    """Four deliveries: 1 delivered and 2 dead of alice to ops and team, 3 waiting of bob, 4 pending of an old event."""
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event("user:alice"), sinks=("ops", "team")))
        await outbox.put(an_intake(an_event("user:bob\x1b[31m", type_="user.expired"), sinks=("ops",)))
        await outbox.put(an_intake(replace(an_event(None, at=LONG_AGO), source="berlin"), sinks=("ops",)))
        element = {"action": "user_created"}
        aside = SetAside(source="marzban", received_at=START, path="[2].username", reason="is missing", element=element)
        await outbox.put(Intake([], [aside]))
        ops = (await outbox.claim("ops", after=0, now=START, limit=9)).deliveries
        team = (await outbox.claim("team", after=0, now=START, limit=9)).deliveries
        await outbox.settle(settled(ops[0], Done("group was upgraded"), Attempt(Delivered(), 200, "ok")))
        await outbox.settle(settled(team[0], Dead("HTTP 400"), Attempt(Refused("HTTP 400"), 400, '{"code": 50035}')))
        await outbox.settle(settled(ops[1], Again(START, "HTTP 502"), Attempt(Away("HTTP 502"), 502)))


def settled(delivery: Delivery, fate: Fate, attempt: Attempt) -> Settlement:
    return Settlement(delivery, fate, attempt, START)


def ids(run: Run, *args: object) -> list[int]:
    status, out, _ = run("deliveries", *args, "--json")
    assert status == 0
    return [one["id"] for one in json.loads(out)]


@pytest.mark.usefixtures("kept")
def test_deliveries_are_listed_newest_first_in_the_time_zone_of_the_file(run: Run) -> None:
    status, out, err = run("deliveries")
    assert (status, err) == (0, "")
    head, *rows = out.splitlines()
    assert head.split() == ["ID", "WHEN", "SOURCE", "TYPE", "SUBJECT", "SINK", "STATE", "TRIES", "REASON"]
    assert [row.split()[0] for row in rows] == ["4", "3", "2", "1"]
    assert rows[2].split() == (
        ["2", "2026-11-21", "07:44:18", "marzban", "user.created", "user:alice", "team", "dead", "1", "HTTP", "400"]
    )
    assert "user:bob�[31m" in rows[1]
    assert "\x1b" not in out


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], [4, 3, 2, 1]),
        (["--dead"], [2]),
        (["--pending"], [4, 3]),
        (["--dead", "--pending"], [4, 3, 2]),
        (["--sink", "team"], [2]),
        (["--source", "berlin"], [4]),
        (["--type", "user.created", "--sink", "ops"], [4, 1]),
        (["--subject", "user:alice"], [2, 1]),
        (["--since", "2026-11-21"], [3, 2, 1]),
        (["--since", "2026-11-21T07:44:18"], [3, 2, 1]),
        (["--since", "2026-11-21T07:44:19"], []),
        (["--since", "2026-11-21T04:14:18Z"], [3, 2, 1]),
        (["--limit", "2"], [4, 3]),
        (["--sink", "nobody"], []),
    ],
)
def test_deliveries_are_found_by_what_one_knows(run: Run, args: Sequence[str], expected: list[int]) -> None:
    assert ids(run, *args) == expected


async def test_since_may_be_a_duration(run: Run, store_url: str) -> None:
    now = datetime.now(UTC)
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event(at=now - timedelta(hours=3))))
        await outbox.put(an_intake(an_event(at=now - timedelta(hours=1))))
    assert ids(run, "--since", "2h") == [2]
    assert ids(run, "--since", "1d") == [2, 1]


@pytest.mark.usefixtures("kept")
def test_one_delivery_is_shown_in_full_with_the_answer_and_why(run: Run) -> None:
    status, out, _ = run("deliveries", "--id", 2)
    assert status == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for line in ("state dead", "reason HTTP 400", "status 400", 'answer {"code": 50035}', "→ route 1: matched *"):
        assert line in lines
    assert '"username": "alice"' in out


@pytest.mark.usefixtures("kept")
def test_one_delivery_is_told_to_programs(run: Run) -> None:
    status, out, _ = run("deliveries", "--id", 1, "--json")
    told: dict[str, Any] = json.loads(out)
    assert (status, told["state"], told["note"]) == (0, "delivered", "group was upgraded")
    assert told["verdicts"] == [{"row": "route 1", "matched": True, "why": "matched *"}]
    assert told["event"]["subject"] == "user:alice"


@pytest.mark.usefixtures("kept")
def test_what_was_set_aside_is_listed(run: Run) -> None:
    status, out, _ = run("deliveries", "--set-aside")
    assert (status, out.splitlines()[1].split()[3:]) == (0, ["marzban", "[2].username", "is", "missing"])
    _, out, _ = run("deliveries", "--set-aside", "--json")
    assert [one["element"] for one in json.loads(out)] == [{"action": "user_created"}]


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("args", "replayed"),
    [
        (["2"], [2]),
        (["1", "2"], [1, 2]),
        (["1", "--dead"], []),
        (["--dead"], [2]),
        (["--sink", "team"], [2]),
        (["--sink", "ops"], []),
        (["--sink", "ops", "--delivered"], [1]),
        (["--since", "2026-11-21", "--delivered"], [1, 2]),
        (["--source", "berlin"], []),
        (["3"], []),
    ],
)
def test_replay_sends_again_what_is_meant_and_settled(run: Run, args: Sequence[str], replayed: list[int]) -> None:
    status, out, err = run("replay", *args)
    new = [5 + index for index, _ in enumerate(replayed)]
    assert out.split() == [str(one) for one in new]
    assert (status, err) == ((0, "") if replayed else (1, "replay: no settled delivery is meant by that\n"))
    _, out, _ = run("deliveries", "--json")
    assert {one["id"]: one["replay_of"] for one in json.loads(out) if one["replay_of"]} == dict(
        zip(new, replayed, strict=True)
    )


@pytest.mark.usefixtures("kept")
def test_replay_tells_the_new_ids_to_programs(run: Run) -> None:
    assert json.loads(run("replay", "--dead", "--json")[1]) == {"replayed": [5]}


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("args", [[], ["--delivered"]])
def test_replay_never_means_everything(run: Run, args: Sequence[str]) -> None:
    assert run("replay", *args) == (1, "", "replay: say which: ids, --dead, --sink, --source or --since\n")


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("command", "args", "told"),
    [
        ("deliveries", ["--id", "99"], "deliveries: there is no delivery 99"),
        ("deliveries", ["--since", "soon"], "--since: soon is neither a duration such as 2h nor a time such as"),
        ("replay", ["--since", "5x"], "--since: 5x is neither a duration such as 2h nor a time such as"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, command: str, args: Sequence[str], told: str) -> None:
    status, out, err = run(command, *args)
    assert (status, out) == (1, "")
    assert err.startswith(told)


def test_looking_up_makes_no_store(run: Run, tmp_path: Path) -> None:
    status, _, err = run("deliveries")
    assert status == 1
    assert err.startswith(f"store: there is none at {tmp_path}/panelbridge.db yet")
    assert not (tmp_path / "panelbridge.db").exists()
