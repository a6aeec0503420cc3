"""Sinks: where messages go to, and how each lane stands."""

from collections.abc import Sequence
from datetime import datetime

from bridge.admin import operations
from bridge.admin.language import Language
from bridge.admin.pages.states import lane_words
from bridge.admin.shapes import Lane
from bridge.admin.visit import PageVariables, Visit
from bridge.store.base import Standing


def view(visit: Visit) -> PageVariables:
    return variables(operations.lanes(visit.ledger, visit.state.sinks), visit.language, visit.now)


def variables(lanes: Sequence[Lane], words: Language, now: datetime) -> PageVariables:
    """A row for each lane."""
    return {"lanes": [lane_row(one, words, now) for one in lanes]}


def lane_row(lane: Lane, words: Language, now: datetime) -> PageVariables:
    """What is said of one lane."""
    stands = lane_words(words, lane, now)
    return {
        "sink": lane.sink,
        "service": lane.service or "",
        "owner": lane.owner,
        "mark": stands.mark,
        "word": stands.word,
        "when": stands.when,
        "at": stands.at,
        "waits": lane.pending + lane.waiting,
        "oldest": lane.oldest,
        "dead": lane.dead,
        "reason": lane.reason if stands.mark != "ok" else None,
        "tries": lane.enabled,
        "held": lane.enabled and lane.standing is not Standing.OPEN,
    }
