"""The commands: thin, over the parts below. What one needs is imported when it runs, so that `run` starts fast."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bridge import __version__
from bridge.cli import (
    announce,
    backup,
    deliveries,
    doctor,
    events,
    forget,
    init,
    lanes,
    link,
    messages,
    mutes,
    people,
    replay,
    report,
    service,
    status,
    store,
    tail,
)
from bridge.cli.console import printable_lines
from bridge.cli.streams import prepare_streams, write_errors
from bridge.errors import BridgeError, ConfigError, StoreRefused, UnknownName

app = typer.Typer(
    name="panelbridge",
    help="The event bridge beside your VPN panel: webhooks in; messages and signed webhooks out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(init.init)
app.command()(service.run)
app.command()(service.check)
app.command()(messages.render)
app.command("test")(messages.probe)
app.command()(status.status)
app.command()(doctor.doctor)
app.command()(events.events)
app.command()(events.explain)
app.command()(tail.tail)
app.command()(deliveries.deliveries)
app.command()(replay.replay)
app.command()(replay.dismiss)
app.command()(lanes.lanes)
app.command()(lanes.resume)
app.command()(mutes.mute)
app.command()(people.people)
app.command()(people.prefs)
app.command()(forget.forget)
app.command()(link.link)
app.command()(announce.announce)
app.command()(report.report)
app.command()(backup.backup)
app.command()(backup.restore)
app.add_typer(store.app, name="store")
app.command()(service.schema)


def main(args: Sequence[str] | None = None) -> None:
    """Run a command. What a person can mend is told in one line each: exit 2 for the file and for what is asked for
    that cannot be, 1 for the rest."""
    prepare_streams()
    with write_errors():
        try:
            app(args=args)
        except BridgeError as error:
            print(printable_lines(error), file=sys.stderr)
            sys.exit(2 if isinstance(error, ConfigError | UnknownName | StoreRefused) else 1)


def _version(asked: bool) -> None:
    if asked:
        print(f"panelbridge {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What stands before the command."""
