"""A sink: how its lane stands, what waits for it, what the file says of it, and the rows that lead there."""

from collections.abc import Sequence
from datetime import datetime

from bridge.admin import operations
from bridge.admin.language import N_, Language
from bridge.admin.pages.sinks import lane_row
from bridge.admin.pages.states import told, try_words
from bridge.admin.rows import row_text
from bridge.admin.shapes import EventBrief, Lane
from bridge.admin.state import ConfigState
from bridge.admin.trials.manner import duration
from bridge.admin.trials.shapes import SentTest
from bridge.admin.visit import NotThere, PageVariables, Visit
from bridge.admin.wording.advice import advice
from bridge.outcome import Rate
from bridge.sinks import SinkSettings
from bridge.sinks.settings import Retry
from bridge.store.base import State
from bridge.store.records import DeliveryQuery

WAITING, LATEST = 20, 10  # events that are shown


def view(visit: Visit) -> PageVariables:
    name = visit.path["sink"]
    lane = next((one for one in operations.lanes(visit.ledger, visit.state.sinks) if one.sink == name), None)
    if lane is None:
        raise NotThere(N_("no sink is called %(name)s"), name=name)
    waiting = DeliveryQuery(sink=name, states=(State.PENDING, State.WAITING), limit=WAITING)
    lists = [operations.events_at(visit.ledger, query) for query in (waiting, DeliveryQuery(sink=name, limit=LATEST))]
    test = visit.tests.get(name)
    found = variables(lane, lists[0], lists[1], visit.state, visit.language, visit.now, test)
    muted = [one for one in operations.mutes(visit.ledger, now=visit.now) if one.what == f"sink:{name}"]
    days = {one: operations.departures_of(visit.ledger, name, now=visit.now, days=one) for one in (1, 30)}
    return {**found, "muted": muted[0] if muted else None, "day": days[1], "month": days[30]}


def variables(
    lane: Lane,
    waiting: Sequence[EventBrief],
    latest: Sequence[EventBrief],
    state: ConfigState,
    words: Language,
    now: datetime,
    test: SentTest | None = None,
) -> PageVariables:
    """All of it; `waiting` and `latest`: the newest events that wait for it, and that were for it at all."""
    settings = state.sinks.get(lane.sink)
    return {
        "lane": lane_row(lane, words, now),
        "failures": lane.failures,
        "tested": _tested(test, lane.service, words) if test is not None else None,
        "waiting": [_line(one, lane.sink, words) for one in waiting],
        "latest": [_line(one, lane.sink, words) for one in latest],
        "settings": _settings(settings, state, words) if settings is not None else [],
        "rows": [
            {"name": name, "takes": row_text(route), "falls_back": lane.sink not in route.to}
            for name, route in state.table
            if lane.sink in (*route.to, *route.fallback)
        ],
    }


def _tested(test: SentTest, service: str | None, words: Language) -> PageVariables:
    """The last test, and what can be done about what it came to."""
    mark, word = try_words(words, test.outcome)
    return {"one": test, "mark": mark, "word": word, "advice": advice(words, service, test.reason)}


def _line(event: EventBrief, sink: str, words: Language) -> PageVariables:
    fate = [one for one in event.fates if one.sink == sink][-1]
    return {"event": event, "told": told(words, fate), "due_at": fate.due_at}


def _settings(settings: SinkSettings, state: ConfigState, words: Language) -> list[tuple[str, str]]:
    """What the file says of how it is spoken to, and nothing of where: addresses are secrets."""
    rates = settings.rate
    own = words.say("those of the service, and 10 a second")
    limit = own if rates is None else " · ".join(_rate(one, words) for one in rates)
    quiet = settings.quiet
    return [
        (words.say("Limits"), limit or words.say("none")),
        (words.say("Tried again after"), _waits(settings.retry, words) or words.say("not at all")),
        (words.say("One try may take"), duration(words, settings.timeout)),
        (words.say("Language"), settings.locale or state.locale),
        (words.say("Quiet hours"), f"{quiet.hours} · {quiet.mode}" if quiet is not None else words.say("none")),
    ]


def _waits(retry: Retry, words: Language) -> str:
    """`30 s · 2 min`, with an ellipsis where the last one repeats."""
    waits = [duration(words, one) for one in retry.waits[: retry.max_retries]]
    return " · ".join([*waits, "…"] if retry.max_retries > len(waits) else waits)


def _rate(rate: Rate, words: Language) -> str:
    """`10/s`, `30/min`, `5/10 s`."""
    return f"{rate.count}/{duration(words, rate.period).removeprefix('1 ')}"
