"""Who speaks stands under what customers are told, in their language, with where they renew and find help."""

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.delivery.attempt import Customer, customer_message
from bridge.event import Event
from bridge.markup.service import Service, ServiceLook
from bridge.messages.catalog import LOCALES
from bridge.messages.customer import TOLD, WORDS
from bridge.messages.renderer import Renderer
from bridge.people.announcement import announcement
from bridge.people.brand import NO_BRAND, Brand
from bridge.sinks.email.service import EMAIL
from bridge.sinks.telegram.service import TELEGRAM
from tests.fakes import START
from tests.messages.test_customer import LATER, ON_EACH, told

UTC = ZoneInfo("UTC")
SEVEN = Brand(name="Seven & Net", support="https://t.me/seven_help", renew="https://seven.example/renew")
UNDER = {
    "en": 'Renew</a> · <a href="https://t.me/seven_help">Help</a>',
    "fa": 'تمدید</a> · <a href="https://t.me/seven_help">راهنمایی</a>',
    "ru": 'Продлить</a> · <a href="https://t.me/seven_help">Помощь</a>',
}


def said(
    event: Event, brand: Brand, locale: str, *, service: Service = TELEGRAM, folders: tuple[Path, ...] = ()
) -> tuple[str, str | None]:
    """What is told, and what went wrong with its template."""
    renderer, days = Renderer(folders=folders, timezone=UTC, locale="en"), LATER.get(event.type, 0.0)
    customer = Customer(UTC, brand=brand)
    at = START + timedelta(days=days)
    message, fault = customer_message(event, ServiceLook(service, locale=locale), renderer, customer, at=at)
    return message.blocks[WORDS].strip("\u200f"), fault


@pytest.mark.parametrize("type_", sorted(TOLD))
@pytest.mark.parametrize("locale", LOCALES)
@ON_EACH
def test_under_the_words_of_each_type_stands_who_speaks(service: Service, type_: str, locale: str) -> None:
    words, _ = said(told(type_), NO_BRAND, locale, service=service)
    found, fault = said(told(type_), SEVEN, locale, service=service)
    assert fault is None
    name = "\u2068Seven &amp; Net\u2069" if locale == "fa" else "Seven &amp; Net"
    under = f'{name} · <a href="https://seven.example/renew">{UNDER[locale]}'
    assert found == f"{words}\n\n{under}"


@pytest.mark.parametrize(
    ("brand", "under"),
    [
        (Brand(), ""),
        (Brand(support="https://t.me/x", renew="https://x.example"), ""),
        (Brand(name="Seven"), "\n\nSeven"),
        (Brand(name="Seven", renew="https://x.example"), '\n\nSeven · <a href="https://x.example">Renew</a>'),
        (Brand(name="Seven", support="https://t.me/x"), '\n\nSeven · <a href="https://t.me/x">Help</a>'),
        (Brand(name="Seven", support="mailto:a@b.example"), "\n\nSeven"),
    ],
)
def test_what_nobody_says_of_itself_is_not_said_for_it(brand: Brand, under: str) -> None:
    words, _ = said(told("user.expired"), NO_BRAND, "en")
    assert said(told("user.expired"), brand, "en") == (words + under, None)


@pytest.mark.parametrize("service", [TELEGRAM, EMAIL], ids=lambda one: one.name)
def test_a_brands_own_words_come_before_the_files_and_where_they_have_none_those_come(
    tmp_path: Path, service: Service
) -> None:
    for name, text in {"mine": "ours", "seven": "{{ brand.name }} says it to {{ me.name }}"}.items():
        (tmp_path / name / "customers").mkdir(parents=True)
        block = "user_limited" if name == "mine" else "user_expired"
        source = f'{{% extends "shipped/customers/en.j2" %}}{{% block {block} %}}{text}{{% endblock %}}'
        (tmp_path / name / "customers" / "en.j2").write_text(source)
    folders, seven = (tmp_path / "mine",), Brand(name="Seven", templates=tmp_path / "seven")
    plain = Brand(name="Plain")
    found = {
        (brand.name, type_): said(told(type_), brand, "en", service=service, folders=folders)[0].partition("\n")[0]
        for brand in (seven, plain)
        for type_ in ("user.expired", "user.limited")
    }
    assert found["Seven", "user.expired"] == "Seven says it to alice"
    assert found["Plain", "user.expired"] == said(told("user.expired"), NO_BRAND, "en", service=service)[0]
    assert found["Plain", "user.limited"] == "ours"
    assert found["Seven", "user.limited"] == said(told("user.limited"), NO_BRAND, "en", service=service)[0]
    assert said(told("user.expired"), plain, "ru", service=service, folders=folders)[1] is None


def test_a_brands_template_that_fails_gives_way_to_the_shipped_one_under_the_brands_name(tmp_path: Path) -> None:
    (tmp_path / "customers").mkdir()
    (tmp_path / "customers" / "en.j2").write_text(
        "{% block user_expired %}{{ 1 // brand.name|length * (1 // 0) }}{% endblock %}"
    )
    found, fault = said(told("user.expired"), SEVEN.model_copy(update={"templates": tmp_path}), "en")
    assert found == said(told("user.expired"), SEVEN, "en")[0]
    assert fault is not None
    assert "customers/en.j2:1" in fault


def test_an_announcement_is_told_under_the_brands_name_and_may_speak_of_it() -> None:
    event = announcement("alice", "{{ brand.name }} works on it, {{ me.name }}: {{ brand.support }}", START)
    found, fault = said(event, Brand(name="Seven"), "en")
    assert (found, fault) == ("Seven works on it, alice:\n\nSeven", None)


def test_a_brands_words_are_those_of_when_the_renderer_was_made(tmp_path: Path) -> None:
    words = tmp_path / "customers" / "en.j2"
    words.parent.mkdir()
    words.write_text("{% block user_expired %}as it was{% endblock %}")
    renderer = Renderer(folders=(), timezone=UTC, locale="en", brands=[tmp_path])
    words.write_text("{% block user_expired %}half")
    message, fault = customer_message(
        told("user.expired"), ServiceLook(TELEGRAM), renderer, Customer(UTC, brand=Brand(templates=tmp_path)), at=START
    )
    assert (message.blocks[WORDS], fault) == ("as it was", None)
