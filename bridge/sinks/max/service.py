"""MAX, as the rest of the house knows it."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.markup.drawing import Drawn
from bridge.markup.html_text import HtmlWriter
from bridge.markup.service import Service, Terminal
from bridge.sinks.max.text import MaxText


def _terminal() -> Terminal:
    from bridge.sinks.max import terminal

    return terminal


def _draw(body: JsonObject, at: datetime) -> Drawn:
    from bridge.sinks.max.drawing import drawn  # only who looks at pages pays for it

    return drawn(body, at)


MAX = Service(
    name="max",
    text=MaxText,
    writer=HtmlWriter,
    blocks=("text",),
    digest_blocks=("text", "more"),
    terminal=_terminal,
    draw=_draw,
)
