"""`people` and `prefs`: whom the directory knows and what they want."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings
from bridge.cli.selection import DryRunOption
from bridge.errors import BridgeError, UnknownName

if TYPE_CHECKING:
    from bridge.config.model import Config
    from bridge.event import JsonObject
    from bridge.store.ledger import Ledger

RealmOption = Annotated[
    str | None, typer.Option(help="The sources that speak of them, where several do.", show_default=False)
]
WhoArgument = Annotated[str, typer.Argument(metavar="user:NAME", help="user:alice, owner:reseller-7 or node:fra-1.")]


EXPORT, IMPORT = "export", "import"


class Wanted(StrEnum):
    """What somebody may want."""

    STOP = "stop"
    START = "start"


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
    from bridge.store.queries.wishes import count_records, count_stopped

    settings = load_settings(config)
    if who in (EXPORT, IMPORT):
        _by_file(settings, who, file, dry_run=dry_run, as_json=as_json)
        return
    if file is not None or dry_run:
        raise BridgeError("people: a file and --dry-run go with export and import only")
    with existing_ledger(settings) as ledger:
        if who is None:
            found: JsonObject = {"records": ledger.read(count_records), "stopped": ledger.read(count_stopped)}
        else:
            found = _known(ledger, key_of(settings, who, realm))
    if as_json:
        print_json(found)
    elif who is None:
        print(f"{found['records']} in the directory · {found['stopped']} want nothing")
    else:
        stopped = found["stopped_at"]
        wish = f"nothing since {local_time(stopped, settings.zone())}, said by {found['by']}" if stopped else "all"
        record = "  ".join(f"{name} {value}" for name, value in (found["record"] or {}).items())
        print(f"{printable(found['key'])}\ndirectory  {printable(record or 'none')}\nwants      {printable(wish)}")


def _by_file(settings: "Config", verb: str, file: Path | None, *, dry_run: bool, as_json: bool) -> None:
    from bridge.cli.people_file import export_people, import_people, told_of

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
        print(told_of(changed, dry_run=dry_run))


def prefs(
    who: WhoArgument,
    wanted: Annotated[Wanted, typer.Argument(help="stop: nothing is told to them any more; start: it is again.")],
    config: ConfigOption = None,
    realm: RealmOption = None,
) -> None:
    """Say for somebody that they want to be told nothing, or something again. It holds for what already waits."""
    from bridge.store.queries.audit import add_audit
    from bridge.store.queries.wishes import set_stopped

    settings, now, stop = load_settings(config), datetime.now(UTC), wanted is Wanted.STOP
    key = key_of(settings, who, realm)
    with existing_ledger(settings) as ledger:
        ledger.write(set_stopped, key, stop=stop, by="operator", now=now)
        ledger.write(add_audit, "prefs", {"key": key, "stop": stop}, who="command line", now=now)
    print(f"{printable(key)}: {'is told nothing any more' if stop else 'is told again'}")


def _known(ledger: "Ledger", key: str) -> "JsonObject":
    """What the store knows of a recipient."""
    from bridge.store.queries.directory import records_of
    from bridge.store.queries.wishes import wish_of

    wish = ledger.read(wish_of, key)
    return {
        "key": key,
        "record": dict(ledger.read(records_of, [key]).get(key, {})) or None,
        "stopped_at": wish.stopped_at if wish else None,
        "by": wish.by if wish else None,
    }


def key_of(settings: "Config", who: str, realm: str | None) -> str:
    """The key of whom a command means."""
    from bridge.config.errors import suggestion
    from bridge.people.recipient import Audience, is_name, recipient_key

    kinds = {one.kind: one for one in Audience}
    kind, colon, name = who.partition(":")
    if not colon or kind not in kinds or not is_name(name):
        raise BridgeError(f"say whom, as {', '.join(f'{one}:NAME' for one in kinds)}")
    realms = sorted(set(settings.realms().values()))
    if realm is not None and realm not in realms:
        raise UnknownName(f'no source has the realm "{printable(realm)}": {suggestion(realm, realms)}')
    if realm is None and len(realms) != 1:
        raise BridgeError(f"say with --realm of which: {', '.join(realms) or 'there are none'}")
    return recipient_key(realm or realms[0], kinds[kind], name)
