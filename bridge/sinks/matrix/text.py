"""Text for Matrix: what is escaped for its HTML, and Discord's markdown written in it.

Source   github.com/matrix-org/matrix-spec @ d0ba2aa: content/client-server-api/modules/instant_messaging.md,
         mentions.md
Quirks   whom a message pings says `m.mentions` alone, which is empty; servers from before 1.7 go by `@room` in the text
         a line break here is one; what stands for it on the wire is made in message.py
"""

import re
from typing import ClassVar

from bridge.markup.html_text import HtmlText, HtmlWriter
from bridge.markup.markdown import Tags
from bridge.markup.text import JOINER


class MatrixText(HtmlText):
    __slots__ = ()

    _ping = re.compile(r"@(?=\w|$)")

    @classmethod
    def neutral(cls, text: str) -> str:
        if "@" in text:
            text = cls._ping.sub("@" + JOINER, text)
        return super().neutral(text)


class MatrixWriter(HtmlWriter):
    tags: ClassVar[Tags] = {**HtmlWriter.tags, "spoiler": ("<span data-mx-spoiler>", "</span>")}

    def lines_of_code(self, language: str, lines: str) -> str:
        name = self.text.escape(language)
        named = re.fullmatch(r"[\w+#-]{1,40}", name) is not None
        return f'<code class="language-{name}">{lines}</code>' if named else f"<code>{lines}</code>"
