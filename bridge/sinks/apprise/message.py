"""What is handed to Apprise: a title and a text, in markdown or in plain words; of a digest whole parts.

Source   the lengths stand in sinks/apprise/schemes.py
"""

import re

from bridge.event import JsonObject
from bridge.message import Digest, Message
from bridge.sinks.apprise.reading import plain
from bridge.sinks.apprise.schemes import Scheme
from bridge.sinks.apprise.service import APPRISE
from bridge.sinks.digest import counts_by_type, digest_body
from bridge.sinks.text import PLAIN, Markup, below, clip, shows, utf16

DIGEST_PARTS = 10

#: Links and escapes stay whole; the marks are closed again.
MARKUP = Markup(
    parts=re.compile(r"\\.|\[[^\[\]\n]*\]\([^()\s]*\)|```|`|\*\*|~~|.", re.DOTALL),
    marks=frozenset({"```", "`", "**", "~~", "*"}),
    fences=frozenset({"```", "`"}),
)


def message_content(message: Message, scheme: Scheme) -> JsonObject:
    """`title`, `body` and `format`; the body is never empty, for a service would say that it took nothing."""
    return _content(scheme, message["heading"], message["remarks"], _text(message))


def digest_content(digest: Digest, scheme: Scheme) -> JsonObject:
    """The summary, and below it the first parts, as many as fit whole."""
    text = digest["text"].strip()
    summary = text if shows(text) else counts_by_type(digest)
    parts = [below(part["remarks"], below(part["heading"], _text(part))) for part in digest.parts]

    def fits(text: str) -> bool:
        content = _content(scheme, digest["heading"], digest["remarks"], text, cut=False)
        return utf16(str(content["body"])) <= scheme.text

    text = digest_body(digest, APPRISE, summary, parts, fits=fits, share=lambda rest: utf16(rest) <= scheme.text // 3)
    return _content(scheme, digest["heading"], digest["remarks"], text)


def _content(scheme: Scheme, heading: str, remarks: str, text: str, *, cut: bool = True) -> JsonObject:
    title = " ".join(plain(heading).split()) if scheme.title else ""
    above = heading if shows(heading) and not title else ""
    body = _written(scheme, below(remarks, below(above, text)))
    markup = MARKUP if scheme.markdown else PLAIN
    return {
        "title": clip(title, scheme.title, size=utf16) if shows(title) else "",
        "body": clip(body, scheme.text, markup, utf16) if cut else body,
        "format": "markdown" if scheme.markdown else "text",
    }


def _written(scheme: Scheme, markup: str) -> str:
    """The text as the service reads it."""
    text = markup if scheme.markdown else plain(markup)
    return re.sub(r"\n+", "\n\n", text) if scheme.apart else text


def _text(message: Message) -> str:
    """The text; the event's type where there is nothing to see."""
    text = message["text"].strip()
    return text if shows(text) else str(APPRISE.text.escape(message.event.type))
