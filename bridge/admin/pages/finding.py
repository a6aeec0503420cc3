"""What somebody means who types a few signs: an event, a delivery, whom it is about, or what it is called."""

import re
from collections.abc import Sequence

from bridge.admin import operations
from bridge.admin.shapes import EventsFound
from bridge.store.ledger import Ledger
from bridge.store.queries.events import event_ids
from bridge.store.records import DeliveryQuery
from bridge.value import replace

#: How the subjects of events begin: whoever types a bare name means any of them.
PREFIXES = ("user", "node", "peer", "admin", "interface", "device", "reseller", "subscription")
_EVENT = re.compile(r"0[0-9a-f]{7,}[0-9a-f-]*", re.ASCII)
_DELIVERY = re.compile(r"#?([1-9][0-9]{0,17})", re.ASCII)
_TYPE = re.compile(r"[\w-]+(\.[\w-]+)+", re.ASCII)


def meant(ledger: Ledger, text: str, query: DeliveryQuery, *, nowhere: bool = False) -> str | EventsFound:
    """The id of the one event that is meant, or the events that are, newest first.

    What is no name of anything is looked for as text, in the newest of them.
    """
    if not text:
        return operations.find(ledger, query, nowhere=nowhere)
    if (one := _one_event(ledger, text)) is not None:
        return one
    for about in _readings(text, query):
        found = operations.find(ledger, about, nowhere=nowhere)
        if found.events:
            return found
    return operations.search(ledger, text, query, nowhere=nowhere)


def _one_event(ledger: Ledger, text: str) -> str | None:
    delivery = _DELIVERY.fullmatch(text)
    reference = delivery[1] if delivery else text if _EVENT.fullmatch(text) else None
    found = ledger.read(event_ids, reference) if reference is not None else []
    return found[0] if len(found) == 1 else None


def _readings(text: str, query: DeliveryQuery) -> Sequence[DeliveryQuery]:
    """What the text may be, the likeliest first."""
    if ":" in text:
        return [replace(query, subject=text)]
    names = [replace(query, subject=f"{prefix}:{text}") for prefix in PREFIXES]
    types = [replace(query, type=text)]
    return [*types, *names] if _TYPE.fullmatch(text) else [*names, *types]
