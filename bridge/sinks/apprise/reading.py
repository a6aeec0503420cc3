"""Markdown, read; and the words alone, for services that read none."""

from bridge.markup.spans import Link, Span
from bridge.sinks.markdown import read_markdown


def reading(markup: str) -> list[Span]:
    """What is seen of a text in markdown."""
    return read_markdown(markup)


def plain(markup: str) -> str:
    """The words of a text without any markup; an address that a word leads to stands behind it."""
    told, link = "", None
    for span in [*reading(markup), Span("")]:
        here = next((mark for mark in span.marks if isinstance(mark, Link)), None)
        if link is not None and here != link and not told.endswith(link.url):
            told += f" ({link.url})"
        told, link = told + span.text, here
    return told
