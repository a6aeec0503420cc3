"""What customers are told: of what is theirs, in three languages, and of nothing else."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import fields

from bridge.delivery.attempt import Customer, customer_message
from bridge.event import Event, iso
from bridge.markup.service import Service, ServiceLook
from bridge.messages.catalog import LOCALES, RIGHT_TO_LEFT
from bridge.messages.customer import CUSTOMERS, TOLD, WORDS, Me, is_told, me_of
from bridge.messages.renderer import SHIPPED, Renderer
from bridge.sinks.base import AddressedConfig
from bridge.sinks.email.service import EMAIL
from bridge.sinks.telegram.service import TELEGRAM
from bridge.value import replace
from bridge.vocabulary import KEYS, event_type
from tests.fakes import START, an_event
from tests.sinks.values import CONFIGS

UTC = ZoneInfo("UTC")
ALL = pytest.mark.parametrize("type_", sorted(TOLD))
EACH = pytest.mark.parametrize("locale", LOCALES)
#: The services that have words for customers.
THEIR_SERVICES = {
    one.service.name: one.service
    for one in CONFIGS
    if issubclass(one, AddressedConfig) and one.for_customers and hasattr(one, "service")
}
ON_EACH = pytest.mark.parametrize("service", THEIR_SERVICES.values(), ids=lambda one: one.name)
#: What of `data` is the customer's, with a value of its kind.
THEIRS: dict[str, dict[str, Any]] = {
    "user": {
        "username": "alice", "status": "active", "used_bytes": 40 * 2**30, "limit_bytes": 50 * 2**30,
        "expires_at": iso(START + timedelta(days=3, hours=2)), "device_limit": 5, "reset_strategy": "month",
    },
    "usage": {"percent": 80},
    "subscription": {"plan": "gold"},
    "device": {"name": "Pixel 9"},
}  # fmt: skip


#: Days after which there is something to say of a type.
LATER = {"user.expired_reminder": 5.0}


def told(type_: str, data: dict[str, Any] | None = None) -> Event:
    return replace(an_event(type_=type_), data=THEIRS if data is None else data)


def blocks_of(
    event: Event, look: ServiceLook, *, folders: tuple[Path, ...] = (), zone: str = "UTC", days: float = 0.0
) -> Mapping[str, str]:
    renderer, at = Renderer(folders=folders, timezone=UTC, locale="en"), START + timedelta(days=days)
    message, fault = customer_message(event, look, renderer, Customer(ZoneInfo(zone)), at=at)
    assert fault is None, fault
    return message.blocks


def say(event: Event, locale: str, *, folders: tuple[Path, ...] = (), zone: str = "UTC", days: float = 0.0) -> str:
    blocks = blocks_of(event, ServiceLook(TELEGRAM, locale=locale), folders=folders, zone=zone, days=days)
    assert set(blocks) == {WORDS}
    return blocks[WORDS].strip("\u200f")


@ALL
@EACH
@ON_EACH
def test_every_type_has_the_same_words_by_every_service_in_every_language(
    service: Service, type_: str, locale: str
) -> None:
    days = LATER.get(type_, 0.0)
    blocks = blocks_of(told(type_), ServiceLook(service, locale=locale), days=days)
    text = blocks[WORDS].strip("\u200f")
    assert text == say(told(type_), locale, days=days)
    assert set(blocks) == set(service.blocks)
    assert 0 < len(text) <= 300
    assert "{" not in text
    assert text.count("\u2068") == text.count("\u2069")


@EACH
@ON_EACH
def test_a_services_own_file_for_customers_stands_on_the_words_of_all(service: Service, locale: str) -> None:
    own = SHIPPED / service.name / CUSTOMERS / f"{locale}.j2"
    assert own.exists() is (set(service.blocks) > {WORDS})
    assert not own.exists() or f'{{% extends "{CUSTOMERS}/{locale}.j2" %}}' in own.read_text()
    assert f"{{% block {WORDS} %}}" not in (SHIPPED / CUSTOMERS / f"{locale}.j2").read_text()


@EACH
def test_a_letter_to_a_customer_has_language_direction_and_footer(locale: str) -> None:
    blocks = blocks_of(told("user.expired"), ServiceLook(EMAIL, locale=locale))
    assert (blocks["language"], blocks["direction"]) == (locale, "rtl" if locale in RIGHT_TO_LEFT else "ltr")
    assert blocks["footer"]
    assert blocks["color"] == str(event_type("user.expired").color)
    assert "href" not in blocks["footer"]


@EACH
def test_where_there_is_a_link_that_stops_it_a_letter_shows_it(locale: str) -> None:
    renderer, customer = Renderer(folders=(), timezone=UTC, locale="en"), Customer(UTC, stop="https://x.example/stop/a")
    message, fault = customer_message(
        told("user.expired"), ServiceLook(EMAIL, locale=locale), renderer, customer, at=START
    )
    assert fault is None
    assert 'href="https://x.example/stop/a"' in message["footer"]
    assert message.stop == "https://x.example/stop/a"


@ALL
@EACH
@ON_EACH
def test_whatever_is_not_a_customers_own_is_never_said(service: Service, type_: str, locale: str) -> None:
    """Every key that there is holds a canary, but for what is theirs by name; so do native, source and all else."""
    alien = {key: {inner: f"canary-{key}-{inner}" for inner in ("name", "username", "email", "note")} for key in KEYS}
    data = {**alien, **{key: {**alien.get(key, {}), **value} for key, value in THEIRS.items()}}
    data["owner"] = data["actor"] = data["reason"] = "canary"
    event = replace(
        told(type_, data), source="canary", panel="canary", native_type="canary", id="canary", native={"x": "canary"}
    )
    blocks = blocks_of(event, ServiceLook(service, locale=locale), days=LATER.get(type_, 0.0))
    assert not any("canary" in said for said in blocks.values())


@ALL
def test_a_template_of_the_operators_own_is_given_nothing_else(tmp_path: Path, type_: str) -> None:
    folder = tmp_path / "telegram" / CUSTOMERS
    folder.mkdir(parents=True)
    asked = ["data", "event", "native", "source", "panel", "owner", "subject", "type", "who", "title"]
    block = type_.replace(".", "_")
    names = " ".join(f"{{{{ {one} if {one} is defined }}}}" for one in asked)
    (folder / "en.j2").write_text(f"{{% block {block} %}}!{names}{{{{ me.name }}}}{{% endblock %}}")
    event = replace(told(type_), source="canary", native={"x": "canary"})
    assert say(event, "en", folders=(tmp_path,), days=LATER.get(type_, 0.0)).replace(" ", "") == "!alice"


def test_a_block_that_is_not_in_it_is_said_as_it_is_shipped(tmp_path: Path) -> None:
    folder = tmp_path / "telegram" / CUSTOMERS
    folder.mkdir(parents=True)
    own = "{% extends 'shipped/customers/en.j2' %}{% block user_limited %}Empty, {{ me.name }}!{% endblock %}"
    (folder / "en.j2").write_text(own)
    assert say(told("user.limited"), "en", folders=(tmp_path,)) == "Empty, alice!"
    assert say(told("user.expired"), "en", folders=(tmp_path,)).startswith("⛔ Your plan has ended.")


@pytest.mark.parametrize("own", [f"telegram/{CUSTOMERS}", f"email/{CUSTOMERS}", CUSTOMERS])
def test_an_operators_own_words_hold_for_the_service_in_whose_folder_they_are_or_for_all(
    tmp_path: Path, own: str
) -> None:
    (tmp_path / own).mkdir(parents=True)
    base = own if (SHIPPED / own).exists() else CUSTOMERS
    text = f"{{% extends 'shipped/{base}/en.j2' %}}{{% block user_limited %}}Empty, {{{{ me.name }}}}!{{% endblock %}}"
    (tmp_path / own / "en.j2").write_text(text)
    for service in THEIR_SERVICES.values():
        blocks = blocks_of(told("user.limited"), ServiceLook(service, locale="en"), folders=(tmp_path,))
        assert (blocks[WORDS] == "Empty, alice!") is own.startswith((service.name, CUSTOMERS))
        assert set(blocks) == set(service.blocks)


@pytest.mark.parametrize(
    ("days", "en", "fa", "ru"),
    [
        (0, "in 3 days", "3 روز دیگر", "через 3 дня"),
        (2, "in 1 day", "1 روز دیگر", "через 1 день"),
        (2.5, "in 14 hours", "14 ساعت دیگر", "через 14 часов"),
        (3.06, "in less than an hour", "کمتر از یک ساعت دیگر", "меньше чем через час"),
        (-18, "in 21 days", "21 روز دیگر", "через 21 день"),
        (-8, "in 11 days", "11 روز دیگر", "через 11 дней"),
    ],
)
def test_what_is_left_is_counted_when_it_is_sent(days: float, en: str, fa: str, ru: str) -> None:
    for locale, words in (("en", en), ("fa", fa), ("ru", ru)):
        assert words in say(told("user.expiring"), locale, days=days)


def test_the_date_is_that_of_the_customers_zone() -> None:
    event = told("user.expiring", {"user": {"username": "alice", "expires_at": "2026-11-24T21:00:00Z"}})
    assert "2026-11-24" in say(event, "en")
    assert "2026-11-25" in say(event, "en", zone="Asia/Tehran")


@pytest.mark.parametrize(
    ("type_", "data", "expected"),
    [
        ("user.expiring", {"user": {"username": "a"}}, False),
        ("user.expiring", {"expiry": {"at": iso(START + timedelta(days=1))}}, True),
        ("user.expiring", {"expiry": {"at": iso(START)}}, False),
        ("user.expired_reminder", {"expiry": {"at": iso(START - timedelta(days=1))}}, True),
        ("user.expired_reminder", {"expiry": {"at": iso(START + timedelta(days=1))}}, False),
        ("user.usage_threshold", {"user": {"username": "a", "used_bytes": 5}}, False),
        ("user.usage_threshold", {"user": {"used_bytes": 5, "limit_bytes": 10}}, True),
        ("user.updated", THEIRS, False),
        ("node.connection_lost", {"node": {"name": "fra-1"}}, False),
    ],
)
def test_what_cannot_be_said_is_not_said(type_: str, data: dict[str, Any], expected: bool) -> None:
    assert is_told(told(type_, data), START) is expected


@pytest.mark.parametrize("used", range(101))
def test_every_percent_that_is_used_is_said_as_it_is(used: int) -> None:
    event = told("user.usage_threshold", {"user": {"used_bytes": used, "limit_bytes": 100}})
    assert me_of(event, at=START, zone=UTC, locale="en").percent == used


def test_nothing_is_passed_through_by_itself() -> None:
    me = me_of(
        told("user.expired", {"user": {"name": "x", "note": "y", "email": "z"}}), at=START, zone=UTC, locale="en"
    )
    given = ("locale", "zone", "several", "color")
    empty = {one.name: getattr(me, one.name) for one in fields(Me) if one.name not in given}
    assert set(empty.values()) == {"", None}


@EACH
def test_where_others_are_told_too_it_begins_with_the_name(locale: str) -> None:
    event = replace(an_event("user:<b>a", type_="user.expired"), data={"user": {"username": "<b>a"}})
    renderer, look = Renderer(folders=(), timezone=UTC, locale="en"), ServiceLook(TELEGRAM, locale=locale)
    alone, among = (
        customer_message(event, look, renderer, Customer(UTC, several=several), at=START)[0]["text"].strip("\u200f")
        for several in (False, True)
    )
    assert among.replace("\u2068", "", 1).replace("\u2069", "", 1) == f"&lt;b&gt;a: {alone}"
