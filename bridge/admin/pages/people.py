"""People: how many are known, linked, stopped; and finding one of them."""

from urllib.parse import urlencode

from bridge.admin.language import N_
from bridge.admin.people import people
from bridge.admin.people.customers import person_path
from bridge.admin.people.shapes import PersonBrief
from bridge.admin.visit import PageVariables, Visit
from bridge.store.queries.people import PeopleFilter

ON_A_PAGE, LONGEST = 50, 200
_WHICH = {PeopleFilter.ALL: N_("All"), PeopleFilter.LINKED: N_("Linked"), PeopleFilter.STOPPED: N_("Want nothing")}


def view(visit: Visit) -> PageVariables:
    customers, words = visit.state.customers, visit.language
    q, after = visit.query.get("q", "").strip()[:LONGEST], visit.query.get("after", "")
    asked = visit.query.get("which", "")
    which = PeopleFilter(asked) if asked in tuple(PeopleFilter) else PeopleFilter.ALL
    found = people.list_people(
        visit.ledger, customers, name=q.replace("\0", ""), which=which, after=after.replace("\0", "") or None,
        limit=ON_A_PAGE,
    )  # fmt: skip
    return {
        "counts": people.count_people(visit.ledger, customers, visit.state.dry_run.brands),
        "q": q,
        "which": which.value,
        "tabs": [
            {"path": _path(q, one), "title": words.say(title), "here": one is which} for one, title in _WHICH.items()
        ],
        "rows": [_row(one) for one in found.items],
        "more": _path(q, which, found.next) if found.next else None,
        "error": visit.once.take(visit.query.get("error", "")),
        "can": bool(customers.sinks),
    }


def _row(one: PersonBrief) -> PageVariables:
    return {"one": one, "path": person_path(one.key)}


def _path(q: str, which: PeopleFilter, after: str = "") -> str:
    asked = {"q": q, "which": "" if which is PeopleFilter.ALL else which.value, "after": after}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"/people?{query}" if query else "/people"
