"""An announcement as a kill leaves it."""

import sqlalchemy as sa

from bridge.people.announcement import UNCERTAIN
from bridge.store.base import State
from bridge.store.ledger import Ledger
from bridge.store.moments import micros
from bridge.store.schema import announced, deliveries
from tests.fakes import START


def make_uncertain(ledger: Ledger, id_: int) -> list[int]:
    """All of its deliveries were at the socket, and nobody knows what came of it; their ids."""
    return ledger.write(_make_uncertain, id_)


def _make_uncertain(connection: sa.Connection, id_: int) -> list[int]:
    mine = sa.select(announced.c.delivery_id).where(announced.c.announcement == id_)
    ids = sorted(connection.execute(mine).scalars())
    lost = {"state": State.HELD_BACK.value, "reason": UNCERTAIN, "settled_at": micros(START), "due_at": None}
    connection.execute(sa.update(deliveries).where(deliveries.c.id.in_(ids)).values(lost))
    connection.execute(sa.update(announced).where(announced.c.delivery_id.in_(ids)).values(begun_at=micros(START)))
    return ids
