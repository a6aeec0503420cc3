"""What customers show stands nowhere: from the panel's request to the answer in the chat, and in all that is kept.

A real receiver, a real bot, a real store and its file; whatever was shown or sent is looked for in all of it.
"""

import asyncio
import io
import json
import logging
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.cli.people_file import export_people
from bridge.config.load import load
from bridge.errors import BadPayload
from bridge.ingress.limits import Limits
from bridge.ingress.receiver import Receiver
from bridge.ingress.redelivery import Redelivery
from bridge.ingress.source import ProofsOfEvents, Source
from bridge.panels.base import Hook
from bridge.people.proof import Proof, ProofKey, ProofKind, is_strong
from bridge.polling.bot import BotListener, BotPlan
from bridge.reload.parts import bot_plans
from bridge.reload.plan import Planner
from bridge.routing import Route, Router
from bridge.sinks.http import Http
from bridge.sinks.telegram.ears import TelegramEars
from bridge.store import open_ledger, open_outbox
from bridge.store.outbox import SqlOutbox
from tests.fakes import FakeClock, Switch
from tests.panels.hearing import WORDS
from tests.panels.recorded import ARRIVAL, recorded
from tests.polling.a_bot import everything
from tests.polling.a_shop import KEY
from tests.services.service import serving
from tests.services.telegram import TOKEN, Telegram

HERE = 700001
UUID = "b52e0610-3b41-4f80-94da-8ac07eda9651"
PANELS = ("marzban", "pasarguard", "marzneshin", "remnawave")


class World:
    """A door and a bot over one store."""

    def __init__(
        self, outbox: SqlOutbox, telegram: Telegram, base: str, http: Http, key: ProofKey | None = KEY
    ) -> None:
        self.telegram, self.clock = telegram, FakeClock(ARRIVAL)
        self.receiver = Receiver(outbox, Redelivery(ARRIVAL), Limits(), announce=lambda _: None)
        table = [("route 1", Route.model_validate({"to": ["ops"]}))]
        opened = {panel: WORDS[panel].model_validate({"panel": panel, "secret": "none"}).open() for panel in PANELS}
        sources = {name: Source(name, name, panel, proof_key=key) for name, panel in opened.items()}
        self.receiver.configure(sources, Router(table, sinks={"ops": Switch()}))
        self.bot = BotListener(outbox, http, self.clock)
        self.plan = BotPlan(TelegramEars(TOKEN, api_base=base), proof_key=key, realms=PANELS)

    async def tells(self, panel: str, hook: Hook) -> None:
        await self.receiver.receive(self.receiver.sources[panel], hook)

    async def shows(self, *several: str) -> None:
        """Each from a chat of its own: nobody is taken for one who guesses."""
        for text in several:
            chat = HERE + len(self.telegram.written)
            self.telegram.chats.append(chat)
            self.telegram.writes(chat, text)
        while self.telegram.updates:
            self.clock.step(60.0)
            await self.bot.step(self.plan)

    def answers(self, start: str) -> int:
        return sum(one.body["text"].startswith(start) for one in self.telegram.taken)


async def a_world(store: str, play: Any) -> World:
    """What was played in it."""
    telegram, http = Telegram(), Http()
    async with open_outbox(store) as outbox, serving(telegram) as base:
        world = World(outbox, telegram, base, http)
        await play(world)
        await http.close()
    return world


def links_for(proof: Proof) -> list[str]:
    """In which forms a customer has it."""
    value = quote(proof.value, safe="")
    if proof.kind is ProofKind.SUBSCRIPTION:
        return [f"https://sub.example.com/sub/{value}"]
    vmess = json.dumps({"id": proof.value, "add": "127.0.0.1"}).encode()
    return [
        f"trojan://{value}@127.0.0.1:443#x",
        f"vmess://{b64encode(vmess).decode()}",
        f"ss://{b64encode(f'aes-256-gcm:{proof.value}'.encode()).decode()}@127.0.0.1:443",
    ]


def left(secrets: Iterable[str], store: str, world: World, log: str) -> list[str]:
    """What of it stands anywhere."""
    file = Path(store.removeprefix("sqlite:///"))
    kept = b"".join(one.read_bytes() for one in file.parent.glob(f"{file.name}*"))
    said = json.dumps([one.body for one in world.telegram.taken], ensure_ascii=False)
    exported = file.with_name("people.jsonl")
    with open_ledger(store) as ledger:
        export_people(ledger, exported)
    places = (everything(store), said, log, exported.read_text("utf-8"))
    return [one for one in secrets if any(one in place for place in places) or one.encode() in kept]


def test_nothing_of_what_panels_send_and_customers_show_stands_anywhere(
    store_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    hooks = [(panel, one.hook) for panel in PANELS for one in recorded(panel) if not one.refuse]
    proofs = {proof for panel, hook in hooks for proof in proofs_of(panel, hook)}
    texts = sorted(text for one in proofs for text in links_for(one))

    async def play(world: World) -> None:
        for panel, hook in hooks:
            if proofs_of(panel, hook):
                await world.tells(panel, hook)
        await world.shows(*texts)

    with caplog.at_level(logging.DEBUG):
        world = asyncio.run(a_world(store_url, play))
    assert len(proofs) > 100
    assert world.answers("✅") > 20
    assert len(world.telegram.deleted) == len(texts)
    secrets = {*texts, *(one.value for one in proofs)}
    assert left(secrets, store_url, world, caplog.text) == []


SECRET = st.one_of(
    st.uuids(version=4).map(str),
    st.text("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789_-.~!@:/%+", min_size=20, max_size=40),
).filter(is_strong)


@settings(max_examples=12)
@given(uuid=SECRET, password=SECRET, known=st.booleans())
def test_nor_of_whatever_else_they_are(uuid: str, password: str, known: bool) -> None:
    proxies = {"vless": {"id": uuid}, "trojan": {"password": password}, "shadowsocks": {"password": password}}
    element = {"action": "user_updated", "username": "alice", "user": {"username": "alice", "proxies": proxies}}
    texts = [text for value in (uuid, password) for text in links_for(Proof(ProofKind.CREDENTIAL, value))]

    async def play(world: World) -> None:
        if known:
            await world.tells("marzban", Hook(body=json.dumps([element]).encode(), received_at=ARRIVAL))
        await world.shows(*texts)

    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    try:
        with TemporaryDirectory() as folder:
            store = f"sqlite:///{folder}/panelbridge.db"
            world = asyncio.run(a_world(store, play))
            assert world.answers("✅") == (1 if known else 0)
            assert left({uuid, password, *texts}, store, world, log.getvalue()) == []
    finally:
        logging.getLogger().removeHandler(handler)


def proofs_of(panel: str, hook: Hook) -> set[Proof]:
    door = WORDS[panel].model_validate({"panel": panel, "secret": "none"}).open()
    try:
        return {proof for element in door.elements(hook) for proof in door.proofs(element)}
    except BadPayload:
        return set()


FILE = """
directory: {users: {alice: {telegram: 700001}}}
sources: {marzban: {panel: marzban, secret: a-secret}}
sinks: {dm: {type: telegram, token: "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11", chat_id: "{{ person.telegram }}"}}
routes: [{match: user.expired, to: dm, audience: user}]
"""
SECRET_KEY = "secret_key: a-key-of-thirty-two-signs-or-more\n"


@pytest.mark.parametrize(
    ("more", "takes"),
    [
        (f"{SECRET_KEY}people: {{bot: dm}}\n", True),
        (f"{SECRET_KEY}people: {{bot: dm, proofs: false}}\n", False),
        (f"{SECRET_KEY}people: {{max_per_day: 3}}\n", False),
        (SECRET_KEY, False),
        ("people: {bot: dm}\n", False),
    ],
)
async def test_hashes_are_made_where_a_bot_could_be_shown_something_and_nowhere_else(
    tmp_path: Path, more: str, takes: bool
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(f"listen: 127.0.0.1:0\nadmin: null\n{more}{FILE}")
    loaded = load(path)
    plan = await Planner(Http(), loaded.config).plan(loaded)
    element = {"action": "user_updated", "username": "alice", "user": {"proxies": {"vless": {"id": UUID}}}}
    hashes: ProofsOfEvents = {}
    plan.sources["marzban"].parse(Hook(body=json.dumps(element).encode(), received_at=ARRIVAL), proofs=hashes)
    assert list(hashes.values()) == ([KEY.hashes(["marzban"], [Proof(ProofKind.CREDENTIAL, UUID)])] if takes else [])
    assert any(one.proof_key is not None for one in bot_plans(plan)) is takes
