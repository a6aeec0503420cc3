"""How addresses stand: which took a message once, and which take none."""

from collections.abc import Sequence

import sqlalchemy as sa

from bridge.store.base import AddressState
from bridge.store.compiled import read, write
from bridge.store.moments import micros_or_none, moment_or_none
from bridge.store.schema import addresses

_STATE = sa.select(addresses).where(
    addresses.c.sender == sa.bindparam("sender_"), addresses.c.place == sa.bindparam("place_")
)
_PUT = sa.text(
    "INSERT INTO addresses (sender, place, reached_at, reason, since, until)"
    " VALUES (:sender, :place, :reached_at, :reason, :since, :until)"
    " ON CONFLICT (sender, place) DO UPDATE SET reached_at = excluded.reached_at, reason = excluded.reason,"
    " since = excluded.since, until = excluded.until"
)


def address_state(connection: sa.Connection, sender: str, place: str) -> AddressState | None:
    """How an address stands; None where it was never spoken to."""
    for row in read(connection, _STATE, {"sender_": sender, "place_": place}):
        return AddressState(
            moment_or_none(row.reached_at), row.reason, moment_or_none(row.since), moment_or_none(row.until)
        )
    return None


def put_states(connection: sa.Connection, states: Sequence[tuple[str, str, AddressState]]) -> list[None]:
    """Keep how addresses of senders stand."""
    write(
        connection,
        _PUT,
        [
            {
                "sender": sender,
                "place": place,
                "reached_at": micros_or_none(one.reached_at),
                "reason": one.reason,
                "since": micros_or_none(one.since),
                "until": micros_or_none(one.until),
            }
            for sender, place, one in states
        ],
    )
    return [None] * len(states)


def ask_again(connection: sa.Connection, senders: Sequence[str]) -> list[int]:
    """Let every address of a sender be asked again; how many took nothing."""
    mended = {"reason": None, "since": None, "until": None}
    return [
        connection.execute(
            sa.update(addresses).where(addresses.c.sender == sender, addresses.c.reason.is_not(None)).values(mended)
        ).rowcount
        for sender in senders
    ]
