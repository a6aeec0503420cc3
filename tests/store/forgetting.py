"""Forgetting alice, and looking for what is left of her: over all tables and columns, and over the bytes of a file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bridge.admin.people import forgetting
from bridge.admin.people.forgetting import Forgettable
from bridge.people.person import Person
from bridge.store import open_ledger
from bridge.store.backend import open_engine, parse_url
from bridge.store.scrub import Scrubbed, scrub
from tests.fakes import START

ALICE = Person("marzban", "alice", frozenset({"marzban"}), frozenset({"700001"}))


def nowhere(event: object) -> set[str]:
    return set()


def forget(
    url: str, person: Person = ALICE, *, mentions: bool = False, pause: Callable[[], None] = lambda: None
) -> Forgettable:
    with open_ledger(url) as ledger:
        return forgetting.forget(ledger, person, places=nowhere, now=START, pause=pause, mentions=mentions)


def scrubbed(url: str, person: Person = ALICE, **how: Any) -> Scrubbed:
    """As a command does that has forgotten somebody."""
    with open_ledger(url) as ledger:
        return scrub(url, ledger, person.spellings, **how)


def would_forget(url: str, person: Person = ALICE, *, mentions: bool = False) -> Forgettable:
    with open_ledger(url) as ledger:
        return forgetting.forgettable(ledger, person, places=nowhere, mentions=mentions)


def columns_with(url: str, text: str) -> set[str]:
    """The columns of all tables there are in which a text stands, as `events.data`."""
    engine = open_engine(url)
    found = set()
    # a busy machine may look at all of them for longer than a transaction may stand still
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in sa.inspect(connection).get_table_names():
            for column in sa.inspect(connection).get_columns(table):
                cast = sa.cast(sa.column(column["name"]), sa.Text)
                counted = (
                    sa.select(sa.func.count()).select_from(sa.table(table)).where(cast.contains(text, autoescape=True))
                )
                if connection.execute(counted).scalar_one():
                    found.add(f"{table}.{column['name']}")
    engine.dispose()
    return found


def bytes_with(url: str, text: str) -> list[str]:
    """Which files of a store have it, wherever in them; none of a database."""
    if not url.startswith("sqlite"):
        return []
    file = Path(parse_url(url).database or "")
    return [one.name for one in sorted(file.parent.glob(f"{file.name}*")) if text.encode() in one.read_bytes()]


def row_of(table: sa.Table, number: int, text: str) -> dict[str, Any]:
    """A row with that text wherever one fits."""
    return {column.name: _value(column, number, text) for column in table.columns}


def _value(column: sa.Column[Any], number: int, text: str) -> object:
    match column.type:
        case sa.Boolean():
            return True
        case sa.Integer() | sa.BigInteger():
            return number
        case sa.Text() if column.name in ("data", "native", "element", "detail", "state", "record", "rows", "verdicts"):
            return json.dumps({"user": {"username": text}, "note": f"of {text}", "key": f"marzban/user:{text}"})
        case sa.Text() if column.name in ("source", "realm"):
            return "marzban"
        case sa.Text() if column.name in ("key", "recipient") and column.table.name != "fingerprints":
            return f"marzban/user:{text}"
        case sa.Text() if column.name in ("subject", "value"):
            return f"user:{text}"
        case sa.Text() if column.table.name == "mutes" and column.name == "kind":
            return "subject"
        case sa.Text() if column.name == "place":
            return "700001"
        case sa.Text() if column.name == "state":
            return "delivered"
        case sa.Text():
            return f"text {number} of {text}."
        case _:
            return f"{number}"
