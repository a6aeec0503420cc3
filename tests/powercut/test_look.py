"""What is looked at on a disk: tallies that differ from what is kept are seen."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.mute import MuteKind
from bridge.outcome import Dead, Done
from bridge.store import open_ledger, open_outbox
from bridge.store.ledger import Ledger
from bridge.store.queries.mutes import add_mute
from tests.fakes import START, an_event, an_intake
from tests.powercut.look import miscounted, muted
from tests.store.boxes import after, claimed, settle


@pytest.fixture
async def store(tmp_path: Path) -> Path:
    """Three events, of which two were told; one in another hour, one muted."""
    file = tmp_path / "panelbridge.db"
    with_url = f"sqlite:///{file}"
    async with open_outbox(with_url) as outbox:
        with open_ledger(with_url) as ledger:
            _mute(ledger)
        for minutes, subject in ((0, "user:alice"), (0, "user:eve"), (90, "user:bob")):
            await outbox.put(an_intake(an_event(subject, at=after(60 * minutes))))
        for delivery, fate in zip(await claimed(outbox), (Done(), Dead("HTTP 400")), strict=True):
            await settle(outbox, delivery, fate)
    return file


def _mute(ledger: Ledger) -> None:
    ledger.write(add_mute, MuteKind.SUBJECT, "user:eve", until=after(10**6), by="me", now=START)


def change(store: Path, statement: str) -> None:
    with closing(sqlite3.connect(store)) as connection:
        connection.execute(statement)
        connection.commit()


def test_what_was_counted_in_the_commit_that_made_it_so_agrees(store: Path) -> None:
    assert miscounted(store) == []
    assert muted(store) == {"user:eve"}


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("DELETE FROM events WHERE subject = 'user:bob'", "1 accepted were counted, and there are 0"),
        ("DELETE FROM deliveries WHERE state = 'dead'", "1 dead were counted, and there are 0"),
        ("DELETE FROM deliveries WHERE state = 'held_back'", "1 held_back were counted, and there are 0"),
        ("UPDATE deliveries SET state = 'delivered' WHERE state = 'dead'", "1 dead were counted, and there are 0"),
        ("DELETE FROM tallies WHERE what = 'in' AND step = 60", "0 accepted were counted, and there are 1"),
        ("DELETE FROM tallies WHERE what = 'out' AND step = 900", "of out not as many were counted in each step"),
        (
            "UPDATE tallies SET n = n + 1 WHERE what = 'in' AND step = 3600",
            "of in not as many were counted in each step",
        ),
    ],
)
def test_tallies_that_do_not_agree_are_seen(store: Path, harm: str, said: str) -> None:
    change(store, harm)
    assert said in miscounted(store)
