"""A program that needs what is masked gets it, once, and nothing else ever sees it."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bridge.delivery.attempt import digest_of, message_of
from bridge.delivery.queue import Batch
from bridge.ingress.limits import Limits
from bridge.ingress.receiver import Receiver
from bridge.ingress.redelivery import Redelivery
from bridge.ingress.source import Source
from bridge.messages.renderer import Renderer
from bridge.outcome import Again, Attempt, Dead, Delivered, Done, Fate
from bridge.panels import DIALECTS
from bridge.panels.base import Hook
from bridge.panels.remnawave.panel import RemnawaveConfig, RemnawavePanel
from bridge.routing import Route, Router
from bridge.sealing import Sealer, Unmasking
from bridge.sinks.base import HttpSink, Tools
from bridge.sinks.http import Http, Request
from bridge.store import open_ledger, open_outbox
from bridge.store.backend import open_engine
from bridge.store.base import Delivery, Settlement
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.replay import replay_deliveries
from bridge.store.records import DeliveryQuery
from bridge.store.schema import metadata
from bridge.terms import Terms
from bridge.value import replace
from tests.sinks.values import config

RENDERER = Renderer(folders=(), timezone=ZoneInfo("UTC"), locale="en")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LINK, HWID = "https://sub.example.com/s3cr3t-link", "s3cr3t-hwid"
PATHS = ("data.subscriptionUrl", "data.userTraffic.hwid")
USER = {
    "username": "alice",
    "subscriptionUrl": LINK,
    "shortUuid": "s3cr3t-uuid",
    "trojanPassword": "s3cr3t-pass",
    "userTraffic": {"hwid": HWID, "usedTrafficBytes": 5},
}
ENVELOPE = {"scope": "user", "event": "user.created", "timestamp": "2026-11-21T04:08:46.489Z", "data": USER}
SEALER = Sealer("k" * 44)


def a_shop(format_: str = "remnawave", sealer: Sealer | None = SEALER, **settings: Any) -> HttpSink[Any]:
    given = {"type": "webhook", "url": "https://shop.example", "format": format_, "unmask": PATHS, **settings}
    sink: HttpSink[Any] = config(**given).open(Tools(Http(), DIALECTS, sealer))
    return sink


async def received(outbox: SqlOutbox, *, terms: Terms | None = None) -> None:
    source = RemnawavePanel(RemnawaveConfig.model_validate({"panel": "remnawave", "secret": "none"}))
    receiver = Receiver(outbox, Redelivery(NOW), Limits(), announce=lambda _: None)
    unmasking = Unmasking(SEALER, {"shop": PATHS})
    asked = terms.model_dump(exclude_defaults=True) if terms else {}
    rows = [("route 1", Route.model_validate({"to": ["shop", "ops"], **asked}))]
    sinks = {name: SimpleNamespace(enabled=True) for name in ("shop", "ops", "other")}
    receiver.configure({}, Router(rows, sinks=sinks))
    hook = Hook(body=json.dumps(ENVELOPE).encode(), received_at=NOW)
    await receiver.receive(Source("panel", "remnawave", source, unmasking=unmasking), hook)


async def claimed(outbox: SqlOutbox, sink: str) -> Delivery:
    (delivery,) = (await outbox.claim(sink, after=0, now=NOW.replace(year=2027), limit=9)).deliveries
    return delivery


async def settled(outbox: SqlOutbox, delivery: Delivery, fate: Fate) -> Sequence[Delivery]:
    return await outbox.settle([Settlement(delivery, fate, Attempt(Delivered(), 200), NOW)])


def request_for(sink: HttpSink[Any], delivery: Delivery) -> Request:
    message, fault = message_of(delivery, sink, RENDERER, at=NOW)
    assert fault is None
    return sink.build(message)


def everything_in(url: str) -> str:
    engine = open_engine(url)
    with engine.connect() as connection:
        kept = [list(map(tuple, connection.execute(sa.select(table)))) for table in metadata.sorted_tables]
    engine.dispose()
    return repr(kept)


def seals_in(url: str) -> list[str]:
    """The sinks whose deliveries hold a seal."""
    engine = open_engine(url)
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT sink FROM deliveries WHERE sealed IS NOT NULL")).scalars().all()
    engine.dispose()
    return list(found)


async def test_the_originals_of_its_paths_reach_the_program_and_nothing_else(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await received(outbox)
        assert "s3cr3t" not in everything_in(any_store_url)
        delivery, other = await claimed(outbox, "shop"), await claimed(outbox, "ops")
        assert other.sealed is None
        assert "s3cr3t" not in repr((delivery, other))
        request = request_for(a_shop(), delivery)
    body = json.loads(request.body)
    assert (body["data"]["subscriptionUrl"], body["data"]["userTraffic"]["hwid"]) == (LINK, HWID)
    assert "s3cr3t-uuid" not in request.body.decode()
    assert "s3cr3t-pass" not in request.body.decode()
    assert b"***" not in request.body
    assert request.headers["Panelbridge-Left-Out"] == "data.shortUuid, data.trojanPassword"


@pytest.mark.parametrize(
    ("fate", "kept"), [(Done(), []), (Dead("HTTP 400"), []), (Again(NOW, "HTTP 502", counts=True), ["shop"])]
)
async def test_they_are_kept_until_the_delivery_is_settled(any_store_url: str, fate: Fate, kept: list[str]) -> None:
    async with open_outbox(any_store_url) as outbox:
        await received(outbox)
        assert seals_in(any_store_url) == ["shop"]
        await settled(outbox, await claimed(outbox, "shop"), fate)
        assert seals_in(any_store_url) == kept
        if kept:
            assert (
                json.loads(request_for(a_shop(), await claimed(outbox, "shop")).body)["data"]["subscriptionUrl"] == LINK
            )


async def test_a_fallback_gets_none_of_them(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await received(outbox, terms=Terms(fallback=("other",), fallback_after=60))
        (fallback,) = await settled(outbox, await claimed(outbox, "shop"), Dead("HTTP 400"))
        assert (fallback.sink, fallback.sealed, seals_in(any_store_url)) == ("other", None, [])


@pytest.mark.parametrize("format_", ["remnawave", "event", "cloudevents"])
async def test_a_replay_whose_originals_are_gone_leaves_out_what_is_masked_and_says_so(
    any_store_url: str, format_: str
) -> None:
    async with open_outbox(any_store_url) as outbox:
        await received(outbox)
        await settled(outbox, await claimed(outbox, "shop"), Done())
        with open_ledger(any_store_url) as ledger:
            await asyncio.to_thread(ledger.write, lambda c: replay_deliveries(c, DeliveryQuery(sink="shop"), now=NOW))
        delivery = await claimed(outbox, "shop")
    request = request_for(a_shop(format_), delivery)
    names = "data.subscriptionUrl, data.shortUuid, data.trojanPassword, data.userTraffic.hwid"
    assert request.headers["Panelbridge-Left-Out"] == names
    assert "***" not in request.body.decode()
    assert "usedTrafficBytes" in request.body.decode()


async def test_in_the_events_own_form_the_originals_stand_in_native(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await received(outbox)
        request = request_for(a_shop("event"), await claimed(outbox, "shop"))
    said = json.loads(request.body)
    assert said["native"]["data"]["subscriptionUrl"] == LINK
    assert said["native"]["data"]["shortUuid"] == "***"
    assert "Panelbridge-Left-Out" not in request.headers


async def test_in_a_digest_each_event_has_its_own(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await received(outbox)
        delivery = await claimed(outbox, "shop")
    gone = replace(
        delivery, id=9, sealed=None, event=replace(delivery.event, id="01990000-0000-7000-8000-000000000000")
    )
    sink = a_shop("event")
    digest, _ = digest_of(Batch((delivery, gone)), sink, RENDERER, at=NOW)
    request = sink.build_digest(digest)
    one, two = json.loads(request.body)
    assert one["native"]["data"]["subscriptionUrl"] == LINK
    assert "subscriptionUrl" not in two["native"]["data"]
    assert "data.subscriptionUrl" in request.headers["Panelbridge-Left-Out"]


@pytest.mark.parametrize("sealer", [None, Sealer("another" * 8)])
async def test_without_the_key_they_are_gone(any_store_url: str, sealer: Sealer | None) -> None:
    async with open_outbox(any_store_url) as outbox:
        await received(outbox)
        request = request_for(a_shop(sealer=sealer), await claimed(outbox, "shop"))
    assert "subscriptionUrl" not in json.loads(request.body)["data"]
    assert "data.subscriptionUrl" in request.headers["Panelbridge-Left-Out"]


async def test_a_dialect_that_unmasks_nothing_leaves_out_what_is_masked(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await received(outbox)
        request = request_for(a_shop(unmask=()), await claimed(outbox, "shop"))
    assert json.loads(request.body)["data"] == {"username": "alice", "userTraffic": {"usedTrafficBytes": 5}}
    assert request.headers["Panelbridge-Left-Out"].startswith("data.subscriptionUrl, data.shortUuid")
