"""Discord's components and polls, made to fit: what leads, shows or says something; what a webhook can answer is none.

Source   discord.com/developers/docs/components/reference, resources/poll#poll-create-request-object
Limits   40 components, those inside of others too, and 4000 characters over all text displays; 5 buttons in a row,
         10 pictures in a gallery, label 80, a button's URL 512; a poll's question 300, 10 answers of 55, 1 to 768 hours
Quirks   a webhook that is no application's takes none that wants an answer: of buttons the links, and no menus; only
         with `?with_components=true` does it take any
         a picture that is an uploaded file is not there: its bytes are not kept
         an emoji of a server may be unknown where it goes to, which refuses the message: only Unicode's are kept
"""

import re
from collections.abc import Mapping
from typing import Any

from bridge.event import JsonObject
from bridge.foreign import whole
from bridge.posted import (
    ACTION_ROW,
    BUTTON,
    CONTAINER,
    MEDIA_GALLERY,
    SECTION,
    SEPARATOR,
    TEXT_DISPLAY,
    THUMBNAIL,
)
from bridge.sinks.discord.embed import COLORS, MARKUP
from bridge.sinks.text import clip, shows, utf16, web_url

COMPONENTS, TEXTS = 40, 4000
ROWS, BUTTONS, LABEL, BUTTON_URL, LINK = 5, 5, 80, 512, 5
SECTION_TEXTS, PICTURES, DESCRIPTION = 3, 10, 1024
QUESTION, ANSWERS, ANSWER, HOURS = 300, 10, 55, 768

_EMOJI = re.compile(
    "(?:[0-9#*]\ufe0f?\u20e3"
    "|[\u203c-\u3299\U0001f000-\U0001faff][\ufe0e\ufe0f\u200d\u2640\u2642\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*)+"
)


def link_rows(components: Any) -> list[JsonObject]:
    """The rows of links below content and embeds."""
    room = ComponentBudget()
    rows = [one for one in _objects(components) if whole(one.get("type")) == ACTION_ROW]
    return [fitted for row in rows for fitted in room.components([row])][:ROWS]


def fitted_poll(poll: Any) -> JsonObject | None:
    """The poll, as far as Discord takes it; None where it has no question, or no answers."""
    question = _words(_at(poll, "question", "text"), QUESTION)
    answers = [media for one in _objects(_at(poll, "answers")) if (media := _answer(one.get("poll_media")))]
    if question is None or not answers:
        return None
    hours = whole(_at(poll, "duration"))
    duration = {"duration": hours} if hours is not None and 1 <= hours <= HOURS else {}
    several = {"allow_multiselect": True} if _at(poll, "allow_multiselect") is True else {}
    chosen = [{"poll_media": one} for one in answers[:ANSWERS]]
    return {"question": {"text": question}, "answers": chosen, **duration, **several}


class ComponentBudget:
    """What is left of the components that a message may have, and of the characters that they share."""

    def __init__(self) -> None:
        self._components = COMPONENTS
        self._characters = TEXTS

    def components(self, components: Any, *, inside: bool = False) -> list[JsonObject]:
        """The components that fit; what only parts others is left out where there is nothing else."""
        found = [fitted for one in _objects(components) for fitted in self._fitted(one, inside=inside)]
        return found if any(one["type"] != SEPARATOR for one in found) else []

    def text(self, content: Any) -> list[JsonObject]:
        """A text display, as far as it fits."""
        if not isinstance(content, str) or not shows(content) or self._characters <= 0 or not self._take(1):
            return []
        kept = clip(content.strip(), self._characters, MARKUP, utf16)
        self._characters -= utf16(kept)
        return [{"type": TEXT_DISPLAY, "content": kept}]

    def _fitted(self, one: Mapping[str, Any], *, inside: bool) -> list[JsonObject]:
        match whole(one.get("type")):
            case type_ if type_ == ACTION_ROW:
                return self._row(one)
            case type_ if type_ == SECTION:
                return self._section(one)
            case type_ if type_ == TEXT_DISPLAY:
                return self.text(one.get("content"))
            case type_ if type_ == MEDIA_GALLERY:
                return self._gallery(one)
            case type_ if type_ == SEPARATOR:
                return self._separator(one)
            case type_ if type_ == CONTAINER and not inside:
                return self._container(one)
            case _:
                return []

    def _take(self, count: int) -> bool:
        if count > self._components:
            return False
        self._components -= count
        return True

    def _row(self, one: Mapping[str, Any]) -> list[JsonObject]:
        links = [link for each in _objects(one.get("components")) if (link := _link_button(each))][:BUTTONS]
        return [{"type": ACTION_ROW, "components": links}] if links and self._take(1 + len(links)) else []

    def _section(self, one: Mapping[str, Any]) -> list[JsonObject]:
        """Its texts beside its picture or link; the texts alone where that is none."""
        accessory = _at(one, "accessory")
        beside = (_link_button(accessory) or _thumbnail(accessory)) if isinstance(accessory, Mapping) else None
        framed = beside is not None and self._take(2)
        inner = _objects(one.get("components"))[:SECTION_TEXTS]
        texts = [part for each in inner for part in self.text(each.get("content"))]
        if not framed or not texts:
            self._components += 2 if framed else 0
            return texts
        return [{"type": SECTION, "components": texts, "accessory": beside}]

    def _gallery(self, one: Mapping[str, Any]) -> list[JsonObject]:
        pictures = [item for each in _objects(one.get("items")) if (item := _media(each))][:PICTURES]
        return [{"type": MEDIA_GALLERY, "items": pictures}] if pictures and self._take(1) else []

    def _separator(self, one: Mapping[str, Any]) -> list[JsonObject]:
        spacing = {"spacing": 2} if whole(one.get("spacing")) == 2 else {}
        divider = {"divider": False} if one.get("divider") is False else {}
        return [{"type": SEPARATOR, **divider, **spacing}] if self._take(1) else []

    def _container(self, one: Mapping[str, Any]) -> list[JsonObject]:
        if not self._take(1):
            return []
        inner = self.components(one.get("components"), inside=True)
        if not inner:
            self._components += 1
            return []
        color = whole(one.get("accent_color"))
        accent = {"accent_color": color} if color is not None and 0 <= color <= COLORS else {}
        return [{"type": CONTAINER, "components": inner, **accent, **_spoiler(one)}]


def _link_button(one: Mapping[str, Any]) -> JsonObject | None:
    url = web_url(one.get("url"), limit=BUTTON_URL) if whole(one.get("type")) == BUTTON else None
    label, emoji = _words(one.get("label"), LABEL), _emoji(one.get("emoji"))
    if url is None or (label is None and not emoji):
        return None
    return {"type": BUTTON, "style": LINK, "url": url} | ({"label": label} if label else {}) | emoji


def _thumbnail(one: Mapping[str, Any]) -> JsonObject | None:
    media = _media(one) if whole(one.get("type")) == THUMBNAIL else None
    return {"type": THUMBNAIL, **media} if media else None


def _media(one: Mapping[str, Any]) -> JsonObject | None:
    url = web_url(_at(one, "media", "url"))
    if url is None:
        return None
    description = _words(one.get("description"), DESCRIPTION)
    return {"media": {"url": url}} | ({"description": description} if description else {}) | _spoiler(one)


def _spoiler(one: Mapping[str, Any]) -> JsonObject:
    return {"spoiler": True} if one.get("spoiler") is True else {}


def _answer(media: Any) -> JsonObject | None:
    emoji = _emoji(_at(media, "emoji"))
    words = _words(_at(media, "text"), ANSWER) or (None if emoji else _words(_at(media, "emoji", "name"), ANSWER))
    return ({"text": words} if words else {}) | emoji or None


def _emoji(emoji: Any) -> JsonObject:
    name = _at(emoji, "name")
    known = isinstance(name, str) and len(name) <= 32 and not _at(emoji, "id") and _EMOJI.fullmatch(name.strip())
    return {"emoji": {"name": name.strip()}} if known else {}


def _words(value: Any, limit: int) -> str | None:
    return clip(value.strip(), limit, size=utf16) if isinstance(value, str) and shows(value) else None


def _objects(values: Any) -> list[Mapping[str, Any]]:
    return [one for one in values if isinstance(one, Mapping)] if isinstance(values, list) else []


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def components_query(payload: JsonObject) -> dict[str, str]:
    """Without this of a request's query components are not looked at."""
    return {"with_components": "true"} if payload.get("components") else {}
