"""What is worse than in the last release is told: all of it, and nothing else."""

from pathlib import Path

import pytest

from bench.baseline import Baseline, comparison, read, worse, write
from bench.figures import Aim, Figure
from bench.measures import MEASURES


def of(unit: str, *ours: float, beside: tuple[float, ...] = ()) -> dict[str, list[Figure]]:
    return {"ingest": [Figure("one", unit, ours, beside)]}


@pytest.mark.parametrize(
    ("unit", "then", "now", "by"),
    [
        ("requests/s", 100.0, 80.0, 0.25),
        ("requests/s", 100.0, 92.0, None),
        ("requests/s", 100.0, 150.0, None),
        ("µs", 100.0, 112.0, 0.12),
        ("µs", 100.0, 109.0, None),
        ("µs", 100.0, 50.0, None),
        ("MB", 0.0, 3.0, 1.0),
        ("MB", 3.0, 0.0, None),
        ("requests/s", 3.0, 0.0, 1.0),
        ("requests/s", 0.0, 3.0, None),
        ("MB", -0.5, 8.0, 17.0),
        ("MB", 8.0, -0.5, None),
    ],
)
def test_what_got_worse_by_more_than_a_tenth_is_told(unit: str, then: float, now: float, by: float | None) -> None:
    found = [round(one.by, 9) for one in worse(of(unit, then), of(unit, now))]
    assert found == ([] if by is None else [by])


def test_what_may_be_nothing_at_all_is_worse_only_by_more_than_a_grain() -> None:
    then = {"strangers": [Figure("growth", "MB", (0.1,))]}
    assert worse(then, {"strangers": [Figure("growth", "MB", (1.1,), grain=1.0)]}) == []
    assert [one.by for one in worse(then, {"strangers": [Figure("growth", "MB", (2.1,), grain=1.0)]})] == [20.0]


def test_a_ratio_counts_where_there_is_one_for_another_machine_is_faster_or_slower() -> None:
    then, slower = of("µs", 100.0, beside=(50.0,)), of("µs", 300.0, beside=(150.0,))
    assert worse(then, slower) == []
    assert [one.by for one in worse(then, of("µs", 100.0, beside=(25.0,)))] == [1.0]


def test_the_worst_comes_first_but_behind_what_is_worse_in_every_round() -> None:
    names = "worse", "worst", "by accident"
    then = {"ingest": [Figure(name, "µs", (10.0, 10.0, 30.0 if name == names[2] else 10.0)) for name in names]}
    now = {
        "ingest": [
            Figure("worse", "µs", (12.0, 12.0, 12.0)),
            Figure("worst", "µs", (30.0, 30.0, 30.0)),
            Figure("by accident", "µs", (90.0, 90.0, 20.0)),
        ]
    }
    assert [(one.now.name, one.apart) for one in worse(then, now)] == [
        ("worst", True),
        ("worse", True),
        ("by accident", False),
    ]


def test_the_same_name_in_two_measures_is_two_figures() -> None:
    then = {"ingest": [Figure("a", "µs", (10.0,))], "sizes": [Figure("a", "µs", (99.0,))]}
    assert worse(then, {"sizes": [Figure("a", "µs", (99.0,))]}) == []


def test_a_baseline_is_read_as_it_was_written_but_for_its_aims(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"
    assert read(file) is None
    figure = Figure("one", "µs", (1.0, 2.0), (3.0, 4.0), (5.0, 6.0), Aim("≤", 2))
    write(Baseline("1.2.0", ["two cores"], {"ingest": [figure]}), file)
    figures = {"ingest": [Figure("one", "µs", (1.0, 2.0), (3.0, 4.0), (5.0, 6.0))]}
    assert read(file) == Baseline("1.2.0", ["two cores"], figures)


def test_the_comparison_says_what_is_worse_and_what_could_not_be_compared() -> None:
    then = Baseline(
        "1.2.0", [], {"ingest": [Figure("a", "µs", (10.0, 11.0, 12.0)), Figure("gone", "µs", (1.0,))], "sizes": []}
    )
    now = {"ingest": [Figure("a", "µs", (21.0, 22.0, 23.0)), Figure("new", "µs", (1.0,))]}
    assert comparison(then, now).splitlines() == [
        "Worse by more than a tenth than in 1.2.0:",
        "",
        "| figure | of | then | now | worse by | in all rounds |",
        "| --- | --- | --- | --- | ---: | --- |",
        "| a | µs | 11.0 (10.0 to 12.0) | 22.0 (21.0 to 23.0) | +100% | yes |",
        "",
        "Not compared, for only one of both has it: gone; new.",
    ]
    assert comparison(then, {}) == "Nothing is worse by more than a tenth than in 1.2.0."
    assert comparison(None, now) == "No release has been measured yet."


def test_the_last_release_has_been_measured_whole() -> None:
    baseline = read()
    assert baseline is not None
    assert list(baseline.figures) == list(MEASURES)
    assert [one.name for several in baseline.figures.values() for one in several if not one.ours] == []
