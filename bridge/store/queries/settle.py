"""Settle: what became of deliveries, the fallbacks of what is dead, and the reminders of trouble that lasts.

What was settled under an old term of office is left as it is: somebody else carries that lane now, and may have sent
its deliveries again.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from bridge.store.backend import backend_of
from bridge.store.base import Delivery, Settlement
from bridge.store.compiled import write_each
from bridge.store.queries.announcements import forget_begun
from bridge.store.queries.attempts import put_attempts
from bridge.store.queries.erasures import kept
from bridge.store.queries.following import falls_back, may_have_following, put_following
from bridge.store.queries.lanes import epoch_of
from bridge.store.queries.tallies import add_tallies, counted_settlements
from bridge.store.queries.threads import put_threads
from bridge.store.queries.told_steps import holds_back_step, take_back
from bridge.store.rows import settlement_row
from bridge.store.schema import deliveries
from bridge.value import replace

SETTLE = (
    sa.update(deliveries)
    .where(
        deliveries.c.id == sa.bindparam("id_"),
        deliveries.c.state.in_([sa.literal_column("'pending'"), sa.literal_column("'waiting'")]),
    )
    .values({name: sa.bindparam(f"{name}_") for name in (
        "state", "attempts", "due_at", "settled_at", "reason", "status", "answer", "note", "sealed", "ref", "ms",
    )})
)  # fmt: skip


def settle(
    connection: sa.Connection, batches: Sequence[Sequence[Settlement]], *, replica: str | None = None
) -> list[list[Delivery]]:
    """Record what became of deliveries; one that is settled already stays as it is. What each batch made.

    `replica`: the name of this process among those that share the store.
    """
    if any(holds_back_step(one) or may_have_following(one) for batch in batches for one in batch):
        backend_of(connection).lock_changes(connection)  # first of all, as whoever puts does
    sinks = sorted({one.delivery.sink for batch in batches for one in batch})  # sorted: two writers cannot cross
    epochs = {sink: epoch_of(connection, sink) for sink in sinks}
    settled: list[list[Settlement]] = []
    results: list[list[Delivery]] = []
    for batch in batches:
        made: list[Delivery] = []
        settled.append([])
        for one in batch:
            if one.epoch != epochs[one.delivery.sink]:
                continue
            if (following := put_following(connection, one)) is not None:
                made.append(following)
                if falls_back(one.fate):
                    told = f"{one.fate.reason}; told on {following.sink} instead"
                    one = replace(one, fate=replace(one.fate, reason=told))
            settled[-1].append(one)
        results.append(made)
    if every := [one for batch in settled for one in batch]:
        forget_begun(connection, every)
        changed = write_each(connection, SETTLE, map(settlement_row, every))
        if gone := _forgotten(connection, [one for one, rows in zip(every, changed, strict=True) if not rows]):
            settled = [_without(connection, batch, gone) for batch in settled]
        if held := [one.delivery for one in every if holds_back_step(one)]:
            take_back(connection, held)
        put_threads(connection, [one for batch in settled for one in batch])
        add_tallies(connection, counted_settlements(put_attempts(connection, settled, replica)))
    return results


def _forgotten(connection: sa.Connection, unchanged: Sequence[Settlement]) -> set[int]:
    """Which deliveries were forgotten while they were on their way: nothing is recorded of them."""
    ids = [one.delivery.id for one in unchanged]
    return set(ids) - kept(connection, ids) if ids else set()


def _without(connection: sa.Connection, batch: list[Settlement], gone: set[int]) -> list[Settlement]:
    """What was told beside what is gone, without the service's answer: it repeats all that was said."""
    left = [one for one in batch if one.delivery.id not in gone]
    if len(left) == len(batch):
        return batch
    ids = [one.delivery.id for one in left]
    connection.execute(sa.update(deliveries).where(deliveries.c.id.in_(ids)).values(answer=None))
    return [replace(one, attempt=replace(one.attempt, answer="")) for one in left]
