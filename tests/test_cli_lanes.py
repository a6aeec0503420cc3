"""`lanes` and `resume`: how the lanes stand, and letting them flow again."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from bridge.store import open_outbox
from bridge.store.base import LaneState, Standing
from tests.fakes import START, an_event, an_intake

Run = Callable[..., tuple[int, str, str]]
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command with a file that has five sinks, of which the store knows three."""
    names = ("ops", "team", "night", "new")
    sinks = "".join(f"  {name}: {{type: console}}\n" for name in names) + "  off: {type: console, enabled: false}\n"
    text = f"store: sqlite:///{tmp_path}/panelbridge.db\ntimezone: Asia/Tehran\nsinks:\n{sinks}"
    (tmp_path / "config.yaml").write_text(text)

    def run_(command: str, *args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as raised:
            main([command, "-c", str(tmp_path / "config.yaml"), *map(str, args)])
        told = capsys.readouterr()
        return int(raised.value.code or 0), told.out, told.err

    return run_


@pytest.fixture
async def kept(store_url: str) -> None:
    """ops is parked and has two waiting, team is away, night flows; and there is a sink of an older file."""
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob"), sinks=("ops",)))
        await outbox.put(an_intake(an_event(at=START + AN_HOUR), sinks=("ops", "gone")))
        parked = LaneState(standing=Standing.PARKED, reason="HTTP 404\x1b[31m", since=START)
        away = LaneState(standing=Standing.AWAY, reason="HTTP 502", since=START, until=START + AN_HOUR, failures=3)
        for sink, state in (("ops", parked), ("team", away), ("night", LaneState())):
            await outbox.save_lane_state(sink, state, epoch=0)


async def test_what_nobody_carries_is_said_to_be_so_however_its_lane_stood(run: Run, store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        parked = LaneState(standing=Standing.PARKED, reason="HTTP 404", since=START)
        for sink in ("gone", "off"):
            await outbox.save_lane_state(sink, parked, epoch=0)
    rows = {line.split()[0]: line for line in run("lanes")[1].splitlines()}
    assert "not in the file" in rows["gone"]
    assert "disabled" in rows["off"]


def told(run: Run) -> dict[str, dict[str, Any]]:
    status, out, _ = run("lanes", "--json")
    assert status == 0
    return {one["sink"]: one for one in json.loads(out)}


@pytest.mark.usefixtures("kept")
def test_lanes_are_listed_by_name_in_the_time_zone_of_the_file(run: Run) -> None:
    status, out, err = run("lanes")
    assert (status, err) == (0, "")
    head, *rows = out.splitlines()
    assert head.split() == ["SINK", "STANDING", "SINCE", "WAITING", "OLDEST", "DEAD", "REASON", "UNTIL", "OWNER"]
    lines = [" ".join(row.split()) for row in rows]
    assert lines == [
        "gone not in the file 1 2026-11-21 08:44:18+03:30",
        "new open 0",
        "night open 0",
        "off disabled 0",
        "ops parked 2026-11-21 07:44:18+03:30 3 2026-11-21 07:44:18+03:30 HTTP 404�[31m",
        "team away 2026-11-21 07:44:18+03:30 0 HTTP 502 2026-11-21 08:44:18+03:30",
    ]


@pytest.mark.usefixtures("kept")
def test_lanes_are_told_to_programs(run: Run) -> None:
    lanes = told(run)
    assert list(lanes) == ["gone", "new", "night", "off", "ops", "team"]
    assert lanes["ops"] == {
        "sink": "ops",
        "standing": "parked",
        "reason": "HTTP 404\x1b[31m",
        "since": "2026-11-21T04:14:18Z",
        "until": None,
        "failures": 0,
        "owner": None,
        "pending": 3,
        "waiting": 0,
        "dead": 0,
        "oldest": "2026-11-21T04:14:18Z",
        "sink_is": "enabled",
    }
    assert {name: lanes[name]["sink_is"] for name in ("new", "off", "gone")} == {
        "new": "enabled",
        "off": "disabled",
        "gone": "not in the file",
    }


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("args", "lines", "held"),
    [
        (["ops"], ["ops: resumed; it was parked since 2026-11-21 07:44:18+03:30 (HTTP 404�[31m), 3 waiting"], ["team"]),
        (["team"], ["team: resumed; it was away since 2026-11-21 07:44:18+03:30 (HTTP 502), 0 waiting"], ["ops"]),
        (["night"], ["night: was not parked or away"], ["ops", "team"]),
        (["new", "new"], ["new: was not parked or away"], ["ops", "team"]),
    ],
)  # fmt: skip
def test_resume_frees_the_lanes_it_is_told_and_no_other(
    run: Run, args: Sequence[str], lines: list[str], held: list[str]
) -> None:
    status, out, err = run("resume", *args)
    assert (status, out.splitlines(), err) == (0, lines, "")
    assert [name for name, one in told(run).items() if one["standing"] != "open"] == held


@pytest.mark.usefixtures("kept")
def test_resume_frees_all_that_are_held(run: Run) -> None:
    status, out, _ = run("resume", "--all")
    assert (status, [line.partition(":")[0] for line in out.splitlines()]) == (0, ["ops", "team"])
    lanes = told(run)
    assert {one["standing"] for one in lanes.values()} == {"open"}
    assert lanes["team"]["until"] is None
    assert run("resume", "--all") == (0, "no lane is parked or away\n", "")


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ([], "resume: say which: sinks, or --all"),
        (["ops", "--all"], "resume: say which: sinks, or --all"),
    ],
)
def test_what_cannot_be_resumed_is_said_and_nothing_is_done(run: Run, args: Sequence[str], reason: str) -> None:
    assert run("resume", *args) == (1, "", f"{reason}\n")
    assert told(run)["ops"]["standing"] == "parked"


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (["opps"], 'no sink is called "opps": did you mean "ops"?'),
        (["ops", "o\x1b]ps"], 'no sink is called "o�]ps": did you mean "ops"?'),
        (["ops", "zebra"], 'no sink is called "zebra": there are gone, new, night, off, ops, team'),
    ],
)
def test_a_sink_that_there_is_not_cannot_be_resumed_nor_those_beside_it(
    run: Run, args: Sequence[str], reason: str
) -> None:
    assert run("resume", *args) == (2, "", f"{reason}\n")
    assert told(run)["ops"]["standing"] == "parked"
