"""A store in which there is whatever the documented commands ask for, and the file that goes with it."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.admin import operations
from bridge.intake import Intake, SetAside
from bridge.outcome import Attempt, Dead, Delivered, Done, Fate, HeldBack, Refused
from bridge.polled import Polling, PollKey, PollResult, SourceHealth, Turn
from bridge.store import open_ledger, open_outbox
from bridge.store.base import LaneState, Settlement, Standing
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.announcements import add_announcement
from bridge.store.records import AnnouncementRecord, AnnouncementState, DeliveryQuery
from bridge.value import replace
from tests.fakes import an_event, an_intake

LAST = 812  # the highest number that a document names
SHOWN = "019af3d2-8e41-7c06-9d6a-0123456789ab"  # the event that one names
LOST_HOUR = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)  # in it a document has a shop lose what arrived
CONFIG = """
store: sqlite:///panelbridge.db
sources:
  marzban: {panel: marzban, secret: a-long-random-text}
sinks:
  ops: {type: console}
  shop: {type: console}
routes:
  - {match: "*", to: [ops, shop]}
reports:
  morning: {at: "09:00", to: ops}
"""
#: The same with a customers' bot, for what asks for one.
WITH_BOT = CONFIG.replace(
    "routes:",
    """  dm: {type: telegram, token: "123456789:AAF-telegram-bot-token-0123456789abc", chat_id: "{{ person.telegram }}",
       api_base: "http://127.0.0.1:9"}
people: {bot: dm}
routes:
  - {match: user.expired, to: dm, audience: user}""",
)


ANNOUNCED = AnnouncementRecord(
    at=datetime(2026, 11, 21, tzinfo=UTC), by="mina", sink="dm", chosen=("all",), text="From 2 to 3",
    category="news", critical=False, counted=0, state=AnnouncementState.PUT,
)  # fmt: skip


def fill(store: Path) -> None:
    url = f"sqlite:///{store}"
    asyncio.run(_fill(url))
    with open_ledger(url) as ledger:
        now = datetime.now(UTC)
        operations.replay(ledger, DeliveryQuery(ids=(16,)), now=now)
        ledger.write(add_announcement, ANNOUNCED)
        operations.mute(ledger, "user:alice", "30d", sinks=(), sources=(), by="mina", now=now)


async def _fill(url: str) -> None:
    now = datetime.now(UTC)
    days_ago, hour_ago = now - timedelta(days=2.5), now - timedelta(hours=1)
    async with open_outbox(url) as outbox:
        await outbox.put(an_intake(*(an_event(f"user:{n}", at=days_ago) for n in range(18)), sinks=("ops",)))
        for id_ in (16, 17, 18):
            await settle(outbox, id_, "ops", Dead("HTTP 400"))
        expired = [an_event(f"user:{n}", type_="user.expired", at=days_ago) for n in range(18, LAST - 1)]
        await outbox.put(an_intake(*expired, sinks=("ops",)))
        await outbox.put(an_intake(an_event("user:bob", type_="user.expired", at=hour_ago), sinks=("ops",)))
        await settle(outbox, LAST, "ops", Dead("HTTP 400"))
        await outbox.put(an_intake(an_event("user:shopper", at=LOST_HOUR), sinks=("shop",)))
        await settle(outbox, LAST + 1, "shop", Done())
        await outbox.put(an_intake(an_event("node:fra-1", type_="node.connection_lost"), sinks=("ops",)))
        await settle(outbox, LAST + 2, "ops", HeldBack("node.connection_restored came in time"))
        await outbox.put(an_intake(replace(an_event("user:alice", at=hour_ago), id=SHOWN), sinks=("shop",)))
        await outbox.put(an_intake(an_event("user:carol", at=hour_ago), sinks=()))
        await outbox.put(Intake([], [aside(hour_ago)]))
        await name_the_bot(outbox, now)
        for sink in ("ops", "shop"):
            parked = LaneState(standing=Standing.PARKED, reason="HTTP 404: Unknown Webhook", since=hour_ago)
            await outbox.save_lane_state(sink, parked, epoch=0)


async def name_the_bot(outbox: SqlOutbox, now: datetime) -> None:
    """A bridge has listened to the customers' bot, and knows what it is called."""
    turn = await outbox.take_turn(PollKey("telegram bot 123456789", Polling.BOT), now=now, every=60.0)
    assert isinstance(turn, Turn)
    result = PollResult(turn=turn, health=SourceHealth(), state={"name": "fravpn_bot"})
    await outbox.keep_heard((), result, now=now)


async def settle(outbox: SqlOutbox, id_: int, sink: str, fate: Fate) -> None:
    [delivery, *_] = (await outbox.claim(sink, after=id_ - 1, now=None, limit=1)).deliveries
    assert delivery.id == id_
    outcome = Refused("HTTP 400") if isinstance(fate, Dead) else Delivered()
    await outbox.settle([Settlement(delivery, fate, Attempt(outcome, 400), delivery.made_at)])


def aside(at: datetime) -> SetAside:
    element = {"action": "user_created"}
    return SetAside(source="marzban", received_at=at, path="[2].username", reason="is missing", element=element)
