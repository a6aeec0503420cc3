"""What takes itself back."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.queue import opposite_pairs
from bridge.store.base import Delivery
from bridge.terms import Terms
from tests.fakes import START, an_event

LOST, RESTORED, UPDATED = "node.connection_lost", "node.connection_restored", "node.updated"
HOLD = Terms(hold=30.0)


def told(*news: tuple[str, str | None, float], terms: Terms | None = HOLD) -> list[Delivery]:
    """Deliveries of (type, subject, seconds after the start)."""
    return [
        Delivery(
            id=number,
            event=an_event(subject, type_=type_),
            sink="ops",
            row="route 1",
            made_at=START + timedelta(seconds=at),
            terms=terms,
        )
        for number, (type_, subject, at) in enumerate(news, start=1)
    ]


@pytest.mark.parametrize(
    ("news", "left"),
    [
        ([(LOST, "node:a", 0), (RESTORED, "node:a", 30)], []),
        ([(LOST, "node:a", 0), (RESTORED, "node:a", 31)], [1, 2]),
        ([(LOST, "node:a", 0), (RESTORED, "node:b", 1)], [1, 2]),
        ([(LOST, "node:a", 0), (RESTORED, "node:a", 1), (LOST, "node:a", 2)], [3]),
        ([(LOST, "node:a", 0), (LOST, "node:a", 1), (RESTORED, "node:a", 2)], [1]),
        ([(LOST, "node:a", 0), (UPDATED, "node:a", 1), (RESTORED, "node:a", 2)], [2]),
        ([(RESTORED, "node:a", 0), (LOST, "node:a", 1)], []),
        ([("user.disabled", "user:a", 0), ("user.enabled", "user:a", 1)], []),
        ([("peer.connected", "peer:a", 0), ("peer.disconnected", "peer:a", 1)], []),
        ([("user.disabled", "user:a", 0), ("user.expired", "user:a", 1)], [1, 2]),
        ([(LOST, None, 0), (RESTORED, None, 1)], [1, 2]),
    ],
)
def test_opposites_about_one_subject_within_the_hold_cancel_out(
    news: list[tuple[str, str | None, float]], left: list[int]
) -> None:
    deliveries = told(*news)
    assert [one.id for one in deliveries if one.id not in opposite_pairs(deliveries)] == left


def test_without_a_hold_nothing_cancels_out() -> None:
    assert opposite_pairs(told((LOST, "node:a", 0), (RESTORED, "node:a", 1), terms=None)) == {}


@given(st.lists(st.tuples(st.sampled_from([LOST, RESTORED, UPDATED]), st.sampled_from(["node:a", "node:b"]))))
def test_what_cancels_out_is_always_two_opposites_and_each_names_the_other(news: list[tuple[str, str]]) -> None:
    deliveries = told(*((type_, subject, float(n)) for n, (type_, subject) in enumerate(news)))
    by_id = {one.id: one for one in deliveries}
    pairs = opposite_pairs(deliveries)
    for id_, other in pairs.items():
        assert pairs[other.id] is by_id[id_]
        assert {by_id[id_].event.type, other.event.type} == {LOST, RESTORED}
        assert by_id[id_].event.subject == other.event.subject
    for subject in ("node:a", "node:b"):
        left = [one.event.type for one in deliveries if one.event.subject == subject and one.id not in pairs]
        assert len({type_ for type_ in left if type_ != UPDATED}) <= 1
