"""Traces: spans of what is taken in and of each attempt, as OpenTelemetry has them. Off unless somebody wants them.

One object for the process, as the counters are one: where it is None nothing is imported, and a span costs a look at
that. Written by hand, for the libraries that trace aiohttp keep whole addresses, which are credentials here. Nothing
that a sender chose stands in a span but an event's type: no subject, no data, no answer; of an address its host alone,
of an error its kind.

    POST /in/{source} SERVER ─ parse ─ route ─ put
    deliver {sink} CONSUMER, of a trace of its own, linked to those of its events ─ render ─ POST CLIENT

A request's own trace is gone on with, as far as its `traceparent` is one; nothing else of a stranger's is taken over.
"""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

HEADER = "traceparent"
CLOSING = 2.0  # seconds
LINKS = 32  # traces that an attempt is linked to: a digest may tell of any number of events
_TRACEPARENT = re.compile("00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
NOTHING: AbstractContextManager[None] = nullcontext()

Attributes = Mapping[str, str | int | float | bool]


class SpanKind(Enum):
    """What a span is to whoever is at its other end."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    CONSUMER = "CONSUMER"


class Tracing:
    """What spans are made by; imports the library."""

    def __init__(self, exporter: "SpanExporter", *, resource: Attributes, share: float | None = None) -> None:
        """`resource`: what they are of, as far as OpenTelemetry's own variables do not say; `share`: of the traces that
        begin here, None as those variables say.
        """
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        sampler = None if share is None else ParentBased(TraceIdRatioBased(share))
        about = Resource.create(dict(resource)).merge(OTELResourceDetector().detect())
        self._provider: TracerProvider = TracerProvider(sampler=sampler, resource=about, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("panelbridge")

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Attributes,
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        parent: str | None = None,
        links: Sequence[str] | None = None,
    ) -> "Iterator[Span]":
        """A span around what is done meanwhile; `parent`: the traceparent that it goes on with, `links`: those that it
        begins a trace beside. An error that goes through it is named by its kind.
        """
        from opentelemetry import trace

        is_within = links is None and parent is None
        beside = [trace.get_current_span(_after(text)).get_span_context() for text in (links or ())[:LINKS]]
        with self._tracer.start_as_current_span(
            name,
            context=None if is_within else _after(parent),
            kind=trace.SpanKind[kind.value],
            attributes=dict(attributes),
            links=[trace.Link(one) for one in beside if one.is_valid],
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(trace.StatusCode.ERROR)
                raise

    def close(self) -> None:
        """Send what is left, as far as the other end takes it within `CLOSING`."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSING)


#: What makes spans in this process; None where nobody wants any.
_tracing: Tracing | None = None


def start(tracing: Tracing | None) -> None:
    """From now on spans are made by that, or none are."""
    global _tracing
    _tracing = tracing


def is_on() -> bool:
    return _tracing is not None


def span(
    name: str,
    attributes: Attributes = {},  # noqa: B006 nobody changes it
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: str | None = None,
    links: Sequence[str] | None = None,
) -> "AbstractContextManager[Span | None]":
    """A span around what is done meanwhile, as `Tracing.span` has it; None where there are none."""
    if _tracing is None:
        return NOTHING
    return _tracing.span(name, attributes, kind, parent=parent, links=links)


def taken_up(headers: Mapping[str, str]) -> str:
    """The traceparent that came with a request, and nothing where that is none."""
    text = headers.get(HEADER, "") if _tracing is not None else ""
    return text if _TRACEPARENT.fullmatch(text) else ""


def traceparent() -> str | None:
    """That of the span around what is done now; None where there is none."""
    if _tracing is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers.get(HEADER)


def trace_id() -> str | None:
    """The trace of what is done now, as logs name it."""
    now = traceparent()
    return None if now is None else now[3:35]


def _after(text: str | None) -> "Context":
    """What goes on with that traceparent; with nothing, where it is none."""
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({HEADER: text or ""}, Context())
