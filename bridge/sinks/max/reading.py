"""MAX's HTML, read: what is bold, what leads somewhere, what stands apart.

Source   PyPI maxapi 1.2.3: maxapi/utils/formatting.py
"""

from bridge.markup.html_reading import STYLES, html_reading
from bridge.markup.spans import Span, TextStyle


def reading(markup: str) -> list[Span]:
    """What is seen of a text in MAX's HTML."""
    return html_reading(markup, {**STYLES, "h1": TextStyle.BOLD})
