"""How addresses stand: which took a message once, and which take none."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from bridge.store.base import AddressState
from bridge.store.compiled import any_of, read_any, write
from bridge.store.moments import micros_or_none, moment_or_none
from bridge.store.queries.changes import note_change
from bridge.store.schema import addresses

_PUT = sa.text(
    "INSERT INTO addresses (sender, place, reached_at, reason, since, until)"
    " VALUES (:sender, :place, :reached_at, :reason, :since, :until)"
    " ON CONFLICT (sender, place) DO UPDATE SET reached_at = excluded.reached_at, reason = excluded.reason,"
    " since = excluded.since, until = excluded.until"
)


@cache
def states_among(many: int) -> sa.Select[Any]:
    """How so many addresses of a sender stand."""
    return sa.select(addresses).where(addresses.c.sender == sa.bindparam("sender_"), any_of(addresses.c.place, many))


def address_state(connection: sa.Connection, sender: str, place: str) -> AddressState | None:
    """How an address stands; None where it was never spoken to."""
    return states_of(connection, sender, [place]).get(place)


def states_of(connection: sa.Connection, sender: str, places: Sequence[str]) -> dict[str, AddressState]:
    """How these addresses stand, of those that were spoken to."""
    return {
        row.place: AddressState(
            moment_or_none(row.reached_at), row.reason, moment_or_none(row.since), moment_or_none(row.until)
        )
        for row in read_any(connection, states_among, places, {"sender_": sender})
    }


def put_states(connection: sa.Connection, states: Sequence[tuple[str, str, AddressState]]) -> list[None]:
    """Keep how addresses of senders stand."""
    if any(one.reason or _takes_none(connection, sender, place) for sender, place, one in states):
        note_change(connection)  # that one takes messages as before changes nothing for anybody
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
    note_change(connection)
    return [
        connection.execute(
            sa.update(addresses).where(addresses.c.sender == sender, addresses.c.reason.is_not(None)).values(mended)
        ).rowcount
        for sender in senders
    ]


def _takes_none(connection: sa.Connection, sender: str, place: str) -> bool:
    state = address_state(connection, sender, place)
    return state is not None and state.reason is not None
