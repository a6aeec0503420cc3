"""A report with its picture in Telegram: as one message where the text has room below it, and never lost for it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bridge.chart import Chart
from bridge.message import Message
from bridge.outcome import Attempt, Delivered, Gone, Limited
from bridge.sinks.http import Http
from bridge.sinks.picture import drawn
from tests.services.service import Answer, serving
from tests.services.telegram import TOKEN, Telegram
from tests.services.telegram_html import parsed_html
from tests.sinks.values import a_digest, a_message, a_sink, an_update

BASE: dict[str, Any] = {"type": "telegram", "token": TOKEN, "chat_id": -1001}
CHART = Chart([0, 2, 4], {0: "00", 2: "12"})
SIGNS = "▁▅█"
LONG = "<b>" + "x" * 1025 + "</b>"


def report(text: str = "<b>Report</b>", **given: Any) -> Message:
    return a_message({"text": text, "chart": CHART.block}, **given)


async def told(
    http: Http, service: Telegram, message: Message, *, after: Callable[[], None] = lambda: None, **settings: Any
) -> Attempt:
    async with serving(service) as base:
        after()
        return await a_sink(http, **(BASE | settings), api_base=base).send(message)


def methods(service: Telegram) -> list[str]:
    return [one.path.rpartition("/")[2] for one in service.taken]


async def test_a_text_that_has_room_is_the_caption_of_its_picture(http: Http) -> None:
    service = Telegram()
    attempt = await told(http, service, report(), message_thread_id=7, protect_content=True)
    assert attempt.outcome == Delivered(ref="-1001/1")
    assert service.pictures == [drawn(CHART)]
    assert service.taken[0].body == {
        "chat_id": -1001,
        "caption": "<b>Report</b>",
        "parse_mode": "HTML",
        "message_thread_id": 7,
        "protect_content": True,
        "photo": "attach://report.png",
    }


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x" * 1024, ["sendPhoto"]),
        ("<b>" + "&lt;" * 1024 + "</b>", ["sendPhoto"]),  # counted without markup
        ("x" * 1025, ["sendMessage", "sendPhoto"]),
        ("<b>x</b>" * 101, ["sendMessage", "sendPhoto"]),  # entities
    ],
)
async def test_a_text_that_is_too_long_for_a_caption_goes_before_the_picture(
    http: Http, text: str, wanted: list[str]
) -> None:
    service = Telegram()
    button = {"text": "look", "url": "https://panel.example.com/"}
    attempt = await told(http, service, report(text), buttons=[button])
    assert attempt.outcome == Delivered(ref="-1001/1")
    assert attempt.requests == len(wanted)
    assert methods(service) == wanted
    assert service.pictures == [drawn(CHART)]
    if len(wanted) == 2:
        assert service.taken[1].body == {
            "chat_id": -1001,
            "disable_notification": True,
            "photo": "attach://report.png",
        }


@pytest.mark.parametrize(
    "fault",
    [
        (400, "Bad Request: not enough rights to send photos to the chat"),
        (400, "Bad Request: CHAT_SEND_PHOTOS_FORBIDDEN"),
        (400, "Bad Request: PHOTO_INVALID_DIMENSIONS"),
        (413, "Request Entity Too Large"),
    ],
)
@pytest.mark.parametrize("text", ["<b>Report</b>", LONG])
async def test_where_no_picture_is_taken_the_text_is_and_the_lane_is_not_parked_for_it(
    http: Http, text: str, fault: tuple[int, str]
) -> None:
    service = Telegram()
    service.photo_fault = fault
    attempt = await told(http, service, report(text))
    assert isinstance(attempt.outcome, Delivered)
    assert attempt.outcome.ref == "-1001/1"
    assert (attempt.outcome.note or "").startswith(f"sent without its picture: HTTP {fault[0]}")
    [taken] = service.taken
    assert taken.body["text"] == (f"{text}\n{SIGNS}" if text != LONG else LONG)


async def test_a_chat_that_is_gone_is_gone_with_and_without_a_picture(http: Http) -> None:
    service = Telegram()
    service.fault = (403, "Forbidden: bot was kicked from the supergroup chat")
    attempt = await told(http, service, report())
    assert isinstance(attempt.outcome, Gone)


async def test_once_the_text_is_there_it_is_not_told_again_whatever_becomes_of_the_picture(http: Http) -> None:
    class Ends(Telegram):
        def _photo(self, request: Any, body: bytes) -> Any:
            request.transport.abort()
            return super()._photo(request, body)

    service = Ends()
    attempt = await told(http, service, report(LONG))
    assert isinstance(attempt.outcome, Delivered)
    assert (attempt.outcome.note or "").startswith("sent without its picture: no answer")
    assert attempt.outcome.ref == "-1001/1"


async def test_a_picture_that_is_to_wait_is_left_and_the_wait_is_kept(http: Http) -> None:
    service = Telegram()
    service.photo_fault = (429, "Too Many Requests: retry after 7", {"retry_after": 7})
    limited = Answer(429, {"ok": False, "error_code": 429, "description": "wait", "parameters": {"retry_after": 7}})
    attempt = await told(http, service, report(), after=lambda: service.answer_next(limited))
    assert attempt.outcome == Limited(after=7)  # nothing was told yet
    attempt = await told(http, service, report(LONG))
    assert isinstance(attempt.outcome, Delivered)
    assert attempt.outcome.note == "sent without its picture: it asks to wait"
    assert attempt.pause == 7


async def test_a_caption_that_cannot_be_read_is_sent_again_as_plain_text(http: Http) -> None:
    service = Telegram()
    attempt = await told(http, service, report("<b>hi<br> &lt;bye&gt; <i>"))
    assert isinstance(attempt.outcome, Delivered)
    assert methods(service) == ["sendPhoto"]
    assert service.taken[0].body["caption"] == "hi <bye>"


async def test_a_chat_that_has_moved_gets_text_and_picture(http: Http) -> None:
    service = Telegram(moved={-77: -10077})
    attempt = await told(http, service, report(LONG), chat_id=-77)
    assert attempt.outcome == Delivered(ref="-10077/1", note="the chat has moved: set chat_id to -10077")
    assert [one.body["chat_id"] for one in service.taken] == [-10077, -10077]


async def test_an_edit_is_one_of_a_text_and_a_photo_is_told_anew(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        sink = a_sink(http, **BASE, api_base=base)
        text = await sink.send(a_message({"text": "old"}))
        edited = await sink.send(an_update(text.outcome.ref, report().blocks))  # type: ignore[union-attr]
        photo = await sink.send(report())
        anew = await sink.send(an_update(photo.outcome.ref, report().blocks))  # type: ignore[union-attr]
        answer = await sink.send(an_update(photo.outcome.ref, report().blocks, thread=True))  # type: ignore[union-attr]
    assert edited.outcome == Delivered(ref="-1001/1")
    assert service.messages[(-1001, 1)]["text"] == f"<b>Report</b>\n{SIGNS}"
    assert isinstance(anew.outcome, Delivered)
    assert anew.outcome.ref == "-1001/3"
    assert isinstance(answer.outcome, Delivered)
    assert methods(service)[-1] == "sendPhoto"
    assert service.taken[-1].body["reply_parameters"]["message_id"] == 2


async def test_a_digest_tells_its_reports_in_signs(http: Http) -> None:
    service = Telegram()
    async with serving(service) as base:
        attempt = await a_sink(http, **BASE, api_base=base).send_digest(a_digest({"text": "2"}, report(), report()))
    assert isinstance(attempt.outcome, Delivered)
    assert parsed_html(service.taken[0].body["text"])[0].count(SIGNS) == 2


def test_where_nothing_draws_it_is_told_in_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.sinks.picture.can_be_drawn", lambda: False)
    request = next(a_sink(**BASE).flow(report()))
    assert json.loads(request.body)["text"] == f"<b>Report</b>\n{SIGNS}"


def test_what_is_built_for_a_look_is_what_is_sent_first() -> None:
    sink = a_sink(**BASE)
    assert sink.build(report()) == next(sink.flow(report()))
    assert sink.build(report(LONG)) == next(sink.flow(report(LONG)))
    assert json.loads(sink.build(report()).json)["caption"] == "<b>Report</b>"
