"""Linking by what a customer has: her link shows whose chat it is, and what others make of it does nothing.

Over a real store on each engine, the real door of each panel, and a strict Telegram.
"""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from bridge.people.flood_control import GUESSES, PAUSE
from bridge.people.link import HOLDS, new_token
from bridge.people.proof import MOST, ProofKey
from bridge.store.queries.links import delete_over, links_of
from bridge.store.queries.wishes import set_stopped
from bridge.store.schema import link_tokens, links, proofs, unlinked
from bridge.value import replace
from tests.polling.a_bot import ALICE, BOB, HERE, STRANGER, THERE, Listening, everything
from tests.polling.a_shop import NEW_UUID, PASSWORD, UUID_OF_ALICE, UUID_OF_BOB, VLESS, Shop, of_alice, rows
from tests.services.telegram_updates import a_private_chat

HELLO = "Hi! I tell you before your plan runs out. To connect, open your personal link"
UNKNOWN = (
    "I do not know this one. Send your subscription link, or one of your configs (vless://, vmess://, trojan://, ss://),"
    " exactly as you got it.\nhttps://t.me/help"
)
HAS_CHAT = (
    "\u2068alice\u2069 is connected to another chat already. A personal link moves it here: ask for one."
    "\nhttps://t.me/help"
)
REVOKED = (
    "Your link was renewed, and messages about \u2068alice\u2069 do not come here any more."
    " Send me the new link or config, and they do again.\nhttps://t.me/help"
)
UNLINKED = "Messages about \u2068alice\u2069 do not come here any more.\nhttps://t.me/help"


@pytest.fixture
def shop(here: Listening) -> Shop:
    return Shop(here)


async def test_who_sends_one_of_her_configs_is_told_there_and_her_message_is_deleted(shop: Shop) -> None:
    await shop.tells(of_alice())
    [answer] = await shop.shows(HERE, f" my config:\n{VLESS}")
    assert answer.startswith("✅ Done! I will write to you here about \u2068alice\u2069.")
    assert await shop.linked() == str(HERE)
    assert await shop.linked(BOB) is None
    assert shop.telegram.deleted == [f" my config:\n{VLESS}"]


async def test_who_has_deleted_her_message_herself_is_answered_all_the_same(shop: Shop) -> None:
    await shop.tells(of_alice())
    shop.telegram.writes(HERE, VLESS)
    shop.telegram.written.clear()
    await shop.step(after=60.0)
    assert shop.said(HERE)[0].startswith("✅")


@pytest.mark.parametrize(
    ("panel", "element", "shown"),
    [
        ("marzban", of_alice(), f"trojan://{PASSWORD}@127.0.0.1:443"),
        (
            "pasarguard",
            {
                "action": "user_updated",
                "username": "alice",
                "user": {"proxy_settings": {"vless": {"id": UUID_OF_ALICE}}},
            },
            VLESS,
        ),
        (
            "marzneshin",
            {
                "action": "user_updated",
                "user": {"username": "alice", "key": "ce161c435a98551e80139e84505e5cbd", "is_active": True},
            },
            "https://panel.example.com/sub/alice/ce161c435a98551e80139e84505e5cbd",
        ),
        (
            "remnawave",
            {"event": "user.modified", "data": {"username": "alice", "shortUuid": "aBcD3fGh1jKl"}},
            "https://sub.example.com/aBcD3fGh1jKl",
        ),
    ],
)
async def test_each_panels_own_link_is_taken(shop: Shop, panel: str, element: Any, shown: str) -> None:
    await shop.tells(element, panel=panel, name="marzban")
    assert (await shop.shows(HERE, shown))[0].startswith("✅")
    assert await shop.linked() == str(HERE)
    [link] = await shop.outbox.operate(lambda ledger: ledger.read(links_of, ALICE))
    assert link.how == "proof"


async def test_what_is_nobodys_or_somebody_elses_links_nothing_and_is_deleted_as_well(shop: Shop) -> None:
    await shop.tells(of_alice(), of_alice(name="bob", uuid=NEW_UUID))
    wrong = f"vless://{UUID(int=UUID(UUID_OF_ALICE).int + 1)}@127.0.0.1:443"
    assert await shop.shows(STRANGER, wrong) == [UNKNOWN]
    assert await shop.shows(STRANGER, "https://sub.example.com/sub/ZXhhbXBsZV91c2VyLDE3OTUyMzQ0NTk1Xfb04-HGO") == [
        UNKNOWN
    ]
    assert await shop.linked() is None
    assert (await shop.shows(STRANGER, f"vless://{NEW_UUID}@127.0.0.1:443"))[0].startswith("✅")
    assert await shop.linked() is None
    assert await shop.linked(BOB) == str(STRANGER)
    assert len(shop.telegram.deleted) == 3


async def test_it_never_takes_the_place_of_a_link_that_stands(shop: Shop) -> None:
    await shop.tells(of_alice())
    await shop.hears(HERE, f"/start {await shop.a_token()}")
    before = len(shop.said(HERE))
    assert await shop.shows(STRANGER, VLESS) == [HAS_CHAT]
    assert await shop.linked() == str(HERE)
    assert len(shop.said(HERE)) == before
    assert (await shop.shows(HERE, VLESS))[0].startswith("✅")
    [link] = await shop.outbox.operate(lambda ledger: ledger.read(links_of, ALICE))
    assert link.how == "token"


async def test_it_does_not_take_the_place_of_a_link_that_was_made_by_it_either(shop: Shop) -> None:
    await shop.tells(of_alice())
    await shop.shows(HERE, VLESS)
    assert await shop.shows(THERE, VLESS) == [HAS_CHAT]
    assert await shop.linked() == str(HERE)
    await shop.hears(THERE, f"/start {await shop.a_token()}")
    assert await shop.linked() == str(THERE)
    assert shop.said(HERE)[-1] == "Messages about \u2068alice\u2069 now go to another chat."


@pytest.mark.parametrize("known", [str(HERE), HERE])
async def test_it_does_not_lead_away_from_the_chat_that_the_directory_names(shop: Shop, known: Any) -> None:
    await shop.tells(of_alice())
    await shop.outbox.keep_directory("one", [(ALICE, {"telegram": known})])
    assert await shop.shows(STRANGER, VLESS) == [HAS_CHAT]
    assert await shop.linked() is None
    assert (await shop.shows(HERE, VLESS))[0].startswith("✅")


async def test_it_does_not_lead_away_from_the_chat_that_the_panel_names(shop: Shop) -> None:
    def told(chat: int | None) -> Any:
        return {
            "event": "user.modified",
            "data": {"username": "alice", "shortUuid": "aBcD3fGh1jKl", "telegramId": chat},
        }

    shown, key = "https://sub.example.com/aBcD3fGh1jKl", "remnawave/user:alice"
    await shop.tells(told(HERE), panel="remnawave")
    await shop.tells(told(STRANGER), panel="remnawave", name="other")  # another alice
    assert (await shop.shows(STRANGER, shown))[1:] == [HAS_CHAT]
    assert [await shop.linked(one) for one in ("other/user:alice", key)] == [str(STRANGER), None]
    await shop.tells(told(-1001), told(None), panel="remnawave")
    assert (await shop.shows(THERE, shown))[1].startswith("✅")
    assert await shop.linked(key) == str(THERE)


async def test_a_revoked_subscription_ends_what_was_linked_by_it_and_its_chat_is_told_once(
    shop: Shop, any_store_url: str
) -> None:
    await shop.tells(of_alice())
    await shop.shows(HERE, VLESS)
    await shop.tells(of_alice("subscription_revoked", uuid=NEW_UUID))
    assert await shop.linked() is None
    await shop.rests()
    await shop.rests()
    assert shop.said(HERE)[1:] == [REVOKED]
    assert rows(any_store_url, unlinked) == []
    assert await shop.shows(STRANGER, VLESS) == [UNKNOWN]
    assert (await shop.shows(HERE, f"vless://{NEW_UUID}@127.0.0.1:443"))[0].startswith("✅")


async def test_what_was_revoked_is_not_revived_by_an_older_event_that_comes_late(shop: Shop) -> None:
    await shop.tells(of_alice())
    await shop.tells(of_alice("subscription_revoked", uuid=NEW_UUID))
    await shop.tells(of_alice("user_expired"))
    assert await shop.shows(STRANGER, VLESS) == [UNKNOWN]


async def test_a_link_that_the_operator_gave_away_outlives_a_revoked_subscription(shop: Shop) -> None:
    await shop.tells(of_alice())
    await shop.hears(HERE, f"/start {await shop.a_token()}")
    await shop.tells(of_alice("subscription_revoked", uuid=NEW_UUID))
    await shop.rests()
    assert await shop.linked() == str(HERE)
    assert len(shop.said(HERE)) == 1


@pytest.mark.parametrize("by_token", [True, False])
async def test_a_deleted_users_chat_is_told_and_a_new_one_of_that_name_inherits_nothing(
    shop: Shop, by_token: bool
) -> None:
    await shop.tells(of_alice())
    await shop.shows(HERE, f"/start {await shop.a_token()}" if by_token else VLESS)
    await shop.tells({"action": "user_deleted", "username": "alice", "tries": 0})
    await shop.tells(of_alice("user_created", uuid=NEW_UUID))
    assert await shop.linked() is None
    assert await shop.shows(STRANGER, VLESS) == [UNKNOWN]
    await shop.tells(of_alice("user_expired"))  # of the one that was deleted, and late
    assert await shop.shows(STRANGER, VLESS) == [UNKNOWN]
    await shop.rests()
    assert shop.said(HERE)[1:] == [UNLINKED]


async def test_what_is_revoked_and_deleted_is_told_as_deleted_and_who_is_linked_again_is_told_nothing(
    shop: Shop,
) -> None:
    await shop.tells(of_alice(), of_alice(name="bob", uuid=UUID_OF_BOB))
    await shop.shows(HERE, VLESS)
    await shop.shows(THERE, f"vless://{UUID_OF_BOB}@127.0.0.1:443")
    await shop.tells(*(of_alice("subscription_revoked", name=one, uuid=NEW_UUID) for one in ("alice", "bob")))
    await shop.tells({"action": "user_deleted", "username": "alice"})
    token = await shop.a_token(BOB)
    shop.telegram.writes(THERE, f"/start {token}")
    await shop.rests()
    await shop.rests()
    assert shop.said(HERE)[1:] == [UNLINKED]
    assert [one[:6] for one in shop.said(THERE)] == ["✅ Done", "✅ Done"]


async def test_all_of_it_holds_within_one_request_too(shop: Shop) -> None:
    await shop.tells(
        of_alice(), of_alice("subscription_revoked", uuid=NEW_UUID), of_alice("user_limited", uuid=NEW_UUID)
    )
    assert await shop.shows(STRANGER, VLESS) == [UNKNOWN]
    await shop.tells({"action": "user_deleted", "username": "alice", "user": of_alice(uuid=NEW_UUID)["user"]})
    assert await shop.shows(THERE, f"vless://{NEW_UUID}@127.0.0.1:443") == [UNKNOWN]


async def test_two_panels_with_one_name_are_two(shop: Shop) -> None:
    await shop.tells(of_alice(), name="marzban")
    await shop.tells(of_alice(uuid=NEW_UUID), name="other")
    await shop.shows(HERE, VLESS)
    assert await shop.linked() == str(HERE)
    assert await shop.linked("other/user:alice") is None
    await shop.tells({"action": "user_deleted", "username": "alice"}, name="other")
    assert await shop.linked() == str(HERE)


async def test_the_next_event_says_anew_what_shows_it(shop: Shop, any_store_url: str) -> None:
    await shop.tells(of_alice())
    await shop.tells(of_alice(uuid=NEW_UUID), of_alice(uuid=NEW_UUID))
    assert await shop.shows(HERE, VLESS) == [UNKNOWN]
    assert (await shop.shows(HERE, f"vless://{NEW_UUID}@127.0.0.1:443"))[0].startswith("✅")
    await shop.tells({"action": "user_expired", "username": "alice"})  # that says nothing of it
    assert (await shop.shows(HERE, f"vless://{NEW_UUID}@127.0.0.1:443"))[0].startswith("✅")
    assert len(rows(any_store_url, proofs)) == 2


async def test_so_much_is_kept_of_one_and_no_more(shop: Shop, any_store_url: str) -> None:
    element = of_alice()
    element["user"]["proxies"] = {
        str(one): {"id": str(UUID(int=2**127 + 2**90 * one + 987654321))} for one in range(100)
    }
    await shop.tells(element)
    assert len(rows(any_store_url, proofs)) == MOST


async def test_whose_clients_share_a_subscription_has_all_of_them(shop: Shop) -> None:
    await shop.tells(of_alice(), of_alice(name="bob"))
    assert len(await shop.shows(HERE, VLESS)) == 2
    assert {await shop.linked(key) for key in (ALICE, BOB)} == {str(HERE)}
    assert shop.telegram.deleted == [VLESS]


FORWARDED = [
    {"forward_origin": {"type": "user"}},
    {"forward_date": 1},
    {"via_bot": {"id": 5}},
    {"sender_chat": {"id": 5}},
]


@pytest.mark.parametrize("more", FORWARDED)
async def test_what_is_forwarded_is_not_heeded(shop: Shop, more: Any) -> None:
    await shop.tells(of_alice())
    shop.telegram.writes(STRANGER, VLESS, **more)
    await shop.step(after=60.0)
    assert shop.telegram.taken == []
    assert await shop.linked() is None


@pytest.mark.parametrize(
    "text",
    [
        VLESS + "#" * 4096,
        f"{VLESS}\ntrojan://{PASSWORD}@127.0.0.1:443",
        UUID_OF_ALICE,
        PASSWORD,
        "alice",
        "/proof alice",
        ALICE,
    ],
)
async def test_what_is_huge_or_several_or_no_link_shows_nothing(shop: Shop, text: str) -> None:
    await shop.tells(of_alice())
    answers = await shop.shows(STRANGER, text)
    assert answers == [] or (len(answers) == 1 and answers[0].startswith(HELLO))
    assert await shop.linked() is None
    assert shop.telegram.deleted == []


async def test_in_a_group_nothing_is_taken(shop: Shop) -> None:
    await shop.tells(of_alice())
    group = {"id": -1001, "type": "supergroup", "title": "A group"}
    said = {"message_id": 7, "date": 1, **a_private_chat(STRANGER), "chat": group, "text": VLESS}
    shop.telegram.hears(message=said)
    await shop.step(after=60.0)
    assert shop.telegram.taken == []
    assert await shop.linked() is None


async def test_what_is_weak_links_nobody_though_a_panel_has_it(shop: Shop, any_store_url: str) -> None:
    element = of_alice()
    element["user"]["proxies"] = {
        "trojan": {"password": "1234"},
        "vless": {"id": "00000000-0000-0000-0000-000000000000"},
    }
    await shop.tells(element)
    assert rows(any_store_url, proofs) == []
    assert (await shop.shows(STRANGER, "trojan://1234@127.0.0.1:443"))[0].startswith(HELLO)


async def test_a_guess_counts_as_a_wrong_link_and_who_guesses_is_not_heeded_for_a_day(shop: Shop) -> None:
    await shop.tells(of_alice())
    for number in range(4):
        assert await shop.shows(STRANGER, f"vless://{UUID(int=2**127 + number + 987654321)}@127.0.0.1:443") == [UNKNOWN]
    assert len(await shop.hears(STRANGER, f"/start {new_token()}")) == 1
    assert await shop.shows(STRANGER, VLESS) == []
    assert await shop.hears(STRANGER, f"/start {await shop.a_token(holds=HOLDS)}") == []
    assert (await shop.shows(HERE, VLESS))[0].startswith("✅")


async def test_who_shows_what_is_another_chats_is_not_heeded_without_end(shop: Shop) -> None:
    await shop.tells(of_alice())
    await shop.shows(HERE, VLESS)
    for _ in range(5):
        assert await shop.shows(STRANGER, VLESS) == [HAS_CHAT]
    assert await shop.shows(STRANGER, VLESS) == []


async def test_many_who_guess_together_are_not_heeded_for_a_while(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    await shop.tells(of_alice())
    crowd = range(800_000, 800_000 + GUESSES)
    shop.telegram.chats += crowd
    for chat in crowd:
        shop.telegram.writes(chat, f"vless://{UUID(int=2**127 + chat)}@127.0.0.1:443")
    with caplog.at_level(logging.WARNING):
        while shop.telegram.updates:
            await shop.step()
    assert [one.getMessage() for one in caplog.records].count("bot.guessed") == 1
    shop.telegram.writes(HERE, VLESS)
    await shop.step()
    assert await shop.linked() is None
    assert "✅" in (await shop.hears(THERE, f"/start {await shop.a_token(BOB)}"))[0]
    shop.clock.step(PAUSE)
    assert (await shop.shows(HERE, VLESS))[0].startswith("✅")


async def test_without_a_key_nothing_is_taken_and_nothing_is_kept(shop: Shop, any_store_url: str) -> None:
    shop.plan = replace(shop.plan, proof_key=None)
    await shop.tells(of_alice(), key=None)
    assert rows(any_store_url, proofs) == []
    assert await shop.shows(HERE, VLESS) == [f"{HELLO}.\nhttps://t.me/help"]
    assert shop.telegram.deleted == []


async def test_with_another_key_nobody_is_known_until_the_next_event(shop: Shop) -> None:
    await shop.tells(of_alice())
    other = ProofKey("another-key-of-thirty-two-signs-or-more")
    shop.plan = replace(shop.plan, proof_key=other)
    assert await shop.shows(HERE, VLESS) == [UNKNOWN]
    await shop.tells(of_alice(), key=other)
    assert (await shop.shows(HERE, VLESS))[0].startswith("✅")


async def test_who_wants_nothing_is_not_told_of_its_end(shop: Shop) -> None:
    await shop.tells(of_alice(), of_alice(name="bob", uuid=NEW_UUID))
    await shop.shows(HERE, VLESS)
    await shop.hears(HERE, "/stop")
    await shop.shows(THERE, f"vless://{NEW_UUID}@127.0.0.1:443")
    stop = {"stop": True, "by": "operator", "now": shop.clock.now()}
    await shop.outbox.operate(lambda ledger: ledger.write(set_stopped, BOB, **stop))
    said = shop.said(HERE), shop.said(THERE)
    await shop.tells(*({"action": "user_deleted", "username": one} for one in ("alice", "bob")))
    await shop.rests()
    assert (shop.said(HERE), shop.said(THERE)) == said


async def test_many_who_are_deleted_at_once_keep_nobody_waiting_who_writes(shop: Shop) -> None:
    names = [f"user-{number}" for number in range(60)]
    uuids = [str(UUID(int=2**127 + 2**90 * number + 987654321)) for number in range(60)]
    await shop.tells(*(of_alice(name=name, uuid=uuid) for name, uuid in zip(names, uuids, strict=True)))
    shop.telegram.chats += range(900_000, 900_060)
    for number, uuid in enumerate(uuids):
        shop.telegram.writes(900_000 + number, f"vless://{uuid}@127.0.0.1:443")
    await shop.step(after=60.0)
    await shop.tells(*({"action": "user_deleted", "username": name} for name in names))
    assert (await shop.hears(HERE, "/start"))[0].startswith("Hi!")
    for _ in range(6):
        await shop.rests()
    assert all(len(shop.said(900_000 + number)) == 2 for number in range(60))


async def test_a_kill_between_hearing_and_answering_links_once_and_answers(shop: Shop, any_store_url: str) -> None:
    await shop.tells(of_alice())
    shop.telegram.writes(HERE, VLESS)
    say, shop.bot._say = shop.bot._say, _killed  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await shop.bot.step(shop.plan)
    assert await shop.linked() == str(HERE)
    assert not any(one in everything(any_store_url) for one in (UUID_OF_ALICE, PASSWORD))
    shop.bot._say = say  # type: ignore[method-assign]
    await shop.rests()
    assert [one[:6] for one in shop.said(HERE)] == ["✅ Done"]
    assert shop.telegram.deleted == [VLESS]


async def _killed(*args: object) -> None:
    raise RuntimeError("killed")


async def test_what_is_void_is_forgotten_with_what_was_closed(shop: Shop, any_store_url: str) -> None:
    await shop.tells(of_alice())
    await shop.shows(HERE, VLESS)
    await shop.tells(of_alice("subscription_revoked", uuid=NEW_UUID))
    for later, count, waiting in ((-1.0, 4, 1), (1.0, 2, 0)):
        before = shop.clock.now() + timedelta(seconds=later)
        await shop.outbox.operate(lambda ledger, before=before: ledger.write(delete_over, before=before))
        assert (len(rows(any_store_url, proofs)), len(rows(any_store_url, unlinked))) == (count, waiting)


async def test_no_hash_of_hers_shows_what_it_is_of(shop: Shop, any_store_url: str) -> None:
    await shop.tells(of_alice())
    found = rows(any_store_url, proofs)
    assert {len(one.hash) for one in found} == {32}
    assert {one.key for one in found} == {ALICE}
    assert rows(any_store_url, links) == rows(any_store_url, link_tokens) == []
