"""How a letter looks in a mail program: who writes to whom, the subject, and the cards of its HTML."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from markupsafe import Markup

from bridge.event import JsonObject
from bridge.markup.drawing import AVATAR, Drawn, Measure
from bridge.markup.html import day_and_time, element, moment, painted
from bridge.sinks.email.message import PAGE, SUBJECT, TEXT
from bridge.sinks.email.reading import Piece, pieces


def drawn(body: JsonObject, at: datetime) -> Drawn:
    """The letter, opened."""
    html = str(body.get("html", ""))
    direction = "rtl" if '<html lang="' in html and ' dir="rtl">' in html[:200] else "ltr"
    cards = [_card(list(group)) for _, group in groupby(pieces(html), key=lambda piece: piece.card)]
    letter = element("div", *_head(body, at), *cards, class_="message", dir=direction)
    measures = (
        Measure("subject", len(str(body.get("subject", ""))), SUBJECT),
        Measure("characters", len(str(body.get("text", ""))), TEXT),
        Measure("bytes", len(html.encode("utf-8", "replace")), PAGE),
    )
    return Drawn(element("div", AVATAR, letter, class_="drawn email"), measures)


def _head(body: JsonObject, at: datetime) -> Iterator[Markup]:
    yield element("div", str(body.get("subject", "")), class_="title")
    sender, to = str(body.get("from", "")), str(body.get("to", ""))
    who = [element("b", sender, dir="ltr"), moment(at, day_and_time(at, at))]
    yield element("div", *who, element("span", f"→ {to}", class_="where", dir="ltr"), class_="who")


def _card(found: list[Piece]) -> Markup:
    return element("div", *_parts(found), class_="sheet")


def _parts(found: list[Piece]) -> Iterator[Markup]:
    facts: list[Markup] = []
    for piece in found:
        text = painted(piece.spans)
        if piece.kind in ("label", "value"):
            facts.append(element("dt" if piece.kind == "label" else "dd", text))
            continue
        if facts:
            yield element("dl", *facts)
            facts = []
        yield element("div", text, class_=piece.kind)
    if facts:
        yield element("dl", *facts)
