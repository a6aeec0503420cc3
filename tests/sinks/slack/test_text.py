"""Text for Slack: nothing of an event is read as mrkdwn."""

import re

import pytest
from hypothesis import given

from bridge.markup.text import SPACE
from bridge.sinks.slack.text import SlackText
from tests.messages.hostile import texts


@given(texts)
def test_a_mark_has_nothing_to_hold_on_to(text: str) -> None:
    escaped = SlackText.escape(text)
    for marks in re.finditer("[*_~`]+", escaped):
        before, after = escaped[: marks.start()][-1:], escaped[marks.end() :][:1]
        in_a_word = before.isalnum() and after.isalnum() and "`" not in marks[0]
        assert in_a_word or (before, len(marks[0]), after) == (SPACE, 1, SPACE)


@pytest.mark.parametrize(
    "name",
    [
        *("alice", "example_user", "a_b", "user@example.com", "+1234567890", "10.0.0.1", "O'Neil"),
        *("2001:db8:85a3::abcd:1", "[::ffff:10.0.0.1]:443", "aa:bb:cc:dd:ee:ff", "at 10:20:30"),
    ],
)
def test_ordinary_names_go_as_they_are(name: str) -> None:
    assert SlackText.escape(name) == name


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
        ("user :skull:", "user :\u200bskull:"),
        (":+1::100:x:de:", ":\u200b+1::100:\u200bx:\u200bde:"),
    ],
)
def test_escapes(text: str, escaped: str) -> None:
    assert SlackText.escape(text) == escaped


def test_a_link() -> None:
    assert SlackText.link("a_b", "https://example.com/x?y&z") == "<https://example.com/x?y&amp;z|a_b>"


def test_in_code_there_is_no_emoji() -> None:
    assert SlackText.fixed(":skull:") == ":skull:"
