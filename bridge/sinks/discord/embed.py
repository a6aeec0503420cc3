"""Discord's embeds, made to fit: whatever comes in, what goes out is of the types and lengths that Discord takes.

Source   discord.com/developers/docs/resources/message#embed-object; the limits stand in sinks/discord/sink.py
"""

import re
from collections.abc import Mapping
from typing import Any

from bridge.event import JsonObject, iso
from bridge.foreign import iso_moment
from bridge.sinks.text import ELLIPSIS, Markup, clip, shows, utf16, web_url

EMBEDS, FIELDS, TOTAL = 10, 25, 6000
TITLE, DESCRIPTION, NAME, VALUE, FOOTER, AUTHOR = 256, 4096, 256, 1024, 2048, 256
COLORS = 0xFFFFFF
BLANK = "\u200b"  # what a field may hold in place of nothing

#: Escapes, `<…>` forms and masked links stay whole; the marks are closed again.
MARKUP = Markup(
    parts=re.compile(r"\\.|<[^<>\s]{1,200}>|\[[^\[\]\n]*\]\([^()\s]*\)|```|`|\*\*|__|~~|\|\||.", re.DOTALL),
    marks=frozenset({"```", "`", "**", "__", "~~", "||", "*", "_"}),
    fences=frozenset({"```", "`"}),
)


def fitted_embeds(embeds: list[Any]) -> list[JsonObject]:
    """At most ten embeds of 6,000 characters together; those in which nothing is left to see are left out."""
    room = CharacterBudget()
    fitted = (room.embed(one) for one in embeds if isinstance(one, Mapping))
    return [one for one in fitted if one is not None][:EMBEDS]


def weight(embed: Mapping[str, Any]) -> int:
    """What an embed takes of the characters that the embeds of a message share."""
    footer, author = embed.get("footer", {}), embed.get("author", {})
    texts = [embed.get("title"), embed.get("description"), footer.get("text"), author.get("name")]
    texts += [text for field in embed.get("fields", []) for text in (field["name"], field["value"])]
    return sum(utf16(text) for text in texts if text)


class CharacterBudget:
    """What is left of the characters that the embeds of a message share."""

    def __init__(self) -> None:
        self.left = TOTAL

    def embed(self, embed: Mapping[str, Any]) -> JsonObject | None:
        if self.left <= 0:
            return None
        seen = {
            "title": self.text(embed.get("title"), TITLE),
            "description": self.text(embed.get("description"), DESCRIPTION),
            "footer": self.part(embed.get("footer"), "text", FOOTER),
            "author": self.part(embed.get("author"), "name", AUTHOR),
            "image": _picture(embed.get("image")),
            "thumbnail": _picture(embed.get("thumbnail")),
            "fields": self.fields(embed.get("fields")),
        }
        beside = {
            "url": web_url(embed.get("url")),
            "color": _color(embed.get("color")),
            "timestamp": _timestamp(embed.get("timestamp")),
        }
        if not any(seen.values()):
            return None
        return {key: value for key, value in (seen | beside).items() if value is not None and value != []}

    def text(self, value: Any, limit: int) -> str | None:
        """The text, as far as it fits; None where there is nothing to see."""
        text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
        if not shows(text) or self.left <= 0:
            return None
        kept = clip(text, min(limit, self.left), MARKUP, utf16)
        self.left -= utf16(kept)
        return kept

    def part(self, value: Any, key: str, limit: int) -> JsonObject | None:
        """A footer or an author: a text, and addresses that go with it."""
        if not isinstance(value, Mapping) or (text := self.text(value.get(key), limit)) is None:
            return None
        urls = {name: web_url(value.get(name)) for name in ("url", "icon_url") if not (name == "url" and key == "text")}
        return {key: text} | {name: url for name, url in urls.items() if url is not None}

    def fields(self, value: Any) -> list[JsonObject]:
        """The first fields that fit; the last of them ends in an ellipsis if there were more."""
        fields = [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
        kept: list[JsonObject] = []
        for field in fields[:FIELDS]:
            if self.left < 2 * len(ELLIPSIS) + 2:
                break
            self.left -= 2  # for the ellipsis of the last one
            kept.append(self.field(field))
            self.left += 2
        if len(kept) < len(fields) and kept:
            last = kept[-1]
            value = (
                last["value"] if utf16(last["value"]) <= VALUE - 2 else clip(last["value"], VALUE - 2, MARKUP, utf16)
            )
            self.left -= utf16(value) + 2 - utf16(last["value"])
            last["value"] = f"{value}\n{ELLIPSIS}"
        return kept

    def field(self, field: Mapping[str, Any]) -> JsonObject:
        self.left -= 1  # for the value, should the name take the rest
        name = self.text(field.get("name"), NAME) or self.blank()
        self.left += 1
        value = self.text(field.get("value"), VALUE) or self.blank()
        return {"name": name, "value": value, "inline": field.get("inline") is True}

    def blank(self) -> str:
        self.left -= 1
        return BLANK


def _picture(value: Any) -> JsonObject | None:
    url = web_url(value.get("url")) if isinstance(value, Mapping) else None
    return {"url": url} if url is not None else None


def _color(value: Any) -> int | None:
    """A colour as a number; texts are decimal, or hexadecimal behind # or 0x."""
    if isinstance(value, str):
        try:
            value = int(re.sub(r"^(#|0[xX])", "", value.strip()), 16 if re.match(r"\s*(#|0[xX])", value) else 10)
        except ValueError:
            return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= COLORS else None


def _timestamp(value: Any) -> str | None:
    """ISO 8601 in UTC; None where it is no time."""
    moment = iso_moment(value) if isinstance(value, str) else None
    return iso(moment) if moment else None
