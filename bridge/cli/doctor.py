"""`doctor`: what is wrong, and what to do about it; every service is asked, and nothing is sent."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

import typer

from bridge.cli.console import FINDING_MARKS, ConfigOption, FileArgument, JsonOption, one_path, print_json, printable
from bridge.errors import ConfigError

if TYPE_CHECKING:
    from bridge.doctor.row import ExaminationRow
    from bridge.event import JsonObject

WIDTH = 9  # letters of what was looked at, at the least


def doctor(file: FileArgument = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Ask everything that the bridge stands on, and say what is wrong; exit 1 if something is broken.

    The file, the store, the ports, the clock, and every sink, through its proxy: nothing is sent, nothing is changed.
    """
    from bridge.config.load import load
    from bridge.doctor.examination import broken, examine

    path = one_path(config, file)
    try:
        loaded = load(path)
    except ConfigError as error:
        if not as_json:
            raise
        print_json({"ok": False, "rows": list(_mistakes(error))})
        raise typer.Exit(2) from None
    found = asyncio.run(examine(path, loaded, now=datetime.now(UTC)))
    if as_json:
        print_json({"ok": not broken(found), "rows": [one.to_json() for one in found]})
    else:
        print("\n".join(_lines(found)))
    raise typer.Exit(1 if broken(found) else 0)


def _mistakes(error: ConfigError) -> "Iterator[JsonObject]":
    from bridge.doctor.row import ExaminationRow, wrong

    for one in error.mistakes:
        yield ExaminationRow("config", "config", wrong(f"{one.where(error.file)}: {one.text}", "")).to_json()


def _lines(found: "Sequence[ExaminationRow]") -> Iterator[str]:
    width = max(WIDTH, *(len(printable(one.part)) for one in found))
    for part, of_part in groupby(found, key=lambda one: (one.kind, one.part)):
        name = printable(part[1])
        for one in of_part:
            yield f"{name:{width}} {FINDING_MARKS[one.finding.mark]} {printable(one.finding.text)}"
            if one.finding.todo:
                yield f"{'':{width}}   → {printable(one.finding.todo)}"
            name = ""
    yield ""
    yield _summary(found)


def _summary(found: "Sequence[ExaminationRow]") -> str:
    wrong, look = (sum(one.finding.mark == mark for one in found) for mark in ("wrong", "look"))
    if not wrong and not look:
        return "Nothing is wrong."
    said = []
    if wrong:
        said.append("1 thing is broken" if wrong == 1 else f"{wrong} things are broken")
    if look:
        said.append(f"{look} want{'s' if look == 1 else ''} a look")
    return ", ".join(said) + "."
