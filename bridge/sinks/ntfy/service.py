"""ntfy, as the rest of the house knows it."""

from bridge.markup.markdown import PlainWriter
from bridge.markup.service import Service, Terminal
from bridge.sinks.ntfy.text import NtfyText


def _terminal() -> Terminal:
    from bridge.sinks.ntfy import terminal

    return terminal


NTFY = Service(
    name="ntfy",
    text=NtfyText,
    writer=PlainWriter,
    blocks=("heading", "text"),
    digest_blocks=("heading", "text", "more"),
    terminal=_terminal,
)
