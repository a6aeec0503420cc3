"""Errands: what goes on after it was asked for, one of a name at once, and ends with the bridge."""

import asyncio
import logging
import threading

import pytest
import sqlalchemy as sa

from bridge.admin.errands import MOST, Errands
from bridge.errors import BridgeError, StoreUnavailable
from bridge.store import open_ledger
from bridge.store.ledger import Ledger


@pytest.fixture
def errands(store_url: str) -> Errands:
    return Errands(lambda: open_ledger(store_url))


def one(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(1)).scalar_one())


async def test_what_is_done_soon_is_answered_and_what_is_not_goes_on(errands: Errands) -> None:
    free = asyncio.Event()

    async def wait() -> str:
        await free.wait()
        return "done"

    assert await errands.run("a", lambda: errands.on_ledger(lambda ledger: ledger.read(one))) == 1
    assert await errands.run("b", wait, within=0) is None
    assert errands.under_way("b")
    joined = asyncio.create_task(errands.run("b", wait))
    free.set()
    assert await joined == "done"
    assert not errands.under_way("b")


async def test_so_many_are_under_way_and_no_more(errands: Errands) -> None:
    for number in range(MOST):
        assert await errands.run(str(number), asyncio.Event().wait, within=0) is None
    with pytest.raises(StoreUnavailable):
        await errands.run("one more", asyncio.Event().wait)
    await errands.close()


@pytest.mark.parametrize(
    ("error", "said"), [(BridgeError("it is so"), "admin.errand_failed"), (KeyError("x"), "admin.bug")]
)
async def test_what_fails_is_raised_and_told_and_names_nobody(
    errands: Errands, caplog: pytest.LogCaptureFixture, error: Exception, said: str
) -> None:
    def fail(ledger: Ledger) -> None:
        raise error

    with pytest.raises(type(error)):
        await errands.run("forget berlin/user:alice", lambda: errands.on_ledger(fail))
    [line] = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert (line.msg, vars(line)["fields"]["errand"]) == (said, "forget")
    assert "alice" not in str(vars(line))


async def test_once_the_bridge_ends_no_further_step_begins(errands: Errands) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    found: list[str] = []

    def work(ledger: Ledger) -> None:
        begun.set()
        go_on.wait()
        try:
            ledger.read(one)
        except StoreUnavailable as error:
            found.append(str(error))
        finally:
            ended.set()

    asking = asyncio.create_task(errands.run("long", lambda: errands.on_ledger(work)))
    await asyncio.to_thread(begun.wait)
    await errands.close()
    go_on.set()
    await asyncio.to_thread(ended.wait)
    assert found == ["store: the bridge is ending"]
    with pytest.raises(StoreUnavailable, match="is ending"):
        await asking
