"""Text for services that read HTML: how it is escaped, and Discord's markdown written in it.

A service's own text says what it adds: whom a sign would ping, which tag a spoiler has.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bridge.markup.markdown import MarkdownWriter, Tags
from bridge.markup.text import Text, runs_from_right_to_left, web_address

if TYPE_CHECKING:
    from markdown_it.token import Token


class HtmlText(Text):
    __slots__ = ()

    _entities = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})

    @classmethod
    def neutral(cls, text: str) -> str:
        return text.translate(cls._entities)

    @classmethod
    def code(cls, value: Any) -> Self:
        """Something to copy. What a filter has made is none, nor what runs from right to left: it reads badly there."""
        text = cls.escape(value)
        copied = text and not isinstance(value, cls) and not runs_from_right_to_left(text)
        return cls(f"<code>{text}</code>") if copied else text

    @classmethod
    def bold(cls, value: Any) -> Self:
        text = cls.escape(value)
        return cls(f"<b>{text}</b>" if text else "")

    @classmethod
    def link(cls, label: Any, url: object) -> Self:
        if (address := web_address(url)) is None:
            return cls.escape(label)
        target = address.translate(cls._entities)
        return cls(f'<a href="{target}">{cls.escape(label) or cls.escape(address)}</a>')


class HtmlWriter(MarkdownWriter):
    tags: ClassVar[Tags] = {
        "strong": ("<b>", "</b>"),
        "em": ("<i>", "</i>"),
        "s": ("<s>", "</s>"),
        "u": ("<u>", "</u>"),
    }

    def heading(self, children: "Sequence[Token]") -> str:
        return f"<b>{self.line(children, around='strong')}</b>"

    def quote(self, inner: str) -> str:
        return f"<blockquote>{inner}</blockquote>"

    def code_block(self, language: str, code: str) -> str:
        return f"<pre>{self.lines_of_code(language, super().code_block(language, code))}</pre>"

    def lines_of_code(self, language: str, lines: str) -> str:
        """What stands in a block of code; a service may want its language there."""
        return lines

    def code(self, content: str) -> str:
        return f"<code>{self.text.fixed(content)}</code>"
