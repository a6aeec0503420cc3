"""A report with its picture in Discord: in the embed, in one request, and never lost for it."""

import json
from typing import Any

import pytest

from bridge.chart import Chart
from bridge.message import Message
from bridge.outcome import Delivered, Refused
from bridge.sinks.http import Http
from bridge.sinks.picture import drawn
from tests.services.discord import CHANNEL, ID, TOKEN, Discord
from tests.services.service import Answer, serving
from tests.sinks.values import a_digest, a_message, a_sink, an_update

PATH = f"/api/webhooks/{ID}/{TOKEN}"
CHART = Chart([0, 2, 4], {0: "00", 2: "12"})
SIGNS = "▁▅█"
BLOCKS = {"title": "Report", "description": "12 events"}


def report(**blocks: str) -> Message:
    return a_message({**BLOCKS, **blocks, "chart": CHART.block})


def a_discord(http: Http | None = None, base: str = "https://discord.example", **settings: Any) -> Any:
    return a_sink(http, type="discord", url=f"{base}{PATH}", **settings)


async def test_the_picture_goes_with_the_message_in_one_request_and_stands_in_its_embed(http: Http) -> None:
    service = Discord()
    async with serving(service) as base:
        attempt = await a_discord(http, base, username="Night shift").send(report())
    assert isinstance(attempt.outcome, Delivered)
    assert (attempt.requests, service.requests, service.refused) == (1, 1, [])
    assert [(one.filename, one.content_type) for one in service.files] == [("report.png", "image/png")]
    assert service.files[0].content == drawn(CHART)
    said = service.taken[0].body
    assert said["attachments"] == [{"id": "0", "filename": "report.png"}]
    assert said["embeds"][0] | {"timestamp": ""} == {
        "title": "Report",
        "description": "12 events",
        "image": {"url": "attachment://report.png"},
        "timestamp": "",
    }
    assert said["username"] == "Night shift"
    assert said["allowed_mentions"] == {"parse": []}


async def test_where_the_picture_is_refused_the_message_is_told_without_it(http: Http) -> None:
    service = Discord()
    service.refuses_files = True
    async with serving(service) as base:
        attempt = await a_discord(http, base).send(report())
    assert isinstance(attempt.outcome, Delivered)
    assert (attempt.outcome.note or "").startswith("sent without its picture: HTTP 400, code 50035")
    [taken] = service.taken
    assert taken.body["embeds"][0]["description"] == f"12 events\n{SIGNS}"
    assert "attachments" not in taken.body


async def test_a_message_that_is_refused_without_its_picture_too_is_refused(http: Http) -> None:
    service = Discord()
    async with serving(service) as base:
        service.answer_next(*[Answer(400, {"code": 240000, "message": "Message blocked by harmful links filter"})] * 2)
        attempt = await a_discord(http, base).send(report())
    assert isinstance(attempt.outcome, Refused)
    assert service.requests == 2


async def test_in_a_forum_it_begins_a_thread_with_its_picture(http: Http) -> None:
    service = Discord(forum=True)
    async with serving(service) as base:
        attempt = await a_discord(http, base, thread_name="{{ event.type }}").send(report(thread_name="Reports"))
    assert isinstance(attempt.outcome, Delivered)
    id_, _, thread = (attempt.outcome.ref or "").partition("/")
    assert thread == id_ != CHANNEL
    assert len(service.files) == 1


async def test_an_edit_tells_it_in_signs_and_takes_the_earlier_picture_away(http: Http) -> None:
    service = Discord()
    async with serving(service) as base:
        sink = a_discord(http, base)
        first = await sink.send(report())
        edit = await sink.send(an_update(first.outcome.ref, report(description="13 events").blocks))
    assert edit.outcome == first.outcome
    said = service.taken[-1].body
    assert said["attachments"] == []
    assert said["embeds"][0]["description"] == f"13 events\n{SIGNS}"
    assert "image" not in said["embeds"][0]


async def test_a_digest_tells_its_reports_in_signs(http: Http) -> None:
    service = Discord()
    async with serving(service) as base:
        await a_discord(http, base).send_digest(a_digest({"title": "2"}, report(), report()))
    assert [one.get("description") for one in service.taken[0].body["embeds"][1:]] == [f"12 events\n{SIGNS}"] * 2


def test_where_nothing_draws_it_is_told_in_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.sinks.picture.can_be_drawn", lambda: False)
    request = a_discord().build(report())
    assert json.loads(request.body)["embeds"][0]["description"] == f"12 events\n{SIGNS}"


def test_a_page_is_told_what_is_sent() -> None:
    request = a_discord().build(report())
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert json.loads(request.json)["embeds"][0]["image"] == {"url": "attachment://report.png"}
