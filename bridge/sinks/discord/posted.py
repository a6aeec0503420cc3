"""A message that was posted to us, as Discord gets it: as it came, as far as Discord takes it.

Why its mentions are not passed on: whom a message may ping is the operator's to say, at the sink.
"""

import re
from collections.abc import Mapping
from typing import Any

from bridge.event import JsonObject
from bridge.message import Message
from bridge.posted import IS_COMPONENTS_V2, SUPPRESS_EMBEDS, component_texts, poll_answers, posted_flags, posted_message
from bridge.sinks.discord.components import ANSWER, ANSWERS, QUESTION, ComponentBudget, fitted_poll, link_rows
from bridge.sinks.discord.embed import MARKUP, fitted_embeds
from bridge.sinks.text import clip, one_line, shows, utf16, web_url

CONTENT, THREAD_NAME, USERNAME = 2000, 100, 80  # characters
TAIL, FILES = 1500, 500

SNOWFLAKE = re.compile(r"[0-9]{1,20}")


def legal_name(value: str) -> bool:
    """Whether a webhook may speak under this name."""
    name = value.strip().lower()
    banned = name in ("everyone", "here") or "discord" in name or "clyde" in name
    return shows(name) and utf16(value) <= USERNAME and not banned


def posted_thread(message: Message) -> str | None:
    """The thread that it was posted for, a message or what became an event of a type of its own."""
    event = message.event
    post = event.data.get("message") if event.native_type.startswith("discord:") else posted_message(event)
    thread = post.get("thread_id") if isinstance(post, Mapping) else None
    return str(thread) if thread is not None and SNOWFLAKE.fullmatch(str(thread)) else None


def posted_thread_name(message: Message) -> str | None:
    """The title of the thread that a message was posted to begin, in a forum."""
    name = posted_message(message.event).get("thread_name")
    title = one_line(name) if isinstance(name, str) else ""
    return clip(title, THREAD_NAME, size=utf16) if shows(title) else None


def posted_payload(message: Message) -> JsonObject | None:
    """A posted message with the remarks above it, unless a template speaks for it, or nothing is left of it."""
    if message.template is not None:
        return None
    post = posted_message(message.event)
    payload = _components_payload(post, message["remarks"]) or _content_payload(post, message["remarks"])
    return payload | _speaker(post) if payload else None


def posted_embeds(message: Message) -> list[JsonObject] | None:
    """A posted message as embeds, for a digest: what is no embed stands in the description of the first one."""
    if message.template is not None:
        return None
    post = posted_message(message.event)
    embeds, content = _embeds_in(post), _content(post, poll=post.get("poll"))
    described = [{"description": content}] if shows(content) else []
    return [*described, *embeds] if fitted_embeds([*described, *embeds]) else None


def content_below(remarks: str, text: str) -> str:
    """The remarks, whole, and as much of the text below them as is left room for."""
    head = clip(remarks.strip(), CONTENT, MARKUP, utf16) if shows(remarks) else ""
    room = CONTENT - utf16(head) - 1 if head else CONTENT
    body = clip(text.strip(), room, MARKUP, utf16) if shows(text) and room > 0 else ""
    return "\n".join(filter(None, (head, body)))


def _components_payload(post: Mapping[str, Any], remarks: str) -> JsonObject | None:
    """The message that is made of components alone; None where it is another."""
    flags = posted_flags(post)
    if not flags & IS_COMPONENTS_V2 or any(post.get(key) for key in ("content", "embeds", "poll")):
        return None
    room = ComponentBudget()
    above, below = room.text(remarks), room.text(_file_line(post))
    components = [*above, *room.components(post.get("components")), *below]
    if not components or components == above:
        return None
    return {"components": components, "flags": IS_COMPONENTS_V2 | flags & SUPPRESS_EMBEDS}


def _content_payload(post: Mapping[str, Any], remarks: str) -> JsonObject | None:
    embeds, poll = fitted_embeds(_embeds_in(post)), fitted_poll(post.get("poll"))
    content = _content(post, poll=None if poll else post.get("poll"))
    if not (embeds or poll or shows(content)):
        return None
    return {
        "content": content_below(remarks, content),
        "embeds": embeds,
        "components": link_rows(post.get("components")),
        "poll": poll,
        "flags": posted_flags(post) & SUPPRESS_EMBEDS,
    }


def _speaker(post: Mapping[str, Any]) -> JsonObject:
    """The name and the picture that it was posted with."""
    speaker: JsonObject = {}
    if isinstance(name := post.get("username"), str) and legal_name(name.strip()):
        speaker["username"] = name.strip()
    if (picture := web_url(post.get("avatar_url"))) is not None:
        speaker["avatar_url"] = picture
    return speaker


def _embeds_in(post: Mapping[str, Any]) -> list[JsonObject]:
    embeds = post.get("embeds")
    return [dict(one) for one in embeds if isinstance(one, Mapping)] if isinstance(embeds, list) else []


def _content(post: Mapping[str, Any], *, poll: Any) -> str:
    """The content and what its components say; below it a poll that is told in words, and what files there were."""
    content = post.get("content")
    said = [content if isinstance(content, str) else "", *component_texts(post.get("components"))]
    text = "\n".join(one.strip() for one in said if shows(one))
    tail = clip("\n".join(filter(None, (_poll_lines(poll), _file_line(post)))), TAIL, MARKUP, utf16)
    return f"{clip(text, CONTENT - utf16(tail) - 1, MARKUP, utf16)}\n{tail}".strip() if tail else text


def _poll_lines(poll: Any) -> str:
    """A poll in words, where it cannot be one."""
    question = poll.get("question") if isinstance(poll, Mapping) else None
    asked = question.get("text") if isinstance(question, Mapping) else None
    if not isinstance(asked, str) or not shows(asked):
        return ""
    answers = (clip(one, ANSWER, size=utf16) for one in poll_answers(poll)[:ANSWERS])
    return "\n".join([f"📊 {clip(asked.strip(), QUESTION, size=utf16)}", *(f"• {one}" for one in answers)])


def _file_line(post: Mapping[str, Any]) -> str:
    files = post.get("files")
    names = [_file_name(one) for one in files if isinstance(one, Mapping)] if isinstance(files, list) else []
    return "📎 " + clip(", ".join(names), FILES, MARKUP, utf16) if names else ""


def _file_name(file: Mapping[str, Any]) -> str:
    name = " ".join(str(file.get("name") or "").replace("`", "'").split())
    return f"`{name if shows(name) else '?'}`"
