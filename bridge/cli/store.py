"""`store copy`: growing from a file to PostgreSQL, and back."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bridge.store.copy import Progress

app = typer.Typer(help="The store as a whole.", no_args_is_help=True)


@app.callback()
def _store() -> None:
    """What stands before the command."""


@app.command("copy")
def copy_(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The store there is, as sqlite:///panelbridge.db.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="An empty one, as postgresql+psycopg://user@host/name.")],
) -> None:
    """Copy everything from one store into another, empty one. No bridge may run on either meanwhile."""
    from bridge.store.copy import copy, public_url

    with _progress() as progress:
        rows = copy(source, target, progress=progress)
    url = public_url(target)
    print(f"{rows} rows copied. Now write in the file:\n\nstore: {url}")
    if "***" in url:
        print("\nwith the password, or ${A_VARIABLE}, in the place of ***")


@contextmanager
def _progress() -> Iterator["Progress"]:
    """Bars on a terminal, else a line for each table, on standard error."""
    if not sys.stderr.isatty():
        yield _line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks = {}

        def show(table: str, done: int, total: int) -> None:
            if table not in tasks:
                tasks[table] = bars.add_task(table, total=total)
            bars.update(tasks[table], completed=done)

        yield show


def _line(table: str, done: int, total: int) -> None:
    if done == total:
        print(f"{table}: {total} rows", file=sys.stderr)
