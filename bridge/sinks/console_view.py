"""How a service's message looks on a terminal: bold as bold, links underlined, and Discord's bar in its colour."""

import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.box import Box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bridge.event import Event
from bridge.message import RECORD, UNIT, Digest, Message
from bridge.sinks.digest import more
from bridge.sinks.text import shows

ENDLESS = 10_000  # columns of what is no terminal
WIDEST = 100  # columns of a message on a terminal
ROW = 3  # fields side by side
LINE = "─" * 8  # between the parts of a digest
BAR = Box("    \n▌   \n    \n▌   \n    \n    \n▌   \n    \n")
SLACK, TELEGRAM, GREY = "#7c3085", "#2aabee", "#4f545c"

#: Tags of Telegram's HTML and tokens of markdown → style.
STYLES = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins", "a", "link"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strike"),
    **dict.fromkeys(("code", "pre", "code_inline"), "cyan"),
    "blockquote": "dim",
}
MARKS = {"*": "bold", "_": "italic", "~": "strike", "`": "cyan"}

_MARKDOWN = MarkdownIt("zero").enable(["emphasis", "strikethrough", "backticks", "escape", "link", "newline"])
_SLACK = re.compile(
    r"<(?P<link>[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>"
    r"|(?<!\w)(?P<mark>[*_~`])(?P<inner>[^\n]+?)(?P=mark)(?!\w)"
)
_BLANK = re.compile(r"(?:\s|\x1b\[[0-9;]*m)*")  # the bar's upper and lower end
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # what a terminal would take for orders


def view(message: Message, format_: str, *, terminal: bool, color: bool, width: int | None = None) -> str:
    """The message as text, with escape sequences where it goes to a terminal."""
    return _drawn(
        f"{format_} · {message.event.type} · {message.event.source}",
        [_body(message, format_)],
        terminal=terminal,
        color=color,
        width=width,
        wrap=format_ != "event",
    )


def view_digest(digest: Digest, format_: str, *, terminal: bool, color: bool, width: int | None = None) -> str:
    """The summary and the parts as text, with escape sequences where they go to a terminal."""
    shown: list[RenderableType] = []
    if format_ == "event":
        shown += [_json(event) for event in digest.events]
    else:
        shown.append(_remarked(digest, format_, digest.tally.last_at))
        for part in digest.parts:
            shown += [Text(LINE, style="dim"), _body(part, format_)]
        rest = READERS[format_](more(digest, len(digest.parts)))
        shown += [Text(LINE, style="dim"), rest] if rest else []
    return _drawn(
        f"{format_} · digest · {digest.tally.total}",
        shown,
        terminal=terminal,
        color=color,
        width=width,
        wrap=format_ != "event",
    )


def _drawn(
    head: str, shown: Iterable[RenderableType], *, terminal: bool, color: bool, width: int | None, wrap: bool
) -> str:
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
    console.print(head, style="dim")
    for one in shown:
        console.print(one, soft_wrap=not wrap)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines() if not _BLANK.fullmatch(line)) + "\n\n"


def _body(message: Message, format_: str) -> RenderableType:
    if format_ == "event":
        return _json(message.event)
    return _remarked(message, format_, message.event.occurred_at)


def _remarked(said: Message | Digest, format_: str, at: datetime) -> RenderableType:
    """What the blocks say below the remarks."""
    body, remarks = _said(said, format_, at), said["remarks"].strip()
    return Group(READERS[format_](remarks), body) if shows(remarks) else body


def _json(event: Event) -> str:
    return _CONTROLS.sub("", json.dumps(event.to_json(), ensure_ascii=False, indent=2))


def _said(said: Message | Digest, format_: str, at: datetime) -> RenderableType:
    """What the blocks say, as the service would show it."""
    match format_:
        case "discord":
            return _embed(said, at)
        case "slack":
            return _beside(SLACK, slack(said["text"].strip()))
        case _:
            return _beside(TELEGRAM, telegram(said["text"].strip()))


def _embed(said: Message | Digest, at: datetime) -> RenderableType:
    shown: list[RenderableType] = []
    for part in (list(_head(said)), list(_fields(said))):
        shown += [*part, Text()] if part else []
    body = _beside(_bar(said["color"]), Group(*shown, _foot(said["footer"], at)))
    return Group(discord(said["content"].strip()), body) if shows(said["content"]) else body


def _beside(color: str, body: RenderableType) -> RenderableType:
    """The body behind a bar, as the services draw it."""
    return Panel(body, box=BAR, border_style=color, padding=(0, 1), expand=False)


def _bar(color: str) -> str:
    text = color.strip()
    try:
        number = int(text[1:], 16) if text.startswith("#") else int(text)
    except ValueError:
        return GREY
    return f"#{number & 0xFFFFFF:06x}"


def _head(said: Message | Digest) -> Iterator[Text]:
    if shows(said["title"]):
        title = discord(said["title"].strip())
        title.stylize("bold")
        yield title
    if shows(said["description"]):
        yield discord(said["description"].strip())


def _fields(said: Message | Digest) -> Iterator[RenderableType]:
    """Fields that say so side by side, three to a row; others one under the other."""
    records = filter(shows, said["fields"].split(RECORD))
    parted = ((*record.split(UNIT, 2), "", "")[:3] for record in records)
    for inline, run in groupby(parted, key=lambda parts: parts[2].strip() == "inline"):
        cells = [_field(name, value) for name, value, _ in run]
        yield from [_rows(cells)] if inline else cells


def _field(name: str, value: str) -> Text:
    title = discord(name.strip())
    title.stylize("bold")
    return Text("\n").join([title, discord(value.strip())])


def _rows(cells: list[Text]) -> Table:
    grid = Table.grid(padding=(0, 3))
    for i in range(0, len(cells), ROW):
        grid.add_row(*cells[i : i + ROW])
    return grid


def _foot(footer: str, at: datetime) -> Text:
    time = f"{at:%Y-%m-%d %H:%M} UTC"
    footer = _tame(" ".join(footer.split()))
    return Text(f"{footer} · {time}" if footer else time, style="dim")


def discord(text: str) -> Text:
    """Discord's markdown."""
    shown = Text()
    styles: list[str] = []
    for inline in _MARKDOWN.parseInline(_tame(text)):
        for token in inline.children or []:
            _put(token, shown, styles)
    return shown


def _put(token: Token, shown: Text, styles: list[str]) -> None:
    if token.type.endswith("_open"):
        styles.append(STYLES.get(token.type.removesuffix("_open"), ""))
    elif token.type.endswith("_close"):
        styles.pop()
    elif token.type in ("softbreak", "hardbreak"):
        shown.append("\n")
    else:
        shown.append(token.content, style=" ".join([*styles, STYLES.get(token.type, "")]).strip())


def slack(text: str) -> Text:
    """Slack's mrkdwn."""
    shown, end = Text(), 0
    text = _tame(text)
    for match in _SLACK.finditer(text):
        shown.append(unescape(text[end : match.start()]))
        shown.append_text(_marked(match["mark"], match["inner"]) if match["mark"] else _link(match))
        end = match.end()
    return shown.append(unescape(text[end:]))


def _marked(mark: str, inner: str) -> Text:
    shown = Text(unescape(inner)) if mark == "`" else slack(inner)
    shown.stylize(MARKS[mark])
    return shown


def _link(match: re.Match[str]) -> Text:
    return Text(unescape(match["label"] or match["link"]), style="underline")


def telegram(text: str) -> Text:
    """Telegram's HTML."""
    return _Html().read(_tame(text))


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._shown = Text()
        self._opened: list[str] = []

    def read(self, text: str) -> Text:
        self.feed(text)
        self.close()
        return self._shown

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._opened[-1:] == [tag]:
            self._opened.pop()

    def handle_data(self, data: str) -> None:
        self._shown.append(data, style=" ".join(STYLES.get(tag, "") for tag in self._opened).strip())


def _tame(text: str) -> str:
    return _CONTROLS.sub("", text)


#: How each service reads its markup.
READERS: dict[str, Callable[[str], Text]] = {"discord": discord, "slack": slack, "telegram": telegram}
