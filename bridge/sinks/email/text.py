"""Text for e-mail: what is escaped for its HTML, and Discord's markdown written in it.

Quirks   what is written here is read once more (`reading.py`): only what stands in its list of tags gets into a letter
"""

from bridge.markup.html_text import HtmlText, HtmlWriter


class EmailText(HtmlText):
    __slots__ = ()


class EmailWriter(HtmlWriter):
    """A letter has no spoilers."""
