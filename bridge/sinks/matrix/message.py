"""What a Matrix message says: HTML, and beside it the same as a plain text; of a digest whole parts.

Source   github.com/matrix-org/matrix-spec @ d0ba2aa: content/client-server-api/modules/instant_messaging.md,
         mentions.md, event_replacements.md, threading.md; the limits stand in sinks/matrix/sink.py
"""

import re
from collections.abc import Iterable, Mapping
from html import escape
from itertools import groupby

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.markup.spans import Link, Span, TextStyle
from bridge.message import Digest, Message
from bridge.sinks.digest import counts_by_type, digest_body
from bridge.sinks.html import HtmlLimits, below_html, clip_html, fits_html, shows_html
from bridge.sinks.matrix.reading import reading
from bridge.sinks.matrix.service import MATRIX
from bridge.sinks.text import clip

#: Bytes of the HTML, and of the plain text: an edit has both twice, and an event no more than 65,536 bytes in all.
HTML = 12_000
DIGEST_PARTS = 10

_PRE = re.compile(r"(<pre>.*?</pre>)", re.DOTALL)
_BESIDE_BLOCK = re.compile(r"\n?(</?(?:blockquote|pre)>)\n?")


def json_size(text: str) -> int:
    """Bytes of the text as JSON has it, with its line breaks as HTML has them."""
    return len(dump(text.replace("\n", "<br>"))) - 2


#: What clients are asked to read, and of their attributes those that a template has a use for.
TAGS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("b", "strong", "i", "em", "u", "s", "del", "sub", "sup", "pre", "blockquote"), ()),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "ul", "li", "p", "div", "details", "summary"), ()),
    "a": ("href",),
    "code": ("class",),
    "ol": ("start",),
    "span": ("data-mx-spoiler", "data-mx-color", "data-mx-bg-color"),
}
LIMITS = HtmlLimits(raw=HTML, size=json_size, tags=TAGS)


def message_content(message: Message, *, silent: bool) -> JsonObject:
    return _content(_text(message), silent=silent)


def digest_content(digest: Digest, *, silent: bool) -> JsonObject:
    """The summary, and below it the first parts, as many as fit whole."""
    return _content(_digest_text(digest), silent=silent)


def as_edit(content: JsonObject, event_id: str) -> JsonObject:
    """The content that makes this of an earlier message; who knows no edits is shown the text behind an asterisk."""
    fallback = {
        **content,
        "body": f"* {content['body']}",
        "formatted_body": f"* {content['formatted_body']}",
        "m.new_content": content,
    }
    return fallback | {"m.relates_to": {"rel_type": "m.replace", "event_id": event_id}}


def in_thread(content: JsonObject, root: str, to: str) -> JsonObject:
    """The content in the thread of a root; who knows no threads is shown an answer to the message `to`."""
    relation = {
        "rel_type": "m.thread",
        "event_id": root,
        "is_falling_back": root == to,
        "m.in_reply_to": {"event_id": to},
    }
    return content | {"m.relates_to": relation}


def _content(text: str, *, silent: bool) -> JsonObject:
    shown = clip_html(text, LIMITS)
    return {
        "msgtype": "m.notice" if silent else "m.text",
        "body": clip(_plain(reading(shown)), HTML, size=json_size),
        "format": "org.matrix.custom.html",
        "formatted_body": _on_the_wire(shown),
        "m.mentions": {},
    }


def _text(message: Message) -> str:
    """The remarks and the text; the event's type where nothing of the text would be seen."""
    text = message["text"].strip()
    return below_html(message["remarks"], text if shows_html(text) else message.event.type)


def _digest_text(digest: Digest) -> str:
    summary = digest["text"].strip()
    summary = below_html(digest["remarks"], summary if shows_html(summary) else escape(counts_by_type(digest)))
    parts = [_text(part) for part in digest.parts]
    text = digest_body(digest, MATRIX, summary, parts, fits=_fits, share=lambda rest: json_size(rest) <= HTML // 3)
    return text if _fits(text) else summary


def _fits(text: str) -> bool:
    return fits_html(text, LIMITS)


def _on_the_wire(text: str) -> str:
    """The HTML with `<br>` for line breaks: none beside a block, which has its own, and those of code as they are."""
    parts = _PRE.split(_BESIDE_BLOCK.sub(r"\1", text))
    return "".join(part if number % 2 else part.replace("\n", "<br>") for number, part in enumerate(parts))


def _plain(spans: Iterable[Span]) -> str:
    """The words; behind those that lead elsewhere their address, before those of a quote `>`."""
    written = ""
    for (link, quoted), pieces in groupby(spans, key=lambda span: (_link(span), TextStyle.QUOTE in span.marks)):
        words = "".join(span.text for span in pieces)
        words += f" ({link.url})" if link and link.url not in words else ""
        if quoted:
            begins = not written.rpartition("\n")[2].startswith("> ")
            words = ("> " if begins else "") + words.replace("\n", "\n> ")
        written += words
    return written


def _link(span: Span) -> Link | None:
    return next((mark for mark in span.marks if isinstance(mark, Link)), None)
