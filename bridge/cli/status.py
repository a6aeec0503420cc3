"""`status`: on one screen whether it works, and what needs somebody."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, print_table, printable
from bridge.cli.ledger import existing_ledger, load_settings
from bridge.cli.selection import counted

if TYPE_CHECKING:
    from bridge.admin.language import Language
    from bridge.admin.shapes import Lane
    from bridge.admin.status import Need, Status

COLUMNS = ("SINK", "STATE", "WAITING", "OLDEST", "GIVEN UP", "REASON")
BELOW = {"REASON": "{}", "OLDEST": "oldest {}"}
MARKS = {"ok": "●", "wait": "◆", "bad": "■"}


def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Say whether it works, what needs you and what to do about it; exit 1 when something does."""
    from bridge.admin import operations
    from bridge.admin.language import language
    from bridge.admin.trouble import trouble_of
    from bridge.config.state import source_states

    settings, now = load_settings(config), datetime.now(UTC)
    with existing_ledger(settings) as ledger:
        trouble = trouble_of(ledger, now)
        sources = source_states(settings)
        found = operations.status(ledger, settings.all_sinks(), sources=sources, now=now, trouble=trouble)
    if as_json:
        print_json(found.to_json())
    else:
        _print(found, language("en"), settings.zone(), now)
    if found.needs:
        raise typer.Exit(1)


def _print(found: "Status", words: "Language", zone: ZoneInfo, now: datetime) -> None:
    from bridge.admin.pages.states import lane_words
    from bridge.admin.wording.status import say_verdict

    said = say_verdict(words, found)
    print(f"{MARKS[said.mark]} {said.title}")
    print(f"  {_figures(found, zone)}")
    for need in found.needs:
        for line in _need_lines(need, words, zone):
            print(line)
    if found.more_needs:
        print(f"\n  … and {found.more_needs} more: {_lists(found)}")
    if found.sinks:
        print()
        rows = [_cells(one, lane_words(words, one, now).word) for one in found.sinks]
        print_table(COLUMNS, rows, below=BELOW, zone=zone)


def _lists(found: "Status") -> str:
    """The commands that list what is left out."""
    from bridge.admin.status import NeedKind

    lists = {NeedKind.DEAD: "deliveries --dead", NeedKind.STORE: "doctor", NeedKind.SILENT: "doctor"}
    return ", ".join(dict.fromkeys(f"panelbridge {lists.get(one, 'lanes')}" for one in found.more_kinds))


def _figures(found: "Status", zone: ZoneInfo) -> str:
    last = f"last event {local_time(found.last_event, zone)}" if found.last_event else "no event yet"
    oldest = f", the oldest since {local_time(found.oldest, zone)}" if found.oldest else ""
    return f"{last} · {counted(found.waiting, 'message')} waiting{oldest} · {found.dead} given up"


def _need_lines(need: "Need", words: "Language", zone: ZoneInfo) -> Iterator[str]:
    from bridge.admin.wording.status import say_need

    said = say_need(words, need)
    yield f"\n{MARKS[said.mark]} {printable(said.title)}"
    since = f", since {local_time(need.since, zone)}" if need.since else ""
    if need.evidence or since:
        yield f"    {printable(need.evidence)}{since}".replace("    , ", "    ")
    yield f"    → {said.todo}"
    if command := _command(need):
        yield f"      {command}"


def _command(need: "Need") -> str:
    from bridge.admin.status import NeedKind

    if need.kind in (NeedKind.PARKED, NeedKind.AWAY):
        return f"panelbridge resume {printable(need.sink)}"
    if need.kind in (NeedKind.STORE, NeedKind.SILENT):
        return "panelbridge doctor"
    is_replayable = need.kind is NeedKind.DEAD and need.service is not None
    return f"panelbridge replay --dead --sink {printable(need.sink)}" if is_replayable else ""


def _cells(one: "Lane", state: str) -> tuple[object, ...]:
    return (one.sink, state, one.pending + one.waiting, one.oldest, one.dead or None, one.reason)
