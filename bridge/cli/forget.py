"""`forget`: everything that is kept about a person is erased."""

import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import ConfigOption, JsonOption, print_json, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings
from bridge.cli.people import RealmOption, key_of
from bridge.cli.selection import counted
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.admin.people.forgetting import Forgettable
    from bridge.config.model import Config
    from bridge.people.person import Person
    from bridge.store.ledger import Ledger
    from bridge.store.queries.forget import PathsOfEvent

#: What rows of each table are called.
NOUNS = {
    "events": "event",
    "deliveries": "delivery",
    "attempts": "attempt",
    "set_aside": "element set aside",
    "threads": "message to be updated",
    "fingerprints": "fingerprint",
    "mutes": "mute",
    "told": "threshold",
    "wishes": "wish",
    "links": "linked chat",
    "link_tokens": "link given away",
    "proofs": "hash of what they can show",
    "unlinked": "chat that is theirs no more",
    "moved": "chat that may have a link back",
    "proof_stops": "mark that nothing shown links them",
    "closed": "mark of an earlier deletion",
    "directory": "record of the directory",
    "directory_chats": "chat in the directory",
    "addresses": "address",
}
#: What names them and is said by somebody else.
BEYOND = {
    "directory": "the directory has them in the records of others: mend it there",
    "mutes": "a mute names them: end it, and mute anew",
    "polled": "a panel still lists them: what it was last asked is gone with its next answer without them",
    "tables": "rows of the file name them, as the file was when events came: gone with those events",
}


def forget(
    who: Annotated[str, typer.Argument(metavar="user:NAME", help="user:alice.")],
    config: ConfigOption = None,
    realm: RealmOption = None,
    mentions: Annotated[bool, typer.Option("--mentions", help="Also events of others that name them.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only look whether anything of them is left.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase everything that is kept about a person: what would be is shown first. A running bridge goes on."""
    from bridge.admin.people import forgetting

    settings = load_settings(config)
    with existing_ledger(settings) as ledger:
        person, places = _person(settings, ledger, who, realm)
        found = forgetting.forgettable(ledger, person, places=places, mentions=mentions)
        if check:
            _check(settings, ledger, person, found, as_json=as_json)
            return
        if not as_json:
            _show(settings, person, found, mentions=mentions)
        if not found.is_nothing and not yes:
            _ask(person)
        done = forgetting.forget(
            ledger,
            person,
            places=places,
            now=datetime.now(UTC),
            pause=lambda: time.sleep(forgetting.PAUSE),
            mentions=mentions,
        )
        if not done.is_nothing:
            audit(ledger, "forget", **{name: number for name, number in done.rows.items() if number})
        _scrub(settings, ledger, person)
    if as_json:
        print_json(done.to_json() | {"outside": list(_outside(settings, person))})
    else:
        print("nothing is kept about them" if done.is_nothing else f"erased: {_numbers(done)}")


def _person(settings: "Config", ledger: "Ledger", who: str, realm: str | None) -> "tuple[Person, PathsOfEvent]":
    """Who is meant, and where what was told to them went."""
    from bridge.admin.people.forgetting import person_of
    from bridge.config.state import customers

    return person_of(ledger, customers(settings), key_of(settings, who, realm))


def _show(settings: "Config", person: "Person", found: "Forgettable", *, mentions: bool) -> None:
    print(f"{printable(person.key)}: {_numbers(found)}")
    if found.mentioned and not mentions:
        print(f"also named in {counted(found.mentioned, 'event')} of others: --mentions erases those too")
        for one in found.mentions:
            print(f"  {printable(one)}")
    for name in found.beyond:
        print(BEYOND[name])
    print(f"not within reach: {', '.join([*_outside(settings, person), 'backups, logs, what stands in the chats'])}")


def _numbers(found: "Forgettable") -> str:
    parts = [counted(number, noun) for name, noun in NOUNS.items() if (number := found.rows.get(name))]
    if found.words:
        parts.append(f"the name in {counted(found.words, 'text')} beside")
    return ", ".join(parts) or "nothing"


def _ask(person: "Person") -> None:
    if not sys.stdin.isatty():
        raise BridgeError("forget: nothing was erased: say --yes, or answer on a terminal")
    if typer.prompt("Erase? Type the name", default="", show_default=False) != person.name:
        raise BridgeError("forget: nothing was erased: that is another name")


def _scrub(settings: "Config", ledger: "Ledger", person: "Person") -> None:
    from bridge.admin.people.forgetting import LEFT
    from bridge.store.scrub import scrub

    if (left := LEFT.get(scrub(settings.store_url(), ledger, person.spellings))) is not None:
        raise BridgeError(f"forget: {left}")


def _check(settings: "Config", ledger: "Ledger", person: "Person", found: "Forgettable", *, as_json: bool) -> None:
    """Say what is left of them, and end with 1 where anything is."""
    from bridge.store.queries.forget import is_written_anywhere
    from bridge.store.scrub import files_with

    files = [] if ledger.read(is_written_anywhere, person) else files_with(settings.store_url(), person.spellings)
    left = not found.is_nothing or found.mentioned or found.beyond or files
    if as_json:
        print_json(found.to_json() | {"files": [str(one) for one in files], "left": bool(left)})
    elif left:
        _show(settings, person, found, mentions=False)
        for one in files:
            print(f"{one}: has the name where no row is: forget writes it anew")
    else:
        print(f"{printable(person.key)}: nothing is left")
    if left:
        raise typer.Exit(1)


def _outside(settings: "Config", person: "Person") -> Iterable[str]:
    """Where the operator has them written down."""
    from bridge.config.state import customers

    return customers(settings).written(person.key)
