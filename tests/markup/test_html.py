"""What is drawn is made of a closed list of elements, and of texts that are nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.markup.html import INSTEAD, day_and_time, element, painted, text
from bridge.markup.spans import Link, Span, SpanMark, TextStyle, with_addresses, words
from tests.admin.drawings import Drawing
from tests.messages.hostile import HOSTILE

NOW = datetime(2026, 11, 21, 6, 14, tzinfo=UTC)

marks = st.lists(st.sampled_from([*TextStyle]) | st.sampled_from(HOSTILE).map(Link), max_size=4, unique=True).map(tuple)
spans = st.lists(st.builds(Span, st.sampled_from(HOSTILE) | st.text(max_size=20), marks), max_size=6)


@pytest.mark.parametrize(
    ("tag", "attributes"),
    [
        ("script", {}),
        ("img", {}),
        ("a", {"href": "https://x.example"}),
        ("rect", {"style": "fill:red"}),
        ("div", {"onclick": "1"}),
        ("div", {"src": "x"}),
        ("DIV", {}),
    ],
)
def test_no_other_element_is_made(tag: str, attributes: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="no drawing has"):
        element(tag, "x", **attributes)


def test_an_elements_texts_and_attributes_are_escaped() -> None:
    made = element("div", '<b a="1">', element("b", "&"), class_="x", title='">', dir=None)
    assert made == '<div class="x" title="&#34;&gt;">&lt;b a=&#34;1&#34;&gt;<b>&amp;</b></div>'


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x7f", "\x9f", "\u202e", "\u202a", "\ud800", "\ufffe"])
def test_what_a_page_cannot_hold_or_what_turns_the_writing_round_is_shown_as_a_sign(sign: str) -> None:
    assert text(f"a{sign}b") == f"a{INSTEAD}b"
    text(f"a{sign}b").encode()


def test_what_keeps_directions_apart_stays() -> None:
    assert text("\u2068alice\u2069\n\t") == "\u2068alice\u2069\n\t"


@given(spans=spans)
def test_spans_are_painted_whole_and_well_formed(spans: list[Span]) -> None:
    drawing = Drawing(painted(spans))
    shown = str(text(words(spans)))
    assert "".join(drawing.words.split()) == "".join(Drawing(shown).words.split())


@pytest.mark.parametrize(
    ("spans", "html"),
    [
        ([Span("a", (TextStyle.BOLD,)), Span("b", (TextStyle.BOLD, TextStyle.ITALIC))], "<b>a<i>b</i></b>"),
        ([Span("a", (TextStyle.ITALIC, TextStyle.BOLD)), Span("b", (TextStyle.BOLD,))], "<i><b>a</b></i><b>b</b>"),
        ([Span("x", (Link("https://a.b/"),))], '<a class="dead" title="https://a.b/">x</a>'),
        (
            [Span("x", (TextStyle.SPOILER,)), Span("y", (TextStyle.TAG,))],
            '<span class="spoiler">x</span><span class="tag">y</span>',
        ),
        ([Span("a\n"), Span("q", (TextStyle.QUOTE,)), Span("\nb")], "a<blockquote>q</blockquote>b"),
        ([Span("a\n\n"), Span("c", (TextStyle.CODE_BLOCK,)), Span("\n\nb")], "a\n<pre>c</pre>\nb"),
        ([], ""),
    ],
)
def test_marks_are_opened_and_closed_as_they_change(spans: list[Span], html: str) -> None:
    assert painted(spans) == html


@pytest.mark.parametrize("style", TextStyle)
def test_every_style_is_painted(style: TextStyle) -> None:
    assert Drawing(painted([Span("x", (style,))])).words == "x"
    assert painted([Span("x", (style,))]) != "x"


@pytest.mark.parametrize(
    ("source", "links"),
    [
        ("see https://a.example/x_y.", ["https://a.example/x_y"]),
        ("(http://a.example) and https://b.example/?q=1&r", ["http://a.example", "https://b.example/?q=1&r"]),
        ("https:// nothing, ftp://a.example", []),
    ],
)
def test_bare_addresses_are_found(source: str, links: list[str]) -> None:
    found = list(with_addresses(source))
    assert words(found) == source
    assert [mark.url for span in found for mark in span.marks if isinstance(mark, Link)] == links


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(), "Today at 06:14"),
        (timedelta(hours=7), "Yesterday at 23:14"),
        (timedelta(days=9), "2026-11-12 06:14"),
    ],
)
def test_a_time_is_said_as_chats_say_it(ago: timedelta, said: str) -> None:
    assert day_and_time(NOW - ago, NOW) == said


def test_a_mark_is_a_style_or_a_link() -> None:
    assert SpanMark == TextStyle | Link
