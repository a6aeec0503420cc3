"""Times as the tables have them: integer microseconds since 1970 (UTC), which sort, index and compare the same on every
engine.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exact. Several of them stand in each row: a division would take twice as long."""
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def moment(micros: int) -> datetime:
    """The aware UTC time of `micros`."""
    return _EPOCH + timedelta(microseconds=micros)


def moment_of_second(second: int) -> datetime:
    """The aware UTC time of a second since 1970, as tallies have them."""
    return datetime.fromtimestamp(second, UTC)


def micros_or_none(moment: datetime | None) -> int | None:
    return None if moment is None else micros(moment)


def moment_or_none(micros: int | None) -> datetime | None:
    return None if micros is None else moment(micros)
