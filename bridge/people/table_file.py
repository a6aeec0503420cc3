"""The directory as CSV: a record in each line."""

import csv
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches

from bridge.errors import Position
from bridge.people.raw_record import KINDS, REALM, Say, Written
from bridge.people.record import DirectoryRecord

FIRST = ("kind", "name", REALM)


def rows_of_table(lines: Iterable[str], say: Say) -> Iterator[Written]:
    """What stands in a table, line by line; told what is wrong with a line is `say`, and it is left out."""
    return _Table(say).rows(lines)


class _Table:
    def __init__(self, say: Say) -> None:
        self._tell = say
        self._text = ""  # the line that was read last
        self._line = 0
        self._names: list[str] = []

    def rows(self, lines: Iterable[str]) -> Iterator[Written]:
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

    def _watched(self, lines: Iterable[str]) -> Iterator[str]:
        for self._text in lines:
            self._line += 1
            yield self._text

    def _has_columns(self) -> bool:
        """Whether the first line names columns that there are."""
        if len(self._names) == 1 and ";" in self._text:
            self._say(0, "should be separated by commas, not by ;")
            return False
        known = [*FIRST, *DirectoryRecord.model_fields]
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

    def _row(self, cells: list[str]) -> Written | None:
        if len(cells) > len(self._names):
            self._say(len(self._names), f"has {len(cells)} cells, and there are {len(self._names)} columns")
            return None
        given = {name: text for name, cell in zip(self._names, cells, strict=False) if (text := cell.strip())}
        kind, name = given.pop("kind", ""), given.pop("name", "")
        if kind not in KINDS:
            self._say(self._names.index("kind"), f'kind should be {" or ".join(KINDS)}, not "{kind[:40]}"')
            return None
        return Written(kind, name, given, self._places())

    def _places(self) -> Callable[[str], Position]:
        """Where the cells of the line stand that was read last."""
        line, text, names = self._line, self._text, self._names
        return lambda name: _place(line, text, names.index(name) if name in names else 0)

    def _say(self, number: int, what: str) -> None:
        """What is wrong with the cell of that number."""
        self._tell(_place(self._line or 1, self._text, number), what)


def _place(line: int, text: str, number: int) -> Position:
    """Where the cell of that number stands; of a line with quotes, where the line does."""
    before = [] if '"' in text else text.split(",")[:number]
    return line, 1 + sum(len(cell) + 1 for cell in before)
