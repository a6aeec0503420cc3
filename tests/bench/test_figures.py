"""A figure is its rounds: ratios are made within a round, and the middle of them counts."""

import pytest

from bench.figures import Aim, Figure, number, table

RATE, TIME = "requests/s", "µs"


def test_a_ratio_is_made_within_each_round_for_what_slows_down_one_side_slows_both() -> None:
    one = Figure("taken", RATE, (100.0, 10.0, 90.0), (400.0, 40.0, 300.0))
    assert one.compared == (0.25, 0.25, 0.3)
    assert one.value == 0.25
    assert one.spread == "0.25 to 0.30"


def test_a_figure_beside_nothing_counts_by_itself() -> None:
    assert Figure("memory", "MB", (70.0, 68.0, 75.0)).value == 70.0


def test_rounds_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        _ = Figure("taken", RATE, (1.0, 2.0), (1.0,)).compared


@pytest.mark.parametrize(
    ("aim", "ours", "floor", "verdict"),
    [
        (None, 1.0, (), ""),
        (Aim("≤", 2.0), 2.0, (), "yes"),
        (Aim("≤", 2.0), 2.1, (), "no"),
        (Aim("≤", 2.0), 2.1, (1.9,), "no"),
        (Aim("≤", 2.0), 2.1, (2.2,), "no, nor by the floor"),
        (Aim("≥", 2.0), 2.0, (), "yes"),
        (Aim("≥", 2.0), 1.9, (), "no"),
        (Aim("≥", 2.0), 1.9, (2.1,), "no"),
        (Aim("≥", 2.0), 1.8, (1.9,), "no, nor by the floor"),
        (Aim("≥", 2.0), 2.1, (1.9,), "yes"),
    ],
)
def test_an_aim_is_reached_or_not_and_the_floor_says_whether_it_could_be(
    aim: Aim | None, ours: float, floor: tuple[float, ...], verdict: str
) -> None:
    assert Figure("one", TIME, (ours,), (1.0,), floor, aim).verdict == verdict
    assert Figure("one", TIME, (ours,), (), floor, aim).verdict == verdict


@pytest.mark.parametrize(("unit", "more"), [("requests/s", True), ("µs", False), ("MB", False), ("bytes", False)])
def test_more_is_better_of_what_is_per_second_alone(unit: str, more: bool) -> None:
    assert Figure("one", unit, (1.0,)).more_is_better is more


def test_a_table_has_a_row_for_each_figure_and_no_column_that_all_of_them_leave_empty() -> None:
    figures = [
        Figure("taken", RATE, (300.0, 200.0, 400.0), (1000.0, 1000.0, 1000.0), (600.0, 500.0, 700.0), Aim("≥", 0.35)),
        Figure("a `when`", TIME, (12.34,)),
    ]
    assert table(figures).splitlines() == [
        "| figure | bridge | floor | beside | unit | ratio | spread | floor's ratio | aim | reached |",
        "| --- | ---: | ---: | ---: | --- | ---: | --- | ---: | --- | --- |",
        "| taken | 300 | 600 | 1,000 | requests/s | 0.30 | 0.20 to 0.40 | 0.60 | ≥ 0.35 | no |",
        "| a `when` | 12.3 |  |  | µs |  |  |  |  |  |",
    ]
    assert table(figures[1:]).splitlines() == [
        "| figure | bridge | unit |",
        "| --- | ---: | --- |",
        "| a `when` | 12.3 | µs |",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (0.123, "0.12"), (9.99, "9.99"), (12.34, "12.3"), (1234.5, "1,234"), (-0.27, "-0.27")],
)
def test_a_number_has_the_digits_that_say_something(value: float, text: str) -> None:
    assert number(value) == text
