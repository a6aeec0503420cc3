"""What a Slack message shows, block by block: whole paragraphs and lines, and of a digest whole parts.

Source   docs.slack.dev/reference/block-kit/blocks; the limits stand in sinks/slack/sink.py
"""

import re
from collections.abc import Iterator
from typing import Literal

from bridge.markup.text import SPACE
from bridge.message import Digest, Message
from bridge.sinks.digest import counts_by_type, told_and_rest
from bridge.sinks.slack.service import SLACK
from bridge.sinks.text import Markup, clip, parted, shows, utf16

TEXT, SECTION, TOTAL, BLOCKS = 4000, 3000, 9500, 50  # characters, in UTF-16 units, and blocks
DIGEST_PARTS = 10
REST = 500  # characters that what is left out of a digest may take
SEAMS = 50  # characters that marks may take which are closed at a section's end, and opened again

#: Links, mentions and entities stay whole, which are shorter than a section; the marks are closed again.
MARKUP = Markup(
    parts=re.compile(
        rf"<[^<>|\n]{{1,2100}}(?:\|[^<>\n]{{0,400}})?>|&(?:amp|lt|gt);|```|{SPACE}[*_~`](?={SPACE})|.", re.DOTALL
    ),
    marks=frozenset({"```", "`", "*", "_", "~"}),
    fences=frozenset({"```", "`"}),
)

#: The kind of a block and its text; a divider has none.
Block = tuple[Literal["section", "context", "divider"], str]


def text_of(message: Message) -> str:
    """What the blocks say; the event's type where they say nothing."""
    text = message["text"].strip()
    return text if shows(text) else message.event.type


def remarks_of(message: Message | Digest) -> str:
    """What is to be known beside what is said, empty for most."""
    return clip(message["remarks"].strip(), SECTION, MARKUP, utf16) if shows(message["remarks"]) else ""


def message_blocks(message: Message) -> Iterator[Block]:
    """The remarks, whole, and as much of the text as is left room for."""
    remarks = remarks_of(message)
    yield from _context(remarks)
    yield from _sections(clip(text_of(message), TOTAL - utf16(remarks) - SEAMS, MARKUP, utf16))


def summary_of(digest: Digest) -> str:
    """What a digest says before its parts."""
    text = digest["text"].strip()
    room = TOTAL - REST - utf16(remarks_of(digest))
    return clip(text if shows(text) else counts_by_type(digest), room, MARKUP, utf16)


def digest_blocks(digest: Digest) -> list[Block]:
    """Remarks and summary, and below them the first parts, as many as fit whole, and the names of the others."""
    summary = [*_context(remarks_of(digest)), *_sections(summary_of(digest))]
    parts = [_part(part) for part in digest.parts]

    def shown(count: int, rest: str) -> list[Block]:
        return [*summary, *(block for part in parts[:count] for block in part), *_rest(rest)]

    def fits(count: int, rest: str) -> bool:
        blocks = shown(count, rest)
        return len(blocks) <= BLOCKS and utf16(rest) <= SECTION and sum(utf16(text) for _, text in blocks) <= TOTAL

    count, rest = told_and_rest(
        digest, SLACK, range(1, len(parts) + 1), fits=fits, share=lambda rest: utf16(rest) <= SECTION
    )
    return shown(count, rest) if fits(count, rest) else summary


def _part(message: Message) -> list[Block]:
    return [("divider", ""), *_context(remarks_of(message)), *_sections(text_of(message))]


def _context(text: str) -> Iterator[Block]:
    if text:
        yield "context", text


def _rest(text: str) -> Iterator[Block]:
    """What is said of the events that no part tells; whole, or it has no room."""
    if shows(text):
        yield "divider", ""
        yield "context", text


def _sections(text: str) -> Iterator[Block]:
    """The text, all of it: whole paragraphs, lines or words."""
    yield from (("section", part) for part in parted(text, SECTION, MARKUP, utf16) if shows(part))
