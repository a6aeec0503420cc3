"""The catalogs of the admin side are complete, in step with pages and code, and true to their placeholders."""

import re
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from bridge.admin.language import DOMAIN, FOLDER, language
from bridge.messages.catalog import LANGUAGES, LOCALES

TRANSLATED = [locale for locale in LOCALES if locale != "en"]
KEYWORDS: dict[str, Any] = {**DEFAULT_KEYWORDS, "N_": None, "say": None, "plural": (1, 2)}
ROOM = FOLDER.parent


def read(path: Any) -> Catalog:
    with path.open("rb") as source:
        return read_po(source)


def texts(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def translated(locale: str) -> Catalog:
    return read(FOLDER / locale / "LC_MESSAGES" / f"{DOMAIN}.po")


def forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def holes(text: str) -> set[str]:
    return set(re.findall(r"%\((\w+)\)s", text))


def found() -> dict[Any, set[str]]:
    """Every text that is marked in the room, and the files that it stands in."""
    with (ROOM / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    marked: dict[Any, set[str]] = {}
    for room in (ROOM, ROOM.parent / "sinks"):
        for name, _, text, _, _ in extract_from_dir(room, methods, options, KEYWORDS):
            marked.setdefault(text, set()).add(f"bridge/{room.name}/{name}")
    return marked


def test_every_language_of_messages_is_one_of_the_pages() -> None:
    assert set(LANGUAGES) == set(LOCALES)


def test_the_template_holds_every_text_and_says_where_it_stands() -> None:
    template = read(FOLDER / f"{DOMAIN}.pot")
    assert {message.id: {file for file, _ in message.locations} for message in texts(template)} == found()


@pytest.mark.parametrize("locale", TRANSLATED)
def test_a_catalog_translates_every_text_and_no_other(locale: str) -> None:
    catalog = translated(locale)
    assert {message.id for message in texts(catalog)} == set(found())
    assert not catalog.obsolete
    for message in texts(catalog):
        assert all(form.strip() for form in forms(message)), message.id
        assert not message.fuzzy, message.id


@pytest.mark.parametrize("locale", TRANSLATED)
def test_a_translation_has_the_placeholders_and_the_markup_of_its_text(locale: str) -> None:
    catalog = translated(locale)
    for message in texts(catalog):
        text = message.id if isinstance(message.id, str) else message.id[1]
        assert isinstance(message.id, str) or len(forms(message)) == catalog.num_plurals
        for form in forms(message):
            assert holes(form) == holes(text), message.id
            assert re.findall(r"<[^>]*>", form) == re.findall(r"<[^>]*>", text), message.id
            assert not re.search(r"%(?!\(\w+\)s)", form), message.id


@pytest.mark.parametrize(("locale", "letters"), [("fa", "[\u0600-\u06ff]"), ("ru", "[\u0400-\u04ff]")])
def test_a_translation_is_in_its_language(locale: str, letters: str) -> None:
    for message in texts(translated(locale)):
        assert all(re.search(letters, form) for form in forms(message)), message.id


@pytest.mark.parametrize(
    ("locale", "n", "said"),
    [("en", 1, "1 day"), ("en", 21, "21 days"), ("ru", 21, "21 день"), ("ru", 3, "3 дня"), ("fa", 1234, "1,234 روز")],
)
def test_what_is_counted_is_said_in_the_plural_of_the_language(locale: str, n: int, said: str) -> None:
    assert language(locale).plural("%(days)s day", "%(days)s days", n, days=f"{n:,}") == said
