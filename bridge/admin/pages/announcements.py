"""Announcements: what customers were told at the operator's word, and how far each is."""

from bridge.admin.language import Language
from bridge.admin.people import announcements
from bridge.admin.people.drafts import gist
from bridge.admin.people.shapes import AnnouncementNow
from bridge.admin.visit import PageVariables, Visit
from bridge.store.records import AnnouncementState

ON_A_PAGE = 20
STOPPED = (AnnouncementState.STOPPED, AnnouncementState.STOPPED_PUTTING)


def view(visit: Visit) -> PageVariables:
    before = visit.query.get("before", "")
    found = announcements.list_announcements(
        visit.ledger, limit=ON_A_PAGE + 1, before=int(before) if before.isdecimal() and len(before) < 19 else None
    )
    shown = found[:ON_A_PAGE]
    return {
        "rows": [row(one, visit) for one in shown],
        "older": f"/announcements?before={shown[-1].id}" if len(found) > ON_A_PAGE else None,
        "can": bool(visit.state.customers.sinks),
    }


def row(one: AnnouncementNow, visit: Visit) -> PageVariables:
    """What is said of one."""
    going_on = visit.under_way(announcements.errand_of(one.id))
    mark, word = state_words(one, visit.language, going_on=going_on)
    return {
        "one": one,
        "mark": mark,
        "word": word,
        "gist": gist(one.text, visit.language.code),
        "whom": whom(one, visit.language),
    }


def whom(one: AnnouncementNow, words: Language) -> list[str]:
    """Whom it was for, as people read it."""
    return [words.say("everybody") if who == "all" else who for who in one.chosen]


def state_words(one: AnnouncementNow, words: Language, *, going_on: bool) -> tuple[str, str]:
    """The mark and the word of how it stands."""
    if one.state in STOPPED:
        return "held", words.say("stopped")
    if one.state is AnnouncementState.PUTTING:
        return ("wait", words.say("being prepared")) if going_on else ("bad", words.say("interrupted"))
    return ("wait", words.say("being sent")) if one.settled < one.made else ("ok", words.say("done"))
