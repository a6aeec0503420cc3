"""A table for people: whole where there is room, else with what matters less in a second line below each row."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from bridge.cli.console import local_time, printable
from bridge.clock import in_zone
from bridge.value import Value

GAP = 2  # cells between two columns
INDENT = 4  # of the second line
#: Columns that tell a state, which is coloured by its first word.
STATES = ("STATE", "STANDING")
COLOURS = {
    **dict.fromkeys(("delivered", "open", "flowing"), "green"),
    **dict.fromkeys(("pending", "waiting", "away", "limited"), "yellow"),
    **dict.fromkeys(("dead", "parked", "not"), "bold red"),
    **dict.fromkeys(("held_back", "disabled"), "dim"),
}

TableRow = Mapping[str, object]


class TextTable(Value):
    """Columns by their names, and what stands in them; see `console.print_table`."""

    columns: Sequence[str]
    rows: Sequence[TableRow]
    below: Mapping[str, str]
    zone: ZoneInfo

    def whole(self) -> RenderableType:
        """One line a row, however wide."""
        return Group(*self._lines(self.columns, short=False))

    def fitted(self, width: int) -> RenderableType:
        """All of it in so many cells: nothing is cut off, and what does not fit beside the rest stands below it."""
        if self._width(self.columns, short=False) <= width:
            return self.whole()
        above, below = list(self.columns), list(self.below)
        while self._width(above, short=True) > width and below:
            above.remove(below.pop(0))
        if not self.below and self._width(above, short=True) > width:
            return self._folded()
        return Group(*self._lines(above, short=True), *self._caption())

    def _lines(self, above: Sequence[str], *, short: bool) -> Iterator[RenderableType]:
        """The head, and one or two lines for each row."""
        widths = self._widths(above, short)
        yield _joined((Text(name, style="bold") for name in above), widths)
        for row in self.rows:
            yield _joined((self._cell(row, name, short) for name in above), widths)
            if remarks := " · ".join(self._remarks(row, above, short)):
                yield Padding(Text(remarks, style="dim", overflow="fold"), (0, 0, 0, INDENT))

    def _remarks(self, row: TableRow, above: Sequence[str], short: bool) -> Iterator[str]:
        for name in self.columns:
            if name not in above and row[name] not in (None, "", 0):
                yield self.below[name].format(self._cell(row, name, short))

    def _folded(self) -> RenderableType:
        """Each column as narrow as need be."""
        grid = Grid(box=None, pad_edge=False, header_style="bold")
        for name in self.columns:
            grid.add_column(name, overflow="fold")
        for row in self.rows:
            grid.add_row(*(self._cell(row, name, short=False) for name in self.columns))
        return grid

    def _caption(self) -> Iterator[RenderableType]:
        if any(isinstance(one, datetime) for row in self.rows for one in row.values()):
            yield Text(f"times in {self.zone.key}", style="dim")

    def _width(self, above: Sequence[str], *, short: bool) -> int:
        return sum(self._widths(above, short)) - GAP

    def _widths(self, above: Sequence[str], short: bool) -> list[int]:
        cells = ((name, *(self._cell(row, name, short).plain for row in self.rows)) for name in above)
        return [max(map(cell_len, column)) + GAP for column in cells]

    def _cell(self, row: TableRow, name: str, short: bool) -> Text:
        value = row[name]
        if isinstance(value, datetime):
            return Text(f"{in_zone(value, self.zone):%m-%d %H:%M:%S}" if short else local_time(value, self.zone))
        text = printable(value)
        return Text(text, style=COLOURS.get(text.partition(" ")[0].rstrip(","), "") if name in STATES else "")


def _joined(cells: Iterable[Text], widths: Sequence[int]) -> Text:
    """The cells of a line, each as wide as its column."""
    line = Text()
    for cell, width in zip(cells, widths, strict=True):
        line.append_text(cell).append(" " * (width - cell.cell_len))
    line.rstrip()
    return line
