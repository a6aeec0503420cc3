"""`store copy`: growing from a file to PostgreSQL, and back."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import STDIN
from bridge.errors import BridgeError
from bridge.store_url import HOW_TO_WRITE, has_password, has_user, is_misread, with_password

if TYPE_CHECKING:
    from bridge.store.copy import Progress

FromPasswordFile = Annotated[
    Path | None, typer.Option("--from-password-file", help="The password of FROM's user; - for standard input.")
]
ToPasswordFile = Annotated[
    Path | None, typer.Option("--to-password-file", help="The password of TO's user; - for standard input.")
]

app = typer.Typer(help="The store as a whole.", no_args_is_help=True)


@app.callback()
def _store() -> None:
    """What stands before the command."""


@app.command("copy")
def copy_(
    source: Annotated[str, typer.Argument(metavar="FROM", help="The store there is, as sqlite:///panelbridge.db.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="An empty one, as postgresql+psycopg://user@host/name.")],
    source_password: FromPasswordFile = None,
    target_password: ToPasswordFile = None,
) -> None:
    """Copy everything from one store into another, empty one. No bridge may run on either meanwhile.

    A database's password comes from a file, or from PGPASSWORD or ~/.pgpass: what stands in the command is read by
    everyone on the machine.
    """
    from bridge.store.copy import copy, public_url

    from_, to = _store_url("FROM", source, source_password), _store_url("TO", target, target_password)
    with _progress() as progress:
        rows = copy(from_, to, progress=progress)
    print(f"{rows} rows copied. Now write in the file:\n\nstore: {public_url(target)}")
    if target_password not in (None, STDIN):
        print("store_password_file: ", target_password, sep="")


def _store_url(what: str, url: str, password_file: Path | None) -> str:
    """The store's address with the password that stands in the file."""
    if is_misread(url):
        raise BridgeError(f"store copy: {what} {HOW_TO_WRITE}")
    if has_password(url):
        option = f"--{what.lower()}-password-file"
        raise BridgeError(
            f"store copy: {what} has a password in it, and everyone on this machine can read commands: "
            f"leave it out, and give {option}, or set PGPASSWORD"
        )
    if password_file is None:
        return url
    if not has_user(url):
        raise BridgeError(f"store copy: {what} needs a user, as in postgresql+psycopg://user@host/name")
    return with_password(url, _password(password_file))


def _password(file: Path) -> str:
    """What stands in the file, without the newline at its end."""
    try:
        text = sys.stdin.readline() if file == STDIN else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BridgeError(f"store copy: the password cannot be read from {file}: {reason}") from None
    if not (password := text.rstrip("\r\n")):
        raise BridgeError(f"store copy: the password cannot be read from {file}: it is empty")
    return password


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
