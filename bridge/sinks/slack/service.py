"""Slack, as the rest of the house knows it."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.markup.drawing import Drawn
from bridge.markup.service import Service, Terminal
from bridge.sinks.slack.text import SlackText, SlackWriter


def _terminal() -> Terminal:
    from bridge.sinks.slack import terminal

    return terminal


def _draw(body: JsonObject, at: datetime) -> Drawn:
    from bridge.sinks.slack.drawing import drawn  # only who looks at pages pays for it

    return drawn(body, at)


SLACK = Service(
    name="slack",
    text=SlackText,
    writer=SlackWriter,
    blocks=("text",),
    digest_blocks=("text", "more"),
    terminal=_terminal,
    draw=_draw,
    long_values=True,  # as the OrbVPN documentation lays its messages out
)
