"""Messages on a terminal, whichever service they are for; how one looks says the service itself.

Whoever writes a message could write a line that looks like the beginning of another one, so that only our own lines
begin at the edge: whatever a message says stands behind a bar or is indented.
"""

import io
import json
import re
from collections.abc import Iterable
from datetime import datetime

from rich.box import Box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from bridge.markup.service import Service
from bridge.markup.spans import Link, Span, SpanMark, TextStyle
from bridge.message import Digest, Message
from bridge.sinks.digest import rest
from bridge.sinks.text import shows
from bridge.telemetry import CONTROLS, escaped

ENDLESS = 10_000  # columns of what is no terminal
NAMES = 2000  # characters of names of what a digest does not tell in full
WIDEST = 100  # columns of a message on a terminal
STYLES = {
    TextStyle.BOLD: "bold",
    TextStyle.HEADING: "bold",
    TextStyle.ITALIC: "italic",
    TextStyle.UNDERLINE: "underline",
    TextStyle.STRIKE: "strike",
    TextStyle.CODE: "cyan",
    TextStyle.CODE_BLOCK: "cyan",
    TextStyle.QUOTE: "dim",
}
BAR = Box("    \n▌   \n    \n▌   \n    \n    \n▌   \n    \n")

_LINE = Text("─" * 8, style="dim")  # between the parts of a digest
_BLANK = re.compile(r"(?:\s|\x1b\[[0-9;]*m)*")  # the bar's upper and lower end
_CONTROLS = re.compile(rf"[\x00-\x08\x0b-\x1f{CONTROLS}]")  # what a terminal would take for orders


def view(
    message: Message | Digest, service: Service | None, *, terminal: bool, color: bool, width: int | None = None
) -> str:
    """What is said as the service would show it, as JSON for none; with escape sequences where it is a terminal's."""
    text = io.StringIO()
    console = Console(
        file=text,
        force_terminal=terminal,
        color_system="truecolor" if terminal and color else None,
        width=(width or min(WIDEST, Console().width)) if terminal else ENDLESS,
        highlight=False,
        emoji=False,
        markup=False,
    )
    console.print(_head(message, service), style="dim")
    for one in _events(message) if service is None else _messages(message, service):
        console.print(one, soft_wrap=service is None)
    return "\n".join(line.rstrip() for line in text.getvalue().split("\n") if not _BLANK.fullmatch(line)) + "\n\n"


def painted(spans: Iterable[Span]) -> Text:
    """The spans in a terminal's colours."""
    text = Text()
    for span in spans:
        text.append(without_controls(span.text), style=" ".join(filter(None, map(_style, span.marks))))
    return text


def beside_bar(color: str, body: RenderableType) -> RenderableType:
    """The body behind a bar, as the services draw it."""
    return Panel(body, box=BAR, border_style=color, padding=(0, 1), expand=False)


def indented(body: RenderableType) -> RenderableType:
    """The body where no line of it can be taken for one of ours."""
    return Padding(body, (0, 0, 0, 2), expand=False)


def without_controls(text: str) -> str:
    """`text` with nothing in it that a terminal would take for orders, but ends of lines."""
    return _CONTROLS.sub("", text.replace("\t", " "))


def _style(mark: SpanMark) -> str:
    return "underline" if isinstance(mark, Link) else STYLES.get(mark, "")


def _head(message: Message | Digest, service: Service | None) -> str:
    format_ = service.name if service else "event"
    if isinstance(message, Digest):
        return f"{format_} · digest · {message.tally.total}"
    return _line(f"{format_} · {message.event.type} · {message.event.source}")


def _line(text: str) -> str:
    """As one line."""
    return " ".join(without_controls(text).split())


def _events(message: Message | Digest) -> Iterable[RenderableType]:
    for event in message.events if isinstance(message, Digest) else [message.event]:
        yield escaped(json.dumps(event.to_json(), ensure_ascii=False, indent=2))


def _messages(message: Message | Digest, service: Service) -> Iterable[RenderableType]:
    """The message; of a digest its summary and its parts, and how many more there are."""
    if not isinstance(message, Digest):
        yield _below_remarks(message, service, message.event.occurred_at)
        return
    yield _below_remarks(message, service, message.tally.last_at)
    for part in message.parts:
        yield from (_LINE, _below_remarks(part, service, part.event.occurred_at))
    named = rest(message, service, len(message.parts), lambda text: len(text) <= NAMES)
    if words := service.terminal().words(named):
        yield from (_LINE, words)


def _below_remarks(message: Message | Digest, service: Service, at: datetime) -> RenderableType:
    terminal, remarks = service.terminal(), _line(message["remarks"])
    body = terminal.body(message, at)
    return Group(terminal.words(remarks), body) if shows(remarks) else body
