"""What a Bale message says: a text, and links under it; of a digest whole parts.

Source   docs.bale.ai; the limits stand in sinks/bale/sink.py
"""

import re

from bridge.event import JsonObject
from bridge.markup.text import SPACE
from bridge.message import Digest, Message
from bridge.sinks.bale.service import BALE
from bridge.sinks.buttons import button_at
from bridge.sinks.digest import counts_by_type, digest_body
from bridge.sinks.text import Markup, below, clip, shows, utf16, web_url

TEXT = 4096  # characters in UTF-16 units, marks among them
BUTTON_TEXT, BUTTON_URL, BUTTONS = 64, 2048, 10
DIGEST_PARTS = 10

#: Links stay whole, and so does a mark that means none; the others are closed again.
_PARTS = re.compile(rf"\[[^\[\]\n]*\]\([^()\s]*\)|{SPACE}[*_](?={SPACE})|.", re.DOTALL)
MARKUP = Markup(parts=_PARTS, marks=frozenset({"*", "_"}))


def message_payload(message: Message, buttons: int) -> JsonObject:
    """The text, and so many buttons as the sink has, those that lead somewhere."""
    rows = [[button] for number in range(buttons) if (button := _button(message, number))]
    payload = {"text": clip(_text(message), TEXT, MARKUP, utf16)}
    return payload | ({"reply_markup": {"inline_keyboard": rows}} if rows else {})


def digest_payload(digest: Digest) -> JsonObject:
    """The summary, and below it the first parts, as many as fit whole."""
    text = digest["text"].strip()
    summary = below(digest["remarks"], text if shows(text) else counts_by_type(digest))
    parts = [_text(part) for part in digest.parts]
    text = digest_body(
        digest, BALE, summary, parts, fits=lambda text: utf16(text) <= TEXT, share=lambda rest: utf16(rest) <= TEXT // 3
    )
    return {"text": clip(text, TEXT, MARKUP, utf16)}


def _text(message: Message) -> str:
    """The remarks and the text; the event's type where there is nothing to see."""
    text = message["text"].strip()
    return below(message["remarks"], text if shows(text) else message.event.type)


def _button(message: Message, number: int) -> JsonObject | None:
    text, url = button_at(message, number)
    link = web_url(url, limit=BUTTON_URL)
    return {"text": clip(text, BUTTON_TEXT, size=utf16), "url": link} if shows(text) and link is not None else None
