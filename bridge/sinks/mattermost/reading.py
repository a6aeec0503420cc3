"""Mattermost's markdown, read.

Source   docs.mattermost.com/collaborate/format-messages.html
Quirks   HTML's names for signs are read outside of code
"""

from html import unescape

from bridge.markup.spans import Span
from bridge.sinks.markdown import read_markdown


def reading(markup: str) -> list[Span]:
    """What is seen of a text in Mattermost's markdown."""
    return read_markdown(markup, unescape)
