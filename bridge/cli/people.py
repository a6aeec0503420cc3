"""`people` and `prefs`: whom the directory knows and what they want."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings
from bridge.cli.selection import DryRunOption, counted
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bridge.admin.people.shapes import PeopleCounts, PersonNow
    from bridge.config.model import Config

RealmOption = Annotated[
    str | None, typer.Option(help="The sources that speak of them, where several do.", show_default=False)
]
STOPS = ("stop", "start")
WhoArgument = Annotated[str, typer.Argument(metavar="user:NAME", help="user:alice, owner:reseller-7 or node:fra-1.")]


EXPORT, IMPORT = "export", "import"


def people(
    who: Annotated[
        str | None,
        typer.Argument(
            metavar="[user:NAME|export|import]",
            help="One of them, in place of all; or what is known of all, to a file or from one.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Argument(help="Of export and import; - for standard output or input.", show_default=False)
    ] = None,
    config: ConfigOption = None,
    realm: RealmOption = None,
    dry_run: DryRunOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show how many the directory knows, and how many want nothing; of one, where they are reached, what they want."""
    from bridge.admin.people import people as known
    from bridge.admin.trials.dry_run import dry_run as ready_for
    from bridge.config.state import customers

    settings = load_settings(config)
    if who in (EXPORT, IMPORT):
        _by_file(settings, who, file, dry_run=dry_run, as_json=as_json)
        return
    if file is not None or dry_run:
        raise BridgeError("people: a file goes with export and import, --dry-run with import")
    with existing_ledger(settings) as ledger:
        if who is None:
            counts = known.count_people(ledger, customers(settings), settings.recipients().brands)
            print_json(counts.to_json()) if as_json else _show_counts(counts)
        else:
            key, now = key_of(settings, who, realm), datetime.now(UTC)
            found = known.person(ledger, customers(settings), ready_for(settings), key, now=now)
            print_json(found.to_json()) if as_json else _show(found, settings.zone())


def _show_counts(counts: "PeopleCounts") -> None:
    print(f"{counts.records} in the directory · {counts.linked} linked · {counts.stopped} want nothing")
    if (bot := counts.bot) is not None:
        print(printable(f"bot        {bot.name or bot.bot}: {bot.reason or 'is heard'}"))
    for one in counts.brands:
        heard = f", by {one.bot.name or one.bot.bot}: {one.bot.reason or 'is heard'}" if one.bot is not None else ""
        print(printable(f"brand      {one.name}, to the customers of {counted(one.owners, 'owner')}{heard}"))


def _by_file(settings: "Config", verb: str, file: Path | None, *, dry_run: bool, as_json: bool) -> None:
    from bridge.cli.people_file import export_people, import_people, import_summary

    if verb == EXPORT and (dry_run or as_json):
        raise BridgeError("people export: a file of JSON lines is what it makes: leave --dry-run and --json out")
    with existing_ledger(settings) as ledger:
        if verb == EXPORT:
            export_people(ledger, file)
            return
        changed = import_people(ledger, file, dry_run=dry_run)
        if changed and not dry_run:
            audit(ledger, "people import", **changed)
    if as_json:
        print_json(changed)
    else:
        print(import_summary(changed, dry_run=dry_run))


def prefs(
    who: WhoArgument,
    wanted: Annotated[
        list[str],
        typer.Argument(
            metavar="stop|start|NAME=VALUE…",
            help="stop: nothing is told to them any more; start: it is again. reminders, status, news: on or off; "
            "locale=fa, zone=Asia/Tehran, quiet=23:00-08:00. With no value, what was said is taken back.",
        ),
    ],
    config: ConfigOption = None,
    realm: RealmOption = None,
) -> None:
    """Say for somebody what they want to be told. It holds for what already waits."""
    from bridge.admin.people import wishes as wishing

    settings, now = load_settings(config), datetime.now(UTC)
    key = key_of(settings, who, realm)
    stops = [one for one in wanted if one in STOPS]
    said: dict[str, bool | str | None] = {}
    for one in wanted:
        said |= {} if one in STOPS else wishing.wished_changes(one)
    with existing_ledger(settings) as ledger:
        if said:
            wishing.wish(ledger, key, said, now=now)
        for one in stops:
            wishing.stop(ledger, key, stopped=one == "stop", now=now)
        audit(ledger, "prefs", key=key, wants=list(wanted))
    for one in stops:
        print(f"{printable(key)}: {'is told nothing any more' if one == 'stop' else 'is told again'}")
    for name, value in said.items():
        print(f"{printable(key)}: {name} {_shown(value)}")


def _shown(value: "bool | str | None") -> str:
    return "as the file says" if value is None else value if isinstance(value, str) else "on" if value else "off"


def _show(found: "PersonNow", zone: "ZoneInfo") -> None:
    record = "  ".join(f"{name} {value}" for name, value in (found.record or {}).items())
    print(f"{printable(found.key)}\ndirectory  {printable(record or 'none')}")
    if found.owner is not None:
        print(printable(f"owner      {found.owner}{f', brand {found.brand}' if found.brand else ''}"))
    for one in found.links:
        how = ", by what they have shown" if one.how == "proof" else ""
        print(printable(f"linked     chat {one.chat} of {one.bot}, since {local_time(one.at, zone)}{how}"))
    for stop in found.stops:
        print(printable(f"stopped    at {stop.where} since {local_time(stop.at, zone)}, said there by {stop.by}"))
    if (since := found.no_proofs_since) is not None:
        print(f"not them   since {local_time(since, zone)}: what they show links them no more, until link --free")
    stopped = found.stopped_at
    wish = f"nothing since {local_time(stopped, zone)}, said by {found.by}" if stopped else "all"
    wants = dict(found.wants)
    said = [f"{name} {_shown(value)}" for name, value in wants.pop("categories", {}).items()]
    said += [f"{name} {value}" for name, value in wants.items()]
    print(printable(f"wants      {' · '.join([wish, *said])}"))
    for step in found.steps:
        print(printable(f"told       {step.step}, {local_time(step.at, zone)}"))


def key_of(settings: "Config", who: str, realm: str | None) -> str:
    """The key of whom a command means."""
    from bridge.config.state import customers

    return customers(settings).key_of(who, realm)
