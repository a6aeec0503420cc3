"""A figure: what was measured in each round, beside what, and what is aimed at. And a table of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Rounds = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Aim:
    """At most, or at least, so much: of the ratio where a figure has one, else of the figure itself."""

    bound: Literal["≤", "≥"]
    value: float

    def __str__(self) -> str:
        return f"{self.bound} {self.value:,g}"

    def reached_by(self, value: float) -> bool:
        return value <= self.value if self.bound == "≤" else value >= self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """What the bridge did, in every round; in the same rounds what it stands beside, and what the floor did.

    `beside`: the bare handler, or what the name says. `floor`: the bare stack of the same libraries (`bench/floor.py`).
    `grain`: a difference up to here says nothing, for what may be nothing at all has no tenth.
    """

    name: str
    unit: str
    ours: Rounds
    beside: Rounds = ()
    floor: Rounds = ()
    aim: Aim | None = None
    grain: float = 0.0

    @property
    def compared(self) -> Rounds:
        """What counts, in every round: the ratio, or the figure itself where it stands beside nothing."""
        return self._compared(self.ours)

    @property
    def value(self) -> float:
        return statistics.median(self.compared)

    @property
    def floor_value(self) -> float | None:
        return statistics.median(self._compared(self.floor)) if self.floor else None

    @property
    def more_is_better(self) -> bool:
        return self.unit.endswith("/s")

    @property
    def spread(self) -> str:
        return spread_of(self.compared)

    @property
    def verdict(self) -> str:
        """Whether the aim is reached, and where it is not, whether the floor reaches it."""
        if self.aim is None:
            return ""
        if self.aim.reached_by(self.value):
            return "yes"
        reachable = self.floor_value is None or self.aim.reached_by(self.floor_value)
        return "no" if reachable else "no, nor by the floor"

    def _compared(self, rounds: Rounds) -> Rounds:
        if not self.beside:
            return rounds
        return tuple(one / other for one, other in zip(rounds, self.beside, strict=True))


#: Heading, how it is aligned, and what stands there.
COLUMNS = (
    ("figure", "---", lambda one: one.name),
    ("bridge", "---:", lambda one: _middle(one.ours)),
    ("floor", "---:", lambda one: _middle(one.floor)),
    ("beside", "---:", lambda one: _middle(one.beside)),
    ("unit", "---", lambda one: one.unit),
    ("ratio", "---:", lambda one: number(one.value) if one.beside else ""),
    ("spread", "---", lambda one: one.spread),
    ("floor's ratio", "---:", lambda one: number(one.floor_value) if one.floor and one.beside else ""),
    ("aim", "---", lambda one: str(one.aim or "")),
    ("reached", "---", lambda one: one.verdict),
)


def table(figures: Sequence[Figure]) -> str:
    """A table in Markdown, without the columns that none of them fills."""
    columns = [(name, align, [cell(one) for one in figures]) for name, align, cell in COLUMNS]
    filled = [(name, align, *cells) for name, align, cells in columns if any(cells)]
    return "\n".join(f"| {' | '.join(row)} |" for row in zip(*filled, strict=True))


def number(value: float) -> str:
    """As many digits as say something: three, or all before the point."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def spread_of(rounds: Rounds) -> str:
    return "" if len(rounds) < 2 else f"{number(min(rounds))} to {number(max(rounds))}"


def _middle(rounds: Rounds) -> str:
    return number(statistics.median(rounds)) if rounds else ""
