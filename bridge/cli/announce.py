"""`announce`: customers are told what the operator says, each of them once, by the running bridge."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.completing import sink_names
from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, print_table, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings, operator
from bridge.cli.people import RealmOption, key_of
from bridge.cli.selection import DryRunOption, counted
from bridge.errors import BridgeError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.admin.announcing import Counted
    from bridge.config.model import Config
    from bridge.store.ledger import Ledger
    from bridge.store.records import AnnouncementRecord

RLM = "\u200f"  # of a terminal nobody knows what it makes of it
PREVIEWS = 2  # languages
LISTED = 20  # announcements, and people of one
WHOM = "all, user:NAME, owner:NAME, realm:NAME or source:NAME"
IdOption = typer.Option(min=1, max=2**63 - 1, metavar="ID", show_default=False)


def announce(
    config: ConfigOption = None,
    to: Annotated[
        list[str] | None, typer.Option(metavar="WHOM", help=f"{WHOM}; may be said several times.", show_default=False)
    ] = None,
    sink: Annotated[
        str | None,
        typer.Option(autocompletion=sink_names, help="The sink by which customers are told.", show_default=False),
    ] = None,
    text_file: Annotated[
        Path | None, typer.Option(help="What they are told, a template over me; - for input.", show_default=False)
    ] = None,
    category: Annotated[str, typer.Option(help="What of they may have switched off.")] = "news",
    critical: Annotated[bool, typer.Option("--critical", help="Pass quiet hours and max_per_day.")] = False,
    realm: RealmOption = None,
    dry_run: DryRunOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    every: Annotated[bool, typer.Option("--list", help="The newest announcements.")] = False,
    show: Annotated[int | None, IdOption] = None,
    stop: Annotated[int | None, IdOption] = None,
    resume: Annotated[int | None, IdOption] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell customers something, each once: counted and shown first. Or show, stop or resume what was announced."""
    asked = sum((every, show is not None, stop is not None, resume is not None))
    new = bool(to or sink or text_file or dry_run or critical)
    if asked + new != 1:
        raise BridgeError("announce: say --to, --sink and --text-file; or one of --list, --show, --stop, --resume")
    settings = load_settings(config)
    with existing_ledger(settings) as ledger:
        if every:
            _list(ledger, settings, as_json=as_json)
        elif show is not None:
            _show(ledger, settings, show, as_json=as_json)
        elif stop is not None:
            _stop(ledger, stop, as_json=as_json)
        elif resume is not None:
            _resume(ledger, settings, resume, as_json=as_json)
        elif to and sink and text_file:
            chosen = [_chosen(settings, one, realm) for one in to]
            _new(ledger, settings, chosen, sink, _text(text_file), (category, critical), (dry_run, yes, as_json))
        else:
            raise BridgeError("announce: say whom with --to, by which --sink, and what with --text-file")


def _chosen(settings: "Config", who: str, realm: str | None) -> str:
    """Whom it means, as it is kept."""
    from bridge.admin.announcing import EVERYBODY, OF_REALM
    from bridge.config.errors import suggestion

    kind, _, name = who.partition(":")
    realms = settings.realms()
    known = {"realm": sorted(set(realms.values())), "source": list(realms)}.get(kind)
    if who == EVERYBODY:
        return who
    if known is not None:
        if name not in known:
            raise UnknownName(f'announce: no {kind} named "{printable(name)}": {suggestion(name, known)}')
        return f"{OF_REALM}{realms[name] if kind == 'source' else name}"
    if kind not in ("user", "owner"):
        raise BridgeError(f'announce: "{printable(who)}" is nobody: say {WHOM}')
    return key_of(settings, who, realm)


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = "is no UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise BridgeError(f"announce: {file}: {why}") from None


def _new(
    ledger: "Ledger",
    settings: "Config",
    chosen: "Sequence[str]",
    sink: str,
    text: str,
    terms: tuple[str, bool],
    how: tuple[bool, bool, bool],
) -> None:
    from bridge.admin import announcing
    from bridge.admin.dry_run import dry_run as ready_for
    from bridge.people.wants import CATEGORIES
    from bridge.store.queries.announcements import add_announcement
    from bridge.store.records import AnnouncementRecord

    (category, critical), (dry_run, yes, as_json) = terms, how
    if category not in CATEGORIES:
        raise BridgeError(f"announce: category should be {', '.join(CATEGORIES)}")
    ready, now = ready_for(settings), datetime.now(UTC)
    opened = announcing.customers_sink(ready, sink)
    found = announcing.counted(ledger, chosen, opened)
    said = {
        locale: announcing.shown(ready, opened, text, locale, name=_first(found, locale, ready.locale), now=now)
        for locale in found.locales(ready.locale)
    }
    if not as_json:
        _preview(found, said, ready.locale)
    if not found.reached:
        raise BridgeError("announce: nobody is meant by that whom this sink reaches")
    told = {"reached": len(found.reached), "unreached": found.unreached, "previews": said}
    if dry_run:
        print_json({"id": None, **told}) if as_json else print("nothing is sent")
        return
    if not yes:
        _ask(len(found.reached))
    record = AnnouncementRecord(
        at=now, by=operator(), sink=sink, chosen=tuple(chosen), text=text,
        category=category, critical=critical, counted=len(found.reached),
    )  # fmt: skip
    id_ = ledger.write(add_announcement, record)
    audit(ledger, "announce", announcement=id_, sink=sink, people=len(found.reached), category=category)
    _put(ledger, id_, found)
    print_json({"id": id_, **told}) if as_json else print(f"announcement {id_}: --show {id_} says who has it")


def _first(found: "Counted", locale: str, default: str) -> str:
    """Who is an example of those who read a language."""
    return next(one.name for one in found.reached if (one.locale or default) == locale)


def _preview(found: "Counted", said: dict[str, str], default: str) -> None:
    number = len(found.reached)
    beside = f" · {found.unreached} without an address" if found.unreached else ""
    print(f"{number} {'person' if number == 1 else 'people'}{beside}")
    for locale, count in list(found.locales(default).items())[:PREVIEWS]:
        print(f"\n{locale}, {count}:")
        for line in said[locale].splitlines():
            print(f"  {printable(line.replace(RLM, ''))}")
    print()


def _ask(number: int) -> None:
    if not sys.stdin.isatty():
        raise BridgeError("announce: nothing is sent: say --yes, or answer on a terminal")
    if typer.prompt("Send it? Type the number of people", default="", show_default=False) != str(number):
        raise BridgeError("announce: nothing is sent: that is another number")


def _put(ledger: "Ledger", id_: int, found: "Counted") -> None:
    from bridge.admin.announcing import put_all

    for _ in put_all(ledger, _announcement(ledger, id_), found.reached, datetime.now(UTC)):
        pass


def _announcement(ledger: "Ledger", id_: int) -> "AnnouncementRecord":
    from bridge.store.queries.announcements import announcement_of

    if (record := ledger.read(announcement_of, id_)) is None:
        raise UnknownName(f"announce: there is no announcement {id_}: --list shows them")
    return record


def _list(ledger: "Ledger", settings: "Config", *, as_json: bool) -> None:
    from bridge.store.queries.announcements import newest_announcements

    found = ledger.read(newest_announcements, limit=LISTED)
    if as_json:
        print_json([one.to_json() for one in found])
        return
    rows = [
        (one.id, one.at, one.sink, ", ".join(one.chosen), one.counted, one.state.value.replace("_", " "))
        for one in found
    ]
    print_table(("ID", "AT", "SINK", "TO", "PEOPLE", "STATE"), rows, zone=settings.zone())


def _show(ledger: "Ledger", settings: "Config", id_: int, *, as_json: bool) -> None:
    from bridge.store.queries.announcements import outcomes, people_of

    record = _announcement(ledger, id_)
    found = ledger.read(outcomes, id_)
    if as_json:
        people = ledger.read(people_of, id_, limit=None)
        print_json({**record.to_json(), "people": [one.to_json() for one in people]})
        return
    print(printable(f"{id_}  {record.state.value.replace('_', ' ')}  {local_time(record.at, settings.zone())}"))
    print(f"{sum(number for _, _, number in found)} of {counted(record.counted, 'delivery')} made")
    for state, reason, number in found:
        print(printable(f"{number:>7}  {state.value.replace('_', ' ')}{f': {reason}' if reason else ''}"))
    for one in ledger.read(people_of, id_, limit=LISTED, uncertain=True):
        print(printable(f"uncertain  {one.key}: panelbridge replay {one.delivery} sends it once more"))


def _stop(ledger: "Ledger", id_: int, *, as_json: bool) -> None:
    from bridge.store.queries.announcements import stop

    _announcement(ledger, id_)
    held = ledger.write(stop, id_, now=datetime.now(UTC))
    audit(ledger, "announce stop", announcement=id_, deliveries=held)
    text = f"announcement {id_} is stopped: {counted(held, 'delivery')} held back"
    print_json({"id": id_, "held_back": held}) if as_json else print(text)


def _resume(ledger: "Ledger", settings: "Config", id_: int, *, as_json: bool) -> None:
    from bridge.admin import announcing
    from bridge.admin.dry_run import dry_run as ready_for
    from bridge.store.queries.announcements import go_on
    from bridge.store.records import AnnouncementState

    record, again = _announcement(ledger, id_), ledger.write(go_on, id_, now=datetime.now(UTC))
    if _announcement(ledger, id_).state is AnnouncementState.PUTTING:
        opened = announcing.customers_sink(ready_for(settings), record.sink)
        _put(ledger, id_, announcing.counted(ledger, record.chosen, opened))
    audit(ledger, "announce resume", announcement=id_, deliveries=again)
    text = f"announcement {id_} goes on: {counted(again, 'delivery')} that had been held back"
    print_json({"id": id_, "resumed": again}) if as_json else print(text)
