"""What customers said, and where they are, holds for whatever is not on the socket yet."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bridge.delivery.resources import LaneSettings
from bridge.event import Event, iso
from bridge.intake import Destination, Intake, Routed
from bridge.markup.service import Service, ServiceLook
from bridge.message import Digest, Message
from bridge.messages.customer import Me
from bridge.messages.renderer import Rendered
from bridge.outcome import Attempt, Gone, Spaced
from bridge.people.address import Address, Addressing, Form
from bridge.people.brand import NO_BRAND, Brand
from bridge.people.rules import CustomerRules
from bridge.people.stop_link import StopLinks
from bridge.people.wants import CATEGORIES, Wants, all_of, away_scope, chat_scope, mailbox_scope
from bridge.sinks.base import OnSent
from bridge.sinks.email.service import EMAIL
from bridge.sinks.telegram.service import TELEGRAM
from bridge.store.base import State
from bridge.store.outbox import SqlOutbox
from bridge.store.queries.links import put_link
from bridge.store.queries.replay import replay_deliveries
from bridge.store.queries.wishes import set_stopped, set_wants
from bridge.store.records import DeliveryQuery
from bridge.store.schema import wishes
from bridge.terms import Quiet, Terms
from bridge.value import replace
from tests.delivery.lanes import BlankRenderer, Fleet, ScriptedSink, carry_all, look_up, pass_time
from tests.fakes import DECISION, START, FakeClock, an_event

ALICE, BOT = "marzban/user:alice", "a bot"
CHAT = Form("[0-9]+", "a chat", linked=True)
LINKS = StopLinks("https://bridge.example.com", "a-key-of-thirty-two-signs-or-more")
TOMORROW, NEXT_MONTH = START + timedelta(days=1), START + timedelta(days=30)
NIGHT = Quiet(hours="23:00-08:00", mode="hold")


class Dm(ScriptedSink):
    """A sink that is addressed to users; it remembers to which chats it has sent, and whether silently."""

    look = ServiceLook(TELEGRAM)
    addressing = Addressing({"to": "{{ person.to or data.user.telegram_id }}"}, {"to": CHAT})
    spacing = (Spaced(1, 1.0),)

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.chats: list[str] = []
        self.silent: list[bool] = []

    def at(self, address: Address) -> "ScriptedSink":
        return _There(self, address.settings["to"])


class _There(Dm):
    def __init__(self, sink: Dm, chat: str) -> None:
        self._sink, self._chat = sink, chat

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        self._sink.chats.append(self._chat)
        self._sink.silent.append(message.circumstances.silent)
        return self._sink._answer()

    async def send_digest(self, digest: Digest, on_sent: OnSent = None) -> Attempt:
        raise AssertionError("a customer is told no digest")


class Words(BlankRenderer):
    """Remembers in which languages customers were told."""

    locale = "en"

    def __init__(self) -> None:
        super().__init__()
        self.locales: list[str] = []
        self.stops: list[str] = []
        self.brands: list[str | None] = []

    def customer(self, service: Service, type_: str, me: Me, brand: Brand = NO_BRAND) -> Rendered:
        self.brands.append(brand.name)
        self.locales.append(me.locale)
        self.stops.append(me.stop)
        return Rendered({})


class Shop:
    """A lane of customers."""

    def __init__(self, outbox: SqlOutbox, clock: FakeClock, store_url: str, rules: CustomerRules) -> None:
        self.outbox, self.clock, self.url = outbox, clock, store_url
        self.sink, self.words = Dm(clock), Words()
        self.lane = Fleet(outbox, clock).lane(self.sink, renderer=self.words)
        self.lane.settings = LaneSettings(self.words, ZoneInfo("UTC"), rules)  # type: ignore[arg-type]

    async def put(self, *types: str, terms: Terms | None = None, name: str = "alice") -> None:
        for type_ in types:
            user = {"username": name, "telegram_id": 1}
            event: Event = replace(
                an_event(f"user:{name}", type_=type_, at=self.clock.now()), source="marzban", data={"user": user}
            )
            to = (
                ()
                if type_ == "user.deleted"
                else (Destination("ops", "route 1", terms=terms, recipient=f"marzban/user:{name}"),)
            )
            await self.outbox.put(Intake([Routed(event, to, DECISION)]))
        self.lane.wake()
        await carry_all(self.lane)

    async def put_each(self, *events: Event, terms: Terms | None = None, to: tuple[str, ...] = ("ops",)) -> None:
        """Put each in a request of its own, for whom it names in one realm, and carry what may be told now."""
        for event in events:
            await self.outbox.put(Intake([self._routed(event, terms, to)], realm="marzban"))
        self.lane.wake()
        await carry_all(self.lane)

    async def put_together(self, *events: Event) -> None:
        """Put all of them in one request, and carry what may be told now."""
        await self.outbox.put(Intake([self._routed(event, None, ("ops",)) for event in events], realm="marzban"))
        self.lane.wake()
        await carry_all(self.lane)

    def _routed(self, event: Event, terms: Terms | None, to: tuple[str, ...]) -> Routed:
        key = f"marzban/{event.subject}"
        return Routed(event, tuple(Destination(sink, "route 1", terms=terms, recipient=key) for sink in to), DECISION)

    async def say(self, query: Callable[..., Any], *args: Any, **more: Any) -> None:
        await self.outbox.operate(lambda ledger: ledger.write(query, *args, **more, now=self.clock.now()))

    async def link(self, chat: str = "7") -> None:
        await self.say(put_link, ALICE, BOT, chat, how="token")

    async def stop(self, scope: str = ALICE) -> None:
        await self.say(set_stopped, scope, stop=True, by="themselves")

    async def want(self, scope: str = ALICE, /, **said: Any) -> None:
        await self.say(set_wants, scope, said, by="themselves")

    def reasons(self) -> list[str | None]:
        """Of every delivery why it was not told, None where it was."""
        return [None if one.state is State.DELIVERED else one.reason or one.state for one in look_up(self.url)]


@pytest.fixture
def shop(outbox: SqlOutbox, clock: FakeClock, store_url: str) -> Shop:
    return Shop(outbox, clock, store_url, CustomerRules())


async def test_a_link_comes_before_whatever_the_address_is_made_of(shop: Shop) -> None:
    await shop.outbox.keep_directory("one", [(ALICE, {"to": "5"})])
    await shop.put("user.expired")
    await shop.link()
    await shop.put("user.enabled")
    assert shop.sink.chats == ["5", "7"]


async def test_another_bots_link_is_none_of_this_one(shop: Shop) -> None:
    await shop.say(put_link, ALICE, "another bot", "7", how="token")
    await shop.put("user.expired")
    assert shop.sink.chats == ["1"]


async def test_a_link_holds_for_what_already_waits(shop: Shop) -> None:
    await shop.put("user.expired", terms=Terms(quiet=Quiet(hours="00:00-12:00", mode="hold")))
    assert shop.sink.chats == []
    await shop.link()
    await pass_time(shop.lane, shop.clock, 8 * 3600, by=1800)
    assert shop.sink.chats == ["7"]


@pytest.mark.parametrize("scope", [ALICE, chat_scope(BOT, "7")])
async def test_a_stop_holds_for_what_already_waits_whatever_else_is_said(shop: Shop, scope: str) -> None:
    await shop.link()
    critical = Terms(critical=True, category="status")
    await shop.put("user.expired", terms=critical)
    await shop.put("user.enabled", terms=Terms(quiet=Quiet(hours="00:00-12:00", mode="hold")))
    await shop.stop(scope)
    await shop.put("user.limited", terms=critical)
    await pass_time(shop.lane, shop.clock, 8 * 3600, by=1800)
    assert shop.sink.chats == ["7"]
    assert shop.reasons()[1:] == ["wants to be told nothing"] * 2


async def test_a_stop_holds_in_a_chat_that_only_the_panel_knows(shop: Shop) -> None:
    await shop.stop(chat_scope(BOT, "1"))
    await shop.put("user.expired")
    assert (shop.sink.chats, shop.reasons()) == ([], ["wants to be told nothing"])


@pytest.mark.parametrize("server", ["a mail server", "another one"])
async def test_a_mailbox_that_wants_no_letters_gets_none_through_whatever_server(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    monkeypatch.setattr(Dm, "look", ServiceLook(EMAIL))
    monkeypatch.setattr(Dm, "sender", server)
    critical = Terms(critical=True, quiet=Quiet(hours="00:00-12:00", mode="hold"))
    await shop.put("user.enabled", terms=Terms(quiet=Quiet(hours="00:00-12:00", mode="hold")))
    await shop.stop(mailbox_scope("1"))
    await shop.put("user.expired", terms=critical)
    await shop.put("user.expired", name="bob", terms=critical)
    await pass_time(shop.lane, shop.clock, 8 * 3600, by=1800)
    assert (shop.sink.chats, set(shop.reasons())) == ([], {"wants to be told nothing"})


@pytest.mark.parametrize(("service", "link"), [(EMAIL, LINKS.link("1")), (TELEGRAM, "")])
async def test_only_letters_have_a_link_that_stops_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, service: Service, link: str
) -> None:
    monkeypatch.setattr(Dm, "look", ServiceLook(service))
    shop.lane.settings = replace(shop.lane.settings, rules=CustomerRules(stops=LINKS))
    await shop.put("user.expired")
    assert shop.words.stops == [link]


async def test_a_stop_holds_for_what_waits_for_its_turn_right_before_the_socket(shop: Shop) -> None:
    may_go = shop.lane._gate._may_go

    async def stopped_meanwhile(*args: Any) -> bool:
        await shop.stop()
        return await may_go(*args)

    shop.lane._gate._may_go = stopped_meanwhile  # type: ignore[method-assign]
    await shop.put("user.expired")
    assert (shop.sink.chats, shop.reasons()) == ([], ["wants to be told nothing"])


@pytest.mark.parametrize(("type_", "category"), [("user.expiring", "reminders"), ("user.expired", "status")])
async def test_a_category_that_is_off_is_not_told(shop: Shop, type_: str, category: str) -> None:
    await shop.want(**{category: False})
    await shop.put("user.expired", "user.expiring")
    held = {one.type: one.reason for one in look_up(shop.url)}
    assert held[type_] == f"wants no {category}"
    assert [reason for reason in held.values() if reason and "wants no" in reason] == [f"wants no {category}"]


async def test_a_row_may_say_of_what_category_it_tells(shop: Shop) -> None:
    await shop.want(news=False)
    await shop.put("user.created", terms=Terms(category="news"))
    await shop.put("user.created", terms=Terms(category="status"))
    assert shop.reasons() == ["wants no news", None]


async def test_what_the_file_leaves_off_is_told_to_who_wants_it(
    outbox: SqlOutbox, clock: FakeClock, store_url: str
) -> None:
    shop = Shop(outbox, clock, store_url, CustomerRules({"status": False}))
    await shop.put("user.expired")
    await shop.want(status=True)
    await shop.put("user.enabled")
    assert shop.reasons() == ["wants no status", None]


async def test_off_wins_over_on() -> None:
    on, off = Wants(categories={"news": True}), Wants(categories={"news": False})
    assert (on | off).categories == (off | on).categories == {"news": False}
    assert all_of([on, Wants(stopped=True)]) == Wants(stopped=True, categories={"news": True})
    assert set(CATEGORIES) == {"reminders", "status", "news"}


async def test_they_are_told_in_the_language_that_they_chose(shop: Shop) -> None:
    await shop.outbox.keep_directory("one", [(ALICE, {"locale": "ru"})])
    await shop.put("user.expired")
    await shop.want(locale="fa")
    await pass_time(shop.lane, shop.clock, 2)
    await shop.put("user.enabled")
    assert shop.words.locales == ["en", "fa"]  # a real sink takes the directory's with its address


async def test_their_own_hours_and_zone_come_before_the_directorys(shop: Shop) -> None:
    await shop.outbox.keep_directory("one", [(ALICE, {"zone": "UTC", "quiet": "00:00-23:59:59"})])
    await shop.want(quiet="20:00-21:00", zone="Asia/Tehran")
    await shop.put("user.expired")
    assert shop.sink.chats == ["1"]


async def test_a_brand_speaks_to_its_own_in_its_language_where_they_have_none_also_where_they_are_told_elsewhere(
    outbox: SqlOutbox, clock: FakeClock, store_url: str
) -> None:
    seven, nine = Brand(name="Seven", locale="fa"), Brand(name="Nine")
    shop = Shop(outbox, clock, store_url, CustomerRules(own=Brand(name="Fra"), brands={"seven": seven, "nine": nine}))
    await shop.outbox.keep_directory("one", [("marzban/user:bob", {"to": "2", "locale": "ru"})])
    terms = Terms(brand="seven", fallback=("mail",), fallback_after=600.0)
    await shop.want("marzban/user:carol", locale="ru")
    others = {"dave": Terms(brand="nine"), "erin": Terms(brand="forgotten"), "frank": None}
    for name, asked in {"alice": terms, "bob": terms, "carol": terms, **others}.items():
        await shop.put("user.expired", terms=asked, name=name)
        await pass_time(shop.lane, clock, 2)
    assert shop.words.brands == ["Seven", "Seven", "Seven", "Nine", None, "Fra"]
    assert shop.words.locales == ["fa", "en", "ru", "en", "en", "en"]  # a real sink takes bob's with his address
    shop.sink.answers.append(Attempt(Gone("HTTP 403: Forbidden: bot was blocked by the user", where="address")))
    await pass_time(shop.lane, clock, 2)
    await shop.put("user.enabled", terms=terms)
    elsewhere = Dm(clock)
    elsewhere.sender = "another bot"
    mail = Fleet(outbox, clock).lane(elsewhere, "mail", renderer=shop.words)
    mail.settings = shop.lane.settings
    assert await carry_all(mail)
    assert (shop.words.brands[6:], shop.words.locales[6:]) == (["Seven", "Seven"], ["fa", "fa"])


async def test_no_more_is_told_a_day_than_the_file_says_in_their_own_zone(outbox: SqlOutbox, store_url: str) -> None:
    clock = FakeClock(datetime(2026, 11, 21, 20, 0, tzinfo=UTC))  # half an hour before midnight in Tehran
    shop = Shop(outbox, clock, store_url, CustomerRules(max_per_day=2))
    await shop.want(zone="Asia/Tehran")
    for type_ in ("user.expired", "user.enabled", "user.limited"):
        await shop.put(type_)
        await pass_time(shop.lane, clock, 2)
    await shop.put("user.limited", terms=Terms(critical=True))
    await shop.put("user.limited", name="bob")
    await pass_time(shop.lane, clock, 30 * 60, by=60)
    await shop.put("user.disabled")
    assert shop.reasons() == [None, None, "max_per_day: was told 2 times today", None, None, None]


async def test_a_row_may_let_more_or_less_through(outbox: SqlOutbox, clock: FakeClock, store_url: str) -> None:
    shop = Shop(outbox, clock, store_url, CustomerRules(max_per_day=1))
    await shop.put("user.expired")
    await pass_time(shop.lane, clock, 2)
    await shop.put("user.enabled", terms=Terms(max_per_day=2))
    await pass_time(shop.lane, clock, 2)
    await shop.put("user.limited", terms=Terms(max_per_day=2))
    assert shop.reasons() == [None, None, "max_per_day: was told 2 times today"]


async def test_what_is_critical_is_told_at_night_without_a_sound(outbox: SqlOutbox, store_url: str) -> None:
    clock = FakeClock(datetime(2026, 11, 21, 2, 0, tzinfo=UTC))
    shop = Shop(outbox, clock, store_url, CustomerRules(quiet=NIGHT))
    await shop.put("user.expired")
    await shop.put("user.limited", terms=Terms(critical=True), name="bob")
    assert (shop.sink.silent, shop.reasons()) == ([True], ["quiet hours", None])


async def test_what_was_for_a_user_who_is_deleted_is_told_to_no_other_of_the_name(shop: Shop) -> None:
    await shop.put("user.expired", terms=Terms(quiet=Quiet(hours="00:00-12:00", mode="hold")))
    shop.clock.step(60)
    await shop.put("user.deleted")
    await shop.link()
    shop.clock.step(60)
    await shop.put("user.enabled")
    await pass_time(shop.lane, shop.clock, 8 * 3600, by=1800)
    assert shop.sink.chats == ["7"]
    assert shop.reasons() == ["was deleted since", None]


async def test_what_is_told_again_of_a_user_who_was_deleted_is_told_to_no_other_of_the_name(shop: Shop) -> None:
    await shop.put("user.expired")
    shop.clock.step(60)
    await shop.put("user.deleted")
    await shop.link()
    shop.clock.step(60)
    again = await shop.outbox.operate(
        lambda ledger: ledger.write(replay_deliveries, DeliveryQuery(limit=None), now=shop.clock.now())
    )
    assert len(again) == 1
    shop.lane.wake()
    await carry_all(shop.lane)
    assert (shop.sink.chats, shop.reasons()) == (["1"], [None, "was deleted since"])


def about(name: str, type_: str, end: datetime | None = None) -> Event:
    user: dict[str, Any] = {"username": name, "telegram_id": 1} | ({"expires_at": iso(end)} if end else {})
    return replace(an_event(f"user:{name}", type_=type_), data={"user": user})


@pytest.mark.parametrize(
    ("first", "then", "held"),
    [
        (about("alice", "user.expired", START), about("alice", "user.enabled", NEXT_MONTH), True),
        (about("alice", "user.expired", START), about("alice", "user.updated", NEXT_MONTH), True),
        (
            about("alice", "user.expired", START),
            replace(about("alice", "user.updated", NEXT_MONTH), source="other"),
            True,
        ),
        (about("alice", "user.expiring", TOMORROW), about("alice", "user.updated", NEXT_MONTH), True),
        (about("alice", "user.expiring", TOMORROW), about("alice", "user.enabled", TOMORROW), False),
        (about("alice", "user.expired", START), about("bob", "user.enabled", NEXT_MONTH), False),
    ],
)
async def test_what_is_over_by_the_morning_is_told_to_nobody(shop: Shop, first: Event, then: Event, held: bool) -> None:
    night = Terms(quiet=Quiet(hours="00:00-06:00", mode="hold"))
    await shop.put_each(first, terms=night)
    for _ in range(25):  # more than are looked at together
        await shop.put_each(about("alice", "user.updated"), to=())
    await shop.put_each(then, to=())
    await pass_time(shop.lane, shop.clock, 3 * 3600, by=1800)
    assert shop.reasons() == [f"renewed meanwhile: {then.type}, event {then.id}" if held else None]


async def test_what_is_replayed_is_told_also_where_it_is_over(shop: Shop) -> None:
    await shop.put_each(about("alice", "user.expired", START))
    await shop.put_each(about("alice", "user.enabled", NEXT_MONTH), to=())
    await shop.outbox.operate(
        lambda ledger: ledger.write(replay_deliveries, DeliveryQuery(limit=None), now=shop.clock.now())
    )
    await pass_time(shop.lane, shop.clock, 10)
    assert shop.reasons() == [None, None]


async def test_of_one_request_that_tells_of_a_deletion_what_comes_behind_it_is_the_next_ones(shop: Shop) -> None:
    types = ("user.expired", "user.disabled", "user.deleted", "user.created", "user.enabled")
    await shop.put_together(*(about("alice", type_) for type_ in types))
    await pass_time(shop.lane, shop.clock, 10)
    assert [(one.type, one.reason) for one in sorted(look_up(shop.url), key=lambda one: one.id)] == [
        *[(type_, "was deleted since") for type_ in types[:2]],
        ("user.deleted", "there is nothing to tell a customer of user.deleted"),
        *[(type_, None) for type_ in types[3:]],
    ]


async def test_who_cannot_be_reached_there_is_told_elsewhere_and_who_said_stop_is_not(
    outbox: SqlOutbox, clock: FakeClock, store_url: str
) -> None:
    shop = Shop(outbox, clock, store_url, CustomerRules())
    terms = Terms(fallback=("mail",), fallback_after=600.0, category="status", critical=True)
    gone = Attempt(Gone("HTTP 403: Forbidden: bot was blocked by the user", where="address"))
    shop.sink.answers.append(gone)
    await shop.put("user.expired", terms=terms)
    await shop.stop("marzban/user:bob")
    await shop.put("user.expired", terms=terms, name="bob")
    elsewhere = Dm(clock)
    elsewhere.sender = "another bot"
    mail = Fleet(outbox, clock).lane(elsewhere, "mail", renderer=shop.words)
    assert await carry_all(mail)
    assert elsewhere.chats == ["1"]
    found = {one.sink + " " + (one.subject or ""): one for one in look_up(store_url)}
    assert found.keys() == {"ops user:alice", "mail user:alice", "ops user:bob"}
    assert found["ops user:bob"].reason == "wants to be told nothing"
    assert "told on mail instead" in (found["ops user:alice"].reason or "")


def _unreadable(connection: sa.Connection, *, now: datetime) -> None:
    """A row that nothing of ours writes."""
    row = {"key": "marzban/user:carol", "by": "x", "at": 0, "wants": "{"}
    connection.execute(wishes.insert().values(row))


async def test_a_bug_of_ours_costs_whom_it_is_about_attempts_and_nobody_else(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    await shop.say(_unreadable)
    for name in ("carol", "alice", "bob"):
        user = {"username": name, "telegram_id": {"alice": 1, "bob": 2, "carol": 3}[name]}
        event = replace(an_event(f"user:{name}", at=shop.clock.now()), source="marzban", data={"user": user})
        to = Destination("ops", "route 1", recipient=f"marzban/user:{name}")
        await shop.outbox.put(Intake([Routed(event, (to,), DECISION)]))
    shop.lane.wake()
    await pass_time(shop.lane, shop.clock, 10)
    assert sorted(shop.sink.chats) == ["1", "2"]
    await pass_time(shop.lane, shop.clock, 12 * 3600, by=300)
    [carols, *others] = shop.reasons()
    assert (carols or "").startswith("unforeseen ValueError, see the log; gave up after ")
    assert others == [None, None]
    told = [one for one in caplog.records if one.getMessage() == "delivery.bug"]
    assert len(told) < 20
    await shop.put("user.enabled")
    assert sorted(shop.sink.chats) == ["1", "1", "2"]


async def test_a_link_that_is_no_chat_leads_nowhere(shop: Shop) -> None:
    await shop.link("abc")
    await shop.put("user.expired")
    assert shop.sink.chats == ["1"]


async def test_whom_a_chat_has_disconnected_is_not_told_there_and_others_are(shop: Shop) -> None:
    await shop.stop(away_scope(BOT, "1", ALICE))
    await shop.put("user.expired")
    await shop.put("user.expired", name="bob")
    assert shop.sink.chats == ["1"]
    assert shop.reasons() == ["wants to be told nothing", None]
    await shop.link("7")
    await shop.put("user.enabled")
    assert shop.sink.chats == ["1", "7"]
