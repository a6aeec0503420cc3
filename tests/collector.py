"""A collector of traces: takes OTLP over HTTP, as the protocol's own package reads it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Seen:
    """A span as it arrived. `links`: trace and span, in hexadecimal; `parent` empty where it has none."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    links: list[tuple[str, str]]
    attributes: dict[str, Any]
    failed: bool


@dataclass
class Collector:
    """What arrived: each span, the resource that it is of, each request's bytes and headers."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        body = await request.read()
        told = ExportTraceServiceRequest.FromString(body)
        self.bodies.append(body)
        self.headers.append(dict(request.headers))
        for one in told.resource_spans:
            self.resources.append(_values(one.resource.attributes))
            self.spans += [_seen(span) for scope in one.scope_spans for span in scope.spans]
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")

    def named(self, name: str) -> list[Seen]:
        return [one for one in self.spans if one.name == name]

    def below(self, one: Seen) -> list[Seen]:
        """What was done meanwhile."""
        return [other for other in self.spans if (other.trace, other.parent) == (one.trace, one.id)]


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


def _seen(span: Span) -> Seen:
    return Seen(
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=[(one.trace_id.hex(), one.span_id.hex()) for one in span.links],
        attributes=_values(span.attributes),
        failed=span.status.code != 0,
    )


@asynccontextmanager
async def a_collector() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()
