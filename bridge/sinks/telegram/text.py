"""Text for Telegram: what is escaped for its HTML, and Discord's markdown written in it.

Source   core.telegram.org/bots/api#html-style; mentions are found as in tdlib/td MessageEntity.cpp
Quirks   a mention needs a beginning, so `a@b` is none; it is found across tags, as in `@<b>name</b>`, and after the
         server has dropped some accents, as in `@` U+0333 `name`
         it knows no quote inside a quote, and needs every tag closed in order
"""

import re
from typing import ClassVar

from bridge.markup.html_text import HtmlText, HtmlWriter
from bridge.markup.markdown import Tags
from bridge.markup.text import JOINER


class TelegramText(HtmlText):
    __slots__ = ()

    _ping = re.compile(r"(?<![A-Za-z0-9_])@|(?<=tg:)(?=//)|(?<=ton:)(?=//)|(?<=tonsite:)(?=//)|^(?=//)", re.IGNORECASE)

    @classmethod
    def neutral(cls, text: str) -> str:
        if "@" in text or "//" in text:
            text = cls._ping.sub(r"\g<0>" + JOINER, text)
        return super().neutral(text)


class TelegramWriter(HtmlWriter):
    tags: ClassVar[Tags] = {**HtmlWriter.tags, "spoiler": ("<tg-spoiler>", "</tg-spoiler>")}

    def lines_of_code(self, language: str, lines: str) -> str:
        return f'<code class="language-{self.text.escape(language)}">{lines}</code>' if language else lines
