"""A customers' bot, over a real store and a strict Telegram: links, wishes, and what strangers make of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bridge.errors import StoreUnavailable
from bridge.people.chat import BotUnavailable
from bridge.people.link import hash_of, new_token
from bridge.people.rules import CustomerRules
from bridge.people.wants import away_scope, chat_scope
from bridge.polled import Turn
from bridge.polling import bot
from bridge.polling.bot import SURE, TAKEN, TURN, BotListener
from bridge.sinks.http import Request, Response
from bridge.store.base import AddressState
from bridge.store.queries.links import end_links, revoke_tokens
from bridge.store.queries.wishes import count_stopped, set_stopped, set_wants
from bridge.value import replace
from tests.fakes import START
from tests.polling.a_bot import ALICE, BOB, HERE, SENDER, STRANGER, THERE, Listening, everything
from tests.processes import PATIENCE
from tests.services.service import Answer
from tests.services.telegram import TOKEN
from tests.services.telegram_updates import a_private_chat
from tests.store.forgetting import forget


async def test_who_presses_start_under_a_link_is_told_there_from_then_on(here: Listening) -> None:
    [answer] = await here.hears(HERE, f"/start {await here.a_token()}")
    assert answer.startswith("✅ Done! I will write to you here about \u2068alice\u2069.")
    assert await here.linked() == str(HERE)
    assert await here.linked(BOB) is None


async def test_the_language_is_that_of_their_program_until_they_choose(here: Listening) -> None:
    [answer] = await here.hears(HERE, f"/start {await here.a_token()}", language="fa-IR")
    assert answer.startswith("✅ انجام شد!")
    assert (await here.hears(HERE, "/settings", language="ru")) == ["О чём вам писать?"]
    here.telegram.presses(HERE, "فارسی", language="ru")
    await here.step()
    assert (await here.hears(HERE, "/settings", language="ru")) == ["از چه چیزهایی خبرتان کنم؟"]
    assert (await here.hears(THERE, "/start", language="xx"))[0].startswith("Hi!")


async def test_a_link_works_once(here: Listening) -> None:
    token = await here.a_token()
    await here.hears(HERE, f"/start {token}")
    expired = "This link is no longer valid. Ask for a new one.\nhttps://t.me/help"
    assert await here.hears(THERE, f"/start {token}") == [expired]
    assert await here.linked() == str(HERE)


async def test_who_has_used_a_link_may_press_start_again(here: Listening) -> None:
    token = await here.a_token()
    first = await here.hears(HERE, f"/start {token}")
    assert await here.hears(HERE, f"/start {token}") == first


async def test_what_makes_no_link_is_answered_alike(here: Listening) -> None:
    late, others, void = [await here.a_token(holds=one) for one in (60.0, 3600.0, 3600.0)]
    wrong = [late, await here.a_token(sender="telegram bot 1"), new_token(), "x", "x" * 64, "../../etc", late[:-1]]
    await here.outbox.operate(lambda ledger: ledger.write(revoke_tokens, ALICE))
    here.clock.step(3600.0)
    answers = set()
    for chat, token in enumerate([*wrong, others, void], start=HERE):
        here.telegram.chats.append(chat)
        answers.update(await here.hears(chat, f"/start {token}"))
    assert answers == {"This link is no longer valid. Ask for a new one.\nhttps://t.me/help"}
    assert await here.linked() is None


async def test_the_chat_that_was_theirs_is_told_and_is_not_any_more(here: Listening) -> None:
    await here.hears(HERE, f"/start {await here.a_token()}", language="ru")
    await here.hears(THERE, f"/start {await here.a_token()}")
    assert here.said(HERE)[-1] == "Messages about \u2068alice\u2069 now go to another chat."
    assert await here.linked() == str(THERE)


async def test_one_chat_may_be_that_of_several(here: Listening) -> None:
    for key in (ALICE, BOB):
        await here.hears(HERE, f"/start {await here.a_token(key)}")
    assert {await here.linked(key) for key in (ALICE, BOB)} == {str(HERE)}
    await here.hears(HERE, "/stop")
    assert (await here.wants(ALICE)).stopped
    assert (await here.wants(BOB)).stopped


async def test_with_a_user_their_links_end_and_what_was_given_away_is_void(here: Listening) -> None:
    await here.hears(HERE, f"/start {await here.a_token()}")
    left = await here.a_token()
    await here.delete("alice")
    assert await here.linked() is None
    assert "no longer valid" in (await here.hears(HERE, f"/start {left}"))[0]
    assert "✅" in (await here.hears(THERE, f"/start {await here.a_token()}"))[0]
    assert await here.linked() == str(THERE)


async def test_a_token_stands_nowhere_in_the_store(here: Listening, any_store_url: str) -> None:
    used, unused = await here.a_token(), await here.a_token()
    await here.hears(HERE, f"/start {used}")
    found = everything(any_store_url)
    assert hash_of(used) in found
    assert used not in found
    assert unused not in found
    assert TOKEN not in found


async def test_stop_holds_until_start(here: Listening) -> None:
    await here.hears(HERE, f"/start {await here.a_token()}")
    assert await here.hears(HERE, "/stop") == ["I will not write any more. /start turns me on again."]
    assert (await here.wants()).stopped
    assert (await here.hears(HERE, "/start"))[0].startswith("Welcome back!")
    assert not (await here.wants()).stopped


async def test_what_an_operator_stopped_is_their_own_to_undo(here: Listening) -> None:
    await here.hears(HERE, f"/start {await here.a_token()}")
    stop = {"stop": True, "by": "operator", "now": START}
    await here.outbox.operate(lambda ledger: ledger.write(set_stopped, ALICE, **stop))
    assert (await here.hears(HERE, "/start"))[0].startswith("Welcome back!")
    assert not (await here.wants()).stopped


async def test_stop_holds_in_a_chat_that_no_link_leads_to(here: Listening) -> None:
    await here.hears(STRANGER, "/stop")
    assert (await here.wants(chat_scope(SENDER, STRANGER))).stopped


async def test_a_button_changes_what_it_says_and_the_message_it_is_under(here: Listening) -> None:
    await here.hears(HERE, f"/start {await here.a_token()}")
    await here.hears(HERE, "/settings")
    unlink = "Disconnect \u2068alice\u2069"
    assert here.buttons(HERE) == ["✓ Reminders", "✓ Status", "✓ News", "✓ English", "فارسی", "Русский", unlink]
    here.telegram.presses(HERE, "✓ News")
    await here.step(after=60)
    assert here.buttons(HERE)[:3] == ["✓ Reminders", "✓ Status", "– News"]
    assert (await here.wants()).categories == {"news": False}
    assert here.telegram.pressed == set()
    here.telegram.presses(HERE, "– News")
    await here.step(after=60)
    assert (await here.wants()).categories == {"news": True}
    here.telegram.presses(HERE, "Русский")
    await here.step(after=60)
    assert here.buttons(HERE)[:3] == ["✓ Напоминания", "✓ Статус", "✓ Новости"]


async def test_what_the_file_leaves_off_is_off_until_they_want_it(here: Listening) -> None:
    here.plan = replace(here.plan, rules=CustomerRules({"news": False}))
    await here.hears(HERE, "/settings")
    assert here.buttons(HERE)[:3] == ["✓ Reminders", "✓ Status", "– News"]


async def test_whoever_comes_back_is_asked_again(here: Listening) -> None:
    blocked = AddressState(START, "HTTP 403: Forbidden: bot was blocked by the user", START, START + timedelta(days=9))
    await here.outbox.save_address_state(SENDER, str(HERE), blocked)
    assert (await here.hears(HERE, "/start"))[0].startswith("Welcome back!")
    assert await here.outbox.address_state(SENDER, str(HERE)) == AddressState(START)


def membership(chat: int, status: str) -> dict[str, Any]:
    there = {"user": {"id": 1, "is_bot": True}, "status": status}
    return {**a_private_chat(chat), "date": 1, "old_chat_member": there, "new_chat_member": there}


async def test_who_blocks_the_bot_is_not_asked_and_who_lets_it_in_again_is(here: Listening) -> None:
    await here.hears(HERE, f"/start {await here.a_token()}")
    here.telegram.hears(my_chat_member=membership(HERE, "kicked"))
    await here.step()
    state = await here.outbox.address_state(SENDER, str(HERE))
    assert state is not None
    assert state.reason == "has blocked the bot"
    here.telegram.hears(my_chat_member=membership(HERE, "member"))
    await here.step()
    state = await here.outbox.address_state(SENDER, str(HERE))
    assert state is not None
    assert state.reason is None
    assert await here.linked() == str(HERE)


GROUP = {"id": -1001, "type": "supergroup", "title": "A group"}
PERSON = a_private_chat(HERE)
HOSTILE: tuple[dict[str, Any], ...] = (
    {},
    {"message": None},
    {"message": {"text": "/start"}},
    {"message": {**PERSON, "chat": GROUP, "text": "/start {token}"}},
    {"message": {**PERSON, "chat": {"id": -5, "type": "group"}, "text": "/stop"}},
    {"message": {**PERSON, "chat": {"id": STRANGER, "type": "private"}, "text": "/start {token}"}},
    {"message": {**PERSON, "from": {"id": HERE, "is_bot": True}, "text": "/start {token}"}},
    {"message": {**PERSON, "text": "/start {token}", "forward_origin": {"type": "user"}}},
    {"message": {**PERSON, "text": "/start {token}", "via_bot": {"id": 5}}},
    {"message": {**PERSON, "text": "/start {token}" + " " * 5000}},
    {"message": {**PERSON, "photo": [], "caption": "/start {token}"}},
    {"edited_message": {**PERSON, "text": "/start {token}"}},
    {"channel_post": {"chat": {"id": -7, "type": "channel"}, "text": "/start {token}"}},
    {"callback_query": {"id": "1", **PERSON, "data": "news:off"}},
    {"callback_query": {"id": "1", "from": PERSON["from"], "data": "news:off", "message": {"chat": GROUP}}},
    {"callback_query": {"id": ["1"], "from": PERSON["from"], "data": "news:off", "message": PERSON}},
    {"callback_query": {"id": "1", "from": PERSON["from"], "data": "locale:../../x", "message": PERSON}},
    {"callback_query": {"id": "1", "from": PERSON["from"], "data": "user:bob:off", "message": PERSON}},
    {"callback_query": {"id": "1", "from": PERSON["from"], "data": "news:maybe", "message": PERSON}},
    {"my_chat_member": {**PERSON, "chat": GROUP, "new_chat_member": {"status": "kicked"}}},
    {"my_chat_member": {**PERSON, "new_chat_member": "kicked"}},
    {"message": {**PERSON, "text": ["/start"], "entities": 5}},
)


def filled(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return {key: filled(one, token) for key, one in value.items()}
    return value.replace("{token}", token) if isinstance(value, str) else value


async def test_what_is_not_said_in_a_private_chat_by_whose_it_is_does_nothing(here: Listening) -> None:
    token = await here.a_token()
    for one in HOSTILE:
        here.telegram.hears(**filled(one, token))
    await here.step()
    assert here.telegram.taken == []
    assert await here.linked() is None
    assert not (await here.wants()).categories
    assert "✅" in (await here.hears(HERE, f"/start {token}"))[0]


async def test_no_name_is_markup_or_turns_what_stands_around_it(here: Listening) -> None:
    key = "marzban/user:<b>a</b> \u202e_*[x](http://evil.example)" + "y" * 100
    token = await here.a_token(key)
    here.telegram.writes(HERE, f"/start {token}")
    await here.step()
    [sent] = here.telegram.taken
    assert "parse_mode" not in sent.body
    assert len(sent.body["text"]) < 300
    assert sent.body["text"].count("\u2068") == sent.body["text"].count("\u2069") == 1


async def test_a_stranger_is_answered_a_little_and_leaves_nothing(here: Listening, any_store_url: str) -> None:
    for _ in range(100):
        here.telegram.writes(STRANGER, "hello?")
    await here.step()
    assert len(here.said(STRANGER)) == 5
    here.clock.step(10.0)
    here.telegram.writes(STRANGER, "hello?")
    await here.step()
    assert len(here.said(STRANGER)) == 6
    assert str(STRANGER) not in everything(any_store_url)


async def test_a_stop_is_heeded_in_any_flood(here: Listening) -> None:
    await here.hears(HERE, f"/start {await here.a_token()}")
    for _ in range(50):
        here.telegram.writes(HERE, "/start")
    here.telegram.writes(HERE, "/stop")
    await here.step()
    assert (await here.wants()).stopped


async def test_who_guesses_tokens_is_not_heeded_for_a_day(here: Listening) -> None:
    for _ in range(5):
        assert len(await here.hears(HERE, f"/start {new_token()}")) == 1
    right = await here.a_token(holds=3 * 86400.0)
    assert await here.hears(HERE, f"/start {right}") == []
    here.clock.step(86400.0)
    assert "✅" in (await here.hears(HERE, f"/start {right}"))[0]


async def test_nothing_is_confirmed_before_it_is_kept(here: Listening) -> None:
    token = await here.a_token()
    await here.step()
    number = here.telegram.writes(HERE, f"/start {token}")

    async def killed(*args: object, **more: object) -> None:
        raise asyncio.CancelledError

    keep, here.outbox.keep_heard = here.outbox.keep_heard, killed  # type: ignore[method-assign,assignment]
    with pytest.raises(asyncio.CancelledError):
        await here.bot.step(here.plan)
    here.outbox.keep_heard = keep  # type: ignore[method-assign]
    assert await here.linked() is None
    await here.step(after=TURN)
    assert await here.linked() == str(HERE)
    offsets = [one.get("offset") for one in here.telegram.asked]
    assert offsets.index(number + 1) > offsets.index(None)
    assert len(here.said(HERE)) == 1


async def test_an_answer_that_was_not_said_is_said_by_whoever_comes_next(here: Listening) -> None:
    here.telegram.writes(HERE, f"/start {await here.a_token()}")
    say, here.bot._say = here.bot._say, _cut_off  # type: ignore[method-assign]
    for _ in range(2):  # as it was heard, and when what was left is said
        with pytest.raises(asyncio.CancelledError):
            await here.bot.step(here.plan)
        here.clock.step(TURN)
    here.bot._say = say  # type: ignore[method-assign]
    assert await here.linked() == str(HERE)
    assert here.said(HERE) == []
    await here.bot.step(here.plan)
    await here.bot.step(here.plan)
    assert [one[:6] for one in here.said(HERE)] == ["✅ Done"]


async def _cut_off(*args: object) -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("was_left", [False, True])
async def test_an_answer_that_is_being_said_when_the_bridge_ends_is_said_once_and_the_others_by_whoever_comes_next(
    here: Listening, monkeypatch: pytest.MonkeyPatch, was_left: bool
) -> None:
    say, here.bot._say = here.bot._say, _away if was_left else here.bot._say  # type: ignore[method-assign]
    for chat in (HERE, THERE):
        here.telegram.writes(chat, "/settings")
    if was_left:
        await here.bot.step(here.plan)
        here.clock.step(3600.0)
    here.bot._say = say  # type: ignore[method-assign]
    send, taken, answered = here.bot._http.send, asyncio.Event(), asyncio.Event()

    async def slowly(request: Request, **about: Any) -> Response:
        response = await send(request, **about)
        if request.url.name == "sendMessage":
            taken.set()
            await answered.wait()
        return response

    monkeypatch.setattr(here.bot._http, "send", slowly)
    monkeypatch.setattr(bot, "LAST", PATIENCE)
    listening = asyncio.create_task(here.bot.step(here.plan))
    await taken.wait()
    listening.cancel()
    asyncio.get_running_loop().call_soon(answered.set)
    with pytest.raises(asyncio.CancelledError):
        await listening
    assert [len(here.said(chat)) for chat in (HERE, THERE)] == [1, 0]
    await BotListener(here.outbox, here.bot._http, here.clock).step(here.plan)
    assert [len(here.said(chat)) for chat in (HERE, THERE)] == [1, 1]


async def test_an_answer_that_the_service_does_not_take_holds_up_no_end(
    here: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    saying = asyncio.Event()

    async def for_ever(*args: object) -> None:
        saying.set()
        await asyncio.Event().wait()

    here.telegram.writes(HERE, "/settings")
    say, here.bot._say = here.bot._say, for_ever  # type: ignore[method-assign]
    monkeypatch.setattr(bot, "LAST", 0.01)
    listening = asyncio.create_task(here.bot.step(here.plan))
    await saying.wait()
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    here.bot._say = say  # type: ignore[method-assign]
    await here.bot.step(here.plan)
    assert len(here.said(HERE)) == 1


async def test_people_are_heard_while_nothing_can_be_said_to_them_and_are_answered_afterwards(here: Listening) -> None:
    say, here.bot._say = here.bot._say, _away  # type: ignore[method-assign]
    for text in (f"/start {await here.a_token()}", "/stop"):
        here.telegram.writes(HERE, text)
        await here.bot.step(here.plan)
        here.clock.step(3600.0)
    assert (await here.wants()).stopped
    assert here.said(HERE) == []
    here.bot._say = say  # type: ignore[method-assign]
    await here.bot.step(here.plan)
    assert [one[:6] for one in here.said(HERE)] == ["✅ Done", "I will"]


async def _away(*args: object) -> None:
    raise BotUnavailable("HTTP 502")


async def test_what_waits_to_be_said_about_who_is_forgotten_is_not_said(here: Listening, any_store_url: str) -> None:
    say, here.bot._say = here.bot._say, _away  # type: ignore[method-assign]
    others = "paris/user:alice"
    for text in (*[f"/start {await here.a_token(key, holds=86400.0)}" for key in (ALICE, BOB, others)], "/settings"):
        here.telegram.writes(HERE, text)
        await here.bot.step(here.plan)
        here.clock.step(3600.0)
    await asyncio.to_thread(forget, any_store_url)
    assert ALICE not in everything(any_store_url)
    here.bot._say = say  # type: ignore[method-assign]
    await here.bot.step(here.plan)
    named = ["bob" if "bob" in one else "alice" if "alice" in one else "" for one in here.said(HERE)]
    assert named == ["bob", "alice", ""]
    assert here.buttons(HERE)[-2:] == ["Disconnect \u2068bob\u2069", "Disconnect \u2068alice\u2069"]


async def test_who_is_forgotten_while_the_bot_listens_is_not_kept_again(here: Listening, any_store_url: str) -> None:
    say, here.bot._say = here.bot._say, _away  # type: ignore[method-assign]
    here.telegram.writes(HERE, f"/start {await here.a_token()}")
    await here.bot.step(here.plan)
    here.clock.step(3600.0)
    hear = here.bot._hear

    async def meanwhile(*args: Any) -> Any:
        found = await hear(*args)
        await asyncio.to_thread(forget, any_store_url)
        return found

    here.bot._hear = meanwhile  # type: ignore[method-assign]
    here.telegram.writes(HERE, "/settings")
    await here.bot.step(here.plan)
    assert ALICE not in everything(any_store_url)
    here.bot._hear, here.bot._say = hear, say  # type: ignore[method-assign]
    await here.bot.step(here.plan)
    assert here.said(HERE) == ["What shall I tell you?"]


async def test_a_bot_that_ends_while_the_store_is_away_ends(here: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*args: object, **about: object) -> None:
        raise StoreUnavailable("store: it is away")

    monkeypatch.setattr(here.bot, "_say_left", _cut_off)
    monkeypatch.setattr(here.outbox, "keep_heard", away)
    with pytest.raises(asyncio.CancelledError):
        await here.bot.step(here.plan)


async def test_what_is_kept_of_a_bot_is_not_forgotten_as_that_of_a_source_is(here: Listening) -> None:
    await here.bot.step(here.plan)
    later = here.clock.now() + timedelta(days=365)
    assert await here.outbox.forget_polled(others_than=(), before=later) == 0


async def test_a_bridge_that_ends_holds_up_nobody_who_listens_next(here: Listening) -> None:
    here.telegram.patient = 60.0
    listening = asyncio.create_task(here.bot.step(here.plan))
    while not here.telegram.asked:
        await asyncio.sleep(0.01)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening
    here.telegram.writes(HERE, f"/start {await here.a_token()}")
    await BotListener(here.outbox, here.bot._http, here.clock).step(here.plan)
    assert await here.linked() == str(HERE)


async def test_of_several_replicas_one_listens(here: Listening) -> None:
    others = [BotListener(here.outbox, here.bot._http, here.clock) for _ in range(3)]
    await here.bot.step(here.plan)
    turn = await here.outbox.take_turn(here.plan.key, now=here.clock.now(), every=TURN)
    assert isinstance(turn, Turn)
    asked = len(here.telegram.asked)
    for one in others:
        assert 0 < await one.step(here.plan) <= TURN
    assert len(here.telegram.asked) == asked


async def test_what_a_replica_heard_whose_turn_is_over_is_not_kept(here: Listening) -> None:
    here.telegram.writes(HERE, f"/start {await here.a_token()}")
    hear = here.bot._hear

    async def slowly(*args: Any) -> Any:
        found = await hear(*args)
        here.clock.step(TURN)
        await BotListener(here.outbox, here.bot._http, here.clock).step(here.plan)
        return found

    here.bot._hear = slowly  # type: ignore[method-assign]
    await here.bot.step(here.plan)
    assert await here.linked() == str(HERE)
    assert len(here.said(HERE)) == 1


async def health(here: Listening) -> Any:
    from bridge.store.queries.polled import last_turn

    return (await here.outbox.operate(lambda ledger: ledger.read(last_turn, here.plan.key))).health


async def test_where_another_program_reads_it_is_told_and_asked_rarely(here: Listening) -> None:
    here.telegram.polled = True
    for _ in range(SURE):
        await here.bot.step(here.plan)
        here.clock.step(5.0)
    asked = len(here.telegram.asked)
    assert (await health(here)).reason == (
        "its updates are read by another program (the panel's own bot?): links and /stop do not work, sending does"
    )
    here.clock.step(TAKEN - 10.0)
    await here.bot.step(here.plan)
    assert len(here.telegram.asked) == asked
    here.telegram.polled = False
    here.clock.step(10.0)
    await here.bot.step(here.plan)
    assert (await health(here)).reason is None


async def test_where_a_webhook_takes_what_is_said_it_is_told_and_never_removed(here: Listening) -> None:
    here.telegram.webhook = "https://panel.example.com/x"
    await here.bot.step(here.plan)
    assert "are read by a webhook" in (await health(here)).reason
    assert here.telegram.webhook


@pytest.mark.parametrize(
    ("answer", "reason", "again"),
    [
        (Answer(502, "<html>"), "HTTP 502: not Telegram's own answer", 1.0),
        (Answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"}), "HTTP 401: Unauthorized", 1.0),
        (
            Answer(429, {"ok": False, "error_code": 429, "description": "Too", "parameters": {"retry_after": 70}}),
            "HTTP 429: Too",
            70.0,
        ),
    ],
)
async def test_it_is_asked_ever_less_often_where_it_does_not_answer(
    here: Listening, answer: Answer, reason: str, again: float
) -> None:
    await here.bot.step(here.plan)
    for wait in (again, max(again, 2.0), max(again, 4.0)):
        here.telegram.answer_next(answer)
        await here.bot.step(here.plan)
        assert (await health(here)).reason == reason
        asked = here.telegram.requests
        here.clock.step(wait - 0.5)
        await here.bot.step(here.plan)
        assert here.telegram.requests == asked
        here.clock.step(0.5)
    here.telegram.writes(HERE, "/settings")
    await here.step()
    assert here.said(HERE) == ["What shall I tell you?"]


async def places_here(here: Listening, *keys: str, chat: int = HERE) -> None:
    """The directory says whose chat it is."""
    await here.outbox.keep_directory("one", [(key, {"telegram": chat}) for key in keys])


LINKED = "✅ Done! I will write to you here about \u2068alice\u2069."
GONE = "Messages about \u2068alice\u2069 do not come here any more.\nhttps://t.me/help"


async def test_start_where_the_directory_places_somebody_is_answered_as_a_link_is(here: Listening) -> None:
    await places_here(here, ALICE, BOB)
    answers = await here.hears(HERE, "/start")
    assert [one.partition(" Wh")[0] for one in answers] == [LINKED, LINKED.replace("alice", "bob")]
    assert (await here.hears(THERE, "/start"))[0].startswith("Hi!")
    await here.hears(THERE, f"/start {await here.a_token()}")
    assert "alice" not in str(await here.hears(HERE, "/start"))  # she is told elsewhere


async def test_where_the_directory_places_somebody_their_wishes_are_said_and_seen(here: Listening) -> None:
    await places_here(here, ALICE)
    stop = {"stop": True, "by": "operator", "now": START}
    await here.outbox.operate(lambda ledger: ledger.write(set_stopped, ALICE, **stop))
    assert (await here.hears(HERE, "/start"))[0].startswith("Welcome back!")
    assert not (await here.wants()).stopped
    news = {"news": False}
    await here.outbox.operate(lambda ledger: ledger.write(set_wants, ALICE, news, by="operator", now=START))
    await here.hears(HERE, "/settings")
    assert here.buttons(HERE)[2] == "– News"
    assert here.buttons(HERE)[-1] == "Disconnect \u2068alice\u2069"
    here.telegram.presses(HERE, "– News")
    await here.step(after=60)
    assert (await here.wants()).categories == {"news": True}
    await here.hears(HERE, "/stop")
    assert (await here.wants()).stopped


async def is_away(here: Listening, key: str = ALICE) -> bool:
    """Whether somebody is told nothing in that chat."""
    scope = away_scope(SENDER, HERE, key)
    return (await here.outbox.places(SENDER, {scope: scope}))[scope].wants.stopped


@pytest.mark.parametrize("linked", [True, False])
async def test_who_disconnects_a_chat_of_the_directory_is_not_told_there(here: Listening, linked: bool) -> None:
    await places_here(here, ALICE, BOB)
    if linked:
        await here.hears(HERE, f"/start {await here.a_token()}")
    await here.hears(HERE, "/settings")
    here.telegram.presses(HERE, "Disconnect \u2068alice\u2069")
    await here.step(after=60)
    assert here.said(HERE)[-1] == GONE
    assert (await here.linked(), await is_away(here), await is_away(here, BOB)) == (None, True, False)
    assert not (await here.wants()).stopped  # elsewhere she is told
    assert await here.outbox.operate(lambda ledger: ledger.read(count_stopped)) == 0
    await here.hears(HERE, "/start")
    await here.hears(HERE, "/settings")
    assert here.buttons(HERE)[-1] == "Disconnect \u2068bob\u2069"
    assert await is_away(here)
    assert (await here.hears(HERE, f"/start {await here.a_token()}"))[0].startswith("✅")
    assert not await is_away(here)


async def test_a_new_user_of_that_name_is_told_where_the_directory_says(here: Listening) -> None:
    await places_here(here, ALICE)
    await here.hears(HERE, "/settings")
    here.telegram.presses(HERE, "Disconnect \u2068alice\u2069")
    await here.step(after=60)
    await here.delete("alice")
    assert not await is_away(here)


async def test_the_chat_of_the_directory_that_was_told_learns_that_a_link_leads_elsewhere(here: Listening) -> None:
    await places_here(here, ALICE)
    await here.outbox.save_address_state(SENDER, str(HERE), AddressState(START))
    await here.hears(THERE, f"/start {await here.a_token()}")
    assert here.said(HERE)[-1] == "Messages about \u2068alice\u2069 now go to another chat."
    here.telegram.presses(HERE, "That was not me")
    await here.step(after=60)
    assert await here.linked() == str(HERE)
    assert here.said(THERE)[-1] == GONE


async def test_a_chat_of_the_directory_that_was_never_told_anything_is_not_written_to(here: Listening) -> None:
    await places_here(here, ALICE)
    await here.hears(THERE, f"/start {await here.a_token()}")
    assert here.said(HERE) == []


async def test_whom_the_operator_unlinks_is_not_said_to_be_told_nothing_where_the_directory_leads(
    here: Listening,
) -> None:
    await places_here(here, ALICE)
    await here.hears(HERE, f"/start {await here.a_token()}")
    await here.outbox.operate(lambda ledger: ledger.write(end_links, ALICE, now=START))
    await here.hears(THERE, "/settings")
    assert GONE not in here.said(HERE)
