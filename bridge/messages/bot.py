"""What a customers' bot says to people: plain text, in their language."""

from collections.abc import Sequence

from bridge.messages.catalog import LANGUAGES, LOCALES, catalog, known, language_of
from bridge.people.heard import Answer, Button, Told, Words
from bridge.people.rules import CustomerRules
from bridge.people.wants import CATEGORIES
from bridge.vocabulary.types import N_

TEXTS = {
    Told.LINKED: N_("✅ Done! I will write to you here about %(name)s. What I tell you: /settings, not at all: /stop"),
    Told.EXPIRED: N_("This link is no longer valid. Ask for a new one."),
    Told.HELLO: N_("Hi! I tell you before your plan runs out. To connect, open your personal link."),
    Told.UNKNOWN: N_(
        "I do not know this one. Send your subscription link, or one of your configs (vless://, vmess://, trojan://, ss://),"
        " exactly as you got it."
    ),
    Told.HAS_CHAT: N_("%(name)s is connected to another chat already. A personal link moves it here: ask for one."),
    Told.MOVED: N_("Messages about %(name)s now go to another chat."),
    Told.UNLINKED: N_("Messages about %(name)s do not come here any more."),
    Told.REVOKED: N_(
        "Your link was renewed, and messages about %(name)s do not come here any more. Send me the new link or config,"
        " and they do again."
    ),
    Told.BACK: N_("Welcome back! What I tell you: /settings, not at all: /stop"),
    Told.STOPPED: N_("I will not write any more. /start turns me on again."),
    Told.SETTINGS: N_("What shall I tell you?"),
}
#: In its place where they may show what they have.
HELLO_SHOW = N_(
    "Hi! I tell you before your plan runs out. To connect, open your personal link, or send me your subscription link"
    " or one of your configs; I delete what you have sent once I have read it."
)
CATEGORY_NAMES = {"reminders": N_("Reminders"), "status": N_("Status"), "news": N_("News")}
WITH_SUPPORT = (Told.EXPIRED, Told.HELLO, Told.UNKNOWN, Told.HAS_CHAT, Told.UNLINKED, Told.REVOKED)
LONGEST_NAME = 60  # characters of a name that are said
FIRST, LAST = "\u2068", "\u2069"  # what stands between is written in its own direction


def words_of(
    answer: Answer, rules: CustomerRules, *, locale: str, support: str | None = None, shows: bool = False
) -> Words:
    """An answer in words. `locale` is the file's, for who has none that there is; `support`: where they can ask;
    `shows`: whether they may show what they have.
    """
    language = known(answer.locale) if language_of(answer.locale) in LOCALES else known(locale)
    gettext = catalog(language).gettext
    name = f"{FIRST}{answer.name[:LONGEST_NAME]}{LAST}"
    said = HELLO_SHOW if shows and answer.told is Told.HELLO else TEXTS[answer.told]
    text = gettext(said) % {"name": name}
    if support is not None and answer.told in WITH_SUPPORT:
        text += f"\n{support}"
    return Words(text, _settings(answer, rules, language) if answer.told is Told.SETTINGS else ())


def is_button(data: str) -> bool:
    """Whether that stands behind a button of ours: a program may send anything."""
    name, _, value = data.partition(":")
    return value in LANGUAGES if name == "locale" else name in CATEGORY_NAMES and value in ("on", "off")


def _settings(answer: Answer, rules: CustomerRules, language: str) -> Sequence[Sequence[Button]]:
    """A button for each category, which says what pressing it makes of it, and one for each language."""
    gettext = catalog(language).gettext
    rows = []
    for category in CATEGORIES:
        is_on = rules.is_on(category, answer.wants)
        mark, data = ("✓", "off") if is_on else ("–", "on")
        rows.append([Button(f"{mark} {gettext(CATEGORY_NAMES[category])}", f"{category}:{data}")])
    rows.append([Button(f"✓ {name}" if one == language else name, f"locale:{one}") for one, name in LANGUAGES.items()])
    return rows
