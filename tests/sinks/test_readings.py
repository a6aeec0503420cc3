"""A service's markup as people see it: words, and what each of them looks like."""

import importlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.markup.spans import Link, Span, SpanMark, TextStyle, words
from bridge.sinks import SERVICES
from bridge.sinks.discord.reading import line_reading
from tests.messages.hostile import HOSTILE

BOLD, ITALIC, CODE, QUOTE, TAG = (
    (TextStyle.BOLD,),
    (TextStyle.ITALIC,),
    (TextStyle.CODE,),
    (TextStyle.QUOTE,),
    (TextStyle.TAG,),
)
BLOCK = (TextStyle.CODE_BLOCK,)


def reading(service: str, markup: str) -> list[tuple[str, tuple[SpanMark, ...]]]:
    """What is seen, with what looks alike in one piece."""
    found: list[tuple[str, tuple[SpanMark, ...]]] = []
    for span in importlib.import_module(f"bridge.sinks.{service}.reading").reading(markup):
        if found and found[-1][1] == span.marks:
            found[-1] = (found[-1][0] + span.text, span.marks)
        else:
            found.append((span.text, span.marks))
    return found


@pytest.mark.parametrize(
    ("markup", "seen"),
    [
        ("a **b** *c* `d`", [("a ", ()), ("b", BOLD), (" ", ()), ("c", ITALIC), (" ", ()), ("d", CODE)]),
        (r"\*a\* \\", [(r"*a* \ ".strip(), ())]),
        ("**a *b***", [("a ", BOLD), ("b", (TextStyle.BOLD, TextStyle.ITALIC))]),
        (
            "__u__ ~~s~~ ||x||",
            [
                ("u", (TextStyle.UNDERLINE,)),
                (" ", ()),
                ("s", (TextStyle.STRIKE,)),
                (" ", ()),
                ("x", (TextStyle.SPOILER,)),
            ],
        ),
        ("[a](https://x.example/)", [("a", (Link("https://x.example/"),))]),
        ("https://x.example/a_b_", [("https://x.example/a_b", (Link("https://x.example/a_b"),)), ("_", ())]),
        ("[a](javascript:1)", [("[a](javascript:1)", ())]),
        ("[https://a.example](https://b.example)", [("[https://a.example](https://b.example)", ())]),
        ("# Head\ntext", [("Head", (TextStyle.HEADING,)), ("\ntext", ())]),
        ("> a\n> b\nc", [("a\nb", QUOTE), ("\nc", ())]),
        ("x\n> a", [("x\n", ()), ("a", QUOTE)]),
        ("- a\n- b\n  - c", [("• a\n• b\n  • c", ())]),
        ("3. a", [("3. a", ())]),
        ("```py\nx\n```", [("x", BLOCK)]),
        ("a\n\n\nb", [("a\n\n\nb", ())]),
        ("<@1> <:pog:2>", [("@1", TAG), (" :pog:", ())]),
        ("<t:1700000000:F>", [("2023-11-14 22:13 UTC", TAG)]),
        ("\u2068**84%**\u2069", [("\u2068", ()), ("84%", BOLD), ("\u2069", ())]),
    ],
)
def test_discords_markdown(markup: str, seen: list[tuple[str, tuple[SpanMark, ...]]]) -> None:
    assert reading("discord", markup) == seen


def test_a_title_of_discord_has_no_lists_quotes_or_headings() -> None:
    assert line_reading("# a **b**") == [Span("# a "), Span("b", BOLD)]
    assert words(line_reading("> a")) == "> a"


@pytest.mark.parametrize(
    ("markup", "seen"),
    [
        ("a *b* _c_ `d`", [("a ", ()), ("b", BOLD), (" ", ()), ("c", ITALIC), (" ", ()), ("d", CODE)]),
        ("*a _b_*", [("a ", BOLD), ("b", (TextStyle.BOLD, TextStyle.ITALIC))]),
        ("a_b_c 2*3*4", [("a_b_c 2*3*4", ())]),
        ("\u200b*\u200ba\u200b*\u200b", [("\u200b*\u200ba\u200b*\u200b", ())]),
        ("&lt;b&gt; &amp;amp;", [("<b> &amp;", ())]),
        ("<https://x.example/?a&amp;b|label>", [("label", (Link("https://x.example/?a&b"),))]),
        ("<https://x.example/>", [("https://x.example/", (Link("https://x.example/"),))]),
        ("https://x.example/ is no link by itself", [("https://x.example/ is no link by itself", ())]),
        ("<@U123> <!here|here>", [("@U123", TAG), (" ", ()), ("here", TAG)]),
        ("&gt; a\n> b\nc", [("a\nb", QUOTE), ("\nc", ())]),
        ("```\n*x* &lt;\n```", [("*x* <", BLOCK)]),
    ],
)
def test_slacks_mrkdwn(markup: str, seen: list[tuple[str, tuple[SpanMark, ...]]]) -> None:
    assert reading("slack", markup) == seen


@pytest.mark.parametrize(
    ("markup", "seen"),
    [
        (
            "a <b>b <i>c</i></b> <code>d</code>",
            [("a ", ()), ("b ", BOLD), ("c", (TextStyle.BOLD, TextStyle.ITALIC)), (" ", ()), ("d", CODE)],
        ),
        ("&lt;b&gt; &amp;amp;", [("<b> &amp;", ())]),
        ('<a href="https://x.example/?a&amp;b">l</a>', [("l", (Link("https://x.example/?a&b"),))]),
        (
            "https://x.example/ #user_limited a#b",
            [("https://x.example/", (Link("https://x.example/"),)), (" ", ()), ("#user_limited", TAG), (" a#b", ())],
        ),
        ("<code>#x https://x.example</code>", [("#x https://x.example", CODE)]),
        ('<pre><code class="language-py">x</code></pre>', [("x", BLOCK)]),
        ("<blockquote>a</blockquote>", [("a", QUOTE)]),
        (
            "<tg-spoiler>a</tg-spoiler><u>b</u><s>c</s>",
            [("a", (TextStyle.SPOILER,)), ("b", (TextStyle.UNDERLINE,)), ("c", (TextStyle.STRIKE,))],
        ),
        ("<script>alert(1)</script>", [("alert(1)", ())]),
    ],
)
def test_telegrams_html(markup: str, seen: list[tuple[str, tuple[SpanMark, ...]]]) -> None:
    assert reading("telegram", markup) == seen


def test_a_bracket_that_a_bare_address_opens_itself_is_its_own() -> None:
    assert reading("ntfy", "(https://x.example/a_(b))") == [
        ("(", ()),
        ("https://x.example/a_(b)", (Link("https://x.example/a_(b)"),)),
        (")", ()),
    ]


def test_ntfys_text() -> None:
    assert reading("ntfy", "*a* https://x.example.") == [
        ("*a* ", ()),
        ("https://x.example", (Link("https://x.example"),)),
        (".", ()),
    ]


@given(text=st.text(max_size=200) | st.lists(st.sampled_from(HOSTILE)).map("\n".join))
@pytest.mark.parametrize("service", SERVICES)
def test_whatever_it_is_it_is_read_and_no_letter_is_lost(service: str, text: str) -> None:
    """But where markup has letters itself: where a link leads, a tag, a mention, a code's language."""
    seen = "".join(piece for piece, _ in reading(service, text))
    if not re.search(r"[<&\[`]", text):
        assert letters(seen) == letters(text)


def letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text)
