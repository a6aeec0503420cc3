"""What a report says, in each language."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.alerts.periods import Every
from bridge.markup.text import Text
from bridge.messages.catalog import catalog
from bridge.messages.filters import Formats
from bridge.messages.report import told
from tests.fakes import an_event

MONTH = {
    "every": "month",
    "begins_at": "2026-10-22T20:30:00Z",
    "ends_at": "2026-11-21T20:29:59.999999Z",
    "hours": 720,
    "events": 120,
    "before": 100,
}


def said(locale: str, **report: Any) -> Any:
    formats = Formats(Text, catalog(locale), locale, ZoneInfo("Asia/Tehran"))
    return told(replace(an_event(type_="bridge.report"), data={"report": report}), formats)


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
