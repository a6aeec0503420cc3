"""Charts: bars over time, as numbers for a template to draw. No script, no library: they print, and nothing loads."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from bridge.admin.shapes import Point
from bridge.value import Value

HEIGHT, BAR, GAP = 100.0, 8.0, 2.0  # of the drawing, which is stretched to where it stands


class Bar(Value):
    """One step: how many, and how many of them are lost; `x`, `y`, `height` and `lost_height` as they are drawn."""

    at: datetime
    n: int
    lost: int
    x: float
    height: float
    lost_height: float

    @property
    def y(self) -> float:
        return HEIGHT - self.height

    @property
    def lost_y(self) -> float:
        return HEIGHT - self.lost_height


class BarChart(Value):
    """Bars from the first step to the last, also of those in which nothing was."""

    bars: Sequence[Bar]
    most: int

    @property
    def width(self) -> float:
        return len(self.bars) * (BAR + GAP)

    @property
    def total(self) -> int:
        return sum(one.n for one in self.bars)

    @property
    def lost(self) -> int:
        return sum(one.lost for one in self.bars)

    @property
    def filled(self) -> Sequence[Bar]:
        """Those in which there was something."""
        return [one for one in self.bars if one.n]


def chart(
    points: Iterable[Point], *, lost: Iterable[Point] = (), since: datetime, step: timedelta, count: int
) -> BarChart:
    """So many bars of a `step` each from then on; `lost` stands in red at their feet."""
    times = [since + number * step for number in range(count)]
    sums, lost_sums = _by_time(points, since, step), _by_time(lost, since, step)
    values = [(at, max(sums.get(n, 0), lost_sums.get(n, 0)), lost_sums.get(n, 0)) for n, at in enumerate(times)]
    most = max((n for _, n, _ in values), default=0)
    bars = [
        Bar(at, n, gone, number * (BAR + GAP), _height(n, most), _height(gone, most))
        for number, (at, n, gone) in enumerate(values)
    ]
    return BarChart(bars, most)


def _by_time(points: Iterable[Point], since: datetime, step: timedelta) -> dict[int, int]:
    sums: dict[int, int] = {}
    for one in points:
        number = (one.at - since) // step
        sums[number] = sums.get(number, 0) + one.n
    return sums


def _height(n: int, most: int) -> float:
    """In proportion to the highest; what there is can be seen, however little it is."""
    return 0.0 if not n else max(2.0, round(HEIGHT * n / most, 1))


def begin(now: datetime, step: timedelta, count: int) -> datetime:
    """Where the first of so many steps begins of which the last one is running."""
    seconds = step.total_seconds()
    last = now.timestamp() // seconds * seconds
    return datetime.fromtimestamp(last - (count - 1) * seconds, now.tzinfo)
