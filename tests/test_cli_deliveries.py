"""`deliveries`, `replay` and `dismiss`: what became of events, and what to do with what did not arrive."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from bridge.admin import operations
from bridge.cli import app, main
from bridge.event import Event
from bridge.intake import Intake, SetAside
from bridge.outcome import Again, Attempt, Away, Dead, Delivered, Done, Fate, HeldBack, Refused
from bridge.store import open_ledger, open_outbox
from bridge.store.base import Delivery, Settlement
from bridge.store.queries import walk
from bridge.store.queries.records import delivery_records
from bridge.store.records import DeliveryQuery
from bridge.value import replace
from tests.fakes import START, an_event, an_intake

Run = Callable[..., tuple[int, str, str]]
LONG_AGO = START - timedelta(days=300)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    (tmp_path / "config.yaml").write_text(
        f"store: sqlite:///{tmp_path}/panelbridge.db\ntimezone: Asia/Tehran\n"
        "sources:\n  berlin: {panel: marzban, secret: none}\n"
        "sinks:\n  ops: {type: console}\n  team: {type: console}\n"
        "routes:\n  - {match: user.*, to: [ops, team]}\n  - {match: '*', source: berlin, to: ops}\n"
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


@pytest.fixture
async def held_back(kept: None, store_url: str) -> None:
    """And a fifth one, of a node, that was held back."""
    async with open_outbox(store_url) as outbox:
        made = await outbox.put(an_intake(an_event("node:fra-1", type_="node.connection_lost"), sinks=("team",)))
        (delivery,) = made.deliveries
        await outbox.settle(settled(delivery, HeldBack("node.connection_restored came in time"), Attempt(Delivered())))


def settled(delivery: Delivery, fate: Fate, attempt: Attempt) -> list[Settlement]:
    return [Settlement(delivery, fate, attempt, START)]


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
        [
            "2",
            "2026-11-21",
            "07:44:18+03:30",
            "marzban",
            "user.created",
            "user:alice",
            "team",
            "dead",
            "1",
            "HTTP",
            "400",
        ]
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
        (["--until", "2026-11-21"], [4]),
        (["--until", "2026-11-21T07:44:18"], [4]),
        (["--until", "2026-11-21T07:44:19"], [3, 2, 1, 4]),  # in the order of the events
        (["--since", "2026-11-21", "--until", "2026-11-22", "--sink", "ops"], [3, 1]),
        (["--limit", "2"], [4, 3]),
    ],
)
def test_deliveries_are_found_by_what_one_knows(run: Run, args: Sequence[str], expected: list[int]) -> None:
    assert ids(run, *args) == expected


@pytest.mark.usefixtures("kept")
def test_a_list_says_where_looking_ended_and_goes_on_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "WALKED", 3)
    args = ("deliveries", "--source", "marzban", "--json")
    status, out, err = run(*args)
    assert (status, [one["id"] for one in json.loads(out)]) == (0, [3, 2])
    assert err == "looked through the deliveries back to 2026-11-21 07:44:18+03:30: go on with --before 2\n"
    status, out, err = run(*args, "--before", 2)
    assert (status, [one["id"] for one in json.loads(out)], err) == (0, [1], "")


@pytest.mark.usefixtures("kept")
def test_what_was_dealt_with_is_counted_as_far_as_anyone_counts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("replay", 1, 2)
    monkeypatch.setattr(operations, "COUNTED", 1)
    status, _, err = run("replay", "--dead", "--delivered")
    assert (status, "more than 1 delivery was replayed or dismissed before" in err) == (1, True), err


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
    [verdict] = told["verdicts"]
    assert (verdict["row"], verdict["matched"], verdict["why"]) == ("route 1", True, "matched *")
    assert told["event"]["subject"] == "user:alice"


@pytest.mark.usefixtures("kept")
def test_what_was_set_aside_is_listed(run: Run) -> None:
    status, out, _ = run("deliveries", "--set-aside")
    assert (status, out.splitlines()[1].split()[3:]) == (0, ["marzban", "[2].username", "is", "missing"])
    _, out, _ = run("deliveries", "--set-aside", "--json")
    assert [one["element"] for one in json.loads(out)] == [{"action": "user_created"}]
    _, out, _ = run("deliveries", "--set-aside", "--json", "--before", 1)
    assert json.loads(out) == []


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    "filter_", [["--sink", "ops"], ["--type", "user.created"], ["--subject", "user:alice"], ["--dead"], ["--pending"]]
)
def test_what_was_set_aside_is_not_asked_for_by_what_it_has_not(run: Run, filter_: list[str]) -> None:
    assert run("deliveries", "--set-aside", *filter_) == (
        1,
        "",
        "deliveries: what was set aside has a source and a time alone: with --set-aside leave all but --source,"
        " --since, --until, --before and --limit out\n",
    )


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
        (["--type", "user.created"], [2]),
        (["--type", "user.expired"], []),
        (["--subject", "user:alice", "--delivered"], [1, 2]),
        (["--subject", "user:bob"], []),
        (["--until", "2026-11-22"], [2]),
        (["--until", "2026-11-21"], []),
        (["3"], []),
    ],
)
def test_replay_sends_again_what_is_meant_and_settled(run: Run, args: Sequence[str], replayed: list[int]) -> None:
    status, out, err = run("replay", *args)
    new = [5 + index for index, _ in enumerate(replayed)]
    rows = [(int(line.split()[0]), int(line.split()[-1])) for line in out.splitlines()[1:-2]]
    assert rows == list(zip(replayed, new, strict=True))
    assert (status, err) == ((0, "") if replayed else (1, "replay: no settled delivery is meant by that\n"))
    _, out, _ = run("deliveries", "--json")
    assert {one["id"]: one["replay_of"] for one in json.loads(out) if one["replay_of"]} == dict(
        zip(new, replayed, strict=True)
    )


@pytest.mark.usefixtures("kept")
def test_replay_tells_the_new_ids_to_programs(run: Run) -> None:
    one = {"replay_of": 2, "id": 5, "sink": "team", "type": "user.created", "subject": "user:alice"}
    expected = {"replayed": [5], "deliveries": [one], "already": 0, "already_more": False, "dry_run": False}
    assert json.loads(run("replay", "--dead", "--json")[1]) == expected


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("args", [[], ["--delivered"]])
def test_replay_never_means_everything(run: Run, args: Sequence[str]) -> None:
    status, out, err = run("replay", *args)
    assert (status, out) == (1, "")
    assert err.startswith("replay: say which: ids, --dead, ")


@pytest.mark.usefixtures("held_back")
def test_what_was_held_back_is_listed_with_the_reason(run: Run) -> None:
    assert ids(run, "--held-back") == [5]
    assert ids(run, "--held-back", "--dead") == [5, 2]
    _, out, _ = run("deliveries", "--held-back")
    assert out.splitlines()[1].split()[7:10] == ["held_back", "0", "node.connection_restored"]


@pytest.mark.usefixtures("held_back")
@pytest.mark.parametrize(
    ("args", "replayed"),
    [
        (["--held-back"], [5]),
        (["--held-back", "--dead"], [2, 5]),
        (["--held-back", "--sink", "ops"], []),
        (["--sink", "team"], [2]),
        (["5"], [5]),
        (["--held-back", "--delivered", "--until", "2027-01-01"], [1, 5]),
    ],
)
def test_what_was_held_back_is_sent_when_that_is_asked_for(run: Run, args: Sequence[str], replayed: list[int]) -> None:
    run("replay", *args)
    told = json.loads(run("deliveries", "--json")[1])
    assert [one["replay_of"] for one in reversed(told) if one["id"] > 5] == replayed


# Events through today's table


def without_a_row(*events: Event) -> Intake:
    return an_intake(*events, sinks=())


@pytest.fixture
async def unrouted(store_url: str) -> None:
    """Five events that no row matched when they came, and one that went to ops."""
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event("user:routed"), sinks=("ops",)))
        await outbox.put(without_a_row(*(an_event(f"user:{n}") for n in range(3))))
        await outbox.put(without_a_row(an_event("node:fra-1", type_="node.created")))
        await outbox.put(without_a_row(replace(an_event(None, type_="peer.created", at=LONG_AGO), source="berlin")))


def sent(store_url: str) -> list[tuple[str | None, str, int | None]]:
    with open_ledger(store_url) as ledger:
        found = ledger.read(delivery_records, DeliveryQuery(limit=None))
    return [(one.subject, one.sink, one.replay_of) for one in reversed(found)][1:]


@pytest.mark.usefixtures("unrouted")
def test_events_that_no_row_matched_go_where_the_table_says_now_oldest_first(run: Run, store_url: str) -> None:
    status, out, err = run("replay", "--events")
    assert (status, err) == (0, "")
    assert [line.split() for line in out.splitlines()[:3]] == [["SINK", "EVENTS"], ["ops", "4"], ["team", "3"]]
    assert out.splitlines()[-1] == "5 events went to no sink; 4 of them are sent now"
    users = [(f"user:{n}", sink, 0) for n in range(3) for sink in ("ops", "team")]
    assert sorted(sent(store_url), key=str) == sorted([*users, (None, "ops", 0)], key=str)
    assert [one for one in sent(store_url) if one[0]] == users


@pytest.mark.usefixtures("unrouted")
def test_events_are_sent_again_once(run: Run, store_url: str) -> None:
    run("replay", "--events")
    before = sent(store_url)
    status, out, err = run("replay", "--events")
    assert (status, err) == (1, "replay: no row of the table takes an event that is meant by that\n")
    assert out == "1 event went to no sink; 0 of them are sent now\n"
    assert sent(store_url) == before


@pytest.mark.usefixtures("unrouted")
def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(run: Run, store_url: str) -> None:
    status, out, _ = run("replay", "--events", "--dry-run", "--json")
    expected = {"events": 5, "matched": 4, "sinks": {"ops": 4, "team": 3}, "replayed": [], "dry_run": True}
    assert (status, json.loads(out)) == (0, expected)
    assert run("replay", "--events", "--dry-run")[1].endswith("5 events went to no sink; 4 of them would go now\n")
    assert sent(store_url) == []


@pytest.mark.usefixtures("unrouted")
@pytest.mark.parametrize(
    ("args", "events", "replayed"),
    [
        (["--source", "berlin"], 1, 1),
        (["--source", "marzban"], 4, 6),
        (["--type", "peer.created"], 1, 1),
        (["--type", "user.created"], 3, 6),
        (["--subject", "user:1"], 1, 2),
        (["--since", "2026-11-21"], 4, 6),
        (["--until", "2026-11-21"], 1, 1),
    ],
)
def test_events_are_chosen_by_what_one_knows(run: Run, args: Sequence[str], events: int, replayed: int) -> None:
    told = json.loads(run("replay", "--events", *args, "--json")[1])
    assert (told["events"], len(told["replayed"])) == (events, replayed)


async def test_many_events_are_sent_in_more_than_one_commit_and_in_order(run: Run, store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(without_a_row(*(an_event(f"user:{n}") for n in range(2500))))
    told = json.loads(run("replay", "--events", "--json")[1])
    assert (told["events"], told["sinks"]) == (2500, {"ops": 2500, "team": 2500})
    assert told["replayed"] == list(range(1, 5001))
    with open_ledger(store_url) as ledger:
        found = [one.subject for one in ledger.read(delivery_records, DeliveryQuery(limit=None, sink="ops"))]
    assert found == [f"user:{n}" for n in reversed(range(2500))]


@pytest.mark.parametrize(
    "args", [["--events", "1"], ["--events", "--dead"], ["--events", "--sink", "ops"], ["--events", "--held-back"]]
)
@pytest.mark.usefixtures("unrouted")
def test_events_are_no_deliveries(run: Run, store_url: str, args: Sequence[str]) -> None:
    status, out, err = run("replay", *args)
    assert (status, out) == (1, "")
    assert err.startswith("replay: --events goes with --source, --type, --subject")
    assert sent(store_url) == []


# Told once


@pytest.mark.usefixtures("kept")
def test_replay_says_in_words_what_it_did(run: Run) -> None:
    status, out, err = run("replay", "--dead")
    assert (status, err) == (0, "")
    assert [line.split() for line in out.splitlines()] == [
        ["DELIVERY", "SINK", "TYPE", "SUBJECT", "SENT", "AGAIN", "AS"],
        ["2", "team", "user.created", "user:alice", "5"],
        [],
        ["1", "delivery", "is", "sent", "again"],
    ]


@pytest.mark.usefixtures("kept")
def test_replay_says_where_the_file_names_no_such_sink(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text().replace("team", "others"))
    said = "the file names no sink team: what is sent again waits until it does"
    assert run("replay", "2")[1].splitlines()[-2:] == ["1 delivery is sent again", said]


@pytest.mark.usefixtures("held_back")
@pytest.mark.parametrize(
    "args", [["--dead"], ["2"], ["--sink", "team"], ["--held-back"], ["--delivered", "--sink", "ops"]]
)
def test_four_runs_of_a_replay_tell_once(run: Run, args: Sequence[str]) -> None:
    assert run("replay", *args)[0] == 0
    before = ids(run)
    for _ in range(3):
        status, out, err = run("replay", *args)
        assert (status, out) == (1, "")
        assert err.startswith("replay: nothing is sent: 1 delivery was replayed or dismissed before; --again")
    assert ids(run) == before


@pytest.mark.usefixtures("kept")
def test_what_was_dealt_with_is_sent_once_more_where_that_is_asked_for(run: Run) -> None:
    run("replay", "--dead")
    assert json.loads(run("replay", "2", "--again", "--json")[1])["replayed"] == [6]
    assert json.loads(run("replay", "--dead", "--again", "--json")[1])["replayed"] == [7]
    assert json.loads(run("deliveries", "--id", 2, "--json")[1])["replayed_by"] == [5, 6, 7]


@pytest.mark.usefixtures("kept")
async def test_a_replay_that_is_given_up_as_well_is_a_dead_letter_of_its_own(run: Run, store_url: str) -> None:
    run("replay", "--dead")
    async with open_outbox(store_url) as outbox:
        [again] = (await outbox.claim("team", after=2, now=START, limit=9)).deliveries
        await outbox.settle(settled(again, Dead("HTTP 400"), Attempt(Refused("HTTP 400"), 400)))
    assert ids(run, "--dead") == [5]
    _, out, _ = run("replay", "--dead")
    assert "1 delivery is sent again; 1 delivery was replayed or dismissed before, and left out" in out


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("args", [["--dead"], ["1", "2"], ["--delivered", "--sink", "ops"]])
def test_a_dry_run_names_what_a_replay_would_send_and_changes_nothing(run: Run, args: Sequence[str]) -> None:
    before = run("deliveries", "--json")
    status, out, _ = run("replay", *args, "--dry-run")
    assert (status, "would be sent again" in out) == (0, True)
    assert run("deliveries", "--json") == before
    would = json.loads(run("replay", *args, "--dry-run", "--json")[1])
    does = json.loads(run("replay", *args, "--json")[1])
    assert [one["replay_of"] for one in would["deliveries"]] == [one["replay_of"] for one in does["deliveries"]]
    assert (would["replayed"], would["dry_run"], does["dry_run"]) == ([], True, False)


@pytest.mark.parametrize("again", [[], ["--again"]])
async def test_many_are_counted_and_the_first_are_named(run: Run, store_url: str, again: list[str]) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(23)), sinks=("ops",)))
        for one in (await outbox.claim("ops", after=0, now=START, limit=99)).deliveries:
            await outbox.settle(settled(one, Dead("HTTP 400"), Attempt(Refused("HTTP 400"), 400)))
    lines = run("replay", "--dead", *again)[1].splitlines()
    assert lines[20].split() == ["20", "ops", "user.created", "user:19", "43"]
    assert lines[21:] == ["… and 3 more", "", "23 deliveries are sent again"]


# Put away


def dead_count(run: Run) -> int:
    return sum(one["dead"] for one in json.loads(run("lanes", "--json")[1]))


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(("command", "cleared"), [("replay", "replayed"), ("dismiss", "dismissed")])
def test_what_is_dealt_with_is_no_longer_counted_or_listed_as_dead(run: Run, command: str, cleared: str) -> None:
    assert (dead_count(run), ids(run, "--dead")) == (1, [2])
    run(command, "--sink", "team")
    assert (dead_count(run), ids(run, "--dead")) == (0, [])
    assert ids(run, f"--{cleared}") == ids(run, "--dead", f"--{cleared}") == [2]
    told = json.loads(run("deliveries", "--id", 2, "--json")[1])
    assert (told["state"], told["cleared"]) == ("dead", cleared)
    assert told["cleared_at"] is not None
    assert f"dead, {cleared}" in run("deliveries", "--sink", "team")[1]


@pytest.mark.usefixtures("held_back")
@pytest.mark.parametrize(
    ("args", "put_away"),
    [
        (["--all"], [2]),
        (["2"], [2]),
        (["1", "2", "5"], [2]),
        (["1"], []),
        (["--sink", "ops"], []),
        (["--subject", "user:alice", "--until", "2026-11-22"], [2]),
        (["--source", "berlin"], []),
    ],
)
def test_only_dead_letters_are_put_away(run: Run, args: Sequence[str], put_away: list[int]) -> None:
    assert run("dismiss", *args, "--dry-run")[0] == (0 if put_away else 1)
    assert ids(run, "--dismissed") == []
    status, out, err = run("dismiss", *args)
    assert out == ("1 dead letter is put away\n" if put_away else "")
    assert (status, err) == (
        (0, "") if put_away else (1, "dismiss: no dead letter that is not dealt with is meant by that\n")
    )
    assert ids(run, "--dismissed") == put_away


@pytest.mark.usefixtures("kept")
def test_what_was_put_away_is_not_replayed_until_it_is_there_again(run: Run) -> None:
    run("dismiss", "--all")
    assert run("replay", "--dead")[0] == 1
    assert run("dismiss", "--all", "--undo")[1] == "1 dead letter is there again\n"
    assert (dead_count(run), ids(run, "--dead")) == (1, [2])
    assert run("dismiss", "--all", "--undo") == (
        1,
        "",
        "dismiss: no dead letter that is put away is meant by that\n",
    )
    assert run("replay", "--dead")[0] == 0
    assert run("dismiss", "2", "--undo")[0] == 1  # it was replayed, and stays so


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("args", [[], ["--undo"], ["--all", "--sink", "team"], ["--all", "2"]])
def test_dismiss_never_guesses(run: Run, args: Sequence[str]) -> None:
    status, out, err = run("dismiss", *args)
    assert (status, out) == (1, "")
    assert err.startswith("dismiss: say which: ids, --sink, ")
    assert ids(run, "--dead") == [2]


# A database


async def test_the_ledger_of_a_database_is_looked_up_and_sent_again_too(
    run: Run, tmp_path: Path, postgres_url: str
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text().replace(f"sqlite:///{tmp_path}/panelbridge.db", postgres_url))
    async with open_outbox(postgres_url) as outbox:
        await outbox.put(an_intake(an_event()))
        (one,) = (await outbox.claim("ops", after=0, now=START, limit=9)).deliveries
        await outbox.put(without_a_row(an_event("user:bob")))
        await outbox.settle(settled(one, Dead("HTTP 400"), Attempt(Refused("HTTP 400"), 400)))
    assert ids(run, "--dead", "--type", "user.created") == [1]
    assert json.loads(run("replay", "--dead", "--json")[1])["replayed"] == [2]
    assert run("replay", "--dead")[0] == 1
    assert json.loads(run("replay", "--events", "--json")[1])["replayed"] == [3, 4]


@pytest.mark.parametrize("command", [["deliveries"], ["replay", "--events"]])
def test_a_database_that_is_not_there_is_told_in_one_line_without_its_password(
    run: Run, tmp_path: Path, command: list[str]
) -> None:
    file = tmp_path / "config.yaml"
    url = "postgresql+psycopg://bridge:a-secret@127.0.0.1:1/bridge"
    file.write_text(file.read_text().replace(f"sqlite:///{tmp_path}/panelbridge.db", url))
    status, out, err = run(*command)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("store: ")
    assert "127.0.0.1" in err
    assert "a-secret" not in err


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


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    "args",
    [
        ("deliveries", "--id", "9" * 20),
        ("deliveries", "--id", "9" * 5000),
        ("deliveries", "--id", "0"),
        ("deliveries", "--limit", "9" * 20),
        ("deliveries", "--since", "9" * 20 + "w"),
        ("deliveries", "--until", "9" * 400 + "w"),
        ("deliveries", "--since", "9" * 5000 + "h"),
        ("replay", "9" * 20),
        ("replay", "1", "9" * 20),
        ("replay", "--since", "9" * 9 + "w"),
    ],
)
def test_a_number_that_no_store_can_have_is_said_to_be_none(run: Run, args: tuple[str, ...]) -> None:
    status, out, err = run(*args)
    assert (status, out) == (1 if args[1] in ("--since", "--until") else 2, "")
    said = re.sub(r"[\s│]+", " ", err)  # as wide as it is, and in a frame
    assert re.search("is neither a duration such as 2h nor a time|than or equal to|as an integer", said)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("id_", [2**63 - 1, 5])
def test_the_highest_number_is_looked_for_as_any_other(run: Run, id_: int) -> None:
    assert run("deliveries", "--id", id_) == (1, "", f"deliveries: there is no delivery {id_}\n")


# Names that there are not

#: Every command that filters what is in the store.
FILTERED = [
    one.name or one.callback.__name__
    for one in app.registered_commands
    if one.callback is not None and {"sink", "source", "subject"} <= signature(one.callback).parameters.keys()
]


def test_the_commands_that_filter_are_known() -> None:
    assert {"deliveries", "events", "replay", "dismiss"} <= set(FILTERED)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("command", [*([name] for name in FILTERED), ["replay", "--events"]])
@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--source", "berln"], 'no source is called "berln": did you mean "berlin"?'),
        (["--source", "x"], 'no source is called "x": there are berlin'),
        (["--type", "user.creatd"], 'no event has the type "user.creatd": did you mean "user.created"?'),
        (["--type", "user_created"], 'no event has the type "user_created": did you mean "user.created"?'),
        (["--subject", "alice"], 'no event is about "alice": write what it is too, as in user:alice'),
        (["--subject", "user:"], 'no event is about "user:": write what it is too, as in user:alice'),
    ],
)
def test_a_name_that_there_is_not_is_told_with_the_nearest(
    run: Run, command: Sequence[str], args: Sequence[str], told: str
) -> None:
    assert run(command[0], *command[1:], *args) == (2, "", f"{told}\n")


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("command", FILTERED)
@pytest.mark.parametrize(
    ("sink", "told"),
    [
        ("opps", 'no sink is called "opps": did you mean "ops"?'),
        ("Ops", 'no sink is called "Ops": did you mean "ops"?'),
        ("z\x1b", 'no sink is called "z�": there are ops, team'),
    ],
)
def test_so_is_a_sink_that_there_is_not(run: Run, command: str, sink: str, told: str) -> None:
    assert run(command, "--sink", sink) == (2, "", f"{told}\n")


@pytest.mark.usefixtures("unrouted")
def test_what_only_the_store_knows_may_be_asked_for(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text().replace("berlin", "paris").replace("ops", "new"))
    assert run("deliveries", "--sink", "ops")[0] == 0
    assert run("replay", "--events", "--dry-run", "--source", "berlin")[0] == 1  # no row takes it
    assert run("replay", "--events", "--dry-run", "--source", "london")[0] == 2


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    "args",
    [
        ["--type", "payment.failed"],
        ["--subject", "user:nobody"],
        ["--type", "marzban.frozen"],
        ["--source", "panelbridge"],
        ["--type", "bridge.lane_parked"],
    ],
)
def test_what_may_come_is_an_empty_table(run: Run, args: Sequence[str]) -> None:
    assert ids(run, *args) == []
