"""Put: events, a delivery for each sink they go to, and what was set aside, repeats among it.

Why ids are counted here: a lane looks through its deliveries upwards and never back, so no id may become visible after
a higher one. Whoever adds deliveries locks them until the commit (`lock_next_id`).
"""

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import sqlalchemy as sa

from bridge.intake import Intake, Routed, SetAside, Threshold
from bridge.mute import Mute, muting
from bridge.people.recipient import Audience, named, recipient_key
from bridge.store.backend import backend_of
from bridge.store.base import Delivery, PutResult, State
from bridge.store.compiled import first, write
from bridge.store.queries import proofs
from bridge.store.queries.fingerprints import find_repeats
from bridge.store.queries.mutes import mutes_in_force
from bridge.store.queries.tallies import CountedNames, add_tallies, counted_intake, counted_muted
from bridge.store.queries.told_steps import TOLD_ALREADY, begin_anew, close_person, happened_at, is_news
from bridge.store.rows import delivery_row, event_row, muted_row, new_delivery, set_aside_row, settled_row
from bridge.store.schema import deliveries, events, fingerprints, set_aside, tables, tallies
from bridge.value import replace

_PUT_EVENT = events.insert()
_PUT_DELIVERY = deliveries.insert().values(
    {name: sa.bindparam(name) for name in (
        "id", "event_id", "sink", "subject", "row", "template", "terms", "instead", "made_at", "state", "due_at",
        "replay_of", "sealed", "recipient", "reminder",
    )}
    | {"attempts": sa.literal_column("0")}
)  # fmt: skip
_PUT_MUTED = _PUT_DELIVERY.values({name: sa.bindparam(name) for name in ("settled_at", "reason", "note")})
_PUT_SET_ASIDE = set_aside.insert().values(
    {name: sa.bindparam(name) for name in ("source", "received_at", "path", "reason", "element")}
)
_TABLES = (tables, fingerprints, events, deliveries, set_aside, tallies)
_REHEARSED = [one.insert().from_select(one.c.keys(), sa.select(one).where(sa.false())) for one in _TABLES]
DELETED, REVOKED = ENDINGS = "user.deleted", "user.subscription_revoked"
NEWEST_ID = sa.select(sa.func.max(deliveries.c.id))


def put(connection: sa.Connection, intakes: Sequence[Intake], *, names: CountedNames | None = None) -> list[PutResult]:
    """Keep the events, a delivery for each sink they go to, and what was set aside; what came of each intake.

    What is muted is held back from the beginning, and is not among what came of it; nor is what a customer was told
    already.

    `names`: under which types are counted, as far as whoever puts knows them.
    """
    newest = lock_next_id(connection) - 1
    repeats = find_repeats(connection, [one for intake in intakes for one in intake.routed])
    came = [intake.routed[0].event.received_at for intake in intakes if intake.routed]
    mutes = mutes_in_force(connection, min(came)) if came else []
    muted: list[tuple[Delivery, Mute]] = []
    already: list[Delivery] = []
    results: list[PutResult] = []
    new: list[tuple[Routed, Intake]] = []
    proven: dict[str, Sequence[str]] = {}
    elements: list[SetAside] = []
    for intake in intakes:
        first_told = [one for one in intake.routed if one.event.id not in repeats] if repeats else intake.routed
        repeated = [one.event.id for one in intake.routed if one.event.id in repeats] if repeats else []
        ids = count(newest + 1)
        both = [(new_delivery(next(ids), one.event, to), to.once) for one in first_told for to in one.destinations]
        made = [delivery for delivery, _ in both]
        newest += len(made)
        if mutes:
            made, held = _without_muted(made, mutes)
            muted += held
        steps = {delivery.id: step for delivery, step in both if step is not None}
        if steps or any(map(_is_heeded, first_told)):
            made, known = _heed_in_order(connection, first_told, made, steps, intake.realm, proven)
            already += known
        results.append(PutResult(made, repeated))
        new += [(one, intake) for one in first_told]
        elements += intake.set_aside
    if proven:
        proofs.put_proofs(connection, proven)
    told_again = list(repeats.values())
    counted = counted_intake(connection, names or CountedNames(), [one for one, _ in new], told_again, elements)
    counted |= counted_muted(one for one, _ in muted)
    with backend_of(connection).pipeline(connection):
        if new:
            write(connection, _PUT_EVENT, [event_row(one, of.realm, of.trace) for one, of in new])
        add_deliveries(connection, [delivery_row(delivery) for one in results for delivery in one.deliveries])
        if muted:
            write(connection, _PUT_MUTED, [muted_row(one, mute) for one, mute in muted])
        if already:
            write(connection, _PUT_MUTED, [settled_row(one, TOLD_ALREADY) for one in already])
        if elements or told_again:
            write(connection, _PUT_SET_ASIDE, map(set_aside_row, [*elements, *told_again]))
        add_tallies(connection, counted)
    return results


def _without_muted(
    made: Sequence[Delivery], mutes: Sequence[Mute]
) -> tuple[list[Delivery], list[tuple[Delivery, Mute]]]:
    """What is to be sent, and what is held back as it is made: nothing of it is sent when the mute is over."""
    sent: list[Delivery] = []
    held: list[tuple[Delivery, Mute]] = []
    for one in made:
        if (mute := muting(mutes, one.event, one.sink, one.made_at)) is None:
            sent.append(one)
        else:
            held.append((replace(one, state=State.HELD_BACK, due_at=None, sealed=None), mute))
    return sent, held


def _is_heeded(one: Routed) -> bool:
    """Whether something follows from an event for what comes after it."""
    return bool(one.proofs or one.renewals) or one.event.type in ENDINGS


def _heed_in_order(
    connection: sa.Connection,
    routed: Sequence[Routed],
    made: Sequence[Delivery],
    steps: Mapping[int, Threshold],
    realm: str | None,
    proven: dict[str, Sequence[str]],
) -> tuple[list[Delivery], list[Delivery]]:
    """What is news, and what was told already, each event having been heeded before the next one is looked at: a
    request may tell of the end of a cycle, or of a user, and of what came then.
    """
    of_event: dict[str, list[Delivery]] = {}
    for delivery in made:
        of_event.setdefault(delivery.event.id, []).append(delivery)
    sent: list[Delivery] = []
    held: list[Delivery] = []
    for one in routed:
        news, known = _news_and_known(connection, of_event.get(one.event.id, []), steps)
        sent += news
        held += known
        if _is_heeded(one):
            _heed(connection, one, realm, proven)
    return sent, held


def _news_and_known(
    connection: sa.Connection, made: Sequence[Delivery], steps: Mapping[int, Threshold]
) -> tuple[list[Delivery], list[Delivery]]:
    """Of one event what is news to whom it is for, and what they were told already: that is settled as it is made.

    An event is news or it is not, whatever tells of it: a chat, and a letter beside it.
    """
    news: dict[str, bool] = {}  # to each whom it is for
    sent: list[Delivery] = []
    held: list[Delivery] = []
    for one in made:
        step = steps.get(one.id)
        if step is None or one.recipient is None:
            sent.append(one)
            continue
        if one.recipient not in news:
            news[one.recipient] = is_news(connection, one.recipient, step, happened_at(one.event))
        if news[one.recipient]:
            sent.append(one)
        else:
            held.append(replace(one, state=State.HELD_BACK, due_at=None, sealed=None))
    return sent, held


def _heed(connection: sa.Connection, one: Routed, realm: str | None, proven: dict[str, Sequence[str]]) -> None:
    """Heed what an event says of whose chat it is: what shows that from now on, that something does not any more, or
    that a user is no more, for the next one of that name is somebody else. And what begins anew for them.

    `proven`: what is to be kept of it, by the keys of recipients.
    """
    event = one.event
    if (name := named(event, Audience.PERSON)) is None:
        return
    key = recipient_key(realm or event.source, Audience.PERSON, name)
    if event.type in ENDINGS and key in proven:  # of the same commit: it ends with the others
        proofs.put_proofs(connection, {key: proven.pop(key)})
    if event.type == DELETED:
        close_person(connection, key, event.received_at)
        return
    if event.type == REVOKED:
        proofs.revoke(connection, key, event.received_at)
    begin_anew(connection, key, one.renewals, happened_at(event))
    if one.proofs:
        proven[key] = one.proofs


def rehearse(connection: sa.Connection, values: Sequence[None]) -> Sequence[None]:
    """Do what a put does, and keep nothing: where that is not possible now, no put is."""
    lock_next_id(connection)
    for statement in _REHEARSED:
        connection.execute(statement)
    return values


def add_deliveries(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add deliveries, under ids that were counted under their lock, and tell their lanes."""
    if rows:
        write(connection, _PUT_DELIVERY, rows)
        backend_of(connection).notify(connection, {row["sink"] for row in rows})


def lock_next_id(connection: sa.Connection) -> int:
    """Lock the ids of deliveries until the commit; the next one.

    It is above every other, ever: the newest delivery is never forgotten, so that this holds.
    """
    backend_of(connection).lock_changes(connection)
    (newest,) = first(connection, NEWEST_ID, {}) or (None,)
    return (newest or 0) + 1
