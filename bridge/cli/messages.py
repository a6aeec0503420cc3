"""`render` and `test`: what would be sent, and sending it once."""

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.completing import sink_names, source_names, type_names
from bridge.cli.console import ConfigOption, JsonOption, config_path, default_path, print_json, printable
from bridge.cli.names import check_locale, known_name
from bridge.errors import BridgeError, UnknownName

if TYPE_CHECKING:
    from bridge.admin.trials.preview import Preview
    from bridge.config.model import Config
    from bridge.event import Event, JsonObject
    from bridge.intake import Destination
    from bridge.outcome import Attempt
    from bridge.sinks import SinkSettings

EventOption = Annotated[str, typer.Option("--event", help="A sample of this type.", autocompletion=type_names)]


def _services() -> list[str]:
    from bridge.sinks import SERVICES

    return list(SERVICES)


def _known_service(name: str | None) -> str | None:
    if name is not None and name not in _services():
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(map(repr, _services()))}.")
    return name


def render(
    config: ConfigOption = None,
    event: EventOption = "user.created",
    file: Annotated[
        Path | None, typer.Option(help="A request's body as a panel sends it, in place of a sample.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="The source that the event comes from.", autocompletion=source_names)
    ] = None,
    panel: Annotated[str | None, typer.Option(help="The panel that a sample comes from.")] = None,
    sink: Annotated[
        str | None, typer.Option(help="This sink, in place of those that the table chooses.", autocompletion=sink_names)
    ] = None,
    service: Annotated[
        str | None,
        typer.Option(
            metavar="<service>",
            callback=_known_service,
            autocompletion=_services,
            help="The message alone, for a service.",
        ),
    ] = None,
    locale: Annotated[str | None, typer.Option(help="In this language, as fa.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what would be sent for an event, to each sink that the table chooses. Secrets are masked."""
    check_locale(locale)
    settings = _config(config, needed=file is not None or sink is not None)
    if file is not None:
        events = _events_of(settings, file, source)
    else:
        events = [_sample(settings, event, source=source, panel=panel)]
    shown = [one for event_ in events for one in _previews(settings, event_, sink, service, locale)]
    if as_json:
        print_json([_to_json(one, settings) for one in shown])
    elif not shown:
        print("no row sends this anywhere", file=sys.stderr)
    else:
        for one in shown:
            show_preview(one)


def probe(
    sink: Annotated[str, typer.Argument(help="The sink to send to.", autocompletion=sink_names)],
    config: ConfigOption = None,
    event: EventOption = "user.created",
    as_json: JsonOption = False,
) -> None:
    """Send a sample through a sink, once, marked as a test; exit 0 only if it was delivered."""
    from bridge.outcome import Delivered

    settings = _config(config, needed=True)
    attempt = asyncio.run(_send_once(settings, sink, _sample(settings, event)))
    delivered = isinstance(attempt.outcome, Delivered)
    shown = _attempt_json(attempt)
    if as_json:
        print_json(shown)
    else:
        print("\n".join(f"{name:8} {printable(value)}" for name, value in shown.items() if value not in (None, "")))
    raise typer.Exit(0 if delivered else 1)


async def send_sample(config: "Config", sink: str) -> "Attempt":
    """Send a sample through a sink of the file, once, marked as a test."""
    return await _send_once(config, sink, _sample(config, "user.created"))


def _to_json(preview: "Preview", config: "Config") -> "JsonObject":
    shape = preview.shape(config.zone(), html=False).to_json()
    shown = {name: shape[name] for name in ("blocks", "sink", "why", "request", "fault")}
    return {"event": preview.event.to_json(), **shown}


def show_preview(preview: "Preview") -> None:
    """A chat's message as `run` draws it on a terminal, a program's request as it goes out."""
    from bridge.sinks.terminal import view

    print(f"── {printable(preview.event.type)} → {preview.sink} ({printable(preview.why)})\n")
    if preview.service is not None or preview.request is None:
        terminal = sys.stdout.isatty()
        print(view(preview.message, preview.service, terminal=terminal, color=terminal), end="")
    else:
        print_json(preview.request.to_json())
        print()
    if preview.fault:
        _tell_fault(preview.fault, "\n")


def _tell_fault(fault: str, end: str = "") -> None:
    print(f"the template failed, and the built-in one was used: {printable(fault)}{end}", file=sys.stderr)


async def _send_once(config: "Config", name: str, event: "Event") -> "Attempt":
    from bridge.admin.trials.dry_run import dry_run
    from bridge.clock import SystemClock
    from bridge.delivery.probe import check_own_address, send_probe
    from bridge.panels import DIALECTS
    from bridge.sinks.base import Tools
    from bridge.sinks.http import Http

    http = Http()
    try:
        sink = _sink_settings(config, name).open(Tools(http, DIALECTS))
        check_own_address(name, sink)
        result, _ = await send_probe(event, sink, dry_run(config).renderer, SystemClock())
        if result.fault:
            _tell_fault(result.fault)
        return result.attempt
    finally:
        await http.close()


def _attempt_json(attempt: "Attempt") -> "JsonObject":
    outcome = attempt.outcome
    names = ("ref", "note", "reason", "after")
    known = {name: value for name in names if (value := getattr(outcome, name, None)) is not None}
    return {"outcome": type(outcome).__name__.lower(), **known, "status": attempt.status, "answer": attempt.answer}


def _previews(
    config: "Config", event: "Event", sink: str | None, service: str | None, locale: str | None
) -> "Iterator[Preview]":
    from bridge.admin.trials.dry_run import dry_run
    from bridge.admin.trials.preview import preview
    from bridge.sinks.base import Tools
    from bridge.sinks.console import ConsoleConfig
    from bridge.sinks.http import Http

    ready, at = dry_run(config), datetime.now(UTC)
    if service is not None:
        console = ConsoleConfig.model_validate({"format": service}).open(Tools(Http(), {}))
        yield preview(event, console, ready.renderer, at=at, locale=locale, to=_asked_for(service))
        return
    if sink is not None:
        _sink_settings(config, sink)
    for to in [_asked_for(sink)] if sink is not None else ready.router.route(event).destinations:
        yield preview(event, ready.sink(to.sink), ready.renderer, at=at, locale=locale, to=to, rules=ready.rules)


def _asked_for(sink: str) -> "Destination":
    from bridge.intake import Destination

    return Destination(sink, "asked for")


def _config(config: Path | None, *, needed: bool) -> "Config":
    """The file's settings; none at all will do for a sample that no row has to choose a sink for."""
    from bridge.config.load import load
    from bridge.config.model import Config

    return load(config_path(config)).config if needed or config or default_path() else Config()


def _sink_settings(config: "Config", name: str) -> "SinkSettings":
    from bridge.config.errors import suggestion

    sinks = config.all_sinks()
    if name not in sinks:
        raise UnknownName(f'no sink named "{printable(name)}": {suggestion(name, list(sinks))}')
    return sinks[name]


def _sample(config: "Config", name: str, *, source: str | None = None, panel: str | None = None) -> "Event":
    """A sample in the words of a panel: of the named source, or of the first in the file whose panel sends it.

    Where none of them does it is that of another panel, and said to be so.
    """
    from bridge.panels import CONFIGS
    from bridge.samples import canonical, sample, sent_by

    if source is not None and config.sources:
        known_name("source is called", source, config.sources)
    if panel is not None:
        known_name("panel is called", panel, (word for one in CONFIGS for word in one.words()))
    kind = config.sources[source].panel if source in config.sources else panel
    at = datetime.now(UTC)
    if (event := sent_by(config.sources, name, at=at, source=source, panel=panel)) is not None:
        return event
    try:
        event = sample(canonical(name), at=at, panel=kind, source=source)
    except KeyError:
        raise UnknownName(_no_such_event(name, kind)) from None
    if config.sources:
        print(f"no source of the file sends {printable(name)}: it is told as {event.panel} words it", file=sys.stderr)
    return event


def _no_such_event(name: str, panel: str | None) -> str:
    from bridge.config.errors import suggestion
    from bridge.samples import canonical, names, samples_of
    from bridge.vocabulary import TYPES

    if panel is not None and canonical(name) in names():
        types = dict.fromkeys(one.type for one in samples_of(panel))
        return f'{panel} sends no "{printable(name)}": {suggestion(name, list(types))}'
    return f'no event has the type "{printable(name)}": {suggestion(name, list(TYPES))}'


def _events_of(config: "Config", file: Path, source: str | None) -> "list[Event]":
    """The events of a request's body, understood as the source's panel would."""
    from bridge.config.errors import suggestion
    from bridge.ingress.source import Source
    from bridge.panels.base import Hook

    names = list(config.sources)
    name = source or (names[0] if len(names) == 1 else "")
    if source is not None:
        known_name("source is called", source, names)
    if name not in names:
        raise BridgeError(f"say with --source which source the file comes from: {suggestion(name, names)}")
    settings = config.sources[name]
    try:
        body = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise BridgeError(f"{file}: cannot be read: {error.strerror}") from None
    hook = Hook(body=body, received_at=datetime.now(UTC), headers={"Content-Type": "application/json"})
    events, aside = Source(name, settings.panel, settings.open()).parse(hook)
    for one in aside:
        print(f"set aside: {printable(one.path)}: {printable(one.reason)}", file=sys.stderr)
    return [event for event, _ in events]
