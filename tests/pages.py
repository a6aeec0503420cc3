"""What the documents say, taken apart: blocks, code spans, links, tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@dataclass(frozen=True)
class Piece:
    """A piece of a page: a fenced block, a code span, a link, or a picture."""

    page: Path
    line: int
    text: str
    info: str = ""

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


@cache
def parsed(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))


def inline(kind: str) -> Iterator[tuple[Path, int, Token]]:
    for page in PAGES:
        for token in parsed(page):
            for child in token.children or ():
                if child.type == kind:
                    yield page, (token.map or [0])[0] + 1, child


def blocks(*languages: str) -> list[Piece]:
    return [
        Piece(page, (token.map or [0])[0] + 1, token.content, token.info)
        for page in PAGES
        for token in parsed(page)
        if token.type == "fence" and token.info in languages
    ]


def spans() -> list[Piece]:
    return [Piece(page, line, child.content) for page, line, child in inline("code_inline")]


def links() -> list[Piece]:
    return [Piece(page, line, str(child.attrGet("href"))) for page, line, child in inline("link_open")]


def pictures() -> list[Piece]:
    """Where each picture lies; `info`: what is said to those who do not see it."""
    return [Piece(page, line, str(child.attrGet("src")), child.content) for page, line, child in inline("image")]


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table after a heading, without its head; a code span keeps its ticks."""
    tokens = iter(parsed(ROOT / page))
    next(token for token in tokens if token.type == "inline" and token.content == heading)
    next(token for token in tokens if token.type == "tbody_open")
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "tbody_close":
            return rows
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token.content)
    raise AssertionError(f"{page}: no end of the table under {heading}")


def named(cell: str) -> list[str]:
    """The code spans of a cell."""
    return re.findall(r"`([^`]+)`", cell)


def anchors(page: Path) -> set[str]:
    """What a link into the page may lead to."""
    titles = [after.content for token, after in pairwise(parsed(page)) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


#: What a `${NAME}` in an example stands for, by the end of its name.
STAND_INS = {
    "SEVEN_PAGE_TOKEN": "seven-0123456789abcdef",
    "SEVEN_BOT_TOKEN": "777777777:stand-in",
    "NINE_PAGE_TOKEN": "nine-0123456789abcdefg",
    "URL": "https://example.com/hooks/0123456789abcdef",
    "TOKEN": "123456789:stand-in",
    "CHAT_ID": "-1001234",
    "WHSEC": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}


def stand_ins(text: str) -> dict[str, str]:
    """For each variable that an example names, what stands for it."""
    names = set(re.findall(r"\$\{(\w+)", text))
    return {
        name: next((value for end, value in STAND_INS.items() if name.endswith(end)), "a-long-random-text")
        for name in names
    }


#: The rows of docs/events.md that say what a type means, and what the panels call it.
TYPE_ROWS = [
    row
    for family in (
        *("Users", "Subscriptions", "Payments", "Resellers", "Devices", "Peers", "Interfaces", "Nodes", "Security"),
        *("The panel itself", "The system", "What is watched", "Tickets", "The bridge itself", "Messages"),
    )
    for row in table("docs/events.md", family)
]
