"""Text for Matrix: what is escaped for its HTML, and Discord's markdown written in it.

Source   github.com/matrix-org/matrix-spec @ d0ba2aa: content/client-server-api/modules/instant_messaging.md,
         mentions.md
Quirks   whom a message pings says `m.mentions` alone, which is empty; servers from before 1.7 go by `@room` in the text
         a line break here is one; what stands for it on the wire is made in message.py
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bridge.markup.markdown import Tags, Writer
from bridge.markup.text import JOINER, Text, runs_from_right_to_left, web_address

if TYPE_CHECKING:
    from markdown_it.token import Token


class MatrixText(Text):
    __slots__ = ()

    _entities = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
    _ping = re.compile(r"@(?=\w|$)")

    @classmethod
    def neutral(cls, text: str) -> str:
        if "@" in text:
            text = cls._ping.sub("@" + JOINER, text)
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


class MatrixWriter(Writer):
    tags: ClassVar[Tags] = {
        "strong": ("<b>", "</b>"),
        "em": ("<i>", "</i>"),
        "s": ("<s>", "</s>"),
        "u": ("<u>", "</u>"),
        "spoiler": ("<span data-mx-spoiler>", "</span>"),
    }

    def heading(self, children: "Sequence[Token]") -> str:
        return f"<b>{self.line(children, around='strong')}</b>"

    def quote(self, inner: str) -> str:
        return f"<blockquote>{inner}</blockquote>"

    def code_block(self, language: str, code: str) -> str:
        inner = super().code_block(language, code)
        name = self.text.escape(language)
        opening = f'<code class="language-{name}">' if re.fullmatch(r"[\w+#-]{1,40}", name) else "<code>"
        return f"<pre>{opening}{inner}</code></pre>"

    def code(self, content: str) -> str:
        return f"<code>{self.text.fixed(content)}</code>"
