"""Routes: the table in force, row by row, and what each has taken."""

from bridge.admin import operations
from bridge.admin.idle_rows import IdleRow
from bridge.admin.language import Language
from bridge.admin.rows import row_text
from bridge.admin.shapes import RowCounts
from bridge.admin.state import ConfigState
from bridge.admin.trials.manner import duration
from bridge.admin.visit import PageVariables, Visit
from bridge.routing import Route


def view(visit: Visit) -> PageVariables:
    table = visit.state.table
    counts = operations.table_counts(visit.ledger, table, now=visit.now)
    nowhere = operations.gone_nowhere(visit.ledger, now=visit.now)
    idle = operations.idle_rows(visit.ledger, table, visit.state.places, counts, now=visit.now)
    places = [f"{visit.state.file.name}:{one.line}" for one in visit.state.places] or [""] * len(table)
    rows = [
        {**_row(name, route, one, visit.state, visit.language), "place": place, **_idle(idle.get(name), visit.language)}
        for (name, route), one, place in zip(table, counts, places, strict=True)
    ]
    return {"rows": rows, "nowhere": nowhere}


def _idle(idle: IdleRow | None, words: Language) -> PageVariables:
    if idle is None:
        return {"idle_since": None}
    return {"idle_since": idle.since, "hint": idle.say(words), "doubts": idle.doubts}


def _row(name: str, route: Route, counts: RowCounts, state: ConfigState, words: Language) -> PageVariables:
    return {
        "name": name,
        "takes": row_text(route),
        "to": [(sink, state.sinks[sink].enabled if sink in state.sinks else False) for sink in route.to],
        "manner": _manner(route, words),
        "counts": counts,
    }


def _manner(route: Route, words: Language) -> list[str]:
    """How it has things told, where that is not simply at once."""
    said = [words.say("template %(name)s", name=route.template)] if route.template else []
    terms = route.terms()
    if terms is None:
        return said
    if terms.hold:
        said.append(words.say("held for %(time)s", time=duration(words, terms.hold)))
    if terms.digest:
        said.append(words.say("collected for %(time)s", time=duration(words, terms.digest.window)))
    if terms.quiet:
        said.append(words.say("quiet %(hours)s, %(mode)s", hours=terms.quiet.hours, mode=terms.quiet.mode))
    if terms.update:
        said.append(words.say("follows up on the message before"))
    if terms.fallback:
        said.append(words.say("else to %(sinks)s", sinks=", ".join(terms.fallback)))
    return said
