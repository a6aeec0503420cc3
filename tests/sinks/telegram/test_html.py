"""Telegram's HTML cut to its limits: whole lines, whole entities, nothing left open."""

import pytest

from bridge.sinks.telegram.html import clip_html, plain_text, shows_html
from tests.services.telegram_html import parsed_html


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "<b>bold</b> &amp; <i>it</i>",
        "&lt;b&gt;" * 1000,
        "<b>" + "x" * 4096 + "</b>",
        "<b>x</b>" * 100,
        "نام\n" * 1024,
    ],
)
def test_what_keeps_the_limits_is_not_touched(text: str) -> None:
    assert clip_html(text) == text


def test_whole_lines_are_kept_and_what_they_open_is_closed() -> None:
    text = "<b>head</b>\n<blockquote>" + "a line &amp; more\n" * 400 + "</blockquote>"
    cut = clip_html(text)
    assert cut.startswith("<b>head</b>\n<blockquote>a line &amp; more\n")
    assert cut.endswith("\na line &amp; more…</blockquote>")
    shown, _ = parsed_html(cut)
    assert 4080 < len(shown) <= 4096


def test_where_the_first_line_is_too_long_whole_words_are_kept() -> None:
    assert clip_html("<b>" + "word " * 1000 + "</b>").endswith(" word…</b>")


def test_where_the_first_word_is_too_long_it_is_cut() -> None:
    cut = clip_html("<code>" + "&lt;" * 5000 + "</code>")
    assert cut.endswith("&lt;…</code>")
    assert len(parsed_html(cut)[0]) <= 4096


def test_past_a_hundred_entities_the_text_stays_without_them() -> None:
    shown, entities = parsed_html(clip_html("<b>x</b> " * 150))
    assert entities == 100
    assert shown.count("x") == 150


def test_long_links_lose_their_targets_before_telegram_refuses_them_all() -> None:
    cut = clip_html(f'<a href="https://x.example/{"a" * 500}">link</a>\n' * 40)
    assert 10 < cut.count("<a ") < 20
    assert cut.count("link") == 40


def test_what_was_never_closed_is_closed_when_cut() -> None:
    parsed_html(clip_html("<b><i>" + "word\n" * 2000))


def test_text_with_markup_is_at_most_32768_bytes() -> None:
    assert len(clip_html("<b>" + "&lt;😀" * 4000 + "</b>").encode()) <= 32_768
    assert len(clip_html("<tg-spoiler>😀</tg-spoiler>\n" * 2000).encode()) <= 32_768


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a <b>b</b> &lt;c&gt; &amp;", "a b <c> &"),
        ("1 < 2 & 3", "1 < 2 & 3"),
        ("<br>line<p>", "line"),
        ("<b", "<b"),
        ("&#8203;x", "\u200bx"),
    ],
)
def test_plain_text(text: str, expected: str) -> None:
    assert plain_text(text) == expected


def test_markup_alone_shows_nothing() -> None:
    assert not shows_html("<b> </b>\n<i>\u200b</i>")
    assert shows_html("<b>&amp;</b>")
