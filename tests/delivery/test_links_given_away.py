"""What a message gives away works once it is sent, and stands nowhere but in the message."""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.delivery.lane import LaneSettings
from bridge.markup.service import Look
from bridge.message import Message
from bridge.messages.renderer import Renderer
from bridge.outcome import Attempt, Delivered
from bridge.people.link import LinkMaker, hash_of
from bridge.sinks.base import OnSent
from bridge.sinks.telegram.service import TELEGRAM
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.attempts import attempts_of
from bridge.store.queries.links import use_token
from tests.delivery.lanes import Fleet, ScriptedSink, carry_all, routed
from tests.fakes import FakeClock, an_event

UTC, BOT = ZoneInfo("UTC"), "telegram bot 1"


class Repeating(ScriptedSink):
    """A service that answers with what it was told."""

    look = Look(TELEGRAM)

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        self.messages.append(message)
        return Attempt(Delivered(), 200, f"taken: {message['text']}")


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
    assert dict(message.links) == {key: token}
    used = await outbox.operate(lambda ledger: ledger.write(use_token, hash_of(token), BOT, "7", now=clock.now()))
    assert used == key
    found = await outbox.operate(lambda ledger: ledger.read(attempts_of, [1]))
    assert [one.answer for one in found[1]] == ["taken: https://t.me/fravpn_bot?start=***"]


def test_nobody_has_one_but_whom_the_event_is_about(tmp_path: Path) -> None:
    text = "{{ link_for('bob') }}{{ link_for(none) }}{{ link_for(data) }}{{ link_for(5) }}"
    renderer = a_renderer(tmp_path, a_maker(), text)
    rendered = renderer.render(an_event("user:alice"), Look(TELEGRAM))
    assert (rendered.blocks["text"], rendered.links) == ("", {})


def test_without_a_bot_that_is_known_there_is_none(tmp_path: Path) -> None:
    unknown = a_maker()
    unknown.name = None
    rendered = a_renderer(tmp_path, unknown).render(an_event("user:alice"), Look(TELEGRAM))
    assert (rendered.blocks["text"], rendered.fault) == ("", None)
