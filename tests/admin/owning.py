"""Owners with events of their own, each full of what only one of them may see; and an admin side that all look at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bridge.event import Event
from bridge.intake import Destination, Intake, Routed
from bridge.outcome import Attempt, Dead, Done, Refused
from bridge.routing import Router
from bridge.store.outbox import SqlOutbox
from bridge.value import replace
from tests.admin.running import ACT, LOOK, Desk, running_admin, settle
from tests.fakes import DECISION, START, FakeClock, an_event

SEVEN, NINE, ELSEWHERE = "seven-0123456789abcdef", "nine-0123456789abcdefg", "else-0123456789abcdefg"
TOKENS = (
    f"token: {ACT}, read_token: {LOOK}, metrics: token, owners: {{"
    f"reseller-7: {{token: {SEVEN}, realm: marzban}}, reseller-9: {{token: {NINE}, realm: marzban}}}}"
)
FILE = """
store: {store}
timezone: Asia/Tehran
admin: {{{admin}}}
sources:
  marzban: {{panel: marzban, secret: the-secret-of-marzban}}
  fra: {{panel: marzban, secret: the-secret-of-fra-0}}
directory: {{realm: marzban, users: {{nobody: {{telegram: 700009}}}}, owners: {{reseller-7: {{telegram: 700008}}}}}}
sinks:
  opsroom: {{type: discord, url: "https://discord.com/api/webhooks/1/secret-of-ops-secret-of-ops"}}
  customersbot: {{type: telegram, token: "1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", chat_id: "{{{{ person.telegram }}}}"}}
  resellersbot: {{type: telegram, token: "1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", chat_id: "{{{{ owner.telegram }}}}"}}
routes:
  - {{match: user.*, to: customersbot, audience: user}}
  - {{match: user.*, to: opsroom}}
"""
#: What nobody but the operator may see, in every event and delivery.
SECRETS = (
    "operators-note",
    "native-words",
    "the-answer",
    "the-reason",
    "opsroom",
    "customersbot",
    "700001",
    "row-of-ops",
)


def of_owner(owner: str | None, user: str, *, source: str = "marzban", minutes: int = 0) -> Event:
    """An event of a user of that owner's."""
    data = {
        "user": {"username": user, "status": f"status-of-{user}", "used_bytes": 2**30, "telegram_id": 700001},
        "owner": owner,
        "note": "operators-note",
        "actor": {"username": "operators-note"},
        "node": {"name": "operators-note"},
    }
    event = an_event(f"user:{user}", type_="user.expired", at=START + timedelta(minutes=minutes))
    return replace(event, source=source, data=data, native={"said": "native-words"})


#: Of the first owner, of the second, of one of the same name elsewhere, of nobody.
ALICE, BOB = of_owner("reseller-7", "alice-of-seven"), of_owner("reseller-9", "bob-of-nine", minutes=1)
OTHER, NOBODYS = (
    of_owner("reseller-7", "carol-of-fra", source="fra", minutes=2),
    of_owner(None, "dora-of-none", minutes=3),
)
ALL = (ALICE, BOB, OTHER, NOBODYS)


async def fill(outbox: SqlOutbox, _: Router) -> None:
    """Each event told to its user, to its owner, and to the operator."""
    for event in ALL:
        user, owner = event.data["user"]["username"], event.data["owner"]
        to = [
            Destination("customersbot", "row-of-ops", recipient=f"{event.source}/user:{user}"),
            Destination("opsroom", "row-of-ops"),
            *([Destination("resellersbot", "row-of-ops", recipient=f"{event.source}/owner:{owner}")] if owner else []),
        ]
        await outbox.put(Intake([Routed(event, tuple(to), DECISION)], realm=event.source))
        await settle(outbox, event, "customersbot", Done(note="the-reason"), Attempt(Refused("x"), 200, "the-answer"))
        await settle(outbox, event, "opsroom", Dead("the-reason"), Attempt(Refused("the-reason"), 400, "the-answer"))


@asynccontextmanager
async def an_owners_desk(folder: Path, store: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with running_admin(folder, store, clock, admin=TOKENS, text=FILE, fill=fill) as desk:
        yield desk
