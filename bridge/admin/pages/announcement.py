"""An announcement: how far it is, who has it, who has not and why."""

from bridge.admin.language import N_
from bridge.admin.pages.announcements import STOPPED, row
from bridge.admin.pages.previews import figures
from bridge.admin.pages.states import state_words
from bridge.admin.people import announcements
from bridge.admin.people.customers import parts_of, person_path
from bridge.admin.people.drafts import drawn
from bridge.admin.visit import NotThere, PageVariables, Visit
from bridge.errors import UnknownName
from bridge.store.base import State
from bridge.store.records import AnnouncementState

ON_A_PAGE = 50
EXAMPLE = "alice"  # whose name stands in what is drawn
UNCERTAIN = "uncertain"
NONE = N_("there is no announcement %(id)s")
_WHO = {
    "": N_("all"),
    "delivered": N_("have it"),
    "waiting": N_("wait"),
    "held_back": N_("held back"),
    "dead": N_("given up"),
    UNCERTAIN: N_("uncertain"),
}
_STATES = {
    "delivered": (State.DELIVERED,),
    "waiting": announcements.WAITING,
    "held_back": (State.HELD_BACK,),
    "dead": (State.DEAD,),
}


def view(visit: Visit) -> PageVariables:
    text = visit.path["announcement"]
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotThere(NONE, id=text)
    id_, words = int(text), visit.language
    try:
        record = announcements.record_of(visit.ledger, id_)
    except UnknownName:
        raise NotThere(NONE, id=id_) from None
    one = announcements.announcement_now(visit.ledger, record)
    state, after = visit.query.get("state", ""), visit.query.get("after", "")
    state = state if state in _WHO else ""
    found = announcements.announced_people(
        visit.ledger,
        id_,
        limit=ON_A_PAGE,
        after=int(after) if after.isdecimal() and len(after) < 19 else 0,
        states=_STATES.get(state, ()),
        uncertain=state == UNCERTAIN,
    )
    path = f"/announcements/{id_}"
    going_on = visit.under_way(announcements.errand_of(id_))
    looks = drawn(visit.state.dry_run, record, EXAMPLE, now=record.at)
    return {
        **row(one, visit),
        "left": one.made - one.settled,
        "outcomes": [{"one": each, "told": state_words(words, each.state)} for each in one.outcomes],
        "uncertain": sum(each.people for each in one.outcomes if each.reason == announcements.UNCERTAIN),
        "tabs": [
            {"path": f"{path}?state={name}" if name else path, "title": words.say(title), "here": name == state}
            for name, title in _WHO.items()
        ],
        "people": [
            {
                "one": each,
                "told": state_words(words, each.state),
                "name": parts_of(each.key)[2],
                "path": person_path(each.key),
            }
            for each in found.items
        ],
        "more": f"{path}?state={state}&after={found.next}" if found.next else None,
        "looks": figures([look.shape(visit.state.zone) for look in looks], visit.state, words),
        "can_retry": visit.may_act and one.state not in STOPPED,
        "can_stop": one.state not in STOPPED and (one.settled < one.counted),
        "can_go_on": one.state in STOPPED or (one.state is AnnouncementState.PUTTING and not going_on),
        "path": path,
    }
