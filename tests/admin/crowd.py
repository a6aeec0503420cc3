"""An admin side over customers: a directory, a bot that is heard, links, wishes, and an announcement."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bridge.intake import Destination, Intake, Threshold
from bridge.outcome import Attempt, Delivered, Done, HeldBack
from bridge.polled import Polling, PollKey, PollResult, SourceHealth
from bridge.routing import Router
from bridge.store import open_ledger
from bridge.store.base import AddressState
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.links import put_link
from bridge.store.queries.polled import keep_turn, take_turns
from bridge.store.queries.told_steps import is_news
from bridge.store.queries.wishes import set_stopped, set_wants
from bridge.value import replace
from tests.admin import running
from tests.admin.running import Desk, running_admin, settle
from tests.fakes import START, FakeClock, an_event

SENDER = "telegram bot 123456789"
TOKEN = "123456789:AAF-bot-of-customers-0123456789abcdef"
FILE = running.FILE.replace(
    "routes:",
    f"""  dm: {{{{type: telegram, token: "{TOKEN}", chat_id: "{{{{{{{{ person.telegram }}}}}}}}"}}}}
"""
    """  mail: {{type: email, server: smtp.example.com, from: vpn@example.com, to: "{{{{ person.email }}}}"}}
people: {{bot: dm}}
directory:
  users:
    alice: {{telegram: 700001, locale: fa, zone: Asia/Tehran}}
    bob: {{telegram: 700002, email: bob@example.com}}
  owners: {{reseller-7: {{telegram: 700007}}}}
routes:""",
)
RECORDS = [
    ("berlin/user:alice", {"telegram": 700001, "locale": "fa", "zone": "Asia/Tehran"}),
    ("berlin/user:bob", {"telegram": 700002, "email": "bob@example.com"}),
    ("berlin/user:dora", {"email": "dora@example.com", "discord": "https://discord.com/api/webhooks/9/hers"}),
    ("berlin/owner:reseller-7", {"telegram": 700007}),
]
#: A name that is nothing but a name, whatever it looks like.
ODD_NAME = "a/b%2F..?#<b>"
ODD_KEY = f"berlin/user:{ODD_NAME}"
WARNED = an_event("user:alice", type_="user.expiring", at=START + timedelta(minutes=9))
NEWS = an_event("user:alice", type_="user.limited", at=START + timedelta(minutes=10))


async def fill(outbox: SqlOutbox, router: Router) -> None:
    """As everywhere; alice was told once and once not, carol has linked a chat, bob wants nothing."""
    await running.filled(outbox, router)
    await outbox.keep_directory("1", RECORDS)
    to = Destination("dm", "route 1", recipient="berlin/user:alice")
    for event in (WARNED, NEWS):
        await outbox.put(Intake([replace(router.route(event), destinations=(to,))], realm="berlin"))
    await settle(outbox, WARNED, "dm", Done(), Attempt(Delivered(), 200, "ok"))
    await settle(outbox, NEWS, "dm", HeldBack("wants no status"), Attempt(Delivered(), None))
    await outbox.save_address_state(SENDER, "700002", AddressState(START, "HTTP 403: blocked", START, START))


def say(store: str) -> None:
    """What people have said."""
    with open_ledger(store) as ledger:
        for key, chat in (("berlin/user:carol", "700003"), (ODD_KEY, "700004")):
            ledger.write(put_link, key, SENDER, chat, how="token", now=START)
        ledger.write(set_stopped, "berlin/user:bob", stop=True, by="themselves", now=START)
        ledger.write(set_wants, "berlin/user:alice", {"news": False, "quiet": "23:00-08:00"}, by="operator", now=START)
        ledger.write(is_news, "berlin/user:alice", Threshold("left", "2026-12-01T00:00", -3), START)
        [turn] = ledger.write(take_turns, [(PollKey(SENDER, Polling.BOT), START, 1.0)])
        assert turn is not None
        ledger.write(keep_turn, PollResult(turn=turn, health=SourceHealth(), state={"name": "fravpn_bot"}))


@asynccontextmanager
async def a_crowd(folder: Path, store: str, clock: FakeClock, *, admin: str = running.TOKENS) -> AsyncIterator[Desk]:
    """The admin side of all that."""
    async with running_admin(folder, store, clock, admin=admin, text=FILE, fill=fill) as desk:
        say(store)
        yield desk
