"""Mattermost, as the rest of the house knows it."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.markup.drawing import Drawn
from bridge.markup.service import Service, Terminal
from bridge.sinks.mattermost.text import MattermostText, MattermostWriter


def _terminal() -> Terminal:
    from bridge.sinks.mattermost import terminal

    return terminal


def _draw(body: JsonObject, at: datetime) -> Drawn:
    from bridge.sinks.mattermost.drawing import drawn  # only who looks at pages pays for it

    return drawn(body, at)


MATTERMOST = Service(
    name="mattermost",
    text=MattermostText,
    writer=MattermostWriter,
    blocks=("text",),
    digest_blocks=("text", "more"),
    terminal=_terminal,
    draw=_draw,
)
