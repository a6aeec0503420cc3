"""What is known of people as a file of JSON lines: what they want, where they are reached, what they were told of.

The first line says what it is; each other is a row of a table, `{"table": "wishes", "key": "marzban/user:alice", …}`,
with times as ISO 8601. Events are not among it. A table that is neither here nor in BEYOND fails a test.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from bridge.codec import decode, dump
from bridge.event import iso
from bridge.foreign import moment as moment_of
from bridge.people.directory import DEFAULT
from bridge.people.link import is_private_chat
from bridge.people.person import is_forgotten_key
from bridge.people.recipient import is_customer, is_key
from bridge.people.record import DirectoryRecord
from bridge.people.wants import CHAT, OVERRIDING
from bridge.store.moments import micros, moment
from bridge.store.queries.directory import THE_ROW
from bridge.store.schema import (
    addresses,
    announced,
    announcements,
    attempts,
    audit,
    changes,
    closed,
    deliveries,
    directories,
    directory,
    directory_chats,
    erasures,
    events,
    fingerprints,
    lanes,
    link_tokens,
    links,
    moved,
    mutes,
    polled,
    proof_stops,
    proofs,
    replicas,
    set_aside,
    tables,
    tallies,
    threads,
    told,
    unlinked,
    wishes,
)
from bridge.value import INT64_MAX, Value

HEADER = {"panelbridge": "people", "version": 1}
LONGEST = 1 << 20  # characters of a line
MOST_TOLD = 20  # mistakes that are told
#: The tables of people, in the order of the file.
TABLES = (directories, directory, wishes, links, told, addresses, proof_stops)
#: What came in, and how the bridge stands: `panelbridge backup` and `store copy` have it.
BEYOND = frozenset(
    (
        *(events, deliveries, attempts, set_aside, threads, fingerprints, tallies),
        *(audit, mutes, lanes, polled, replicas, tables, erasures, changes),
        *(link_tokens, closed, proofs, unlinked, moved, directory_chats, announcements, announced),
    )
)
_NAMED = {table.name: table for table in TABLES}
_TIMES = frozenset(("at", "since", "until", "stopped_at", "reached_at"))

#: A row by the names of its columns.
RowValues = Mapping[str, Any]


class Line(Value):
    """A row that a line says."""

    table: sa.Table
    values: RowValues


def lines(rows: Iterable[Line]) -> Iterator[bytes]:
    """The file, line by line."""
    yield dump(HEADER) + b"\n"
    for row in rows:
        said = {str(name): _value_text(name, value) for name, value in row.values.items()}
        yield dump({"table": str(row.table.name), **said}) + b"\n"


def _value_text(name: str, value: Any) -> Any:
    return iso(moment(value)) if name in _TIMES and value is not None else value


def read(texts: Iterable[str], tell: "LineFaults") -> Iterator[Line]:
    """The rows of a file, those of its lines that are right; `tell` is told the number of a wrong one, and why."""
    seen: dict[tuple[Any, ...], int] = {}
    number = 0
    for number, text in enumerate(texts, 1):
        try:
            said = _object(text)
            if number == 1:
                _check_header(said)
                continue
            line = _line(said)
            key = (line.table.name, *(line.values[column.name] for column in line.table.primary_key.columns))
            if (first := seen.setdefault(key, number)) != number:
                raise ValueError(f"says the same row as line {first}")
            yield line
        except ValueError as error:
            tell(number, str(error))
            if number == 1:
                return
    if not number:
        tell(1, "is empty")


class LineFaults:
    """Keeps what is wrong with a file."""

    def __init__(self, file: str) -> None:
        self.mistakes: list[str] = []
        self.count = 0
        self._file = file

    def __call__(self, line: int, text: str) -> None:
        self.count += 1
        if self.count <= MOST_TOLD:
            self.mistakes.append(f"{self._file}:{line}: {text}")

    @property
    def text(self) -> str:
        """All of it, a line for each."""
        more = self.count - len(self.mistakes)
        return "\n".join([*self.mistakes, *([f"and {more} more lines are wrong"] if more else [])])


def _object(text: str) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise ValueError(f"has more than {LONGEST:,} characters")
    try:
        said = decode(text)
    except ValueError:
        raise ValueError("is no JSON") from None
    if not isinstance(said, dict):
        raise ValueError("should be a JSON object")
    return said


def _check_header(said: dict[str, Any]) -> None:
    if said.get("panelbridge") != HEADER["panelbridge"]:
        raise ValueError(f"should be {dump(HEADER).decode()}, as `panelbridge people export` writes it")
    if said.get("version") != HEADER["version"]:
        raise ValueError(f"is of version {said.get('version')}, and version {HEADER['version']} is what can be read")


def _line(said: dict[str, Any]) -> Line:
    name = said.pop("table", None)
    if not isinstance(name, str) or name not in _NAMED:
        raise ValueError(f"table should be one of {', '.join(_NAMED)}")
    table = _NAMED[name]
    if unknown := said.keys() - table.columns.keys():
        raise ValueError(f'{name} have no "{min(unknown)[:40]}": there are {", ".join(table.columns.keys())}')
    if missing := table.columns.keys() - said.keys():
        raise ValueError(f'has no "{min(missing)}"')
    return Line(table, {column.name: _value(column, said[column.name]) for column in table.columns})


def _value(column: sa.Column[Any], said: Any) -> Any:
    if said is None:
        if not column.nullable:
            raise ValueError(f"{column.name} should not be null")
        return None
    if column.name in _TIMES:
        return _time(column.name, said)
    if isinstance(column.type, sa.Integer):
        if isinstance(said, bool) or not isinstance(said, int) or abs(said) > INT64_MAX:
            raise ValueError(f"{column.name} should be a whole number")
        if column is directories.c.id and said != THE_ROW:
            raise ValueError(f"id should be {THE_ROW}")
        return said
    if not isinstance(said, str) or "\0" in said:
        raise ValueError(f"{column.name} should be a text")
    if (check := _CHECKS.get(column)) is not None:
        check(said)
    if isinstance(column.type, sa.String) and column.type.length is not None and len(said) > column.type.length:
        raise ValueError(f"{column.name} should have at most {column.type.length} characters")
    return said


def _check_customer(said: str) -> None:
    if not (is_key(said) and is_customer(said)):
        raise ValueError("key should be a user's, such as marzban/user:alice")


def _check_recorded(said: str) -> None:
    if said != DEFAULT and not is_key(said):
        raise ValueError("key should be an owner's, a user's or a node's, such as marzban/user:alice")


def _check_wishing(said: str) -> None:
    """Raise ValueError where it is the key of nobody, of no chat, and of nobody who was forgotten."""
    sender, _, place = said.rpartition(CHAT)
    if not (is_key(said) or is_forgotten_key(said) or (sender and place)):
        raise ValueError("key should be a user's, such as marzban/user:alice, or a chat's")


def _check_chat(said: str) -> None:
    if not is_private_chat(said):
        raise ValueError("chat should be the number of a person's, such as 700001")


def _check_sender(said: str) -> None:
    if not said:
        raise ValueError("sender should be a bot's")


def _check_record(said: str) -> None:
    """Raise ValueError where it is no record of the directory: a lane could not read it."""
    try:
        DirectoryRecord.model_validate(_object(said))
    except ValidationError as error:
        raise ValueError(f"record: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None
    except ValueError as error:
        raise ValueError(f"record {error}") from None


def _check_wants(said: str) -> None:
    """Raise ValueError where it is nothing that anybody can want: a lane could not read it."""
    wants = _object(said)
    categories = wants.pop("categories", {})
    if not isinstance(categories, dict) or not all(isinstance(one, bool) for one in categories.values()):
        raise ValueError("wants should have true or false for each of its categories")
    if wrong := wants.keys() - set(OVERRIDING):
        raise ValueError(f"wants has no {min(wrong)[:40]}: there are categories, {', '.join(OVERRIDING)}")
    try:
        DirectoryRecord.model_validate(wants)
    except ValidationError as error:
        raise ValueError(f"wants: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None


def _time(name: str, said: Any) -> int:
    found: datetime | None = moment_of(said) if isinstance(said, str) else None
    if found is None:
        raise ValueError(f"{name} should be a time such as 2026-11-21T04:14:18Z")
    return micros(found)


#: What a text has to be beside one, for what reads it.
_CHECKS: Mapping[sa.Column[Any], Callable[[str], None]] = {
    directory.c.key: _check_recorded,
    directory.c.record: _check_record,
    wishes.c.key: _check_wishing,
    wishes.c.wants: _check_wants,
    links.c.key: _check_customer,
    links.c.sender: _check_sender,
    links.c.chat: _check_chat,
    told.c.key: _check_customer,
    proof_stops.c.key: _check_customer,
}
