"""`link`: what a customer opens to show the bot which chat is theirs."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer

from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings
from bridge.cli.people import RealmOption, key_of


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
    as_json: JsonOption = False,
) -> None:
    """Make a link for a customer: who opens it and presses Start is told there, and nowhere else. It works once."""
    from bridge.admin import wishing
    from bridge.config.state import customers as people_of

    settings, now = load_settings(config), datetime.now(UTC)
    customers, key = people_of(settings), key_of(settings, who, realm)
    ears = wishing.listening(customers, key)
    until = now + wishing.link_length(expire, customers)
    with existing_ledger(settings) as ledger:
        if revoke:
            void = wishing.revoke_links(ledger, key)
            audit(ledger, "link", key=key, revoked=void.revoked)
            print_json(void.to_json()) if as_json else print(f"{printable(key)}: {void.revoked} void")
            return
        bot = wishing.bot_name(ledger, ears) or asyncio.run(wishing.asked_name(ears))
        given = wishing.give_link(ledger, ears, key, bot=bot, until=until)
        audit(ledger, "link", key=key, until=f"{until:%Y-%m-%dT%H:%MZ}")
    if as_json:
        print_json(given.to_json())
    else:
        print(f"{given.link}\nworks once, until {local_time(until, settings.zone())}")
