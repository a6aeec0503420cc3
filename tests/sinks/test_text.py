"""Cutting a text: never longer than asked, by whole lines, words and parts, with nothing left open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.markup.text import ELLIPSIS, Text
from bridge.sinks.bale import message as bale
from bridge.sinks.bale.text import BaleText
from bridge.sinks.discord.embed import MARKUP as DISCORD
from bridge.sinks.discord.text import DiscordText
from bridge.sinks.mattermost import message as mattermost
from bridge.sinks.mattermost.text import MattermostText
from bridge.sinks.slack import message as slack
from bridge.sinks.slack.text import SlackText
from bridge.sinks.text import PLAIN, Markup, clip, shows, utf16, web_url
from tests.sinks.values import hostile_texts

#: How each service's text is escaped, and cut.
WRITTEN: list[tuple[type[Text], Markup]] = [
    (BaleText, bale.MARKUP),
    (DiscordText, DISCORD),
    (MattermostText, mattermost.MARKUP),
    (SlackText, slack.MARKUP),
]


@pytest.mark.parametrize(
    ("text", "limit", "markup", "expected"),
    [
        ("short", 5, PLAIN, "short"),
        ("one\ntwo\nthree", 9, PLAIN, "one\ntwo…"),
        ("one two three", 9, PLAIN, "one two…"),
        ("aaaaaaaaaa", 5, PLAIN, "aaaa…"),
        ("Head:\none two three four", 18, PLAIN, "Head:\none two…"),
        ("Head:\naaaaaaaaaaaaaaaaaaa", 18, PLAIN, "Head:\naaaaaaaaaaa…"),
        ("a bbbbbbbbbbbbbbbbb", 10, PLAIN, "a bbbbbbb…"),
        ("\n\nhello world", 9, PLAIN, "\n\nhello…"),
        ("**bold and long**", 12, DISCORD, "**bold…**"),
        ("**bold** _and it_", 15, DISCORD, "**bold** _and…_"),
        ("snake_case_name_of_something", 12, DISCORD, "snake_case_…"),
        (r"\*\*\*\*\*\*", 6, DISCORD, r"\*\*…"),
        ("[label](https://x.example/a) after", 12, DISCORD, "…"),
        ("`code *not bold` rest", 13, DISCORD, "`code *not…`"),
        ("```\nline one\nline two\n```", 20, DISCORD, "```\nline one…```"),
        ("Trace```\nat one\nat two\nat three```", 27, DISCORD, "Trace```\nat one\nat two…```"),
        ("run`make all of it` now", 14, DISCORD, "run`make all…`"),
        ("it`s only a word", 14, DISCORD, "it`s only a…"),
        ("a &amp;&amp;&amp; b", 10, slack.MARKUP, "a &amp;…"),
        ("&amp;&amp;&amp;", 10, slack.MARKUP, "&amp;…"),
        ("*bold text* more", 9, slack.MARKUP, "*bold…*"),
        ("<https://x.example|a label> after", 20, slack.MARKUP, "…"),
    ],
)
def test_clip(text: str, limit: int, markup: Markup, expected: str) -> None:
    assert clip(text, limit, markup) == expected


@pytest.mark.parametrize(
    "character",
    [
        "👨\u200d👩\u200d👧\u200d👦",
        "👍🏽",
        "❤️\u200d🔥",
        "1️⃣",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "🇮🇷",
        "e\u0301\u0323",
        "کُّ",
        "नि",
    ],
)
@pytest.mark.parametrize("before", ["xxxxxxxx", "xxxxxxxx🇩🇪"])
def test_what_people_see_as_one_character_stays_whole(before: str, character: str) -> None:
    text = before + character * 9
    for limit in range(10, len(text)):
        kept = clip(text, limit).removesuffix(ELLIPSIS).removeprefix("xxxxxxxx").removeprefix("🇩🇪")
        assert kept == character * (len(kept) // len(character))


@given(text=hostile_texts, limit=st.integers(1, 400), markup=st.sampled_from([PLAIN, DISCORD, slack.MARKUP]))
def test_a_clipped_text_is_never_longer_than_asked(text: str, limit: int, markup: Markup) -> None:
    assert len(clip(text, limit, markup)) <= limit
    assert utf16(clip(text, limit, markup, utf16)) <= limit


@given(
    words=st.lists(st.tuples(st.text("ab", min_size=1, max_size=90), st.sampled_from(" \n"))), limit=st.integers(1, 100)
)
def test_a_cut_takes_no_more_than_half_of_what_fits(words: list[tuple[str, str]], limit: int) -> None:
    text = "".join(word + space for word, space in words).strip()
    assert 2 * len(clip(text, limit)) >= min(len(text), limit)


@given(text=hostile_texts, limit=st.integers(1, 400))
def test_a_text_that_fits_is_not_touched(text: str, limit: int) -> None:
    kept = clip(text, limit)
    assert clip(kept, limit) == kept


@given(text=hostile_texts, limit=st.integers(2, 400))
@pytest.mark.parametrize(("written", "markup"), WRITTEN)
def test_what_means_nothing_leaves_nothing_open(written: type[Text], markup: Markup, text: str, limit: int) -> None:
    escaped = str(written.escape(text))
    kept = clip(escaped, limit, markup)
    assert kept == escaped or kept.endswith(ELLIPSIS)


@given(st.text())
def test_utf16_counts_as_the_encoding_does(text: str) -> None:
    assert utf16(text) == sum(2 if ord(c) > 0xFFFF else 1 for c in text)


@pytest.mark.parametrize(
    "text", ["", " \n\t", "\u200b", "\u200b \ufeff\u2060", "\u2800", "\x00\x1f", "\u3164", "\ufe0f"]
)
def test_what_shows_nothing(text: str) -> None:
    assert not shows(text)


@pytest.mark.parametrize("text", ["a", ".", "🆕", "نام", "\u200b.", "️1"])
def test_what_shows_something(text: str) -> None:
    assert shows(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://x.example/a", "https://x.example/a"),
        (" HTTP://X.example/ü?q=a b ", "http://x.example/%C3%BC?q=a+b"),
        ("https://[::1]:8080/", "https://[::1]:8080/"),
        ("https://x.example/|<>", "https://x.example/%7C%3C%3E"),
        ("ftp://x.example", None),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("https://exa mple.com/", None),
        ("https://x.example:99999/", None),
        ("https://x.example/" + "a" * 3000, None),
        ("x.example", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_web_url(value: object, expected: str | None) -> None:
    assert web_url(value) == expected
