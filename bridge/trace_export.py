"""Where traces go: settings, and what sends them. The library is an extra, and is imported where they are wanted."""

import logging
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, SecretStr

from bridge.errors import BridgeError
from bridge.settings import BaseUrl, Settings
from bridge.telemetry import log
from bridge.tracing import Tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

LOG = logging.getLogger("bridge.app")
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"  # as every program with OpenTelemetry reads it
TIMEOUT = 5.0  # seconds that a collector has to answer in
MISSING = "need what is not installed: pip install 'panelbridge[otel]'"


class Traces(Settings):
    """Spans of what is taken in and of each attempt, for a collector that takes OTLP over HTTP."""

    example: ClassVar[str] = "to: http://127.0.0.1:4318"

    to: BaseUrl = Field(description="the collector's address; /v1/traces comes behind it")
    headers: dict[str, SecretStr] = Field({}, description="headers that go with what it is sent, as a token")
    share: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="of the traces that begin here, how many are kept: 0.1 is one of ten; all of them"
    )


def open_traces(settings: Traces | None, *, version: str, replica: str) -> Tracing | None:
    """What makes spans; None where nobody wants any: neither the file nor the environment says where they go.

    Raise BridgeError where the file wants them, and the library is not installed.
    """
    if settings is None and not os.environ.get(ENDPOINT):
        return None
    try:
        exporter = _exporter(settings)
    except ImportError:
        if settings is not None:
            raise BridgeError(f"traces: {MISSING}") from None
        log(LOG, logging.WARNING, "traces.off", reason=f"{ENDPOINT} is set: traces {MISSING}")
        return None
    resource = {"service.name": "panelbridge", "service.version": version, "service.instance.id": replica}
    return Tracing(exporter, resource=resource, share=settings.share if settings is not None else None)


def _exporter(settings: Traces | None) -> "SpanExporter":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    if settings is None:  # all of it as the environment says
        return OTLPSpanExporter(timeout=TIMEOUT)
    headers: Mapping[str, str] = {name: value.get_secret_value() for name, value in settings.headers.items()}
    return OTLPSpanExporter(f"{settings.to.rstrip('/')}/v1/traces", headers=headers, timeout=TIMEOUT)
