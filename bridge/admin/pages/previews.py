"""How a message looks: figures for the pages that show it."""

import json
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from bridge.admin.language import N_, Language
from bridge.admin.rows import table_rows
from bridge.admin.shapes import Explanation
from bridge.admin.state import ConfigState
from bridge.admin.trials.preview import preview
from bridge.admin.trials.shapes import MeasureShape, Previewed
from bridge.admin.visit import PageVariables, Visit
from bridge.intake import Destination
from bridge.messages.catalog import LOCALES
from bridge.store.queries.records import event as stored_event
from bridge.terms import Terms
from bridge.value import Value

#: How full a message is, in words.
MEASURES = {
    "blocks": N_("%(used)s of %(limit)s blocks"),
    "buttons": N_("%(used)s of %(limit)s buttons"),
    "bytes": N_("%(used)s of %(limit)s bytes"),
    "characters": N_("%(used)s of %(limit)s characters"),
    "components": N_("%(used)s of %(limit)s components"),
    "fields": N_("%(used)s of %(limit)s fields"),
    "subject": N_("%(used)s of %(limit)s characters of the subject"),
    "title": N_("%(used)s of %(limit)s characters of the title"),
}


class Figure(Value):
    """A message as its service draws it. `full`: what it has least room left of; `request`: as it goes out."""

    sink: str
    service: str
    drawn: Markup
    full: str
    fault: str | None
    request: str


def figures(previews: Iterable[Previewed], state: ConfigState, words: Language) -> Sequence[Figure]:
    """What is shown of previews that were drawn."""
    return [_figure(one, state, words) for one in previews]


def looks_of(visit: Visit, event: Explanation) -> PageVariables:
    """How a stored event looks where it was sent, in the language that is asked for or each sink's own."""
    wanted = visit.query.get("look")
    locale = wanted if wanted in LOCALES else None
    return {"looks": figures(_previews(visit, event, locale), visit.state, visit.language), "look": locale}


def _previews(visit: Visit, event: Explanation, locale: str | None) -> Iterable[Previewed]:
    ready, stored = visit.state.dry_run, visit.ledger.read(stored_event, event.id)
    if stored is None:
        return
    whole, rows = stored[0], table_rows(stored[1])
    places = {fate.sink: (fate.row, fate.brand) for fate in event.fates if fate.sink in ready.sinks}
    for sink, (row, brand) in places.items():
        to = Destination(sink, row, rows[row].template if row in rows else None, Terms(brand=brand))
        found = preview(
            whole, ready.sink(sink), ready.renderer, at=event.received_at, locale=locale, to=to, rules=ready.rules
        )
        yield found.shape(ready.zone)


def _figure(one: Previewed, state: ConfigState, words: Language) -> Figure:
    settings = state.dry_run.sinks[one.sink]
    beside = one.request if one.service else None  # a program's is what is drawn
    request = json.dumps(beside.to_json(), ensure_ascii=False, indent=2) if beside else ""
    html = Markup(one.html)  # noqa: S704 a drawing is safe as it is: bridge/markup/html.py
    return Figure(one.sink, one.service or settings.type, html, _full(one.measures, words), one.fault, request)


def _full(measures: Sequence[MeasureShape], words: Language) -> str:
    """What it has least room left of."""
    if not measures:
        return ""
    least = max(measures, key=lambda one: one.used / one.limit)
    return words.say(MEASURES[least.name], used=f"{least.used:,}", limit=f"{least.limit:,}")
