"""Translations: one gettext catalog per language, read from its .po file when first needed."""

from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Literal, get_args

#: The languages that messages are written in. English needs no catalog: the texts themselves are English.
Locale = Literal["en", "fa", "ru"]
LOCALES: tuple[str, ...] = get_args(Locale)
#: What each language calls itself: in its own words, for whoever cannot read the others.
LANGUAGES = {"en": "English", "fa": "فارسی", "ru": "Русский"}
RIGHT_TO_LEFT = frozenset({"fa"})

DOMAIN = "panelbridge"
FOLDER = Path(__file__).parent / "locale"


def language_of(locale: str) -> str:
    """`fa` for fa, fa_IR and fa-IR."""
    return locale.replace("-", "_").partition("_")[0].lower()


def known(locale: str) -> str:
    """The language of `locale` that we have; English for what we lack."""
    language = language_of(locale)
    return language if language in LOCALES else "en"


@cache
def catalog(language: str) -> NullTranslations:
    """The texts of one of LOCALES."""
    if language == "en":
        return NullTranslations()
    from babel.messages.mofile import write_mo  # 6 MB: only who reads another language pays for it
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with (FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
