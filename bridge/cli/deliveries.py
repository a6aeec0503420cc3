"""`deliveries` and `replay`: what became of every event, and sending it again."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, print_table, printable
from bridge.cli.ledger import existing_ledger, load_settings
from bridge.errors import BridgeError
from bridge.settings import UNITS

if TYPE_CHECKING:
    from bridge.config.model import Config
    from bridge.event import JsonObject
    from bridge.store.base import State
    from bridge.store.ledger import Ledger
    from bridge.store.records import DeliveryRecord, Query, SetAsideRecord

LAST_ID = 2**63 - 1  # the highest number that a store can give
CHUNK = 1000  # events that one commit sends again, so that a running bridge never waits long

SinkOption = Annotated[str | None, typer.Option(help="Only to this sink.")]
SourceOption = Annotated[str | None, typer.Option(help="Only from this source.")]
TypeOption = Annotated[str | None, typer.Option("--type", help="Only of this type, as user.created.")]
SubjectOption = Annotated[str | None, typer.Option(help="Only about this, as user:alice.")]
SinceOption = Annotated[str | None, typer.Option(help="Only of events taken in since: 2h, 3d, or 2026-11-21T06:00.")]
UntilOption = Annotated[str | None, typer.Option(help="Only of events taken in before: 2h, 3d, or 2026-11-21T06:00.")]


def deliveries(
    config: ConfigOption = None,
    id_: Annotated[
        int | None, typer.Option("--id", min=1, max=LAST_ID, help="Show this one in full, with the answer it got.")
    ] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Only those given up.")] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Only those still to be delivered.")] = False,
    held_back: Annotated[
        bool, typer.Option("--held-back", help="Only those that their row did not want sent.")
    ] = False,
    sink: SinkOption = None,
    source: SourceOption = None,
    type_: TypeOption = None,
    subject: SubjectOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=1, max=LAST_ID, help="At most this many, the newest.")] = 50,
    set_aside: Annotated[
        bool, typer.Option("--set-aside", help="What was not understood or told before, instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List deliveries, the newest first."""
    from bridge.store.base import State
    from bridge.store.queries import records
    from bridge.store.records import Query

    settings = load_settings(config)
    with existing_ledger(settings) as ledger:
        if id_ is not None:
            _print_one(ledger, id_, as_json)
        elif set_aside:
            _print_set_aside(ledger.read(records.set_aside_records, limit=limit), settings.zone(), as_json)
        else:
            query = Query(
                states=(State.DEAD,) * dead + (State.PENDING, State.WAITING) * pending + (State.HELD_BACK,) * held_back,
                sink=sink,
                source=source,
                type=type_,
                subject=subject,
                since=_parsed_time("--since", since, settings.zone()),
                until=_parsed_time("--until", until, settings.zone()),
                limit=limit,
            )
            _print_deliveries(ledger.read(records.delivery_records, query), settings.zone(), as_json)


def replay(
    ids: Annotated[
        list[int] | None, typer.Argument(min=1, max=LAST_ID, help="Deliveries to send again.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that were given up.")] = False,
    held_back: Annotated[bool, typer.Option("--held-back", help="All that their row did not want sent.")] = False,
    delivered: Annotated[bool, typer.Option("--delivered", help="Those that arrived too.")] = False,
    events: Annotated[
        bool, typer.Option("--events", help="Instead, events that went to no sink, by the table as it is now.")
    ] = False,
    sink: SinkOption = None,
    source: SourceOption = None,
    type_: TypeOption = None,
    subject: SubjectOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --events: only say what would be sent.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Send deliveries again: the given ones, or the dead ones that the options name. Prints the new ids."""
    from bridge.store.records import Query

    of_deliveries = bool(ids or dead or held_back or delivered or sink)
    if events and of_deliveries:
        raise BridgeError("replay: --events goes with --source, --type, --subject, --since, --until and --dry-run only")
    if dry_run and not events:
        raise BridgeError("replay: --dry-run goes with --events; `panelbridge deliveries` lists what would be sent")
    if not (events or ids or dead or held_back or sink or source or type_ or subject or since or until):
        raise BridgeError(
            "replay: say which: ids, --dead, --held-back, --sink, --source, --type, --subject, --since or --until"
        )
    settings = load_settings(config)
    query = Query(
        ids=tuple(ids or ()),
        states=_replayed_states(dead=dead, held_back=held_back, delivered=delivered, named=bool(ids)),
        sink=sink,
        source=source,
        type=type_,
        subject=subject,
        since=_parsed_time("--since", since, settings.zone()),
        until=_parsed_time("--until", until, settings.zone()),
        limit=None,
    )
    with existing_ledger(settings) as ledger:
        if events:
            _replay_events(ledger, settings, query, dry_run=dry_run, as_json=as_json)
        else:
            _replay_deliveries(ledger, query, as_json=as_json)


def _replayed_states(*, dead: bool, held_back: bool, delivered: bool, named: bool) -> "tuple[State, ...]":
    """Which states are meant: those that the options name; else the dead ones, or whatever became of the given ids."""
    from bridge.store.base import State

    states = (State.DEAD,) * dead + (State.HELD_BACK,) * held_back
    if not states:
        states = (State.DEAD, State.HELD_BACK, State.DELIVERED) if named else (State.DEAD,)
    return states + (State.DELIVERED,) * delivered


def _replay_deliveries(ledger: "Ledger", query: "Query", *, as_json: bool) -> None:
    from bridge.store.queries.replay import replay_deliveries

    made = ledger.write(replay_deliveries, query, now=datetime.now(UTC))
    if as_json:
        print_json({"replayed": list(made)})
    elif made:
        print(*made, sep="\n")
    if not made:
        raise BridgeError("replay: no settled delivery is meant by that")


def _replay_events(ledger: "Ledger", settings: "Config", query: "Query", *, dry_run: bool, as_json: bool) -> None:
    """Send events that went to no sink where today's table says, oldest first."""
    from bridge.routing import Router
    from bridge.store.queries.replay import replay_events, unrouted_events

    router = Router(settings.table(), sinks=settings.all_sinks())
    found = ledger.read(unrouted_events, query)
    made: list[int] = []
    sinks: Counter[str] = Counter()
    taken = 0
    for start in range(0, len(found), CHUNK):
        routed = [one for one in map(router.route, found[start : start + CHUNK]) if one.destinations]
        taken += len(routed)
        sinks.update(to.sink for one in routed for to in one.destinations)
        if routed and not dry_run:
            made += ledger.write(replay_events, routed, now=datetime.now(UTC))
    _print_replayed_events(len(found), taken, sinks, made, dry_run=dry_run, as_json=as_json)


def _print_replayed_events(
    found: int, taken: int, sinks: "Counter[str]", made: Sequence[int], *, dry_run: bool, as_json: bool
) -> None:
    if as_json:
        print_json(
            {"events": found, "matched": taken, "sinks": dict(sinks), "replayed": list(made), "dry_run": dry_run}
        )
    else:
        if sinks:
            print_table(("SINK", "EVENTS"), sinks.items())
            print()
        print(f"{found} events went to no sink; {taken} of them {'would go now' if dry_run else 'are sent now'}")
    if not taken:
        raise BridgeError("replay: no row of the table takes an event that is meant by that")


def _parsed_time(option: str, text: str | None, zone: ZoneInfo) -> datetime | None:
    """That long ago, or that moment; in the file's time zone where it names none."""
    if text is None:
        return None
    try:
        if (match := re.fullmatch(r"(\d+)\s*([a-z]+)", text)) and match[2] in UNITS:
            return datetime.now(UTC) - timedelta(seconds=int(match[1]) * UNITS[match[2]])
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise BridgeError(
            f"{option}: {text} is neither a duration such as 2h nor a time such as 2026-11-21T06:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _print_deliveries(records: "Sequence[DeliveryRecord]", zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        print_json([record.to_json() for record in records])
    else:
        columns = ("ID", "WHEN", "SOURCE", "TYPE", "SUBJECT", "SINK", "STATE", "TRIES", "REASON")
        print_table(columns, [_cells(record, zone) for record in records])


def _cells(one: "DeliveryRecord", zone: ZoneInfo) -> tuple[object, ...]:
    about = (one.id, local_time(one.received_at, zone), one.source, one.type, one.subject)
    return (*about, one.sink, one.state, one.attempts, one.reason or one.note)


def _print_set_aside(records: "Sequence[SetAsideRecord]", zone: ZoneInfo, as_json: bool) -> None:
    if as_json:
        print_json([record.to_json() for record in records])
    else:
        rows = [(one.id, local_time(one.received_at, zone), one.source, one.path, one.reason) for one in records]
        print_table(("ID", "WHEN", "SOURCE", "WHERE", "REASON"), rows)


def _print_one(ledger: "Ledger", id_: int, as_json: bool) -> None:
    from bridge.store.queries import records
    from bridge.store.records import Query

    record = next(iter(ledger.read(records.delivery_records, Query(ids=(id_,)))), None)
    if record is None:
        raise BridgeError(f"deliveries: there is no delivery {id_}")
    event, verdicts = ledger.read(records.event, record.event_id) or (None, ())
    details = {**record.to_json(), "verdicts": list(verdicts), "event": event.to_json() if event else None}
    if as_json:
        print_json(details)
    else:
        _print_details(details)


def _print_details(details: "JsonObject") -> None:
    for name, value in details.items():
        if name not in ("verdicts", "event") and value is not None:
            print(f"{name:13} {printable(value)}")
    print("\nwhy")
    for verdict in details["verdicts"]:
        print(f"  {'→' if verdict['matched'] else ' '} {printable(verdict['row'])}: {printable(verdict['why'])}")
    print("\nevent")
    print_json(details["event"])
