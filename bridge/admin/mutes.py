"""What an operator mutes for a while: a subject, a type, a source or a sink."""

from collections.abc import Collection
from datetime import datetime, timedelta

from bridge.admin.shapes import Muted
from bridge.errors import BridgeError, UnknownName, suggestion
from bridge.mute import Mute, MuteKind
from bridge.settings import seconds_of
from bridge.store.ledger import Ledger
from bridge.store.queries.mutes import add_mute, end_mute, mutes_in_force
from bridge.store.queries.series import has_come_from
from bridge.store.queries.walk import walked_deliveries
from bridge.store.records import DeliveryQuery
from bridge.vocabulary import OWN_SOURCE

LONGEST_NAME = 500  # characters
LONGEST_MUTE = timedelta(days=366)
_NAMED = {f"{kind}:": kind for kind in MuteKind if kind is not MuteKind.SUBJECT}


def mutes(ledger: Ledger, *, now: datetime) -> list[Muted]:
    """What is muted now, in the order in which it was."""
    return [_shape(one) for one in ledger.read(mutes_in_force, now)]


def mute(
    ledger: Ledger,
    what: str,
    lasting: str,
    *,
    sinks: Collection[str],
    sources: Collection[str],
    by: str,
    now: datetime,
) -> Muted:
    """Mute `user:alice`, `type:user.*`, `source:…` or `sink:…` for so long, `2h`; raise BridgeError where that is none.

    What is muted already is so for that long from now on.

    sinks, sources  those that the file names: UnknownName for another one, unless the store knows it
    """
    kind, value = muted_thing(what)
    until = now + mute_length(lasting)
    if kind is MuteKind.SINK and value not in sinks and not _has_gone_to(ledger, value):
        raise UnknownName(f'no sink is called "{value}": {suggestion(value, sinks)}')
    if kind is MuteKind.SOURCE and value not in (*sources, OWN_SOURCE) and not ledger.read(has_come_from, value):
        raise UnknownName(f'no source is called "{value}": {suggestion(value, sources)}')
    return _shape(ledger.write(add_mute, kind, value, until=until, by=by, now=now))


def _has_gone_to(ledger: Ledger, sink: str) -> bool:
    return bool(ledger.read(walked_deliveries, DeliveryQuery(sink=sink, limit=1)).deliveries)


def unmute(ledger: Ledger, reference: str, *, now: datetime) -> Muted:
    """End a mute, named by its number or by what it mutes; raise BridgeError where there is none in force."""
    found = [one for one in mutes(ledger, now=now) if reference in (str(one.id), one.what)]
    ended = ledger.write(end_mute, found[0].id, now=now) if found else None
    if ended is None:
        raise BridgeError(f"mute: nothing that is called {reference} is muted")
    return _shape(ended)


def muted_thing(what: str) -> tuple[MuteKind, str]:
    """What is meant by `sink:ops` or `user:alice`."""
    head, colon, name = what.partition(":")
    if not (head and colon and name) or what != what.strip():
        raise BridgeError(f"mute: {what or 'nothing'} is no subject such as user:alice, nor type:…, source:… or sink:…")
    if len(what) > LONGEST_NAME:
        raise BridgeError(f"mute: it should have at most {LONGEST_NAME} characters")
    kind = _NAMED.get(f"{head}:")
    return (MuteKind.SUBJECT, what) if kind is None else (kind, name)


def mute_length(text: str) -> timedelta:
    """How long `2h` is; raise BridgeError where it is no duration, or none that anyone would want."""
    try:
        length = timedelta(seconds=seconds_of(text))
    except ValueError as error:
        raise BridgeError(f"mute: for how long {error}") from None
    if not timedelta(0) < length <= LONGEST_MUTE:
        raise BridgeError("mute: for how long should be more than nothing, and at most 366 days")
    return length


def _shape(one: Mute) -> Muted:
    what = one.value if one.kind is MuteKind.SUBJECT else f"{one.kind}:{one.value}"
    return Muted(id=one.id, what=what, kind=one.kind, value=one.value, until=one.until, by=one.by, at=one.at)
