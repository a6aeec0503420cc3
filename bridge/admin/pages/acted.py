"""What people did, in the words of the pages: with which action, what the log said of it, and who it was.

In English they are the log's own words, so that what stands here is found there.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from bridge.admin.language import N_, Language
from bridge.admin.pages.states import try_words
from bridge.admin.shapes import Audited
from bridge.admin.visit import PageVariables
from bridge.admin.wording.isolates import isolated

_ACTIONS = {
    *(N_("reload"), N_("resume"), N_("test"), N_("replay"), N_("dismiss"), N_("restore"), N_("mute"), N_("unmute")),
    *(N_("prefs"), N_("link"), N_("forget"), N_("people import"), N_("people export"), N_("report"), N_("announce")),
    *(N_("announce stop"), N_("announce resume"), N_("announce retry")),
}
_NAMES = {
    *(N_("sink"), N_("sinks"), N_("held"), N_("outcome"), N_("status"), N_("reason"), N_("deliveries"), N_("later")),
    *(N_("what"), N_("until"), N_("event_id"), N_("delivery"), N_("events"), N_("key"), N_("wants"), N_("revoked")),
    *(N_("unlinked"), N_("freed"), N_("announcement"), N_("people"), N_("category"), N_("name"), N_("bytes")),
}
_WHO = {
    "token": N_("token at %(address)s"),
    "session": N_("session at %(address)s"),
    "open": N_("open at %(address)s"),
}
_AT = re.compile(r"(token|session|open) at (.+)", re.DOTALL)
_COMMAND = re.compile(r"(.+) \(command\)", re.DOTALL)


def acted(words: Language, one: Audited) -> PageVariables:
    """One line of the audit."""
    return {
        "at": one.at,
        "action": words.say(one.action) if one.action in _ACTIONS else one.action,
        "detail": [_fact(words, name, value) for name, value in one.detail.items()],
        "who": one.who,
    }


def actor(words: Language, who: str) -> str:
    """Who did something, from `who_acts` or from the name of who typed a command."""
    if found := _AT.fullmatch(who):
        return words.say(_WHO[found[1]], address=isolated(words, found[2]))
    if found := _COMMAND.fullmatch(who):
        return words.say(N_("%(name)s (command)"), name=isolated(words, found[1]))
    return words.say(N_("command")) if who == "command" else isolated(words, who)


def _fact(words: Language, name: str, value: object) -> PageVariables:
    """What is said of it under one name: a time for itself, for the page writes times in its own way."""
    said = words.say(name) if name in _NAMES else isolated(words, name)
    if name == "until" and (at := _moment(value)) is not None:
        return {"words": said, "at": at}
    return {"words": f"{said} {_value(words, name, value)}", "at": None}


def _moment(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _value(words: Language, name: str, value: object) -> str:
    if isinstance(value, bool):
        return words.say(N_("yes")) if value else words.say(N_("no"))
    if isinstance(value, Mapping):
        parts = (f"{key}: {_value(words, key, each)}" for key, each in value.items() if each is not None)
        return isolated(words, ", ".join(parts))
    if isinstance(value, list):
        return isolated(words, ", ".join(map(str, value)))
    return try_words(words, value)[1] if name == "outcome" and isinstance(value, str) else isolated(words, str(value))
