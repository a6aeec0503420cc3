"""What a row asks for."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.routing import Route
from bridge.terms import DigestWindow, Quiet, Terms
from tests.fakes import an_event

TEHRAN = ZoneInfo("Asia/Tehran")
NIGHT = Quiet(hours="22:00-07:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TEHRAN)


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (NIGHT, "2026-11-21T21:59:59", None),
        (NIGHT, "2026-11-21T22:00", "2026-11-22T07:00"),
        (NIGHT, "2026-11-22T06:59:59", "2026-11-22T07:00"),
        (NIGHT, "2026-11-22T07:00", None),
        (Quiet(hours="13:00-14:30"), "2026-11-21T14:00", "2026-11-21T14:30"),
        (Quiet(hours="13:00-14:30"), "2026-11-21T14:30", None),
        (Quiet(hours="22:00-07:00", days="sat"), "2026-11-22T03:00", "2026-11-22T07:00"),
        (Quiet(hours="22:00-07:00", days="sat"), "2026-11-21T03:00", None),
        (Quiet(hours="00:00-23:59:59", days=["Sat", "sunday"]), "2026-11-21T12:00", "2026-11-22T00:00"),
        (Quiet(hours="00:00-23:59:59", days=["Sat", "sunday"]), "2026-11-22T23:59:59", "2026-11-23T00:00"),
        (Quiet(hours="00:00-23:59:59", days=["Sat", "sunday"]), "2026-11-23T00:00", None),
        (Quiet(hours="22:00-23:59:59"), "2026-11-21T23:59:59", "2026-11-22T00:00"),
        (Quiet(hours="22:00-23:59"), "2026-11-21T23:59", None),
        (Quiet(hours="09:00-10:00"), "2026-11-21T09:30", "2026-11-21T10:00"),
    ],
)
def test_quiet_hours_begin_on_their_days_and_may_end_on_the_next(quiet: Quiet, now: str, until: str | None) -> None:
    assert quiet.until(at(now)) == (at(until) if until else None)


@pytest.mark.parametrize(
    ("days", "meant"),
    [
        ("fri", ("fri",)),
        ("mon-wed", ("mon", "tue", "wed")),
        ("sat-mon", ("sat", "sun", "mon")),
        (["friday", "Saturday"], ("fri", "sat")),
    ],
)
def test_days_are_written_as_people_write_them(days: object, meant: tuple[str, ...]) -> None:
    assert Quiet.model_validate({"hours": "22:00-07:00", "days": days}).days == meant


@pytest.mark.parametrize(
    "wrong",
    [
        {"hours": "22-7"},
        {"hours": "22:00"},
        {"hours": "25:00-07:00"},
        {"hours": "07:00-07:00"},
        {"hours": "22:00-07:00", "days": "someday"},
        {"hours": "22:00-07:00", "days": []},
        {"hours": "22:00-07:00", "days": ["mon", 3]},
        {"hours": "22:00-07:00", "mode": "loud"},
    ],
)
def test_what_is_no_time_of_the_day_or_week_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Quiet.model_validate(wrong)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.times(), st.times())
def test_a_quiet_time_always_ends_later_and_within_a_day(now: datetime, begin: object, end: object) -> None:
    if begin == end:
        return
    local = now.replace(tzinfo=TEHRAN)
    until = Quiet(hours=f"{begin}-{end}").until(local)
    if until is not None:
        assert 0 < (until - local).total_seconds() <= 86400


def test_a_row_that_asks_for_nothing_has_no_terms() -> None:
    assert Route(to=("ops",)).terms() is None
    assert Route(to=("ops",), fallback_after=60).terms() is None


def test_a_rows_terms_go_through_json_unchanged() -> None:
    row = Route.model_validate(
        {
            "to": "ops",
            "digest": {"window": "60s", "max": 20},
            "hold": "30s",
            "quiet": {"hours": "22:00-07:00", "mode": "hold"},
            "update": "subject",
            "fallback": ["night", "crm"],
            "fallback_after": "5m",
        }
    )
    terms = row.terms()
    assert terms is not None
    assert terms.fallback == ("night", "crm")
    assert Terms.model_validate_json(terms.model_dump_json(exclude_defaults=True)) == terms


@pytest.mark.parametrize(
    ("terms", "type_", "subject", "seconds"),
    [
        (Terms(), "node.connection_lost", "node:a", 0),
        (Terms(hold=30), "node.connection_lost", "node:a", 30),
        (Terms(hold=30), "node.updated", "node:a", 0),
        (Terms(hold=30), "node.connection_lost", None, 0),
        (Terms(digest=DigestWindow(window=60)), "user.created", None, 60),
        (Terms(hold=30, digest=DigestWindow(window=60)), "node.connection_lost", "node:a", 60),
        (Terms(hold=90, digest=DigestWindow(window=60)), "node.connection_lost", "node:a", 90),
    ],
)
def test_only_what_can_be_taken_back_or_goes_into_a_digest_is_collected(
    terms: Terms, type_: str, subject: str | None, seconds: float
) -> None:
    assert terms.collecting(an_event(subject, type_=type_)) == seconds
