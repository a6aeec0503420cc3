"""Whose fault a refusal is: the place's, that of something in between, or the message's."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from yarl import URL

from bridge.outcome import Away, Delivered, Gone
from bridge.sinks.base import HttpSink
from bridge.sinks.discord import answers as discord_answers
from bridge.sinks.http import Http, Response
from bridge.sinks.ntfy import answers as ntfy_answers
from bridge.sinks.slack import answers as slack_answers
from bridge.sinks.telegram import answers as telegram_answers
from tests.services.discord import Discord
from tests.services.every import EVERY, WAYS
from tests.services.gohighlevel import LOCATION, TRIGGER, GoHighLevel
from tests.services.gohighlevel import TOKEN as LOCATION_TOKEN
from tests.services.known import SECRET
from tests.services.ntfy import TOPIC, Ntfy
from tests.services.receiver import Receiver
from tests.services.service import Answer, Service, serving
from tests.services.slack import HOOK, Slack
from tests.services.slack import TOKEN as SLACK_TOKEN
from tests.services.telegram import TOKEN as BOT_TOKEN
from tests.services.telegram import Telegram
from tests.sinks.values import a_message, a_sink, between, config, tools

BLOCKS = {"text": "hi", "title": "hi"}
JOHN = {"user": {"email": "john@example.com"}}


def telegram_at(base: str) -> dict[str, Any]:
    return {"type": "telegram", "token": BOT_TOKEN, "chat_id": -1001, "api_base": base}


def slack_at(base: str) -> dict[str, Any]:
    return {"type": "slack", "token": SLACK_TOKEN, "channel": "#notifications", "api_base": base + "/api"}


TELEGRAM_SAYS = [
    (400, "Bad Request: chat not found"),
    (400, "Bad Request: not enough rights to send text messages to the chat"),
    (400, "Bad Request: need administrator rights in the channel chat"),
    (400, "Bad Request: have no rights to send a message"),
    (400, "Bad Request: message thread not found"),
    (400, "Bad Request: TOPIC_CLOSED"),
    (400, "Bad Request: TOPIC_DELETED"),
    (400, "Bad Request: CHAT_WRITE_FORBIDDEN"),
    (400, "Bad Request: CHAT_RESTRICTED"),
    (400, "Bad Request: CHAT_SEND_PLAIN_FORBIDDEN"),
    (400, "Bad Request: USER_BANNED_IN_CHANNEL"),
    (400, "Bad Request: group chat was deactivated"),
    (400, "Bad Request: group chat was upgraded to a supergroup chat"),
    (400, "Bad Request: PEER_ID_INVALID"),
    (400, "Bad Request: CHANNEL_PRIVATE"),
    (400, "Bad Request: CHAT_ADMIN_REQUIRED"),
    (400, "Bad Request: TOPIC_ID_INVALID"),
    (400, "Bad Request: chat_id is empty"),
    (403, "Forbidden: bot is not a member of the channel chat"),
    (403, "Forbidden: bot was kicked from the supergroup chat"),
    (403, "Forbidden: bot was blocked by the user"),
    (403, "Forbidden: the group chat was deleted"),
    (403, "Forbidden: user is deactivated"),
    (401, "Unauthorized"),
    (404, "Not Found"),
    *((400, f"Bad Request: {phrase}") for phrase in telegram_answers.GONE),
]


@pytest.mark.parametrize(("status", "description"), TELEGRAM_SAYS)
async def test_what_telegram_says_of_the_chat_is_about_the_place(http: Http, status: int, description: str) -> None:
    service = Telegram()
    async with serving(service) as base:
        service.fault = (status, description)
        attempt = await a_sink(http, **telegram_at(base)).send(a_message(BLOCKS))
    assert attempt.outcome == Gone(f"HTTP {status}: {description}")
    assert service.requests == 1


SLACK_SAYS = {
    "channel_not_found",
    "is_archived",
    "not_in_channel",
    "access_denied",
    "not_allowed_token_type",
    "restricted_action_read_only_channel",
    *slack_answers.GONE,
}


@pytest.mark.parametrize("name", sorted(SLACK_SAYS))
async def test_what_slack_says_of_the_channel_or_the_token_is_about_the_place(http: Http, name: str) -> None:
    service = Slack()
    async with serving(service) as base:
        service.fault = name
        by_token = await a_sink(http, **slack_at(base)).send(a_message(BLOCKS))
        assert by_token.outcome == Gone(f"HTTP 200: {name}")
        for service.fault_status in (400, 403, 404, 410):
            by_hook = await a_sink(http, type="slack", url=base + HOOK).send(a_message(BLOCKS))
            said = Gone(f"HTTP {service.fault_status}: {name}")
            # one word without an underscore could be anybody's; that one is never said to a webhook
            assert by_hook.outcome == (between(service.fault_status, "a text") if name == "accesslimited" else said)


DISCORD_SAYS = {
    (400, 160005, "Thread is locked"),
    (400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id"),
    (403, 50001, "Missing Access"),
    (403, 50013, "Missing Permissions"),
    (404, 10015, "Unknown Webhook"),
    (404, 10003, "Unknown Channel"),
    (401, 50027, "Invalid Webhook Token"),
    *((400, code, message) for code, message in discord_answers.GONE.items()),
}


@pytest.mark.parametrize(("status", "code", "message"), sorted(DISCORD_SAYS))
async def test_what_discord_says_of_the_channel_is_about_the_place(
    http: Http, status: int, code: int, message: str
) -> None:
    service = Discord()
    async with serving(service) as base:
        service.fault = (status, code, message)
        attempt = await a_sink(http, type="discord", url=base + service.path(), thread_id="7").send(a_message(BLOCKS))
    assert attempt.outcome == Gone(f"HTTP {status}, code {code}: {message}")


@pytest.mark.parametrize(("code", "error"), sorted(ntfy_answers.GONE.items()))
async def test_what_ntfy_says_of_the_topic_is_about_the_place(http: Http, code: int, error: str) -> None:
    service, status = Ntfy(), code // 100
    async with serving(service) as base:
        service.fault = (status, code, error)
        attempt = await a_sink(http, type="ntfy", topic=TOPIC, api_base=base).send(a_message(BLOCKS))
    assert attempt.outcome == Gone(f"HTTP {status}, code {code}: {error}")
    assert service.requests == 1


@pytest.mark.parametrize("code", discord_answers.NO_THREAD)
async def test_a_messages_own_thread_never_speaks_for_the_channel(http: Http, code: int) -> None:
    service = Discord(threads=("77",))
    message = a_message(BLOCKS, type_="message.posted", data={"message": {"content": "hi", "thread_id": "77"}})
    async with serving(service) as base:
        service.thread_fault = (403, code, "not here")
        attempt = await a_sink(http, type="discord", url=base + service.path()).send(message)
    assert isinstance(attempt.outcome, Delivered)
    assert "thread_id" not in service.taken[0].query


@pytest.mark.parametrize("status", [401, 402, 403, 404, 410])
async def test_what_highlevel_says_of_the_location_is_about_the_place(http: Http, status: int) -> None:
    service = GoHighLevel()
    async with serving(service) as base:
        service.fault = (status, "The token does not have access to this location.")
        settings: dict[str, Any] = {"api_key": LOCATION_TOKEN, "location_id": LOCATION, "api_base": base}
        by_key = await a_sink(http, type="gohighlevel", **settings).send(a_message(data=JOHN))
        by_trigger = await a_sink(http, type="gohighlevel", url=base + TRIGGER).send(a_message(data=JOHN))
    said = Gone(f"HTTP {status}: The token does not have access to this location.")
    assert (by_key.outcome, by_trigger.outcome) == (said, said)


PAGE = b"<!DOCTYPE html>\n<html><title>Attention Required! | Cloudflare</title></html>"
GATEWAYS = [b"", b"Forbidden", b"error code: 1010", b'{"message":"Forbidden"}', b'{"code":403,"message":"no"}', b"[]"]
GATEWAYS += [PAGE, b'{"error":"unauthorized"}', b'{"ok":false}', b'{"error":{"code":404}}', b'"no"', b"\xff\xfe"]
#: Ways to reach a service that speaks HTTP.
OVER_HTTP = [way for way, (known, _, _) in WAYS.items() if isinstance(config(**known).open(tools()), HttpSink)]
#: Ways to reach a service whose answers have a shape.
SHAPED = {
    name: way
    for name, way in WAYS.items()
    if way[0]["type"] not in ("zapier", "webhook") and name != "gohighlevel endpoint"
}


@pytest.mark.parametrize("way", SHAPED)
@pytest.mark.parametrize("body", GATEWAYS)
def test_what_has_not_the_shape_of_the_service_was_said_by_something_in_between(way: str, body: bytes) -> None:
    settings = SHAPED[way][0]
    for status in (400, 401, 403, 404, 407, 410, 451):
        if settings["type"] == "slack" and body == b'{"ok":false}':
            continue  # that is Slack's
        outcome = config(**settings).open(tools()).classify(Response(status, {}, body))
        assert isinstance(outcome, Away)
        assert not outcome.counts
        assert outcome.after is None


@pytest.mark.parametrize("way", SHAPED)
@pytest.mark.parametrize("body", [PAGE, b"", b"fine", b"[]"])
def test_nothing_is_taken_for_delivered_that_the_service_did_not_say(way: str, body: bytes) -> None:
    outcome = config(**SHAPED[way][0]).open(tools()).classify(Response(200, {}, body))
    assert isinstance(outcome, Away)
    assert not outcome.counts


@pytest.mark.parametrize("way", OVER_HTTP)
def test_a_proxy_that_wants_a_password_is_in_between(way: str) -> None:
    for status in (407, 511):
        outcome = config(**WAYS[way][0]).open(tools()).classify(Response(status, {"retry-after": "30"}, PAGE))
        assert outcome == Away(
            f"HTTP {status} with a web page, which is not the service's own answer", 30.0, counts=False
        )


def test_zapier_has_no_shape_so_that_only_410_is_gone() -> None:
    sink = a_sink(type="zapier", url="https://hooks.zapier.com/hooks/catch/1/2/")
    assert sink.classify(Response(410, {}, PAGE)) == Gone("HTTP 410: the hook is gone")
    for body in (b"", PAGE, b'{"status":"error"}'):
        for status in (401, 403, 404):
            outcome = sink.classify(Response(status, {}, body))
            assert isinstance(outcome, Away)
            assert not outcome.counts


HERE = URL("https://here.example/hook")


def redirects(target: Callable[[], str]) -> Iterator[Response]:
    for status in (301, 308):
        yield Response(status, {"location": target()}, PAGE, HERE)


@pytest.mark.parametrize("way", OVER_HTTP)
@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/hook/", "/hook/ at https://here.example"),
        ("http://here.example/hook", "/hook at http://here.example"),
        ("https://HERE.example:8443/v2?token=x#y", "/v2 at https://here.example:8443"),
        ("//user:pass@here.example/v2", "/v2 at https://here.example"),
    ],
)
def test_a_place_that_has_moved_on_its_host_is_gone_and_says_where_to(way: str, location: str, shown: str) -> None:
    for response in redirects(lambda: location):
        outcome = config(**WAYS[way][0]).open(tools()).classify(response)
        assert outcome == Gone(f"HTTP {response.status}: moved to {shown}")


@pytest.mark.parametrize("way", OVER_HTTP)
@pytest.mark.parametrize("location", ["https://login.example/", "//portal.example/?x", "", "http://[", "mailto:x@y"])
def test_a_redirect_to_somewhere_else_is_something_in_between(way: str, location: str) -> None:
    sink = config(**WAYS[way][0]).open(tools())
    away = [*redirects(lambda: location)]
    away += [Response(status, {"location": "/hook/"}, b"", HERE) for status in (300, 302, 303, 304, 307)]
    for response in away:
        outcome = sink.classify(response)
        assert isinstance(outcome, Away)
        assert not outcome.counts


@pytest.mark.parametrize("name", sorted({WAYS[way][0]["type"] for way in OVER_HTTP}))
def test_where_it_has_moved_to_gives_no_secret_away(name: str) -> None:
    sink = config(type=name, **EVERY[name].example).open(tools())
    attempt = sink.judge(Response(308, {"location": f"https://here.example/{SECRET}/{SECRET}?x={SECRET}"}, b"", HERE))
    assert attempt.outcome == Gone("HTTP 308: moved to /***/*** at https://here.example")


async def test_where_it_was_sent_to_decides_whether_it_stays_on_its_host(http: Http) -> None:
    service: Service = Receiver()
    async with serving(service) as base:
        sink = a_sink(http, type="webhook", url=base + "/hook")
        service.answer_next(Answer(301, "", {"Location": "/v2/"}), Answer(308, "", {"Location": "http://b.example/"}))
        outcomes = [(await sink.send(a_message())).outcome for _ in range(2)]
    assert outcomes == [Gone(f"HTTP 301: moved to /v2/ at {base}"), between(308, "a redirect to b.example")]


def test_a_refusal_that_repeats_the_message_is_not_about_the_place() -> None:
    for phrase in telegram_answers.GONE:
        said = {"ok": False, "error_code": 400, "description": f'Bad Request: URL "x/{phrase}" is invalid'}
        response = Response(400, {}, json.dumps(said).encode())
        assert not isinstance(a_sink(**telegram_at("https://api.telegram.org")).classify(response), Gone)
