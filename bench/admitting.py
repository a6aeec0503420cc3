"""`python -m bench.admitting`: what a delivery costs in its lane, of processor time, from its claim to its record.

The lanes are real, on SQLite; what they send to takes everything at once, in the same process. So what is left is what
the store is asked, and what follows from that. Each kind of sink in turn, in as many rounds as are asked for.
"""

import argparse
import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from bench.processes import a_folder
from bridge.clock import SystemClock
from bridge.delivery.lane import Lane
from bridge.delivery.limiter import RateWindows
from bridge.delivery.memory import EventMemory
from bridge.delivery.resources import LaneSettings, Resources
from bridge.intake import Destination, Intake, Routed
from bridge.markup.service import ServiceLook
from bridge.message import Message
from bridge.messages.renderer import Rendered
from bridge.outcome import Attempt, Delivered
from bridge.people.address import Address, Addressing, Form
from bridge.people.rules import CustomerRules
from bridge.sinks.base import OnSent, Retry
from bridge.sinks.telegram.service import TELEGRAM
from bridge.store import open_outbox
from bridge.store.base import AddressState
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.links import put_link
from bridge.store.queries.wishes import set_wants
from bridge.value import replace
from tests.fakes import DECISION, an_event

PEOPLE = 5000
CHAT = Form("[0-9]+", "a chat", linked=True)
CUSTOMERS = Addressing({"to": "{{ person.to }}"}, {"to": CHAT})
OWNERS = Addressing({"to": "{{ owner.to }}"}, {"to": CHAT})
#: Each kind of sink, by its name: how it finds addresses, what its recipients are called, and the rules of customers.
KINDS: Mapping[str, tuple[Addressing | None, str, CustomerRules]] = {
    "operator": (None, "", CustomerRules()),
    "owners": (OWNERS, "marzban/owner:", CustomerRules()),
    "customers": (CUSTOMERS, "marzban/user:", CustomerRules()),
    "customers, so many a day": (CUSTOMERS, "marzban/user:", CustomerRules(max_per_day=50)),
}


class Nowhere:
    """A sink that takes everything at once."""

    look = ServiceLook(TELEGRAM)
    retry = Retry()
    limits = ()
    quiet = storm = None
    digests = True
    address = "here"
    spacing = ()
    sender = "telegram:1"

    def __init__(self, addressing: Addressing | None) -> None:
        self.addressing = addressing
        self.concurrency = 1 if addressing is None else 8

    def at(self, _: Address) -> "Nowhere":
        return self

    async def send(self, _: Message, on_sent: OnSent = None) -> Attempt:
        return Attempt(Delivered())

    async def send_digest(self, *_: Any) -> Attempt:
        raise AssertionError


class Silent:
    """A renderer with nothing to say."""

    locale = "en"

    def render(self, *_: Any) -> Rendered:
        return Rendered({})

    def customer(self, *_: Any) -> Rendered:
        return Rendered({})


class Asked:
    """An outbox that counts what it is asked."""

    def __init__(self, outbox: SqlOutbox) -> None:
        self._outbox, self.asked = outbox, Counter[str]()

    @property
    def moves(self) -> int:
        return self._outbox.moves

    def __getattr__(self, name: str) -> Any:
        self.asked[name] += 1
        return getattr(self._outbox, name)


@dataclass(frozen=True, slots=True)
class Round:
    """Microseconds of processor time of a delivery, and what the store was asked for one."""

    cpu: float
    asked: Counter[str]


async def a_round(kind: str, count: int, *, people: int = PEOPLE) -> Round:
    """So many deliveries to a sink of that kind, each to another one."""
    addressing, prefix, rules = KINDS[kind]
    with a_folder() as folder:
        async with open_outbox(f"sqlite:///{folder}/one.db") as outbox:
            await _know(outbox, people)
            await outbox.put(Intake(list(_events(prefix, count, people))))
            asked, clock = Asked(outbox), SystemClock()
            windows, memory = RateWindows(), EventMemory()
            resources = Resources(asked, clock, Random(1), windows, memory, lambda: True, lambda _: None, lambda: None)
            settings = LaneSettings(Silent(), ZoneInfo("UTC"), rules)
            lane = Lane("ops", Nowhere(addressing), settings, resources)
            began = time.process_time()
            await _carry(lane, outbox)
            cpu = (time.process_time() - began) / count * 1e6
            return Round(cpu, asked.asked)


async def _know(outbox: SqlOutbox, people: int) -> None:
    """A directory of all; of ten one has a link, and has said something."""
    kinds = ("user", "owner")
    await outbox.keep_directory(
        "one", [(f"marzban/{kind}:{n}", {"to": str(n + 1), "locale": "fa"}) for kind in kinds for n in range(people)]
    )
    now = datetime.now(UTC)

    def say(ledger: Any) -> None:
        for n in range(0, people, 10):
            key = f"marzban/user:{n}"
            ledger.write(put_link, key, "telegram:1", str(10_000 + n), how="token", now=now)
            ledger.write(set_wants, key, {"news": False}, by="themselves", now=now)

    await outbox.operate(say)
    places = [str(n + 1) for n in range(people)] + [str(10_000 + n) for n in range(0, people, 10)]
    await asyncio.gather(*(outbox.save_address_state("telegram:1", one, AddressState(now)) for one in places))


def _events(prefix: str, count: int, people: int) -> Iterator[Routed]:
    for number in range(count):
        name = str(number % people)
        event = replace(
            an_event(f"user:{name}", type_="user.expired", at=datetime.now(UTC) + timedelta(microseconds=number)),
            source="marzban",
            data={"user": {"username": name}, "owner": name},
        )
        recipient = f"{prefix}{name}" if prefix else None
        yield Routed(event, (Destination("ops", "route 1", recipient=recipient),), DECISION)


async def _carry(lane: Lane, outbox: SqlOutbox) -> None:
    running = asyncio.create_task(lane.run())
    while await outbox.backlog("ops", now=None, most=1):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    lane.stop()
    await running


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.admitting", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=2000, help="deliveries of a round")
    settings = parser.parse_args()
    found: dict[str, list[Round]] = {kind: [] for kind in KINDS}
    for _ in range(settings.rounds):
        for kind, rounds in found.items():
            rounds.append(asyncio.run(a_round(kind, settings.count)))
    for kind, rounds in found.items():
        print(f"{kind}: {_listed([one.cpu for one in rounds])} µs; {_named(rounds[-1].asked, settings.count)}")


def _listed(times: Sequence[float]) -> str:
    return f"{statistics.median(times):,.0f} ({min(times):,.0f} to {max(times):,.0f})"


def _named(asked: Counter[str], count: int) -> str:
    return ", ".join(f"{name} {number / count:.2f}" for name, number in asked.most_common() if number > count / 100)


if __name__ == "__main__":
    main()
