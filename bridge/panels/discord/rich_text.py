"""Slack's `rich_text` block in Discord's markdown.

Source   docs.slack.dev/reference/block-kit/blocks/rich-text-block
"""

from collections.abc import Mapping
from typing import Any

from bridge.foreign import text, whole

MARKS = {"code": "`", "bold": "**", "italic": "_", "strike": "~~"}
DEPTH = 5


def rich_text(block: Mapping[str, Any]) -> str:
    """Sections, lists, quotes and code, one below the other."""
    return "\n".join(filter(None, (_part(one) for one in _objects(block.get("elements")))))


def _part(part: Mapping[str, Any]) -> str:
    match part.get("type"):
        case "rich_text_list":
            indent = "  " * min(max(whole(part.get("indent")) or 0, 0), DEPTH)
            items = enumerate((_inline(one) for one in _objects(part.get("elements"))), 1)
            ordered = part.get("style") == "ordered"
            return "\n".join(f"{indent}{f'{number}.' if ordered else '-'} {item}" for number, item in items)
        case "rich_text_quote":
            return "\n".join(f"> {line}" for line in _inline(part).splitlines())
        case "rich_text_preformatted":
            return f"```\n{_inline(part, marked=False)}\n```"
        case _:
            return _inline(part)


def _inline(part: Mapping[str, Any], *, marked: bool = True) -> str:
    return "".join(_element(one, marked=marked) for one in _objects(part.get("elements"))).strip("\n")


def _element(element: Mapping[str, Any], *, marked: bool) -> str:
    match element.get("type"):
        case "text":
            said = element.get("text")
            words = said if isinstance(said, str) else ""
        case "link":
            url, label = text(element.get("url")) or "", text(element.get("text"))
            words = f"[{label}]({url})" if label and url and marked else label or url
        case "emoji":
            words = f":{text(element.get('name')) or '?'}:"
        case "user" | "usergroup" | "channel" | "broadcast" as kind:
            named = text(element.get("range")) or text(element.get(f"{kind}_id")) or kind
            words = f"{'#' if kind == 'channel' else '@'}{named}"
        case "date":
            words = text(element.get("fallback")) or ""
        case _:
            words = ""
    style = element.get("style")
    if not marked or not isinstance(style, Mapping) or not words.strip():
        return words
    inner = words.strip()
    for name, mark in MARKS.items():
        inner = f"{mark}{inner}{mark}" if style.get(name) is True else inner
    return words.replace(words.strip(), inner, 1)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
