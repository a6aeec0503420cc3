"""Markdown for services without an escape, whose marks format no part of a word, and nothing across lines."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bridge.markup.markdown import PlainWriter
from bridge.markup.text import SPACE

if TYPE_CHECKING:
    from markdown_it.token import Token

#: Where a mark meets what stands outside it; a word that stands there is parted from it by a space that is not seen.
SEAM = "\x1f"
_PARTED = re.compile(f"(?<=[^\\W_]){SEAM}|{SEAM}(?=[^\\W_])")


class PartedWriter(PlainWriter):
    """Its `tags` have a SEAM at their outer sides."""

    def line(self, children: "Sequence[Token]", around: str = "") -> str:
        return _PARTED.sub(SPACE, super().line(children, around)).replace(SEAM, "")

    def line_break(self, opened: "Sequence[tuple[str, str]]") -> str:
        closing = "".join(mark for _, mark in reversed(opened))
        return f"{closing}\n" + "".join(mark for mark, _ in opened)
