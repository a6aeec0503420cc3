"""Times stand in the store as whole microseconds since 1970: exact, before and after."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from bridge.store.moments import micros, moment

EPOCH, MICRO = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=ZONES))
def test_a_time_is_so_many_microseconds_and_is_that_time_again(when: datetime) -> None:
    assert micros(when) == (when - EPOCH) // MICRO
    assert moment(micros(when)) == when
