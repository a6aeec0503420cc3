"""What MAX takes of its HTML.

Source   dev.max.ru/docs-api (formatting: b, strong, i, em, u, ins, s, del, code, pre, a, h1); PyPI maxapi 1.2.3:
         maxapi/utils/formatting.py (blockquote, mark); the limits stand in sinks/max/sink.py
"""

from bridge.sinks import html
from bridge.sinks.html import HtmlLimits
from bridge.sinks.html import shows_html as shows_html
from bridge.sinks.text import utf16

TEXT = 4000  # characters, in UTF-16 units and with markup: never less than what it counts
TAGS = ("b", "strong", "i", "em", "u", "ins", "s", "del", "code", "pre", "blockquote", "h1", "mark")
KNOWN = {**dict.fromkeys(TAGS, ()), "a": ("href",)}
LIMITS = HtmlLimits(raw=TEXT, size=utf16, tags=KNOWN)


def clip_html(text: str) -> str:
    """The text as it is where it keeps the limits, else cut: at a line's end, or a word's, that keeps half of it."""
    return html.clip_html(text, LIMITS)


def fits_html(text: str) -> bool:
    """Whether the text keeps the limits as it is."""
    return html.fits_html(text, LIMITS)
