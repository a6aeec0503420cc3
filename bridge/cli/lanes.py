"""`lanes` and `resume`: how the lanes stand, and letting one flow again."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bridge.cli.completing import sink_names
from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, print_table, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings
from bridge.cli.names import known_name
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.config.model import Config
    from bridge.store.ledger import Ledger
    from bridge.store.records import LaneRecord

COLUMNS = ("SINK", "STANDING", "SINCE", "WAITING", "OLDEST", "DEAD", "REASON", "UNTIL", "OWNER")
BELOW = {"OWNER": "carried by {}", "REASON": "{}", "UNTIL": "until {}", "OLDEST": "oldest {}"}


def lanes(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show how the lane of every sink stands: open, away, or parked until someone resumes it."""
    settings = load_settings(config)
    with existing_ledger(settings) as ledger:
        records = _lane_records(ledger, settings)
    if as_json:
        print_json([{**one.to_json(), "sink_is": _sink_is(one.sink, settings)} for one in records])
    else:
        print_table(COLUMNS, [_cells(one, settings) for one in records], below=BELOW, zone=settings.zone())


def resume(
    sinks: Annotated[
        list[str] | None,
        typer.Argument(help="Sinks whose lanes to resume.", show_default=False, autocompletion=sink_names),
    ] = None,
    config: ConfigOption = None,
    every: Annotated[bool, typer.Option("--all", help="Every lane that is parked or away.")] = False,
) -> None:
    """Let lanes flow again that are parked or away, once their services have been repaired."""
    if bool(sinks) == every:
        raise BridgeError("resume: say which: sinks, or --all")
    settings = load_settings(config)
    with existing_ledger(settings) as ledger:
        records = {one.sink: one for one in _lane_records(ledger, settings)}
        if unknown := [sink for sink in sinks or () if sink not in records]:
            for sink in unknown:
                known_name("sink is called", sink, records)
        chosen = [records[sink] for sink in dict.fromkeys(sinks or ())] or [
            one for one in records.values() if _is_held(one)
        ]
        for line in _resume_each(ledger, chosen, settings.zone()):
            print(line)
        if not chosen:
            print("no lane is parked or away")


def _resume_each(ledger: "Ledger", records: "Iterable[LaneRecord]", zone: ZoneInfo) -> Iterable[str]:
    """Resume them; a line for each that says what came of it."""
    from bridge.store.queries.lanes import resume as resume_lane

    for one in records:
        if _is_held(one) and ledger.write(resume_lane, one.sink):
            audit(ledger, "resume", sink=one.sink, held=True)
            since = f" since {local_time(one.since, zone)}" if one.since else ""
            reason = f" ({printable(one.reason)})" if one.reason else ""
            yield f"{printable(one.sink)}: resumed; it was {one.standing}{since}{reason}, {_waiting(one)} waiting"
        else:
            yield f"{printable(one.sink)}: was not parked or away"


def _lane_records(ledger: "Ledger", settings: "Config") -> "list[LaneRecord]":
    """The lanes that the store knows, and those of the file that have had nothing to carry yet."""
    from bridge.store.queries.records import lane_records
    from bridge.store.records import LaneRecord

    known = {one.sink: one for one in ledger.read(lane_records)}
    new = {sink: LaneRecord(sink=sink) for sink in settings.all_sinks() if sink not in known}
    return sorted((known | new).values(), key=lambda one: one.sink)


def _is_held(one: "LaneRecord") -> bool:
    from bridge.store.base import Standing

    return one.standing is not Standing.OPEN


def _waiting(one: "LaneRecord") -> int:
    return one.pending + one.waiting


def _sink_is(sink: str, settings: "Config") -> str:
    """Whether the file has the sink of a lane: a lane without one carries nothing."""
    if (found := settings.all_sinks().get(sink)) is None:
        return "not in the file"
    return "enabled" if found.enabled else "disabled"


def _cells(one: "LaneRecord", settings: "Config") -> tuple[object, ...]:
    sink_is = _sink_is(one.sink, settings)
    standing = sink_is if sink_is != "enabled" else one.standing  # what nobody carries
    waits = (_waiting(one), one.oldest, one.dead or None)
    return (one.sink, standing, one.since, *waits, one.reason, one.until, one.owner)
