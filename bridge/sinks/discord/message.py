"""What a Discord message says: content and embeds made of blocks, of a message that was posted to us, of a digest.

Source   discord.com/developers/docs/resources/message; the limits stand in sinks/discord/sink.py
"""

import re
from collections.abc import Mapping
from typing import Any

from bridge.event import JsonObject, iso
from bridge.message import RECORD, UNIT, Digest, Message
from bridge.sinks.digest import counts_by_type, more
from bridge.sinks.discord.embed import DESCRIPTION, EMBEDS, MARKUP, TITLE, TOTAL, fitted_embeds, weight
from bridge.sinks.text import clip, shows, utf16, web_url

CONTENT, THREAD_NAME, USERNAME, FILES = 2000, 100, 80, 500  # characters
DIGEST_PARTS = EMBEDS - 1  # one embed is its summary

SNOWFLAKE = re.compile(r"[0-9]{1,20}")


def legal_name(value: str) -> bool:
    """Whether a webhook may speak under this name."""
    name = value.strip().lower()
    banned = name in ("everyone", "here") or "discord" in name or "clyde" in name
    return shows(name) and utf16(value) <= USERNAME and not banned


def thread_name(named: str, otherwise: str) -> str:
    """The title of a new thread in a forum."""
    text = named.strip() if shows(named) else otherwise.strip() if shows(otherwise) else "…"
    return clip(text, THREAD_NAME, size=utf16)


def message_payload(message: Message) -> JsonObject:
    """Content and embeds, not both empty; the name and picture of a message that was posted with them."""
    content, embeds, speaker = _posted_payload(message) or (message["content"], fitted_embeds([_embed(message)]), {})
    if not embeds and not shows(content):
        embeds = [{"title": clip(message.event.type, TITLE)}]
    return speaker | {"content": _content(message["remarks"], content), "embeds": embeds}


def digest_payload(digest: Digest) -> JsonObject:
    """One embed that sums it up, and below it the first parts, as many as fit whole; remarks are its content."""
    content = _content(digest["remarks"], "")
    shown = [(number, embed) for number, part in enumerate(digest.parts, 1) for embed in _part_embeds(part)][
        :DIGEST_PARTS
    ]
    for count in range(len(shown), 0, -1):
        summary = _summary(digest, more(digest, shown[count - 1][0]))
        embeds = [summary, *(embed for _, embed in shown[:count])]
        if sum(map(weight, embeds)) <= TOTAL:
            return {"content": content, "embeds": embeds}
    return {"content": content, "embeds": [_summary(digest, more(digest, 0))]}


def posted_thread(message: Message) -> str | None:
    """The thread that a message was posted for."""
    thread = _post(message).get("thread_id")
    return str(thread) if thread is not None and SNOWFLAKE.fullmatch(str(thread)) else None


def _content(remarks: str, text: str) -> str:
    """The remarks, whole, and as much of the text below them as is left room for."""
    head = clip(remarks.strip(), CONTENT, MARKUP, utf16) if shows(remarks) else ""
    room = CONTENT - utf16(head) - 1 if head else CONTENT
    body = clip(text.strip(), room, MARKUP, utf16) if shows(text) and room > 0 else ""
    return "\n".join(filter(None, (head, body)))


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
    posted = _post(message) if _posted_payload(message) else None
    embeds = [_embed(message)] if posted is None else _embeds_in(posted)
    if posted is not None and shows(content := _with_files(posted)):
        embeds = [{"description": content}, *embeds]
    if shows(message["remarks"]):
        embeds = [_with_remarks(embeds[0], message["remarks"].strip()), *embeds[1:]]
    return fitted_embeds(embeds) or [{"title": clip(message.event.type, TITLE)}]


def _with_remarks(embed: JsonObject, remarks: str) -> JsonObject:
    text = embed.get("description")
    return embed | {"description": f"{remarks}\n{text.strip()}" if isinstance(text, str) else remarks}


def _post(message: Message) -> Mapping[str, Any]:
    """The message that was posted to us, an empty one where the event is none."""
    post = message.event.data.get("message") if message.event.type == "message.posted" else None
    return post if isinstance(post, Mapping) else {}


def _posted_payload(message: Message) -> tuple[str, list[JsonObject], JsonObject] | None:
    """A posted message as it came, unless a template speaks for it, or nothing is left of it."""
    post = _post(message)
    embeds = fitted_embeds(_embeds_in(post))
    content = _with_files(post)
    if message.template is not None or not (embeds or shows(content)):
        return None
    speaker: JsonObject = {}
    if isinstance(name := post.get("username"), str) and legal_name(name.strip()):
        speaker["username"] = name.strip()
    if (picture := web_url(post.get("avatar_url"))) is not None:
        speaker["avatar_url"] = picture
    return content, embeds, speaker


def _embeds_in(post: Mapping[str, Any]) -> list[JsonObject]:
    embeds = post.get("embeds")
    return [dict(one) for one in embeds if isinstance(one, Mapping)] if isinstance(embeds, list) else []


def _with_files(post: Mapping[str, Any]) -> str:
    content = post.get("content")
    content = content.strip() if isinstance(content, str) else ""
    files = post.get("files")
    names = [_file_name(one) for one in files if isinstance(one, Mapping)] if isinstance(files, list) else []
    if not names:
        return content
    line = "📎 " + clip(", ".join(names), FILES, MARKUP, utf16)
    return f"{clip(content, CONTENT - utf16(line) - 1, MARKUP, utf16)}\n{line}".strip()


def _file_name(file: Mapping[str, Any]) -> str:
    name = " ".join(str(file.get("name") or "").replace("`", "'").split())
    return f"`{name if shows(name) else '?'}`"
