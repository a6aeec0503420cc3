"""The directory as a CSV file: read line by line, so that no record stays in memory; every mistake with its place."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from bridge.errors import Mistake
from bridge.people.recipient import Audience, is_name, recipient_key
from bridge.people.record import Record

MOST = 200_000  # records
LARGEST = 64 * 2**20  # bytes
FIRST = ("kind", "name", "realm")
KINDS = {audience.kind: audience for audience in Audience}

#: Told what is wrong, and where.
Tell = Callable[[Mistake], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One record, and the line in which it stands."""

    line: int
    key: str
    record: Record


def read_table(path: Path, *, realm: str, tell: Tell) -> Iterator[Row]:
    """The records of a file, those of them that are right; `realm` is whose they are where a line does not say so."""
    try:
        if path.stat().st_size > LARGEST:
            tell(Mistake(1, 1, f"has more than {LARGEST // 2**20} MiB", str(path)))
            return
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from _Table(path, realm, tell).rows(lines)
    except OSError as error:
        tell(Mistake(1, 1, f"cannot be read: {error.strerror}", str(path)))
    except UnicodeDecodeError:
        tell(Mistake(1, 1, "is not UTF-8: save it as CSV UTF-8", str(path)))


class _Table:
    def __init__(self, path: Path, realm: str, tell: Tell) -> None:
        self._path = path
        self._realm = realm
        self._tell = tell
        self._text = ""  # the line that was read last
        self._line = 0
        self._first: dict[str, int] = {}  # key → the line in which it stands first
        self._names: list[str] = []

    def rows(self, lines: Iterator[str]) -> Iterator[Row]:
        reader = csv.reader(self._watched(lines), strict=True)
        try:
            self._names = [name.strip() for name in next(reader, [])]
            if not self._has_columns():
                return
            for cells in reader:
                if any(cell.strip() for cell in cells) and (row := self._row(cells)) is not None:
                    yield row
        except csv.Error as error:
            self._say(0, f"is no CSV: {error}")

    def _watched(self, lines: Iterator[str]) -> Iterator[str]:
        for self._text in lines:
            self._line += 1
            yield self._text

    def _has_columns(self) -> bool:
        """Whether the first line names columns that there are."""
        if len(self._names) == 1 and ";" in self._text:
            self._say(0, "should be separated by commas, not by ;")
            return False
        known = [*FIRST, *Record.model_fields]
        for number, name in enumerate(self._names):
            if name not in known and not name.startswith("x_"):
                meant = get_close_matches(name, known, n=1)
                hint = f'did you mean "{meant[0]}"?' if meant else f"there are {', '.join(known)}."
                self._say(number, f'unknown column "{name}": {hint} Own columns begin with x_')
        for name in ("kind", "name"):
            if name not in self._names:
                self._say(0, f'has no column "{name}"')
        if twice := next((name for name in self._names if self._names.count(name) > 1), None):
            self._say(self._names.index(twice), f'has the column "{twice}" twice')
        return {"kind", "name"} <= set(self._names)

    def _row(self, cells: list[str]) -> Row | None:
        if len(cells) > len(self._names):
            self._say(len(self._names), f"has {len(cells)} cells, and there are {len(self._names)} columns")
            return None
        given = {name: text for name, cell in zip(self._names, cells, strict=False) if (text := cell.strip())}
        kind, name = given.pop("kind", ""), given.pop("name", "")
        if kind not in KINDS:
            self._say(self._names.index("kind"), f'kind should be {" or ".join(KINDS)}, not "{kind[:40]}"')
            return None
        if not is_name(name):
            self._say(self._names.index("name"), "has no name, or one with signs that are not seen, or with too many")
            return None
        key = recipient_key(given.pop("realm", "") or self._realm, KINDS[kind], name)
        if key in self._first:
            self._say(0, f'{kind} "{name}" is there twice: first in line {self._first[key]}')
            return None
        if len(self._first) == MOST:
            self._say(0, f"has more than {MOST:,} records")
        self._first[key] = self._line
        return self._record(key, f'{kind} "{name}"', given)

    def _record(self, key: str, what: str, given: dict[str, str]) -> Row | None:
        try:
            return Row(self._line, key, Record.model_validate(given))
        except ValidationError as error:
            for one in error.errors(include_url=False):
                column = str(one["loc"][0]) if one["loc"] else ""
                text = one["msg"].removeprefix("Value error, ")
                self._say(self._names.index(column) if column in self._names else 0, f"{what}: {column}: {text}")
            return None

    def _say(self, number: int, text: str) -> None:
        """What is wrong with the cell of that number; of a line with quotes, with the line."""
        before = [] if '"' in self._text else self._text.split(",")[:number]
        self._tell(Mistake(self._line or 1, 1 + sum(len(cell) + 1 for cell in before), text, str(self._path)))
