"""What Telegram takes of its HTML.

Source   core.telegram.org/bots/api#html-style; the limits stand in sinks/telegram/sink.py
"""

from bridge.sinks import html
from bridge.sinks.html import HtmlLimits
from bridge.sinks.html import plain_text as plain_text
from bridge.sinks.html import shows_html as shows_html
from bridge.value import replace

TEXT, CAPTION = 4096, 1024  # code points without markup
#: Targets of more bytes have been refused as ENTITIES_TOO_LONG.
LIMITS = HtmlLimits(raw=32_768, shown=TEXT, entities=100, targets=8000)


#: Of a picture's caption.
CAPTION_LIMITS = replace(LIMITS, shown=CAPTION)


def clip_html(text: str) -> str:
    """The text as it is where it keeps the limits, else cut: at a line's end, or a word's, that keeps half of it."""
    return html.clip_html(text, LIMITS)


def fits_html(text: str) -> bool:
    """Whether the text keeps the limits as it is."""
    return html.fits_html(text, LIMITS)


def fits_caption(text: str) -> bool:
    """Whether the text may stand below a picture as it is."""
    return html.fits_html(text, CAPTION_LIMITS)
