"""Spans as safe HTML, and the few elements that a drawing of a message is made of.

Why no element but these: whatever a message says is a stranger's. Every text is escaped; a tag and an attribute is made
only if it stands in the lists below, which have none that loads, leads somewhere, styles or runs anything: a link shows
where it leads and leads nowhere, a picture is its address.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from markupsafe import Markup, escape

from bridge.markup.spans import Link, Span, SpanMark, TextStyle

TAGS = frozenset(
    {"a", "b", "blockquote", "code", "dd", "div", "dl", "dt", "hr", "i", "li", "path", "pre", "rect", "s", "span"}
    | {"svg", "time", "u", "ul"}
)
EMPTY = frozenset({"hr", "path", "rect"})
ATTRIBUTES = frozenset(
    {"aria-hidden", "class", "d", "datetime", "dir", "fill", "height", "preserveAspectRatio", "stroke"}
    | {"stroke-linecap", "stroke-width", "title", "viewBox", "width"}
)
STYLES: Mapping[TextStyle, tuple[str, str | None]] = {
    TextStyle.BOLD: ("b", None),
    TextStyle.ITALIC: ("i", None),
    TextStyle.UNDERLINE: ("u", None),
    TextStyle.STRIKE: ("s", None),
    TextStyle.CODE: ("code", None),
    TextStyle.CODE_BLOCK: ("pre", None),
    TextStyle.QUOTE: ("blockquote", None),
    TextStyle.HEADING: ("b", "heading"),
    TextStyle.SPOILER: ("span", "spoiler"),
    TextStyle.TAG: ("span", "tag"),
}
BLOCKS = frozenset({TextStyle.CODE_BLOCK, TextStyle.QUOTE})
INSTEAD = "�"
#: What would turn the writing round, or be nothing that a page can hold.
UNSHOWN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff\ufffe\uffff]")


def element(tag: str, *children: str, **attributes: str | None) -> Markup:
    """An element of the lists above; `class_` is its class, an attribute that is None is left out.

    Raise ValueError for another: that is our own mistake.
    """
    named = {_name(key): value for key, value in attributes.items() if value is not None}
    if tag not in TAGS or not ATTRIBUTES.issuperset(named):
        raise ValueError(f"no drawing has <{tag} {' '.join(named)}>")
    written = "".join(f' {name}="{text(value)}"' for name, value in named.items())
    if tag in EMPTY:
        return _ready(f"<{tag}{written}>" if tag == "hr" else f"<{tag}{written}/>")
    return _ready(f"<{tag}{written}>{''.join(map(text, children))}</{tag}>")


def text(value: str) -> Markup:
    """A text as a page shows it; what is HTML of ours already stays as it is."""
    return value if isinstance(value, Markup) else escape(UNSHOWN.sub(INSTEAD, value))


def painted(spans: Iterable[Span]) -> Markup:
    """The spans as HTML. Line breaks are kept as such: the page shows them; those beside a block it makes itself."""
    written: list[str] = []
    opened: list[SpanMark] = []
    for span in spans:
        shared = _shared(opened, span.marks)
        closed = [opened.pop() for _ in range(len(opened) - shared)]
        written += [f"</{_tag(mark)}>" for mark in closed]
        words = span.text
        if not BLOCKS.isdisjoint(closed):
            words = words.removeprefix("\n")
        if not BLOCKS.isdisjoint(span.marks[shared:]) and written:
            written[-1] = written[-1].removesuffix("\n")
        written += map(_opening, span.marks[shared:])
        opened += span.marks[shared:]
        written.append(text(words))
    return _ready("".join([*written, *(f"</{_tag(mark)}>" for mark in reversed(opened))]))


def moment(at: datetime, words: str) -> Markup:
    """A time, in words."""
    return element("time", words, datetime=at.isoformat(timespec="seconds"), class_="when")


def day_and_time(moment: datetime, now: datetime) -> str:
    """`Today at 06:14`, as chats say it; both in the zone that it is read in."""
    days = (now.date() - moment.date()).days
    day = {0: "Today at", 1: "Yesterday at"}.get(days, f"{moment:%Y-%m-%d}")
    return f"{day} {moment:%H:%M}"


def _ready(html: str) -> Markup:
    """What is HTML already: its tags are of the lists above, its texts were escaped."""
    return Markup(html)  # noqa: S704 the one place that says so


def _shared(opened: list[SpanMark], marks: tuple[SpanMark, ...]) -> int:
    count = 0
    for one, other in zip(opened, marks, strict=False):
        if one != other:
            break
        count += 1
    return count


def _opening(mark: SpanMark) -> str:
    if isinstance(mark, Link):
        return f'<a class="dead" title="{text(mark.url)}">'
    tag, name = STYLES[mark]
    return f'<{tag} class="{name}">' if name else f"<{tag}>"


def _tag(mark: SpanMark) -> str:
    return "a" if isinstance(mark, Link) else STYLES[mark][0]


def _name(key: str) -> str:
    return {"class_": "class", "view_box": "viewBox", "preserve_aspect_ratio": "preserveAspectRatio"}.get(
        key, key.replace("_", "-")
    )
