"""Values for people: sizes, times, amounts, words; and a filter never fails."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.messages.catalog import LOCALES, catalog, known
from bridge.messages.filters import Formats
from bridge.messages.values import given as is_given
from bridge.messages.values import label, leaves, to_json, zone_name
from bridge.sinks.discord.text import DiscordText

TEHRAN = ZoneInfo("Asia/Tehran")
FORMATS = {locale: Formats(DiscordText, catalog(locale), locale, TEHRAN) for locale in LOCALES}
ENGLISH = FORMATS["en"]
NOW = datetime(2026, 11, 21, 4, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("count", "en", "fa", "ru"),
    [
        (0, "0 B", "0 بایت", "0 Б"),
        (1023, "1,023 B", "1,023 بایت", "1\u00a0023 Б"),
        (1024, "1 KB", "1 کیلوبایت", "1 КБ"),
        (1536, "1.5 KB", "1.5 کیلوبایت", "1,5 КБ"),
        (2**20 - 1, "1 MB", "1 مگابایت", "1 МБ"),
        (53687091200, "50 GB", "50 گیگابایت", "50 ГБ"),
        (2**64 - 1, "16 EB", "16 اگزابایت", "16 ЭБ"),
        ("1073741824", "1 GB", "1 گیگابایت", "1 ГБ"),
        (-1024, "-1 KB", "-1 کیلوبایت", "-1 КБ"),
    ],
)
def test_sizes(count: Any, en: str, fa: str, ru: str) -> None:
    assert [FORMATS[locale].size(count) for locale in ("en", "fa", "ru")] == [en, fa, ru]


@pytest.mark.parametrize(
    ("used", "limit", "said"),
    [
        (0, 2**30, "0 B of 1 GB"),
        (2**29, 2**30, "512 MB of 1 GB (50%)"),
        (2**30, 0, "1 GB, unlimited"),
        (2**30, None, "1 GB, unlimited"),
        (None, 2**30, "1 GB"),
        (None, None, ""),
        ("much", 5, "much"),
    ],
)
def test_what_is_used_of_a_limit(used: Any, limit: Any, said: str) -> None:
    assert ENGLISH.of(used, limit) == said


@pytest.mark.parametrize(
    ("locale", "date", "time", "when", "stamp"),
    [
        ("en", "2026-12-21", "11:04", "2026-12-21 11:04", "Dec 21, 2026 11:04:59"),
        ("fa", "1405/09/30", "11:04", "1405/09/30 11:04", "1405/09/30 11:04:59"),
        ("ru", "21.12.2026", "11:04", "21.12.2026 11:04", "21.12.2026 11:04:59"),
    ],
)
def test_times_in_the_configured_zone(locale: str, date: str, time: str, when: str, stamp: str) -> None:
    formats = FORMATS[locale]
    for at in ("2026-12-21T07:34:59Z", "2026-12-21T07:34:59", datetime(2026, 12, 21, 7, 34, 59, tzinfo=UTC)):
        assert (formats.date(at), formats.time(at), formats.when(at), formats.stamp(at)) == (date, time, when, stamp)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (86400 * 30 - 5, "30 days left"),
        (86400, "1 day left"),
        (5400, "2 hours left"),
        (3600, "1 hour left"),
        (90, "2 minutes left"),
        (5, "now"),
        (-60, "1 minute ago"),
        (-86400, "1 day ago"),
        (-7 * 86400, "7 days ago"),
        ("72", "1 minute left"),
        ("soon", "soon"),
    ],
)
def test_what_is_left(seconds: Any, said: str) -> None:
    assert ENGLISH.left(seconds) == said


@pytest.mark.parametrize("digits", ["1795942800", "1796041200959", "1795942800.5", "20261221"])
def test_digits_are_no_time_and_stay_as_they_are(digits: str) -> None:
    assert ENGLISH.when(digits) == digits


def test_how_far_off_a_time_is() -> None:
    assert ENGLISH.until("2026-11-24T04:04:00Z", NOW) == "3 days left"
    assert ENGLISH.until("nonsense", NOW) == ""
    assert ENGLISH.end("2026-11-24T04:04:00Z", NOW) == "2026-11-24 07:34 (3 days left)"
    assert ENGLISH.end("nonsense", NOW) == "nonsense"


@pytest.mark.parametrize(
    ("seconds", "en", "fa", "ru"),
    [
        (0.2, "1 s", "1 ثانیه", "1 с"),
        (45, "45 s", "45 ثانیه", "45 с"),
        (59.6, "1 min", "1 دقیقه", "1 мин"),
        (720, "12 min", "12 دقیقه", "12 мин"),
        (725, "12 min 5 s", "12 دقیقه و 5 ثانیه", "12 мин 5 с"),
        (7200, "2 h", "2 ساعت", "2 ч"),
        (7559, "2 h 5 min", "2 ساعت و 5 دقیقه", "2 ч 5 мин"),
        (-7559, "2 h 5 min", "2 ساعت و 5 دقیقه", "2 ч 5 мин"),
        (86399, "23 h 59 min", "23 ساعت و 59 دقیقه", "23 ч 59 мин"),
        (86400, "1 d", "1 روز", "1 д"),
        (3 * 86400 + 4 * 3600, "3 d 4 h", "3 روز و 4 ساعت", "3 д 4 ч"),
        (1234 * 86400, "1,234 d", "1,234 روز", "1\u00a0234 д"),
        ("long", "long", "long", "long"),
    ],
)
def test_how_long_something_lasted(seconds: Any, en: str, fa: str, ru: str) -> None:
    assert [FORMATS[locale].lasted(seconds) for locale in ("en", "fa", "ru")] == [en, fa, ru]


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-11-21T04:04:00Z", "2026-11-21T04:04:59Z", "2026-11-21 07:34"),
        ("2026-11-21T04:04:00Z", "2026-11-21T05:05:00Z", "2026-11-21 07:34 – 08:35"),
        ("2026-11-21T04:04:00Z", "2026-11-21T20:31:00Z", "2026-11-21 07:34 – 2026-11-22 00:01"),
        ("2026-11-21T04:04:00Z", "soon", "2026-11-21 07:34"),
        ("soon", "2026-11-21T04:04:00Z", "soon"),
        (None, None, None),
    ],
)
def test_from_when_to_when(first: Any, last: Any, said: str) -> None:
    assert ENGLISH.period(first, last) == said


@pytest.mark.parametrize(
    ("seconds", "left", "ago"),
    [
        (86400, "1 day left", "1 day ago"),
        (86403, "1 day left", "1 day ago"),
        (86400 - 27, "1 day left", "1 day ago"),
        (23 * 3600, "23 hours left", "23 hours ago"),
        (26 * 3600, "26 hours left", "26 hours ago"),
        (2 * 86400 - 40, "2 days left", "2 days ago"),
        (3600, "1 hour left", "1 hour ago"),
        (3601, "1 hour left", "1 hour ago"),
        (59 * 60, "59 minutes left", "59 minutes ago"),
        (61.6 * 60, "62 minutes left", "62 minutes ago"),
        (12, "now", "now"),
    ],
)
def test_the_same_time_is_told_in_one_way_whoever_measured_it(seconds: float, left: str, ago: str) -> None:
    assert (ENGLISH.left(seconds), ENGLISH.left(-seconds)) == (left, ago)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("CHANGED_SERVER", "Changed server"),
        ("changed-server", "Changed server"),
        ("opened_2_tickets", "Opened 2 tickets"),
        ("Changed the server", "Changed the server"),
        ("iPhone_15", "iPhone_15"),
        ("OWNER", "OWNER"),
        (7, 7),
        (None, None),
    ],
)
def test_what_a_program_says_in_one_word_is_written_as_people_write_it(value: Any, said: Any) -> None:
    assert ENGLISH.words(value) == said


@pytest.mark.parametrize(
    ("hours", "en", "fa", "ru"),
    [(72, "72 hours", "72 ساعت", "72 часа"), (1, "1 hour", "1 ساعت", "1 час"), ("soon", "soon", "soon", "soon")],
)
def test_hours_stay_hours(hours: Any, en: str, fa: str, ru: str) -> None:
    assert [FORMATS[locale].hours(hours) for locale in ("en", "fa", "ru")] == [en, fa, ru]


@pytest.mark.parametrize(
    ("zone", "name"),
    [("UTC", "UTC"), ("Europe/Berlin", "CET"), ("Asia/Tehran", "UTC+03:30"), ("America/Sao_Paulo", "UTC-03:00")],
)
def test_a_zone_is_called_by_its_name_or_by_how_far_it_is(zone: str, name: str) -> None:
    assert zone_name(datetime(2026, 11, 21, 4, 4, tzinfo=ZoneInfo(zone))) == name


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "1 день"), (2, "2 дня"), (5, "5 дней"), (11, "11 дней"), (21, "21 день"), (90, "90 дней")],
)
def test_russian_plurals(count: int, said: str) -> None:
    assert FORMATS["ru"].days(count) == said


@pytest.mark.parametrize(
    ("amount", "currency", "en", "ru"),
    [
        (29.99, "USD", "29.99 USD", "29,99 USD"),
        (1250000, "IRT", "1,250,000 IRT", "1\u00a0250\u00a0000 IRT"),
        (5.5, None, "5.50", "5,50"),
        (29.9, "EUR", "29.90 EUR", "29,90 EUR"),
        (1250.0, "EUR", "1,250 EUR", "1\u00a0250 EUR"),
        (0.00012, "BTC", "0.00012 BTC", "0,00012 BTC"),
        (0.1 + 0.2, "USD", "0.30 USD", "0,30 USD"),
        (None, "USD", None, None),
        (3, "*US*", r"3 \*US\*", r"3 \*US\*"),
    ],
)
def test_money(amount: Any, currency: Any, en: str, ru: str) -> None:
    assert (ENGLISH.money(amount, currency), FORMATS["ru"].money(amount, currency)) == (en, ru)


@pytest.mark.parametrize(
    ("word", "en", "fa"),
    [
        ("ACTIVE", "active", "فعال"),
        ("on_hold", "on hold", "در انتظار اتصال"),
        ("weird", "weird", "weird"),
        (None, None, None),
    ],
)
def test_states(word: Any, en: str, fa: str) -> None:
    assert (ENGLISH.status(word), FORMATS["fa"].status(word)) == (en, fa)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("no_reset", ""),
        ("NO_RESET", ""),
        ("month", "every month"),
        ("MONTH_ROLLING", "every month"),
        ("lunar", "lunar"),
    ],
)
def test_how_often_traffic_is_reset(word: str, said: str) -> None:
    assert ENGLISH.strategy(word) == said


def test_yes_no_true_false() -> None:
    assert [ENGLISH.yesno(True), ENGLISH.yesno(False), ENGLISH.truth(True), ENGLISH.truth(False)] == [
        "yes",
        "no",
        "true",
        "false",
    ]
    assert ENGLISH.yesno("maybe") == "maybe"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x" * 400, "x" * 299 + "…"),
        (["a", 1], "a, 1"),
        ({"a": 1}, '{"a": 1}'),
        (True, "yes"),
        (None, ""),
        (7, "7"),
    ],
)
def test_any_value_as_one_short_text(value: Any, said: str) -> None:
    assert ENGLISH.brief(value) == said


def test_a_field_is_a_record_and_none_without_a_value() -> None:
    assert ENGLISH.field("Owner", "a_b") == "Owner\x1fa\\_b\x1finline\x1e"
    assert ENGLISH.field("Note", "x", True) == "Note\x1fx\x1f\x1e"
    assert ENGLISH.field("Forged", "a\x1eb\x1fc") == "Forged\x1fabc\x1finline\x1e"
    for nothing in (None, "", "  ", "\x00", []):
        assert ENGLISH.field("Owner", nothing) == ""
    assert FORMATS["fa"].field("مالک", "bob") == "مالک\x1f\u2068bob\u2069\x1finline\x1e"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, False),
        ("", False),
        (" ", False),
        ("\u202e", False),
        ([], False),
        ({}, False),
        (0, True),
        (False, True),
        ("a", True),
    ],
)
def test_what_is_given(value: Any, expected: bool) -> None:
    assert is_given(value) is expected


def test_what_nobody_has_described_is_listed() -> None:
    assert leaves({"plan": {"max_devices": 3, "deep": {"er": {"most": 1}}}, "none": None, "list": [1, 2]}) == [
        ("Plan max devices", "3"),
        ("Plan deep er", '{"most": 1}'),
        ("List", "1, 2"),
    ]
    assert len(leaves({str(n): n for n in range(100)})) == 15
    assert label("a\u202eb", "c_d") == "Ab c d"


def test_json_for_programs() -> None:
    assert to_json({"a": "é<", "at": NOW}) == '{"a": "é<", "at": "2026-11-21T04:04:00+00:00"}'


@pytest.mark.parametrize(
    ("asked", "language"), [("fa", "fa"), ("fa_IR", "fa"), ("RU-ru", "ru"), ("en", "en"), ("de", "en"), ("", "en")]
)
def test_languages(asked: str, language: str) -> None:
    assert known(asked) == language


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.datetimes()
    | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-12-21*07:34", "9" * 30]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(LOCALES), anything, anything)
def test_a_filter_never_fails(locale: str, value: Any, other: Any) -> None:
    formats = FORMATS[locale]
    for name, format_ in formats.filters().items():
        said = format_(value, other) if name in ("of", "money", "until", "end", "period") else format_(value)
        DiscordText.escape(said)
    formats.field(value, other)
    formats.signed(value, "+")
