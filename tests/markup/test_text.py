"""What comes out of an event means nothing to a service, and looks as it did."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.markup.text import JOINER, SPACE, DiscordText, SlackText, TelegramText, Text, clean, web_address
from tests.messages.hostile import (
    DISCORD_FORM,
    DISCORD_PING,
    DROPPED_BY_TELEGRAM,
    SLACK_PING,
    TELEGRAM_PING,
    texts,
)
from tests.messages.speech import Telegram, discord_words, slack_words

SERVICES = (DiscordText, SlackText, TelegramText)


def visible(text: str) -> str:
    return text.replace(SPACE, "").replace(JOINER, "")


@given(texts)
def test_discord_shows_what_was_written_and_pings_nobody(text: str) -> None:
    escaped = DiscordText.escape(text)
    assert visible(discord_words(escaped)) == visible(clean(text))
    assert not DISCORD_PING.search(escaped)
    assert not DISCORD_FORM.search(escaped)
    assert not re.search(r"\w://", escaped)


@given(texts)
def test_discord_code_keeps_the_text_inside_its_marks(text: str) -> None:
    code = DiscordText.code(text)
    assert re.fullmatch(r"(`[^`\n]+`)?", code)
    assert not DISCORD_PING.search(code)


@given(texts)
def test_discord_plain_text_is_read_without_markdown(text: str) -> None:
    assert visible(DiscordText.plain(text)) == visible(clean(text))
    assert not re.search("@everyone|@here", DiscordText.plain(text), re.IGNORECASE)


@given(texts)
def test_slack_shows_what_was_written_and_pings_nobody(text: str) -> None:
    escaped = SlackText.escape(text)
    assert visible(slack_words(escaped)) == visible(clean(text))
    assert not SLACK_PING.search(escaped)
    for marks in re.finditer("[*_~`]+", escaped):
        before, after = escaped[: marks.start()][-1:], escaped[marks.end() :][:1]
        in_a_word = before.isalnum() and after.isalnum() and "`" not in marks[0]
        assert in_a_word or (before, len(marks[0]), after) == (SPACE, 1, SPACE)


@given(texts)
def test_telegram_shows_what_was_written_and_pings_nobody(text: str) -> None:
    words = Telegram(TelegramText.escape(text)).words
    assert visible(words) == visible(clean(text))
    assert not TELEGRAM_PING.search(DROPPED_BY_TELEGRAM.sub("", words))


@given(st.sampled_from(SERVICES), texts)
def test_a_value_stays_on_its_line(service: type[Text], text: str) -> None:
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", service.escape(text))


@given(st.sampled_from(SERVICES), texts)
def test_what_is_escaped_is_not_escaped_again(service: type[Text], text: str) -> None:
    once = service.escape(text)
    assert service.escape(once) == once


@given(st.sampled_from(SERVICES), texts)
@settings(max_examples=200)
def test_whatever_is_put_into_a_ready_text_is_escaped(service: type[Text], text: str) -> None:
    escaped = service.escape(text)
    ready = service("<b>ready</b> ")
    assert ready + text == ready + escaped
    assert service("%s") % text == escaped
    assert service("{}").format(text) == escaped
    assert service(", ").join([text, text]) == service(f"{escaped}, {escaped}")


@pytest.mark.parametrize(
    "name", ["alice", "example_user", "a_b", "user@example.com", "+1234567890", "10.0.0.1", "O'Neil"]
)
def test_ordinary_names_go_to_slack_as_they_are(name: str) -> None:
    assert SlackText.escape(name) == name


@pytest.mark.parametrize("name", ["alice", "user@example.com", "fra-1", "a.b", "+1234567890", "O'Neil"])
def test_ordinary_names_go_to_discord_as_they_are(name: str) -> None:
    assert DiscordText.escape(name) == name


def test_an_address_in_a_mail_is_no_mention_in_telegram() -> None:
    assert TelegramText.escape("user@example.com") == "user@example.com"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("# a", r"\# a"),
        ("- a", r"\- a"),
        ("> a", r"\> a"),
        ("12. a", r"12\. a"),
        ("a # b - c > d 1. e", "a # b - c > d 1. e"),
        ("@everyone", "@\u200beveryone"),
        ("<@&1>", "\\<@\u200b&1>"),
        ("x_y", r"x\_y"),
        ("https://a.b", r"https\://a.b"),
    ],
)
def test_discord_escapes(text: str, escaped: str) -> None:
    assert DiscordText.escape(text) == escaped


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a & b <c>", "a &amp; b &lt;c&gt;"),
        ("*bold*", "\u200b*\u200bbold\u200b*\u200b"),
        ("a*b", "a*b"),
        ("a__b", "a__b"),
        ("_a_", "\u200b_\u200ba\u200b_\u200b"),
        ("> a", "\u200b&gt;\u200b a"),
        ("@here", "@\u200bhere"),
    ],
)
def test_slack_escapes(text: str, escaped: str) -> None:
    assert SlackText.escape(text) == escaped


def test_lines_are_kept_where_they_are_asked_for_and_each_is_escaped() -> None:
    assert DiscordText.lines("a\n# b\r\n@everyone") == "a\n\\# b\n@\u200beveryone"


def test_accents_do_not_pile_up() -> None:
    assert clean("e" + "\u0301" * 40) == "e" + "\u0301" * 3


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://example.com/a?b=c&d", "https://example.com/a?b=c&d"),
        ("HTTP://example.com", "http://example.com"),
        ("https://example.com/a b|c>d)", "https://example.com/a%20b%7Cc%3Ed%29"),
        ("https://example.com/@everyone", "https://example.com/%40everyone"),
        ("https://good.example@evil.example/", None),
        ("tg://user?id=1", None),
        ("javascript:alert(1)", None),
        ("https://", None),
        ("https://example.com/\nx", None),
        ("https://example.com/" + "x" * 3000, None),
        ("nonsense", None),
        (None, None),
        (7, None),
    ],
)
def test_only_web_addresses_become_links(url: object, address: str | None) -> None:
    assert web_address(url) == address


@given(texts, texts)
def test_links_hold_their_label_and_lead_to_the_web(label: str, path: str) -> None:
    url = f"https://example.com/{path}"
    telegram = Telegram(TelegramText.link(label, url))
    assert all(link.startswith("https://example.com/") for link in telegram.links)
    slack_words(SlackText.link(label, url))
    assert not DISCORD_PING.search(DiscordText.link(label, url))


@pytest.mark.parametrize(
    ("service", "link"),
    [
        (DiscordText, "[a\\_b](https://example.com/x?y&z)"),
        (SlackText, "<https://example.com/x?y&amp;z|a_b>"),
        (TelegramText, '<a href="https://example.com/x?y&amp;z">a_b</a>'),
        (Text, "a_b"),
    ],
)
def test_a_link_in_each_service(service: type[Text], link: str) -> None:
    assert service.link("a_b", "https://example.com/x?y&z") == link


def test_telegram_puts_no_tags_into_code() -> None:
    assert TelegramText.code(TelegramText.link("a", "https://example.com")) == '<a href="https://example.com">a</a>'


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_marked_where_there_is_nothing(service: type[Text]) -> None:
    for nothing in ("", None, "\x00", "\u202e"):
        assert service.code(nothing) == service.bold(nothing) == service.escape(nothing) == ""
