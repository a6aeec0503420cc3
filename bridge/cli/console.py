"""What all commands share: where the file is, and how things are shown."""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bridge.clock import in_zone
from bridge.errors import BridgeError, ConfigError, Mistake
from bridge.telemetry import CONTROLS, escaped

DEFAULT_PATHS = (Path("config.yaml"), Path("/etc/panelbridge/config.yaml"))
VARIABLE = "PANELBRIDGE_CONFIG"
STDIN = Path("-")
FINDING_MARKS = {"ok": "✓", "look": "!", "wrong": "✗", "unknown": "–"}  # of sinks.asking.FindingMark

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        envvar=VARIABLE,
        help="The file; ./config.yaml or /etc/panelbridge/config.yaml if not given.",
        show_default=False,
    ),
]
FileArgument = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="The file, as with --config.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

#: What could move the cursor, colour the screen, or turn the writing round: a panel's texts are not trusted.
_CONTROL = re.compile(rf"[\x00-\x1f{CONTROLS}]")


def config_path(given: Path | None) -> Path:
    """The file that is meant: the one given, or the first that is there; ConfigError where none is."""
    if (path := given or default_path()) is not None:
        return path
    tried = " or ".join(str(one.absolute()) for one in DEFAULT_PATHS)
    what = f"there is no file: neither --config nor {VARIABLE} names one, and none is at {tried}"
    raise ConfigError(str(DEFAULT_PATHS[0]), [Mistake(1, 1, what)])


def default_path() -> Path | None:
    """The first of the usual files that is there."""
    return next((one for one in DEFAULT_PATHS if one.exists()), None)


def one_path(option: Path | None, argument: Path | None) -> Path:
    """The file that is meant where it may stand behind the command too."""
    if option and argument and option.absolute() != argument.absolute() and os.environ.get(VARIABLE) != str(option):
        raise BridgeError(f"--config names {option}, and {argument} stands behind the command: give one of them")
    return config_path(argument or option)


def print_json(value: Any) -> None:
    print(escaped(json.dumps(value, ensure_ascii=False, indent=2, default=str)))


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    below: Mapping[str, str] | None = None,
    zone: ZoneInfo | None = None,
) -> None:
    """A table as wide as the terminal; one line a row where there is none. A state is shown in its colour.

    below   columns that may stand in a second line of each row, the first to go first, and how they read there
    zone    that of its times, aware datetimes: each says its offset, or the table names it where that is too wide
    """
    from rich.console import Console  # the other commands do not pay for it

    from bridge.cli.tables import TextTable

    terminal = sys.stdout.isatty()
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    table = TextTable(columns, named, below or {}, zone or ZoneInfo("UTC"))
    console = Console(width=None if terminal else 10_000, highlight=False)
    console.print(table.fitted(console.width) if terminal else table.whole())


def printable(value: object) -> str:
    """A value as a terminal can show it safely, on one line; nothing for None."""
    if value is None:
        return ""
    return _CONTROL.sub("�", str(value).replace("\r\n", "⏎").replace("\n", "⏎").replace("\t", " "))


def printable_lines(text: object) -> str:
    """A text of several lines, as an error of many mistakes is, each as a terminal can show it safely."""
    return "\n".join(map(printable, str(text).split("\n")))


def local_time(moment: datetime, zone: ZoneInfo) -> str:
    """A moment in a zone, with what that is ahead of UTC: `2026-11-21 07:44:18+03:30`, `2026-11-21 04:14:18Z`."""
    return in_zone(moment, zone).isoformat(" ", "seconds").replace("+00:00", "Z")
