"""What all commands share: where the file is, and how things are shown."""

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bridge.errors import BridgeError, ConfigError, Mistake
from bridge.telemetry import CONTROLS, escaped

DEFAULT_PATHS = (Path("config.yaml"), Path("/etc/panelbridge/config.yaml"))
VARIABLE = "PANELBRIDGE_CONFIG"

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


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table as wide as the terminal; one line a row where there is none."""
    from rich.console import Console  # the other commands do not pay for it
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=not sys.stdout.isatty())
    for row in rows:
        table.add_row(*(Text(printable(one)) for one in row))
    Console(width=None if sys.stdout.isatty() else 10_000, highlight=False).print(table)


def printable(value: object) -> str:
    """A value as a terminal can show it safely, on one line; nothing for None."""
    if value is None:
        return ""
    return _CONTROL.sub("�", str(value).replace("\r\n", "⏎").replace("\n", "⏎").replace("\t", " "))


def printable_lines(text: object) -> str:
    """A text of several lines, as an error of many mistakes is, each as a terminal can show it safely."""
    return "\n".join(map(printable, str(text).split("\n")))


def local_time(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
