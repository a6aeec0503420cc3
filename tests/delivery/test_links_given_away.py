"""What a message gives away works once it is sent, and stands nowhere but in the message."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.delivery.customers import keep_links
from bridge.delivery.resources import LaneSettings
from bridge.markup.service import ServiceLook
from bridge.message import Digest, Given, Message
from bridge.messages.renderer import Renderer
from bridge.outcome import Attempt, Delivered
from bridge.people.link import LinkMaker, hash_of
from bridge.sinks.base import OnSent
from bridge.sinks.telegram.service import TELEGRAM
from bridge.store.ledger import Ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.attempts import attempts_of
from bridge.store.queries.links import use_token
from bridge.terms import Terms
from bridge.value import replace
from tests.delivery.lanes import Fleet, ScriptedSink, carry_all, pass_time, routed
from tests.fakes import START, FakeClock, an_event

UTC, BOT = ZoneInfo("UTC"), "telegram bot 1"


class Repeating(ScriptedSink):
    """A service that answers with what it was told."""

    look = ServiceLook(TELEGRAM, parts=3)

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        self.messages.append(message)
        return Attempt(Delivered(), 200, f"taken: {message['text']}")

    async def send_digest(self, digest: Digest, on_sent: OnSent = None) -> Attempt:
        self.messages.append(digest)
        return Attempt(Delivered(), 200, "taken: " + " ".join(part["text"] for part in digest.parts))


def a_maker(realms: Mapping[str, str] | None = None) -> LinkMaker:
    return LinkMaker(BOT, lambda name, token: f"https://t.me/{name}?start={token}", realms or {}, name="fravpn_bot")


def a_renderer(folder: Path, maker: LinkMaker | None, text: str = "{{ link_for(data.user) }}") -> Renderer:
    (folder / "telegram").mkdir()
    (folder / "telegram" / "base.j2").write_text(f"{{% block text %}}{text}{{% endblock %}}")
    return Renderer(folders=[folder], timezone=UTC, locale="en", links=maker)


async def test_it_works_once_it_is_sent_and_is_kept_as_a_hash(
    outbox: SqlOutbox, clock: FakeClock, store_url: str, tmp_path: Path
) -> None:
    sink, maker = Repeating(clock), a_maker({"main": "marzban"})
    lane = Fleet(outbox, clock).lane(sink)
    lane.settings = LaneSettings(a_renderer(tmp_path, maker), UTC, links=maker)
    await outbox.put(routed(an_event("user:alice")))
    await carry_all(lane)
    [message] = sink.messages
    assert isinstance(message, Message)
    token = message["text"].partition("?start=")[2]
    source = message.event.source
    key = f"{maker.realms.get(source, source)}/user:alice"
    assert dict(message.links) == {key: (token, BOT)}
    used = await outbox.operate(lambda ledger: ledger.write(use_token, hash_of(token), BOT, "7", now=clock.now()))
    assert used == key
    found = await outbox.operate(lambda ledger: ledger.read(attempts_of, [1]))
    assert [one.answer for one in found[1]] == ["taken: https://t.me/fravpn_bot?start=***"]


async def test_each_part_of_a_digest_gives_away_one_that_works(
    outbox: SqlOutbox, clock: FakeClock, tmp_path: Path
) -> None:
    sink, maker = Repeating(clock), a_maker()
    lane = Fleet(outbox, clock).lane(sink)
    lane.settings = LaneSettings(a_renderer(tmp_path, maker), UTC, links=maker)
    types, terms = ("user.created", "user.limited"), Terms.model_validate({"digest": {"window": 60.0}})
    await outbox.put(routed(*(an_event("user:alice", type_=one) for one in types), terms=terms))
    await pass_time(lane, clock, 70, by=10)
    [digest] = sink.messages
    assert isinstance(digest, Digest)
    tokens = [part["text"].partition("?start=")[2] for part in digest.parts]
    assert len(set(tokens)) == len(types)
    hashes = [hash_of(token) for token in tokens]
    used = await outbox.operate(lambda ledger: [ledger.write(use_token, one, BOT, "7", now=START) for one in hashes])
    assert used == ["marzban/user:alice"] * len(types)
    found = await outbox.operate(lambda ledger: ledger.read(attempts_of, [1]))
    assert [one.answer for one in found[1]] == ["taken: " + " ".join(["https://t.me/fravpn_bot?start=***"] * 2)]


def test_it_leads_to_the_bot_of_whoever_speaks_to_them(tmp_path: Path) -> None:
    maker = a_maker()
    seven = LinkMaker("telegram bot 7", lambda name, token: f"https://t.me/{name}?start={token}", name="seven_bot")
    unheard = LinkMaker("telegram bot 9", lambda name, token: f"https://t.me/{name}?start={token}")
    maker.brands = {"seven": seven, "nine": unheard}
    maker.whose = lambda event: event.data.get("owner")
    renderer, found = a_renderer(tmp_path, maker), {}
    for owner in ("seven", "nine", "plain", None):
        event = an_event("user:alice")
        rendered = renderer.render(replace(event, data={**event.data, "owner": owner}), ServiceLook(TELEGRAM))
        senders = [one.sender for one in rendered.links.values()]
        found[owner] = (rendered.blocks["text"].partition("?")[0], senders)
    own = ("https://t.me/fravpn_bot", [BOT])
    assert found == {
        "seven": ("https://t.me/seven_bot", ["telegram bot 7"]),
        "nine": ("", []),  # whose bot's name nobody knows yet: another one's would be of no use to her
        "plain": own,
        None: own,
    }


def _used(hashed: str, sender: str, now: datetime, ledger: Ledger) -> str | None:
    return ledger.write(use_token, hashed, sender, "7", now=now)


async def test_what_leads_to_several_bots_is_kept_for_each(outbox: SqlOutbox, clock: FakeClock) -> None:
    links = {Given("a", BOT): "marzban/user:alice", Given("b", "telegram bot 7"): "marzban/user:bob"}
    await keep_links(outbox, a_maker(), links, clock.now())
    for given, key in links.items():
        for sender in (BOT, "telegram bot 7"):
            hashed, now = hash_of(given.token), clock.now()
            used = await outbox.operate(partial(_used, hashed, sender, now))
            assert used == (key if sender == given.sender else None)


def test_nobody_has_one_but_whom_the_event_is_about(tmp_path: Path) -> None:
    text = "{{ link_for('bob') }}{{ link_for(none) }}{{ link_for(data) }}{{ link_for(5) }}"
    renderer = a_renderer(tmp_path, a_maker(), text)
    rendered = renderer.render(an_event("user:alice"), ServiceLook(TELEGRAM))
    assert (rendered.blocks["text"], rendered.links) == ("", {})


def test_without_a_bot_that_is_known_there_is_none(tmp_path: Path) -> None:
    unknown = a_maker()
    unknown.name = None
    rendered = a_renderer(tmp_path, unknown).render(an_event("user:alice"), ServiceLook(TELEGRAM))
    assert (rendered.blocks["text"], rendered.fault) == ("", None)
