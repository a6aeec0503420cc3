"""Text for Discord: what is escaped for its markdown, and its markdown as it came.

Source   discord.com/developers/docs, "Message Formatting"; its markdown knows a backslash before any ASCII punctuation
Quirks   footers and authors are not read as markdown, a backslash would be seen there: `plain`
         `@everyone` counts inside a word too, and inside a masked link
"""

import re
from typing import Any, Self

from bridge.markup.markdown import MarkdownWriter
from bridge.markup.text import SPACE, Text, clean, runs_from_right_to_left, web_address


class DiscordText(Text):
    __slots__ = ()

    _marks = re.compile(r"[\\*_~`|\[\]()<:]")
    _suspects = frozenset("0123456789#>-. ")
    _line_start = re.compile(r"^(\s*(?:[0-9]+(?=\.))?)([#>.-])")
    _ping = re.compile(r"@(?=everyone|here|$)|(?<=<)@|^@(?=[!&0-9])", re.IGNORECASE)

    @classmethod
    def neutral(cls, text: str) -> str:
        text = cls._marks.sub(r"\\\g<0>", text)
        if text[:1] in cls._suspects:
            text = cls._line_start.sub(r"\1\\\2", text)
        return cls._ping.sub("@" + SPACE, text) if "@" in text else text

    @classmethod
    def plain(cls, value: Any) -> Self:
        return cls(cls._ping.sub("@" + SPACE, clean("" if value is None else str(value))))

    @classmethod
    def code(cls, value: Any) -> Self:
        """Inside a code span only the backtick means anything, and nothing can escape it there.

        What runs from right to left reads badly there, and stays as it is.
        """
        text = cls.plain(value).strip().replace("`", "ˋ")
        if runs_from_right_to_left(text):
            return cls.escape(value).strip()
        return cls(f"`{text}`" if text else "")

    @classmethod
    def bold(cls, value: Any) -> Self:
        text = cls.escape(value).strip()
        return cls(f"**{text}**" if text else "")

    @classmethod
    def link(cls, label: Any, url: object) -> Self:
        address = web_address(url)
        return cls(f"[{cls.escape(label) or cls.escape(address)}]({address})") if address else cls.escape(label)


class DiscordWriter(MarkdownWriter):
    """Markdown that is Discord's own stays as it is; only what pings does not."""

    def written(self, source: str) -> str:
        return "\n".join(self.text.plain(line) for line in source.splitlines())
