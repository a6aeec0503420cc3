"""ntfy's text, read: it has no markup, and makes links of addresses."""

from bridge.markup.spans import Span, with_addresses


def reading(text: str) -> list[Span]:
    """What is seen of a text."""
    return list(with_addresses(text))
