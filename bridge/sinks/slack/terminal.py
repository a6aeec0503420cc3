"""How Slack's message looks on a terminal: its text behind a bar, bold as bold, links underlined."""

import re
from datetime import datetime
from html import unescape

from rich.console import RenderableType
from rich.text import Text

from bridge.message import Digest, Message
from bridge.sinks.terminal import beside_bar, without_controls

PURPLE = "#7c3085"
STYLES = {"*": "bold", "_": "italic", "~": "strike", "`": "cyan"}

_MARKUP = re.compile(
    r"<(?P<link>[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>"
    r"|(?<!\w)(?P<mark>[*_~`])(?P<inner>[^\n]+?)(?P=mark)(?!\w)"
)


def words(markup: str) -> Text:
    """Slack's mrkdwn."""
    shown, end = Text(), 0
    for match in _MARKUP.finditer(markup):
        shown.append(_plain(markup[end : match.start()]))
        shown.append_text(_marked(match["mark"], match["inner"]) if match["mark"] else _link(match))
        end = match.end()
    return shown.append(_plain(markup[end:]))


def body(message: Message | Digest, at: datetime) -> RenderableType:
    return beside_bar(PURPLE, words(message["text"].strip()))


def _marked(mark: str, inner: str) -> Text:
    shown = Text(_plain(inner)) if mark == "`" else words(inner)
    shown.stylize(STYLES[mark])
    return shown


def _link(match: re.Match[str]) -> Text:
    return Text(_plain(match["label"] or match["link"]), style="underline")


def _plain(escaped: str) -> str:
    return without_controls(unescape(escaped))
