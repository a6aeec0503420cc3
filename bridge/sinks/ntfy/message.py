"""What an ntfy message says: a heading and a text; of a digest whole parts.

Source   docs.ntfy.sh/publish; the limits stand in sinks/ntfy/sink.py, but that of a title: it is ours, ntfy has none
"""

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.message import Digest, Message
from bridge.sinks.digest import counts_by_type, digest_body
from bridge.sinks.ntfy.service import NTFY
from bridge.sinks.text import below, clip, one_line, shows, web_url

TITLE, TEXT, WHOLE = 500, 4096, 8192  # bytes; the last of all of it
ACTIONS, LABEL, ADDRESS = 3, 60, 500  # buttons, and characters of what one says and of where it leads
DIGEST_PARTS = 10


def message_payload(message: Message) -> JsonObject:
    return _payload(message["heading"], below(message["remarks"], _text(message)))


def links(message: Message, actions: int) -> JsonObject:
    """Where a touch leads, and so many buttons as the sink has, those that lead somewhere."""
    click = web_url(message["click"].strip(), limit=ADDRESS)
    buttons = [button for number in range(actions) if (button := _button(message, number))]
    return {**({"click": click} if click else {}), **({"actions": buttons} if buttons else {})}


def fitted(body: JsonObject) -> JsonObject:
    """The body with as much of its text as is left room for beside all else."""
    room = WHOLE - size_of(body | {"message": ""})
    return body | {"message": clip(str(body["message"]), min(TEXT, room), size=size)}


def size_of(body: JsonObject) -> int:
    return len(dump(body))


def _button(message: Message, number: int) -> JsonObject | None:
    label, url = one_line(message[f"action_{number}_label"]), message[f"action_{number}_url"].strip()
    address = web_url(url, limit=ADDRESS)
    if not shows(label) or address is None:
        return None
    return {"action": "view", "label": clip(label, LABEL), "url": address}


def digest_payload(digest: Digest) -> JsonObject:
    """The summary, and below it the first parts, as many as fit whole."""
    text = digest["text"].strip()
    summary = below(digest["remarks"], text if shows(text) else counts_by_type(digest))
    parts = [below(part["remarks"], below(part["heading"], _text(part))) for part in digest.parts]
    text = digest_body(
        digest, NTFY, summary, parts, fits=lambda text: size(text) <= TEXT, share=lambda rest: size(rest) <= TEXT // 3
    )
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
