"""`link`: what a customer opens to show the bot which chat is theirs."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings
from bridge.cli.people import RealmOption, key_of
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.config.model import Config


def link(
    who: Annotated[str, typer.Argument(metavar="user:NAME", help="user:alice.")],
    config: ConfigOption = None,
    realm: RealmOption = None,
    expire: Annotated[
        str | None, typer.Option(help="How long it can be used, as 2d; people.link_expires.", show_default=False)
    ] = None,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Make none: those that were given away, and not used, are void.")
    ] = False,
    unlink: Annotated[
        bool, typer.Option("--unlink", help="Make none: no chat that they have linked is theirs any more.")
    ] = False,
    free: Annotated[
        bool, typer.Option("--free", help="Make none: what they show links them again, after a “That was not me”.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a link for a customer: who opens it and presses Start is told there, and nowhere else. It works once."""
    from bridge.admin.people import wishes as wishing
    from bridge.admin.people.people import spoken_to
    from bridge.config.state import customers as people_of

    if revoke + unlink + free > 1:
        raise BridgeError("link: one of --revoke, --unlink and --free at once")
    settings, now = load_settings(config), datetime.now(UTC)
    if unlink or free:
        _end_or_free(settings, key_of(settings, who, realm), unlink=unlink, as_json=as_json)
        return
    customers, key = people_of(settings), key_of(settings, who, realm)
    wishing.listening(customers, key, None)
    until = now + wishing.link_length(expire, customers)
    with existing_ledger(settings) as ledger:
        if revoke:
            void = wishing.revoke_links(ledger, key)
            audit(ledger, "link", key=key, revoked=void.revoked)
            print_json(void.to_json()) if as_json else print(f"{printable(key)}: {void.revoked} void")
            return
        _, brand = spoken_to(ledger, settings.recipients().brands, key)
        ears = wishing.listening(customers, key, brand)
        bot = wishing.bot_name(ledger, ears) or asyncio.run(wishing.asked_name(ears))
        given = wishing.give_link(ledger, ears, key, bot=bot, until=until)
        audit(ledger, "link", key=key, until=f"{until:%Y-%m-%dT%H:%MZ}")
    if as_json:
        print_json(given.to_json())
    else:
        print(f"{given.link}\nworks once, until {local_time(until, settings.zone())}")


def _end_or_free(settings: "Config", key: str, *, unlink: bool, as_json: bool) -> None:
    """End their links, or let what they show make one again; it needs no bot that is heard."""
    from bridge.admin.people import wishes as wishing

    with existing_ledger(settings) as ledger:
        if unlink:
            ended = wishing.end_links(ledger, key, now=datetime.now(UTC))
            audit(ledger, "link", key=key, unlinked=ended.unlinked)
            print_json(ended.to_json()) if as_json else print(f"{printable(key)}: {ended.unlinked} unlinked")
        else:
            freed = wishing.free_proofs(ledger, key)
            audit(ledger, "link", key=key, freed=freed.freed)
            said = "what they show links them again" if freed.freed else "nothing kept what they show from linking them"
            print_json(freed.to_json()) if as_json else print(f"{printable(key)}: {said}")
