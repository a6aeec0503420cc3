"""`events` and `explain`: all that came in, and why it went where it went. On both engines."""

import json
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.cli import main
from bridge.event import Event
from bridge.intake import Fingerprint, Intake
from bridge.outcome import Attempt, Dead, Delivered, Done, Fate, HeldBack, Refused
from bridge.routing import Route, Router
from bridge.store import open_outbox
from bridge.store.base import Settlement
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import events as walk
from bridge.value import replace
from tests.fakes import START, Switch, an_event, an_intake

Run = Callable[..., tuple[int, str, str]]
ALICE = an_event("user:alice")
BOB = replace(an_event("user:bob\x1b[31m", type_="user.expired"), native_type="user_expired")
NODE = replace(an_event("node:fra-1", type_="node.created", at=START - timedelta(days=300)), source="berlin")
CAROL = an_event("user:carol")
NO_NODES = Router([("route 1", Route(match=("user.*",), to=("ops",)))], sinks={"ops": Switch()})


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, any_store_url: str) -> Run:
    (tmp_path / "config.yaml").write_text(
        f"store: {any_store_url}\ntimezone: Asia/Tehran\n"
        "sources:\n  berlin: {panel: marzban, secret: none}\n"
        "sinks:\n  ops: {type: console}\n  team: {type: console}\n"
        "routes:\n  - {match: user.*, to: [ops, team]}\n  - {match: '*', source: berlin, to: ops}\n"
    )

    def run_(command: str, *args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as raised:
            main([command, "-c", str(tmp_path / "config.yaml"), *map(str, args)])
        printed = capsys.readouterr()
        return int(raised.value.code or 0), printed.out, printed.err

    return run_


@pytest.fixture
async def kept(any_store_url: str) -> None:
    """Deliveries 1 and 2 of alice, delivered to ops and dead for team; 3 of bob, held back from ops; carol waits for
    both in 4 and 5; and a node that no row took.
    """
    async with open_outbox(any_store_url) as outbox:
        await outbox.put(Intake([NO_NODES.route(NODE)]))
        await outbox.put(an_intake(ALICE, sinks=("ops", "team")))
        await outbox.put(an_intake(BOB, sinks=("ops",)))
        await settle(outbox, 1, "ops", Done())
        await settle(outbox, 2, "team", Dead("HTTP 400"), Attempt(Refused("HTTP 400"), 400))
        await settle(outbox, 3, "ops", HeldBack("quiet hours"))
        await outbox.put(an_intake(CAROL, sinks=("ops", "team")))


async def settle(outbox: SqlOutbox, id_: int, sink: str, fate: Fate, attempt: Attempt | None = None) -> None:
    [delivery, *_] = (await outbox.claim(sink, after=id_ - 1, now=START, limit=9)).deliveries
    await outbox.settle([Settlement(delivery, fate, attempt or Attempt(Delivered(), 200), START)])


def listed(run: Run, *args: object) -> list[str]:
    status, out, err = run("events", *args, "--json")
    assert (status, err) == (0, "")
    return [one["id"] for one in json.loads(out)]


def newest_first(*events: Event) -> list[str]:
    return sorted((event.id for event in events), reverse=True)


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], [ALICE, BOB, NODE, CAROL]),
        (["--nowhere"], [NODE]),
        (["--nowhere", "--type", "user.created"], []),
        (["--nowhere", "--source", "berlin", "--until", "2026-11-01"], [NODE]),
        (["--dead"], [ALICE]),
        (["--dead", "--sink", "ops"], []),
        (["--sink", "ops"], [ALICE, BOB, CAROL]),
        (["--sink", "team"], [ALICE, CAROL]),
        (["--pending"], [CAROL]),
        (["--held-back"], [BOB]),
        (["--type", "user.expired"], [BOB]),
        (["--source", "marzban", "--since", "2026-11-21"], [ALICE, BOB, CAROL]),
        (["--subject", "user:alice"], [ALICE]),
        (["--until", "2026-11-01"], [NODE]),
    ],
)
def test_events_are_found_by_what_one_knows(run: Run, args: Sequence[str], expected: list[Event]) -> None:
    assert listed(run, *args) == newest_first(*expected)


@pytest.mark.usefixtures("kept")
def test_as_many_as_wanted_the_newest(run: Run) -> None:
    assert listed(run, "--limit", 2) == newest_first(ALICE, BOB, NODE, CAROL)[:2]


@pytest.mark.usefixtures("kept")
def test_a_list_says_where_looking_ended_and_goes_on_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "WALKED", 2)
    met: list[str] = []
    before: Sequence[str] = ()
    while True:
        status, out, err = run("events", "--sink", "team", "--json", *before)
        met += [one["id"] for one in json.loads(out)]
        assert status == 0
        if not err:
            break
        assert err.startswith("looked through the events back to 20")
        before = err.split()[-2:]
        assert before[0] == "--before"
    assert met == newest_first(ALICE, CAROL)


@pytest.mark.usefixtures("kept")
def test_one_goes_on_behind_an_event(run: Run) -> None:
    status, _, err = run("events", "--before", "yesterday")
    assert (status, err) == (1, "--before: yesterday is no event's id\n")


@pytest.mark.usefixtures("kept")
def test_each_event_says_where_it_went_in_the_time_zone_of_the_file(run: Run) -> None:
    status, out, err = run("events")
    assert (status, err) == (0, "")
    head, *rows = [" ".join(line.split()) for line in out.splitlines()]
    assert head == "EVENT WHEN SOURCE TYPE SUBJECT WENT TO"
    assert set(rows) == {
        f"{ALICE.id} 2026-11-21 07:44:18+03:30 marzban user.created user:alice ops delivered, team dead",
        f"{BOB.id} 2026-11-21 07:44:18+03:30 marzban user.expired user:bob�[31m ops held_back",
        f"{NODE.id} 2026-01-25 07:44:18+03:30 berlin node.created node:fra-1 nowhere",
        f"{CAROL.id} 2026-11-21 07:44:18+03:30 marzban user.created user:carol ops pending, team pending",
    }


@pytest.mark.usefixtures("kept")
def test_what_was_dealt_with_is_said_to_be(run: Run) -> None:
    run("dismiss", "--all")
    assert listed(run, "--dead") == []
    assert "ops delivered, team dead (dismissed)" in run("events")[1]
    told = json.loads(run("explain", ALICE.id, "--json")[1])
    assert told["sentence"] == "it was delivered to ops, and was given up for team (HTTP 400; put away since)"


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("args", [["--sink", "ops"], ["--dead"], ["--pending"], ["--held-back"]])
def test_what_went_nowhere_has_no_sink(run: Run, args: Sequence[str]) -> None:
    status, out, err = run("events", "--nowhere", *args)
    assert (status, out) == (1, "")
    assert err.startswith("events: what went --nowhere has no sink")


@pytest.mark.usefixtures("kept")
def test_explain_says_row_by_row_why_and_what_became_of_it(run: Run) -> None:
    status, out, err = run("explain", ALICE.id)
    assert (status, err) == (0, "")
    assert [" ".join(line.split()) for line in out.splitlines()] == [
        "user.created about user:alice from marzban, 2026-11-21 07:44:18+03:30, which marzban calls user_created",
        ALICE.id,
        "it was delivered to ops, and was given up for team (HTTP 400)",
        "",
        "why",
        "✓ route 1: matched * → ops, team",
        "",
        "what became of it",
        "DELIVERY SINK STATE WHEN TRIES STATUS REASON",
        "1 ops delivered 2026-11-21 07:44:18+03:30 1 200",
        "2 team dead 2026-11-21 07:44:18+03:30 1 400 HTTP 400",
        "",
        "delivery 2 to team",
        "tries",
        "WHEN OUTCOME STATUS MS NEXT REASON ANSWER",
        "2026-11-21 07:44:18+03:30 given_up 400 HTTP 400",
        "",
        "today's table would send it to ops, team",
    ]


async def test_explain_says_when_the_panel_told_it_again(run: Run, any_store_url: str) -> None:
    first = replace(an_intake(an_event("user:carol")).routed[0], fingerprint=Fingerprint("k"))
    again = replace(first, event=replace(an_event("user:carol", at=START + timedelta(seconds=90)), id="0" * 36))
    async with open_outbox(any_store_url) as outbox:
        for one in (first, again):
            await outbox.put(Intake([one]))
    assert "the panel told it again 1×: 2026-11-21 07:45:48+03:30\n" in run("explain", first.event.id)[1]


@pytest.mark.usefixtures("kept")
def test_explain_says_why_an_event_went_nowhere(run: Run) -> None:
    lines = run("explain", "node:fra-1")[1].splitlines()
    assert lines[2:] == [
        "it went nowhere: no row of the table takes it",
        "",
        "why",
        "  – route 1: type node.created is not among user.*",
        "",
        "today's table would send it to ops",
    ]


def explanation(run: Run, reference: object) -> dict[str, Any]:
    status, out, _ = run("explain", reference, "--json")
    assert status == 0
    told: dict[str, Any] = json.loads(out)
    return told


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    "reference", [BOB.id, BOB.id.upper(), BOB.subject, 3], ids=["id", "upper", "subject", "number"]
)
def test_an_event_is_named_by_what_one_has_at_hand(run: Run, reference: object) -> None:
    told = explanation(run, reference)
    assert (told["id"], told["native_type"], told["data"]) == (BOB.id, "user_expired", dict(BOB.data))
    assert [(one["id"], one["sink"], one["state"]) for one in told["fates"]] == [(3, "ops", "held_back")]
    assert told["sentence"] == "it was held back from ops (quiet hours)"


async def test_an_event_is_named_by_the_beginning_of_its_id_and_a_subject_by_its_newest(
    run: Run, any_store_url: str
) -> None:
    events = [replace(an_event("user:alice"), id=f"019af3d2-{n}e41-7000-8000-000000000000") for n in range(3)]
    async with open_outbox(any_store_url) as outbox:
        await outbox.put(an_intake(*events))
    assert explanation(run, "019af3d2-1")["id"] == events[1].id
    assert explanation(run, "user:alice")["id"] == events[2].id
    assert run("explain", "019af3d2") == (
        1,
        "",
        "explain: more than one event has an id that begins with 019af3d2: give more of it\n",
    )


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("reference", ["99", "user:nobody", "0fff", "9" * 30, "%", "ÿ"])
def test_an_event_that_is_not_there_is_told(run: Run, reference: str) -> None:
    assert run("explain", reference) == (1, "", f"explain: there is no event {reference}\n")


@pytest.mark.usefixtures("kept")
def test_a_replay_is_told_beside_what_it_repeats_and_decides_where_the_event_is(run: Run) -> None:
    run("replay", "--dead")
    told = explanation(run, ALICE.id)
    assert [(one["id"], one["replay_of"], one["cleared"]) for one in told["fates"]] == [
        (1, None, None),
        (2, None, "replayed"),
        (6, 2, None),
    ]
    assert told["sentence"] == "it was delivered to ops, and waits for team"
    assert told["verdicts"] == [
        {
            "row": "route 1",
            "matched": True,
            "why": "matched *",
            "reason": "matched",
            "values": {"glob": "*", "name": "user.created"},
            "condition": False,
            "disabled": [],
            "to": ["ops", "team"],
            "takes": 'match: "*"',
            "already": [],
        }
    ]
    assert "replay of 2" in run("explain", ALICE.id)[1]


async def test_a_row_without_an_enabled_sink_is_named(run: Run, any_store_url: str) -> None:
    event = an_event(None)
    row = ("route 1", Route(to=("ops",)))
    all_off, empty = Router([row], sinks={"ops": Switch(enabled=False)}), Router([], sinks={})
    async with open_outbox(any_store_url) as outbox:
        await outbox.put(Intake([all_off.route(event)]))
        await outbox.put(Intake([empty.route(bare := an_event(None))]))
    assert explanation(run, event.id)["sentence"] == "it went nowhere: no sink of route 1 is enabled"
    assert explanation(run, bare.id)["sentence"] == "it went nowhere: the table had no row"
