"""How fast a sink may be spoken to."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.limiter import Limiter
from bridge.sinks.base import Rate


def test_no_rate_means_no_wait() -> None:
    limiter = Limiter([])
    for _ in range(1000):
        assert limiter.wait(0.0) == 0.0
        limiter.sent(0.0)


def test_as_many_as_allowed_go_at_once_and_the_next_waits_for_the_window() -> None:
    limiter = Limiter([Rate(2, 10.0)])
    for now in (0.0, 4.0):
        assert limiter.wait(now) == 0.0
        limiter.sent(now)
    assert limiter.wait(5.0) == 5.0
    assert limiter.wait(10.0) == 0.0


def test_the_strictest_of_several_rates_counts() -> None:
    limiter = Limiter([Rate(10, 1.0), Rate(1, 60.0)])
    limiter.sent(0.0)
    assert limiter.wait(1.0) == 59.0


def test_a_pause_holds_even_where_the_rate_would_not_and_a_shorter_one_does_not_cut_it() -> None:
    limiter = Limiter([])
    limiter.pause(90.0, now=0.0)
    limiter.pause(1.0, now=1.0)
    assert limiter.wait(10.0) == 80.0
    assert limiter.wait(90.0) == 0.0


@given(st.integers(1, 5), st.floats(0.1, 10.0), st.lists(st.floats(0.0, 3.0), max_size=60))
def test_no_window_ever_holds_more_than_allowed(count: int, period: float, gaps: list[float]) -> None:
    limiter, now, sent = Limiter([Rate(count, period)]), 0.0, []
    for gap in gaps:
        now += gap
        now += limiter.wait(now)
        limiter.sent(now)
        sent.append(now)
    for first, last in zip(sent, sent[count:], strict=False):
        assert last - first >= period * (1 - 1e-9)
