"""What a report says, in each language."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.alerts.periods import Every
from bridge.chart import read_chart
from bridge.markup.text import Text
from bridge.message import Message
from bridge.messages.catalog import catalog
from bridge.messages.filters import Formats
from bridge.messages.renderer import Renderer
from bridge.messages.report import told
from bridge.samples import sample
from bridge.sinks.base import Tools
from bridge.sinks.http import Http
from bridge.value import replace
from tests.fakes import START, an_event
from tests.services.every import WAYS
from tests.services.known import KnownChat
from tests.services.service import parsed
from tests.sinks.values import config

MONTH = {
    "every": "month",
    "begins_at": "2026-10-22T20:30:00Z",
    "ends_at": "2026-11-21T20:29:59.999999Z",
    "hours": 720,
    "events": 120,
    "before": 100,
}


def said(locale: str, *, pictures: bool = False, **report: Any) -> Any:
    formats = Formats(Text, catalog(locale), locale, ZoneInfo("Asia/Tehran"))
    return told(replace(an_event(type_="bridge.report"), data={"report": report}), formats, pictures=pictures)


@pytest.mark.parametrize(
    ("locale", "days", "line"),
    [
        ("en", "2026-10-23 – 2026-11-21", "120 events · ▲ 20% on the month before"),
        ("fa", "1405/08/01 – 1405/08/30", "120 رویداد · \u2068▲ 20%\u2069 نسبت به ماه پیش"),
        ("ru", "23.10.2026 – 21.11.2026", "120 событий · ▲ 20% к прошлому месяцу"),
    ],
)
def test_a_month_is_compared_with_the_month_before(locale: str, days: str, line: str) -> None:
    month = said(locale, **MONTH)
    assert (str(month.days), [str(one) for one in month.lines]) == (days, [line])


@pytest.mark.parametrize(
    ("locale", "line"),
    [
        ("en", "Counted from 2026-11-02 11:45 on"),
        ("fa", "شمرده‌شده از 1405/08/11 11:45"),
        ("ru", "Подсчитано с 02.11.2026 11:45"),
    ],
)
def test_what_was_not_counted_from_its_beginning_on_says_so(locale: str, line: str) -> None:
    assert line in map(str, said(locale, **MONTH, counted_from="2026-11-02T08:15:00Z").lines)


@pytest.mark.parametrize(
    ("every", "word"), [("day", "on the day before"), ("week", "on the week before"), ("month", "on the month before")]
)
def test_each_is_compared_with_the_one_before(every: Every, word: str) -> None:
    line, *_ = said("en", **{**MONTH, "every": every}).lines
    assert str(line).endswith(word)


BARS = {"bars": [0, 5, 10, 0, 40], "begins_at": "2026-11-21T20:30:00Z", "every": "week"}


@pytest.mark.parametrize(("locale", "line"), [("en", "▁▂▃▁█"), ("fa", "\u2068▁▂▃▁█\u2069"), ("ru", "▁▂▃▁█")])
def test_bars_are_a_line_of_signs_or_a_chart_and_never_both(locale: str, line: str) -> None:
    report = {**MONTH, **BARS}
    in_signs, drawn = said(locale, **report), said(locale, pictures=True, **report)
    assert line in map(str, in_signs.lines)
    assert in_signs.chart == ""
    assert line not in map(str, drawn.lines)
    assert read_chart(str(drawn.chart)).bars == BARS["bars"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("locale", "report", "ticks"),
    [
        ("en", {"every": "day", "bars": [1] * 24}, {0: "00", 6: "06", 12: "12", 18: "18"}),
        ("en", {"every": "day", "bars": [1] * 25, "begins_at": "2026-10-24T22:00:00Z"}, None),
        ("en", {"every": "week", "bars": [1] * 7}, dict(enumerate(["22", "23", "24", "25", "26", "27", "28"]))),
        ("fa", {"every": "week", "bars": [1] * 7}, dict(enumerate(["1", "2", "3", "4", "5", "6", "7"]))),
        (
            "fa",
            {"every": "month", "bars": [1] * 30},
            {0: "1", 4: "5", 9: "10", 14: "15", 19: "20", 24: "25", 29: "30"},
        ),
        ("en", {"every": "month", "bars": [1] * 31}, {3: "25", 8: "30", 9: "1", 13: "5", 18: "10", 23: "15", 28: "20"}),
    ],
)
def test_below_bars_it_is_said_which_hour_or_day_they_are_in_the_readers_calendar(
    locale: str, report: dict[str, Any], ticks: dict[int, str] | None
) -> None:
    chart = read_chart(str(said(locale, pictures=True, **{**MONTH, **BARS, **report}).chart))
    assert chart is not None
    if ticks is not None:
        assert chart.ticks == ticks


@pytest.mark.parametrize("bars", [[], [-1], ["x"], "x", [None], [1e40], {"a": 1}, [1] * 63, [True]])
def test_what_are_no_bars_are_none(bars: Any) -> None:
    report = said("en", pictures=True, **{**MONTH, **BARS, "bars": bars})
    assert report.chart == ""
    assert not any("█" in str(one) for one in said("en", **{**MONTH, **BARS, "bars": bars}).lines)


def test_bars_at_the_end_of_the_calendar_have_nothing_below_them() -> None:
    chart = read_chart(str(said("en", pictures=True, **{**MONTH, **BARS, "begins_at": "9999-12-31T00:00:00Z"}).chart))
    assert chart is not None
    assert len(chart.bars) == 5


@pytest.mark.parametrize("locale", ["en", "fa", "ru"])
@pytest.mark.parametrize("way", [way for way, (_, known, _) in WAYS.items() if isinstance(known, KnownChat)])
@pytest.mark.parametrize("can_draw", [True, False])
def test_every_service_takes_a_report_with_bars_and_shows_them_once(
    way: str, locale: str, can_draw: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.messages.sandbox.can_be_drawn", lambda: can_draw)
    settings, known, reached = WAYS[way]
    assert isinstance(known, KnownChat)
    likely = sample("bridge.report", at=START)
    event = replace(likely, data={"report": {**likely.data["report"], "bars": [*range(8)] * 3}})
    sink = config(**settings).open(Tools(Http(), {}))
    rendered = Renderer(folders=[], timezone=ZoneInfo("Asia/Tehran"), locale=locale).render(event, sink.look)
    assert rendered.fault is None
    request = sink.build(Message(event=event, at=START, blocks=rendered.blocks))
    assert list(reached.faults(request, [event])) == []
    has_picture = request.payload is not None
    assert has_picture is (can_draw and sink.look.service.pictures)
    assert ("▁▂▃▄▅▆▇█▁▂" in known.seen(parsed(request.json))) is not has_picture
