"""What a Telegram message says: a text made of blocks, and links under it; of a digest whole parts.

Source   core.telegram.org/bots/api#sendmessage; the limits stand in sinks/telegram/sink.py
"""

import re
from html import escape

from yarl import URL

from bridge.chart import with_signs
from bridge.event import JsonObject
from bridge.message import Digest, Message
from bridge.sinks.buttons import button_at
from bridge.sinks.digest import counts_by_type, digest_body
from bridge.sinks.html import below_html
from bridge.sinks.telegram.html import CAPTION, TEXT, clip_html, fits_caption, fits_html, plain_text, shows_html
from bridge.sinks.telegram.service import TELEGRAM
from bridge.sinks.text import clip, shows, web_url
from bridge.value import Value

BUTTON_TEXT, BUTTON_URL, BUTTONS = 64, 2048, 100
DIGEST_PARTS = 10


class MessageOptions(Value):
    """How it goes out: with so many of the sink's buttons, those that lead somewhere; `plain`: without markup."""

    buttons: int
    plain: bool = False


def message_payload(message: Message, options: MessageOptions) -> JsonObject:
    """The text and the buttons."""
    payload = _text_payload(_text(message), message.event.type, plain=options.plain)
    rows = [[button] for number in range(options.buttons) if (button := _button(message, number))]
    return payload | ({"reply_markup": {"inline_keyboard": rows}} if rows else {})


def caption_payload(message: Message, options: MessageOptions) -> JsonObject:
    """The same below a picture; without markup as much as fits there."""
    payload = message_payload(message, options)
    text = payload.pop("text")
    return {"caption": clip(text, CAPTION) if options.plain else text} | payload


def is_caption(message: Message) -> bool:
    """Whether the text has room below a picture."""
    return fits_caption(_text(message))


def digest_payload(digest: Digest, options: MessageOptions) -> JsonObject:
    """The summary, and below it the first parts, as many as fit whole."""
    return _text_payload(_digest_text(digest), counts_by_type(digest), plain=options.plain)


def _text_payload(text: str, otherwise: str, *, plain: bool) -> JsonObject:
    """The text as Telegram wants it; `otherwise` where nothing of it would be seen without its markup."""
    if not plain:
        return {"text": clip_html(text), "parse_mode": "HTML"}
    bare = plain_text(text).strip()
    return {"text": clip(bare if shows(bare) else otherwise, TEXT)}


def _text(message: Message) -> str:
    """The remarks and the text with markup; the event's type where nothing of the text would be seen."""
    text = message["text"].strip()
    return below_html(message["remarks"], text if shows_html(text) else message.event.type)


def _digest_text(digest: Digest) -> str:
    summary = digest["text"].strip()
    summary = below_html(digest["remarks"], summary if shows_html(summary) else escape(counts_by_type(digest)))
    parts = [_text(with_signs(part, "text")) for part in digest.parts]
    text = digest_body(digest, TELEGRAM, summary, parts, fits=fits_html, share=lambda rest: len(rest) <= TEXT // 3)
    return text if fits_html(text) else summary


def _button(message: Message, number: int) -> JsonObject | None:
    text, url = button_at(message, number)
    link = url if re.fullmatch(r"tg://[!-~]+", url) and len(url) <= BUTTON_URL else web_url(url, limit=BUTTON_URL)
    if not shows(text) or link is None or (link.startswith("http") and not _has_dot(link)):
        return None
    return {"text": clip(text, BUTTON_TEXT), "url": link}


def _has_dot(link: str) -> bool:
    host = URL(link).host or ""
    return "." in host.strip(".") or ":" in host
