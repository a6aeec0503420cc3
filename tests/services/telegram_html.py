"""Telegram's HTML as its server reads it.

Source   github.com/tdlib/td, td/telegram/MessageEntity.cpp
"""

import re

TAGS = {
    *("b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "tg-spoiler", "span", "a", "code", "pre"),
    *("blockquote", "tg-emoji", "tg-time"),
}
_PART = re.compile(
    r"<(?P<close>/?)(?P<tag>[a-zA-Z0-9-]+)(?P<rest>[^<>]*)>|<|&(?P<name>lt|gt|amp|quot);|&#(?P<code>\d+);|.", re.S
)
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


class Unparsable(Exception):
    """What the server says of entities that it cannot parse."""


def parsed_html(text: str) -> tuple[str, int]:
    """The text without markup, and how many entities it had; raise Unparsable as the server does."""
    shown: list[str] = []
    opened: list[str] = []
    entities = 0
    for match in _PART.finditer(text):
        tag = (match["tag"] or "").lower()
        if match[0] == "<":
            raise Unparsable(f"Unclosed start tag at byte offset {match.start()}")
        if not tag:
            shown.append(_NAMED.get(match["name"] or "") or (chr(int(match["code"])) if match["code"] else match[0]))
        elif match["close"]:
            if not opened or opened.pop() != tag:
                raise Unparsable(f"Unmatched end tag at byte offset {match.start()}")
        elif tag not in TAGS:
            raise Unparsable(f'Unsupported start tag "{tag}" at byte offset {match.start()}')
        else:
            opened.append(tag)
            entities += 1
    if opened:
        raise Unparsable(f'Can\'t find end tag corresponding to start tag "{opened[-1]}"')
    return "".join(shown), entities
