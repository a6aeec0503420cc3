"""What is done at somebody's word has its line in the audit, also where whoever asked was told nothing of it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from aiohttp import web

from bridge.admin.access.auth import Principal, Role
from bridge.admin.access.guard import Guard
from bridge.admin.answers import DEADLINE
from bridge.admin.dead_letters import count_dead
from bridge.admin.errands import MOST, Errands
from bridge.admin.people import file as people_file
from bridge.admin.people.shapes import Imported
from bridge.admin.rest.endpoints import actions as acting
from bridge.admin.under_way import UnderWay
from bridge.errors import StoreUnavailable
from bridge.store.ledger import Ledger
from bridge.store.queries.audit import audit_records
from bridge.store.records import AuditRecord
from tests.admin.crowd import a_crowd
from tests.admin.running import ACT, ANNOUNCED, Desk, held_up
from tests.admin.test_mute_pages import press
from tests.admin.test_rest import LINES, NEWS, ask
from tests.fakes import FakeClock
from tests.processes import PATIENCE


@pytest.fixture
async def crowd(tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with a_crowd(tmp_path, store_url, clock) as opened:
        yield opened


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[web.Request]:
    """The requests that came."""
    found: list[web.Request] = []
    let_in = Guard.let_in

    def seen(guard: Guard, request: web.Request, role: Role) -> Principal:
        found.append(request)
        return let_in(guard, request, role)

    monkeypatch.setattr(Guard, "let_in", seen)
    return found


async def mute_on_a_page(desk: Desk) -> int:
    return (await press(desk, "/mutes", what="user:alice", **{"for": "2h", "back": "/settings"})).status


async def mute_by_a_program(desk: Desk) -> int:
    return (await ask(desk, "POST", "/mutes", {"what": "user:alice", "for": "2h"}))[0]


@pytest.mark.parametrize("mute", [mute_on_a_page, mute_by_a_program])
async def test_what_is_done_behind_its_deadline_is_in_the_audit(
    desk: Desk, asked: list[web.Request], mute: Callable[[Desk], Awaitable[int]]
) -> None:
    async with held_up(desk.outbox, writes=1):
        asking = asyncio.ensure_future(mute(desk))
        async with asyncio.timeout(PATIENCE):
            while not desk.outbox._writer._queue.qsize():
                await asyncio.sleep(0.01)
        asked[-1][DEADLINE].reschedule(0)
        assert await asking == 408
    assert [one.action for one in await audited(desk)] == ["mute"]


async def test_letters_are_not_dealt_with_where_what_came_later_cannot_be_looked_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> NoReturn:
        raise StoreUnavailable("store: away")

    monkeypatch.setattr(acting, "walked_deliveries", away)
    assert (await ask(desk, "POST", "/dead/dismiss", {"through": 100, "sink": "team"}))[0] == 503
    assert await desk.outbox.operate(count_dead) == 2


async def test_what_is_announced_is_told_as_that_also_where_its_deliveries_cannot_be_made_at_once(crowd: Desk) -> None:
    errands = crowd.admin._means.errands
    for number in range(MOST):
        assert await errands.run(str(number), asyncio.Event().wait, within=0) is None
    status, made = await ask(crowd, "POST", "/announcements", {**NEWS, "count": 1})
    assert (status, made["state"]) == (201, "putting")
    assert (await ask(crowd, "POST", f"/announcements/{made['id']}/resume"))[0] == 200
    assert [one.action for one in await audited(crowd, 2)] == ["announce resume", "announce"]


async def test_what_cannot_go_on_is_left_as_it_was(desk: Desk) -> None:
    assert (await ask(desk, "POST", "/announcements/1/resume"))[0] == 404  # its sink is not in the file
    assert (await ask(desk, "GET", "/announcements/1"))[1]["state"] == ANNOUNCED.state


async def test_a_file_that_is_taken_behind_its_answer_is_in_the_audit(
    crowd: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, take = threading.Event(), people_file.import_people

    def later(*args: Any, **more: Any) -> Imported:
        answered.wait()
        return take(*args, **more)

    monkeypatch.setattr(people_file, "import_people", later)
    monkeypatch.setitem(Errands.run.__kwdefaults__, "within", 0.0)
    headers = {"Content-Type": "application/jsonl"}
    async with (
        crowd.program(ACT) as program,
        program.post("/api/v1/people/import", data=LINES, headers=headers) as response,
    ):
        answered.set()
        assert response.status == 503
    assert [one.action for one in await audited(crowd)] == ["people import"]


async def audited(desk: Desk, number: int = 1) -> list[AuditRecord]:
    """The audit once it has so many lines, the newest first."""

    def look(ledger: Ledger) -> list[AuditRecord]:
        return ledger.read(audit_records, limit=10)

    async with asyncio.timeout(PATIENCE):
        while len(found := await desk.outbox.operate(look)) < number:
            await asyncio.sleep(0.01)
    return found


async def test_all_is_done_before_it_is_closed_and_what_that_begins_too() -> None:
    under_way, free, done = UnderWay(), asyncio.Event(), []

    async def remember() -> None:
        await asyncio.sleep(0)
        done.append("remembered")

    async def act() -> None:
        await free.wait()
        under_way.begin(remember())

    asking = asyncio.create_task(under_way.finish(act()))
    await asyncio.sleep(0)
    asking.cancel()
    closing = asyncio.create_task(under_way.close(within=PATIENCE))
    await asyncio.sleep(0)
    free.set()
    await closing
    assert done == ["remembered"]


async def test_what_takes_too_long_is_cancelled() -> None:
    under_way = UnderWay()
    endless = under_way.begin(asyncio.Event().wait())
    await under_way.close(within=0)
    assert endless.cancelled()
