"""That was not me: a chat that a link was moved away from has it back, for a day, by its own word and nobody else's."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from bridge.people.chat import button_key
from bridge.people.wants import chat_scope
from bridge.store.queries.audit import audit_records
from bridge.store.queries.links import end_links, links_of
from bridge.store.queries.moves import BACK_WITHIN, allow_proofs, delete_over, proofs_stopped_at
from bridge.store.queries.wishes import set_stopped
from bridge.store.schema import moved, proof_stops
from tests.polling.a_bot import ALICE, BOB, HERE, SENDER, STRANGER, THERE, Listening
from tests.polling.a_shop import NEW_UUID, PASSWORD, VLESS, Shop, of_alice, rows

DAY = BACK_WITHIN.total_seconds()
NOT_ME = "That was not me"
MOVED = "Messages about \u2068alice\u2069 now go to another chat."
UNDONE = "Undone. Messages about \u2068alice\u2069 come here again."
STILL_STOPPED = "Undone. I still do not write to you: /start turns me on again."
TOO_LATE = "This cannot be undone any more.\nhttps://t.me/help"
GONE = "Messages about \u2068alice\u2069 do not come here any more.\nhttps://t.me/help"
EXPIRED = "This link is no longer valid. Ask for a new one.\nhttps://t.me/help"
NO_PROOF = "What you have sent does not connect \u2068alice\u2069 any more. A personal link does: ask for one.\nhttps://t.me/help"


@pytest.fixture
def shop(here: Listening) -> Shop:
    return Shop(here)


async def moves(shop: Shop, *chats: int, key: str = ALICE) -> None:
    """Somebody's link is made in one chat after the other."""
    for chat in chats:
        assert (await shop.hears(chat, f"/start {await shop.a_token(key)}"))[0].startswith("✅")


def texts(shop: Shop, chat: int) -> list[str]:
    """What is read in a chat, the newest last: a message that was edited is another one."""
    return [one["text"] for (there, _), one in shop.telegram.messages.items() if there == chat]


async def undoes(shop: Shop, chat: int) -> None:
    """Whoever is there presses the button; nothing of it is left to be answered."""
    shop.telegram.presses(chat, NOT_ME)
    await shop.step(after=60.0)
    assert shop.telegram.pressed == set()


async def presses(shop: Shop, chat: int, data: str) -> None:
    """A program presses what it likes, under a message that may be anybody's."""
    both: Mapping[str, Any] = {"id": chat, "is_bot": False, "first_name": "A", "language_code": "en"}
    there = {"id": chat, "type": "private", "first_name": "A"}
    shop.telegram.pressed.add(press := f"forged-{chat}-{len(shop.telegram.taken)}")
    shop.telegram.hears(
        callback_query={
            "id": press,
            "from": both,
            "message": {"date": 1, "chat": there},
            "chat_instance": "1",
            "data": data,
        }
    )
    await shop.step(after=60.0)


async def deeds(shop: Shop) -> list[tuple[str, str, Any]]:
    """What the operator reads that was done."""
    found = await shop.outbox.operate(lambda ledger: ledger.read(audit_records, limit=50))
    return [(one.action, one.who, one.detail) for one in reversed(found)]


async def test_the_chat_that_says_so_has_the_link_back_and_the_other_is_told_no_more(shop: Shop) -> None:
    await moves(shop, HERE, THERE)
    assert texts(shop, HERE)[-1] == MOVED
    await undoes(shop, HERE)
    assert await shop.linked() == str(HERE)
    assert texts(shop, HERE)[-1] == UNDONE
    assert texts(shop, THERE)[-1] == GONE
    assert await deeds(shop) == [("link undone", "themselves", {"key": ALICE})]


@pytest.mark.parametrize(
    ("language", "button", "answer"),
    [
        ("fa", "کار من نبود", "برگردانده شد. پیام‌های \u2068alice\u2069 دوباره این‌جا می‌آید."),
        ("ru", "Это был не я", "Отменено. Сообщения о \u2068alice\u2069 снова приходят сюда."),
    ],
)
async def test_in_the_language_of_whoever_is_there(shop: Shop, language: str, button: str, answer: str) -> None:
    await shop.hears(HERE, f"/start {await shop.a_token()}")
    await shop.hears(HERE, "/settings")
    shop.telegram.presses(HERE, {"fa": "فارسی", "ru": "Русский"}[language])
    await shop.step(after=60.0)
    await moves(shop, THERE)
    shop.telegram.presses(HERE, button)
    await shop.step(after=60.0)
    assert answer in texts(shop, HERE)


async def test_no_link_that_was_given_away_before_moves_them_again_and_one_given_later_does(shop: Shop) -> None:
    first, used, left = [await shop.a_token() for _ in range(3)]
    await shop.hears(HERE, f"/start {first}")
    await shop.hears(THERE, f"/start {used}")
    await undoes(shop, HERE)
    for chat, token in ((THERE, used), (THERE, left), (STRANGER, left), (THERE, first)):
        assert await shop.hears(chat, f"/start {token}") == [EXPIRED]
    assert await shop.linked() == str(HERE)
    await moves(shop, THERE)
    assert await shop.linked() == str(THERE)
    await undoes(shop, HERE)
    assert await shop.linked() == str(HERE)


async def test_pressed_twice_it_is_done_once(shop: Shop) -> None:
    await moves(shop, HERE, THERE)
    for _ in range(2):
        shop.telegram.presses(HERE, NOT_ME)
    await shop.step(after=60.0)
    await presses(shop, HERE, f"undo:{button_key(ALICE)}")
    assert await shop.linked() == str(HERE)
    assert len(await deeds(shop)) == 1
    assert shop.said(THERE).count(GONE) == 1
    assert shop.said(HERE)[-1] == UNDONE


async def test_after_a_day_it_is_too_late(shop: Shop) -> None:
    await moves(shop, HERE, THERE)
    shop.clock.step(DAY - 60.0)
    await undoes(shop, HERE)
    assert (await shop.linked(), shop.said(HERE)[-1]) == (str(THERE), TOO_LATE)
    assert await shop.outbox.operate(lambda ledger: ledger.read(proofs_stopped_at, ALICE)) is None


async def test_within_the_day_it_is_not(shop: Shop) -> None:
    await moves(shop, HERE, THERE)
    shop.clock.step(DAY - 61.0)
    await undoes(shop, HERE)
    assert await shop.linked() == str(HERE)


@pytest.mark.parametrize("data", [f"undo:{button_key(ALICE)}", f"undo:{button_key(BOB)}", "undo:" + "0" * 16])
async def test_in_a_chat_that_was_never_theirs_no_button_does_anything(shop: Shop, data: str) -> None:
    await moves(shop, HERE, THERE)
    await moves(shop, HERE, THERE, key=BOB)
    await presses(shop, STRANGER, data)
    await presses(shop, THERE, data)
    assert shop.said(STRANGER) == [TOO_LATE]
    assert [await shop.linked(key) for key in (ALICE, BOB)] == [str(THERE)] * 2
    assert await deeds(shop) == []


@pytest.mark.parametrize(
    "data", ["undo", "undo:", "undo:alice", f"undo:{ALICE}", f"undo:{'g' * 16}", "undo:on", "unlink:on"]
)
async def test_what_is_no_button_of_ours_is_not_heeded(shop: Shop, data: str) -> None:
    await moves(shop, HERE, THERE)
    said = shop.said(HERE)
    await presses(shop, HERE, data)
    assert shop.said(HERE) == said
    assert await shop.linked() == str(THERE)


async def test_a_button_is_about_one_of_a_chats_customers(shop: Shop) -> None:
    for key in (ALICE, BOB):
        await moves(shop, HERE, THERE, key=key)
    await presses(shop, HERE, f"undo:{button_key(BOB)}")
    assert [await shop.linked(key) for key in (ALICE, BOB)] == [str(THERE), str(HERE)]


async def test_of_a_deleted_user_nothing_comes_back_and_the_next_of_that_name_is_free(shop: Shop) -> None:
    await shop.tells(of_alice())
    await moves(shop, HERE, THERE, STRANGER)
    await undoes(shop, HERE)
    await moves(shop, THERE)
    await shop.delete("alice")
    await undoes(shop, HERE)
    assert (await shop.linked(), shop.said(HERE)[-1]) == (None, TOO_LATE)
    await shop.tells(of_alice("user_created", uuid=NEW_UUID))
    assert (await shop.shows(STRANGER, f"vless://{NEW_UUID}@127.0.0.1:443"))[0].startswith("✅")


async def test_a_stop_there_holds_and_is_said(shop: Shop) -> None:
    await moves(shop, HERE, THERE)
    await shop.hears(HERE, "/stop")
    await undoes(shop, HERE)
    assert (await shop.linked(), shop.said(HERE)[-1]) == (str(HERE), STILL_STOPPED)
    assert (await shop.wants()).stopped
    await shop.hears(HERE, "/start")
    assert not (await shop.wants()).stopped


async def test_a_stop_that_was_said_in_the_other_chat_ends_with_it(shop: Shop) -> None:
    await moves(shop, HERE, THERE)
    await shop.hears(THERE, "/stop")
    said = shop.said(THERE)
    await undoes(shop, HERE)
    assert not (await shop.wants()).stopped
    assert shop.said(HERE)[-1] == UNDONE
    assert shop.said(THERE) == said, "who wants nothing is told nothing"
    assert (await shop.wants(chat_scope(SENDER, THERE))).stopped


async def test_a_stop_of_the_operators_outlives_it(shop: Shop) -> None:
    await moves(shop, HERE, THERE)
    stop = {"stop": True, "by": "operator", "now": shop.clock.now()}
    await shop.outbox.operate(lambda ledger: ledger.write(set_stopped, ALICE, **stop))
    await undoes(shop, HERE)
    assert (await shop.wants()).stopped
    assert shop.said(HERE)[-1] == STILL_STOPPED


async def test_who_wanted_nothing_is_not_told_that_the_link_has_moved(shop: Shop) -> None:
    await moves(shop, HERE)
    await shop.hears(HERE, "/stop")
    said = shop.said(HERE)
    await moves(shop, THERE)
    assert shop.said(HERE) == said
    assert await shop.linked() == str(THERE)


async def test_who_had_it_first_has_it_last(shop: Shop) -> None:
    await moves(shop, HERE, THERE, STRANGER)
    await undoes(shop, THERE)
    assert await shop.linked() == str(THERE)
    await undoes(shop, HERE)
    assert await shop.linked() == str(HERE)
    await presses(shop, THERE, f"undo:{button_key(ALICE)}")
    assert (await shop.linked(), shop.said(THERE)[-1]) == (str(HERE), TOO_LATE)


async def test_that_holds_where_all_of_it_is_heard_at_once(shop: Shop) -> None:
    for chat in (HERE, THERE, STRANGER):
        shop.telegram.writes(chat, f"/start {await shop.a_token()}")
    await shop.step(after=60.0)
    await undoes(shop, HERE)
    await presses(shop, THERE, f"undo:{button_key(ALICE)}")
    assert await shop.linked() == str(HERE)


async def test_who_has_the_link_back_by_a_new_one_may_have_it_back_again(shop: Shop) -> None:
    await moves(shop, HERE, THERE, HERE, STRANGER)
    await presses(shop, THERE, f"undo:{button_key(ALICE)}")
    assert await shop.linked() == str(THERE)
    await undoes(shop, HERE)
    assert await shop.linked() == str(HERE)


async def test_where_nobody_has_the_link_any_more_it_comes_back_too(shop: Shop) -> None:
    await moves(shop, HERE, THERE)
    await shop.hears(THERE, "/settings")
    shop.telegram.presses(THERE, "Disconnect \u2068alice\u2069")
    await shop.step(after=60.0)
    assert await shop.linked() is None
    said = shop.said(THERE)
    await undoes(shop, HERE)
    assert await shop.linked() == str(HERE)
    assert shop.said(THERE) == said


async def test_what_is_shown_links_them_no_more_until_the_operator_says_so(shop: Shop) -> None:
    await shop.tells(of_alice(), of_alice(name="bob", uuid=NEW_UUID))
    await shop.shows(HERE, VLESS)
    await moves(shop, THERE)
    await undoes(shop, HERE)
    assert (await shop.shows(HERE, f"trojan://{PASSWORD}@127.0.0.1:443"))[0].startswith("✅"), "it is hers"
    await shop.outbox.operate(lambda ledger: ledger.write(end_links, ALICE, now=shop.clock.now()))
    for chat in (STRANGER, HERE):
        assert await shop.shows(chat, VLESS) == [NO_PROOF]
    assert await shop.linked() is None
    assert (await shop.shows(STRANGER, f"vless://{NEW_UUID}@127.0.0.1:443"))[0].startswith("✅"), "it is bob's"
    await moves(shop, THERE)
    assert await shop.outbox.operate(lambda ledger: ledger.write(allow_proofs, ALICE))
    assert not await shop.outbox.operate(lambda ledger: ledger.write(allow_proofs, ALICE))
    await shop.outbox.operate(lambda ledger: ledger.write(end_links, ALICE, now=shop.clock.now()))
    assert (await shop.shows(HERE, VLESS))[0].startswith("✅")


async def test_a_link_that_was_made_by_what_is_void_does_not_come_back(shop: Shop) -> None:
    await shop.tells(of_alice())
    await shop.shows(HERE, VLESS)
    await moves(shop, THERE)
    await shop.tells(of_alice("subscription_revoked", uuid=NEW_UUID))
    await undoes(shop, HERE)
    assert (await shop.linked(), shop.said(HERE)[-1]) == (str(THERE), TOO_LATE)


async def test_it_comes_back_as_it_was_made(shop: Shop) -> None:
    await shop.tells(of_alice())
    await shop.shows(HERE, VLESS)
    await moves(shop, THERE)
    await undoes(shop, HERE)
    [link] = await shop.outbox.operate(lambda ledger: ledger.read(links_of, ALICE))
    assert (link.chat, link.how) == (str(HERE), "proof")


async def test_whom_the_operator_has_unlinked_no_button_links_again(shop: Shop) -> None:
    await moves(shop, HERE, THERE)
    assert await shop.outbox.operate(lambda ledger: ledger.write(end_links, ALICE, now=shop.clock.now())) == 1
    await shop.rests()
    assert shop.said(THERE)[-1] == GONE
    await undoes(shop, HERE)
    assert (await shop.linked(), shop.said(HERE)[-1]) == (None, TOO_LATE)


async def test_an_update_that_is_told_twice_undoes_once(shop: Shop) -> None:
    """Killed after the commit and before the answer; and what was confirmed is told once more."""
    await moves(shop, HERE, THERE)
    shop.clock.step(60.0)
    shop.telegram.presses(HERE, NOT_ME)
    [update] = shop.telegram.updates
    say, shop.bot._say = shop.bot._say, _killed  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await shop.bot.step(shop.plan)
    assert await shop.linked() == str(HERE)
    shop.bot._say = say  # type: ignore[method-assign]
    await shop.rests()
    shop.telegram.hears(callback_query=update["callback_query"])
    await shop.step(after=60.0)
    assert await shop.linked() == str(HERE)
    assert len(await deeds(shop)) == 1
    assert shop.said(THERE).count(GONE) == 1


async def _killed(*args: object) -> None:
    raise RuntimeError("killed")


async def test_the_right_is_forgotten_with_its_day_and_no_sooner(shop: Shop, any_store_url: str) -> None:
    await moves(shop, HERE, THERE)
    for later, count in ((BACK_WITHIN - timedelta(seconds=1), 1), (BACK_WITHIN + timedelta(minutes=2), 0)):
        now = shop.clock.now() + later
        await shop.outbox.operate(lambda ledger, now=now: ledger.write(delete_over, now=now))
        assert len(rows(any_store_url, moved)) == count


async def test_with_a_user_goes_what_keeps_the_next_of_that_name_from_a_link(shop: Shop, any_store_url: str) -> None:
    await moves(shop, HERE, THERE, STRANGER)
    await undoes(shop, THERE)
    assert (len(rows(any_store_url, moved)), len(rows(any_store_url, proof_stops))) == (2, 1)
    await shop.delete("alice")
    assert (rows(any_store_url, moved), rows(any_store_url, proof_stops)) == ([], [])


async def test_the_settings_end_a_link_and_what_was_left_of_it(shop: Shop) -> None:
    for key in (ALICE, BOB):
        await moves(shop, HERE, key=key)
    await shop.hears(HERE, "/settings")
    assert shop.buttons(HERE)[-2:] == ["Disconnect \u2068alice\u2069", "Disconnect \u2068bob\u2069"]
    shop.telegram.presses(HERE, "Disconnect \u2068alice\u2069")
    await shop.step(after=60.0)
    assert [await shop.linked(key) for key in (ALICE, BOB)] == [None, str(HERE)]
    assert texts(shop, HERE)[-1] == GONE
    await presses(shop, HERE, f"unlink:{button_key(ALICE)}")
    assert shop.buttons(HERE)[-1:] == ["Disconnect \u2068bob\u2069"]


async def test_nobody_disconnects_another_chats_customer(shop: Shop) -> None:
    await moves(shop, HERE)
    await presses(shop, STRANGER, f"unlink:{button_key(ALICE)}")
    assert await shop.linked() == str(HERE)
    assert shop.said(STRANGER) == ["What shall I tell you?"]


async def test_a_chat_that_gave_a_link_up_has_no_right_to_it(shop: Shop) -> None:
    await moves(shop, HERE, THERE, HERE)
    await presses(shop, HERE, f"unlink:{button_key(ALICE)}")
    await presses(shop, HERE, f"undo:{button_key(ALICE)}")
    assert (await shop.linked(), shop.said(HERE)[-1]) == (None, TOO_LATE)


async def test_no_button_holds_a_name(shop: Shop) -> None:
    await moves(shop, HERE, THERE)
    shop.telegram.presses(HERE, NOT_ME)
    [update] = shop.telegram.updates
    assert update["callback_query"]["data"] == f"undo:{button_key(ALICE)}"
    assert "alice" not in update["callback_query"]["data"]
