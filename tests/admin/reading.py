"""Pages as a browser reads them: tags with their attributes, and text."""

from html.parser import HTMLParser

INLINE = ("a", "b", "bdi", "i", "span", "time")  # what stands in the middle of a line


class Tags(HTMLParser):
    """Every tag that begins, and the text between them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    @classmethod
    def of(cls, page: str) -> list[tuple[str, dict[str, str | None]]]:
        read = cls()
        read.feed(page)
        return read.found

    @classmethod
    def text(cls, page: str) -> str:
        """What is read on it, blanks as one."""
        read = cls()
        read.feed(page)
        return " ".join("".join(read.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._apart(tag)

    def handle_endtag(self, tag: str) -> None:
        self._apart(tag)

    def _apart(self, tag: str) -> None:
        if tag not in INLINE:
            self.texts.append(" ")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
