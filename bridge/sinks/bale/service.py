"""Bale, as the rest of the house knows it."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.markup.drawing import Drawn
from bridge.markup.service import Service, Terminal
from bridge.sinks.bale.text import BaleText, BaleWriter


def _terminal() -> Terminal:
    from bridge.sinks.bale import terminal

    return terminal


def _draw(body: JsonObject, at: datetime) -> Drawn:
    from bridge.sinks.bale.drawing import drawn  # only who looks at pages pays for it

    return drawn(body, at)


BALE = Service(
    name="bale",
    text=BaleText,
    writer=BaleWriter,
    blocks=("text",),
    digest_blocks=("text", "more"),
    terminal=_terminal,
    draw=_draw,
)
