"""Attempts: every try of a delivery, kept as long as the delivery."""

from collections.abc import Sequence

import sqlalchemy as sa

from bridge.store.base import Settlement
from bridge.store.compiled import write_each
from bridge.store.records import AttemptRecord
from bridge.store.rows import attempt_record, attempt_row
from bridge.store.schema import attempts

MOST = 1000  # of one delivery, the newest, that people are shown

# what was recorded, though nobody heard that it was, is recorded again
_PUT_ATTEMPT = sa.text(
    "INSERT INTO attempts"
    " (delivery_id, at, ms, outcome, counts, status, reason, answer, ref, next_at, batch_id, replica)"
    " VALUES (:delivery_id, :at, :ms, :outcome, :counts, :status, :reason, :answer, :ref, :next_at, :batch_id,"
    " :replica)"
    " ON CONFLICT (delivery_id, at) DO NOTHING"
)


def put_attempts(
    connection: sa.Connection, batches: Sequence[Sequence[Settlement]], replica: str | None
) -> list[Settlement]:
    """Keep what was tried; of a message that told several, only the first one's row has the answer.

    Those of which it was not kept before.
    """
    rows = [
        attempt_row(one, batch_id=batch[0].delivery.id if number else None, replica=replica)
        for batch in batches
        for number, one in enumerate(batch)
    ]
    settlements = [one for batch in batches for one in batch]
    is_new = write_each(connection, _PUT_ATTEMPT, rows) if rows else []
    return [one for one, new in zip(settlements, is_new, strict=True) if new]


def attempts_of(connection: sa.Connection, delivery_ids: Sequence[int]) -> dict[int, list[AttemptRecord]]:
    """The tries of each of these deliveries, in order; of more than MOST of one the newest."""
    found: dict[int, list[AttemptRecord]] = {}
    for id_ in delivery_ids:
        newest = sa.select(attempts).where(attempts.c.delivery_id == id_).order_by(attempts.c.at.desc()).limit(MOST)
        if rows := connection.execute(newest).all():
            found[id_] = [attempt_record(row) for row in reversed(rows)]
    return found


def delete_of(delivery_ids: Sequence[int]) -> sa.Delete:
    return sa.delete(attempts).where(attempts.c.delivery_id.in_(delivery_ids))
