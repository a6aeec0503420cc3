"""Values for people: sizes, times, amounts and states, in the operator's language and time zone.

Units    sizes in bytes, shown in steps of 1024 as the panels do; times ISO 8601, shown in the configured zone;
         Persian dates are Jalali; digits are Latin in every language
Quirks   whatever cannot be understood is shown as it is: a filter never fails
"""

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from gettext import NullTranslations
from typing import Any
from zoneinfo import ZoneInfo

from bridge.bidi import isolated
from bridge.clock import in_zone
from bridge.markup.text import Text
from bridge.message import RECORD, UNIT
from bridge.messages.catalog import RIGHT_TO_LEFT
from bridge.messages.states import STATES, STRATEGIES
from bridge.messages.values import DAY, HOUR, as_words, figure, flat, given, moment, parts, rounded, word

#: A date, a date with the time, and the long form of the documented Slack layout.
PATTERNS = {
    "en": ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%b %d, %Y %H:%M:%S"),
    "fa": ("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S"),
    "ru": ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"),
}
#: Between thousands, and before decimals.
MARKS = {"en": (",", "."), "fa": (",", "."), "ru": ("\u00a0", ",")}

COINS = 8  # decimals of a sum: the smallest part of a bitcoin
BRIEF = 300  # characters of a value that are shown


class Formats:
    """The filters that depend on the language, the zone and the service (`text`)."""

    def __init__(self, text: type[Text], catalog: NullTranslations, locale: str, zone: ZoneInfo) -> None:
        self.text = text
        self._catalog = catalog
        self._locale = locale
        self._zone = zone
        self._backwards = locale in RIGHT_TO_LEFT
        _ = catalog.gettext
        small = (_("%(n)s B"), _("%(n)s KB"), _("%(n)s MB"), _("%(n)s GB"))
        self._units = (*small, _("%(n)s TB"), _("%(n)s PB"), _("%(n)s EB"))
        self.translated = lru_cache(maxsize=1024)(self._translated)

    def filters(self) -> dict[str, Any]:
        """What a template calls behind a `|`."""
        amounts, times = (
            "size of percent money number",
            "date time when stamp end until period left span lasted days hours",
        )
        names = f"{amounts} {times} yesno truth status strategy words brief isolate"
        return {name: getattr(self, name) for name in names.split()}

    def _translated(self, text: str) -> Text:
        """One of our own texts, translated."""
        return self.text(self._catalog.gettext(text))

    # sizes, amounts, numbers

    def size(self, value: Any) -> Any:
        """Bytes as `50 GB`."""
        count = figure(value)
        return value if count is None else self.text(self._size(count))

    def of(self, used: Any, limit: Any) -> Any:
        """What is used of a limit in bytes, `12.5 GB of 50 GB (25%)`; no limit is unlimited, and nothing is nothing."""
        part, whole = figure(used), figure(limit)
        if part is None:
            return used if given(used) else self.size(limit) if whole else ""
        if not whole:
            return self.text(self._catalog.gettext("%(used)s, unlimited") % {"used": self._size(part)})
        words = self._catalog.gettext("%(used)s of %(limit)s") % {"used": self._size(part), "limit": self._size(whole)}
        share = part / whole * 100
        return self.text(f"{words} ({self._digits(share, 1)}%)" if share >= 0.05 else words)

    def percent(self, value: Any) -> Any:
        share = figure(value)
        return value if share is None else self.text(self._digits(share, 1) + "%")

    def money(self, amount: Any, currency: Any = None) -> Any:
        """`29.90 USD`, `30 USD`; the amount alone where the currency is not known."""
        sum_ = self._amount(amount)
        return self.text("%s %s") % (sum_, currency) if given(currency) and given(amount) else sum_

    def signed(self, amount: Any, sign: str) -> Any:
        """`+50`, `−50.50`"""
        change = figure(amount)
        return amount if change is None else self.text(f"{sign}{self._amount(abs(change))}")

    def _amount(self, value: Any) -> Any:
        """A sum as it is written: whole, or with its hundredths; coins are counted in smaller parts."""
        count = figure(value)
        if count is None:
            return value
        digits = self._digits(count, COINS)
        _, mark, part = digits.rpartition(MARKS[self._locale][1])
        return self.text(f"{digits}0" if mark and len(part) == 1 else digits)

    def number(self, value: Any, decimals: int = 2) -> Any:
        """`1,250.5`; Russian writes it `1 250,5`."""
        count = figure(value)
        return value if count is None else self.text(self._digits(count, decimals))

    def _size(self, count: float) -> str:
        step = 0
        while abs(count) >= 1023.995 and step < len(self._units) - 1:
            count, step = count / 1024, step + 1
        return self._units[step] % {"n": self._digits(count, 2)}

    def _digits(self, value: float, decimals: int) -> str:
        thousands, decimal = MARKS[self._locale]
        whole, _, part = f"{value:,.{decimals}f}".partition(".")
        part = part.rstrip("0")
        return whole.replace(",", thousands) + (decimal + part if part else "")

    # times

    def date(self, value: Any) -> Any:
        return self._written(value, PATTERNS[self._locale][0])

    def when(self, value: Any) -> Any:
        """Date and time, to the minute."""
        return self._written(value, PATTERNS[self._locale][1])

    def stamp(self, value: Any) -> Any:
        """Date and time, to the second, as the documented Slack layout writes them."""
        return self._written(value, PATTERNS[self._locale][2])

    def day_of_month(self, value: Any) -> Any:
        return self._written(value, "%d")

    def hour(self, value: Any) -> Any:
        return self._written(value, "%H")

    def time(self, value: Any) -> Any:
        return self._written(value, "%H:%M")

    def _written(self, value: Any, pattern: str) -> Any:
        at = moment(value)
        if at is None:
            return value
        local = in_zone(at, self._zone)
        try:
            return self.text(_jalali(local, pattern) if self._locale == "fa" else local.strftime(pattern))
        except (OverflowError, ValueError):  # the first and last days of the calendar, in some zones
            return value

    def end(self, at: Any, now: Any) -> Any:
        """A time that something lasts until, and how far off it is."""
        words, left = self.when(at), self.until(at, now)
        return self.text(f"{self.text.escape(words)} ({left})") if left else words

    def until(self, value: Any, now: Any) -> Any:
        """How long it is from `now` to then: `29 days left`, `2 hours ago`; nothing where that cannot be told."""
        then, since = moment(value), moment(now)
        return self.left((then - since).total_seconds()) if then and since else ""

    def period(self, first: Any, last: Any) -> Any:
        """From when to when, `2026-11-21 04:04 – 04:31`; one time where it is the same minute."""
        began, ended = moment(first), moment(last)
        if began is None or ended is None:
            return self.when(first)
        begin, end = self.when(began), self.when(ended)
        if begin == end:
            return begin
        same_day = self.date(began) == self.date(ended)
        return self.text(f"{begin} – {self.time(ended) if same_day else end}")

    def left(self, seconds: Any) -> Any:
        """Seconds that are left, or that have passed where they are negative."""
        _, ngettext = self._catalog.gettext, self._catalog.ngettext
        span = figure(seconds)
        if span is None:
            return seconds
        count, unit = rounded(abs(span))
        if not count:
            return self.text(_("now"))
        if span > 0 and unit == DAY:
            words = ngettext("%(num)s day left", "%(num)s days left", count)
        elif span > 0 and unit == HOUR:
            words = ngettext("%(num)s hour left", "%(num)s hours left", count)
        elif span > 0:
            words = ngettext("%(num)s minute left", "%(num)s minutes left", count)
        elif unit == DAY:
            words = ngettext("%(num)s day ago", "%(num)s days ago", count)
        elif unit == HOUR:
            words = ngettext("%(num)s hour ago", "%(num)s hours ago", count)
        else:
            words = ngettext("%(num)s minute ago", "%(num)s minutes ago", count)
        return self.text(words % {"num": count})

    def span(self, seconds: Any) -> Any:
        """Seconds as `30 days`, `3 hours`."""
        ngettext = self._catalog.ngettext
        length = figure(seconds)
        if length is None:
            return seconds
        count, unit = rounded(abs(length))
        if unit == DAY:
            words = ngettext("%(num)s day", "%(num)s days", count)
        elif unit == HOUR:
            words = ngettext("%(num)s hour", "%(num)s hours", count)
        else:
            words = ngettext("%(num)s minute", "%(num)s minutes", count)
        return self.text(words % {"num": count})

    def lasted(self, seconds: Any) -> Any:
        """Seconds as what has passed, in its two largest units: `45 s`, `12 min 5 s`, `2 h 5 min`, `3 d 4 h`."""
        length = figure(seconds)
        return seconds if length is None else self.text(self._lasted(abs(length)))

    def after(self, seconds: float) -> Text:
        """`after 12 min`"""
        return self.text(self._catalog.gettext("after %(time)s") % {"time": self._lasted(seconds)})

    def events(self, count: int, seconds: float, *, storm: bool) -> Text:
        """How many events in what time: `20 events in 1 min`."""
        _, ngettext = self._catalog.gettext, self._catalog.ngettext
        if seconds > 0:
            words = ngettext("%(count)s event in %(time)s", "%(count)s events in %(time)s", count)
        else:
            words = ngettext("%(count)s event", "%(count)s events", count)
        count_text = words % {"count": self._digits(count, 0), "time": self._lasted(seconds)}
        return self.text(_("Many at once: %(events)s") % {"events": count_text} if storm else count_text)

    def _lasted(self, seconds: float) -> str:
        _ = self._catalog.gettext
        (large, small), names = parts(seconds)
        match names:
            case "dh":
                both, one = _("%(n)s d %(m)s h"), _("%(n)s d")
            case "hm":
                both, one = _("%(n)s h %(m)s min"), _("%(n)s h")
            case "ms":
                both, one = _("%(n)s min %(m)s s"), _("%(n)s min")
            case _:
                both = one = _("%(n)s s")
        return (both if small else one) % {"n": self._digits(large, 0), "m": small}

    def days(self, value: Any) -> Any:
        count = figure(value)
        if count is None:
            return value
        words = self._catalog.ngettext("%(num)s day", "%(num)s days", round(abs(count)))
        return self.text(words % {"num": self._digits(count, 1)})

    def hours(self, value: Any) -> Any:
        count = figure(value)
        if count is None:
            return value
        words = self._catalog.ngettext("%(num)s hour", "%(num)s hours", round(abs(count)))
        return self.text(words % {"num": self._digits(count, 1)})

    # words

    def yesno(self, value: Any) -> Any:
        _ = self._catalog.gettext
        return self.text(_("yes") if value else _("no")) if isinstance(value, bool) else value

    def truth(self, value: Any) -> Any:
        _ = self._catalog.gettext
        return self.text(_("true") if value else _("false")) if isinstance(value, bool) else value

    def status(self, value: Any) -> Any:
        """A state in the reader's language; one that we do not know as it is."""
        words = STATES.get(word(value))
        return value if words is None else self.text(self._catalog.gettext(words))

    def words(self, value: Any) -> Any:
        """What a program calls something, as people would write it: `CHANGED_SERVER` as `Changed server`."""
        return as_words(value) if isinstance(value, str) else value

    def numbers(self, values: Any) -> Any:
        """Numbers in a row: `0.1 0.2 0.3`."""
        known = values if isinstance(values, list | tuple) else [values]
        return self.text(" ").join(self.text.escape(self.number(one)) for one in known if given(one))

    def enumerated(self, pairs: Iterable[tuple[Any, Any]]) -> Text:
        """Values and what is said of each: `10.0.0.1 (inbound), 10.0.0.2 (blocked)`."""
        shown = [self.text("%s (%s)") % pair if given(pair[1]) else self.text.escape(pair[0]) for pair in pairs]
        return self.text(", ").join(shown)

    def strategy(self, value: Any) -> Any:
        """How often the traffic counter is reset; nothing where it never is."""
        words = STRATEGIES.get(word(value))
        return value if words is None else self.text(self._catalog.gettext(words) if words else "")

    def brief(self, value: Any, limit: int = BRIEF) -> Any:
        """Any value as one text that is not too long; what a filter has made is left as it is."""
        if isinstance(value, bool):
            return self.yesno(value)
        if hasattr(value, "__html__"):
            return value
        text = "" if value is None else flat(value, self.yesno)
        return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"

    def isolate(self, value: Any) -> Text:
        """`value`, read on its own inside a text that runs from right to left."""
        text = self.text.escape(value)
        return self.text(isolated(text)) if self._backwards and text else text

    def field(self, name: Any, value: Any, wide: bool = False) -> Text:
        """One record of a `fields` block: name, value, and whether it stands beside others; nothing for no value."""
        text = self.isolate(self.brief(value)).strip()
        if not text:
            return self.text("")
        return self.text(UNIT.join((self.text.escape(name), text, "" if wide else "inline")) + RECORD)


def _jalali(local: datetime, pattern: str) -> str:
    import jdatetime  # only who reads Persian pays for it

    day = jdatetime.date.fromgregorian(date=local.date())
    fields = {"%Y": f"{day.year:04}", "%m": f"{day.month:02}", "%d": f"{day.day:02}"}
    return local.strftime(re.sub(r"%[Ymd]", lambda found: fields[found[0]], pattern))
