"""Discord's markdown, said in Slack's and Telegram's markup."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.markup.markdown import PlainWriter, markdown, unmarked
from bridge.markup.text import JOINER, SPACE, Text
from bridge.sinks import SERVICES
from tests.messages.hostile import HOSTILE
from tests.services.every import CHATS


def when(at: datetime) -> Any:
    return f"{at:%Y-%m-%d %H:%M}"


def written(source: str | None, service: str) -> str:
    """The source as the service writes it."""
    return str(markdown(source, SERVICES[service].writer(SERVICES[service].text, when)))


@pytest.mark.parametrize(
    ("source", "slack", "telegram"),
    [
        ("plain", "plain", "plain"),
        ("**bold**", "*bold*", "<b>bold</b>"),
        ("*it* _it_", "_it_ _it_", "<i>it</i> <i>it</i>"),
        ("***both***", "_*both*_", "<i><b>both</b></i>"),
        ("**a _b_**", "*a _b_*", "<b>a <i>b</i></b>"),
        ("__under__", "under", "<u>under</u>"),
        ("~~gone~~", "~gone~", "<s>gone</s>"),
        ("||hidden||", "hidden", "<tg-spoiler>hidden</tg-spoiler>"),
        ("||**hidden**||", "*hidden*", "<tg-spoiler><b>hidden</b></tg-spoiler>"),
        ("`co*de`", "`co*de`", "<code>co*de</code>"),
        ("`<b>`", "`&lt;b&gt;`", "<code>&lt;b&gt;</code>"),
        ("```\na\n\nb\n```", "```\na\n\nb\n```", "<pre>a\n\nb</pre>"),
        ("```py\nx\n```", "```\nx\n```", '<pre><code class="language-py">x</code></pre>'),
        ("```x```", "```\nx\n```", "<pre>x</pre>"),
        ("see ```\na\nb``` there", "see ```\na\nb\n``` there", "see <pre>a\nb</pre> there"),
        ("```a``` after", "```\na\n```\nafter", "<pre>a</pre>\nafter"),
        ("> one\n> two\nout", "> one\n> two\nout", "<blockquote>one\ntwo</blockquote>\nout"),
        (">>> one\ntwo\n\nthree", "> one\n> two\n> \n> three", "<blockquote>one\ntwo\n\nthree</blockquote>"),
        ("> > one", "> ¦&gt;¦ one", "<blockquote>&gt; one</blockquote>"),
        ("- a\n- b\n  - c", "• a\n• b\n  • c", "• a\n• b\n  • c"),
        ("1. a\n2. b", "1. a\n2. b", "1. a\n2. b"),
        ("# Head", "*Head*", "<b>Head</b>"),
        ("### **Head**", "*Head*", "<b>Head</b>"),
        ("#### no head", "#### no head", "#### no head"),
        ("-# small", "small", "small"),
        ("a\nb\n\n\nc", "a\nb\n\nc", "a\nb\n\nc"),
        ("                indented", "indented", "indented"),
        ("**two\nlines**", "*two*\n*lines*", "<b>two\nlines</b>"),
        ("**84%**x", "*84%*¦x", "<b>84%</b>x"),
        ("~~84%~~x", "~84%~¦x", "<s>84%</s>x"),
        ("*84%*x", "_84%_¦x", "<i>84%</i>x"),
        ("foo**bar**baz", "foo¦*bar*¦baz", "foo<b>bar</b>baz"),
        ("[a](https://e.com/?x&y)", "<https://e.com/?x&amp;y|a>", '<a href="https://e.com/?x&amp;y">a</a>'),
        ("<https://e.com>", "<https://e.com|https://e.com>", '<a href="https://e.com">https://e.com</a>'),
        ("https://e.com/a_b_c.", "<https://e.com/a_b_c|https://e.com/a_b_c>.", '<a href="https://e.com/a_b_c">https://e.com/a_b_c</a>.'),
        ("https://e.com/A_(b)", "<https://e.com/A_%28b%29|https://e.com/A¦_¦(b)>", '<a href="https://e.com/A_%28b%29">https://e.com/A_(b)</a>'),
        ("(https://e.com/a).", "(<https://e.com/a|https://e.com/a>).", '(<a href="https://e.com/a">https://e.com/a</a>).'),
        ("(https://e.com/(a))", "(<https://e.com/%28a%29|https://e.com/(a)>)", '(<a href="https://e.com/%28a%29">https://e.com/(a)</a>)'),
        ("at http://[::1].", "at <http://[::1]|http://[::1]>.", 'at <a href="http://[::1]">http://[::1]</a>.'),
        ("Bob <bob@example.com>", "Bob bob@example.com", "Bob bob@example.com"),
        ("<mailto:b@e.com> <tel:+49123>", "mailto:b@e.com tel:+49123", "mailto:b@e.com tel:+49123"),
        ("https://user:pw@e.com/", "https://user:pw@e.com/", "https://user:pw@e.com/"),
        ("[a](mailto:b@e.com)", "[a](mailto:b@e.com)", "[a](mailto:b@e.com)"),
        ("[a](javascript:x)", "[a](javascript:x)", "[a](javascript:x)"),
        ("[a](tg://user?id=1)", "[a](tg://user?id=1)", "[a](tg:¬//user?id=1)"),
        ("[https://a.com](https://b.com)", "https://a.com (https://b.com)", "https://a.com (https://b.com)"),
        ("<@1> <@!2> <@&3> <#4>", "@1 @2 @3 #4", "@¬1 @¬2 @¬3 #4"),
        ("<:pog:1> <a:dance:2> :tada:", ":pog: :dance: :tada:", ":pog: :dance: :tada:"),
        ("<t:1700000000:F>", "2023-11-14 22:13", "2023-11-14 22:13"),
        ("</ban user:1>", "/ban user", "/ban user"),
        ("@everyone @here", "@¦everyone @¦here", "@¬everyone @¬here"),
        ("||@||durov", "@¦durov", "<tg-spoiler>@¬</tg-spoiler>durov"),
        ("<b>x</b> &lt; &amp;", "&lt;b&gt;x&lt;/b&gt; &amp;lt; &amp;amp;", "&lt;b&gt;x&lt;/b&gt; &amp;lt; &amp;amp;"),
        (r"\*no\* 1\. \<@1>", "¦*¦no¦*¦ 1. &lt;@1&gt;", "*no* 1. &lt;@¬1&gt;"),
        ("a_b_c 2 * 3 * 4", "a_b_c 2 ¦*¦ 3 ¦*¦ 4", "a_b_c 2 * 3 * 4"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_markdown_in_each_service(source: str, slack: str, telegram: str) -> None:
    shown = str.maketrans({SPACE: "¦", JOINER: "¬"})
    assert written(source, "slack").translate(shown) == slack
    assert written(source, "telegram").translate(shown) == telegram


def test_discord_keeps_its_own_markdown_and_pings_nobody() -> None:
    source = "# **bold** [a](https://e.com)\n@everyone <@1>"
    assert written(source, "discord") == "# **bold** [a](https://e.com)\n@\u200beveryone <@\u200b1>"


def test_words_without_their_marks() -> None:
    assert unmarked(":new: **Created** [x](https://e.com) `y` <@1>", when) == ":new: Created x y @1"


@pytest.mark.parametrize("nothing", [None, "", "\x00"])
def test_nothing_says_nothing(nothing: str | None) -> None:
    assert {written(nothing, service) for service in SERVICES} == {unmarked(nothing, when)} == {""}


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("**bold** *it* ||hidden||", "bold it hidden"),
        ("# Head", "*Head*"),
        ("> one\n> two", "> one\n> two"),
        ("`co*de`", "`co*de`"),
        ("```py\nx\n```", "```\nx\n```"),
        ("[a](https://e.com) <@1> & <b>", "a @1 & <b>"),
    ],
)
def test_what_nobody_reads_as_markup_keeps_the_marks_that_people_know(source: str, plain: str) -> None:
    assert markdown(source, PlainWriter(Text, when)) == plain


pieces = st.one_of(
    st.sampled_from(
        (*HOSTILE, "**", "__", "||", "~~", "```", "\n", "\n> ", "\n- ", "[", "](", ")", "<", ">", " ", "@")
    ),
    st.text(max_size=6),
)


@pytest.mark.parametrize("service", SERVICES)
@given(source=st.lists(pieces, max_size=12).map("".join))
def test_whatever_is_posted_stays_in_order_and_pings_nobody(service: str, source: str) -> None:
    CHATS[service].harmless(written(source, service))


@pytest.mark.parametrize("service", SERVICES)
def test_a_long_and_knotted_text_is_read_in_time(service: str) -> None:
    for knot in ("*" * 4000, "[" * 4000, "||" * 2000, "> " * 2000, "```" * 1000, "- " * 2000, "<@" * 2000, "_a" * 2000):
        CHATS[service].harmless(written(knot, service))
