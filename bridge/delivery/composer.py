"""From deliveries to what is sent: one message, or a digest of several."""

from collections import Counter
from collections.abc import Hashable, Sequence
from datetime import datetime
from itertools import islice
from uuid import NAMESPACE_OID, uuid5

from bridge.message import PLAIN, Circumstances, Digest, Earlier, Message, Tally
from bridge.messages.renderer import Renderer
from bridge.messages.repeats import saying
from bridge.sinks.base import Sink
from bridge.store.base import Delivery


def compose(
    delivery: Delivery,
    sink: Sink,
    renderer: Renderer,
    *,
    at: datetime,
    silent: bool = False,
    earlier: Earlier | None = None,
    repeats: int = 1,
) -> tuple[Message, str | None]:
    """The message of a delivery, and what went wrong with its template."""
    given = PLAIN
    replay, instead = delivery.replay_of is not None, delivery.instead
    if replay or instead or silent or earlier or repeats > 1:
        given = Circumstances(replay=replay, instead=instead, earlier=earlier, repeats=repeats, silent=silent)
    rendered = renderer.render(delivery.event, sink.look, delivery.template, given)
    message = Message(event=delivery.event, at=at, blocks=rendered.blocks, template=delivery.template, given=given)
    return message, rendered.fault


def compose_digest(
    deliveries: Sequence[Delivery],
    sink: Sink,
    renderer: Renderer,
    *,
    at: datetime,
    silent: bool = False,
    storm: bool = False,
) -> tuple[Digest, str | None]:
    """The digest of several deliveries, and what went wrong with a template."""
    events = [delivery.event for delivery in deliveries]
    parts, fault = _parts(deliveries, sink, renderer, at)
    tally = Tally(
        kinds=Counter(event.type for event in events),
        shown=sum(part.given.repeats for part in parts),
        first_at=min(event.occurred_at for event in events),
        last_at=max(event.occurred_at for event in events),
        storm=storm,
    )
    rendered = renderer.digest(tally, sink.look, _in_common(deliveries))
    digest = Digest(
        id=str(uuid5(NAMESPACE_OID, " ".join(event.id for event in events))),
        at=at,
        events=events,
        tally=tally,
        parts=parts,
        blocks=rendered.blocks,
        silent=silent,
    )
    return digest, rendered.fault or fault


def _parts(
    deliveries: Sequence[Delivery], sink: Sink, renderer: Renderer, at: datetime
) -> tuple[list[Message], str | None]:
    """The first ones in full; what says the same is said once."""
    if not sink.look.parts:
        return [], None
    said: dict[Hashable, list[Delivery]] = {}
    for delivery in deliveries:
        said.setdefault(saying(delivery.event), []).append(delivery)
    composed = [
        compose(same[0], sink, renderer, at=at, repeats=len(same)) for same in islice(said.values(), sink.look.parts)
    ]
    return [part for part, _ in composed], next((fault for _, fault in composed if fault), None)


def _in_common(deliveries: Sequence[Delivery]) -> Circumstances:
    """What is to be known of all of them."""
    instead = {delivery.instead for delivery in deliveries}
    replay = all(delivery.replay_of is not None for delivery in deliveries)
    return Circumstances(replay=replay, instead=instead.pop() if len(instead) == 1 else None)
