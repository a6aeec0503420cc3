"""Discord's markdown, written in a service's own markup.

Limits   8,000 characters are read
Quirks   `__x__` is underlined, `||x||` is a spoiler
         a masked link whose label is another address is shown with both: Discord makes no link of it

Nothing pings: `<@1>`, `<#1>`, `<:name:1>`, `<t:0:F>` and their like become the words that people see.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from bridge.markup.parser import BARE, reader
from bridge.markup.text import Text, clean, web_address

if TYPE_CHECKING:
    from markdown_it.token import Token

READ = 8000  # characters of a text that are read

Tags = Mapping[str, tuple[str, str]]
When = Callable[[datetime], Any]


def markdown(value: Any, writer: "MarkdownWriter") -> Text:
    """`value`, written in Discord's markdown, as the writer's service writes it."""
    if hasattr(value, "__html__") or value is None:
        return writer.text.escape(value)
    return writer.text(writer.written(str(value)[:READ]))


def unmarked(value: Any, when: When) -> str:
    """The words of `value`, without their markdown; not escaped."""
    return MarkdownWriter(Text, when).written("" if value is None else str(value)[:READ])


class MarkdownWriter:
    """Writes Discord's markdown for a service; this one writes its words alone. A service overrides what it marks.

    text  how the words are escaped
    tags  what stands before and behind strong, em, s, u and spoiler, those that the service has
    when  how a time is written
    """

    tags: ClassVar[Tags] = {}

    def __init__(self, text: type[Text], when: When) -> None:
        self.text = text
        self.when = when

    def written(self, source: str) -> str:
        return self.blocks(reader().parse("\n".join(clean(line) for line in source.splitlines())))

    def blocks(self, tokens: "Sequence[Token]") -> str:
        """Blocks under each other, with a blank line between where the source has one."""
        parts: list[str] = []
        ended = 0
        at = 0
        while at < len(tokens):
            close = _closing(tokens, at)
            begins, ends = _extent(tokens[at : close + 1], ended)
            block = self.block(tokens[at : close + 1])
            if block.strip():
                parts += ["\n\n" if begins > ended else "\n", block] if parts else [block]
                ended = ends
            at = close + 1
        return "".join(parts)

    def block(self, tokens: "Sequence[Token]") -> str:
        first, inner = tokens[0], tokens[1:-1]
        match first.type:
            case "fence":
                return self.code_block(first.info, first.content)
            case "inline":
                return self.line(first.children or [])
            case "heading_open" if len(first.markup) > 3:
                return f"{first.markup} {self.blocks(inner)}"
            case "heading_open":
                return self.heading(inner[0].children or [])
            case "blockquote_open":
                return self.quote(self.blocks(inner))
            case "bullet_list_open" | "ordered_list_open":
                return self.list(first, inner)
            case _:
                return self.blocks(inner)

    def list(self, opening: "Token", tokens: "Sequence[Token]") -> str:
        items = []
        at = 0
        while at < len(tokens):
            close = _closing(tokens, at)
            sign = f"{tokens[at].info}." if opening.type.startswith("ordered") else "•"
            items.append(f"{sign} " + self.blocks(tokens[at + 1 : close]).replace("\n", "\n  "))
            at = close + 1
        return "\n".join(items)

    def heading(self, children: "Sequence[Token]") -> str:
        return self.line(children)

    def quote(self, inner: str) -> str:
        return inner

    def code_block(self, language: str, code: str) -> str:
        return "\n".join(self.text.fixed(line) for line in code.splitlines())

    def code(self, content: str) -> str:
        return str(self.text.fixed(content))

    def line(self, children: "Sequence[Token]", around: str = "") -> str:
        """A paragraph; `around` is a mark that is open about it already."""
        written: list[str] = []
        opened: list[str] = []  # "" for a mark that is open already, or that the service has not
        at = 0
        while at < len(children):
            token = children[at]
            if token.type == "link_open":
                close = _closing(children, at)
                written.append(self.link(token, children[at + 1 : close]))
                at = close
            elif token.nesting > 0:
                name = "u" if token.markup == "__" else token.tag
                fresh = name in self.tags and name not in opened and name != around
                opened.append(name if fresh else "")
                written += [self.tags[name][0]] if fresh else []
            elif token.nesting < 0:
                written += [self.tags[name][1]] if (name := opened.pop()) else []
            elif token.type in ("softbreak", "hardbreak"):
                written.append(self.line_break([self.tags[name] for name in opened if name]))
            else:
                written.append(self.word(token))
            at += 1
        return "".join(written)

    def word(self, token: "Token") -> str:
        match token.type:
            case "code_inline":
                return self.code(token.content)
            case "fence":
                return self.code_block(token.info, token.content)
            case "form":
                return str(self.text.escape(self.form(token.content)))
            case _:
                return str(self.text.escape(token.content))

    def form(self, content: str) -> Any:
        """`@1`, `#1`, `:name:`, a time, `/name`."""
        if content.startswith("t:"):
            try:
                return self.when(datetime.fromtimestamp(int(content.split(":")[1]), UTC))
            except (ValueError, OverflowError, OSError):
                return content
        if content.startswith((":", "a:")):
            return f":{content.split(':')[1]}:"
        return re.sub(r"^@[!&]", "@", content).partition(":")[0] if content[0] in "@/" else content

    def link(self, opening: "Token", label: "Sequence[Token]") -> str:
        url, words = str(opening.attrs.get("href", "")), MarkdownWriter(Text, self.when).line(label)
        if web_address(url) is None and opening.markup == BARE:
            return str(self.text.escape(words))
        if web_address(url) is None:
            return str(self.text.escape(f"[{words}]({url})"))
        if "://" in words and web_address(words) != web_address(url):
            return str(self.text.escape(f"{words} ({url})"))
        return str(self.text.link(words, url))

    def line_break(self, opened: "Sequence[tuple[str, str]]") -> str:
        return "\n"


class PlainWriter(MarkdownWriter):
    """For a text that nothing reads as markup, and for markup of the same kind: the marks that people know."""

    def heading(self, children: "Sequence[Token]") -> str:
        return "\n".join(f"*{line}*" for line in self.line(children, around="strong").splitlines())

    def quote(self, inner: str) -> str:
        return "\n".join(f"> {line}" for line in inner.splitlines())

    def code_block(self, language: str, code: str) -> str:
        return f"```\n{super().code_block(language, code)}\n```"

    def code(self, content: str) -> str:
        return f"`{super().code(content)}`"


def _closing(tokens: "Sequence[Token]", at: int) -> int:
    """Where what opens at `at` closes; `at` itself where nothing opens."""
    depth = 0
    for n in range(at, len(tokens)):
        depth += tokens[n].nesting
        if depth <= 0:
            return n
    return len(tokens) - 1


def _extent(tokens: "Sequence[Token]", default: int) -> tuple[int, int]:
    """The first line of what these tokens say, and the one after the last."""
    spans = [token.map for token in tokens if token.map and token.type in ("inline", "fence", "blockquote_open")]
    return (spans[0][0], max(span[1] for span in spans)) if spans else (default, default)
