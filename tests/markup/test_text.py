"""What comes out of an event means nothing to a service, and looks as it did."""

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.markup.text import READ, Text, clean, web_address
from bridge.sinks import SERVICES
from tests.messages.hostile import texts
from tests.services.every import CHATS
from tests.sinks.values import visible

of_every_service = pytest.mark.parametrize("name", SERVICES)
TEXTS = [service.text for service in SERVICES.values()]


@of_every_service
@given(text=texts)
def test_a_service_shows_what_was_written_and_pings_nobody(name: str, text: str) -> None:
    escaped = SERVICES[name].text.escape(text)
    assert visible(CHATS[name].words(escaped)) == visible(clean(text))
    CHATS[name].harmless(escaped)


@of_every_service
@given(label=texts, path=texts)
def test_links_hold_their_label_and_lead_to_the_web(name: str, label: str, path: str) -> None:
    CHATS[name].harmless(SERVICES[name].text.link(label, f"https://example.com/{path}"))


def test_a_text_that_nobody_reads_as_markup_has_no_links() -> None:
    assert Text.link("a_b", "https://example.com/x?y&z") == "a_b"


@given(st.sampled_from(TEXTS), texts)
def test_a_value_stays_on_its_line(service: type[Text], text: str) -> None:
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", service.escape(text))


@given(st.sampled_from(TEXTS), texts)
def test_what_is_escaped_is_not_escaped_again(service: type[Text], text: str) -> None:
    once = service.escape(text)
    assert service.escape(once) == once


@given(st.sampled_from(TEXTS), texts)
def test_whatever_is_put_into_a_ready_text_is_escaped(service: type[Text], text: str) -> None:
    escaped = service.escape(text)
    ready = service("<b>ready</b> ")
    assert ready + text == ready + escaped
    assert service("%s") % text == escaped
    assert service("{}").format(text) == escaped
    assert service(", ").join([text, text]) == service(f"{escaped}, {escaped}")


@pytest.mark.parametrize("part", ["a", "a\u0301", "\u0301", "@", "<", "*", "a_", "http://x ", "\x01", "\n", "я"])
@pytest.mark.parametrize("way", ["escape", "plain", "bold", "code", "lines", "fixed"])
@pytest.mark.parametrize("service", TEXTS)
def test_of_a_text_that_is_longer_than_any_message_only_the_beginning_is_looked_at(
    service: type[Text], way: str, part: str
) -> None:
    write = getattr(service, way)
    long = part * (2 * READ // len(part))
    assert write(long) == write(long[:READ] + "…")
    assert len(write(long)) <= 8 * READ


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


@pytest.mark.parametrize("service", TEXTS)
def test_nothing_is_marked_where_there_is_nothing(service: type[Text]) -> None:
    for nothing in ("", None, "\x00", "\u202e"):
        assert service.code(nothing) == service.bold(nothing) == service.escape(nothing) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("mattermost", value) for value in ("alice@example.com", "vless://id@h:443?x=1&y=2#a")),
        *product(("mattermost", "apprise"), ("[2001:db8::1]:51820", "aa:bb:cc:dd:ee:ff", "a?x=1&y=2#a", ":skull:")),
    ],
)
def test_what_is_to_be_copied_is_copied_as_it_is(name: str, value: str) -> None:
    assert SERVICES[name].text.code(value) == f"`{value}`"
    assert SERVICES[name].text.fixed(value) == value


@pytest.mark.parametrize("name", ["mattermost", "apprise"])
@pytest.mark.parametrize(
    "value", ["@all", "a @here", "a.@channel", "x-@name", "_@all", "\\@all", "a@@all", "@", "a:@all"]
)
def test_a_ping_in_code_pings_nobody(name: str, value: str) -> None:
    for written in (SERVICES[name].text.code(value), SERVICES[name].text.fixed(value)):
        assert not re.search(r"(?<![^\W_])@([\w.-]|`?$)", written)
