"""What every sink must do, whichever service it speaks to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError
from yarl import URL

import bridge.sinks
from bridge.message import Circumstances, Digest, Message
from bridge.outcome import Attempt, Away, Delivered, Gone, Limit, Limited, Rate, Refused
from bridge.panels import DIALECTS
from bridge.sinks import SinkSettings
from bridge.sinks.base import Flow, HttpSink, ProgramConfig, Retry, ServiceSink, Sink, SinkConfig
from bridge.sinks.console import ConsoleSink
from bridge.sinks.http import Http, Request, Response
from bridge.sinks.secrets import KnownSecrets
from bridge.sinks.webhook import WebhookConfig, WebhookSink
from bridge.terms import Quiet, Storm
from bridge.value import replace
from tests.services.every import CHATS, EVERY, WAYS
from tests.services.known import SECRET, SIGNING, at
from tests.services.receiver import Receiver
from tests.services.service import Answer, parsed, serving
from tests.sinks.values import CONFIGS, a_digest, a_message, between, config, hostile_texts, json_values, tools

#: Modules that are no sinks.
SHARED = (
    "attempts",
    "base",
    "buttons",
    "chats",
    "digest",
    "deadlines",
    "ears",
    "inbox",
    "html",
    "http",
    "markdown",
    "picture",
    "questions",
    "rates",
    "reachability",
    "remedies",
    "responses",
    "secrets",
    "settings",
    "terminal",
    "text",
    "trust",
)
PROXY = "http://proxy-user:pr0xy-Passw0rd@127.0.0.1:1"

every = pytest.mark.parametrize("name", EVERY)
every_chat = pytest.mark.parametrize("name", CHATS)
over_http = pytest.mark.parametrize("name", [name for name, known in EVERY.items() if known.ways])

#: Keys that the services' answers have.
WORDS = [
    "ok",
    "error",
    "code",
    "message",
    "errors",
    "retry_after",
    "parameters",
    "description",
    "result",
    "id",
    "contact",
]
WORDS += ["ts", "warning", "response_metadata"]
OURS = Delivered | Limited | Away | Refused | Gone
#: Every program, and a webhook in each of its formats.
TESTED: list[dict[str, Any]] = [
    {"type": "zapier", "url": "https://hooks.zapier.com/hooks/catch/1/abc/"},
    {"type": "gohighlevel", "url": "https://services.leadconnectorhq.com/hooks/a/webhook-trigger/b"},
    *(
        {"type": "webhook", "url": "https://example.com/hook", "format": one}
        for one in get_args(WebhookConfig.model_fields["format"].annotation)
    ),
]
BODIES = (
    b"",
    b"ok",
    b"null",
    b"[]",
    b"{}",
    b'"x"',
    b"\xff\xfe",
    b"<html>",
    b"[" * 5000,
    b"1e999",
    b'{"retry_after":[]}',
)


def example(name: str, **more: Any) -> Any:
    return config(type=name, **{**EVERY[name].example, **more})


def a_sink(name: str, http: Http | None = None, **more: Any) -> Any:
    return example(name, **more).open(tools(http))


def test_the_union_names_every_module_of_the_folder() -> None:
    files = {path.stem for path in Path(bridge.sinks.__path__[0]).glob("[!_]*")} - {*SHARED}
    assert {cls.model_fields["type"].default for cls in CONFIGS} == files


@pytest.mark.parametrize("cls", CONFIGS)
def test_every_setting_is_described(cls: type[SinkConfig]) -> None:
    assert [name for name, field in cls.model_fields.items() if not field.description] == []
    assert (cls.__doc__ or "").strip()


def test_the_settings_have_a_json_schema() -> None:
    schema = TypeAdapter(SinkSettings).json_schema()
    assert set(schema["discriminator"]["mapping"]) == set(EVERY)


def paced(sink: Any) -> list[Limit]:
    """The limits that every send counts against."""
    return [limit for limit in sink.limits if limit.sends]


@every
def test_a_sink_says_how_it_is_spoken_to(name: str) -> None:
    sink = a_sink(name, locale="ru", retry={"max_retries": 1}, rate="2/min")
    assert sink.look.locale == "ru"
    assert paced(sink) == [Limit("", Rate(2, 60.0))]
    assert sink.retry == Retry(max_retries=1)


def is_marked(request: Request) -> bool:
    said = json.loads(request.body)
    if request.headers.get("Panelbridge-Test") == "1":
        return True
    return isinstance(said, dict) and (said.get("test") is True or "Test" in said.get("tags", ()))


@pytest.mark.parametrize("example", TESTED, ids=lambda one: one.get("format", one["type"]))
def test_every_program_can_tell_a_test_from_an_event(example: dict[str, Any]) -> None:
    """And is told nothing of it by an event: what is documented stays as it is."""
    sink = config(**example).open(tools(None, DIALECTS))
    message = a_message(data={"user": {"username": "alice", "email": "alice@example.com"}})
    assert not is_marked(sink.build(message))
    assert is_marked(sink.build(replace(message, circumstances=Circumstances(test=True))))


PROGRAMS = [cls.model_fields["type"].default for cls in CONFIGS if issubclass(cls, ProgramConfig)]
QUIET = {"hours": "22:00-07:00", "mode": "silent"}


@every
def test_a_sink_has_all_that_a_lane_asks_for(name: str) -> None:
    sink: Sink = a_sink(name, quiet=QUIET, storm={"backlog": 7})
    assert sink.quiet == Quiet.model_validate(QUIET)
    assert sink.storm == Storm(backlog=7)
    assert (sink.concurrency, len(sink.address)) == (1, 16)


@every
def test_only_chats_have_a_storm_guard_unless_told(name: str) -> None:
    assert a_sink(name).storm == (Storm() if name in CHATS else None)
    assert a_sink(name, storm=None).storm is None


@every
def test_only_programs_take_several_at_once(name: str) -> None:
    if name in PROGRAMS:
        assert a_sink(name, concurrency=8).concurrency == 8
    else:
        with pytest.raises(ValidationError, match="Extra inputs"):
            a_sink(name, concurrency=8)


#: Ways to reach a service whose secrets would show in a careless scope.
SECRETIVE = [
    {"type": name, **settings_} for name, known in EVERY.items() for settings_ in (known.example, *known.secretive)
]


@pytest.mark.parametrize("given", SECRETIVE)
def test_no_limit_gives_a_secret_away(given: dict[str, Any]) -> None:
    sink = config(**given).open(tools())
    assert SECRET not in " ".join(limit.scope for limit in sink.limits)
    assert SECRET not in sink.address


@pytest.mark.parametrize("given", SECRETIVE)
def test_a_rate_of_the_operators_replaces_every_limit_on_sends(given: dict[str, Any]) -> None:
    assert paced(config(**given, rate="7/s").open(tools())) == [Limit("", Rate(7, 1.0))]
    assert paced(config(**given, rate="unlimited").open(tools())) == []


@every
def test_the_address_is_another_when_it_leads_elsewhere_and_only_then(name: str) -> None:
    plain = a_sink(name).address
    manners = [{}, {"timeout": "5s"}, {"locale": "ru"}, {"rate": "1/s"}, {"quiet": QUIET}, {"enabled": False}]
    assert {a_sink(name, **given).address for given in manners} == {plain}
    elsewhere = [{"proxy": PROXY}]
    elsewhere += [
        {key: value.replace(SECRET, SECRET[::-1])}
        for key, value in EVERY[name].example.items()
        if SECRET in str(value) and isinstance(value, str)
    ]
    assert len({plain, *(a_sink(name, **given).address for given in elsewhere)}) == 1 + len(elsewhere)


def body_of(name: str, message: Message | Digest) -> dict[str, Any]:
    """What goes out, which the service must take."""
    settings_, _, way = next(way for way in WAYS.values() if way[0]["type"] == name)
    sink = config(**settings_).open(tools())
    request = sink.build_digest(message) if isinstance(message, Digest) else sink.build(message)
    assert list(way.faults(request, [])) == []
    said: dict[str, Any] = parsed(request.body)
    return said


@every_chat
def test_a_silent_message_wakes_nobody_where_the_service_can(name: str) -> None:
    silences = [CHATS[name].silences] if CHATS[name].silences else []
    message, digest = a_message({"text": "x"}), a_digest({"text": "x"})
    for silent, loud in (
        (replace(message, circumstances=Circumstances(silent=True)), message),
        (replace(digest, silent=True), digest),
    ):
        told = [one for one in body_of(name, silent).items() if one not in body_of(name, loud).items()]
        assert told == silences


def words_of(name: str, message: Message | Digest) -> str:
    return CHATS[name].words(CHATS[name].shown(body_of(name, message)))


@every_chat
def test_remarks_stand_above_the_message(name: str) -> None:
    blocks = {"text": "hello", "content": "hello", "title": "t", "remarks": "sent again\ninstead of ops"}
    assert words_of(name, a_message(blocks)).startswith("sent again\ninstead of ops\nhello")
    assert words_of(name, a_digest(blocks)).startswith("sent again\ninstead of ops\n")


@every_chat
@given(text=hostile_texts.map(lambda text: text.replace("&", "").replace("<", "").replace(">", "")))
def test_no_message_is_so_long_that_its_remarks_are_cut_away(name: str, text: str) -> None:
    remarks = "replay: asked for by the operator\ninstead of ops: HTTP 404"
    said = body_of(name, a_message({"text": text, "content": text, "remarks": remarks}))
    assert CHATS[name].shown(said).startswith(remarks)


@every_chat
def test_a_message_of_remarks_alone_still_says_what_happened(name: str) -> None:
    assert words_of(name, a_message({"remarks": "sent again"})) == "sent again\nuser.created"


@every
def test_settings_of_the_same_text_are_equal(name: str) -> None:
    assert example(name) == example(name)


@every
def test_a_secret_never_prints(name: str) -> None:
    printed = [
        repr(example(name, proxy=PROXY)),
        str(example(name, proxy=PROXY)),
        example(name, proxy=PROXY).model_dump_json(),
    ]
    sink = a_sink(name, proxy=PROXY)
    printed += [repr(sink), repr(sink.look)]
    assert not any(secret in text for text in printed for secret in (SECRET, "MfKQ9r8GKYqr", "pr0xy-Passw0rd"))


@every
def test_a_wrong_setting_does_not_print_a_right_secret(name: str) -> None:
    class File(BaseModel):
        model_config = SinkConfig.model_config
        sink: SinkSettings

    with pytest.raises(ValidationError) as caught:
        File.model_validate(
            {"sink": {"type": name, **EVERY[name].example, "timeout": SECRET, "proxy": SECRET, "x": SECRET}}
        )
    assert SECRET not in str(caught.value)


@over_http
def test_every_status_is_classified(name: str) -> None:
    sink = a_sink(name)
    for status in range(100, 600):
        for body in BODIES:
            response = Response(status, {"retry-after": "soon", "x-ratelimit-remaining": "0"}, body)
            attempt = sink.judge(response)
            assert isinstance(attempt, Attempt)
            assert isinstance(attempt.outcome, OURS)
            assert attempt.status == status
            assert attempt.pause >= 0


@over_http
@given(
    status=st.sampled_from([200, 204, 400, 401, 403, 404, 409, 429, 500]),
    said=st.dictionaries(
        st.sampled_from(WORDS),
        json_values,
    )
    | json_values,
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "date", "x-ratelimit-remaining", "x-ratelimit-reset-after"]), hostile_texts
    ),
)
def test_nothing_that_a_service_says_raises(name: str, status: int, said: Any, headers: dict[str, str]) -> None:
    body = json.dumps(said).encode()
    attempt = a_sink(name).judge(Response(status, headers, body))
    assert isinstance(attempt.outcome, OURS)
    match attempt.outcome:
        case Limited(after):
            assert after is None or 0 < after <= 86400
        case Refused(reason) | Gone(reason) | Away(reason):
            assert len(reason) <= 300
    assert 0 <= attempt.pause <= 86400


def echoes(name: str) -> Iterator[Response]:
    """Answers that repeat every secret, in every place that a service might."""
    secret = " ".join((*KnownSecrets(example(name, proxy=PROXY)).texts(), SECRET))
    said = {
        "ok": False,
        "error": secret,
        "message": secret,
        "description": secret,
        "code": 1,
        "warning": secret,
        "id": 1,
    }
    for status in (200, 400, 401, 403, 404, 409, 429, 500):
        yield Response(status, {}, json.dumps(said).encode())
        yield Response(status, {}, secret.encode())


@over_http
def test_no_answer_gives_a_secret_away(name: str) -> None:
    sink = a_sink(name, proxy=PROXY)
    for response in echoes(name):
        attempt = sink.judge(response)
        for secret in (SECRET, SIGNING, "pr0xy-Passw0rd"):
            assert secret not in repr(attempt)


@over_http
def test_an_answer_is_kept_up_to_four_thousand_and_some_characters(name: str) -> None:
    attempt = a_sink(name).judge(Response(500, {}, b"a\x00b" * 5000))
    assert len(attempt.answer) == 4096
    assert "\x00" not in attempt.answer


@every
async def test_no_message_is_a_trouble_to_send(name: str) -> None:
    house = EVERY[name].house
    service = Receiver() if house is None or isinstance(a_sink(name), HttpSink) else house.stand_in(False)
    http = Http()
    hostile = {"text": "\x00", "title": "\ud800", "fields": "\x1e\x1f\x1e", "description": "x" * 20_000}
    async with serving(service) as base:
        sink = a_sink(name, http, **addressed(name, base))
        facts: list[dict[str, Any]] = [{}, {"user": None}, {"user": []}, {"message": "x"}, {"user": {"phone": 1}}]
        for data in facts:
            for type_ in ("user.created", "message.posted", "x"):
                attempt = await sink.send(a_message(hostile, type_=type_, data=data, subject=None))
                assert isinstance(attempt.outcome, OURS)
    await http.close()


def addressed(name: str, base: str) -> dict[str, Any]:
    """Where the example would go, if it did not go to the service itself."""
    if name == "console":
        return {}
    if (house := EVERY[name].house) is not None and not isinstance(a_sink(name), HttpSink):
        return at(next(iter(house.sinks.values())), base)
    if name == "apprise":
        return at(next(iter(house.sinks.values())), base) if house else {}
    return {"url": base + "/x"} if "url" in EVERY[name].example else {"api_base": base}


@over_http
async def test_a_service_that_is_not_there_is_away(name: str, unused_tcp_port: int) -> None:
    http = Http()
    sink = a_sink(name, http, proxy=f"http://127.0.0.1:{unused_tcp_port}", timeout="5s")
    attempt = await sink.send(a_message(data={"user": {"email": "a@example.com"}}))
    assert attempt == Attempt(Away("no answer: proxy: connection refused"))
    await http.close()


async def test_a_redirect_is_never_followed() -> None:
    service = Receiver()
    http = Http()
    async with serving(service) as base:
        service.answer_next(Answer(307, "", {"Location": base + "/elsewhere"}))
        attempt = await config(type="webhook", url=base + "/hook").open(tools(http)).send(a_message())
    assert attempt.outcome == between(307, "a redirect to 127.0.0.1")
    assert service.requests == 1
    await http.close()


def test_all_that_ask_a_service_share_one_send_and_a_console_needs_none() -> None:
    kinds = {name: a_sink(name) for name in EVERY}
    assert [name for name, sink in kinds.items() if not isinstance(sink, ServiceSink)] == ["console"]
    assert [name for name, sink in kinds.items() if not isinstance(sink, HttpSink)] == ["email", "console"]
    assert [name for name, known in EVERY.items() if not known.ways] == ["console"]
    assert isinstance(kinds["console"], ConsoleSink)


async def test_each_request_of_a_flow_is_answered_in_turn_and_counted() -> None:
    class Insistent(WebhookSink):
        def flow(self, message: Message) -> Flow:
            for url in ("/1", "/2", "/3", *(["http://127.0.0.1:1"] if message["text"] == "lost" else [])):
                response = yield replace(self.build(message), url=URL(base).join(URL(url)))
                answers.append(response.status)
            return self.judge(Response(200))

    service, http = Receiver(), Http()
    answers: list[int] = []
    sent: list[int] = []
    async with serving(service) as base:
        sink = Insistent(config(type="webhook", url=base), tools(http))
        attempt = await sink.send(a_message(), lambda: sent.append(len(answers)))
        assert (attempt, answers) == (Attempt(Delivered(), 200, requests=3), [202] * 3)
        assert sent == [0, 1, 2]
        assert [taken.path for taken in service.taken] == ["/1", "/2", "/3"]
        lost = await sink.send(a_message({"text": "lost"}))
    assert lost == Attempt(Away("no answer: connection refused"))
    await http.close()
