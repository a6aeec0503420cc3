"""What a letter says: cards made of a template's blocks, and the same in plain text; of a digest whole parts.

Limits   ours: 16,000 characters of text and 96,000 bytes of HTML, for Gmail shows the beginning of what has 102 kB
"""

import re
from collections.abc import Iterator, Sequence

from bridge.event import JsonObject
from bridge.markup.spans import Link, Span, TextStyle, words
from bridge.message import RECORD, UNIT, Digest, Message
from bridge.sinks.digest import counts_by_type, told_and_rest
from bridge.sinks.email.html import Card, CardFact, Spans, TextLanguage, card_html, page
from bridge.sinks.email.reading import reading
from bridge.sinks.email.service import EMAIL
from bridge.sinks.text import ELLIPSIS, clip, one_line, shows
from bridge.value import replace

SUBJECT, OPENING, HEADING, TEXT = 200, 120, 500, 16_000  # characters
FACTS, LABEL, VALUE, FOOTER, REMARKS = 60, 200, 2000, 500, 2000
PAGE = 96_000  # bytes
DIGEST_PARTS = 20
BLUE, GREY, COLORS = 0x3498DB, 0xC5CCD4, 0xFFFFFF


def message_content(message: Message) -> JsonObject:
    """`subject`, `text` and `html` of a letter that tells of one event."""
    language, card = _language(message), _event_card(message)
    subject = _subject(message, card, message.event.type)
    return _content(subject, [_fitted(card, language)], language)


def digest_content(digest: Digest) -> JsonObject:
    """The same of a digest: the summary, below it the first parts, as many as fit whole, and the others' names."""
    language = _language(digest)
    summary = _summary_card(digest)
    parts = [replace(_event_card(part), footer=()) for part in digest.parts]
    lengths = [len(card_text(card)) + 2 for card in (summary, *parts)]
    sizes = [_size(card, language) for card in (summary, *parts)]

    def fits(count: int, rest: str) -> bool:
        others = Card(color=GREY, rest=reading(rest))
        return (
            sum(lengths[: count + 1], len(card_text(others))) <= TEXT
            and sum(sizes[: count + 1], _size(others, language)) <= PAGE
        )

    count, rest = told_and_rest(
        digest, EMAIL, range(1, len(parts) + 1), fits=fits, share=lambda rest: len(rest) <= TEXT // 3
    )
    cards = [summary, *parts[:count]]
    if shows(rest) and fits(count, rest):
        others = reading(rest)
        cards = [*cards, Card(color=GREY, rest=others)] if count else [replace(summary, rest=others)]
    return _content(_subject(digest, summary, counts_by_type(digest)), cards, language)


def card_text(card: Card) -> str:
    """A card as plain text: its facts a line each."""
    lines = [f"{plain(fact.label)}: {plain(fact.value)}" for fact in card.facts]
    above = "\n".join(filter(shows, (plain(card.remarks), plain(card.heading), plain(card.text))))
    return "\n\n".join(filter(shows, (above, "\n".join(lines), plain(card.rest), plain(card.footer))))


def plain(spans: Spans) -> str:
    """The words, with the address behind what leads somewhere, and a sign before what was quoted."""
    return "".join(_plain_pieces(spans)).strip("\n")


def color_of(block: str) -> int:
    """The colour that a block names by a decimal number; a blue where it names none."""
    text = block.strip()
    return int(text) if text.isascii() and text.isdecimal() and int(text[:8]) == int(text) <= COLORS else BLUE


def _plain_pieces(spans: Spans) -> Iterator[str]:
    for at, span in enumerate(spans):
        text = "\n".join(f"> {line}" for line in span.text.split("\n")) if TextStyle.QUOTE in span.marks else span.text
        url = next((mark.url for mark in span.marks if isinstance(mark, Link)), None)
        following = spans[at + 1].marks if at + 1 < len(spans) else ()
        ends = url is not None and Link(url) not in following and url.rstrip("/") != span.text.rstrip("/")
        yield f"{text} ({url})" if ends else text


def _content(subject: str, cards: Sequence[Card], language: TextLanguage) -> JsonObject:
    text = "\n\n".join(filter(shows, map(card_text, cards)))
    html = page(cards, language, title=subject, opening=clip(_opening(cards[0]), OPENING))
    return {"subject": subject, "text": text, "html": html}


def _event_card(message: Message) -> Card:
    facts = tuple(_facts(message["fields"]))
    heading = _read(message["heading"], HEADING)
    text = _read(message["text"], TEXT)
    if not (text or facts or heading):
        text = [Span(message.event.type)]
    return Card(
        color=color_of(message["color"]),
        remarks=_read(message["remarks"], REMARKS),
        heading=heading,
        text=text,
        facts=facts,
        footer=_read(message["footer"], FOOTER),
    )


def _summary_card(digest: Digest) -> Card:
    text = _read(digest["text"], TEXT // 2)
    return Card(
        color=color_of(digest["color"]),
        remarks=_read(digest["remarks"], REMARKS),
        heading=_read(digest["heading"], HEADING),
        text=text or [Span(counts_by_type(digest))],
    )


def _fitted(card: Card, language: TextLanguage) -> Card:
    """The card with as much of its text and its last facts as there is room for."""
    while card.facts and (len(card_text(card)) > TEXT or _size(card, language) > PAGE):
        card = replace(card, facts=card.facts[:-1])
    room = TEXT - len(card_text(replace(card, text=())))
    while len(card_text(card)) > TEXT or _size(card, language) > PAGE:
        card = replace(card, text=clipped(card.text, room))
        room = room * 3 // 4
    return card


def clipped(spans: Spans, limit: int) -> Spans:
    """The spans in at most `limit` characters: whole ones, and of the last one whole lines or words."""
    kept: list[Span] = []
    left = limit
    for span in spans:
        if len(span.text) > left:
            cut = clip(span.text, left) if left > 1 else ELLIPSIS
            return [*kept, replace(span, text=cut)]
        kept.append(span)
        left -= len(span.text)
    return kept


def _read(block: str, limit: int) -> Spans:
    """What a block says, without what stands around it; nothing where there is nothing to see."""
    spans = reading(block.strip())
    return clipped(spans, limit) if shows(words(spans)) else ()


def _facts(block: str) -> Iterator[CardFact]:
    records = [record.split(UNIT) for record in block.split(RECORD)]
    for label, value, *how in [one for one in records if len(one) >= 2][:FACTS]:
        if shown := _read(value, VALUE):
            yield CardFact(_read(label, LABEL), shown, wide="inline" not in how)


def _subject(said: Message | Digest, card: Card, otherwise: str) -> str:
    """One line: the block, else the heading, else the first sentence that there is."""
    line = _sentence(words(card.text).strip().partition("\n")[0])
    texts = (words(reading(said["subject"])), words(card.heading), line, otherwise)
    return clip(next(filter(shows, map(one_line, texts)), otherwise), SUBJECT)


def _sentence(line: str) -> str:
    """The first one; a stop within what is set apart, a name of somebody's device, ends none."""
    found = re.match(r"(?:\u2068[^\u2069]*\u2069|.)*?[.!?؟](?=\s|$)", line)
    return found[0] if found else line


def _opening(card: Card) -> str:
    """What stands beside the subject in a list of letters: what the subject does not say."""
    facts = " · ".join(f"{words(fact.label)}: {words(fact.value)}" for fact in card.facts)
    return one_line(" · ".join(filter(shows, (words(card.remarks), words(card.text), facts))))


def _language(said: Message | Digest) -> TextLanguage:
    code = said["language"].strip()
    return TextLanguage(
        code if re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", code) else "en",
        "rtl" if said["direction"].strip() == "rtl" else "ltr",
    )


def _size(card: Card, language: TextLanguage) -> int:
    return len(card_html(card, language).encode("utf-8", "replace"))
