"""The languages of the admin side, and which of them somebody gets."""

from collections.abc import Iterator
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from bridge.messages.catalog import LOCALES, RIGHT_TO_LEFT, known

DOMAIN = "admin"
FOLDER = Path(__file__).parent / "locale"
ACCEPTED = 20  # languages of a browser that are looked at


def N_(text: str) -> str:  # noqa: N802
    """Marks a text for the catalog; it is translated where it is shown."""
    return text


class Language:
    """The words of one language. `say` and `plural` fill in `%(name)s`."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.direction = "rtl" if code in RIGHT_TO_LEFT else "ltr"
        self.catalog = _catalog(code)

    def say(self, text: str, **values: object) -> str:
        translated = self.catalog.gettext(text)
        return translated % values if values else translated

    def plural(self, one: str, many: str, n: int, **values: object) -> str:
        """What is said of `n` things; `%(n)s` is how many."""
        return self.catalog.ngettext(one, many, n) % {"n": f"{n:,}", **values}


@cache
def language(code: str) -> Language:
    """One of LOCALES."""
    return Language(code)


def chosen_language(wanted: str | None, accepted: str, locale: str) -> str:
    """What was chosen; else the first of the browser's that we have; else the file's."""
    if wanted in LOCALES:
        return wanted
    return next((one for one in _accepted(accepted) if one in LOCALES), known(locale))


def _accepted(header: str) -> Iterator[str]:
    """The languages of an Accept-Language, the dearest first."""
    weighed = []
    for place, part in enumerate(header.split(",")[:ACCEPTED]):
        name, _, weight = part.partition(";q=")
        try:
            weighed.append((-float(weight or 1), place, name.strip().partition("-")[0].lower()))
        except ValueError:
            continue
    yield from (name for _, _, name in sorted(weighed))


@cache
def _catalog(code: str) -> NullTranslations:
    if code == "en":
        return NullTranslations()
    from babel.messages.mofile import write_mo  # 6 MB: only who reads another language pays for it
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with (FOLDER / code / "LC_MESSAGES" / f"{DOMAIN}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return GNUTranslations(compiled)
