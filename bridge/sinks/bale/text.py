"""Text for Bale: what is escaped for its markdown, and Discord's markdown written in it.

Source   docs.bale.ai (sendMessage); PyPI python-bale-bot, balethon: a text is always read as markdown
Quirks   it knows `*bold*`, `_italic_` and `[label](address)`, and no escape at all: a mark that means none is parted
         from what it could hold on to by a space that is not seen. Nothing is formatted across a line break
"""

import re
from typing import Any, ClassVar, Self

from bridge.markup.markdown import Tags
from bridge.markup.parted import SEAM, PartedWriter
from bridge.markup.text import JOINER, SPACE, Text, web_address


class BaleText(Text):
    __slots__ = ()

    _marks = re.compile(r"[*_]+|`+|\[|\](?=\()")
    _ping = re.compile(r"(?<![A-Za-z0-9_])@")

    @classmethod
    def neutral(cls, text: str) -> str:
        return cls._ping.sub("@" + JOINER, cls._marks.sub(cls._apart, text))

    @classmethod
    def _apart(cls, found: re.Match[str]) -> str:
        """The marks with nothing to hold on to; those inside a word hold on to nothing as it is."""
        start, end = found.span()
        before, after = found.string[max(0, start - 1) : start], found.string[end : end + 1]
        if before.isalnum() and after.isalnum() and found[0][0] in "_*":
            return found[0]
        return SPACE + SPACE.join(found[0]) + SPACE

    @classmethod
    def bold(cls, value: Any) -> Self:
        text = cls.escape(value).strip()
        return cls(f"*{text}*" if text else "")

    @classmethod
    def link(cls, label: Any, url: object) -> Self:
        address, words = web_address(url), cls.escape(label)
        if address is None:
            return words
        target = address.replace("(", "%28").replace(")", "%29")
        return cls(f"[{words or cls.escape(address)}]({target})")


class BaleWriter(PartedWriter):
    tags: ClassVar[Tags] = {"strong": (f"{SEAM}*", f"*{SEAM}"), "em": (f"{SEAM}_", f"_{SEAM}")}

    def code_block(self, language: str, code: str) -> str:
        return "\n".join(self.text.fixed(line) for line in code.splitlines())

    def code(self, content: str) -> str:
        return str(self.text.fixed(content))
