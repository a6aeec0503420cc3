"""Text for ntfy: it reads no markup, so nothing is escaped; an address in it is a link by itself.

Source   docs.ntfy.sh/publish/#markdown-formatting: markdown is off unless asked for
"""

from typing import Any, Self

from bridge.markup.text import Text, web_address


class NtfyText(Text):
    __slots__ = ()

    @classmethod
    def link(cls, label: Any, url: object) -> Self:
        words, address = cls.escape(label), web_address(url)
        if address is None or address == words:
            return words
        return cls(f"{words} ({address})" if words else address)
