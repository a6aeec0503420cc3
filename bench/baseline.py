"""The figures of the last release, kept in a file, and what is worse now than it was then."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, number

FILE = Path(__file__).parent / "baseline.json"
WORSE = 0.1  # of a figure: from here on it is told

#: By measure.
Figures = Mapping[str, Sequence[Figure]]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a release measured, and on what. Its figures come without their aims: today's are in the code."""

    release: str
    machine: list[str]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Worse:
    """A figure that got worse by `by`, a share of what it was."""

    before: Figure
    now: Figure
    by: float

    @property
    def apart(self) -> bool:
        """Whether no round of the one was like one of the other: then it is no accident of a busy machine."""
        then, now = self.before.compared, self.now.compared
        return max(then) < min(now) or max(now) < min(then)


def write(baseline: Baseline, file: Path = FILE) -> None:
    """A line for each figure, so that two releases can be compared by eye."""
    head = json.dumps({"release": baseline.release, "machine": baseline.machine}, ensure_ascii=False)
    lines = [_line(measure, one) for measure, several in baseline.figures.items() for one in several]
    file.write_text("".join((head[:-1], ', "figures": [\n', ",\n".join(lines), "\n]}\n")), "utf-8")


def read(file: Path = FILE) -> Baseline | None:
    """None where no release has been measured yet."""
    if not file.exists():
        return None
    content = json.loads(file.read_text("utf-8"))
    figures: dict[str, list[Figure]] = {}
    for one in content["figures"]:
        figures.setdefault(one.pop("measure"), []).append(_figure(**one))
    return Baseline(content["release"], content["machine"], figures)


def worse(before: Figures, now: Figures) -> list[Worse]:
    """What got worse by more than a tenth: where all rounds did so, and then the worst, first.

    A ratio is compared where there is one.
    """
    pairs = [
        Worse(old, one, _change(old, one))
        for measure, figures in now.items()
        for old in before.get(measure, ())
        for one in figures
        if old.name == one.name
    ]
    return sorted((one for one in pairs if one.by > WORSE), key=lambda one: (one.apart, one.by), reverse=True)


def unknown(before: Figures, now: Figures) -> list[str]:
    """Figures of these measures that only one of both has."""
    names = [{one.name for measure in now for one in figures.get(measure, ())} for figures in (before, now)]
    return sorted(names[0] ^ names[1])


def comparison(baseline: Baseline | None, now: Figures) -> str:
    """In words, and a table of what got worse."""
    if baseline is None:
        return "No release has been measured yet."
    than = f"worse by more than a tenth than in {baseline.release}"
    found = worse(baseline.figures, now)
    lines = [f"{than.capitalize()}:", "", *_table(found)] if found else [f"Nothing is {than}."]
    if alone := unknown(baseline.figures, now):
        lines += ["", f"Not compared, for only one of both has it: {'; '.join(alone)}."]
    return "\n".join(lines)


def _table(found: Sequence[Worse]) -> list[str]:
    return [
        "| figure | of | then | now | worse by | in all rounds |",
        "| --- | --- | --- | --- | ---: | --- |",
        *(f"| {' | '.join(_cells(one))} |" for one in found),
    ]


def _cells(one: Worse) -> tuple[str, ...]:
    of, every = "ratio" if one.now.beside else one.now.unit, "yes" if one.apart else ""
    return one.now.name, of, _told(one.before), _told(one.now), f"{one.by:+.0%}", every


def _change(before: Figure, now: Figure) -> float:
    """How much worse, as a share of the better one's cost; nothing where it is better, or a grain worse."""
    sign = 1 if now.more_is_better else -1
    loss = sign * (before.value - now.value)
    if loss <= now.grain:
        return 0.0
    whole = abs(now.value if now.more_is_better else before.value)
    return loss / whole if whole else 1.0


def _told(figure: Figure) -> str:
    return f"{number(figure.value)} ({figure.spread})" if figure.spread else number(figure.value)


def _line(measure: str, figure: Figure) -> str:
    """The figure as JSON; four digits of each round are more than it is sure of."""
    rounds = {name: [float(f"{value:.4g}") for value in getattr(figure, name)] for name in ("ours", "beside", "floor")}
    return json.dumps({"measure": measure, "name": figure.name, "unit": figure.unit, **rounds}, ensure_ascii=False)


def _figure(name: str, unit: str, ours: list[float], beside: list[float], floor: list[float]) -> Figure:
    return Figure(name, unit, tuple(ours), tuple(beside), tuple(floor))
