"""ntfy, as the rest of the house knows it."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.markup.drawing import Drawn
from bridge.markup.markdown import PlainWriter
from bridge.markup.service import Service, Terminal
from bridge.sinks.ntfy.text import NtfyText


def _terminal() -> Terminal:
    from bridge.sinks.ntfy import terminal

    return terminal


def _draw(body: JsonObject, at: datetime) -> Drawn:
    from bridge.sinks.ntfy.drawing import drawn  # only who looks at pages pays for it

    return drawn(body, at)


NTFY = Service(
    name="ntfy",
    text=NtfyText,
    writer=PlainWriter,
    blocks=("heading", "text"),
    digest_blocks=("heading", "text", "more"),
    terminal=_terminal,
    draw=_draw,
)
