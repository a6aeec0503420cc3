"""`announce`: customers are told what the operator says, each of them once, by the running bridge."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.bidi import RLM
from bridge.cli.completing import sink_names
from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, print_table, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings, operator
from bridge.cli.people import RealmOption
from bridge.cli.selection import DryRunOption, counted
from bridge.errors import BridgeError
from bridge.value import INT64_MAX

if TYPE_CHECKING:
    from collections.abc import Collection

    from bridge.admin.people.announcing import ReaderGroup
    from bridge.admin.people.drafts import AnnouncementDraft, AnnouncementRequest
    from bridge.config.model import Config
    from bridge.store.ledger import Ledger

PREVIEWS = 2  # languages
LISTED = 20  # announcements, and people of one
WHOM = "all, user:NAME, owner:NAME, realm:NAME or source:NAME"
IdOption = typer.Option(min=1, max=INT64_MAX, metavar="ID", show_default=False)


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
    template: Annotated[
        str | None,
        typer.Option(
            help="What they are told by its name: of announcements/ in your templates, or maintenance.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        str | None, typer.Option(help="For a template, as 2026-12-01 02:00 in the file's zone.", show_default=False)
    ] = None,
    end: Annotated[str | None, typer.Option(help="The same, or 02:30.", show_default=False)] = None,
    category: Annotated[str, typer.Option(help="What of they may have switched off.")] = "news",
    critical: Annotated[bool, typer.Option("--critical", help="Pass quiet hours and max_per_day.")] = False,
    realm: RealmOption = None,
    dry_run: DryRunOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    every: Annotated[bool, typer.Option("--list", help="The newest announcements.")] = False,
    show: Annotated[int | None, IdOption] = None,
    stop: Annotated[int | None, IdOption] = None,
    resume: Annotated[int | None, IdOption] = None,
    retry: Annotated[int | None, IdOption] = None,
    delivery: Annotated[
        list[int] | None,
        typer.Option(min=1, max=INT64_MAX, metavar="N", help="With --retry: this one alone.", show_default=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell customers something, each once: counted and shown first. Or show, stop or resume what was announced, or send
    it once more to who may have got it.
    """
    asked = sum((every, *(one is not None for one in (show, stop, resume, retry))))
    new = bool(to or sink or text_file or template or start or end or dry_run or critical)
    if asked + new != 1:
        raise BridgeError(
            "announce: say --to, --sink and --text-file or --template; or one of --list, --show, --stop, --resume,"
            " --retry"
        )
    if delivery and retry is None:
        raise BridgeError("announce: --delivery goes with --retry")
    from bridge.admin.people import drafts
    from bridge.config.state import customers

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
        elif retry is not None:
            _retry(ledger, retry, delivery or (), as_json=as_json)
        elif to and sink and bool(text_file) != bool(template) and (template or not (start or end)):
            text = _text(text_file) if text_file else _template(settings, template or "", start, end)
            wanted = drafts.wanted_of(
                customers(settings), to, sink=sink, text=text, category=category, critical=critical,
                realm=realm,
            )  # fmt: skip
            _new(ledger, settings, wanted, dry_run=dry_run, yes=yes, as_json=as_json)
        else:
            raise BridgeError("announce: say whom with --to, by which --sink, and what with --text-file or --template")


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = "is no UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise BridgeError(f"announce: {file}: {why}") from None


def _template(settings: "Config", name: str, start: str | None, end: str | None) -> str:
    """The template of that name, with the times that it speaks of."""
    from bridge.admin.people.announcement_templates import timed

    return timed(settings.template_folders(), settings.zone(), name, start=start or "", end=end or "", sign="--")


def _new(
    ledger: "Ledger", settings: "Config", wanted: "AnnouncementRequest", *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Count, show, ask, and send."""
    from bridge.admin.people import announcements, drafts
    from bridge.admin.trials.dry_run import dry_run as ready_for

    now, ready = datetime.now(UTC), ready_for(settings)
    drafted = drafts.draft(ledger, ready, wanted, now=now)
    said = {_readers(one): drafted.words(one) for one in drafted.shown}
    if not as_json:
        _preview(drafted, said)
    people = drafts.check_count(drafted)
    told = {"reached": people, "unreached": drafted.found.unreached, "previews": said}
    if dry_run:
        print_json({"id": None, **told}) if as_json else print("nothing is sent")
        return
    if not yes:
        _ask(people)
    id_ = drafts.keep(ledger, drafted, by=operator(), now=now, again=True)
    audit(ledger, "announce", announcement=id_, sink=wanted.sink, people=people, category=wanted.category)
    announcements.put(ledger, id_, drafted.found.reached, now)
    print_json({"id": id_, **told}) if as_json else print(f"announcement {id_}: --show {id_} says who has it")


def _preview(drafted: "AnnouncementDraft", said: dict[str, str]) -> None:
    number, beside = len(drafted.found.reached), ""
    if drafted.found.unreached:
        beside = f" · {drafted.found.unreached} without an address"
    print(f"{number} {'person' if number == 1 else 'people'}{beside}")
    for readers, count in list(drafted.found.readers(drafted.default).items())[:PREVIEWS]:
        print(f"\n{_readers(readers)}, {count}:")
        for line in said[_readers(readers)].splitlines():
            print(f"  {printable(line.replace(RLM, ''))}")  # of a terminal nobody knows what it makes of it
    print()


def _readers(one: "ReaderGroup") -> str:
    return one.locale if one.brand is None else f"{one.locale}, brand {one.brand}"


def _ask(number: int) -> None:
    if not sys.stdin.isatty():
        raise BridgeError("announce: nothing is sent: say --yes, or answer on a terminal")
    if typer.prompt("Send it? Type the number of people", default="", show_default=False) != str(number):
        raise BridgeError("announce: nothing is sent: that is another number")


def _list(ledger: "Ledger", settings: "Config", *, as_json: bool) -> None:
    from bridge.admin.people.announcements import list_announcements

    found = list_announcements(ledger, limit=LISTED)
    if as_json:
        print_json([one.to_json() for one in found])
        return
    rows = [
        (one.id, one.at, one.sink, ", ".join(one.chosen), one.counted, one.state.value.replace("_", " "))
        for one in found
    ]
    print_table(("ID", "AT", "SINK", "TO", "PEOPLE", "STATE"), rows, zone=settings.zone())


def _show(ledger: "Ledger", settings: "Config", id_: int, *, as_json: bool) -> None:
    from bridge.admin.people.announcements import announced_people, announcement_now, record_of

    found = announcement_now(ledger, record_of(ledger, id_))
    if as_json:
        people = announced_people(ledger, id_, limit=max(found.made, 1)).items
        print_json({**found.to_json(), "people": [one.to_json() for one in people]})
        return
    print(printable(f"{id_}  {found.state.value.replace('_', ' ')}  {local_time(found.at, settings.zone())}"))
    print(f"{found.made} of {counted(found.counted, 'delivery')} made")
    for one in found.outcomes:
        why = f": {one.reason}" if one.reason else ""
        print(printable(f"{one.people:>7}  {one.state.value.replace('_', ' ')}{why}"))
    for who in announced_people(ledger, id_, limit=LISTED, uncertain=True).items:
        print(printable(f"uncertain  {who.key}: announce --retry {id_} --delivery {who.delivery} sends it once more"))


def _stop(ledger: "Ledger", id_: int, *, as_json: bool) -> None:
    from bridge.admin.people.announcements import hold

    held = hold(ledger, id_, now=datetime.now(UTC)).deliveries
    audit(ledger, "announce stop", announcement=id_, deliveries=held)
    text = f"announcement {id_} is stopped: {counted(held, 'delivery')} held back"
    print_json({"id": id_, "held_back": held}) if as_json else print(text)


def _resume(ledger: "Ledger", settings: "Config", id_: int, *, as_json: bool) -> None:
    from bridge.admin.people.announcements import put_rest, release
    from bridge.admin.trials.dry_run import dry_run as ready_for

    now, ready = datetime.now(UTC), ready_for(settings)
    again = release(ledger, ready, id_, now=now).deliveries
    audit(ledger, "announce resume", announcement=id_, deliveries=again)
    put_rest(ledger, ready, id_, now)
    text = f"announcement {id_} goes on: {counted(again, 'delivery')} that had been held back"
    print_json({"id": id_, "resumed": again}) if as_json else print(text)


def _retry(ledger: "Ledger", id_: int, only: "Collection[int]", *, as_json: bool) -> None:
    from bridge.admin.people.announcements import retry_uncertain

    again = retry_uncertain(ledger, id_, only, now=datetime.now(UTC)).deliveries
    audit(ledger, "announce retry", announcement=id_, deliveries=again)
    text = f"announcement {id_}: {counted(again, 'delivery')} of those that were uncertain on the way once more"
    print_json({"id": id_, "retried": again}) if as_json else print(text)
