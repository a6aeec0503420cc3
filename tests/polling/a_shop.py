"""A bot that takes what customers show for a proof, and panels that tell of those who have it."""

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bridge.ingress.source import ProofsOfEvents, Source
from bridge.intake import Intake, Routed
from bridge.panels.base import Hook
from bridge.people.proof import ProofKey
from bridge.store.backend import open_engine
from bridge.value import replace
from tests.fakes import DECISION
from tests.panels.hearing import WORDS
from tests.polling.a_bot import Listening

KEY = ProofKey("a-key-of-thirty-two-signs-or-more")
UUID_OF_ALICE, PASSWORD = "b52e0610-3b41-4f80-94da-8ac07eda9651", "WoGTyPVh0n9gCxc_rUaKcw"
UUID_OF_BOB = "084774d4-7ced-4eca-86ec-783b729e7b09"
NEW_UUID = "537927b4-86a1-4b4b-a177-5c409284f657"
VLESS = f"vless://{UUID_OF_ALICE}@127.0.0.1:443?type=tcp#alice"


@dataclass
class Shop(Listening):
    """A bot that takes proofs, and panels that tell of those who have them."""

    def __init__(self, here: Listening) -> None:
        vars(self).update(vars(here))
        self.plan = replace(here.plan, proof_key=KEY, realms=["marzban", "other", "remnawave"])

    async def tells(self, *elements: Any, panel: str = "marzban", name: str | None = None, key: Any = KEY) -> None:
        """A panel tells that; it is understood and kept as the door does."""
        settings = WORDS[panel].model_validate({"panel": panel, "secret": "none"})
        source = Source(name or panel, panel, settings.open(), proof_key=key)
        hashes: ProofsOfEvents = {}
        hook = Hook(body=json.dumps(elements).encode(), received_at=self.clock.now())
        found, aside = source.parse(hook, proofs=hashes)
        assert not aside
        routed = [Routed(event, (), DECISION, proofs=hashes.get(event.id, ())) for event, _ in found]
        await self.outbox.put(Intake(routed, realm=source.realm))

    async def shows(self, chat: int, text: str, **more: Any) -> list[str]:
        return await self.hears(chat, text, **more)

    async def rests(self) -> None:
        """Two turns: what the first finds to be said, the second says."""
        for _ in range(2):
            self.clock.step(60.0)
            await self.bot.step(self.plan)


def of_alice(action: str = "user_updated", *, name: str = "alice", uuid: str = UUID_OF_ALICE, **more: Any) -> Any:
    """What Marzban tells of a user."""
    proxies = {
        "vless": {"id": uuid, "flow": ""},
        "trojan": {"password": PASSWORD if uuid == UUID_OF_ALICE else uuid[::-1]},
    }
    return {"action": action, "username": name, "tries": 0, "user": {"username": name, "proxies": proxies, **more}}


def rows(url: str, table: sa.Table) -> list[Any]:
    engine = open_engine(url)
    with engine.connect() as connection:
        found = list(connection.execute(sa.select(table)))
    engine.dispose()
    return found
