"""Text for MAX: what is escaped for its HTML, and Discord's markdown written in it.

Source   github.com/max-messenger/max-bot-api-client-ts @ e75aa71: docs/02-listen-and-respond.md (format: html);
         PyPI maxapi 1.2.3: maxapi/utils/formatting.py (& < > " are escaped; whoever is mentioned is a link to
         max://user/{id})
Quirks   a name behind @, or an address that begins with max:, is kept apart: whether clients make a mention of a plain
         one is not told. It has no spoiler: its text is shown
"""

import re

from bridge.markup.html_text import HtmlText
from bridge.markup.text import JOINER


class MaxText(HtmlText):
    __slots__ = ()

    _ping = re.compile(r"@(?=\w|$)|(?<=max:)(?=//)|^(?=//)", re.IGNORECASE)

    @classmethod
    def neutral(cls, text: str) -> str:
        if "@" in text or "//" in text:
            text = cls._ping.sub(r"\g<0>" + JOINER, text)
        return super().neutral(text)
