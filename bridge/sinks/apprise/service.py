"""Apprise, as the rest of the house knows it."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.markup.drawing import Drawn
from bridge.markup.service import Service, Terminal
from bridge.sinks.apprise.text import AppriseText, AppriseWriter


def _terminal() -> Terminal:
    from bridge.sinks.apprise import terminal

    return terminal


def _draw(body: JsonObject, at: datetime) -> Drawn:
    from bridge.sinks.apprise.drawing import drawn  # only who looks at pages pays for it

    return drawn(body, at)


APPRISE = Service(
    name="apprise",
    text=AppriseText,
    writer=AppriseWriter,
    blocks=("heading", "text"),
    digest_blocks=("heading", "text", "more"),
    terminal=_terminal,
    draw=_draw,
)
