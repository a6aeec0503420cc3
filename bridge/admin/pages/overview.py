"""Overview: whether it works, what needs somebody, and what came in last."""

from datetime import datetime
from urllib.parse import quote

from bridge.admin import operations
from bridge.admin.language import Language
from bridge.admin.pages import events, sinks
from bridge.admin.pages.events import EventQuery
from bridge.admin.shapes import Lane
from bridge.admin.state import ConfigState
from bridge.admin.status import Need, NeedKind, Status
from bridge.admin.visit import PageVariables, Visit
from bridge.admin.wording.status import say_need, say_verdict
from bridge.store.base import Standing

WAITING = (NeedKind.PARKED, NeedKind.AWAY, NeedKind.BEHIND)  # for these, messages wait

#: Where more of a kind is listed; else with the sinks.
_MORE = {NeedKind.DEAD: "/dead", NeedKind.SILENT: "/events"}


def view(visit: Visit) -> PageVariables:
    state = visit.state
    status = operations.status(
        visit.ledger,
        state.sinks,
        sources=state.sources,
        now=visit.now,
        rejected=state.rejected,
        trouble=visit.trouble,
    )
    charts = {
        "arrived": operations.arrivals(visit.ledger, now=visit.now),
        "departed": operations.departures(visit.ledger, now=visit.now),
    }
    return {**variables(status, state, visit.language, visit.now), **charts}


def variables(status: Status, state: ConfigState, words: Language, now: datetime) -> PageVariables:
    """The verdict, a row for each need, the figures, and the tables of the sinks and of the latest events."""
    return {
        "status": status,
        "verdict": say_verdict(words, status),
        "needs": [_need(one, words) for one in status.needs],
        "more": next((_MORE.get(one, "/sinks") for one in status.more_kinds), None),
        "flowing": sum(_flows(one) for one in status.sinks),
        "wanted": sum(one.enabled for one in status.sinks),
        "lanes": sinks.variables(status.sinks, words, now)["lanes"],
        "rows": _rows(status, state, words),
    }


def _rows(status: Status, state: ConfigState, words: Language) -> object:
    return events.variables(status.latest, EventQuery(), state, words)["rows"]


def _flows(lane: Lane) -> bool:
    return lane.enabled and lane.standing is Standing.OPEN


def _need(need: Need, words: Language) -> PageVariables:
    said = say_need(words, need)
    return {
        "mark": said.mark,
        "title": said.title,
        "todo": said.todo,
        "evidence": need.evidence,
        "line": need.line,
        "since": need.since,
        "until": need.until if need.kind is NeedKind.DEAD else None,
        "waits": need.count if need.kind in WAITING else 0,
        "resume": f"/sinks/{quote(need.sink or '')}/resume" if need.kind in (NeedKind.PARKED, NeedKind.AWAY) else None,
        "look": _look(need),
    }


def _look(need: Need) -> str | None:
    if need.kind is NeedKind.BROKEN_FILE:
        return "/settings"
    if need.group is not None:
        return f"/dead#g-{need.group.key}"
    if need.kind is NeedKind.SILENT:
        return f"/events?source={quote(need.source or '')}"
    return f"/events?state=waiting&sink={quote(need.sink or '')}" if need.kind is NeedKind.BEHIND else None
