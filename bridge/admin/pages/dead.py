"""Dead letters: what was given up, by its cause, to be sent again or put away; and what was not understood."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

from bridge.admin import operations
from bridge.admin.language import N_, Language
from bridge.admin.shapes import DeadGroup, SetAside
from bridge.admin.visit import PageVariables, Visit
from bridge.admin.wording.advice import advice
from bridge.sinks import SinkSettings
from bridge.store.base import Cleared
from bridge.store.queries.dead import MOST
from bridge.value import Value, field

ASK_ABOVE = 20  # messages that are sent without being asked once more
MOST_ASIDE = 50
MOST_TYPES = 5
LONGEST = 2000  # characters of what was not understood that are shown


class Tab(Value):
    """`cleared` is how its groups were dealt with; `empty` what is said where there are none."""

    title: str
    empty: str
    cleared: Cleared | None = None


_TABS: Mapping[str, Tab] = {
    "": Tab(N_("To look at"), N_("Nothing was given up.")),
    "again": Tab(N_("Sent again"), N_("Nothing was sent again of late."), Cleared.REPLAYED),
    "away": Tab(N_("Put away"), N_("Nothing was put away of late."), Cleared.DISMISSED),
    "aside": Tab(N_("Not understood"), N_("Everything was understood.")),
}


class Letters(Value):
    """What the page shows: the groups of a tab, or what was set aside."""

    tab: str
    groups: Sequence[DeadGroup] = ()
    aside: Sequence[SetAside] = ()
    query: Mapping[str, str] = field(default_factory=dict)


def view(visit: Visit) -> PageVariables:
    tab = visit.query.get("tab", "")
    tab = tab if tab in _TABS else ""
    if tab == "aside":
        letters = Letters(tab, aside=operations.set_aside(visit.ledger, limit=MOST_ASIDE), query=visit.query)
    else:
        letters = Letters(tab, operations.dead_groups(visit.ledger, _TABS[tab].cleared), query=visit.query)
    return variables(letters, visit.state.sinks, visit.language)


def variables(letters: Letters, sinks: Mapping[str, SinkSettings], words: Language) -> PageVariables:
    """A row for each group, the newest first."""
    return {
        "title": _title(letters.tab, sum(_of_sinks(letters.groups).values()), words),
        "tabs": [
            {
                "path": f"/dead?tab={name}" if name else "/dead",
                "title": words.say(tab.title),
                "here": name == letters.tab,
            }
            for name, tab in _TABS.items()
        ],
        "tab": letters.tab,
        "groups": [_group(one, sinks, letters, words) for one in letters.groups],
        "aside": [_aside(one) for one in letters.aside],
        "empty": words.say(_TABS[letters.tab].empty),
        "most": _most(letters),
        "done": notice_of(letters.query, words),
    }


def _of_sinks(groups: Sequence[DeadGroup]) -> Mapping[str, int]:
    """Sink → how many of it there are, looked through or not."""
    return {one.sink: one.of_sink for one in groups}


def _most(letters: Letters) -> int:
    """How many were looked through of a sink that has more; 0 where there is none."""
    if letters.tab:
        return MOST if sum(one.count for one in letters.groups) >= MOST else 0
    seen = Counter[str]()
    for one in letters.groups:
        seen[one.sink] += one.count
    return max((seen[sink] for sink, number in _of_sinks(letters.groups).items() if seen[sink] < number), default=0)


def _title(tab: str, number: int, words: Language) -> str:
    if tab or not number:
        return words.say("Dead letters")
    return words.plural("One message was given up", "%(n)s messages were given up", number)


def _group(group: DeadGroup, sinks: Mapping[str, SinkSettings], letters: Letters, words: Language) -> PageVariables:
    settings = sinks.get(group.sink)
    types = sorted(group.types.items(), key=lambda one: -one[1])
    return {
        "group": group,
        "service": settings.type if settings else "",
        "known": settings is not None,
        "types": types[:MOST_TYPES],
        "more_types": max(0, len(types) - MOST_TYPES),
        "advice": advice(words, settings.type if settings else None, group.reason) if not letters.tab else "",
        "ask_first": group.count > ASK_ABOVE,
        "asked": letters.query.get("ask") == group.key,
    }


def _aside(one: SetAside) -> PageVariables:
    element = json.dumps(one.element, ensure_ascii=False, indent=2)
    return {"aside": one, "element": element if len(element) <= LONGEST else f"{element[:LONGEST]}…"}


def notice_of(query: Mapping[str, str], words: Language) -> str:
    """What was done a moment ago, and what has come since."""
    number, later = (_number(query.get(name, "")) for name in ("n", "later"))
    match query.get("done"):
        case "sent":
            done = words.plural("Sent one again.", "Sent %(n)s again.", number)
        case "away":
            done = words.plural("Put one away.", "Put %(n)s away.", number)
        case "back":
            done = words.plural("One is here to look at again.", "%(n)s are here to look at again.", number)
        case _:
            return ""
    if not number:
        done = words.say("Nothing of it was left: somebody has dealt with it.")
    since = words.plural(
        "One more has come since; it is still here.", "%(n)s more have come since; they are still here.", later
    )
    return f"{done} {since}" if later else done


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
