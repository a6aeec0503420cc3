"""Discord's markdown, said in Slack's and Telegram's markup."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.markup.markdown import markdown, unmarked
from bridge.markup.text import JOINER, SPACE, DiscordText, SlackText, TelegramText
from tests.messages.hostile import (
    DISCORD_PING,
    HOSTILE,
    SLACK_PING,
    TELEGRAM_PING,
)
from tests.messages.speech import Telegram, slack_words


def when(at: datetime) -> Any:
    return f"{at:%Y-%m-%d %H:%M}"


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
        ("foo**bar**baz", "foo¦*bar*¦baz", "foo<b>bar</b>baz"),
        ("[a](https://e.com/?x&y)", "<https://e.com/?x&amp;y|a>", '<a href="https://e.com/?x&amp;y">a</a>'),
        ("<https://e.com>", "<https://e.com|https://e.com>", '<a href="https://e.com">https://e.com</a>'),
        ("https://e.com/a_b_c.", "<https://e.com/a_b_c|https://e.com/a_b_c>.", '<a href="https://e.com/a_b_c">https://e.com/a_b_c</a>.'),
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
    assert str(markdown(source, SlackText, when)).translate(shown) == slack
    assert str(markdown(source, TelegramText, when)).translate(shown) == telegram


def test_discord_keeps_its_own_markdown_and_pings_nobody() -> None:
    source = "# **bold** [a](https://e.com)\n@everyone <@1>"
    assert markdown(source, DiscordText, when) == "# **bold** [a](https://e.com)\n@\u200beveryone <@\u200b1>"


def test_words_without_their_marks() -> None:
    assert unmarked(":new: **Created** [x](https://e.com) `y` <@1>", when) == ":new: Created x y @1"


@pytest.mark.parametrize("nothing", [None, "", "\x00"])
def test_nothing_says_nothing(nothing: str | None) -> None:
    assert markdown(nothing, TelegramText, when) == markdown(nothing, SlackText, when) == unmarked(nothing, when) == ""


pieces = st.one_of(
    st.sampled_from(
        (*HOSTILE, "**", "__", "||", "~~", "```", "\n", "\n> ", "\n- ", "[", "](", ")", "<", ">", " ", "@")
    ),
    st.text(max_size=6),
)


@given(st.lists(pieces, max_size=12).map("".join))
def test_whatever_is_posted_stays_in_order_and_pings_nobody(source: str) -> None:
    telegram = Telegram(str(markdown(source, TelegramText, when)))
    assert not TELEGRAM_PING.search(telegram.words)
    assert all(link.startswith(("http://", "https://")) for link in telegram.links)
    slack = str(markdown(source, SlackText, when))
    assert slack_words(slack) is not None
    assert not SLACK_PING.search(slack)
    assert not DISCORD_PING.search(str(markdown(source, DiscordText, when)))


def test_a_long_and_knotted_text_is_read_in_time() -> None:
    for knot in ("*" * 4000, "[" * 4000, "||" * 2000, "> " * 2000, "```" * 1000, "- " * 2000, "<@" * 2000, "_a" * 2000):
        Telegram(str(markdown(knot, TelegramText, when)))
