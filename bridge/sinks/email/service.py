"""E-mail, as the rest of the house knows it."""

from datetime import datetime

from bridge.event import JsonObject
from bridge.markup.drawing import Drawn
from bridge.markup.service import Service, Terminal
from bridge.sinks.email.text import EmailText, EmailWriter


def _terminal() -> Terminal:
    from bridge.sinks.email import terminal

    return terminal


def _draw(body: JsonObject, at: datetime) -> Drawn:
    from bridge.sinks.email.drawing import drawn  # only who looks at pages pays for it

    return drawn(body, at)


EMAIL = Service(
    name="email",
    text=EmailText,
    writer=EmailWriter,
    blocks=("subject", "heading", "text", "fields", "footer", "color", "language", "direction"),
    digest_blocks=("subject", "heading", "text", "color", "language", "direction", "more"),
    terminal=_terminal,
    draw=_draw,
    mailboxes=True,
)
