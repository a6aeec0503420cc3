"""What a MAX message says: a text, and links under it; of a digest whole parts.

Source   github.com/max-messenger/max-bot-api-client-ts @ e75aa71: src/core/network/api/types/keyboard.ts,
         attachment-request.ts; the limits stand in sinks/max/sink.py
"""

from html import escape

from bridge.event import JsonObject
from bridge.message import Digest, Message
from bridge.sinks.buttons import button_at
from bridge.sinks.digest import counts_by_type, digest_body
from bridge.sinks.html import below_html
from bridge.sinks.max.html import TEXT, clip_html, fits_html, shows_html
from bridge.sinks.max.service import MAX
from bridge.sinks.text import clip, shows, utf16, web_url

BUTTON_TEXT, BUTTON_URL, BUTTONS = 128, 2048, 10
DIGEST_PARTS = 10


def message_payload(message: Message, buttons: int) -> JsonObject:
    """The text, and so many buttons as the sink has, those that lead somewhere."""
    rows = [[button] for number in range(buttons) if (button := _button(message, number))]
    keyboard = [{"type": "inline_keyboard", "payload": {"buttons": rows}}] if rows else []
    return _payload(_text(message)) | {"attachments": keyboard}


def digest_payload(digest: Digest) -> JsonObject:
    """The summary, and below it the first parts, as many as fit whole."""
    text = digest["text"].strip()
    summary = below_html(digest["remarks"], text if shows_html(text) else escape(counts_by_type(digest)))
    parts = [_text(part) for part in digest.parts]
    told = digest_body(digest, MAX, summary, parts, fits=fits_html, share=lambda rest: utf16(rest) <= TEXT // 3)
    return _payload(told if fits_html(told) else summary) | {"attachments": []}


def _payload(text: str) -> JsonObject:
    return {"text": clip_html(text), "format": "html"}


def _text(message: Message) -> str:
    """The remarks and the text; the event's type where there is nothing to see."""
    text = message["text"].strip()
    return below_html(message["remarks"], text if shows_html(text) else message.event.type)


def _button(message: Message, number: int) -> JsonObject | None:
    text, url = button_at(message, number)
    link = web_url(url, limit=BUTTON_URL)
    if not shows(text) or link is None:
        return None
    return {"type": "link", "text": clip(text, BUTTON_TEXT, size=utf16), "url": link}
