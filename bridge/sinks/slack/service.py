"""Slack, as the rest of the house knows it."""

from bridge.markup.service import Service, Terminal
from bridge.sinks.slack.text import SlackText, SlackWriter


def _terminal() -> Terminal:
    from bridge.sinks.slack import terminal

    return terminal


SLACK = Service(
    name="slack",
    text=SlackText,
    writer=SlackWriter,
    blocks=("text",),
    digest_blocks=("text", "more"),
    terminal=_terminal,
    long_values=True,  # as the OrbVPN documentation lays its messages out
)
