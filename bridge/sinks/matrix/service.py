"""Matrix, as the rest of the house knows it."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.markup.drawing import Drawn
from bridge.markup.service import Service, Terminal
from bridge.sinks.matrix.text import MatrixText, MatrixWriter


def _terminal() -> Terminal:
    from bridge.sinks.matrix import terminal

    return terminal


def _draw(body: JsonObject, at: datetime) -> Drawn:
    from bridge.sinks.matrix.drawing import drawn  # only who looks at pages pays for it

    return drawn(body, at)


MATRIX = Service(
    name="matrix",
    text=MatrixText,
    writer=MatrixWriter,
    blocks=("text",),
    digest_blocks=("text", "more"),
    terminal=_terminal,
    draw=_draw,
)
