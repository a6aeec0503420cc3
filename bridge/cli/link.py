"""`link`: what a customer opens to show the bot which chat is theirs."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.console import ConfigOption, JsonOption, local_time, print_json, printable
from bridge.cli.ledger import audit, existing_ledger, load_settings
from bridge.cli.people import RealmOption, key_of
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.sinks.hearing import Ears
    from bridge.store.ledger import Ledger

ASKED = 15.0  # seconds for the bot's own name


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
    from bridge.people.link import hash_of, new_token
    from bridge.store.queries.links import put_token, revoke_tokens

    settings, now = load_settings(config), datetime.now(UTC)
    ears, key = settings.ears(), key_of(settings, who, realm)
    if ears is None or settings.people is None:
        raise BridgeError("link: no bot is heard: name the sink of one in people.bot")
    if not who.startswith("user:"):
        raise BridgeError("link: only a customer has one: user:NAME")
    until = now + timedelta(seconds=settings.people.link_expires if expire is None else _seconds(expire))
    with existing_ledger(settings) as ledger:
        if revoke:
            count = ledger.write(revoke_tokens, key)
            audit(ledger, "link", key=key, revoked=count)
            print_json({"key": key, "revoked": count}) if as_json else print(f"{printable(key)}: {count} void")
            return
        token, bot = new_token(), _name(ledger, ears)
        ledger.write(put_token, hash_of(token), key, ears.sender, until=until)
        audit(ledger, "link", key=key, until=f"{until:%Y-%m-%dT%H:%MZ}")
    address = ears.deep_link(bot, token)
    if as_json:
        print_json({"key": key, "link": address, "until": until})
    else:
        print(f"{address}\nworks once, until {local_time(until, settings.zone())}")


def _name(ledger: "Ledger", ears: "Ears") -> str:
    """The bot's own name: as the bridge that listens has kept it, else as the service says it now."""
    from bridge.polled import Polling, PollKey
    from bridge.store.queries.polled import last_turn

    turn = ledger.read(last_turn, PollKey(ears.sender, Polling.BOT))
    kept = None if turn is None or turn.state is None else turn.state.get("name")
    return kept if isinstance(kept, str) else asyncio.run(_asked_name(ears))


async def _asked_name(ears: "Ears") -> str:
    from bridge.people.heard import Unheard
    from bridge.sinks.http import Http, Unanswered

    http = Http()
    try:
        return ears.name_in(await http.send(ears.name_question(), within=ASKED, proxy=ears.proxy))
    except (Unanswered, Unheard) as error:
        raise BridgeError(f"link: the bot cannot be asked after its name: {error}") from None
    finally:
        await http.close()


def _seconds(text: str) -> float:
    from bridge.settings import seconds_of

    try:
        seconds = seconds_of(text)
    except ValueError as error:
        raise BridgeError(f"expire: {error}") from None
    if not 60 <= seconds <= 366 * 86400:
        raise BridgeError("expire: should be between 1m and 366d")
    return seconds
