"""Updates: what is said later edits the earlier message or answers it, and is never lost when that is gone."""

import json
from typing import Any

import pytest

from bridge.outcome import Away, Delivered, Gone, Limited
from bridge.sinks.http import Http
from tests.services.discord import ID, Discord
from tests.services.discord import TOKEN as WEBHOOK_TOKEN
from tests.services.service import Answer, serving
from tests.services.slack import HOOK, Slack
from tests.services.slack import TOKEN as SLACK_TOKEN
from tests.services.telegram import TOKEN, Telegram
from tests.sinks.values import a_deletion, a_message, a_sink, an_update

LOST = {"title": "fra-1 is away", "text": "fra-1 is away", "color": "#ff0000", "content": "look"}
BACK = {"title": "fra-1 is back", "text": "fra-1 is back", "color": "#00ff00"}
ANEW = "the earlier message is not there any more: sent anew"


def a_discord(http: Http, base: str, **settings: Any) -> Any:
    return a_sink(http, type="discord", url=f"{base}/api/webhooks/{ID}/{WEBHOOK_TOKEN}", **settings)


def a_bot(http: Http, base: str, **settings: Any) -> Any:
    given = {"token": SLACK_TOKEN, "channel": "#notifications", "api_base": f"{base}/api"}
    return a_sink(http, type="slack", **(given | settings))


def a_telegram(http: Http, base: str, **settings: Any) -> Any:
    return a_sink(http, **({"type": "telegram", "token": TOKEN, "chat_id": -1001, "api_base": base} | settings))


def ref_of(attempt: Any) -> str:
    assert isinstance(attempt.outcome, Delivered)
    assert attempt.outcome.ref
    return str(attempt.outcome.ref)


async def test_discord_turns_the_red_message_green_and_keeps_its_id(http: Http) -> None:
    service = Discord()
    async with serving(service) as base:
        sink = a_discord(http, base, username="Panel", avatar_url="https://x.example/a.png")
        ref = ref_of(await sink.send(a_message(LOST)))
        attempt = await sink.send(an_update(ref, BACK, silent=True))
    assert attempt.outcome == Delivered(ref)
    assert len(service.messages) == 1
    edit = service.taken[1]
    assert edit.path.endswith(f"/{WEBHOOK_TOKEN}/messages/{ref}")
    assert dict(edit.query) == {}
    assert set(edit.body) == {"content", "embeds", "allowed_mentions"}
    assert (edit.body["content"], edit.body["embeds"][0]["color"]) == ("", 0x00FF00)


async def test_discord_edits_a_message_in_the_thread_that_it_is_in(http: Http) -> None:
    service = Discord(threads=("77",))
    async with serving(service) as base:
        sink = a_discord(http, base, thread_id="77")
        ref = ref_of(await sink.send(a_message(LOST)))
        attempt = await sink.send(an_update(ref, BACK))
    assert ref.endswith("/77")
    assert attempt.outcome == Delivered(ref)
    assert dict(service.taken[1].query) == {"thread_id": "77"}


async def test_discord_edits_a_message_in_the_thread_that_it_began(http: Http) -> None:
    service = Discord(forum=True)
    async with serving(service) as base:
        sink = a_discord(http, base, thread_name="x")
        ref = ref_of(await sink.send(a_message(LOST | {"thread_name": "fra-1"})))
        attempt = await sink.send(an_update(ref, BACK))
    assert attempt.outcome == Delivered(ref)
    assert len(service.messages) == 1


async def test_discord_says_it_anew_where_the_message_was_deleted(http: Http) -> None:
    service = Discord()
    async with serving(service) as base:
        attempt = await a_discord(http, base).send(an_update("99", BACK))
    assert attempt.outcome == Delivered(ref="1400000000000000001", note=ANEW)
    assert attempt.requests == 2
    assert service.taken[0].query == {"wait": "true"}


@pytest.mark.parametrize(("status", "code"), [(404, 10003), (403, 50005), (400, 50083)])
async def test_discord_says_it_anew_where_the_message_cannot_be_edited(http: Http, status: int, code: int) -> None:
    service = Discord()
    async with serving(service) as base:
        service.answer_next(Answer(status, {"message": "no", "code": code}))
        attempt = await a_discord(http, base).send(an_update("99", BACK))
    assert attempt.outcome == Delivered(ref="1400000000000000001", note=ANEW)


async def test_a_deleted_webhook_is_gone_for_an_edit_too(http: Http) -> None:
    service = Discord()
    service.deleted = True
    async with serving(service) as base:
        attempt = await a_discord(http, base).send(an_update("99", BACK))
    assert attempt.outcome == Gone("HTTP 404, code 10015: Unknown Webhook")
    assert service.requests == 1


async def test_too_many_edits_of_an_old_message_are_a_limit_and_no_second_message(http: Http) -> None:
    service = Discord()
    async with serving(service) as base:
        service.answer_next(Answer(429, {"message": "too many edits", "code": 30046, "retry_after": 12.5}))
        attempt = await a_discord(http, base).send(an_update("99", BACK))
    assert attempt.outcome == Limited(12.5)
    assert attempt.scopes == ("ip discord invalid",)


@pytest.mark.parametrize("ref", ["", "x", "1/2/3", "C1/1732160058.000001"])
async def test_a_webhook_cannot_answer_and_no_foreign_id_is_edited(http: Http, ref: str) -> None:
    service = Discord()
    async with serving(service) as base:
        sink = a_discord(http, base)
        first = ref_of(await sink.send(a_message(LOST)))
        for update in (an_update(first, BACK, thread=True), an_update(ref, BACK)):
            attempt = await sink.send(update)
            assert isinstance(attempt.outcome, Delivered)
            assert attempt.outcome.note is None
    assert len(service.messages) == 3


async def test_telegram_edits_the_text_and_the_buttons(http: Http) -> None:
    service = Telegram()
    buttons = [{"text": "Open", "url": "x"}]
    async with serving(service) as base:
        sink = a_telegram(http, base, buttons=buttons, message_thread_id=7, protect_content=True)
        links = {"button_0_text": "Open", "button_0_url": "https://panel.example/"}
        ref = ref_of(await sink.send(a_message(LOST | links)))
        attempt = await sink.send(an_update(ref, BACK | links, silent=True))
    assert ref == "-1001/1"
    assert attempt.outcome == Delivered(ref)
    assert service.taken[1].body == {
        "chat_id": -1001,
        "message_id": 1,
        "text": "fra-1 is back",
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
        "reply_markup": {"inline_keyboard": [[{"text": "Open", "url": "https://panel.example/"}]]},
    }


async def test_a_message_that_says_so_already_is_delivered(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        sink = a_telegram(http, base)
        ref = ref_of(await sink.send(a_message(BACK)))
        attempt = await sink.send(an_update(ref, BACK))
    assert attempt.outcome == Delivered(ref)
    assert len(service.taken) == 1


async def test_telegram_answers_in_the_thread(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        sink = a_telegram(http, base, message_thread_id=7)
        ref = ref_of(await sink.send(a_message(LOST)))
        attempt = await sink.send(an_update(ref, BACK, thread=True))
    assert attempt.outcome == Delivered("-1001/2")
    assert service.taken[1].body["reply_parameters"] == {"message_id": 1, "allow_sending_without_reply": True}
    assert service.taken[1].body["message_thread_id"] == 7


async def test_an_answer_to_what_was_deleted_is_a_message_of_its_own(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        attempt = await a_telegram(http, base).send(an_update("-1001/9", BACK, thread=True))
    assert attempt.outcome == Delivered("-1001/1")


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize(
    "description",
    [
        "Bad Request: message to edit not found",
        "Bad Request: message can't be edited",
        "Bad Request: MESSAGE_ID_INVALID",
        "Bad Request: there is no text in the message to edit",
        "Bad Request: message to be replied not found",
    ],
)
async def test_telegram_says_it_anew_where_the_message_is_gone(http: Http, description: str, thread: bool) -> None:
    service = Telegram()
    async with serving(service) as base:
        service.answer_next(Answer(400, {"ok": False, "error_code": 400, "description": description}))
        attempt = await a_telegram(http, base).send(an_update("-1001/9", BACK, thread=thread))
    assert attempt.outcome == Delivered("-1001/1", ANEW)
    assert "reply_parameters" not in service.taken[0].body
    assert attempt.requests == 2


async def test_a_message_of_another_chat_is_never_edited(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        ref = ref_of(await a_telegram(http, base).send(a_message(LOST)))
        attempt = await a_telegram(http, base, chat_id=42).send(an_update(ref, BACK))
    assert attempt.outcome == Delivered("42/2")
    assert service.messages[(-1001, 1)]["text"] == "fra-1 is away"


async def test_a_message_of_a_chat_that_moved_meanwhile_is_sent_anew_to_its_new_place(http: Http) -> None:
    service = Telegram(moved={-77: -10077})
    async with serving(service) as base:
        attempt = await a_telegram(http, base, chat_id=-77).send(an_update("-77/1", BACK))
    assert attempt.outcome == Delivered("-10077/1", "the chat has moved: set chat_id to -10077")


async def test_markup_that_telegram_refuses_in_an_edit_is_sent_again_as_plain_text(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        sink = a_telegram(http, base)
        ref = ref_of(await sink.send(a_message(LOST)))
        attempt = await sink.send(an_update(ref, {"text": "<b>back"}))
    assert ref_of(attempt) == ref
    assert service.messages[(-1001, 1)]["text"] == "back"


async def test_slack_edits_with_a_token_by_the_channels_id(http: Http) -> None:
    service = Slack()
    async with serving(service) as base:
        sink = a_bot(http, base, username="Panel", icon_emoji="robot_face")
        ref = ref_of(await sink.send(a_message(LOST)))
        attempt = await sink.send(an_update(ref, BACK))
    assert ref == "C0123456/1732160058.000001"
    assert attempt.outcome == Delivered(ref)
    assert set(service.taken[1].body) == {"channel", "ts", "text", "blocks"}
    assert service.messages["1732160058.000001"]["text"] == "fra-1 is back"


async def test_slack_answers_in_the_thread_of_the_first_message_however_often(http: Http) -> None:
    service = Slack()
    async with serving(service) as base:
        sink = a_bot(http, base)
        ref = ref_of(await sink.send(a_message(LOST)))
        for _ in range(3):
            ref = ref_of(await sink.send(an_update(ref, BACK, thread=True)))
    assert ref == "C0123456/1732160058.000001"
    assert [one.body.get("thread_ts") for one in service.taken[1:]] == ["1732160058.000001"] * 3
    assert service.refused == []


async def test_the_operators_thread_wins(http: Http) -> None:
    service = Slack(threads=("1700000000.000001",))
    async with serving(service) as base:
        sink = a_bot(http, base, thread_ts="1700000000.000001")
        ref = ref_of(await sink.send(a_message(LOST)))
        await sink.send(an_update(ref, BACK, thread=True))
    assert [one.body["thread_ts"] for one in service.taken] == ["1700000000.000001"] * 2


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize(
    "name", ["message_not_found", "cant_update_message", "edit_window_closed", "update_failed", "thread_not_found"]
)
async def test_slack_says_it_anew_where_the_message_is_gone(http: Http, name: str, thread: bool) -> None:
    service = Slack()
    async with serving(service) as base:
        service.answer_next(Answer(200, {"ok": False, "error": name}))
        attempt = await a_bot(http, base).send(an_update("C0123456/1732160058.000009", BACK, thread=thread))
    assert attempt.outcome == Delivered("C0123456/1732160058.000001", ANEW)
    assert "thread_ts" not in service.taken[0].body
    assert attempt.requests == 2


async def test_slack_says_it_anew_in_another_channel_and_by_a_webhook(http: Http) -> None:
    service = Slack()
    async with serving(service) as base:
        other = await a_bot(http, base, channel="C0123456").send(an_update("C7654321/1732160058.000009", BACK))
        hook = await a_sink(http, type="slack", url=base + HOOK).send(an_update("C0123456/1732160058.000001", BACK))
    assert other.outcome == Delivered("C0123456/1732160058.000001")
    assert hook.outcome == Delivered()
    assert [json.dumps(one.body).count("fra-1 is back") for one in service.taken] == [2, 2]


# taken back


async def test_discord_deletes_the_message_in_the_thread_that_it_is_in(http: Http) -> None:
    service = Discord(threads=("77",))
    async with serving(service) as base:
        sink = a_discord(http, base, thread_id="77")
        ref = ref_of(await sink.send(a_message(LOST)))
        attempt = await sink.send(a_deletion(ref))
        again = await sink.send(a_deletion(ref))
    assert isinstance(attempt.outcome, Delivered)
    assert again.outcome == Delivered()
    assert (service.messages, service.taken[1].query) == ({}, {"thread_id": "77"})


async def test_telegram_deletes_the_message(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        sink = a_telegram(http, base)
        ref = ref_of(await sink.send(a_message(LOST)))
        attempt = await sink.send(a_deletion(ref))
        again = await sink.send(a_deletion(ref))
    assert isinstance(attempt.outcome, Delivered)
    assert again.outcome == Delivered()
    assert service.messages == {}


async def test_a_slack_bot_deletes_the_message(http: Http) -> None:
    service = Slack()
    async with serving(service) as base:
        sink = a_bot(http, base)
        ref = ref_of(await sink.send(a_message(LOST)))
        attempt = await sink.send(a_deletion(ref))
        again = await sink.send(a_deletion(ref))
    assert isinstance(attempt.outcome, Delivered)
    assert again.outcome == Delivered()
    assert service.messages == {}


@pytest.mark.parametrize("status", [502, 429])
async def test_a_deletion_that_finds_nobody_in_is_tried_again_like_any_message(http: Http, status: int) -> None:
    service = Discord()
    async with serving(service) as base:
        sink = a_discord(http, base)
        ref = ref_of(await sink.send(a_message(LOST)))
        service.answer_next(Answer(status, {"message": "no", "retry_after": 2.0}))
        attempt = await sink.send(a_deletion(ref))
    assert isinstance(attempt.outcome, Away | Limited)
    assert len(service.messages) == 1
