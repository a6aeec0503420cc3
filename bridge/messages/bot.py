"""What a customers' bot says to people: plain text, in their language."""

import re
from collections.abc import Sequence

from bridge.bidi import isolated
from bridge.messages.catalog import LANGUAGES, LOCALES, catalog, known, language_of
from bridge.people.chat import UNDO, UNLINK, AnswerButton, AnswerWords, BotAnswer, BotReply, button_key
from bridge.people.recipient import name_in
from bridge.people.rules import CustomerRules
from bridge.people.wants import CATEGORIES
from bridge.vocabulary.types import N_

TEXTS = {
    BotReply.LINKED: N_(
        "✅ Done! I will write to you here about %(name)s. What I tell you: /settings, not at all: /stop"
    ),
    BotReply.EXPIRED: N_("This link is no longer valid. Ask for a new one."),
    BotReply.HELLO: N_("Hi! I tell you before your plan runs out. To connect, open your personal link."),
    BotReply.UNKNOWN: N_(
        "I do not know this one. Send your subscription link, or one of your configs (vless://, vmess://, trojan://, ss://),"
        " exactly as you got it."
    ),
    BotReply.HAS_CHAT: N_("%(name)s is connected to another chat already. A personal link moves it here: ask for one."),
    BotReply.NO_PROOF: N_("What you have sent does not connect %(name)s any more. A personal link does: ask for one."),
    BotReply.MOVED: N_("Messages about %(name)s now go to another chat."),
    BotReply.UNDONE: N_("Undone. Messages about %(name)s come here again."),
    BotReply.UNDONE_STOPPED: N_("Undone. I still do not write to you: /start turns me on again."),
    BotReply.TOO_LATE: N_("This cannot be undone any more."),
    BotReply.UNLINKED: N_("Messages about %(name)s do not come here any more."),
    BotReply.REVOKED: N_(
        "Your link was renewed, and messages about %(name)s do not come here any more. Send me the new link or config,"
        " and they do again."
    ),
    BotReply.BACK: N_("Welcome back! What I tell you: /settings, not at all: /stop"),
    BotReply.STOPPED: N_("I will not write any more. /start turns me on again."),
    BotReply.SETTINGS: N_("What shall I tell you?"),
}
#: In its place where they may show what they have.
HELLO_SHOW = N_(
    "Hi! I tell you before your plan runs out. To connect, open your personal link, or send me your subscription link"
    " or one of your configs; I delete what you have sent once I have read it."
)
CATEGORY_NAMES = {"reminders": N_("Reminders"), "status": N_("Status"), "news": N_("News")}
NOT_ME, DISCONNECT = N_("That was not me"), N_("Disconnect %(name)s")
WITH_SUPPORT = (
    *(
        BotReply.EXPIRED,
        BotReply.HELLO,
        BotReply.UNKNOWN,
        BotReply.HAS_CHAT,
        BotReply.NO_PROOF,
        BotReply.UNLINKED,
        BotReply.REVOKED,
    ),
    BotReply.TOO_LATE,
)
LONGEST_NAME = 60  # characters of a name that are said
MOST_NAMED = 10  # customers of one chat that have a button of their own


def words_of(
    answer: BotAnswer, rules: CustomerRules, *, locale: str, support: str | None = None, shows: bool = False
) -> AnswerWords:
    """An answer in words. `locale` is the file's, for who has none that there is; `support`: where they can ask;
    `shows`: whether they may show what they have.
    """
    language = known(answer.locale) if language_of(answer.locale) in LOCALES else known(locale)
    gettext = catalog(language).gettext
    name = _isolated(answer.name)
    said = HELLO_SHOW if shows and answer.told is BotReply.HELLO else TEXTS[answer.told]
    text = gettext(said) % {"name": name}
    if support is not None and answer.told in WITH_SUPPORT:
        text += f"\n{support}"
    return AnswerWords(text, _buttons(answer, rules, language))


def _isolated(name: str) -> str:
    return isolated(name[:LONGEST_NAME])


def is_button(data: str) -> bool:
    """Whether that stands behind a button of ours: a program may send anything."""
    name, _, value = data.partition(":")
    if name in (UNDO, UNLINK):
        return re.fullmatch("[0-9a-f]{16}", value) is not None
    return value in LANGUAGES if name == "locale" else name in CATEGORY_NAMES and value in ("on", "off")


def _buttons(answer: BotAnswer, rules: CustomerRules, language: str) -> Sequence[Sequence[AnswerButton]]:
    match answer.told:
        case BotReply.SETTINGS:
            return _settings(answer, rules, language)
        case BotReply.MOVED:
            gettext = catalog(language).gettext
            return [[AnswerButton(gettext(NOT_ME), f"{UNDO}:{button_key(key)}")] for key in answer.persons]
        case _:
            return ()


def _settings(answer: BotAnswer, rules: CustomerRules, language: str) -> Sequence[Sequence[AnswerButton]]:
    """A button for each category, which says what pressing it makes of it, one for each language, and one for each
    customer whose chat it is, which ends that.
    """
    gettext = catalog(language).gettext
    rows = []
    for category in CATEGORIES:
        is_on = rules.is_on(category, answer.wants)
        mark, data = ("✓", "off") if is_on else ("–", "on")
        rows.append([AnswerButton(f"{mark} {gettext(CATEGORY_NAMES[category])}", f"{category}:{data}")])
    rows.append(
        [AnswerButton(f"✓ {name}" if one == language else name, f"locale:{one}") for one, name in LANGUAGES.items()]
    )
    for key in answer.persons[:MOST_NAMED]:
        text = gettext(DISCONNECT) % {"name": _isolated(name_in(key))}
        rows.append([AnswerButton(text, f"{UNLINK}:{button_key(key)}")])
    return rows
