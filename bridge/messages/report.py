"""A report in words: lines that say how much there was, and parts with headings. Whatever it holds, none fails."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bridge.chart import Chart
from bridge.event import Event
from bridge.foreign import object_at
from bridge.markup.text import Text
from bridge.messages.filters import Formats
from bridge.messages.values import figure, moment
from bridge.vocabulary import TYPES, event_type
from bridge.vocabulary.types import N_

UP, DOWN, SAME = "▲", "▼", "="
DAY_HOURS = 24
WEEK = 7  # bars, below each of which it is said which day it is
MOST_BARS = 62
HOURS = ("00", "06", "12", "18")  # that are said below bars


class ReportPart(NamedTuple):
    """What is said of one kind, under its heading."""

    emoji: str
    heading: Text
    lines: list[Text]

    @property
    def text(self) -> Text:
        """All lines of it."""
        return type(self.heading)("\n").join(self.lines)


class ReportWords(NamedTuple):
    """A report: of which day or days, what is said of all, and of each kind; bars, where a picture shows them."""

    days: Text
    lines: list[Text]
    parts: list[ReportPart]
    chart: Text


#: What is told by name and number: its key, and its heading.
_COUNTED = (
    ("sources", "📥", N_("By source")),
    ("owners", "💼", N_("By owner")),
    ("nodes", "🖥️", N_("By node")),
    ("users", "👤", N_("Busiest users")),
)


def told(event: Event, formats: Formats, *, pictures: bool) -> ReportWords:
    """What a report says; without `pictures` its bars are a line of signs."""
    return _Writer(object_at(event.data, "report"), formats, pictures=pictures).told()


def chart_of(report: Mapping[str, Any], formats: Formats) -> Chart | None:
    """How many events each hour or day had, below some of them which it is; None where that is not told."""
    found, begins = report.get("bars"), moment(report.get("begins_at"))
    bars = [figure(one) for one in found] if isinstance(found, list) and len(found) <= MOST_BARS else []
    if begins is None or not bars or not all(n is not None and 0 <= n < 1e15 for n in bars):
        return None
    try:
        ticks = (
            _hours(begins, len(bars), formats) if report.get("every") == "day" else _days(begins, len(bars), formats)
        )
    except OverflowError:  # the last days of the calendar
        ticks = {}
    return Chart([int(n or 0) for n in bars], ticks)


def _hours(begins: datetime, number: int, formats: Formats) -> dict[int, str]:
    """Below which bars an hour is said."""
    hours = (str(formats.hour(begins + timedelta(hours=hour))) for hour in range(number))
    return {bar: hour for bar, hour in enumerate(hours) if hour in HOURS}


def _days(begins: datetime, number: int, formats: Formats) -> dict[int, str]:
    """Below which bars a day of the month is said; it is that of noon, for days may have an hour more or less."""
    noons = (begins + timedelta(days=day, hours=12) for day in range(number))
    days = (str(formats.day_of_month(noon)).lstrip("0") for noon in noons)
    return {bar: day for bar, day in enumerate(days) if number <= WEEK or day == "1" or day[-1:] in ("0", "5")}


class _Writer:
    def __init__(self, report: Mapping[str, Any], formats: Formats, *, pictures: bool) -> None:
        self._report = report
        self._pictures = pictures
        self._chart = chart_of(report, formats)
        self._formats = formats
        self._text = formats.text

    def told(self) -> ReportWords:
        parts = [self._types(), self._sinks(), *(self._counted(*one) for one in _COUNTED), self._dead(), self._silent()]
        lines, said = [one for one in self._lines() if one], [one for one in parts if one.lines]
        chart = self._chart.block if self._pictures and self._chart else ""
        return ReportWords(self._days(), lines, said, self._text(chart))

    def _days(self) -> Text:
        begins, ends = moment(self._report.get("begins_at")), moment(self._report.get("ends_at"))
        first, last = (self._text.escape(self._formats.date(one)) if one else self._text("") for one in (begins, ends))
        return first if first == last else self._text(f"{first} – {last}")

    def _lines(self) -> Iterator[Text]:
        n = figure(self._report.get("events")) or 0
        counted = self._formats.events(round(n), 0, storm=False)
        compared = [self._compared(n, *one) for one in self._comparisons()]
        yield self._text(" · ").join([counted, *(one for one in compared if one)])
        if self._chart is not None and not self._pictures:
            yield self._isolated(self._text(self._chart.signs))
        if "delivered" in self._report:  # an owner is told nothing of it
            delivered, given_up, held_back = (self._number(key) for key in ("delivered", "given_up", "held_back"))
            yield self._say(
                N_("Messages: %(delivered)s delivered · %(dead)s given up · %(held)s held back"),
                delivered=delivered, dead=given_up, held=held_back,
            )  # fmt: skip
        if figure(self._report.get("nowhere")):
            yield self._say(N_("To no sink: %(count)s"), count=self._number("nowhere"))
        hours = figure(self._report.get("hours"))
        if self._report.get("every") == "day" and hours is not None and hours != DAY_HOURS:
            yield self._say(
                N_("The clock was changed: this day had %(hours)s hours"), hours=self._formats.number(hours)
            )
        if isinstance(since := moment(self._report.get("counted_from")), datetime):
            yield self._say(N_("Counted from %(time)s on"), time=self._formats.when(since))
        if isinstance(late := moment(self._report.get("late_at")), datetime):
            yield self._say(N_("⏰ Told late, at %(time)s"), time=self._formats.when(late))

    def _comparisons(self) -> Iterator[tuple[str, str]]:
        if self._report.get("every") == "week":
            yield "before", N_("%(change)s on the week before")
        elif self._report.get("every") == "month":
            yield "before", N_("%(change)s on the month before")
        else:
            yield "before", N_("%(change)s on the day before")
            yield "week_before", N_("%(change)s on the same day a week before")

    def _compared(self, n: float, key: str, words: str) -> Text:
        change = self._change(n, self._report.get(key))
        return self._say(words, change=change) if change else self._text("")

    def _change(self, n: float, before: Any) -> Text:
        """`▲ 12%`; of nothing before `▲ 5`; nothing where nobody knows what was before."""
        was = figure(before)
        if was is None:
            return self._text("")
        arrow = SAME if n == was else UP if n > was else DOWN
        if n == was:
            return self._isolated(self._text(SAME))
        amount = self._formats.percent(round(abs(n - was) / was * 100)) if was else self._formats.number(n)
        return self._isolated(self._text(f"{arrow} ") + self._text.escape(amount))

    def _types(self) -> ReportPart:
        lines = []
        for one in self._list("types"):
            shown, n = event_type(str(one.get("type"))), figure(one.get("events")) or 0
            ours = shown.name in TYPES  # what a sender has named is none of our own texts
            words = self._formats.translated(shown.title) if ours else shown.title
            title = self._isolated(self._formats.brief(words, 80))
            change = self._change(n, one.get("before"))
            number = self._text.escape(self._formats.number(n))
            lines.append(
                self._text(" ").join([self._text.escape(shown.emoji), title, number, *([change] if change else [])])
            )
        return self._part("📋", N_("By type"), [*lines, *self._others("types")])

    def _sinks(self) -> ReportPart:
        words = N_("%(name)s: %(delivered)s delivered, %(dead)s given up")
        lines = [
            self._say(
                words,
                name=self._isolated(self._formats.brief(one.get("name"), 80)),
                delivered=self._formats.number(figure(one.get("delivered")) or 0),
                dead=self._formats.number(figure(one.get("given_up")) or 0),
            )
            for one in self._list("sinks")
        ]
        return self._part("📨", N_("Where it went"), lines)

    def _counted(self, key: str, emoji: str, heading: str) -> ReportPart:
        shown = []
        for one in self._list(key):
            name = self._isolated(self._formats.brief(one.get("name"), 80))
            number = self._text.escape(self._formats.number(figure(one.get("events")) or 0))
            down = figure(one.get("down"))
            times = self._say(N_("down %(count)s×"), count=self._formats.number(down)) if down else ""
            words = self._text("%s %s (%s)") % (name, number, times) if times else self._text("%s %s") % (name, number)
            shown.append(words)
        lines = [self._text(" · ").join([*shown, *self._others(key)])] if shown else []
        if key == "users" and self._report.get("cut") is True:
            lines.append(self._say(N_("Too many events to look at all: the newest are counted")))
        return self._part(emoji, heading, lines)

    def _others(self, key: str) -> list[Text]:
        more = object_at(self._report, f"more_{key}")
        if not figure(more.get("number")):
            return []
        number, events = (self._formats.number(figure(more.get(one)) or 0) for one in ("number", "events"))
        return [self._say(N_("%(number)s more: %(events)s"), number=number, events=events)]

    def _dead(self) -> ReportPart:
        lines = [
            self._text("%s: %s ×%s") % (
                self._isolated(self._formats.brief(one.get("sink"), 80)),
                self._isolated(self._formats.brief(one.get("reason"), 160)),
                self._formats.number(figure(one.get("events")) or 0),
            )
            for one in self._list("dead_letters")
        ]  # fmt: skip
        return self._part("📭", N_("Given up, and not dealt with"), lines)

    def _silent(self) -> ReportPart:
        lines = []
        for one in self._list("silent"):
            name, seconds = self._isolated(self._formats.brief(one.get("name"), 80)), figure(one.get("silent_seconds"))
            if seconds is None:
                lines.append(self._say(N_("%(name)s: never heard of"), name=name))
            else:
                time = self._isolated(self._formats.lasted(seconds))
                lines.append(self._say(N_("%(name)s: nothing for %(time)s"), name=name, time=time))
        return self._part("⚠️", N_("Silent sources"), lines)

    def _part(self, emoji: str, heading: str, lines: list[Text]) -> ReportPart:
        return ReportPart(emoji, self._formats.translated(heading), lines)

    def _list(self, key: str) -> list[Mapping[str, Any]]:
        found = self._report.get(key)
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def _number(self, key: str) -> Any:
        return self._formats.number(figure(self._report.get(key)) or 0)

    def _isolated(self, value: Any) -> Text:
        return self._formats.isolate(value)

    def _say(self, words: str, **values: Any) -> Text:
        return self._formats.translated(words) % values
