"""The audit keeps the newest of what people did. On both engines."""

import pytest

from bridge.store import open_ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import audit
from tests.fakes import START
from tests.store.boxes import after


@pytest.mark.usefixtures("outbox")
def test_the_newest_is_kept_and_comes_first(any_store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "KEPT", 3)
    with open_ledger(any_store_url) as ledger:
        for number in range(5):
            ledger.write(audit.add_audit, "mute", {"n": number}, who="mina", now=after(number))
        found = ledger.read(audit.audit_records, limit=2)
        assert [one.detail["n"] for one in ledger.read(audit.audit_records, limit=9)] == [4, 3, 2]
    assert [(one.at, one.who, one.action, one.detail) for one in found] == [
        (after(4), "mina", "mute", {"n": 4}),
        (after(3), "mina", "mute", {"n": 3}),
    ]


async def test_whatever_a_service_said_is_cut_short_and_kept(outbox: SqlOutbox, any_store_url: str) -> None:
    assert await outbox.mutes(now=START) == []
    with open_ledger(any_store_url) as ledger:
        ledger.write(audit.add_audit, "replay", {"reason": "‮x" * 999, "held": None}, who="mina", now=START)
        [one] = ledger.read(audit.audit_records, limit=9)
    assert one.detail == {"reason": ("‮x" * 999)[: audit.LONGEST], "held": None}
