"""`events` and `explain`: all that came in, and why it went where it went."""

import re
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bridge.cli.completing import subjects
from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, print_table, printable
from bridge.cli.ended import print_end
from bridge.cli.ledger import existing_ledger, load_settings
from bridge.cli.names import check_filters
from bridge.cli.selection import (
    BeforeEventOption,
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

if TYPE_CHECKING:
    from bridge.admin.shapes import EventBrief, Explanation, Fate, Verdict

_ID = re.compile("[0-9a-f-]{36}")
COLUMNS = ("EVENT", "WHEN", "SOURCE", "TYPE", "SUBJECT", "WENT TO")
REPEATS = 10  # times that the panel told an event again, of which are shown
BELOW = {"WENT TO": "{}", "SOURCE": "from {}", "SUBJECT": "{}"}


def events(
    config: ConfigOption = None,
    nowhere: Annotated[bool, typer.Option("--nowhere", help="Only those that went to no sink.")] = False,
    dead: Annotated[
        bool, typer.Option("--dead", help="Only those given up for a sink, and neither replayed nor dismissed.")
    ] = False,
    pending: Annotated[bool, typer.Option("--pending", help="Only those still to be delivered to a sink.")] = False,
    held_back: Annotated[bool, typer.Option("--held-back", help="Only those that a row did not want sent.")] = False,
    sink: SinkOption = None,
    source: SourceOption = None,
    type_: TypeOption = None,
    subject: SubjectOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    before: BeforeEventOption = None,
    limit: LimitOption = 50,
    as_json: JsonOption = False,
) -> None:
    """List all events that came in, the newest first, with what became of them at each sink."""
    from bridge.admin import operations
    from bridge.store.base import State

    if nowhere and (dead or pending or held_back or sink):
        raise BridgeError(
            "events: what went --nowhere has no sink: leave --sink, --dead, --pending and --held-back out"
        )
    settings = load_settings(config)
    query = selected(
        settings,
        states=(State.DEAD,) * dead + (State.PENDING, State.WAITING) * pending + (State.HELD_BACK,) * held_back,
        cleared=(None,) * dead,
        sink=sink,
        source=source,
        type_=type_,
        subject=subject,
        since=since,
        until=until,
        before=_event_id(before),
        limit=limit,
    )
    with existing_ledger(settings) as ledger:
        check_filters(ledger, settings, query)
        found = operations.find(ledger, query, nowhere=nowhere)
    if as_json:
        print_json([one.to_json() for one in found.events])
    else:
        print_table(COLUMNS, map(_cells, found.events), below=BELOW, zone=settings.zone())
    print_end("events", found.before, found.looked_back_to, settings.zone())


def explain(
    event: Annotated[
        str,
        typer.Argument(
            help="An event's id or its beginning, a delivery's number, or a subject as user:alice for its newest"
            " event.",
            autocompletion=subjects,
        ),
    ],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say of an event why it went where it went: what every row said, and what became of it at each sink."""
    from bridge.admin import operations
    from bridge.admin.wording.not_found import NotThere
    from bridge.routing import Router

    settings = load_settings(config)
    router = Router(settings.table(), sinks=settings.all_sinks(), recipients=settings.recipients())
    with existing_ledger(settings) as ledger:
        try:
            explanation = operations.explain(ledger, event, router)
        except NotThere as error:
            raise BridgeError(f"explain: {error}") from None
    if as_json:
        print_json(explanation.to_json())
    else:
        _print_explanation(explanation, settings.zone())


def _event_id(text: str | None) -> str | None:
    if text is not None and not _ID.fullmatch(text):
        raise BridgeError(f"--before: {printable(text)} is no event's id")
    return text


def _cells(one: "EventBrief") -> tuple[object, ...]:
    fates = ", ".join(f"{fate.sink} {_state(fate)}" for fate in one.fates) or "nowhere"
    return (one.id, one.received_at, one.source, one.type, one.subject, fates)


def _state(fate: "Fate") -> str:
    return f"{fate.state} ({fate.cleared})" if fate.cleared else fate.state


def _print_explanation(one: "Explanation", zone: ZoneInfo) -> None:
    subject = f" about {one.subject}" if one.subject else ""
    native = f", which {one.panel} calls {one.native_type}" if one.native_type != one.type else ""
    print(printable(f"{one.type}{subject} from {one.source}, {local_time(one.received_at, zone)}{native}"))
    print(one.id)
    print(printable(one.sentence))
    print("\nwhy")
    for verdict in one.verdicts:
        print(printable(f"  {_verdict_line(verdict)}"))
    if one.fates:
        print("\nwhat became of it")
        print_table(
            ("DELIVERY", "SINK", "STATE", "WHEN", "TRIES", "STATUS", "REASON"),
            map(_fate_cells, one.fates),
            below={"REASON": "{}", "STATUS": "HTTP {}", "TRIES": "tried {}×"},
            zone=zone,
        )
    for fate in one.fates:
        if len(fate.tries) > 1 or fate.state in ("dead", "waiting"):
            print(f"\ndelivery {fate.id} to {printable(fate.sink)}", end="")
            print_tries(fate.tries, zone)
    if one.repeats:
        times = ", ".join(local_time(at, zone) for at in one.repeats[:REPEATS])
        print(f"\nthe panel told it again {len(one.repeats)}×: {times}{', …' if len(one.repeats) > REPEATS else ''}")
    today = ", ".join(one.today) or "no sink"
    print(f"\ntoday's table would send it to {printable(today)}")


def _verdict_line(verdict: "Verdict") -> str:
    sinks = f" → {', '.join(verdict.to)}" if verdict.to else ""
    return f"{'✓' if verdict.matched else '–'} {verdict.row}: {verdict.why}{sinks}"


def _fate_cells(fate: "Fate") -> tuple[object, ...]:
    when = fate.settled_at or fate.due_at or fate.made_at
    origin = f"replay of {fate.replay_of}" if fate.replay_of else None
    instead = f"instead of {fate.instead}" if fate.instead else None
    reminder = f"reminder {fate.reminder}" if fate.reminder else None
    brand = f"brand {fate.brand}" if fate.brand else None
    remarks = "; ".join(filter(None, (brand, origin, instead, reminder, fate.reason, fate.note)))
    return (fate.id, fate.sink, _state(fate), when, fate.attempts, fate.status, remarks)
