"""`mute`: what nobody is to be told of for a while."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, print_table, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings, operator
from bridge.cli.names import check_filters
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.admin.shapes import Muted
    from bridge.config.model import Config
    from bridge.store.ledger import Ledger

COLUMNS = ("ID", "MUTED", "UNTIL", "BY", "SINCE")


def mute(
    what: Annotated[
        str | None,
        typer.Argument(help="A subject, as user:alice; or type:user.*, source:NAME, sink:NAME.", show_default=False),
    ] = None,
    lasting: Annotated[
        str | None, typer.Argument(metavar="[FOR]", help="For how long: 30m, 2h, 7d.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    listed: Annotated[bool, typer.Option("--list", help="Say what is muted; so does the command alone.")] = False,
    end: Annotated[
        str | None, typer.Option("--end", metavar="WHAT", help="Tell of it again: what is muted, or its id.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell nobody of something for a while: it is kept as held back, and `replay` sends it after all."""
    if [bool(listed), end is not None, what is not None].count(True) > 1 or (what is None) != (lasting is None):
        raise BridgeError("mute: say what and for how long, as in mute user:alice 2h; or --list; or --end WHAT")
    settings, now = load_settings(config), datetime.now(UTC)
    with existing_ledger(settings) as ledger:
        if what is not None and lasting is not None:
            _print_one(_muted(ledger, settings, what, lasting, now), "muted", settings, as_json=as_json)
        elif end is not None:
            _print_one(_ended(ledger, end, now), "told again", settings, as_json=as_json)
        else:
            _print_all(ledger, settings, now, as_json=as_json)


def _muted(ledger: "Ledger", settings: "Config", what: str, lasting: str, now: datetime) -> "Muted":
    from bridge.admin import operations
    from bridge.admin.mutes import mute_length, muted_thing
    from bridge.mute import MuteKind
    from bridge.store.records import DeliveryQuery

    kind, value = muted_thing(what)
    mute_length(lasting)
    if kind is MuteKind.SUBJECT or (kind is MuteKind.TYPE and "*" not in value):
        check_filters(ledger, settings, DeliveryQuery(**{kind.value: value}))  # type: ignore[arg-type]
    names = {"sinks": settings.all_sinks(), "sources": settings.sources}
    done = operations.mute(ledger, what, lasting, **names, by=operator(), now=now)
    audit(ledger, "mute", what=done.what, until=done.until)
    return done


def _ended(ledger: "Ledger", reference: str, now: datetime) -> "Muted":
    from bridge.admin import operations

    done = operations.unmute(ledger, reference, now=now)
    audit(ledger, "unmute", what=done.what)
    return done


def _print_one(done: "Muted", word: str, settings: "Config", *, as_json: bool) -> None:
    if as_json:
        print_json(done.to_json())
    else:
        until = f" until {local_time(done.until, settings.zone())}" if word == "muted" else ""
        print(f"{printable(done.what)}: {word}{until}")


def _print_all(ledger: "Ledger", settings: "Config", now: datetime, *, as_json: bool) -> None:
    from bridge.admin import operations

    found = operations.mutes(ledger, now=now)
    if as_json:
        print_json([one.to_json() for one in found])
    elif found:
        rows = [(one.id, one.what, one.until, one.by, one.at) for one in found]
        print_table(COLUMNS, rows, below={"SINCE": "since {}", "BY": "by {}"}, zone=settings.zone())
    else:
        print("nothing is muted")
