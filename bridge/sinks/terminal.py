"""Messages on a terminal, whichever service they are for; how one looks says the service itself."""

import io
import json
import re
from collections.abc import Iterable
from datetime import datetime

from rich.box import Box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from bridge.markup.service import Service
from bridge.message import Digest, Message
from bridge.sinks.digest import more
from bridge.sinks.text import shows

ENDLESS = 10_000  # columns of what is no terminal
WIDEST = 100  # columns of a message on a terminal
BAR = Box("    \n▌   \n    \n▌   \n    \n    \n▌   \n    \n")

_LINE = Text("─" * 8, style="dim")  # between the parts of a digest
_BLANK = re.compile(r"(?:\s|\x1b\[[0-9;]*m)*")  # the bar's upper and lower end
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # what a terminal would take for orders


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
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines() if not _BLANK.fullmatch(line)) + "\n\n"


def beside_bar(color: str, body: RenderableType) -> RenderableType:
    """The body behind a bar, as the services draw it."""
    return Panel(body, box=BAR, border_style=color, padding=(0, 1), expand=False)


def without_controls(text: str) -> str:
    """`text` with nothing in it that a terminal would take for orders."""
    return _CONTROLS.sub("", text)


def _head(message: Message | Digest, service: Service | None) -> str:
    format_ = service.name if service else "event"
    if isinstance(message, Digest):
        return f"{format_} · digest · {message.tally.total}"
    return f"{format_} · {message.event.type} · {message.event.source}"


def _events(message: Message | Digest) -> Iterable[RenderableType]:
    for event in message.events if isinstance(message, Digest) else [message.event]:
        yield without_controls(json.dumps(event.to_json(), ensure_ascii=False, indent=2))


def _messages(message: Message | Digest, service: Service) -> Iterable[RenderableType]:
    """The message; of a digest its summary and its parts, and how many more there are."""
    if not isinstance(message, Digest):
        yield _below_remarks(message, service, message.event.occurred_at)
        return
    yield _below_remarks(message, service, message.tally.last_at)
    for part in message.parts:
        yield from (_LINE, _below_remarks(part, service, part.event.occurred_at))
    if rest := service.terminal().words(more(message, len(message.parts))):
        yield from (_LINE, rest)


def _below_remarks(message: Message | Digest, service: Service, at: datetime) -> RenderableType:
    terminal, remarks = service.terminal(), message["remarks"].strip()
    body = terminal.body(message, at)
    return Group(terminal.words(remarks), body) if shows(remarks) else body
