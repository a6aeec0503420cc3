"""What an ntfy message says: a heading and a text; of a digest whole parts.

Source   docs.ntfy.sh/publish; the limits stand in sinks/ntfy/sink.py, but that of a title: it is ours, ntfy has none
"""

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.message import Digest, Message
from bridge.sinks.digest import counts_by_type, told_and_rest
from bridge.sinks.ntfy.service import NTFY
from bridge.sinks.text import clip, shows

TITLE, TEXT = 500, 4096  # bytes
DIGEST_PARTS = 10


def message_payload(message: Message) -> JsonObject:
    return _payload(message["heading"], _below(message["remarks"], _text(message)))


def digest_payload(digest: Digest) -> JsonObject:
    """The summary, and below it the first parts, as many as fit whole."""
    text = digest["text"].strip()
    summary = _below(digest["remarks"], text if shows(text) else counts_by_type(digest))
    parts = [_below(part["remarks"], _below(part["heading"], _text(part))) for part in digest.parts]

    def whole(count: int, rest: str) -> str:
        return "\n\n".join(filter(None, (summary, *parts[:count], rest)))

    count, rest = told_and_rest(
        digest,
        NTFY,
        range(1, len(parts) + 1),
        fits=lambda count, rest: size(whole(count, rest)) <= TEXT,
        share=lambda rest: size(rest) <= TEXT // 3,
    )
    text = whole(count, rest)
    return _payload(digest["heading"], text if size(text) <= TEXT else summary)


def size(text: str) -> int:
    """Bytes of the text as JSON has it, never less than those of the text: so both of ntfy's limits are kept."""
    return len(dump(text)) - 2


def _payload(heading: str, text: str) -> JsonObject:
    title = " ".join(heading.split())
    shown = {"title": clip(title, TITLE, size=size)} if shows(title) else {}
    return {**shown, "message": clip(text, TEXT, size=size)}


def _text(message: Message) -> str:
    """The text; the event's type where there is nothing to see."""
    text = message["text"].strip()
    return text if shows(text) else message.event.type


def _below(above: str, text: str) -> str:
    return f"{above.strip()}\n{text}" if shows(above) else text
