"""What is printed, and stands in docs/performance.md between two markers."""

from collections.abc import Sequence
from pathlib import Path

from bench.baseline import Baseline, Figures, comparison
from bench.figures import Figure, table
from bench.measures import MEASURES

BEGIN, END = "<!-- figures: written by the bench -->", "<!-- end of figures -->"


class NoMarkers(ValueError):
    """A page has no place for figures."""


def report(machine: Sequence[str], figures: Figures, then: Baseline | None) -> str:
    """On what, every table, and what is worse than in the last release."""
    sections = [section(name, several) for name, several in figures.items()]
    return "\n\n".join([listed(machine), *sections, compared(figures, then)])


def listed(machine: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in machine)


def section(name: str, figures: Sequence[Figure]) -> str:
    return f"### {MEASURES[name].title}\n\n{table(figures)}"


def compared(figures: Figures, then: Baseline | None) -> str:
    return f"### Beside the last release\n\n{comparison(then, figures)}"


def rewritten(page: str, text: str) -> str:
    """The page with this text between its markers; raise NoMarkers where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoMarkers(f"should have the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def write(file: Path, text: str) -> None:
    file.write_text(rewritten(file.read_text("utf-8"), text), "utf-8")
