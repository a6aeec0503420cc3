"""What a Mattermost post says: one text in its markdown; of a digest whole parts.

Source   github.com/mattermost/mattermost @ 013f83c; the limits stand in sinks/mattermost/sink.py
"""

import re

from bridge.message import Digest, Message
from bridge.sinks.digest import counts_by_type, digest_body
from bridge.sinks.mattermost.service import MATTERMOST
from bridge.sinks.text import Markup, below, clip, shows

TEXT = 16_383  # characters: what is longer becomes several posts
DIGEST_PARTS = 10

#: Links, escapes and entities stay whole; the marks are closed again.
MARKUP = Markup(
    parts=re.compile(r"\\.|&(?:amp|lt|gt);|\[[^\[\]\n]*\]\([^()\s]*\)|```|`|\*\*|~~|.", re.DOTALL),
    marks=frozenset({"```", "`", "**", "~~", "*"}),
    fences=frozenset({"```", "`"}),
)


def message_text(message: Message) -> str:
    """The remarks, whole, and as much of the text as is left room for."""
    return clip(_text(message), TEXT, MARKUP)


def digest_text(digest: Digest) -> str:
    """The summary, and below it the first parts, as many as fit whole."""
    text = digest["text"].strip()
    summary = below(digest["remarks"], text if shows(text) else counts_by_type(digest))
    parts = [_text(part) for part in digest.parts]
    text = digest_body(
        digest,
        MATTERMOST,
        summary,
        parts,
        fits=lambda text: len(text) <= TEXT,
        share=lambda rest: len(rest) <= TEXT // 3,
    )
    return clip(text, TEXT, MARKUP)


def _text(message: Message) -> str:
    """The remarks and the text; the event's type where there is nothing to see."""
    text = message["text"].strip()
    return below(message["remarks"], text if shows(text) else message.event.type)
