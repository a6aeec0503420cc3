"""A run puts its figures between the markers of the page, and keeps what stands around them."""

import pytest

from bench import report
from bench.figures import Figure
from bench.machine import interpreter
from bench.measures import MEASURES
from tests.pages import ROOT

PAGE = f"# Performance\n\nbefore\n\n{report.BEGIN}\n\nold\n\n{report.END}\n\nafter\n"


def test_a_page_keeps_what_stands_around_its_figures() -> None:
    page = report.rewritten(PAGE, "new")
    assert page == PAGE.replace("old", "new")
    assert report.rewritten(page, "new") == page


@pytest.mark.parametrize("page", ["# Performance\n", PAGE.replace(report.END, ""), PAGE.replace(report.BEGIN, "")])
def test_a_page_without_both_markers_is_refused(page: str) -> None:
    with pytest.raises(report.NoMarkers, match="should have the lines"):
        report.rewritten(page, "new")


def test_a_report_says_on_what_it_was_measured_and_has_a_table_for_each_measure() -> None:
    text = report.report(["two cores"], {name: [Figure("one", "µs", (1.0,))] for name in MEASURES}, None)
    assert text.startswith("- two cores\n\n### Ingest\n\n| figure |")
    assert [line for line in text.splitlines() if line.startswith("###")] == [
        *(f"### {one.title}" for one in MEASURES.values()),
        "### Beside the last release",
    ]


def test_the_page_has_figures_of_every_measure() -> None:
    page = (ROOT / "docs" / "performance.md").read_text("utf-8")
    figures = page.partition(report.BEGIN)[2].partition(report.END)[0]
    assert [one.title for one in MEASURES.values() if f"\n### {one.title}\n\n| figure |" not in figures] == []
    assert figures.lstrip().startswith("- CPython ")


def test_the_interpreter_is_named_with_how_it_was_built(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = {"CONFIG_ARGS": "'--enable-optimizations' '--with-lto'", "PY_CFLAGS": "-g -O2 -Wall"}
    monkeypatch.setattr("sysconfig.get_config_var", arguments.get)
    assert "with PGO, with LTO" in interpreter()
    assert "`-O2`" in interpreter()
    arguments.clear()
    assert "without PGO, without LTO" in interpreter()
