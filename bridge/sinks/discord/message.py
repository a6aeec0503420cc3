"""What a Discord message says: content and embeds made of blocks, of a message that was posted to us, of a digest.

Source   discord.com/developers/docs/resources/message; the limits stand in sinks/discord/sink.py
"""

from bridge.chart import with_signs
from bridge.event import JsonObject, iso
from bridge.message import RECORD, UNIT, Digest, Message
from bridge.sinks.digest import counts_by_type, told_and_rest
from bridge.sinks.discord.embed import DESCRIPTION, EMBEDS, MARKUP, TITLE, TOTAL, fitted_embeds, weight
from bridge.sinks.discord.posted import THREAD_NAME, content_below, posted_embeds, posted_payload
from bridge.sinks.discord.service import DISCORD
from bridge.sinks.text import clip, one_line, shows, utf16

DIGEST_PARTS = EMBEDS - 1  # one embed is its summary
REST = 200  # characters that what is left out of a digest may always take


def thread_name(named: str, otherwise: str) -> str:
    """The title of a new thread in a forum."""
    return clip(next(filter(shows, map(one_line, (named, otherwise))), "…"), THREAD_NAME, size=utf16)


def message_payload(message: Message) -> JsonObject:
    """Content and embeds that the blocks make, not both empty; a message that was posted as it came."""
    if (posted := posted_payload(message)) is not None:
        return posted
    content = content_below(message["remarks"], message["content"])
    embeds = fitted_embeds([_embed(message)])
    if not embeds and not shows(message["content"]):
        embeds = [{"title": clip(message.event.type, TITLE)}]
    return {"content": content, "embeds": embeds}


def with_attached(payload: JsonObject, name: str) -> JsonObject:
    """A payload with a picture that is attached to it, in its first embed where it has one."""
    embeds = [dict(one) for one in payload.get("embeds", ())]
    if embeds:
        embeds[0]["image"] = {"url": f"attachment://{name}"}
    return payload | ({"embeds": embeds} if embeds else {}) | {"attachments": [{"id": "0", "filename": name}]}


def digest_payload(digest: Digest) -> JsonObject:
    """One embed that sums it up, and below it the first parts, as many as fit whole; remarks are its content."""
    shown = [(number, embed) for number, part in enumerate(digest.parts, 1) for embed in _part_embeds(part)]
    numbers, embeds = [number for number, _ in shown[:DIGEST_PARTS]], [embed for _, embed in shown[:DIGEST_PARTS]]
    room = max(DESCRIPTION - utf16(digest["description"].strip()) - 1, REST)

    def fits(count: int, text: str) -> bool:
        return utf16(text) <= room and sum(map(weight, (_summary(digest, text), *embeds[:count]))) <= TOTAL

    count, said = told_and_rest(digest, DISCORD, numbers, fits=fits, share=lambda text: utf16(text) <= room // 3)
    return {"content": content_below(digest["remarks"], ""), "embeds": [_summary(digest, said), *embeds[:count]]}


def _embed(message: Message) -> JsonObject:
    """The one embed that the blocks make."""
    return {
        "title": message["title"],
        "url": message["url"],
        "description": message["description"],
        "color": message["color"],
        "footer": {"text": message["footer"]},
        "fields": [_field(record) for record in message["fields"].split(RECORD) if shows(record)],
        "timestamp": iso(message.event.occurred_at),
    }


def _field(record: str) -> JsonObject:
    name, value, inline = (*record.split(UNIT, 2), "", "")[:3]
    return {"name": name, "value": value, "inline": inline.strip() == "inline"}


def _summary(digest: Digest, rest: str) -> JsonObject:
    """The embed that sums a digest up; `rest` says what is not told below it, and is never cut away."""
    described = clip(digest["description"].strip(), DESCRIPTION - utf16(rest) - 1, MARKUP, utf16)
    embed = {
        "title": digest["title"],
        "description": "\n".join(filter(shows, (described, rest))),
        "color": digest["color"],
        "footer": {"text": digest["footer"]},
        "timestamp": iso(digest.tally.last_at),
    }
    return next(iter(fitted_embeds([embed])), {"title": clip(counts_by_type(digest), TITLE)})


def _part_embeds(message: Message) -> list[JsonObject]:
    """A message as a part of a digest: its embeds, with remarks and content in their descriptions."""
    message = with_signs(message, "description")
    embeds = posted_embeds(message) or [_embed(message)]
    if shows(message["remarks"]):
        embeds = [_with_remarks(embeds[0], message["remarks"].strip()), *embeds[1:]]
    return fitted_embeds(embeds) or [{"title": clip(message.event.type, TITLE)}]


def _with_remarks(embed: JsonObject, remarks: str) -> JsonObject:
    text = embed.get("description")
    return embed | {"description": f"{remarks}\n{text.strip()}" if isinstance(text, str) else remarks}
