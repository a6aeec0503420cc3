"""`tail`: events and settlements as they happen, until Ctrl-C."""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer

from bridge.cli.console import ConfigOption, JsonOption, printable
from bridge.cli.ledger import existing_ledger, load_settings
from bridge.cli.names import check_filters
from bridge.cli.selection import SinceOption, SinkOption, SourceOption, SubjectOption, TypeOption, selected
from bridge.clock import in_zone
from bridge.errors import StoreUnavailable
from bridge.telemetry import escaped

if TYPE_CHECKING:
    from bridge.admin.streams.tail import Happening, Tail

EVERY = 0.5  # seconds between two looks
MARKS = {"event": "▸", "delivered": "✓", "again": "◆", "dead": "✗", "held_back": "–", "lane": "◆", "left_out": "…"}
WIDTHS = (12, 26, 22)  # letters of a name, a type, a subject


def tail(
    config: ConfigOption = None,
    sink: SinkOption = None,
    source: SourceOption = None,
    type_: TypeOption = None,
    subject: SubjectOption = None,
    since: SinceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what comes in and what becomes of it, as it happens, until Ctrl-C.

    --type takes a glob too, as 'user.*'. With --json it is a line of JSON for each.
    """
    from bridge.admin.streams.tail import Tail, TailFilter

    settings = load_settings(config)
    glob = type_ is not None and bool(set("*?[") & set(type_))
    query = selected(
        settings, sink=sink, source=source, type_=None if glob else type_, subject=subject, since=since, until=None
    )
    wanted = TailFilter(sink=sink, source=source, type=type_, subject=subject)
    try:
        with existing_ledger(settings) as ledger:
            check_filters(ledger, settings, query)
            following = Tail(ledger, wanted, since=query.since or datetime.now(UTC), back=query.since is not None)
            _follow(following, _shown_as_json if as_json else lambda one: _line(one, settings.zone()))
    except KeyboardInterrupt:
        raise typer.Exit from None
    except BrokenPipeError:  # whoever read it has what he wanted
        sys.stdout = None
        raise typer.Exit from None


def _follow(tail: "Tail", shown: "Callable[[Happening], str]") -> None:
    """Look, print, wait; a store that is away for a while is waited for."""
    away = False
    while True:
        try:
            found = tail.look(datetime.now(UTC))
            away = False
        except StoreUnavailable as error:
            if not away:
                print(f"{printable(error)}; it is looked for again", file=sys.stderr)
            found, away = [], True
        for one in found:
            print(shown(one))
        sys.stdout.flush()
        time.sleep(EVERY)


def _shown_as_json(one: "Happening") -> str:
    return escaped(json.dumps(one.to_json(), ensure_ascii=False, default=str))


def _line(one: "Happening", zone: ZoneInfo) -> str:
    name, type_, subject = WIDTHS
    head = f"{in_zone(one.at, zone):%H:%M:%S}  {MARKS[one.kind]}"
    if one.kind == "left_out":
        return f"{head} {one.number} more {one.text}"
    if one.kind == "lane":
        return f"{head} {printable(one.sink):{name}} {printable(one.text)}"
    who = one.source if one.kind == "event" else one.sink
    about = f"{printable(who):{name}} {printable(one.type):{type_}} {printable(one.subject):{subject}}"
    return f"{head} {about} {_outcome(one)}".rstrip()


def _outcome(one: "Happening") -> str:
    if one.kind == "event":
        return f"→ {printable(' '.join(one.to))}" if one.to else "nowhere"
    took = f"{one.ms / 1000:.2f} s" if one.ms is not None else ""
    said = {"again": "again", "dead": "given up", "held_back": "held back"}.get(one.kind, "")
    text = ": ".join(filter(None, (said, printable(one.text))))
    return "  ".join(filter(None, (str(one.status or ""), took, text)))
