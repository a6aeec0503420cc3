"""The catalogs are complete, in step with the code and the templates, and true to their placeholders."""

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from bridge.messages.catalog import DOMAIN, FOLDER, LOCALES
from bridge.messages.renderer import SHIPPED

TRANSLATED = [locale for locale in LOCALES if locale != "en"]


def read(file: Path) -> Catalog:
    with file.open("rb") as source:
        return read_po(source)


def texts(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def translated(locale: str) -> Catalog:
    return read(FOLDER / locale / "LC_MESSAGES" / f"{DOMAIN}.po")


TEMPLATE = read(FOLDER / f"{DOMAIN}.pot")


def forms(message: Message) -> list[str]:
    """Every form of the translation, as one text has one and a plural several."""
    return [message.string] if isinstance(message.string, str) else list(message.string)


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


def found() -> dict[Any, set[str]]:
    """Every text that is marked in the code and the templates, and the files that it stands in."""
    with (FOLDER.parent / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    marked: dict[Any, set[str]] = {}
    for folder in (FOLDER.parents[1], SHIPPED):
        for name, _, text, _, _ in extract_from_dir(folder, methods, options, {**DEFAULT_KEYWORDS, "N_": None}):
            marked.setdefault(text, set()).add(f"{folder.name}/{name}")
    return marked


def test_the_template_holds_every_text_of_the_code_and_the_templates_and_says_where_it_stands() -> None:
    assert {message.id: {file for file, _ in message.locations} for message in texts(TEMPLATE)} == found()


@pytest.mark.parametrize("locale", TRANSLATED)
def test_a_catalog_translates_every_text_and_no_other(locale: str) -> None:
    catalog = translated(locale)
    assert {message.id for message in texts(catalog)} == {message.id for message in texts(TEMPLATE)}
    assert not catalog.obsolete
    for message in texts(catalog):
        assert all(form.strip() for form in forms(message)), message.id
        assert not message.fuzzy, message.id


@pytest.mark.parametrize("locale", TRANSLATED)
def test_a_translation_has_the_placeholders_of_its_text(locale: str) -> None:
    catalog = translated(locale)
    for message in texts(catalog):
        text = message.id if isinstance(message.id, str) else message.id[1]
        assert isinstance(message.id, str) or len(forms(message)) == catalog.num_plurals
        for form in forms(message):
            assert placeholders(form) == placeholders(text), message.id
            assert not re.search(r"%(?!\(\w+\)s)", form), message.id


@pytest.mark.parametrize("locale", TRANSLATED)
def test_a_translation_is_no_markup_in_any_service(locale: str) -> None:
    for message in texts(translated(locale)):
        assert not any(re.search(r"[<>&*_~`|\[\]\\@#]", form) for form in forms(message)), message.id


@pytest.mark.parametrize(("locale", "letters"), [("fa", "[\u0600-\u06ff]"), ("ru", "[\u0400-\u04ff]")])
def test_a_translation_is_in_its_language(locale: str, letters: str) -> None:
    for message in texts(translated(locale)):
        assert message.id in ("Telegram ID", "ID") or all(re.search(letters, form) for form in forms(message)), (
            message.id
        )
