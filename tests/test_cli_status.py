"""`status`: on one screen whether it works, and what needs somebody."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.cli import main
from bridge.errors import StoreUnavailable
from bridge.outcome import Attempt, Dead, Refused
from bridge.store import open_outbox
from bridge.store.base import LaneState, Standing
from bridge.value import replace
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import claimed, settle

Run = Callable[..., tuple[int, str, str]]
HOSTILE = "HTTP 400, code 50035: \x1b[31m\u202eno"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run it with a file that has two sinks and a source."""
    url = "https://discord.com/api/webhooks/1/secret-of-ops-secret-of-ops"
    sinks = f"sinks:\n  ops: {{type: discord, url: '{url}'}}\n  team: {{type: console}}\n"
    sources = "sources:\n  berlin: {panel: marzban, secret: the-secret-of-berlin}\n"
    text = f"store: sqlite:///{tmp_path}/panelbridge.db\ntimezone: Asia/Tehran\n{sources}{sinks}"
    (tmp_path / "config.yaml").write_text(text)

    def run_(*args: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as raised:
            main(["status", "-c", str(tmp_path / "config.yaml"), *map(str, args)])
        told = capsys.readouterr()
        return int(raised.value.code or 0), told.out, told.err

    return run_


async def give_up(store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event(), sinks=("ops",)))
        [delivery] = await claimed(outbox)
        await settle(outbox, delivery, Dead(HOSTILE), Attempt(Refused(HOSTILE), 400))


async def test_where_all_is_well_it_ends_with_0(run: Run, store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event(at=datetime.now(UTC)), sinks=("team",)))
    status, out, err = run()
    assert (status, err) == (0, "")
    first, figures, _, head, *rows = out.splitlines()
    assert first == "● Everything works."
    assert figures.strip().startswith("last event ")
    assert "1 message waiting, the oldest since " in figures
    assert figures.endswith(" · 0 given up")
    assert head.split() == ["SINK", "STATE", "WAITING", "OLDEST", "GIVEN", "UP", "REASON"]
    assert [row.split()[:3] for row in rows] == [["ops", "flowing", "0"], ["team", "flowing", "1"]]


async def test_what_was_given_up_needs_somebody_and_it_ends_with_1(run: Run, store_url: str) -> None:
    await give_up(store_url)
    status, out, _ = run()
    assert status == 1
    assert out.splitlines()[0] == "■ Events come in safely. One thing needs you."
    assert out.split("\n\n")[1].splitlines() == [
        "■ ops: one message was given up",
        "    HTTP 400, code 50035: �[31m�no, since 2026-11-21 07:44:18+03:30",
        "    → A part of the message is not as Discord wants it: mend the template. Then send them again.",
        "      panelbridge replay --dead --sink ops",
    ]


@pytest.mark.parametrize(("standing", "mark"), [(Standing.PARKED, "■"), (Standing.AWAY, "◆")])
async def test_a_lane_that_does_not_flow_is_told_with_the_command_for_it(
    run: Run, store_url: str, standing: Standing, mark: str
) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.save_lane_state("ops", LaneState(standing=standing, reason="HTTP 502", since=START), epoch=0)
    status, out, _ = run()
    assert status == 1
    assert out.startswith(mark)
    assert "      panelbridge resume ops\n" in out


async def test_what_was_given_up_at_a_sink_that_the_file_does_not_name_is_not_to_be_sent_again(
    run: Run, store_url: str, tmp_path: Path
) -> None:
    await give_up(store_url)
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text().replace("ops:", "others:"))
    out = run()[1]
    assert "    → The file names no such sink: what is sent again waits until it does.\n" in out
    assert "panelbridge replay" not in out


async def test_what_is_left_out_is_said_with_the_list_that_has_it(run: Run, store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(*(an_event(f"user:{n}") for n in range(6)), sinks=("ops",)))
        first, *five = await claimed(outbox)
        for one in five:
            await settle(outbox, one, Dead(f"no {one.id}"), Attempt(Refused("no"), 400))
        await outbox.save_lane_state("ops", LaneState(standing=Standing.AWAY, reason="HTTP 502", since=START), epoch=0)
        assert "\n  … and 1 more: panelbridge lanes\n" in run()[1]
        await settle(outbox, first, Dead("no"), Attempt(Refused("no"), 400))
    assert "\n  … and 2 more: panelbridge deliveries --dead, panelbridge lanes\n" in run()[1]


async def test_a_source_that_is_silent_is_told_with_what_is_usual(run: Run, store_url: str, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    hours = [replace(an_event(at=now - timedelta(hours=20 + number)), source="berlin") for number in range(30)]
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(*hours, sinks=()))
    status, out, _ = run()
    assert status == 1
    assert out.startswith("◆ All is told. But berlin is silent.")
    assert "◆ berlin is silent\n    since 20" in out
    assert "    → It is usually heard again within 6 h. Look at the panel: " in out
    assert "      panelbridge doctor\n" in out
    file = tmp_path / "config.yaml"
    file.write_text(file.read_text().replace("marzban, secret", "marzban, silent_after: 2d, secret"))
    assert run()[0] == 0


async def test_a_store_that_takes_nothing_is_told_first(
    run: Run, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_outbox(store_url):
        pass

    def full(*_: object, **__: object) -> None:
        raise StoreUnavailable("store: database or disk is full")

    monkeypatch.setattr("bridge.store.ledger.Ledger.write", full)
    status, out, _ = run()
    assert status == 1
    assert out.startswith("■ No event can be taken in: the store takes nothing.")
    assert "■ The store takes nothing\n    database or disk is full, since " in out
    assert "      panelbridge doctor\n" in out


async def test_as_json_it_is_the_same_shape_and_has_no_secret(run: Run, store_url: str) -> None:
    await give_up(store_url)
    status, out, _ = run("--json")
    told = json.loads(out)
    assert (status, told["verdict"], told["dead"], len(told["latest"])) == (1, "needs_you", 1, 1)
    [need] = told["needs"]
    assert (need["kind"], need["sink"], need["count"], need["evidence"]) == ("dead", "ops", 1, HOSTILE)
    assert [one["sink"] for one in told["sinks"]] == ["ops", "team"]
    assert "secret" not in out
