"""What the pictures of the documents show: the admin side over a store in which every panel has said something.

Every panel is heard, and there is a sink of every kind: tests/documents/test_pictures.py names what lacks.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bridge.admin import operations
from bridge.event import Event
from bridge.ingress.source import Source
from bridge.intake import Intake
from bridge.outcome import Attempt, Dead, Delivered, Done, Fate, HeldBack, Refused
from bridge.routing import Router
from bridge.samples import PANELS, request_of, settings_of
from bridge.store.base import LaneState, Standing
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from tests.admin.running import Desk, running_admin, settle
from tests.fakes import START, FakeClock

NOW = START + timedelta(hours=3)
SECRET = "alongrandomtext0123456789alongrandomtext0123456789"
#: What a source has to be told, where that is not its secret alone.
TOLD_TO = {
    "json": f"secret: {SECRET}, type: body.type",
    "3x-ui": f"address: https://panel.example.com, token: {SECRET}",
}
SOURCES = "".join(f"  {word}: {{{{panel: {word}, {TOLD_TO.get(word, f'secret: {SECRET}')}}}}}\n" for word in PANELS)
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
routes:
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


async def fill(outbox: SqlOutbox, router: Router) -> None:
    """What is told at `night` waits, for its lane is parked; all else is delivered, but for TROUBLE."""
    for panel, name, who, minutes in TOLD:
        event = heard(panel, name, who, minutes)
        routed = router.route(event)
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
        operations.mute(ledger, what, lasting, by=who, now=NOW - timedelta(minutes=minutes))


@asynccontextmanager
async def the_window(folder: Path) -> AsyncIterator[Desk]:
    """The admin side, which asks nobody who he is, and shows paths as they are where it is installed."""
    store, clock = f"sqlite:///{folder}/panelbridge.db", FakeClock(NOW)
    async with running_admin(folder, store, clock, admin="", text=FILE, fill=fill) as desk:
        desk.admin.configure(replace(desk.state, file=Path("/etc/panelbridge/config.yaml"), store=STORE))
        yield desk
