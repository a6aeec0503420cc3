"""`deliveries`: what became of every event."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, print_table, printable
from bridge.cli.ended import print_end
from bridge.cli.ledger import existing_ledger, load_settings
from bridge.cli.names import check_filters
from bridge.cli.selection import (
    BeforeDeliveryOption,
    LimitOption,
    SinceOption,
    SinkOption,
    SourceOption,
    SubjectOption,
    TypeOption,
    UntilOption,
    selected,
)
from bridge.cli.tries import print_tries
from bridge.errors import BridgeError
from bridge.value import INT64_MAX

if TYPE_CHECKING:
    from bridge.event import JsonObject
    from bridge.store.base import Cleared
    from bridge.store.ledger import Ledger
    from bridge.store.records import DeliveryRecord, SetAsideRecord

COLUMNS = ("ID", "WHEN", "SOURCE", "TYPE", "SUBJECT", "SINK", "STATE", "TRIES", "REASON")
BELOW = {"REASON": "{}", "TRIES": "tried {}×", "SOURCE": "from {}", "TYPE": "{}", "SUBJECT": "{}"}
TIMES = ("received_at", "made_at", "due_at", "settled_at", "cleared_at")


def deliveries(
    config: ConfigOption = None,
    id_: Annotated[
        int | None, typer.Option("--id", min=1, max=INT64_MAX, help="Show this one in full, with the answer it got.")
    ] = None,
    dead: Annotated[
        bool, typer.Option("--dead", help="Only those given up, and neither replayed nor dismissed.")
    ] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Only those still to be delivered.")] = False,
    held_back: Annotated[
        bool, typer.Option("--held-back", help="Only those that their row did not want sent.")
    ] = False,
    replayed: Annotated[bool, typer.Option("--replayed", help="Only those that were sent again.")] = False,
    dismissed: Annotated[bool, typer.Option("--dismissed", help="Only dead ones that were put away.")] = False,
    sink: SinkOption = None,
    source: SourceOption = None,
    type_: TypeOption = None,
    subject: SubjectOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    before: BeforeDeliveryOption = None,
    limit: LimitOption = 50,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="What was not understood or told before, instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List deliveries, the newest first."""
    from bridge.store.base import State
    from bridge.store.queries import records
    from bridge.store.queries.walk import walked_deliveries

    if set_aside and (dead or pending or held_back or replayed or dismissed or sink or type_ or subject):
        raise BridgeError(
            "deliveries: what was set aside has a source and a time alone: with --set-aside leave all but --source,"
            " --since, --until, --before and --limit out"
        )
    settings = load_settings(config)
    query = selected(
        settings,
        states=(State.DEAD,) * dead + (State.PENDING, State.WAITING) * pending + (State.HELD_BACK,) * held_back,
        cleared=_wanted_clearings(dead=dead, replayed=replayed, dismissed=dismissed),
        sink=sink,
        source=source,
        type_=type_,
        subject=subject,
        since=since,
        until=until,
        behind=before,
        limit=limit,
    )
    with existing_ledger(settings) as ledger:
        if id_ is not None:
            _print_one(ledger, id_, settings.zone(), as_json)
            return
        check_filters(ledger, settings, query)
        if set_aside:
            _print_set_aside(ledger.read(records.set_aside_records, query), settings.zone(), as_json)
        else:
            found = ledger.read(walked_deliveries, query)
            _print_deliveries(found.deliveries, settings.zone(), as_json)
            print_end("deliveries", found.behind, found.back_to, settings.zone())


def _wanted_clearings(*, dead: bool, replayed: bool, dismissed: bool) -> "tuple[Cleared | None, ...]":
    """How what is listed was dealt with: as the options name; else the dead ones not at all, and the others anyhow."""
    from bridge.store.base import Cleared

    ways = (Cleared.REPLAYED,) * replayed + (Cleared.DISMISSED,) * dismissed
    return ways or (None,) * dead


def _print_deliveries(records: "Sequence[DeliveryRecord]", zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        print_json([record.to_json() for record in records])
    else:
        print_table(COLUMNS, map(_cells, records), below=BELOW, zone=zone)


def _cells(one: "DeliveryRecord") -> tuple[object, ...]:
    about = (one.id, one.received_at, one.source, one.type, one.subject)
    state = f"{one.state}, {one.cleared}" if one.cleared else one.state
    return (*about, one.sink, state, one.attempts, one.reason or one.note)


def _print_set_aside(records: "Sequence[SetAsideRecord]", zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        print_json([record.to_json() for record in records])
    else:
        rows = [(one.id, one.received_at, one.source, one.path, one.reason) for one in records]
        print_table(("ID", "WHEN", "SOURCE", "WHERE", "REASON"), rows, below={"REASON": "{}"}, zone=zone)


def _print_one(ledger: "Ledger", id_: int, zone: ZoneInfo, as_json: bool) -> None:
    from bridge.admin import operations
    from bridge.store.queries import records
    from bridge.store.queries.attempts import attempts_of
    from bridge.store.queries.tail import deliveries_by_id

    record = next(iter(ledger.read(deliveries_by_id, [id_])), None)
    if record is None:
        raise BridgeError(f"deliveries: there is no delivery {id_}")
    found = ledger.read(records.event, record.event_id)
    replays = ledger.read(records.replays_of, record)
    tries = ledger.read(attempts_of, [id_]).get(id_, [])
    details = {
        **record.to_json(),
        "replayed_by": replays,
        "tries": [one.to_json() for one in tries],
        "verdicts": operations.row_verdicts(*found) if found else [],
        "event": found[0].to_json() if found else None,
    }
    if as_json:
        print_json(details)
    else:
        times = {name: local_time(at, zone) for name in TIMES if (at := getattr(record, name))}
        _print_details(details | times)
        print_tries(tries, zone)
        _print_event(details)


def _print_details(details: "JsonObject") -> None:
    for name, value in details.items():
        if name not in ("tries", "verdicts", "event") and value not in (None, []):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            print(f"{name:13} {printable(shown)}")


def _print_event(details: "JsonObject") -> None:
    print("\nwhy")
    for verdict in details["verdicts"]:
        print(f"  {'→' if verdict['matched'] else ' '} {printable(verdict['row'])}: {printable(verdict['why'])}")
    print("\nevent")
    print_json(details["event"])
