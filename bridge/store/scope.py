"""Whose part of the store somebody may see: an owner's own events, and nothing else.

Every query for an owner is given whose it is by the ledger that runs it, and puts it into its WHERE: it is no parameter
that a request could bring.
"""

from collections.abc import Callable
from typing import Any, Concatenate

import sqlalchemy as sa

from bridge.people.owner import Owner
from bridge.people.recipient import Audience, recipient_key
from bridge.store.ledger import Ledger, P, T
from bridge.store.matching import is_of_owner
from bridge.store.schema import deliveries


def scoped(select: sa.Select[Any], owner: Owner) -> sa.Select[Any]:
    """A select over events, of this owner's alone; found by the index `events_owner`."""
    return select.where(is_of_owner(owner.realm, owner.name))


def is_told_to_theirs(owner: Owner) -> sa.ColumnElement[bool]:
    """Whether a delivery of one of their events is for them or for a customer of theirs: no other is their business."""
    customers = recipient_key(owner.realm, Audience.PERSON, "")
    is_customers = sa.func.substr(deliveries.c.recipient, 1, len(customers)) == customers
    return sa.or_(deliveries.c.recipient == owner.key, is_customers)


class OwnedLedger:
    """The ledger as an owner has it: what is read is given whose it is to be."""

    def __init__(self, ledger: Ledger, owner: Owner) -> None:
        self._ledger, self.owner = ledger, owner

    def read(self, query: Callable[Concatenate[sa.Connection, Owner, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a query finds of theirs."""

        def owned(connection: sa.Connection) -> T:
            return query(connection, self.owner, *args, **kwargs)

        return self._ledger.read(owned)
