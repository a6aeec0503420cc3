"""docs/troubleshooting.md says what the bridge says."""

import re

from bridge.admin.shapes import Fate
from bridge.admin.wording.outcomes import sentence
from bridge.delivery.customers import CLOSED, STOPPED
from bridge.delivery.earlier import NOTHING_TO_DELETE
from bridge.mute import MUTED
from bridge.people import announcement
from bridge.sinks.email.report import CAME_BACK
from bridge.store.base import Standing, State
from bridge.store.queries.told_steps import TOLD_ALREADY
from tests.pages import ROOT, named, table

PAGE = "docs/troubleshooting.md"


def fate(state: State) -> Fate:
    return Fate.model_construct(delivery=1, sink="ops", row="route 1", state=state, reason=None, cleared=None)


def test_it_knows_whatever_can_become_of_an_event() -> None:
    told = {named(row[0])[0] for row in table(PAGE, "Why did my message not arrive")}
    said = {sentence([], []), "there is no event", *(sentence([], [fate(state)]) for state in State)}
    assert {words for words in told if any(words in one for one in said)} == told
    assert [one for one in said if not any(words in one for words in told)] == []


def test_it_knows_however_a_lane_can_stand() -> None:
    told = {name for row in table(PAGE, "It waits") for name in named(row[0])}
    assert {standing.value for standing in Standing} - {Standing.OPEN.value} <= told


def test_it_knows_whatever_a_delivery_is_held_back_for() -> None:
    """Of the code every place that holds one back; `reason` is what the service said."""
    code = "\n".join(file.read_text("utf-8") for file in (ROOT / "bridge").rglob("*.py"))
    constants = {
        "CLOSED": CLOSED,
        "MUTED": MUTED,
        "NOTHING_TO_DELETE": NOTHING_TO_DELETE,
        "UNCERTAIN": announcement.UNCERTAIN,
        "unsent": announcement.ANNOUNCEMENT_STOPPED,
        "reason": "the service's own words",
        "why": "the service's own words",
    }
    made = re.findall(r"(?<!case )(?<!class )\bHeldBack\((?:f?\"([^\"{]+)|(\w+))", code)
    reasons = {literal or constants[name] for literal, name in made} | {TOLD_ALREADY}  # as it is put
    reasons |= {STOPPED, CLOSED, "wants no"}  # delivery/customers.py: unwanted
    reasons |= {CAME_BACK}  # an address is gone for that
    rows = [row[0] for row in table(PAGE, "It was held back")]
    told = [(named(row) or [row])[0] for row in rows]
    assert [reason for reason in reasons if not any(reason.startswith(words) for words in told)] == []
    assert [words for words in told if not any(reason.startswith(words) for reason in reasons)] == []
