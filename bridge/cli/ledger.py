"""`deliveries` and `replay`: what became of every event, and sending it again."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bridge.cli.console import ConfigOption, JsonOption, config_path, local, plain, print_json, print_table
from bridge.errors import BridgeError
from bridge.settings import UNITS

if TYPE_CHECKING:
    from bridge.config.model import Config
    from bridge.event import JsonObject
    from bridge.store.base import AsideRecord, Ledger, Record
    from bridge.store.ledger import SqlLedger

SinkOption = Annotated[str | None, typer.Option(help="Only to this sink.")]
SourceOption = Annotated[str | None, typer.Option(help="Only from this source.")]
SinceOption = Annotated[str | None, typer.Option(help="Only of events taken in since: 2h, 3d, or 2026-11-21T06:00.")]


def deliveries(
    config: ConfigOption = None,
    id_: Annotated[int | None, typer.Option("--id", help="Show this one in full, with the answer it got.")] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Only those given up.")] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Only those still to be delivered.")] = False,
    sink: SinkOption = None,
    source: SourceOption = None,
    type_: Annotated[str | None, typer.Option("--type", help="Only of this type, as user.created.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only about this, as user:alice.")] = None,
    since: SinceOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many, the newest.")] = 50,
    set_aside: Annotated[bool, typer.Option("--set-aside", help="What was not understood, instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List deliveries, the newest first."""
    from bridge.store.base import Query, State

    settings = _settings(config)
    with _ledger(settings) as ledger:
        if id_ is not None:
            _show_one(ledger, id_, as_json)
        elif set_aside:
            _show_aside(ledger.set_aside(limit=limit), settings.zone(), as_json)
        else:
            states = (State.DEAD,) * dead + (State.PENDING, State.WAITING) * pending
            moment = _since(since, settings.zone())
            query = Query(
                states=states, sink=sink, source=source, type=type_, subject=subject, since=moment, limit=limit
            )
            _show(ledger.deliveries(query), settings.zone(), as_json)


def replay(
    ids: Annotated[list[int] | None, typer.Argument(help="Deliveries to send again.", show_default=False)] = None,
    config: ConfigOption = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that were given up.")] = False,
    delivered: Annotated[bool, typer.Option("--delivered", help="Those that arrived too.")] = False,
    sink: SinkOption = None,
    source: SourceOption = None,
    since: SinceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send deliveries again: the given ones, or the dead ones that the options name. Prints the new ids."""
    from bridge.store.base import Query, State

    if not (ids or dead or sink or source or since):
        raise BridgeError("replay: say which: ids, --dead, --sink, --source or --since")
    settings = _settings(config)
    states = (State.DEAD, State.DELIVERED) if delivered or (ids and not dead) else (State.DEAD,)
    moment = _since(since, settings.zone())
    query = Query(ids=tuple(ids or ()), states=states, sink=sink, source=source, since=moment, limit=None)
    with _ledger(settings) as ledger:
        made = ledger.replay(query, now=datetime.now(UTC))
    if as_json:
        print_json({"replayed": list(made)})
    elif made:
        print(*made, sep="\n")
    if not made:
        raise BridgeError("replay: no settled delivery is meant by that")


def _settings(config: Path | None) -> "Config":
    from bridge.config.load import load

    return load(config_path(config)).config


def _ledger(settings: "Config") -> "SqlLedger":
    """The ledger of a store that is there: looking something up makes none."""
    from bridge.store import open_ledger

    file = Path(settings.store.removeprefix("sqlite:///").partition("?")[0])
    if not file.exists():
        raise BridgeError(f"store: there is none at {file.absolute()} yet; is this the folder where the bridge runs?")
    return open_ledger(settings.store)


def _since(text: str | None, zone: ZoneInfo) -> datetime | None:
    """That long ago, or that moment; in the file's time zone where it names none."""
    if text is None:
        return None
    if (match := re.fullmatch(r"(\d{1,9})\s*([a-z]+)", text)) and match[2] in UNITS:
        return datetime.now(UTC) - timedelta(seconds=int(match[1]) * UNITS[match[2]])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BridgeError(
            f"--since: {text} is neither a duration such as 2h nor a time such as 2026-11-21T06:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _show(records: "Sequence[Record]", zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        print_json([record.to_json() for record in records])
    else:
        columns = ("ID", "WHEN", "SOURCE", "TYPE", "SUBJECT", "SINK", "STATE", "TRIES", "REASON")
        print_table(columns, [_row(record, zone) for record in records])


def _row(one: "Record", zone: ZoneInfo) -> tuple[object, ...]:
    about = (one.id, local(one.received_at, zone), one.source, one.type, one.subject)
    return (*about, one.sink, one.state, one.attempts, one.reason or one.note)


def _show_aside(records: "Sequence[AsideRecord]", zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        print_json([record.to_json() for record in records])
    else:
        rows = [(one.id, local(one.received_at, zone), one.source, one.path, one.reason) for one in records]
        print_table(("ID", "WHEN", "SOURCE", "WHERE", "REASON"), rows)


def _show_one(ledger: "Ledger", id_: int, as_json: bool) -> None:
    from bridge.store.base import Query

    record = next(iter(ledger.deliveries(Query(ids=(id_,)))), None)
    if record is None:
        raise BridgeError(f"deliveries: there is no delivery {id_}")
    event, verdicts = ledger.event(record.event_id) or (None, ())
    told = {**record.to_json(), "verdicts": list(verdicts), "event": event.to_json() if event else None}
    if as_json:
        print_json(told)
    else:
        _print_one(told)


def _print_one(told: "JsonObject") -> None:
    for name, value in told.items():
        if name not in ("verdicts", "event") and value is not None:
            print(f"{name:13} {plain(value)}")
    print("\nwhy")
    for verdict in told["verdicts"]:
        print(f"  {'→' if verdict['matched'] else ' '} {plain(verdict['row'])}: {plain(verdict['why'])}")
    print("\nevent")
    print_json(told["event"])
