"""What a drawing of a message is, read by somebody else than who drew it: its words, in order, and its tags."""

from html.parser import HTMLParser

#: All that a drawing may be made of. None of it loads, leads anywhere, styles or runs anything.
TAGS = {
    "a",
    "b",
    "blockquote",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "hr",
    "i",
    "li",
    "path",
    "pre",
    "rect",
    "s",
    "span",
    "svg",
    "time",
    "u",
    "ul",
}
ATTRIBUTES = {
    "aria-hidden",
    "class",
    "d",
    "datetime",
    "dir",
    "fill",
    "height",
    "preserveaspectratio",
    "stroke",
    "stroke-linecap",
    "stroke-width",
    "title",
    "viewbox",
    "width",
}
BLOCKS = {"blockquote", "dd", "div", "dl", "dt", "hr", "li", "pre", "ul"}
EMPTY = {"hr", "path", "rect"}
#: What the service's frame says, and not the message.
FRAME = {"who", "when", "end", "picture", "buttons", "tags"}


class Drawing(HTMLParser):
    """Fails where a drawing is not well-formed, or has what none may have."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self._opened: list[tuple[str, set[str]]] = []
        self._said: list[str] = []
        self._shown: list[str] = []
        self.titles: list[str] = []
        self.feed(html)
        self.close()
        assert self._opened == [], self._opened

    @property
    def words(self) -> str:
        """What the message says, in the order of the page; any space is one space."""
        return one_line("".join(self._said))

    @property
    def everything(self) -> str:
        """What the message says, and what its frame says, too."""
        return one_line("".join(self._shown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert tag in TAGS, tag
        assert len(names) == len(set(names)), names
        assert set(names) <= ATTRIBUTES, names
        self.titles += [value or "" for name, value in attrs if name == "title"]
        self._space(tag)
        if tag not in EMPTY:
            self._opened.append((tag, set((dict(attrs).get("class") or "").split())))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in EMPTY, tag
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._opened.pop()
        assert opened == tag, (opened, tag)
        self._space(tag)

    def handle_data(self, data: str) -> None:
        self._shown.append(data)
        if not any(names & FRAME for _, names in self._opened):
            self._said.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def _space(self, tag: str) -> None:
        if tag in BLOCKS:
            self._said.append(" ")
            self._shown.append(" ")


def one_line(text: str) -> str:
    return " ".join(text.split())
