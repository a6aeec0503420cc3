"""Text for Telegram: what is escaped for its HTML, and Discord's markdown written in it.

Source   core.telegram.org/bots/api#html-style; mentions are found as in tdlib/td MessageEntity.cpp
Quirks   a mention needs a beginning, so `a@b` is none; it is found across tags, as in `@<b>name</b>`, and after the
         server has dropped some accents, as in `@` U+0333 `name`
         it knows no quote inside a quote, and needs every tag closed in order
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bridge.markup.markdown import Tags, Writer
from bridge.markup.text import JOINER, Text, runs_from_right_to_left, web_address

if TYPE_CHECKING:
    from markdown_it.token import Token


class TelegramText(Text):
    __slots__ = ()

    _entities = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
    _ping = re.compile(r"(?<![A-Za-z0-9_])@|(?<=tg:)(?=//)|(?<=ton:)(?=//)|(?<=tonsite:)(?=//)|^(?=//)", re.IGNORECASE)

    @classmethod
    def neutral(cls, text: str) -> str:
        if "@" in text or "//" in text:
            text = cls._ping.sub(r"\g<0>" + JOINER, text)
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


class TelegramWriter(Writer):
    tags: ClassVar[Tags] = {
        "strong": ("<b>", "</b>"),
        "em": ("<i>", "</i>"),
        "s": ("<s>", "</s>"),
        "u": ("<u>", "</u>"),
        "spoiler": ("<tg-spoiler>", "</tg-spoiler>"),
    }

    def heading(self, children: "Sequence[Token]") -> str:
        return f"<b>{self.line(children, around='strong')}</b>"

    def quote(self, inner: str) -> str:
        return f"<blockquote>{inner}</blockquote>"

    def code_block(self, language: str, code: str) -> str:
        inner = super().code_block(language, code)
        name = self.text.escape(language)
        return f'<pre><code class="language-{name}">{inner}</code></pre>' if language else f"<pre>{inner}</pre>"

    def code(self, content: str) -> str:
        return f"<code>{self.text.fixed(content)}</code>"
