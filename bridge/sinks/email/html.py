"""The letter's HTML: cards on a page, light or dark, from either side; nothing in it loads, runs or leads astray.

Why inline styles beside a sheet: several mail programs drop the sheet, which only says what is dark, and what a phone
wants. Why tables: Outlook lays out nothing else.

Source   caniemail.com: css-at-media-prefers-color-scheme, html-style; litmus.com on `color-scheme` and `data-ogsc`
Limits   102,400 bytes: Gmail shows the beginning of what is longer; the sink's own limit stands in message.py
"""

from collections.abc import Iterable, Sequence
from html import escape

from bridge.markup.html import BLOCKS, INSTEAD, UNSHOWN
from bridge.markup.spans import Link, Span, SpanMark, TextStyle
from bridge.value import Value

FONT = "-apple-system,'Segoe UI',Roboto,Vazirmatn,'Noto Sans','Noto Sans Arabic',Tahoma,Arial,sans-serif"
MONOSPACE = "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace"

_TAGS: dict[TextStyle, tuple[str, str]] = {
    TextStyle.BOLD: ("b", ""),
    TextStyle.ITALIC: ("i", ""),
    TextStyle.UNDERLINE: ("u", ""),
    TextStyle.STRIKE: ("s", ""),
    TextStyle.CODE: (
        "code",
        f"padding:1px 5px;border-radius:5px;background:#eef1f5;font-family:{MONOSPACE};font-size:.92em",
    ),
    TextStyle.CODE_BLOCK: (
        "pre",
        f"margin:6px 0;padding:10px 12px;border-radius:8px;background:#eef1f5;font:13px/1.5 {MONOSPACE};"
        "white-space:pre-wrap;word-break:break-word;direction:ltr;text-align:left",
    ),
    TextStyle.QUOTE: ("blockquote", "margin:4px 0;padding:0 12px;border-inline-start:3px solid #ccd3db;color:#57606c"),
}
_LINK = "color:#0b5cad;text-decoration:underline"
#: What is dark: selectors and their look.
_DARK = {
    (".page",): "background:#14171b!important",
    (".card",): "background:#1e2329!important;border-color:#313841!important",
    (".heading", ".text", ".value", ".rest"): "color:#eceff3!important",
    (".label", ".footer", ".remarks"): "color:#a3adb8!important",
    (".line",): "border-color:#313841!important",
    ("code", "pre"): "background:#2b323a!important;color:#eceff3!important",
    ("blockquote",): "border-color:#4a535e!important;color:#c3cbd4!important",
    ("a",): "color:#7db8f5!important",
}


def _rules(above: str = "") -> str:
    return "".join(f"{','.join(above + one for one in names)}{{{look}}}" for names, look in _DARK.items())


_SHEET = (
    ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    f"@media (prefers-color-scheme:dark){{{_rules()}}}"
    f"{_rules('[data-ogsc] ')}"  # Outlook in a browser marks what it has made dark itself
    "@media (max-width:480px){.out{padding:10px 6px!important}.in{padding-left:16px!important;"
    "padding-right:16px!important}}"
)
_HIDDEN = "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;font-size:1px;line-height:1px;color:#eef0f3"

Spans = Sequence[Span]


class CardFact(Value):
    """A label and its value; `wide`: it has lines of its own."""

    label: Spans
    value: Spans
    wide: bool = False


class Card(Value, kw_only=True):
    """One thing that is told. What is empty is left out; `color` is 0xRRGGBB."""

    color: int
    remarks: Spans = ()
    heading: Spans = ()
    text: Spans = ()
    facts: Sequence[CardFact] = ()
    rest: Spans = ()
    footer: Spans = ()


class TextLanguage(Value):
    """What it is written in: its code, and the side that its lines begin at."""

    code: str = "en"
    direction: str = "ltr"

    @property
    def start(self) -> str:
        return "right" if self.direction == "rtl" else "left"


def page(cards: Sequence[Card], language: TextLanguage, *, title: str, opening: str) -> str:
    """The whole letter; `opening` is what a list of letters shows beside the title, and nobody sees in the letter."""
    rows = "".join(f'<tr><td style="padding:0 0 14px">{card_html(card, language)}</td></tr>\n' for card in cards)
    return (
        f'<!DOCTYPE html>\n<html lang="{language.code}" dir="{language.direction}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="supported-color-schemes" content="light dark">\n'
        '<meta name="format-detection" content="telephone=no,date=no,address=no,email=no,url=no">\n'
        f"<title>{shown(title)}</title>\n<style>{_SHEET}</style>\n</head>\n"
        '<body class="page" style="margin:0;padding:0;background:#eef0f3">\n'
        f'<div style="{_HIDDEN}">{shown(opening)}</div>\n'
        f"{_table('page', 'width:100%;background:#eef0f3')}<tr>"
        '<td class="out" align="center" style="padding:28px 14px 14px">\n'
        f"{_table('', 'width:100%;max-width:600px')}\n{rows}</table>\n</td></tr></table>\n</body>\n</html>\n"
    )


def card_html(card: Card, language: TextLanguage) -> str:
    """The card alone."""
    bar = f"height:5px;line-height:5px;font-size:0;background:#{card.color:06x};border-radius:13px 13px 0 0"
    rows = [
        f'<tr><td style="{bar}">&nbsp;</td></tr>',
        _row("remarks", card.remarks, "padding-top:14px;color:#6b7480;font-size:13px;line-height:1.5", language),
        _row(
            "heading",
            card.heading,
            "padding-top:16px;color:#14181d;font-size:20px;line-height:1.35;font-weight:600",
            language,
        ),
        _row("text", card.text, "padding-top:8px;color:#272d34;font-size:16px;line-height:1.6", language),
        _facts(card.facts, language),
        _row("rest", card.rest, "padding-top:12px;color:#272d34;font-size:15px;line-height:1.6", language),
        _footer(card.footer, language),
    ]
    style = "width:100%;background:#ffffff;border:1px solid #dfe3e8;border-radius:14px"
    end = '<tr><td style="height:18px;line-height:18px;font-size:0">&nbsp;</td></tr>'
    return f"{_table('card', style)}\n" + "\n".join(filter(None, rows)) + f"\n{end}\n</table>"


def shown(text: str) -> str:
    """`text` as a page shows it."""
    return escape(UNSHOWN.sub(INSTEAD, text))


def painted(spans: Iterable[Span]) -> str:
    """The spans as a letter's HTML; a line break is one that every mail program shows."""
    return "".join(_merged(list(spans)))


def _merged(spans: Spans) -> Iterable[str]:
    after_block = False
    for at, span in enumerate(spans):
        block = not BLOCKS.isdisjoint(span.marks)
        before_block = at + 1 < len(spans) and not BLOCKS.isdisjoint(spans[at + 1].marks)
        text = span.text
        if not block:
            text = text.removeprefix("\n") if after_block else text
            text = text.removesuffix("\n") if before_block else text
        html = shown(text)
        yield _within(span.marks, html if TextStyle.CODE_BLOCK in span.marks else html.replace("\n", "<br>\n"))
        after_block = block


def _within(marks: Sequence[SpanMark], html: str) -> str:
    for mark in reversed(marks):
        if isinstance(mark, Link):
            html = f'<a href="{shown(mark.url)}" style="{_LINK}">{html}</a>'
        elif mark in _TAGS:
            tag, style = _TAGS[mark]
            html = f'<{tag} style="{style}">{html}</{tag}>' if style else f"<{tag}>{html}</{tag}>"
    return html


def _row(kind: str, spans: Spans, style: str, language: TextLanguage) -> str:
    return f"<tr>{_cell(f'in {kind}', spans, f'padding:0 24px;{style}', language)}</tr>" if spans else ""


def _facts(facts: Sequence[CardFact], language: TextLanguage) -> str:
    if not facts:
        return ""
    rows = "\n".join(_fact(fact, language) for fact in facts)
    return f'<tr><td class="in" style="padding:14px 24px 0">{_table("", "width:100%")}\n{rows}\n</table></td></tr>'


def _fact(fact: CardFact, language: TextLanguage) -> str:
    line = "padding:8px 0;border-top:1px solid #e8ebef;font-size:15px;line-height:1.5;vertical-align:top"
    label, value = f"{line};color:#6b7480", f"{line};color:#14181d"
    if not fact.wide:
        beside = f"{label};width:36%;padding-{_end(language)}:14px"
        return (
            f"<tr>{_cell('line label', fact.label, beside, language)}"
            f"{_cell('line value', fact.value, value, language)}</tr>"
        )
    above = _cell("line label", fact.label, f"{label};padding-bottom:0", language, columns=2)
    below = _cell("value", fact.value, "padding:2px 0 8px;color:#14181d;font-size:15px;line-height:1.5", language, 2)
    return f"<tr>{above}</tr><tr>{below}</tr>"


def _footer(spans: Spans, language: TextLanguage) -> str:
    style = "padding-top:16px;color:#6b7480;font-size:12px;line-height:1.5"
    return _row("footer", spans, style, language)


def _cell(kind: str, spans: Spans, style: str, language: TextLanguage, columns: int = 1) -> str:
    across = f' colspan="{columns}"' if columns > 1 else ""
    written = f"font-family:{FONT};text-align:{language.start};word-break:break-word;{style}"
    return f'<td class="{kind}"{across} style="{written}">{painted(spans)}</td>'


def _table(kind: str, style: str) -> str:
    named = f' class="{kind}"' if kind else ""
    return (
        f'<table role="presentation" cellpadding="0" cellspacing="0" border="0" width="100%"{named} '
        f'style="border-collapse:separate;{style}">'
    )


def _end(language: TextLanguage) -> str:
    return "left" if language.direction == "rtl" else "right"
