"""Text for Telegram: nothing of an event is read as HTML, and no mention is found."""

import re

from hypothesis import given

from bridge.sinks.telegram.text import TelegramText
from tests.messages.hostile import texts
from tests.services.telegram import PING, words

DROPPED = re.compile("[\u0333\u033f\u030a]")  # accents that the server takes off before it looks for mentions


@given(texts)
def test_no_mention_is_found_once_the_server_has_dropped_accents(text: str) -> None:
    assert not PING.search(DROPPED.sub("", words(TelegramText.escape(text))))


def test_an_address_in_a_mail_is_no_mention() -> None:
    assert TelegramText.escape("user@example.com") == "user@example.com"


def test_no_tags_are_put_into_code() -> None:
    assert TelegramText.code(TelegramText.link("a", "https://example.com")) == '<a href="https://example.com">a</a>'


def test_a_link() -> None:
    link = '<a href="https://example.com/x?y&amp;z">a_b</a>'
    assert TelegramText.link("a_b", "https://example.com/x?y&z") == link
