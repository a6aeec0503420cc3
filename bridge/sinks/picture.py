"""A report's chart as a picture: bars on a light card, and no words but digits. The library is an extra.

The same bars are the same bytes, so that what is tried again is what was sent. It is drawn in a thread of its own: that
takes longer than others may wait.
"""

import asyncio
import io
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING, Any, cast

from bridge.chart import BLOCK, Chart, can_be_drawn, chart_of, read_chart
from bridge.message import Message

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

NO_PICTURE = "sent without its picture"
NAME, KIND = "report.png", "image/png"
WIDTH, HEIGHT = 1200, 560  # of the picture, pixels; it is drawn larger, and made smaller
FINER = 2  # how many times larger
TOP, BOTTOM, EDGE, GAP = 84, 80, 40, 18  # above and below the bars, at the sides, between digits and what they are of
LINES = 4  # that are drawn across at most
SHARE = 0.68  # of its room that a bar takes
CORNER, LOWEST = 10, 5  # how round a bar is, and how high at least
CARD, LINE, BASE, DIGITS = "#f6f8fd", "#e1e6f3", "#b9c2da", "#5e6780"
BAR, TALLEST = "#8fa2e6", "#3451b2"
SIZE, SIZE_OF_TALLEST = 25, 30  # of digits


def has_picture(message: Message) -> bool:
    """Whether a picture goes with the message."""
    return chart_of(message) is not None and can_be_drawn()


def picture_of(message: Message) -> bytes:
    """The PNG of a message that has a chart."""
    return _drawn(message[BLOCK])


async def draw_ahead(message: Message) -> None:
    """Draw a message's picture before it is asked for, and hold nobody up by that."""
    if has_picture(message):
        await asyncio.to_thread(_drawn, message[BLOCK])


def form(fields: Mapping[str, Any], name: str, picture: bytes) -> tuple[bytes, Mapping[str, str]]:
    """The body of a form with a picture, and the headers that go with it; what is no text is written as JSON.

    name: of the part that the picture is
    """
    from urllib3 import encode_multipart_formdata  # comes with the extra: only who sends pictures pays for it

    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
    parts: dict[str, str | tuple[str, bytes, str]] = {**texts, name: (NAME, picture, KIND)}
    boundary = sha256(repr(sorted(texts.items())).encode() + picture).hexdigest()[:32]
    body, content_type = encode_multipart_formdata(parts, boundary=boundary)
    return body, {"Content-Type": content_type}


@lru_cache(maxsize=8)
def _drawn(block: str) -> bytes:
    chart = read_chart(block)
    assert chart is not None, "a message is asked for a picture that has none"
    return drawn(chart)


def drawn(chart: Chart) -> bytes:
    """The chart as a PNG."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), CARD)
    _Painter(chart, ImageDraw.Draw(image)).paint()
    out = io.BytesIO()
    image.reduce(FINER).save(out, "PNG")
    return out.getvalue()


class _Painter:
    """Where everything stands, in pixels of the larger picture."""

    def __init__(self, chart: Chart, draw: "ImageDraw") -> None:
        self._chart, self._draw = chart, draw
        self._font, self._larger = _font(SIZE), _font(SIZE_OF_TALLEST)
        self._top = max(chart.bars)
        self._lines = _lines(self._top)
        widest = max(self._font.getlength(_digits(n)) for n in self._lines)
        self._left, self._right = widest + (EDGE + GAP) * FINER, (WIDTH - EDGE) * FINER
        self._floor = (HEIGHT - BOTTOM) * FINER
        self._scale = (self._floor - TOP * FINER) / self._lines[-1]
        self._room = (self._right - self._left) / len(chart.bars)

    def paint(self) -> None:
        for n in self._lines[1:]:
            self._line(n, LINE, FINER)
        for number, n in enumerate(self._chart.bars):
            if n:
                self._bar(number, n)
        self._line(0, BASE, 2 * FINER)
        for number, digits in self._chart.ticks.items():
            at = self._middle(number), self._floor + GAP * FINER
            self._draw.text(at, digits, fill=DIGITS, font=self._font, anchor="mt")
        if self._top:
            self._number_of_tallest()

    def _line(self, n: int, color: str, width: int) -> None:
        y = round(self._floor - n * self._scale)
        self._draw.line((self._left, y, self._right, y), fill=color, width=width)
        self._draw.text((self._left - GAP * FINER, y), _digits(n), fill=DIGITS, font=self._font, anchor="rm")

    def _bar(self, number: int, n: int) -> None:
        middle, half = self._middle(number), self._room * SHARE / 2
        height = max(n * self._scale, LOWEST * FINER)
        box = (round(middle - half), round(self._floor - height), round(middle + half), self._floor)
        corner = min(CORNER * FINER, half, height)
        color = TALLEST if n == self._top else BAR
        self._draw.rounded_rectangle(box, corner, fill=color, corners=(True, True, False, False))

    def _number_of_tallest(self) -> None:
        """Above the first of them; a line that runs there ends beside it."""
        text, middle = _digits(self._top), self._middle(self._chart.bars.index(self._top))
        half = self._larger.getlength(text) / 2
        middle = min(middle, self._right - half)
        at = middle, self._floor - self._top * self._scale - GAP * FINER
        left, top, right, bottom = self._draw.textbbox(at, text, font=self._larger, anchor="ms")
        around = GAP * FINER / 2
        self._draw.rectangle((left - around, top - around, right + around, bottom + around / 2), fill=CARD)
        self._draw.text(at, text, fill=TALLEST, font=self._larger, anchor="ms")

    def _middle(self, number: int) -> float:
        return self._left + self._room * (number + 0.5)


def _font(size: int) -> "FreeTypeFont":
    from PIL.ImageFont import load_default

    return cast("FreeTypeFont", load_default(size * FINER))  # Pillow's wheels have FreeType, and a font of their own


def _lines(top: int) -> Sequence[int]:
    """At which numbers lines are drawn across: from 0 in steps of 1, 2 or 5 with noughts, to the top or above."""
    steps = (one * 10**noughts for noughts in count() for one in (1, 2, 5))
    step = next(one for one in steps if one * LINES >= top)
    return range(0, -(-max(top, 1) // step) * step + 1, step)


def _digits(n: int) -> str:
    """Thousands apart, in no language's way."""
    return f"{n:,}".replace(",", " ")
