"""`run`, `check` and `schema`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import ConfigOption, FileArgument, JsonOption, one_path, print_json, print_table
from bridge.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.config.model import Config
    from bridge.errors import Mistake
    from bridge.routing import Route


def run(
    file: FileArgument = None,
    config: ConfigOption = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="On this machine alone, and send it a recorded event, to see what comes out.")
    ] = False,
) -> None:
    """Run the bridge until it is told to stop; SIGHUP, or a change of the file, reloads it."""
    from bridge.app import run as run_bridge
    from bridge.cli.startup import startup_lines

    async def started(config: "Config", address: str, admin: str | None) -> None:
        print("\n".join(startup_lines(config, address, admin)), flush=True)
        if demo:
            from bridge.cli.demo import send_demo_event

            await send_demo_event(config, address)

    raise typer.Exit(run_bridge(one_path(config, file), started=started, on_loopback=demo))


def check(file: FileArgument = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Tell every mistake in the file, with its line and column; exit 2 if there is one."""
    from bridge.config.load import load

    try:
        path = one_path(config, file)
        loaded = load(path)
    except ConfigError as error:
        if as_json:
            found = {"mistakes": _found_json(error.file, error.mistakes)}
            print_json({"ok": False, "file": error.file, **found, "warnings": _found_json(error.file, error.warnings)})
            raise typer.Exit(2) from None
        _print_warnings(error.file, error.warnings)
        raise
    if as_json:
        warned = _found_json(str(path), loaded.warnings)
        print_json({"ok": True, "file": str(path), "mistakes": [], "warnings": warned, **_config_json(loaded.config)})
        return
    _print_warnings(str(path), loaded.warnings)
    _print_tables(loaded.config)
    print(f"\n{path}: ok")


def schema() -> None:
    """Print the JSON Schema of the file, for editors."""
    from bridge.config.schema import schema as file_schema

    print_json(file_schema())


def _found_json(file: str, found: "Iterable[Mistake]") -> list[dict[str, object]]:
    return [{"file": one.file or file, "line": one.line, "column": one.column, "text": one.text} for one in found]


def _print_warnings(file: str, warnings: "Iterable[Mistake]") -> None:
    for one in warnings:
        print(f"{one.where(file)}: warning: {one.text}", file=sys.stderr)


def _config_json(config: "Config") -> dict[str, object]:
    from bridge.config.endpoints import endpoints

    return {
        "sources": [
            {"name": one.name, "panel": one.panel, "url": one.url, "paste": one.paste} for one in endpoints(config)
        ],
        "sinks": [{"name": name, "type": one.type, "enabled": one.enabled} for name, one in config.all_sinks().items()],
        "rows": [{"name": name, **_route_json(route)} for name, route in config.table()],
    }


def _route_json(route: "Route") -> dict[str, object]:
    """What a row says; of the fallback nothing where it has none."""
    unset = set() if route.fallback else {"fallback", "fallback_after"}
    return route.model_dump(mode="json", exclude_none=True, exclude=unset)


def _print_tables(config: "Config") -> None:
    from bridge.config.endpoints import endpoints

    sources = [(one.name, one.panel, one.url) for one in endpoints(config)]
    print_table(("SOURCE", "PANEL", "POSTS TO"), sources, below={"POSTS TO": "{}"})
    print()
    sinks = config.all_sinks().items()
    print_table(("SINK", "TYPE", ""), [(name, one.type, "" if one.enabled else "disabled") for name, one in sinks])
    print()
    rows = [(name, _matches(route), ", ".join(route.to)) for name, route in config.table()]
    print_table(("ROW", "TAKES", "TO"), rows, below={"TO": "to {}", "TAKES": "{}"})


def _matches(route: "Route") -> str:
    source = f" of {', '.join(route.source)}" if route.source else ""
    when = f" when {route.when}" if route.when else ""
    return f"{', '.join(route.match)}{source}{when}{', then stops' if route.stop else ''}"
