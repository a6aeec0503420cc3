"""Apprise: which addresses it takes, what its services are sent, and what its yes and no are worth."""

import asyncio
import json
import sys
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from bridge.outcome import Away, Delivered, Gone, Limited, Outcome, Refused
from bridge.sinks.apprise import plugin
from bridge.sinks.apprise.answers import NO, NOTE, SAID, YES
from bridge.sinks.apprise.message import message_content
from bridge.sinks.apprise.plugin import INSTALL, Threads, notified
from bridge.sinks.apprise.reading import plain
from bridge.sinks.apprise.schemes import FORBIDDEN, SCHEMES, place_of
from bridge.sinks.http import Http, Request, Response, Unanswered
from bridge.sinks.reachability import Finding, FindingMark, HostOnly
from bridge.sinks.secrets import KnownSecrets
from tests.services.apprise import APPRISE_KEY, GOTIFY, GOTIFY_TOKEN, HOOK, ROCKET, Street, sent
from tests.services.service import serving
from tests.sinks.values import a_digest, a_message, a_sink, config, hostile_texts, tools

#: An address of every scheme, and what of it is secret.
ADDRESSES: dict[str, tuple[str, tuple[str, ...]]] = {
    "gotify": ("gotify://h.example/AbCdEf0123456-X", ("AbCdEf0123456-X",)),
    "gotifys": ("gotifys://h.example/AbCdEf0123456-X", ("AbCdEf0123456-X",)),
    "rocket": (f"rocket://h.example/?webhook={HOOK}", (HOOK,)),
    "rockets": ("rockets://bot:Pa55word-7@h.example/%23ops", ("Pa55word-7",)),
    "gchat": ("gchat://Work5pace1/Key-0123456789/Token_abcdef123", ("Key-0123456789", "Token_abcdef123")),
    "workflow": ("workflow://h.example:443/aB3workflowid/Sig-0123456789ab", ("aB3workflowid", "Sig-0123456789ab")),
    "workflows": ("workflows://h.example:443/aB3workflowid/Sig-0123456789ab", ("Sig-0123456789ab",)),
    "pover": (f"pover://{'uSer9' * 6}@{'tOken' * 6}", ("uSer9" * 6, "tOken" * 6)),
    "apprise": (f"apprise://h.example/{APPRISE_KEY}", (APPRISE_KEY,)),
    "apprises": (f"apprises://h.example/{APPRISE_KEY}", (APPRISE_KEY,)),
    "json": ("json://me:Pa55word-7@h.example/in", ("Pa55word-7",)),
    "jsons": ("jsons://h.example/in/9aA8bB7cC6", ("9aA8bB7cC6",)),
    "synology": ("synology://h.example/Tok3nTok3nTok3n", ("Tok3nTok3nTok3n",)),
    "synologys": ("synologys://h.example/Tok3nTok3nTok3n", ("Tok3nTok3nTok3n",)),
    "signal": ("signal://h.example/+15551234567/+15557654321", ("+15551234567", "+15557654321")),
    "signals": ("signals://h.example/+15551234567/+15557654321", ("+15551234567",)),
}
every_scheme = pytest.mark.parametrize("scheme", SCHEMES)
WITHIN = 5.0


def a_config(scheme: str, **more: Any) -> Any:
    return config(type="apprise", url=ADDRESSES[scheme][0], unconfirmed=scheme.startswith("workflow"), **more)


def requests_of(scheme: str, **blocks: str) -> list[Request]:
    request = a_config(scheme).open(tools()).build(a_message({"heading": "**New**", "text": "a\n*b*", **blocks}))
    return sent(request, ADDRESSES[scheme][0])


def test_every_scheme_has_an_address_here() -> None:
    assert set(ADDRESSES) == set(SCHEMES)


@every_scheme
def test_what_is_pinned_of_a_scheme_is_what_the_library_says(scheme: str) -> None:
    """And its plug-in is one of Apprise's own that speaks HTTP, by nothing but `requests`."""
    from apprise.plugins import N_MGR

    known: Any = N_MGR[scheme]
    formats = known.notify_format if isinstance(known.notify_format, tuple) else (known.notify_format,)
    pinned = SCHEMES[scheme]
    assert ("markdown" if pinned.markdown else "text") == formats[0].value
    assert (pinned.text, pinned.title) == (known.body_maxlen, known.title_maxlen)
    assert known.category == "native"
    module = sys.modules[known.__module__]
    assert not {"subprocess", "socket", "ssl", "os", "smtplib"} & set(vars(module))


@every_scheme
def test_its_address_is_taken_and_tells_one(scheme: str) -> None:
    assert list(a_config(scheme).advise()) == []


@every_scheme
def test_no_secret_of_its_address_is_told(scheme: str) -> None:
    given, secrets = ADDRESSES[scheme]
    known = KnownSecrets(a_config(scheme))
    for secret in secrets:
        assert secret not in known.mask(f"no such thing: {secret}, at {given}")
        assert secret.lower() not in str(place_of(given)).lower()


@every_scheme
def test_one_message_is_one_request_that_tells_it(scheme: str) -> None:
    told = [one for one in requests_of(scheme) if b"New" in one.body or "New" in str(one.url)]
    assert len(told) == 1 or scheme == "rockets"  # which logs in first: what follows is in the answer


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("", "should begin with one of gotify://"),
        ("gotify", "should begin with one of gotify://"),
        ("discord://a/b", "should begin with one of"),
        *((f"{name}://localhost/x", "should begin with one of") for name in ("syslog", "dbus", "gnome", "windows")),
        *(
            (f"{name}://localhost/x", "should begin with one of")
            for name in ("macosx", "glib", "file", "mailto", "kavenegar")
        ),
        ("gotify://h.example/a b", "in one line without spaces"),
        ("gotify://h.example:port/a", "should be an address"),
        ("rocket://aaaaaaaaa1/bbbbbbbbb1@h.example", "the webhook in its query"),
        *((f"json://h.example/?{word}=x", f"should be without {word}") for word in sorted(FORBIDDEN)),
        ("json://h.example/?Verify=no", "should be without verify"),
        ("workflows://h.example/a/b", "say unconfirmed: true"),
    ],
)
def test_what_is_no_address_of_a_remote_service_is_refused(url: str, fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        config(type="apprise", url=url)


def test_an_address_that_tells_several_is_told_and_one_that_cannot_be_read() -> None:
    several = config(type="apprise", url="rockets://bot:Pa55word-7@h.example/%23ops/%23night")
    assert [(one.setting, one.fatal) for one in several.advise()] == [("url", True)]
    assert "names 2 who are told" in next(iter(several.advise())).text
    broken = config(type="apprise", url="gotify://h.example/%20")
    assert "cannot read" in next(iter(broken.advise())).text


async def test_without_the_extra_it_is_said_how_to_get_it(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "PACKAGE", "no_such_package_here")
    assert [(one.setting, one.text) for one in config(type="apprise", url=GOTIFY).advise()] == [("type", INSTALL)]
    monkeypatch.setitem(sys.modules, "apprise", None)
    attempt = await a_sink(type="apprise", url=GOTIFY, http=http).send(a_message({"text": "x"}))
    assert attempt.outcome == Away(INSTALL)


def test_markdown_goes_where_it_is_read_and_words_elsewhere() -> None:
    [rocket], [gotify] = requests_of("rocket"), requests_of("gotify")
    assert json.loads(rocket.body) == {"text": "**New**\na\n*b*"}
    assert json.loads(gotify.body) == {"priority": 5, "title": "New", "message": "a\nb"}


def test_a_link_is_its_address_where_no_markdown_is_read() -> None:
    assert plain("see [it](https://x.example/a) now") == "see it (https://x.example/a) now"
    assert plain("at https://x.example/a") == "at https://x.example/a"


@given(hostile_texts, hostile_texts)
def test_nothing_is_empty_or_too_long(heading: str, text: str) -> None:
    for scheme in SCHEMES.values():
        said = message_content(a_message({"heading": heading, "text": text}), scheme)
        assert said["body"].strip()
        assert len(said["body"]) <= scheme.text
        assert len(said["title"]) <= scheme.title


def test_a_digest_has_the_parts_that_fit_whole_below_its_summary() -> None:
    parts = [a_message({"heading": name, "text": name * 400}) for name in "abc"]
    digest = a_digest({"heading": "3 events", "text": "sum", "more": "{more} more"}, *parts)
    body = json.loads(a_sink(type="apprise", url=ROCKET).build_digest(digest).body)["body"]
    assert body.startswith("3 events\nsum\n\na\n" + "a" * 400)
    assert "c" * 400 not in body
    assert len(body) <= SCHEMES["rocket"].text


def answer(status: int, body: Any = None, said: str = YES, **headers: str) -> Response:
    return Response(status, {SAID: said, **headers}, json.dumps(body).encode() if body is not None else b"")


RECEIPT = Refused(f"HTTP 202: {NOTE}")


@pytest.mark.parametrize(
    ("scheme", "response", "outcome"),
    [
        ("gotify", answer(200, {"id": 7}), Delivered()),
        ("gotify", answer(200, {}), Away),
        ("gotify", answer(202, {"id": 7}), RECEIPT),
        ("gotify", answer(200, {"id": 7}, NO), Away("HTTP 200, which Apprise takes for a no")),
        ("gotify", answer(401, {"errorDescription": "no", "errorCode": 401}), Gone("HTTP 401: no")),
        ("gotify", answer(401), Away),
        ("gotify", answer(400, {"errorDescription": "no", "errorCode": 400}), Refused("HTTP 400: no")),
        ("gotify", answer(429, None, NO, **{"retry-after": "9"}), Limited(9.0)),
        ("gotify", answer(500, None, NO), Away("HTTP 500")),
        ("gotify", answer(0, None, NO), Refused("Apprise does not send this message, and says not why")),
        ("rocket", answer(200, {"success": True}), Delivered()),
        ("rocket", answer(200, {"success": False, "error": "no"}), Refused("HTTP 200: no")),
        ("rocket", answer(200), Away),
        ("rocket", answer(400, {"success": False, "error": "Invalid integration id or token provided."}), None),
        ("apprise", answer(200, {"error": None}), Delivered()),
        ("apprise", answer(204), Gone("HTTP 204: nobody was told")),
        ("apprise", answer(424, {"error": "one failed"}, NO), Away("HTTP 424: one failed")),
        ("json", answer(200), Delivered()),
        ("json", answer(204), Gone("HTTP 204: nobody was told")),
        ("pover", answer(200, {"status": 1}), Delivered()),
        ("pover", answer(400, {"status": 0, "errors": ["application token is invalid"]}, NO), None),
        ("pover", answer(400, {"status": 0, "errors": ["message cannot be blank"]}, NO), Refused),
        ("signal", answer(201, {"timestamp": "1"}), Delivered()),
        ("synology", answer(200, {"success": True}), Delivered()),
        ("gchat", answer(200, {"name": "spaces/A/messages/B"}), Delivered()),
        ("workflow", answer(202), Delivered(note=f"HTTP 202: {NOTE}")),
        ("workflow", answer(204), Gone("HTTP 204: nobody was told")),
        ("workflow", answer(401, {"error": {"message": "DirectApi"}}, NO), Gone("HTTP 401: DirectApi")),
    ],
)
def test_what_an_answer_is_worth(scheme: str, response: Response, outcome: Outcome | type | None) -> None:
    judged = a_config(scheme).open(tools()).classify(response)
    if outcome is None:
        assert isinstance(judged, Gone)
    elif isinstance(outcome, type):
        assert isinstance(judged, outcome)
    else:
        assert judged == outcome


@every_scheme
@pytest.mark.parametrize("status", [202, 203, 205, 206])
def test_a_receipt_is_no_delivery_unless_it_is_enough(scheme: str, status: int) -> None:
    sink = config(type="apprise", url=ADDRESSES[scheme][0], unconfirmed=True).open(tools())
    assert sink.classify(answer(status)) == Delivered(note=f"HTTP {status}: {NOTE}")
    if not scheme.startswith("workflow"):
        strict = config(type="apprise", url=ADDRESSES[scheme][0]).open(tools())
        assert isinstance(strict.classify(answer(status)), Refused)


HERE = {
    "gotify": f"gotify://127.0.0.1:{{port}}/{GOTIFY_TOKEN}",
    "rocket": f"rocket://127.0.0.1:{{port}}/?webhook={HOOK}",
    "apprise": f"apprise://127.0.0.1:{{port}}/{APPRISE_KEY}",
    "json": "json://127.0.0.1:{port}/in",
    "rocket by login": "rocket://bot:Pa55word-7@127.0.0.1:{port}/%23ops",
}


async def outcome_of(street: Street, http: Http, url: str, **more: Any) -> Outcome:
    async with serving(street) as base:
        sink = a_sink(type="apprise", url=url.replace("{port}", base.rpartition(":")[2]), http=http, **more)
        outcome: Outcome = (await sink.send(a_message({"heading": "New", "text": "hi"}))).outcome
        return outcome


@pytest.mark.parametrize("scheme", HERE)
async def test_the_real_library_delivers(http: Http, scheme: str) -> None:
    street = Street()
    assert await outcome_of(street, http, HERE[scheme]) == Delivered()
    assert (street.posted, street.refused) == (1, [])


async def test_what_the_services_refuse_is_judged_by_their_words(http: Http) -> None:
    assert isinstance(await outcome_of(Street(), http, "gotify://127.0.0.1:{port}/AbCdEf999999-X"), Gone)
    hook = "rocket://127.0.0.1:{port}/?webhook=Hnoxyzxyzxyzxyz1/Tno"
    assert isinstance(await outcome_of(Street(), http, hook), Gone)
    assert await outcome_of(Street(), http, "apprise://127.0.0.1:{port}/another-key") == Gone(
        "HTTP 204: nobody was told"
    )


async def test_what_comes_after_a_message_that_was_told_changes_nothing(http: Http) -> None:
    street = Street()
    street.logout = 500
    assert await outcome_of(street, http, HERE["rocket by login"]) == Delivered()
    assert street.posted == 1


async def test_nothing_more_is_asked_for_who_is_cut_off(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plug-in's thread cannot be: it would post when it has logged in, beside whoever sends the message again."""
    street, logged_in, go, send = Street(), asyncio.Event(), asyncio.Event(), http.send

    async def slowly(request: Request, **about: Any) -> Response:
        response = await send(request, **about)
        logged_in.set()
        await go.wait()
        return response

    monkeypatch.setattr(http, "send", slowly)
    async with serving(street) as base:
        url = HERE["rocket by login"].replace("{port}", base.rpartition(":")[2])
        sending = asyncio.create_task(a_sink(type="apprise", url=url, http=http).send(a_message({"text": "hi"})))
        await logged_in.wait()
        sending.cancel()
        await asyncio.wait([sending])
        go.set()
        await asyncio.to_thread(http.beside(Threads)._pool.shutdown)  # when its thread has ended
    assert (street.requests, street.posted) == (1, 0)


async def test_a_redirect_is_not_followed(http: Http) -> None:
    street = Street()
    street.fault = (307, {})
    assert isinstance(await outcome_of(street, http, HERE["json"]), Away)
    assert street.requests <= 1


async def test_what_does_not_answer_is_away_and_its_secret_is_not_told(http: Http) -> None:
    sink = a_sink(type="apprise", url=f"gotify://127.0.0.1:1/{GOTIFY_TOKEN}", http=http)
    outcome = (await sink.send(a_message({"text": "hi"}))).outcome
    assert isinstance(outcome, Away)
    assert GOTIFY_TOKEN not in outcome.reason


async def test_it_goes_through_the_proxy_of_the_sink(http: Http) -> None:
    street = Street()
    outcome = await outcome_of(street, http, HERE["json"], proxy="http://127.0.0.1:1")
    assert isinstance(outcome, Away)
    assert street.posted == 0


async def test_only_the_host_is_reached_when_it_is_asked(http: Http) -> None:
    street = Street()
    async with serving(street) as base:
        sink = a_sink(type="apprise", url=HERE["gotify"].replace("{port}", base.rpartition(":")[2]), http=http)
        assert isinstance(sink.ask(), HostOnly)
        finding = await sink.asked(within=WITHIN)
    assert finding == Finding(FindingMark.UNKNOWN, "127.0.0.1 answers; whether it takes a message is seen by one alone")
    assert street.requests == 0


async def test_a_plug_in_that_has_no_answer_says_no() -> None:
    def ask(request: Request) -> Response:
        raise Unanswered("no answer: refused")

    threads = Threads()
    content = {"title": "", "body": "x", "format": "text"}
    assert await threads.run(GOTIFY, content, ask) is False
    await threads.close()


def test_nothing_of_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    notified(GOTIFY, {"title": "", "body": "x", "format": "text"}, lambda _: Response(500))
    assert caplog.text == ""
