"""Text for Slack: what is escaped for its mrkdwn, and Discord's markdown written in it.

Source   docs.slack.dev/messaging/formatting-message-text: & < > as entities, and no other escape at all
Quirks   a mark inside a word formats nothing, so `example_user` stays as it is
         nothing is formatted across a line break: marks are repeated; and no part of a word is: they are parted
         `:name:` is an emoji; colons in an IPv6 address, a MAC address or a time make none
         it has neither underlined text nor spoilers
"""

import re
from typing import Any, ClassVar, Self

from bridge.markup.markdown import Tags, When
from bridge.markup.parted import SEAM, PartedWriter
from bridge.markup.text import SPACE, Text, clean, web_address


class SlackText(Text):
    __slots__ = ()

    _entities = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
    _marks = re.compile(r"[*_~]+|`+|^>")
    _ping = re.compile(r"@(?=channel\b|here\b|everyone\b|$)", re.IGNORECASE)

    _emoji = re.compile(r":(?=[a-z0-9_+'-]+:)(?:(?<![0-9a-fA-F:]:)|(?=[a-z0-9_+'-]*[g-z_+'-]))")

    @classmethod
    def neutral(cls, text: str) -> str:
        text = cls._marks.sub(cls._apart, cls._emoji.sub(":" + SPACE, text))
        if "@" in text:
            text = cls._ping.sub("@" + SPACE, text)
        return text.translate(cls._entities)

    @classmethod
    def _apart(cls, found: re.Match[str]) -> str:
        """The marks with nothing to hold on to; those inside a word hold on to nothing as it is."""
        start, end = found.span()
        before, after = found.string[max(0, start - 1) : start], found.string[end : end + 1]
        if before.isalnum() and after.isalnum() and found[0][0] != "`":
            return found[0]
        return SPACE + SPACE.join(found[0]) + SPACE

    @classmethod
    def fixed(cls, value: str) -> Self:
        return cls(cls._ping.sub("@" + SPACE, clean(value).replace("`", "ˋ")).translate(cls._entities))

    @classmethod
    def bold(cls, value: Any) -> Self:
        text = cls.escape(value).strip()
        return cls(f"*{text}*" if text else "")

    @classmethod
    def link(cls, label: Any, url: object) -> Self:
        if (address := web_address(url)) is None:
            return cls.escape(label)
        target, text = address.translate(cls._entities), cls.escape(label)
        return cls(f"<{target}|{text}>" if text else f"<{target}>")


class _SlackMarkdown(SlackText):
    """Words of Discord's markdown: there too `:name:` is an emoji, and stays one."""

    __slots__ = ()

    _emoji = re.compile(r"(?!)")


class SlackWriter(PartedWriter):
    tags: ClassVar[Tags] = {
        "strong": (f"{SEAM}*", f"*{SEAM}"),
        "em": (f"{SEAM}_", f"_{SEAM}"),
        "s": (f"{SEAM}~", f"~{SEAM}"),
    }

    def __init__(self, text: type[Text], when: When) -> None:
        super().__init__(_SlackMarkdown, when)

    def code(self, content: str) -> str:
        return f"{SEAM}{super().code(content)}{SEAM}"
