"""How Telegram's message looks on a terminal: its text behind a bar, bold as bold, links underlined."""

from datetime import datetime
from html.parser import HTMLParser

from rich.console import RenderableType
from rich.text import Text

from bridge.message import Digest, Message
from bridge.sinks.terminal import beside_bar, without_controls

BLUE = "#2aabee"
STYLES = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins", "a"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strike"),
    **dict.fromkeys(("code", "pre"), "cyan"),
    "blockquote": "dim",
}


def words(markup: str) -> Text:
    """Telegram's HTML."""
    return _Reader().read(markup)


def body(message: Message | Digest, at: datetime) -> RenderableType:
    return beside_bar(BLUE, words(message["text"].strip()))


class _Reader(HTMLParser):
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
        self._shown.append(without_controls(data), style=" ".join(STYLES.get(tag, "") for tag in self._opened).strip())
