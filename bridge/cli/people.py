"""`people` and `prefs`: whom the directory knows and what they want."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings
from bridge.cli.selection import DryRunOption
from bridge.errors import BridgeError, UnknownName

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from bridge.config.model import Config
    from bridge.event import JsonObject
    from bridge.store.ledger import Ledger

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
    from bridge.store.queries.links import count_linked
    from bridge.store.queries.wishes import count_records, count_stopped

    settings = load_settings(config)
    if who in (EXPORT, IMPORT):
        _by_file(settings, who, file, dry_run=dry_run, as_json=as_json)
        return
    if file is not None or dry_run:
        raise BridgeError("people: a file goes with export and import, --dry-run with import")
    with existing_ledger(settings) as ledger:
        if who is None:
            found: JsonObject = {
                "records": ledger.read(count_records),
                "linked": ledger.read(count_linked),
                "stopped": ledger.read(count_stopped),
                "bot": _bot(settings, ledger),
            }
        else:
            found = _known(ledger, key_of(settings, who, realm))
    if as_json:
        print_json(found)
    elif who is None:
        print(f"{found['records']} in the directory · {found['linked']} linked · {found['stopped']} want nothing")
        if (bot := found["bot"]) is not None:
            print(printable(f"bot        {bot['name'] or bot['bot']}: {bot['reason'] or 'is heard'}"))
    else:
        _show(found, settings.zone())


def _bot(settings: "Config", ledger: "Ledger") -> "JsonObject | None":
    """How the customers' bot is heard; None where nobody listens."""
    from bridge.polled import Polling, PollKey
    from bridge.store.queries.polled import last_turn

    if (ears := settings.ears()) is None:
        return None
    turn = ledger.read(last_turn, PollKey(ears.sender, Polling.BOT))
    name = turn.state.get("name") if turn is not None and turn.state is not None else None
    reason = "was not listened to yet" if turn is None else turn.health.reason
    return {"bot": ears.sender, "name": None if name is None else f"@{name}", "reason": reason}


def _by_file(settings: "Config", verb: str, file: Path | None, *, dry_run: bool, as_json: bool) -> None:
    from bridge.cli.people_file import export_people, import_people, told_of

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
        print(told_of(changed, dry_run=dry_run))


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
    from bridge.store.queries.wishes import set_stopped, set_wants

    settings, now = load_settings(config), datetime.now(UTC)
    key = key_of(settings, who, realm)
    stops = [one for one in wanted if one in STOPS]
    said = dict(_said(one) for one in wanted if one not in STOPS)
    with existing_ledger(settings) as ledger:
        if said:
            ledger.write(set_wants, key, said, by="operator", now=now)
        for one in stops:
            ledger.write(set_stopped, key, stop=one == "stop", by="operator", now=now)
        audit(ledger, "prefs", key=key, wants=list(wanted))
    for one in stops:
        print(f"{printable(key)}: {'is told nothing any more' if one == 'stop' else 'is told again'}")
    for name, value in said.items():
        print(f"{printable(key)}: {name} {_shown(value)}")


def _shown(value: "bool | str | None") -> str:
    return "as the file says" if value is None else value if isinstance(value, str) else "on" if value else "off"


def _said(text: str) -> "tuple[str, bool | str | None]":
    """What `news=off` or `locale=fa` says."""
    from bridge.messages.catalog import LOCALES
    from bridge.people.record import Record
    from bridge.people.wants import CATEGORIES, OVERRIDING

    name, sign, value = text.partition("=")
    if not sign or name not in (*CATEGORIES, *OVERRIDING):
        known = ", ".join(f"{one}=…" for one in (*CATEGORIES, *OVERRIDING))
        raise BridgeError(f'"{printable(text)}" is nothing that they can want: there are stop, start, {known}')
    if not value:
        return name, None
    if name in CATEGORIES:
        if value not in ("on", "off"):
            raise BridgeError(f"{name}: should be on or off")
        return name, value == "on"
    if name == "locale" and value not in LOCALES:
        raise BridgeError(f"locale: should be {', '.join(LOCALES)}")
    try:
        Record.model_validate({name: value})
    except ValueError as error:
        raise BridgeError(f"{name}: {_reason(error)}") from None
    return name, value


def _reason(error: ValueError) -> str:
    from pydantic import ValidationError

    text = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
    return text.removeprefix("Value error, ")


def _known(ledger: "Ledger", key: str) -> "JsonObject":
    """What the store knows of a recipient."""
    from bridge.event import iso
    from bridge.people.wants import chat_scope
    from bridge.store.queries.directory import records_of
    from bridge.store.queries.links import links_of
    from bridge.store.queries.wishes import wishes_of

    links = ledger.read(links_of, key)
    scopes = [key, *(chat_scope(one.sender, one.chat) for one in links)]
    found = ledger.read(wishes_of, scopes)
    wish = found.get(key)
    return {
        "key": key,
        "record": dict(ledger.read(records_of, [key]).get(key, {})) or None,
        "links": [{"bot": one.sender, "chat": one.chat, "how": one.how, "at": iso(one.at)} for one in links],
        "stopped_at": wish.stopped_at if wish else None,
        "by": wish.by if wish else None,
        "wants": wish.wants.to_json() if wish else {},
    }


def _show(found: "JsonObject", zone: "ZoneInfo") -> None:
    from bridge.foreign import moment

    record = "  ".join(f"{name} {value}" for name, value in (found["record"] or {}).items())
    print(f"{printable(found['key'])}\ndirectory  {printable(record or 'none')}")
    for one in found["links"]:
        at = moment(one["at"])
        since = f", since {local_time(at, zone)}" if at is not None else ""
        how = ", by what they have shown" if one["how"] == "proof" else ""
        print(printable(f"linked     chat {one['chat']} of {one['bot']}{since}{how}"))
    stopped = found["stopped_at"]
    wish = f"nothing since {local_time(stopped, zone)}, said by {found['by']}" if stopped else "all"
    wants = dict(found["wants"])
    categories = wants.pop("categories", {})
    said = [f"{name} {_shown(value)}" for name, value in categories.items()]
    said += [f"{name} {value}" for name, value in wants.items()]
    print(printable(f"wants      {' · '.join([wish, *said])}"))


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
