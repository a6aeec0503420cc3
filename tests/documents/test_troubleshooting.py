"""docs/troubleshooting.md says what the bridge says."""

from bridge.admin.shapes import Fate
from bridge.admin.words import sentence
from bridge.store.base import Standing, State
from tests.pages import named, table

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
