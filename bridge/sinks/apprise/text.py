"""Text for Apprise: CommonMark in which nothing pings, whichever of its services reads it; read, for those that do not.

Source   spec.commonmark.org; developer.rocket.chat ("Markdown"); developers.google.com/workspace/chat/format-messages
Quirks   `@all` and `@here` ping in Rocket.Chat, `<users/all>` in Google Chat: no backslash helps, an unseen space does
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from bridge.markup.markdown import PlainWriter, Tags
from bridge.markup.text import SPACE, Text, clean, runs_from_right_to_left, web_address

if TYPE_CHECKING:
    from markdown_it.token import Token


class AppriseText(Text):
    __slots__ = ()

    _marks = re.compile(r"[\\*~`|\[\]]|(?<![^\W_])_|_(?![^\W_])")
    _line_start = re.compile(r"^(\s*(?:[0-9]+(?=[.)]))?)([#.)+=>-])")
    _alive = re.compile(r"@(?=[\w.-]|$)|:(?=[\w+-]+:)|<|&")
    _ping = re.compile(r"@(?=[\w.-]|$)|<|&(?=#?\w+;)")

    @classmethod
    def neutral(cls, text: str) -> str:
        text = cls._marks.sub(r"\\\g<0>", text)
        text = cls._line_start.sub(r"\1\\\2", text)
        return cls._alive.sub(r"\g<0>" + SPACE, text)

    @classmethod
    def code(cls, value: Any) -> Self:
        """Something to copy. What a filter has made is none, nor what runs from right to left: it reads badly there."""
        if isinstance(value, cls) or runs_from_right_to_left(str(value)):
            return cls.escape(value)
        text = cls.fixed("" if value is None else str(value)).strip()
        return cls(f"`{text}`" if text else "")

    @classmethod
    def fixed(cls, value: str) -> Self:
        """Inside of code nothing is escaped, and nothing must ping; an address of IPv6 or hardware can be copied."""
        return cls(cls._ping.sub(r"\g<0>" + SPACE, clean(value)).replace("`", "ˋ"))

    @classmethod
    def bold(cls, value: Any) -> Self:
        text = cls.escape(value).strip()
        return cls(f"**{text}**" if text else "")

    @classmethod
    def link(cls, label: Any, url: object) -> Self:
        address = web_address(url)
        return cls(f"[{cls.escape(label) or cls.escape(address)}]({address})") if address else cls.escape(label)


class AppriseWriter(PlainWriter):
    tags: ClassVar[Tags] = {"strong": ("**", "**"), "em": ("*", "*"), "s": ("~~", "~~")}

    def heading(self, children: "Sequence[Token]") -> str:
        return "\n".join(f"**{line}**" for line in self.line(children, around="strong").splitlines())

    def line_break(self, opened: "Sequence[tuple[str, str]]") -> str:
        closing = "".join(mark for _, mark in reversed(opened))
        return f"{closing}\n" + "".join(mark for mark, _ in opened)
