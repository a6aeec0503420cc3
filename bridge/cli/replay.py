"""`replay` and `dismiss`: what to do with what did not arrive."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import ConfigOption, JsonOption, print_json, print_table, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings
from bridge.cli.names import check_filters
from bridge.cli.selection import (
    DryRunOption,
    SinceOption,
    SinkOption,
    SourceOption,
    SubjectOption,
    TypeOption,
    UntilOption,
    counted,
    selected,
)
from bridge.errors import BridgeError
from bridge.value import INT64_MAX

if TYPE_CHECKING:
    from bridge.admin.shapes import Dismissed, Replayed, ReplayedEvents
    from bridge.store.base import State

LISTED = 20  # deliveries that are named one by one


def replay(
    ids: Annotated[
        list[int] | None, typer.Argument(min=1, max=INT64_MAX, help="Deliveries to send again.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    dead: Annotated[bool, typer.Option("--dead", help="All that were given up.")] = False,
    held_back: Annotated[bool, typer.Option("--held-back", help="All that their row did not want sent.")] = False,
    delivered: Annotated[bool, typer.Option("--delivered", help="Those that arrived too.")] = False,
    events: Annotated[
        bool, typer.Option("--events", help="Instead, events that went to no sink, by the table as it is now.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what was replayed or dismissed before.")] = False,
    sink: SinkOption = None,
    source: SourceOption = None,
    type_: TypeOption = None,
    subject: SubjectOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send deliveries again, each once: the given ones, or the dead ones that the options name."""
    from bridge.admin import operations
    from bridge.routing import Router

    if events and (ids or dead or held_back or delivered or again or sink):
        raise BridgeError("replay: --events goes with --source, --type, --subject, --since, --until and --dry-run only")
    if not (events or ids or dead or held_back or sink or source or type_ or subject or since or until):
        raise BridgeError(
            "replay: say which: ids, --dead, --held-back, --sink, --source, --type, --subject, --since or --until"
        )
    settings, now = load_settings(config), datetime.now(UTC)
    query = selected(
        settings,
        ids=tuple(ids or ()),
        states=_replayed_states(dead=dead, held_back=held_back, delivered=delivered, named=bool(ids)),
        sink=sink,
        source=source,
        type_=type_,
        subject=subject,
        since=since,
        until=until,
        limit=None,
    )
    with existing_ledger(settings) as ledger:
        check_filters(ledger, settings, query)
        if events:
            router = Router(settings.table(), sinks=settings.all_sinks(), recipients=settings.recipients())
            sent = operations.replay_unrouted(ledger, query, router, now=now, dry_run=dry_run)
            if sent.replayed:
                audit(ledger, "replay", events=sent.matched, deliveries=len(sent.replayed))
            _print_events(sent, as_json=as_json)
        else:
            done = operations.replay(ledger, query, now=now, again=again, dry_run=dry_run)
            if done.deliveries and not dry_run:
                audit(ledger, "replay", deliveries=len(done.deliveries), sink=sink)
            _print_replayed(done, settings.all_sinks(), as_json=as_json)


def dismiss(
    ids: Annotated[
        list[int] | None, typer.Argument(min=1, max=INT64_MAX, help="Dead letters to put away.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    every: Annotated[bool, typer.Option("--all", help="All that nobody has dealt with.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Have those back that were put away.")] = False,
    sink: SinkOption = None,
    source: SourceOption = None,
    type_: TypeOption = None,
    subject: SubjectOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put dead letters away that need nobody any more: they are kept, but no longer counted, listed or replayed."""
    from bridge.admin import operations

    if every == bool(ids or sink or source or type_ or subject or since or until):
        raise BridgeError(
            "dismiss: say which: ids, --sink, --source, --type, --subject, --since or --until; or --all alone"
        )
    settings = load_settings(config)
    query = selected(
        settings,
        ids=tuple(ids or ()),
        sink=sink,
        source=source,
        type_=type_,
        subject=subject,
        since=since,
        until=until,
        limit=None,
    )
    with existing_ledger(settings) as ledger:
        check_filters(ledger, settings, query)
        result = operations.dismiss(ledger, query, now=datetime.now(UTC), undo=undo, dry_run=dry_run)
        if result.deliveries and not dry_run:
            audit(ledger, "restore" if undo else "dismiss", deliveries=len(result.deliveries), sink=sink)
    _print_dismissed(result, as_json=as_json)


def _replayed_states(*, dead: bool, held_back: bool, delivered: bool, named: bool) -> "tuple[State, ...]":
    """Which states are meant: those that the options name; else the dead ones, or whatever became of the given ids."""
    from bridge.store.base import State

    states = (State.DEAD,) * dead + (State.HELD_BACK,) * held_back
    if not states:
        states = (State.DEAD, State.HELD_BACK, State.DELIVERED) if named else (State.DEAD,)
    return states + (State.DELIVERED,) * delivered


def _print_replayed(result: "Replayed", sinks: Collection[str], *, as_json: bool) -> None:
    if as_json:
        new = [one.id for one in result.deliveries if one.id is not None]
        print_json({"replayed": new, **result.to_json()})
    elif result.deliveries:
        columns = ("DELIVERY", "SINK", "TYPE", "SUBJECT", *(() if result.dry_run else ("SENT AGAIN AS",)))
        rows = [(one.replay_of, one.sink, one.type, one.subject, one.id) for one in result.deliveries[:LISTED]]
        print_table(columns, [row[: len(columns)] for row in rows])
        if (more := len(result.deliveries) - LISTED) > 0:
            print(f"… and {more} more")
        print(f"\n{_replayed_sentence(result)}")
        if lost := dict.fromkeys(one.sink for one in result.deliveries if one.sink not in sinks):
            print(f"the file names no sink {printable(', '.join(lost))}: what is sent again waits until it does")
    if not result.deliveries:
        raise BridgeError(f"replay: {_nothing_replayed(result)}")


def _replayed_sentence(result: "Replayed") -> str:
    number = len(result.deliveries)
    done = f"{'would be' if result.dry_run else 'is' if number == 1 else 'are'} sent again"
    left_out = f"; {_dealt_with(result)}, and left out: --again takes them too" if result.already else ""
    return f"{counted(number, 'delivery')} {done}{left_out}"


def _nothing_replayed(result: "Replayed") -> str:
    if not result.already:
        return "no settled delivery is meant by that"
    return f"nothing is sent: {_dealt_with(result)}; --again sends once more"


def _dealt_with(result: "Replayed") -> str:
    more = "more than " if result.already_more else ""
    were = "was" if result.already == 1 else "were"
    return f"{more}{counted(result.already, 'delivery')} {were} replayed or dismissed before"


def _print_events(result: "ReplayedEvents", *, as_json: bool) -> None:
    if as_json:
        print_json(result.to_json())
    else:
        if result.sinks:
            print_table(("SINK", "EVENTS"), result.sinks.items())
            print()
        done = "would go now" if result.dry_run else "are sent now"
        print(f"{counted(result.events, 'event')} went to no sink; {result.matched} of them {done}")
    if not result.matched:
        raise BridgeError("replay: no row of the table takes an event that is meant by that")


def _print_dismissed(result: "Dismissed", *, as_json: bool) -> None:
    number = len(result.deliveries)
    if as_json:
        print_json(result.to_json())
    elif number:
        be = "would be" if result.dry_run else "is" if number == 1 else "are"
        print(f"{counted(number, 'dead letter')} {be} {'there again' if result.undone else 'put away'}")
    if not number:
        which = "put away" if result.undone else "not dealt with"
        raise BridgeError(f"dismiss: no dead letter that is {which} is meant by that")
