"""Traces: what a collector is told of what was taken in and of each attempt, and nothing that is nobody's business."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from bridge import tracing
from bridge.config.load import load
from bridge.errors import BridgeError, ConfigError
from bridge.telemetry import Log, configure_logging, log
from bridge.trace_export import ENDPOINT, Traces, open_traces
from bridge.tracing import SpanKind, Tracing
from tests.collector import Seen, a_collector
from tests.processes import PATIENCE, a_bridge, a_receiver

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SENT = f"00-{TRACE}-{SPAN}-01"
SECRET, TOKEN, PERSON = "a-secret-of-marzban-0123456789", "a-token-of-the-collector", "mina-from-the-third-floor"
UNHURRIED = ("tests.unhurried",)
FILE = """
sources:
  marzban: {{panel: marzban, secret: {secret}}}
sinks:
  told: {{type: webhook, url: "{hook}?key={secret}", traced: true, headers: {{x-key: {secret}}}}}
  untold: {{type: webhook, url: "{hook}?key={secret}"}}
routes:
  - {{match: "*", to: [told, untold]}}
traces: {{to: "{collector}", headers: {{authorization: "Bearer {token}"}}}}
log: {{format: json}}
"""
ABOUT = {
    "panelbridge.sink", "panelbridge.delivery_id", "panelbridge.deliveries", "panelbridge.attempt",
    "panelbridge.event_type", "panelbridge.outcome", "panelbridge.fate",
}  # fmt: skip


class Kept(SpanExporter):
    """Keeps what is sent; `stuck`: takes nothing until it is set free."""

    def __init__(self, *, stuck: bool = False) -> None:
        self.spans: list[ReadableSpan] = []
        self.free = threading.Event()
        if not stuck:
            self.free.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.free.wait()
        self.spans += spans
        return SpanExportResult.SUCCESS


@asynccontextmanager
async def a_service(hook: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    """The address at which it answers so."""
    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    finally:
        await runner.cleanup()


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the last spans take as long as they take."""
    monkeypatch.setattr(tracing, "CLOSING", PATIENCE)


@pytest.fixture
def kept() -> Iterator[Kept]:
    """What is traced in this process, once it is closed."""
    exporter = Kept()
    tracing.start(Tracing(exporter, resource={}))
    yield exporter
    tracing.start(None)


def closed(exporter: Kept) -> list[ReadableSpan]:
    """The spans that were made, in the order in which they ended."""
    assert tracing._tracing is not None
    tracing._tracing.close()
    return exporter.spans


@pytest.mark.process
async def test_an_event_is_followed_from_the_panel_to_each_service(tmp_path: Path) -> None:
    heard: list[str | None] = []

    async def hook(request: web.Request) -> web.Response:
        heard.append(request.headers.get("traceparent"))
        return web.Response(status=200, text=f"thanks for {PERSON}")

    async with a_collector() as collector, a_service(hook) as url:
        text = FILE.format(secret=SECRET, hook=url, collector=collector.url, token=TOKEN)
        async with a_bridge(tmp_path, text) as bridge, aiohttp.ClientSession() as panel:
            bridge.program = UNHURRIED
            await bridge.start()
            for headers in ({"x-webhook-secret": "of a stranger"}, {"x-webhook-secret": SECRET}):
                body = [{"action": "user_created", "username": PERSON, "tries": 0}]
                await panel.post(f"{bridge.url}/in/marzban", json=body, headers={**headers, "traceparent": SENT})
            await bridge.logged("delivery.attempted", times=2)
            assert await bridge.end() == 0
            lines = [json.loads(line) for line in bridge.log.read_text().splitlines() if line.startswith("{")]
    [request] = collector.named("POST /in/marzban")
    assert (request.kind, request.trace, request.parent) == ("SERVER", TRACE, SPAN)
    about = {"panelbridge.source": "marzban", "panelbridge.events": 1, "http.request.method": "POST"}
    assert request.attributes == about
    assert [one.name for one in collector.below(request)] == [
        "panelbridge.parse",
        "panelbridge.route",
        "panelbridge.put",
    ]
    attempts = {one.attributes["panelbridge.sink"]: one for one in collector.spans if one.kind == "CONSUMER"}
    assert {one.name for one in attempts.values()} == {"panelbridge.deliver told", "panelbridge.deliver untold"}
    for one in attempts.values():
        assert (one.parent, one.links) == ("", [(TRACE, request.id)])
        assert one.trace != TRACE
        assert set(one.attributes) == ABOUT
        assert (one.attributes["panelbridge.outcome"], one.attributes["panelbridge.attempt"]) == ("delivered", 1)
        render, post = collector.below(one)
        assert (render.name, post.name, post.kind) == ("panelbridge.render", "POST", "CLIENT")
        assert post.attributes["http.response.status_code"] == 200
        assert post.attributes["server.address"] == "127.0.0.1"
        assert set(post.attributes) == {"url.scheme", "server.address", "server.port", "http.response.status_code"}
    told = attempts["told"]
    assert sorted(one and one[:-3] for one in heard if one) == [f"00-{told.trace}-{_post(collector.below(told))}"]
    assert len(heard) == 2
    traces = {line["event"]: line["trace"] for line in lines if "trace" in line}
    assert traces["ingress.accepted"] == TRACE
    assert traces["delivery.attempted"] in {one.trace for one in attempts.values()}
    assert {one["service.name"] for one in collector.resources} == {"panelbridge"}
    assert {one["Authorization"] for one in collector.headers} == {f"Bearer {TOKEN}"}
    whole = b"".join(collector.bodies)
    for secret in (SECRET, TOKEN, PERSON, "thanks for", "key="):
        assert secret.encode() not in whole


def _post(spans: Sequence[Seen]) -> str:
    [one] = [one.id for one in spans if one.kind == "CLIENT"]
    return one


@pytest.mark.process
async def test_the_environment_says_where_traces_go_as_it_does_of_every_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_collector() as collector, a_receiver() as receiver:
        monkeypatch.setenv(ENDPOINT, collector.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a")
        text = FILE.format(secret=SECRET, hook=receiver.url, collector="http://127.0.0.1:9", token=TOKEN)
        async with a_bridge(tmp_path, text.replace("traces:", "#")) as bridge, aiohttp.ClientSession() as panel:
            bridge.program = UNHURRIED
            await bridge.start()
            body = [{"action": "user_created", "username": "alice", "tries": 0}]
            await panel.post(f"{bridge.url}/in/marzban", json=body, headers={"x-webhook-secret": SECRET})
            await receiver.until(2)
            assert await bridge.end() == 0
    [request] = collector.named("POST /in/marzban")
    assert request.parent == ""
    assert {one["x-team"] for one in collector.headers} == {"a"}


@pytest.mark.process
def test_nothing_of_it_is_imported_where_nobody_wants_traces(tmp_path: Path) -> None:
    program = "import sys, bridge.app, bridge.tracing as t\nwith t.span('x'): t.traceparent(), t.trace_id()\n"
    program += "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert tracing.span("one") is tracing.span("other", {}, SpanKind.SERVER, parent=SENT) is tracing.NOTHING


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        SENT + "-x",
        f" {SENT}",
        SENT.upper(),
        SENT.replace("00-", "01-"),
        SENT.replace("00-", "ff-"),
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-0١",
        "x" * 100_000,
    ],
)
def test_what_is_no_traceparent_is_not_gone_on_with(kept: Kept, text: str) -> None:
    assert tracing.taken_up({"traceparent": text}) == ""
    with tracing.span("one", parent=tracing.taken_up({"traceparent": text})):
        pass
    [span] = closed(kept)
    assert span.parent is None


def test_a_request_without_one_begins_a_trace_whatever_is_around_it(kept: Kept) -> None:
    with tracing.span("outer"), tracing.span("inner", parent=""):
        pass
    inner, _ = closed(kept)
    assert inner.parent is None


def test_of_an_error_stands_its_kind_and_nothing_that_it_says(kept: Kept) -> None:
    def fail() -> None:
        with tracing.span("one"):
            raise ValueError(f"{PERSON} is in it")

    with pytest.raises(ValueError, match=PERSON):
        fail()
    [span] = closed(kept)
    assert PERSON not in span.to_json()
    assert dict(span.attributes or {}) == {"error.type": "ValueError"}
    assert not span.events
    assert not span.status.is_ok


def test_an_attempt_is_linked_to_as_many_traces_as_anyone_follows(kept: Kept) -> None:
    many = [f"00-{number:032x}-{SPAN}-01" for number in range(1, 100)]
    with tracing.span("outer"), tracing.span("one", links=["nonsense", *many]):
        pass
    one, _ = closed(kept)
    assert one.parent is None
    assert [link.context.trace_id for link in one.links] == list(range(1, tracing.LINKS))


def test_lines_of_the_log_have_the_trace_that_they_are_of(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Log(format="json"))
    with tracing.span("one", parent=SENT):
        log(logging.getLogger("bridge.test"), logging.INFO, "test.said", trace=None)
        log(logging.getLogger("bridge.test"), logging.INFO, "test.said")
    log(logging.getLogger("bridge.test"), logging.INFO, "test.said")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line.get("trace") for line in lines] == [None, TRACE, None]


@pytest.mark.parametrize(("share", "expected"), [(1.0, 50), (1e-9, 0)])
def test_so_many_of_the_traces_that_begin_here_are_kept(share: float, expected: int) -> None:
    exporter = Kept()
    tracing.start(Tracing(exporter, resource={}, share=share))
    try:
        for _ in range(50):
            with tracing.span("one", parent=""):
                pass
        assert len(closed(exporter)) == expected
    finally:
        tracing.start(None)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {"service.name": "panelbridge", "service.version": "1"}),
        ({"OTEL_SERVICE_NAME": "eu-bridge"}, {"service.name": "eu-bridge", "service.version": "1"}),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "service.name=of-attributes,deployment.environment.name=eu"},
            {"service.name": "of-attributes", "service.version": "1", "deployment.environment.name": "eu"},
        ),
        (
            {"OTEL_SERVICE_NAME": "eu-bridge", "OTEL_RESOURCE_ATTRIBUTES": "service.name=no,service.version=2"},
            {"service.name": "eu-bridge", "service.version": "2"},
        ),
        ({"OTEL_SERVICE_NAME": "", "OTEL_RESOURCE_ATTRIBUTES": ""}, {"service.name": "panelbridge"}),
    ],
)
def test_what_the_environment_says_of_the_program_that_is_traced_holds(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: dict[str, str]
) -> None:
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    exporter = Kept()
    made = Tracing(exporter, resource={"service.name": "panelbridge", "service.version": "1"})
    with made.span("one", {}):
        pass
    made.close()
    [span] = exporter.spans
    assert expected.items() <= dict(span.resource.attributes).items()


def test_a_collector_that_takes_nothing_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "CLOSING", 0.05)
    exporter = Kept(stuck=True)
    made = Tracing(exporter, resource={})
    with made.span("one", {}):
        pass
    made.close()
    assert exporter.spans == []
    exporter.free.set()


def test_where_the_library_is_missing_the_file_is_refused_and_the_environment_only_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(BridgeError, match=r"^traces: need what is not installed: pip install 'panelbridge\[otel\]'$"):
        open_traces(Traces(to="http://127.0.0.1:4318"), version="1", replica="one")
    configure_logging(Log())
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:4318")
    assert open_traces(None, version="1", replica="one") is None
    assert "traces.off" in capsys.readouterr().err


def test_nobody_wants_any_where_neither_file_nor_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    assert open_traces(None, version="1", replica="one") is None


@pytest.mark.parametrize(
    "settings", ["{}", "{to: collector}", "{to: 'http://one', share: 0}", "{to: 'http://one', share: 1.1}"]
)
def test_settings_that_make_no_sense_are_refused_where_they_stand(tmp_path: Path, settings: str) -> None:
    (tmp_path / "config.yaml").write_text(f"traces: {settings}\n")
    with pytest.raises(ConfigError, match=r"config\.yaml:1:\d+: traces"):
        load(tmp_path / "config.yaml")
