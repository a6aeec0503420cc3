"""How Discord's message looks on a terminal: the embed behind a bar of its colour, content above it."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bridge.chart import with_signs
from bridge.message import RECORD, UNIT, Digest, Message
from bridge.sinks.discord.reading import line_reading, reading
from bridge.sinks.terminal import beside_bar, indented, painted, without_controls
from bridge.sinks.text import shows

ROW = 3  # fields side by side
GREY = "#4f545c"


def words(markup: str) -> Text:
    """Discord's markdown."""
    return painted(reading(markup))


def body(message: Message | Digest, at: datetime) -> RenderableType:
    """The embed, and the content above it."""
    message = with_signs(message, "description")
    shown: list[RenderableType] = []
    for part in (list(_head(message)), list(_fields(message))):
        shown += [*part, Text()] if part else []
    embed = beside_bar(_color(message["color"]), Group(*shown, _foot(message["footer"], at)))
    return Group(indented(words(message["content"].strip())), embed) if shows(message["content"]) else embed


def _color(color: str) -> str:
    text = color.strip()
    try:
        number = int(text[1:], 16) if text.startswith("#") else int(text)
    except ValueError:
        return GREY
    return f"#{number & 0xFFFFFF:06x}"


def _head(message: Message | Digest) -> Iterator[Text]:
    if shows(message["title"]):
        yield _bold(message["title"])
    if shows(message["description"]):
        yield words(message["description"].strip())


def _fields(message: Message | Digest) -> Iterator[RenderableType]:
    """Fields that say so side by side, three to a row; others one under the other."""
    records = filter(shows, message["fields"].split(RECORD))
    parted = ((*record.split(UNIT, 2), "", "")[:3] for record in records)
    for inline, run in groupby(parted, key=lambda parts: parts[2].strip() == "inline"):
        cells = [_field(name, value) for name, value, _ in run]
        yield from [_rows(cells)] if inline else cells


def _field(name: str, value: str) -> Text:
    return Text("\n").join([_bold(name), words(value.strip())])


def _bold(markup: str) -> Text:
    title = painted(line_reading(markup.strip()))
    title.stylize("bold")
    return title


def _rows(cells: list[Text]) -> Table:
    grid = Table.grid(padding=(0, 3))
    for i in range(0, len(cells), ROW):
        grid.add_row(*cells[i : i + ROW])
    return grid


def _foot(footer: str, at: datetime) -> Text:
    time = f"{at:%Y-%m-%d %H:%M} UTC"
    footer = without_controls(" ".join(footer.split()))
    return Text(f"{footer} · {time}" if footer else time, style="dim")
