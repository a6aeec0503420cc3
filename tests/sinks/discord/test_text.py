"""Text for Discord: nothing of an event is read as markdown."""

import re

import pytest
from hypothesis import given

from bridge.markup.text import clean, runs_from_right_to_left
from bridge.sinks.discord.text import DiscordText
from tests.messages.hostile import texts
from tests.services.discord import PING
from tests.sinks.values import visible

FORM = re.compile(r"(?<!\\)<[#:at/]")


@given(texts)
def test_no_form_and_no_address_is_seen(text: str) -> None:
    escaped = DiscordText.escape(text)
    assert not FORM.search(escaped)
    assert not re.search(r"\w://", escaped)


@given(texts)
def test_code_keeps_the_text_inside_its_marks(text: str) -> None:
    code = DiscordText.code(text)
    if runs_from_right_to_left(clean(text)):
        assert code == DiscordText.escape(text).strip()
    else:
        assert re.fullmatch(r"(`[^`\n]+`)?", code)
    assert not PING.search(code)


@given(texts)
def test_plain_text_is_read_without_markdown(text: str) -> None:
    assert visible(DiscordText.plain(text)) == visible(clean(text))
    assert not re.search("@everyone|@here", DiscordText.plain(text), re.IGNORECASE)


@pytest.mark.parametrize("name", ["alice", "user@example.com", "fra-1", "a.b", "+1234567890", "O'Neil"])
def test_ordinary_names_go_to_as_they_are(name: str) -> None:
    assert DiscordText.escape(name) == name


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
def test_escapes(text: str, escaped: str) -> None:
    assert DiscordText.escape(text) == escaped


def test_lines_are_kept_where_they_are_asked_for_and_each_is_escaped() -> None:
    assert DiscordText.lines("a\n# b\r\n@everyone") == "a\n\\# b\n@\u200beveryone"


def test_a_link() -> None:
    assert DiscordText.link("a_b", "https://example.com/x?y&z") == "[a\\_b](https://example.com/x?y&z)"
