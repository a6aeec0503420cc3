"""Doctor says whom the directory names and no event does: a reseller whose name is written otherwise hears nothing."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bridge.doctor import directory
from bridge.doctor.directory import SHOWN, directory_findings
from bridge.errors import StoreUnavailable
from bridge.intake import Intake, Routed
from bridge.sinks.reachability import Finding, FindingMark
from bridge.store import open_ledger, open_outbox
from bridge.store.outbox import SqlOutbox
from bridge.value import replace
from tests.fakes import DECISION, an_event


async def keep(outbox: SqlOutbox, *keys: str) -> None:
    await outbox.keep_directory("1", [(key, {"telegram": 1}) for key in keys])


async def tell(outbox: SqlOutbox, user: str, *, owner: str | None = None, realm: str = "berlin") -> None:
    event = replace(an_event(f"user:{user}"), data={"owner": owner} if owner else {})
    await outbox.put(Intake([Routed(event, (), DECISION)], realm=realm))


def findings(url: str) -> Sequence[Finding]:
    with open_ledger(url) as ledger:
        return list(directory_findings(ledger))


async def test_an_owner_whom_no_event_names_is_named_and_who_may_be_meant(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await keep(outbox, "berlin/owner:Reseller-7", "berlin/owner:reseller-9", "berlin/node:fra-1")
        await tell(outbox, "alice", owner="reseller-7")
        await tell(outbox, "bob", owner="reseller-9")
    assert findings(any_store_url) == [
        Finding(
            FindingMark.LOOK,
            "no event that is kept names 1 of its 2 owners: Reseller-7",
            'Is that what the panel calls them, letter by letter? Reseller-7: did you mean "reseller-7"?',
        )
    ]


async def test_where_each_is_named_all_is_well(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await keep(outbox, "berlin/owner:r7", "berlin/user:alice", "berlin/user:bob")
        await tell(outbox, "alice", owner="r7")
    assert findings(any_store_url) == [
        Finding(FindingMark.OK, "events have named each of its 1 owner"),
        Finding(FindingMark.OK, "events were about 1 of its 2 users"),
    ]


async def test_an_owner_and_a_user_of_another_realm_are_other_ones(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await keep(outbox, "berlin/owner:r7", "berlin/user:alice")
        await tell(outbox, "alice", owner="r7", realm="munich")
    owners, users = findings(any_store_url)
    assert (owners.mark, owners.todo.rpartition("? ")[2]) == (FindingMark.LOOK, "Events name no owner at all.")
    assert (users.mark, users.text, users.todo) == (
        FindingMark.LOOK,
        "no event that is kept is about any of its 1 user",
        "Are these the users of berlin, by the same names?",
    )


async def test_of_many_a_few_are_shown(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await keep(outbox, *(f"berlin/owner:r{number}" for number in range(SHOWN + 2)))
        await tell(outbox, "alice")
    [found] = findings(any_store_url)
    assert found.text == "no event that is kept names 7 of its 7 owners: r0, r1, r2, r3, r4 and 2 more"


async def test_so_many_are_looked_for_and_no_more(any_store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MOST", 3)
    async with open_outbox(any_store_url) as outbox:
        await keep(outbox, *(f"berlin/user:u{number}" for number in range(5)))
        await tell(outbox, "u4")
    [found] = findings(any_store_url)
    assert found.text == "no event that is kept is about any of its first 3 users"


async def test_where_nothing_has_come_yet_nothing_is_said_of_it(store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        await keep(outbox, "berlin/owner:r7", "berlin/user:alice")
    assert findings(store_url) == []


async def test_without_a_directory_or_a_store_nothing_is_said(store_url: str) -> None:
    async with open_outbox(store_url) as outbox:
        await tell(outbox, "alice", owner="r7")
    assert findings(store_url) == []
    assert list(directory_findings(None)) == []


async def test_a_store_that_is_away_says_why(store_url: str, tmp_path: Path) -> None:
    async with open_outbox(store_url):
        pass
    with open_ledger(store_url) as ledger:
        ledger.read = _away  # type: ignore[method-assign]
        assert list(directory_findings(ledger)) == [Finding(FindingMark.UNKNOWN, "away")]


def _away(*args: object, **kwargs: object) -> None:
    raise StoreUnavailable("store: away")
