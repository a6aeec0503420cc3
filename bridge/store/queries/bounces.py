"""Letters that came back: their mailboxes are gone, in the commit that also moves on behind the reports."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from bridge.polled import PollResult
from bridge.store.queries.addresses import address_state, put_states
from bridge.store.queries.polled import keep_turn
from bridge.store.queries.put import lock_next_id
from bridge.store.standing import ASKED_AGAIN, AddressState
from bridge.value import replace


def keep_bounced(
    connection: sa.Connection, sender: str, gone: Sequence[tuple[str, str]], result: PollResult, *, now: datetime
) -> bool:
    """Keep that a sender's mailboxes, by their places, take nothing, each with the reason: as if refused at once.

    False where the turn is over.
    """
    lock_next_id(connection)  # first of all, as whoever puts does: or two replicas would wait for each other
    if not keep_turn(connection, result):
        return False
    until = now + timedelta(seconds=ASKED_AGAIN)
    for place, reason in gone:
        state = address_state(connection, sender, place) or AddressState()
        put_states(connection, [(sender, place, replace(state, reason=reason, since=state.since or now, until=until))])
    return True
