"""Lookups: what pages, programs and commands ask of a store in which a month has been kept. Warm and cold."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench.counts import FULL, Counts
from bench.figures import Aim, Figure, table
from bench.postgres import a_durable_postgres
from bench.processes import a_folder
from bench.stored import fill
from bridge.admin import operations
from bridge.admin.language import language
from bridge.admin.pages.finding import meant
from bridge.admin.streams.tail import Tail, TailFilter
from bridge.routing import Router
from bridge.store import open_reader
from bridge.store.base import Cleared, State
from bridge.store.ledger import Ledger
from bridge.store.queries.gauges import lane_gauges, store_size
from bridge.store.queries.records import count_deliveries
from bridge.store.queries.tallies import TallyKind
from bridge.store.records import DeliveryQuery

WARM, COLD, TEXT_WARM, TEXT_COLD = Aim("≤", 50), Aim("≤", 300), Aim("≤", 100), Aim("≤", 600)
LIMIT = 600.0  # seconds: what is too slow is measured too
DAY = timedelta(days=1)
PAGE, POINTS = 51, 5001  # one more than a page holds
ROUTER, WORDS = Router((), sinks={}), language("en")
Look = Callable[[Ledger], object]


async def lookups(counts: Counts) -> list[Figure]:
    """Each look, on both engines; cold on SQLite alone, whose file can be dropped from memory."""
    with a_folder() as folder, a_durable_postgres() as server:
        file, url = folder / "kept.db", server.fresh()
        fill(f"sqlite:///{file}", counts.stored)
        fill(url, counts.stored)
        return [
            *_figures("SQLite", f"sqlite:///{file}", counts.rounds),
            *_figures("SQLite, cold", f"sqlite:///{file}", counts.rounds, cold=file),
            *_figures("PostgreSQL", url, counts.rounds),
        ]


def _figures(engine: str, url: str, rounds: int, *, cold: Path | None = None) -> Iterator[Figure]:
    with _ledger(url) as ledger:
        looks = all_looks(ledger)
    for name, look in looks.items():
        times = tuple(_milliseconds(url, look, cold) for _ in range(rounds))
        yield Figure(f"{engine}, {name}", "ms", times, aim=_aim(name, cold=cold is not None))


def _aim(name: str, *, cold: bool) -> Aim:
    if name.startswith("text "):
        return TEXT_COLD if cold else TEXT_WARM
    return COLD if cold else WARM


def _milliseconds(url: str, look: Look, cold: Path | None) -> float:
    """Of one look; of a warm one after another like it, cold with nothing of the file in memory."""
    with _ledger(url) as ledger:
        if cold is None:
            look(ledger)
        else:
            _drop(cold)
        started = time.perf_counter()
        look(ledger)
        return (time.perf_counter() - started) * 1000


def _drop(file: Path) -> None:
    for one in file.parent.glob(f"{file.name}*"):
        descriptor = os.open(one, os.O_RDONLY)
        try:
            os.fsync(descriptor)  # what is not on the disk yet stays
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


@contextmanager
def _ledger(url: str) -> Iterator[Ledger]:
    reader = open_reader(url, limit=LIMIT)
    try:
        yield reader
    finally:
        reader.close()


def all_looks(ledger: Ledger) -> Mapping[str, Look]:
    """Every way in which something is asked for, by its name."""
    now = datetime.now(UTC)
    [newest] = operations.events(ledger, DeliveryQuery(limit=1))
    asked = dict(_asked(now))
    return {
        **{f"events: {name}": partial(_events, query) for name, query in asked.items()},
        **{f"deliveries: {name}": partial(_deliveries, query) for name, query in asked.items()},
        **{f"how many: {name}": partial(_count, query) for name, query in asked.items() if query.cleared},
        "events: went nowhere": lambda one: operations.find(one, DeliveryQuery(limit=PAGE), nowhere=True),
        "events: went nowhere on an old day": lambda one: operations.find(one, asked["an old day"], nowhere=True),
        **{f"explain {name}": partial(_explained, text) for name, text in _references(newest.id, newest.subject)},
        **{f"find {name}": partial(_found, text) for name, text in _names(newest.id)},
        **{f"text {name}": partial(_found, text) for name, text in (("of the newest", "xxx"), ("of none", "qqq"))},
        **dict(_pages(now)),
    }


def _asked(now: datetime) -> Iterator[tuple[str, DeliveryQuery]]:
    old = {"since": now - 20 * DAY, "until": now - 19 * DAY}
    about = "user:u7919"
    yield "newest", DeliveryQuery(limit=PAGE)
    yield "of a subject", DeliveryQuery(subject=about, limit=PAGE)
    yield "of an unknown subject", DeliveryQuery(subject="user:nobody", limit=PAGE)
    yield "of a type", DeliveryQuery(type="user.t3", limit=PAGE)
    yield "of a rare type", DeliveryQuery(type="node.error", limit=PAGE)
    yield "of an unknown type", DeliveryQuery(type="node.none", limit=PAGE)
    yield "of a source", DeliveryQuery(source="s1", limit=PAGE)
    yield "of an unknown source", DeliveryQuery(source="nobody", limit=PAGE)
    yield "of a source and a type", DeliveryQuery(source="s1", type="user.t3", limit=PAGE)
    yield "of a sink", DeliveryQuery(sink="ops-3", limit=PAGE)
    yield "of an unknown sink", DeliveryQuery(sink="nobody", limit=PAGE)
    yield "of a row", DeliveryQuery(row="route 7", limit=PAGE)
    yield "of an unknown row", DeliveryQuery(row="route 99", limit=PAGE)
    yield "since a day", DeliveryQuery(since=now - DAY, limit=PAGE)
    yield "an old day", DeliveryQuery(**old, limit=PAGE)
    yield "before the month", DeliveryQuery(until=now - 31 * DAY, limit=PAGE)
    yield "an old day at a sink", DeliveryQuery(**old, sink="ops-3", limit=PAGE)
    yield "an old day of a type", DeliveryQuery(**old, type="user.t3", limit=PAGE)
    yield "an old day of a subject", DeliveryQuery(**old, subject=about, limit=PAGE)
    yield "dead", DeliveryQuery(states=(State.DEAD,), limit=PAGE)
    yield "dead at a sink", DeliveryQuery(states=(State.DEAD,), sink="ops-3", limit=PAGE)
    yield "dead to look at", DeliveryQuery(states=(State.DEAD,), cleared=(None,), limit=PAGE)
    yield "dead of an old day", DeliveryQuery(**old, states=(State.DEAD,), limit=PAGE)
    yield "replayed", DeliveryQuery(cleared=(Cleared.REPLAYED,), limit=PAGE)
    yield "waiting", DeliveryQuery(states=(State.PENDING, State.WAITING), limit=PAGE)
    yield "waiting at a sink", DeliveryQuery(states=(State.PENDING, State.WAITING), sink="ops-3", limit=PAGE)
    yield "waiting at an unknown sink", DeliveryQuery(states=(State.PENDING, State.WAITING), sink="nobody", limit=PAGE)
    yield "held back", DeliveryQuery(states=(State.HELD_BACK,), limit=PAGE)


def _events(query: DeliveryQuery, ledger: Ledger) -> object:
    return operations.find(ledger, query)


def _deliveries(query: DeliveryQuery, ledger: Ledger) -> object:
    return operations.deliveries(ledger, query)


def _count(query: DeliveryQuery, ledger: Ledger) -> object:
    return ledger.read(count_deliveries, query, most=operations.COUNTED + 1)


def _explained(reference: str, ledger: Ledger) -> object:
    return operations.explain(ledger, reference, ROUTER)


def _found(text: str, ledger: Ledger) -> object:
    return meant(ledger, text, DeliveryQuery(limit=PAGE))


def _references(event_id: str, subject: str | None) -> Iterator[tuple[str, str]]:
    yield "an event", event_id
    yield "the beginning of an id", event_id[:30]
    yield "a delivery", "7"
    yield "a subject", subject or ""


def _names(event_id: str) -> Iterator[tuple[str, str]]:
    yield "an event", event_id
    yield "a delivery", "#7"
    yield "a name", "u7919"
    yield "a type", "node.error"


def _pages(now: datetime) -> Iterator[tuple[str, Look]]:
    yield "status", lambda one: operations.status(one, {}, sources=(), now=now)
    yield "lanes", lambda one: operations.lanes(one, {})
    yield "gauges", lambda one: (one.read(lane_gauges, now=now), one.read(store_size))
    yield "arrivals of a day", lambda one: operations.arrivals(one, now=now)
    yield "departures of a day", lambda one: operations.departures(one, now=now)
    yield "departures of a month", lambda one: operations.departures_of(one, "ops-3", now=now, days=30)
    yield "counts of rows", lambda one: operations.table_counts(one, (), now=now)
    yield "gone nowhere in a week", lambda one: operations.gone_nowhere(one, now=now)
    yield (
        "series by the minute",
        lambda one: operations.points(one, TallyKind.OUT, step=60, since=now - DAY, limit=POINTS),
    )
    yield (
        "series of a month",
        lambda one: operations.points(one, TallyKind.OUT, step=3600, since=now - 30 * DAY, limit=POINTS),
    )
    yield "dead letters", operations.dead_groups
    yield "dead letters put away", lambda one: operations.dead_groups(one, Cleared.DISMISSED)
    yield "a dead letter", lambda one: operations.delivery(one, 201, service=None, words=WORDS)
    yield "set aside", lambda one: operations.set_aside(one, limit=PAGE)
    yield "mutes", lambda one: operations.mutes(one, now=now)
    yield "audit", operations.audited
    yield "tail", lambda one: list(Tail(one, TailFilter(), since=now - timedelta(minutes=5), back=True).look(now))


def main() -> None:
    """`python -m bench.lookups`: these figures alone, for as long as the last release has none of them."""
    print(table(asyncio.run(lookups(FULL))))


if __name__ == "__main__":
    main()
