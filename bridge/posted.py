"""A message that was posted to the Discord endpoint, as whoever passes it on reads it: its parts, whatever they are.

Source   discord.com/developers/docs/components/reference, resources/message#message-object-message-flags
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.event import Event
from bridge.foreign import text, whole

SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS, IS_COMPONENTS_V2 = 4, 4096, 32768

ACTION_ROW, BUTTON, SECTION, TEXT_DISPLAY, THUMBNAIL = 1, 2, 9, 10, 11
MEDIA_GALLERY, SEPARATOR, CONTAINER = 12, 14, 17

DEPTH = 5  # components in components that are still looked at; Discord has three


#: The native types of what changes a message that was posted before, and takes it back.
EDITED, DELETED = "message/edited", "message/deleted"
_CHANGEABLE = "message:"  # how the subject of a message begins that its poster may change


def message_subject(id_: str) -> str:
    """The subject of a posted message whose poster knows it by that id, to change it."""
    return f"{_CHANGEABLE}{id_}"


def is_changeable(event: Event) -> bool:
    """Whether its poster may change it later: it is remembered which message it became."""
    return event.type == "message.posted" and (event.subject or "").startswith(_CHANGEABLE)


def is_change(event: Event) -> bool:
    """Whether it changes what was posted before, or takes that back."""
    return event.native_type in (EDITED, DELETED) and is_changeable(event)


def posted_message(event: Event) -> Mapping[str, Any]:
    """The message that was posted to us, an empty one where the event is none."""
    post = event.data.get("message") if event.type == "message.posted" else None
    return post if isinstance(post, Mapping) else {}


def posted_flags(post: Mapping[str, Any]) -> int:
    flags = whole(post.get("flags"))
    return flags if flags is not None and flags > 0 else 0


def is_silent(event: Event) -> bool:
    """Whether who posted it wants nobody to be woken."""
    return bool(posted_flags(posted_message(event)) & SUPPRESS_NOTIFICATIONS)


def buttons(components: Any) -> list[Mapping[str, Any]]:
    """The buttons of a message that lead somewhere, wherever in its components they stand."""
    return [one for one in _all(components) if isinstance(one.get("url"), str) and text(one.get("label"))]


def component_texts(components: Any) -> list[str]:
    """What a message says in text displays, in order."""
    return [one["content"] for one in _all(components) if _type(one) == TEXT_DISPLAY and text(one.get("content"))]


def component_pictures(components: Any) -> list[Mapping[str, Any]]:
    """The pictures of a message's galleries and sections, each with its `url` and perhaps a `description`."""
    found: list[Mapping[str, Any]] = []
    for one in _all(components):
        items = one.get("items") if _type(one) == MEDIA_GALLERY else [one] if _type(one) == THUMBNAIL else []
        for item in items if isinstance(items, list) else ():
            media = item.get("media") if isinstance(item, Mapping) else None
            if isinstance(media, Mapping) and text(media.get("url")):
                found.append({"url": media["url"], "description": text(item.get("description"))})
    return found


def poll_answers(poll: Any) -> list[str]:
    """What a poll lets people choose from; an emoji of a server is a name, and left out beside words."""
    answers = poll.get("answers") if isinstance(poll, Mapping) else None
    media = (one.get("poll_media") for one in answers if isinstance(one, Mapping)) if isinstance(answers, list) else ()
    return [answer for one in media if isinstance(one, Mapping) and (answer := _poll_answer(one))]


def _all(components: Any, depth: int = DEPTH) -> Iterator[Mapping[str, Any]]:
    """The components and all that stand in them, each before its own; what stands beside a section's text last."""
    for one in components if isinstance(components, list) and depth else ():
        if isinstance(one, Mapping):
            yield one
            yield from _all(one.get("components"), depth - 1)
            yield from _all([one.get("accessory")], depth - 1)


def _type(component: Mapping[str, Any]) -> int | None:
    return whole(component.get("type"))


def _poll_answer(media: Mapping[str, Any]) -> str:
    emoji, words = media.get("emoji"), text(media.get("text"))
    sign = text(emoji.get("name")) if isinstance(emoji, Mapping) and not (words and emoji.get("id")) else None
    return " ".join(filter(None, (sign, words)))
