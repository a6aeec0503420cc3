"""A business of resellers and customers on one bot: who they are, the directory's file, and what the panel tells."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

LOCALES = ("fa", "en", "ru")
BLOCKED = 0.05  # the part of the customers who have blocked the bot
TO_CUSTOMERS = 0.8  # the part of the events that customers are told of; resellers are told of the others
BIGGEST = 0.3  # the part of those that one reseller alone is told of
TOGETHER = 20  # events of a request
#: What customers are told of, each of them of one after the other: each has other words.
ACTIONS = ("user_expired", "user_limited")


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many of them, and so many events; drawn anew by the same lot each time."""

    resellers: int
    customers: int
    events: int

    @property
    def addresses(self) -> int:
        return self.resellers + self.customers

    def chats(self) -> Mapping[str, int]:
        """The chat of each recipient, by its kind and name in the directory: a group for a reseller."""
        groups = {f"owner:reseller-{number}": -1_000_000_000_000 - number for number in range(self.resellers)}
        return groups | {f"user:customer-{number}": 700_000 + number for number in range(self.customers)}

    def blocked(self) -> set[int]:
        """The chats of customers who have blocked the bot."""
        chats = [chat for chat in self.chats().values() if chat > 0]
        return set(Random(1).sample(chats, round(len(chats) * BLOCKED)))

    def bodies(self) -> Iterator[bytes]:
        """What Marzban posts, some events in each; all in an order in which nobody comes first."""
        elements = [*self._of_customers(), *self._of_resellers()]
        Random(2).shuffle(elements)
        return (json.dumps(elements[at : at + TOGETHER]).encode() for at in range(0, len(elements), TOGETHER))

    def write_directory(self, file: Path, chats: Mapping[str, int]) -> None:
        """The directory as CSV."""
        with file.open("w", newline="") as opened:
            lines = csv.writer(opened)
            lines.writerow(["kind", "name", "telegram", "locale"])
            for number, (key, chat) in enumerate(chats.items()):
                lines.writerow([*key.split(":"), chat, LOCALES[number % len(LOCALES)]])

    @property
    def told_customers(self) -> int:
        """The events that customers are told of."""
        return min(round(self.events * TO_CUSTOMERS), len(ACTIONS) * self.customers)

    def _of_customers(self) -> Sequence[dict[str, Any]]:
        who = [(f"customer-{number}", action) for action in ACTIONS for number in range(self.customers)]
        return [_element(action, name) for name, action in who[: self.told_customers]]

    def _of_resellers(self) -> Sequence[dict[str, Any]]:
        count = self.events - self.told_customers
        big = round(count * BIGGEST)
        owners = [0] * big + [1 + number % (self.resellers - 1) for number in range(count - big)]
        return [_element("user_created", f"new-{at}", f"reseller-{one}") for at, one in enumerate(owners)]


def _element(action: str, name: str, owner: str = "office") -> dict[str, Any]:
    user = {"username": name, "expire": 1797826458, "data_limit": 53687091200, "used_traffic": 53687091200}
    return {"action": action, "username": name, "user": {**user, "admin": {"username": owner}}}
