"""Doctor asks everything, sends nothing, changes nothing, and says what is wrong in the service's own words."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.config.load import load
from bridge.doctor.examination import broken, examine
from bridge.doctor.row import ExaminationRow
from bridge.outcome import Attempt, Dead, Refused
from bridge.sinks.reachability import FindingMark
from bridge.store import open_outbox
from bridge.store.base import LaneState, Standing
from tests.fakes import START, an_event, an_intake
from tests.processes import free_port
from tests.services import telegram
from tests.store.boxes import claimed, settle
from tests.street import HOUSES, SINKS, a_street

WITHIN = 60.0  # seconds
SOURCE = "sources:\n  berlin: {panel: marzban, secret: the-long-secret-of-berlin}\n"
SECRETS = [secret for _, house in HOUSES.values() for secret in house.secrets]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def write(file: Path, sinks: str, *names: str) -> None:
    rows = f"routes:\n  - {{match: '*', to: [{', '.join(names or SINKS)}]}}\n"
    listen = f"listen: 127.0.0.1:{free_port()}\nadmin: {{listen: null}}\n"
    file.write_text(f"{listen}store: sqlite:///{file.parent}/panelbridge.db\n{SOURCE}{sinks}\n{rows}")
    file.chmod(0o600)
    file.parent.chmod(0o700)


async def examined(file: Path) -> dict[str, ExaminationRow]:
    """The last row of each part."""
    return {one.part: one for one in await all_rows(file)}


async def all_rows(file: Path) -> list[ExaminationRow]:
    return await examine(file, load(file), now=datetime.now(UTC), within=WITHIN)


async def test_where_every_service_is_well_nothing_is_broken_and_nothing_is_sent(file: Path) -> None:
    async with a_street() as street:
        write(file, street.sinks())
        found = await all_rows(file)
        assert [one for one in found if one.finding.mark in (FindingMark.WRONG, FindingMark.LOOK)] == []
        assert {one.part for one in found if one.kind == "sink"} == set(SINKS)
        assert [service.taken for service in street.services.values() if service.taken] == []
    assert not broken(found)


async def test_looking_makes_no_store_and_changes_none(file: Path, new_file_url: str) -> None:
    write(file, "sinks:\n  here: {type: console}\n", "here")
    await all_rows(file)
    assert [one.name for one in file.parent.iterdir()] == ["config.yaml"]
    async with open_outbox(new_file_url) as outbox:
        await outbox.put(an_intake(an_event(), sinks=("here",)))
    before = (file.parent / "panelbridge.db").read_bytes()
    await all_rows(file)
    assert (file.parent / "panelbridge.db").read_bytes() == before


async def test_what_a_service_says_is_told_with_what_to_do_about_it(file: Path) -> None:
    async with a_street() as street:
        street["discord"].deleted = True
        write(file, street.sinks())
        found = await examined(file)
    row = found["discord"].finding
    assert (row.mark, row.text) == (FindingMark.WRONG, "HTTP 404, code 10015: Unknown Webhook")
    assert row.todo.startswith("The webhook was deleted. Make a new one in the channel’s settings")
    assert found["telegram"].finding.mark is FindingMark.OK


async def test_no_secret_of_the_file_is_in_anything_that_is_told(file: Path) -> None:
    async with a_street() as street:
        street["discord"].deleted = True
        street["telegram"].fault = (403, f"Forbidden: bot was kicked from {telegram.TOKEN}")
        write(file, street.sinks())
        told = str([one.to_json() for one in await all_rows(file)])
    assert [secret for secret in [*SECRETS, "the-long-secret-of-berlin"] if secret in told] == []


async def test_what_waits_for_a_broken_sink_is_told(file: Path, store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event(), sinks=("discord",)))
    async with a_street() as street:
        street["discord"].deleted = True
        write(file, street.sinks())
        found = await examined(file)
    assert found["discord"].finding.text.endswith("Unknown Webhook; 1 waits")


async def test_a_lane_that_is_held_though_its_service_is_well_is_worth_a_look(file: Path, store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        parked = LaneState(standing=Standing.PARKED, reason="Unknown Webhook", since=START)
        await outbox.save_lane_state("discord", parked, epoch=0)
    async with a_street() as street:
        write(file, street.sinks())
        found = await examined(file)
    row = found["discord"].finding
    assert (row.mark, row.todo) == (FindingMark.LOOK, "Where that is mended: panelbridge resume discord")
    assert row.text.endswith("but its lane is parked: Unknown Webhook")


async def test_a_disabled_sink_is_not_asked(file: Path) -> None:
    write(
        file, "sinks:\n  off: {type: discord, url: 'https://discord.invalid/api/webhooks/1/x', enabled: false}\n", "off"
    )
    assert (await examined(file))["off"].finding.mark is FindingMark.UNKNOWN


async def test_a_dead_letter_alone_breaks_nothing(file: Path, store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        await outbox.put(an_intake(an_event(), sinks=("discord",)))
        [delivery] = await claimed(outbox, sink="discord")
        await settle(outbox, delivery, Dead("no"), Attempt(Refused("no"), 400))
    async with a_street() as street:
        write(file, street.sinks())
        assert not broken(await all_rows(file))
