"""Slack's incoming webhooks, as Discord takes them under `/slack`: their body as a message of Discord's.

Source   docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, /messaging/formatting-message-text,
         /reference/block-kit/blocks, /legacy/legacy-messaging/legacy-secondary-message-attachments;
         discord.com/developers/docs/resources/webhook#execute-slackcompatible-webhook
Sends    {text, blocks, attachments, username, icon_url}, or a form with it in `payload`
Quirks   where there are blocks, Slack shows no `text`: that is for notifications
         a channel is named in vain, as at Discord; so is an emoji for a picture
         what is longer than Discord takes is kept whole, for other sinks show more of it
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.event import JsonObject, iso
from bridge.foreign import moment, present, text
from bridge.panels.discord.rich_text import rich_text
from bridge.posted import ACTION_ROW, BUTTON

LINK, ROW = 5, 5
COLORS = {"good": 0x2EB886, "warning": 0xDAA038, "danger": 0xA30200}

_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
_REFERENCE = re.compile(r"<([^<>|\n]+)(?:\|([^<>\n]*))?>")
_BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]*?\S)\*(?![\w*])")
_STRUCK = re.compile(r"(?<![\w~])~(?=\S)([^~\n]*?\S)~(?![\w~])")


def slack_message(body: Mapping[str, Any]) -> JsonObject:
    """The message; without content and embeds where there is nothing in it."""
    blocks = _objects(body.get("blocks"))
    said = "\n".join(_block_lines(blocks)) or markdown(body.get("text"))
    embeds = [one for attachment in _objects(body.get("attachments")) if (one := _embed(attachment))]
    pictures = [{"image": {"url": url}} for url in _pictures(blocks)]
    links = [*_links(blocks), *(link for one in _objects(body.get("attachments")) for link in _attached_links(one))]
    rows = [{"type": ACTION_ROW, "components": links[at : at + ROW]} for at in range(0, len(links), ROW)]
    return present(
        content=text(said),
        embeds=[*embeds, *pictures] or None,
        username=text(body.get("username")),
        avatar_url=text(body.get("icon_url")),
        components=rows or None,
    )


def markdown(value: Any) -> str:
    """Slack's markup as Discord's; what stands in code stays."""
    if not isinstance(value, str):
        return ""
    parts = _CODE.split(value)
    return "".join(_unescaped(one) if at % 2 else _unescaped(_marks(one)) for at, one in enumerate(parts)).strip()


def _marks(source: str) -> str:
    source = _STRUCK.sub(r"~~\1~~", _BOLD.sub(r"**\1**", source))
    return _REFERENCE.sub(lambda found: _link_or_mention(found[1], found[2]), source)


def _link_or_mention(target: str, label: str | None) -> str:
    """A link, or the name of whom or what is mentioned."""
    if target.startswith(("!", "@", "#")):
        shown = label or target[1:].partition("^")[0]
        sign = "#" if target.startswith("#") else "" if target.startswith("!date") else "@"
        return shown if shown.startswith(sign) else sign + shown
    if not label or label == target or not target.startswith(("http://", "https://")):
        return label or target
    return f"[{label.replace('[', '(').replace(']', ')')}]({target})"


def _unescaped(source: str) -> str:
    return source.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _text(value: Any) -> str:
    """A text object: plain, or with markup."""
    if not isinstance(value, Mapping):
        return markdown(value)
    return markdown(value.get("text")) if value.get("type") != "plain_text" else text(value.get("text")) or ""


def _block_lines(blocks: list[Mapping[str, Any]]) -> Iterator[str]:
    for block in blocks:
        lines = _lines(block)
        yield from (line for line in lines if line.strip())


def _lines(block: Mapping[str, Any]) -> list[str]:
    match block.get("type"):
        case "header":
            title = _text(block.get("text"))
            return [f"**{title}**"] if title else []
        case "section":
            return [_text(block.get("text")), *map(_text, _list(block.get("fields")))]
        case "context":
            return [" ".join(filter(None, (_text(one) for one in _objects(block.get("elements")) if "text" in one)))]
        case "markdown":
            return [text(block.get("text")) or ""]
        case "rich_text":
            return [rich_text(block)]
        case "image":
            return [_text(block.get("title"))]
        case "video":
            title, url = _text(block.get("title")), text(block.get("title_url")) or text(block.get("video_url"))
            return [f"[{title}]({url})" if title and url else title]
        case _:
            return []


def _pictures(blocks: list[Mapping[str, Any]]) -> Iterator[str]:
    for block in blocks:
        for one in (block, block.get("accessory")):
            if isinstance(one, Mapping) and one.get("type") == "image" and (url := text(one.get("image_url"))):
                yield url


def _links(blocks: list[Mapping[str, Any]]) -> Iterator[JsonObject]:
    for block in blocks:
        yield from _buttons([*_list(block.get("elements")), block.get("accessory")])


def _attached_links(attachment: Mapping[str, Any]) -> Iterator[JsonObject]:
    yield from _buttons(_list(attachment.get("actions")))
    yield from _links(_objects(attachment.get("blocks")))


def _buttons(elements: list[Any]) -> Iterator[JsonObject]:
    """Those that lead somewhere."""
    for one in elements:
        if isinstance(one, Mapping) and one.get("type") == "button" and (url := text(one.get("url"))):
            yield {"type": BUTTON, "style": LINK, "label": _text(one.get("text")) or url, "url": url}


def _embed(attachment: Mapping[str, Any]) -> JsonObject:
    blocks = _objects(attachment.get("blocks"))
    parts = [markdown(attachment.get("pretext")), markdown(attachment.get("text")), *_block_lines(blocks)]
    fields = [field for one in _objects(attachment.get("fields")) if (field := _field(one))]
    pictures = [text(attachment.get("image_url")), *_pictures(blocks)]
    shown = present(
        title=text(markdown(attachment.get("title"))),
        description=text("\n".join(filter(None, parts))),
        author=_named(attachment, "name", "author_name", url="author_link", icon_url="author_icon"),
        fields=fields or None,
        footer=_named(attachment, "text", "footer", icon_url="footer_icon"),
        image=_media(next(filter(None, pictures), None)),
        thumbnail=_media(text(attachment.get("thumb_url"))),
    )
    if not shown:
        shown = present(description=text(markdown(attachment.get("fallback"))))
    at = moment(attachment.get("ts"))
    beside = present(
        url=text(attachment.get("title_link")), color=_color(attachment.get("color")), timestamp=iso(at) if at else None
    )
    return shown | beside if shown else {}


def _field(field: Mapping[str, Any]) -> JsonObject | None:
    name, value = markdown(field.get("title")), markdown(field.get("value"))
    if not name and not value:
        return None
    return {"name": name or "\u200b", "value": value or "\u200b", "inline": field.get("short") is True}


def _named(attachment: Mapping[str, Any], key: str, name: str, **urls: str) -> JsonObject | None:
    """An author or a footer."""
    words = text(attachment.get(name))
    return {key: words} | present(**{to: text(attachment.get(one)) for to, one in urls.items()}) if words else None


def _media(url: str | None) -> JsonObject | None:
    return {"url": url} if url else None


def _color(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    digits = re.fullmatch(r"#?([0-9A-Fa-f]{6})", value.strip())
    return int(digits[1], 16) if digits else COLORS.get(value.strip().lower())


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in _list(value) if isinstance(one, Mapping)]
