"""Traces of attempts: each is one of its own, linked to those of its events, for it may be days later."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from bridge import tracing
from bridge.store.base import Delivery, Outbox, Settlement

if TYPE_CHECKING:
    from opentelemetry.trace import Span


async def traces_of(outbox: Outbox, deliveries: Sequence[Delivery]) -> Sequence[str]:
    """The traces of what is told; none where nobody wants them."""
    if not tracing.is_on():
        return ()
    return await outbox.traces([one.event.id for one in deliveries[: tracing.LINKS]])


def attempt_span(deliveries: Sequence[Delivery], links: Sequence[str]) -> "AbstractContextManager[Span | None]":
    """A span around the attempt at these, which are told as one."""
    if not tracing.is_on():
        return tracing.NOTHING
    first = deliveries[0]
    about: tracing.Attributes = {
        "panelbridge.sink": first.sink,
        "panelbridge.delivery_id": first.id,
        "panelbridge.deliveries": len(deliveries),
        "panelbridge.attempt": first.attempts + 1,
        "panelbridge.event_type": first.event.type,
    }
    return tracing.span(f"panelbridge.deliver {first.sink}", about, tracing.SpanKind.CONSUMER, links=links)


def tell(span: "Span | None", settlements: Sequence[Settlement]) -> None:
    """What came of it."""
    if span is not None:
        attempt, fate = settlements[0].attempt, settlements[0].fate
        span.set_attribute("panelbridge.outcome", type(attempt.outcome).__name__.lower())
        span.set_attribute("panelbridge.fate", type(fate).__name__.lower())
