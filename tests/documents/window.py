"""What the pictures of the documents show: the admin side over a store in which every panel has said something.

Every panel is heard, and there is a sink of every kind: tests/documents/test_pictures.py names what lacks.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp

from bridge.admin import operations
from bridge.event import Event
from bridge.ingress.source import Source
from bridge.intake import Intake, Routed
from bridge.outcome import Again, Attempt, Dead, Delivered, Done, Fate, HeldBack, Refused
from bridge.polled import Polling, PollKey, PollResult, SourceHealth
from bridge.routing import Router
from bridge.samples import PANELS, request_of, settings_of
from bridge.store.base import LaneState, Standing
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.links import put_link
from bridge.store.queries.polled import keep_turn, take_turns
from bridge.store.queries.wishes import set_stopped, set_wants
from bridge.value import replace
from tests.admin.running import Desk, running_admin, settle
from tests.fakes import START, FakeClock
from tests.store import boxes
from tests.store.boxes import claimed

NOW = START + timedelta(hours=3)
SECRET = "alongrandomtext0123456789alongrandomtext0123456789"
#: What a source has to be told, where that is not its secret alone.
TOLD_TO = {
    "json": f"secret: {SECRET}, type: body.type",
    "3x-ui": f"address: https://panel.example.com, token: {SECRET}",
}
SOURCES = "".join(f"  {word}: {{{{panel: {word}, {TOLD_TO.get(word, f'secret: {SECRET}')}}}}}\n" for word in PANELS)
#: Customers of marzban → where each is reached.
CUSTOMERS: Mapping[str, Mapping[str, object]] = {
    "alice": {"telegram": 700001, "locale": "fa", "zone": "Asia/Tehran"},
    "mina": {"telegram": 700002, "locale": "fa"},
    "olga": {"telegram": 700003, "locale": "ru", "quiet": "23:00-08:00"},
    "anton": {"telegram": 700004, "locale": "ru"},
    "sara": {"telegram": 700005},
}
PERSONS = "\n".join(f"    {name}: {{{{{json.dumps(dict(record))[1:-1]}}}}}" for name, record in CUSTOMERS.items())
FILE = f"""
store: {{store}}
timezone: Europe/Berlin
admin: {{{{{{admin}}}}}}
sources:
{SOURCES}
sinks:
  ops: {{{{type: discord, url: "https://discord.com/api/webhooks/1/{SECRET}"}}}}
  team: {{{{type: slack, url: "https://hooks.slack.com/services/T1/B1/{SECRET}"}}}}
  night: {{{{type: telegram, token: "123456789:{SECRET}", chat_id: -1001234567}}}}
  phone: {{{{type: ntfy, topic: vpn-{SECRET}}}}}
  home: {{{{type: matrix, token: {SECRET}, room: "!vpn:example.com", api_base: "https://matrix.example.com"}}}}
  office: {{{{type: mattermost, url: "https://mattermost.example.com/hooks/{SECRET}"}}}}
  tehran: {{{{type: bale, token: "123456789:{SECRET}", chat_id: 4912345678}}}}
  moscow: {{{{type: max, token: {SECRET}, chat_id: -72233445566778}}}}
  elsewhere: {{{{type: apprise, url: "gotifys://gotify.example.com/AbCdEf0123456-X"}}}}
  letters: {{{{type: email, server: smtp.example.com, from: vpn@example.com, to: me@example.com}}}}
  crm: {{{{type: gohighlevel, url: "https://services.leadconnectorhq.com/hooks/a/webhook-trigger/b"}}}}
  zap: {{{{type: zapier, url: "https://hooks.zapier.com/hooks/catch/1/{SECRET}"}}}}
  shop: {{{{type: webhook, url: "https://shop.example.com/hook", format: marzban, secret: {SECRET}}}}}
  terminal: {{{{type: console, format: event}}}}
  dm: {{{{type: telegram, token: "987654321:{SECRET}", chat_id: "{{{{{{{{ person.telegram }}}}}}}}"}}}}
people: {{{{bot: dm}}}}
directory:
  realm: marzban
  users:
{PERSONS}
routes:
  - {{{{match: [user.limited, user.expiring], source: marzban, to: dm, audience: user}}}}
  - {{{{match: [user.*, security.*], to: [ops, team]}}}}
  - {{{{match: [user.limited, user.expired], when: data.owner, to: night}}}}
  - {{{{match: [node.*, alert.*], to: [ops, phone], hold: 30s, update: subject}}}}
  - {{{{match: [payment.*, subscription.*], to: [crm, zap]}}}}
  - {{{{match: "user.*", source: rebecca, to: shop}}}}
  - {{{{match: "user.*", source: rebecca, to: [home, office, tehran, moscow, elsewhere, letters]}}}}
  - {{{{match: peer.*, to: terminal}}}}
"""

#: Panel → what it says in the window, who it is about, and how many minutes ago.
TOLD: tuple[tuple[str, str, str, float], ...] = (
    ("marzban", "user_created", "mina", 178),
    ("tailscale", "nodeCreated", "alice", 171),
    ("json", "backup.done", "alice", 160),
    ("defguard", "user_modified", "alice", 147),
    ("discord", "discord:report_login/failed", "alice", 131),
    ("orbvpn", "PAYMENT_RECEIVED", "sara", 117),
    ("cloudevents", "payment.received", "kaveh", 96),
    ("bedolaga", "ticket.created", "alice", 90),
    ("wgportal", "peer.create", "anton", 83),
    ("wgdashboard", "peer_created", "alice", 71),
    ("pasarguard", "user_expired", "kaveh", 64),
    ("marzneshin", "user_deactivated", "olga", 52),
    ("3x-ui", "client.expiring", "olga", 46),
    ("rebecca", "auto_renew_applied", "sara", 41),
    ("remnawave", "user.bandwidth_usage_threshold_reached", "mina", 33),
    ("alertmanager", "firing", "alice", 21),
    ("uptimekuma", "down", "alice", 16),
    ("remnawave", "node.connection_lost", "alice", 9),
    ("marzban", "user_limited", "alice", 2),
)
STORE = "sqlite:////var/lib/panelbridge/panelbridge.db"
REFUSED = "HTTP 400: invalid_blocks"
#: What went otherwise than well: who it was about, and where → what became of it, and what was answered.
TROUBLE: Mapping[tuple[str, str], tuple[Fate, Attempt]] = {
    ("olga", "team"): (Dead(REFUSED), Attempt(Refused(REFUSED), 400, "invalid_blocks")),
    ("kaveh", "zap"): (HeldBack("quiet hours"), Attempt(Delivered())),
}
#: Who has done what, so many minutes ago.
DONE: tuple[tuple[str, float, str, Mapping[str, object]], ...] = (
    ("mina (command)", 1500, "dismiss", {"deliveries": 3}),
    ("token at 10.0.0.7", 320, "replay", {"event_id": "019af3d2-8e41-7c06", "deliveries": 2}),
    ("session at 203.0.113.7", 60, "test", {"sink": "night", "outcome": "gone", "status": 403}),
    ("session at 203.0.113.7", 12, "mute", {"what": "user:trial-17", "until": "2026-11-21T09:02:18Z"}),
)
#: Who has muted what, so many minutes ago, and for how long.
MUTED = (("session at 203.0.113.7", 12, "user:trial-17", "2h"), ("mina (command)", 95, "sink:zap", "1d"))
ANNOUNCED_AGO = 2.5 * 3600  # seconds
BOT = "telegram bot 987654321"
#: Who has linked which chat.
LINKED = {"alice": "700001", "mina": "700002"}
ANNOUNCED = {
    "to": ["all"],
    "sink": "dm",
    "category": "news",
    "count": 5,
    "words": {
        "en": "Maintenance on Friday from 02:00 to 04:00: your connection may drop for a few minutes.",
        "fa": "جمعه از ساعت ۲ تا ۴ بامداد سرورها به‌روز می‌شوند و اتصال چند دقیقه قطع می‌شود.",
        "ru": "В пятницу с 02:00 до 04:00 обслуживание: соединение может пропасть на несколько минут.",
    },
}
PARKED = "HTTP 403: Forbidden: bot was kicked from the supergroup chat"


def heard(panel: str, name: str, who: str, minutes: float) -> Event:
    """What that panel says of somebody."""
    at = NOW - timedelta(minutes=minutes)
    request = request_of(name, panel, at=at)
    assert request is not None, f"{panel} sends no {name}"
    body = json.loads(json.dumps(request.body).replace("alice", who))
    source = Source(panel, panel, settings_of(panel).open())
    [(event, _)], _ = source.parse(replace(request, body=body).hook(at))
    return event


def _with_recipients(routed: Routed, who: str) -> Routed:
    """With whom it is for, where that is a customer."""
    to = (replace(one, recipient=f"marzban/user:{who}") if one.sink == "dm" else one for one in routed.destinations)
    return replace(routed, destinations=tuple(to))


async def fill(outbox: SqlOutbox, router: Router) -> None:
    """What is told at `night` waits, for its lane is parked; all else is delivered, but for TROUBLE."""
    for panel, name, who, minutes in TOLD:
        event = heard(panel, name, who, minutes)
        routed = _with_recipients(router.route(event), who)
        await outbox.put(Intake([routed]))
        for one in routed.destinations:
            if one.sink != "night":
                done = Done(), Attempt(Delivered(), 200, "ok")
                await settle(outbox, event, one.sink, *TROUBLE.get((who, one.sink), done))
    parked = LaneState(standing=Standing.PARKED, reason=PARKED, since=NOW - timedelta(minutes=64))
    await outbox.save_lane_state("night", parked, epoch=0)
    await outbox.operate(_act)


def _act(ledger: Ledger) -> None:
    """What people have done: with a command, on a page, by a program."""
    for who, minutes, action, detail in DONE:
        operations.remember(ledger, action, detail, who=who, now=NOW - timedelta(minutes=minutes))
    for who, minutes, what, lasting in MUTED:
        operations.mute(ledger, what, lasting, sinks=(), sources=(), by=who, now=NOW - timedelta(minutes=minutes))


def _hear(ledger: Ledger) -> None:
    """What customers have said to their bot."""
    for name, chat in LINKED.items():
        ledger.write(put_link, f"marzban/user:{name}", BOT, chat, how="token", now=NOW - timedelta(days=3))
    ledger.write(set_stopped, "marzban/user:anton", stop=True, by="themselves", now=NOW - timedelta(days=2))
    ledger.write(set_wants, "marzban/user:alice", {"news": True, "quiet": "23:00-08:00"}, by="themselves", now=NOW)
    [turn] = ledger.write(take_turns, [(PollKey(BOT, Polling.BOT), NOW, 1.0)])
    assert turn is not None
    ledger.write(keep_turn, PollResult(turn=turn, health=SourceHealth(), state={"name": "fravpn_bot"}))


async def _announce(desk: Desk) -> None:
    """Something was told to all customers hours ago: most of them have it, one wants nothing, and one waits."""
    desk.clock.set_back(ANNOUNCED_AGO)
    program = aiohttp.ClientSession(desk.url)
    async with program, program.post("/api/v1/announcements", json=ANNOUNCED) as response:
        assert response.status == 201, await response.text()
    later = Again(NOW + timedelta(hours=2), "quiet hours", counts=False)
    fates: Mapping[str, Fate] = {"user:olga": later, "user:anton": HeldBack("wants to be told nothing")}
    for one in await claimed(desk.outbox, sink="dm", now=NOW):
        fate = fates.get(one.event.subject or "", Done())
        await boxes.settle(desk.outbox, one, fate, Attempt(Delivered(), 200, "ok"), at=desk.clock.now())
    desk.clock.step(ANNOUNCED_AGO)


@asynccontextmanager
async def the_window(folder: Path) -> AsyncIterator[Desk]:
    """The admin side, which asks nobody who he is, and shows paths as they are where it is installed."""
    store, clock = f"sqlite:///{folder}/panelbridge.db", FakeClock(NOW)
    async with running_admin(folder, store, clock, admin="", text=FILE, events=False) as desk:
        await desk.outbox.keep_directory("1", [(f"marzban/user:{name}", one) for name, one in CUSTOMERS.items()])
        await desk.outbox.operate(_hear)
        await _announce(desk)
        await fill(desk.outbox, desk.state.router)
        desk.admin.configure(replace(desk.state, file=Path("/etc/panelbridge/config.yaml"), store=STORE))
        yield desk
