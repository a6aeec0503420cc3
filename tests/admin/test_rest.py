"""REST: what programs are answered, and what they are refused. Over real HTTP."""

import asyncio
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import aiohttp
import pytest

from bridge.admin.access.auth import Role
from bridge.admin.answers import HEADERS
from bridge.admin.reader_pool import ReaderPool
from bridge.admin.rest.api import ENDPOINTS
from bridge.admin.rest.endpoint import PLACES, Endpoint, PlainText
from bridge.admin.rest.endpoints import history as keeping
from bridge.admin.rest.openapi import PROBLEMS
from bridge.admin.rest.request_models import Locale
from bridge.errors import StoreError, StoreSlow, StoreUnavailable
from bridge.messages.catalog import LOCALES
from bridge.settings import seconds_of
from bridge.store.queries import events as stored_events
from bridge.store.queries import walk
from tests.admin.crawl import every_answer
from tests.admin.crowd import a_crowd
from tests.admin.running import ACT, ALICE, BOB, CHANGED, LOOK, ODD, Desk, form_token, held_up, running_admin, sign_in
from tests.fakes import FakeClock
from tests.processes import PATIENCE

#: What stands at the places of paths, and what is posted, so that all of it is there.
THERE = {
    "event": ALICE.id, "delivery": "1", "sink": "ops", "group": "f3ce38bad113", "mute": "1",
    "table": "e11f7cae2a2fa185", "announcement": "1", "realm": "berlin", "who": "user:alice",
}  # fmt: skip
DAY = "2026-11-21T00:00:00Z"
MUTED = {"what": "user:alice", "for": "2h"}
NEWS = {"to": ["user:carol"], "sink": "dm", "words": {"en": "Soon, {{ me.name }}"}}
STOPPED = '{"table":"wishes","key":"berlin/user:eve","stopped_at":"%s","by":"operator","at":"%s","wants":null}'
LINES = f'{{"panelbridge":"people","version":1}}\n{STOPPED % (DAY, DAY)}\n'
POSTED: Mapping[str, Any] = {
    "try": {"sample": "user.created"},
    "replay_dead": {"through": 1},
    "dismiss_dead": {"through": 1},
    "restore_dead": {"through": 1},
    "mute": MUTED,
    "wishes": {"news": False},
    "count": NEWS,
    "announce": {**NEWS, "count": 1},
}
#: By which name the log and the audit have it, where that is not the operation's own.
SAID = {
    "people_import": "people import", "people_export": "people export", "wishes": "prefs", "stop": "prefs",
    "start": "prefs", "revoke": "link", "unlink": "link", "free": "link",
    "announce_retry": "announce retry", "announce_stop": "announce stop", "announce_resume": "announce resume",
}  # fmt: skip
ASKED = {"samples": "?source=berlin", "series": "?what=in"}
ACTING = [one for one in ENDPOINTS if one.role is Role.ACT]


@pytest.fixture
async def crowd(tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with a_crowd(tmp_path, store_url, clock) as opened:
        yield opened


def path_of(endpoint: Endpoint) -> str:
    filled = re.sub(r"\{(\w+)\}", lambda place: THERE[place[1]], endpoint.path)
    return f"/api/v1{filled}{ASKED.get(endpoint.name, '')}"


async def ask(
    desk: Desk, method: str, path: str, body: Any = None, *, token: str = ACT, **headers: str
) -> tuple[int, Any]:
    """The status, and the JSON that came with it."""
    async with (
        desk.program(token) as program,
        program.request(method, f"/api/v1{path}", json=body, headers=headers) as response,
    ):
        return response.status, await response.json(content_type=None)


def as_asked(endpoint: Endpoint) -> dict[str, Any]:
    """What is posted to an operation, as its client does."""
    if endpoint.takes is not None:
        return {"data": LINES, "headers": {"Content-Type": endpoint.takes.content_type}}
    return {"json": {"again": True} if endpoint.name == "replay_delivery" else POSTED.get(endpoint.name)}


async def do(desk: Desk, endpoint: Endpoint, token: str = ACT) -> tuple[int, str]:
    async with (
        desk.program(token) as program,
        program.request(endpoint.method, path_of(endpoint), **as_asked(endpoint)) as response,
    ):
        return response.status, await response.text()


def said_of(endpoint: Endpoint) -> str:
    return SAID.get(endpoint.name, endpoint.name.partition("_")[0])


async def items(desk: Desk, path: str) -> list[Any]:
    status, found = await ask(desk, "GET", path)
    assert status == 200, found
    return list(found["items"])


# What there is, and for whom


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.name)
async def test_each_operation_answers_whom_it_is_for_and_nobody_else(crowd: Desk, endpoint: Endpoint) -> None:
    path, body = path_of(endpoint), as_asked(endpoint)
    if endpoint.name == "unmute":
        await ask(crowd, "POST", "/mutes", MUTED)
    if endpoint.name == "announce_retry":  # of one that is not stopped
        await ask(crowd, "POST", "/announcements/1/resume")
    for token, status in ((None, 401), ("wrong-0123456789abcdef", 401), (LOOK, 403), (ACT, endpoint.status)):
        expected = endpoint.status if token == LOOK and endpoint.role is Role.LOOK else status
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            aiohttp.ClientSession(crowd.url, headers=headers) as program,
            program.request(endpoint.method, path, allow_redirects=False, **body) as response,
        ):
            assert response.status == expected, await response.text()
            answered = endpoint.answer.content_type if isinstance(endpoint.answer, PlainText) else "application/json"
            assert response.content_type == (answered if expected < 300 else "application/problem+json")
            assert response.headers["Cache-Control"] == "no-store"
            assert HEADERS.items() <= response.headers.items()
            assert {"Server", "Set-Cookie", "Access-Control-Allow-Origin"}.isdisjoint(response.headers)


async def test_who_may_look_does_nothing_through_any_operation(crowd: Desk) -> None:
    before = await ask(crowd, "GET", "/deliveries")
    for endpoint in ACTING:
        assert (await do(crowd, endpoint, LOOK))[0] == 403
    assert (await ask(crowd, "GET", "/deliveries"), crowd.reloads) == (before, [])


async def test_a_stranger_has_nothing_imported_and_nothing_told(desk: Desk) -> None:
    async with aiohttp.ClientSession(desk.url) as stranger:
        for path in ("/openapi.json", "/events", "/nothing", "/"):
            async with stranger.get(f"/api/v1{path}", allow_redirects=False) as response:
                assert (response.status, response.content_type) == (401, "application/problem+json")
                assert (await response.json())["title"] == "sign in first"
    assert desk.admin._opened == {}


@pytest.mark.process
def test_a_bridge_that_nobody_asks_does_not_import_it() -> None:
    code = "import sys, bridge.app; print([one for one in sys.modules if one.startswith('bridge.admin.rest')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# What is refused, and how


@pytest.mark.parametrize(
    ("method", "path", "status", "detail"),
    [
        ("GET", "/event", 404, 'Did you mean "/events"?'),
        ("GET", "/weather", 404, "/api/v1/openapi.json says what there is."),
        ("GET", "/events/", 404, 'Did you mean "/events"?'),
        ("GET", "/sinks/opps", 404, 'no sink named "opps": did you mean "ops"?'),
        ("POST", "/sinks/tean/resume", 404, 'no sink named "tean": did you mean "team"?'),
        ("POST", "/sinks/opps/test", 404, 'no sink named "opps": did you mean "ops"?'),
        ("POST", "/sinks/off/test", 409, 'sink "off" is disabled: nothing is sent to it'),
        ("GET", "/events/00000000", 404, "there is no event 00000000"),
        ("GET", "/events/ALICE/preview?sink=opps", 404, 'no sink named "opps": did you mean "ops"?'),
        ("GET", "/deliveries/999", 404, "there is no delivery 999"),
        ("GET", "/deliveries/0", 404, None),
        ("GET", "/deliveries/one", 404, None),
        ("GET", "/dead/000000000000", 404, None),
        ("GET", "/samples?source=berlim", 404, 'no source is called "berlim": there are berlin'),
        ("GET", "/samples", 422, "source: is missing"),
        ("GET", "/events?sinc=1", 422, 'sinc: is unknown: did you mean "since"?'),
        ("GET", "/events?limit=0", 422, "limit: Input should be greater than or equal to 1"),
        ("GET", "/events?limit=201", 422, "limit: Input should be less than or equal to 200"),
        ("GET", "/events?limit=ten", 422, "limit: should be a whole number"),
        ("GET", "/events?since=yesterday", 422, "since: should be a time, as 2026-11-21T04:14:18Z"),
        (
            "GET",
            "/events?since=2026-02-30T00:00:00Z",
            422,
            "since: should be a time that there is, as 2026-11-21T04:14:18Z",
        ),
        ("GET", "/events?source=a&source=b", 422, "source: is given twice"),
        ("GET", f"/events?q={'a' * 201}", 422, "q: String should have at most 200 characters"),
        ("GET", "/events?subject=%00", 422, None),
        ("DELETE", "/mutes/1", 404, "there is no mute 1, or it is over"),
        ("DELETE", "/mutes/0", 404, None),
        ("DELETE", "/mutes", 405, "Here is GET, POST."),
        ("GET", "/tables/0123456789abcdef", 404, "no event that is kept was routed by a table 0123456789abcdef"),
        ("GET", "/series", 422, "what: is missing"),
        ("GET", "/series?what=out&step=61", 422, "step: Input should be 60, 300, 1800, 3600 or 86400"),
        ("GET", "/audit?before=0", 422, "before: Input should be greater than or equal to 1"),
        ("GET", "/status?verbose=1", 422, "verbose: is unknown: there are none"),
        ("DELETE", "/events", 405, "Here is GET."),
        ("GET", "/sinks/ops/test", 405, "Here is POST."),
        ("TRACE", "/openapi.json", 405, "Here is GET."),
    ],
)
async def test_what_is_not_so_is_a_problem_that_says_what_it_should_be(
    desk: Desk, method: str, path: str, status: int, detail: str | None
) -> None:
    found, problem = await ask(desk, method, path.replace("ALICE", ALICE.id))
    assert (found, problem["status"], problem["type"]) == (status, status, "about:blank")
    assert detail in (None, problem["detail"])


async def test_a_method_that_is_not_there_names_those_that_are(desk: Desk) -> None:
    async with desk.program(ACT) as program, program.put("/api/v1/events") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
    async with desk.program(ACT) as program, program.head("/api/v1/events") as response:
        assert (response.status, await response.read()) == (200, b"")


@pytest.mark.parametrize(
    ("content_type", "body", "status", "errors"),
    [
        ("text/plain", b'{"through": 1}', 415, None),
        ("application/x-www-form-urlencoded", b"through=1", 415, None),
        ("application/json", b"{", 400, None),
        ("application/json", b"", 400, None),
        ("application/json", b"[" * 100_000, 400, None),
        ("application/json", b"[1]", 422, [("#/", "Input should be an object")]),
        ("application/json", b"{}", 422, [("#/through", "is missing")]),
        ("application/json", b'{"through": "1"}', 422, [("#/through", "Input should be a valid integer")]),
        ("application/json", b'{"through": true}', 422, [("#/through", "Input should be a valid integer")]),
        (
            "application/json",
            b'{"through": 1, "snik": "ops", "limit": 1001}',
            422,
            [
                ("#/limit", "Input should be less than or equal to 1000"),
                ("#/snik", 'is unknown: did you mean "sink"?'),
            ],
        ),
        (
            "application/json",
            b'{"key": "x", "through": 1}',
            422,
            [("#/key", "String should match pattern '^[0-9a-f]{12}$'")],
        ),
    ],
)
async def test_a_body_that_cannot_be_read_says_where_and_repeats_nothing_of_it(
    desk: Desk, content_type: str, body: bytes, status: int, errors: list[tuple[str, str]] | None
) -> None:
    async with desk.program(ACT) as program:
        headers = {"Content-Type": content_type}
        async with program.post("/api/v1/dead/dismiss", data=body, headers=headers) as response:
            problem = await response.json()
            assert response.status == status, problem
    told = [(one["pointer"], one["detail"]) for one in problem.get("errors", [])]
    assert told == (errors or [])


async def test_a_body_above_the_limit_is_refused_and_one_below_it_tried(desk: Desk) -> None:
    limit = 256 * 1024
    assert (await ask(desk, "POST", "/try", {"source": "berlin", "body": "[" * limit}))[0] == 200
    status, problem = await ask(desk, "POST", "/try", {"source": "berlin", "body": "x" * (limit + 1)})
    assert (status, problem["errors"][0]["pointer"]) == (422, "#/body")
    assert (await ask(desk, "POST", "/try", {"source": "berlin", "body": "x" * 700_000}))[0] == 413


# Browsers


async def test_a_browser_that_is_signed_in_needs_the_token_of_a_form(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        token = await form_token(browser)
        for headers, status in (({}, 403), ({"X-CSRF-Token": "0" * 64}, 403), ({"X-CSRF-Token": token}, 202)):
            async with browser.post("/api/v1/config/reload", headers=headers) as response:
                assert response.status == status
        async with browser.get("/api/v1/status") as response:
            assert response.status == 200
    assert len(desk.reloads) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 202),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 403),
    ],
)
async def test_without_a_token_programs_of_this_machine_act_and_no_browser_for_another_site(
    tmp_path: Path, store_url: str, clock: FakeClock, headers: dict[str, str], status: int
) -> None:
    async with (
        running_admin(tmp_path, store_url, clock, admin="listen: 127.0.0.1:0") as desk,
        aiohttp.ClientSession(desk.url) as program,
        program.post("/api/v1/config/reload", headers=headers) as response,
    ):
        assert response.status == status
        assert len(desk.reloads) == (status == 202)


# Looking things up


@pytest.mark.parametrize("walked", [10_000, 2])
@pytest.mark.parametrize("path", ["/events?", "/deliveries?", "/events?sink=team&", "/deliveries?source=marzban&"])
async def test_walking_by_next_meets_everything_once(
    desk: Desk, path: str, walked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = await items(desk, f"{path}limit=200")
    assert whole
    for module in (stored_events, walk):
        monkeypatch.setattr(module, "WALKED", walked)
    met: list[Any] = []
    before = ""
    while True:
        _, page = await ask(desk, "GET", f"{path}limit=1{before}")
        met += page["items"]
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert met == whole


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", [ODD, CHANGED, BOB, ALICE]),
        ("?type=user.expired", [BOB]),
        ("?subject=user:alice", [CHANGED, ALICE]),
        ("?q=alice", [CHANGED, ALICE]),
        ("?q=2", [ALICE]),
        ("?state=held_back", [BOB]),
        ("?state=held_back&state=delivered", [BOB, ALICE]),
        ("?sink=team&state=dead", [ODD, ALICE]),
        ("?nowhere=true", [CHANGED]),
        ("?since=2026-11-21T04:16:18Z", [ODD, CHANGED]),
        ("?since=2026-11-21T07:46:18%2B03:30", [ODD, CHANGED]),
        ("?until=2026-11-21T04:15:18Z", [ALICE]),
        ("?since=0001-01-01T00:00:00%2B14:00&until=9999-12-31T23:59:59-12:00", [ODD, CHANGED, BOB, ALICE]),
        ("?source=nobody", []),
    ],
)
async def test_events_are_found_by_what_is_known_of_them(desk: Desk, asked: str, expected: list[Any]) -> None:
    assert [one["id"] for one in await items(desk, f"/events{asked}")] == [one.id for one in expected]


async def test_an_event_says_why_row_by_row_and_every_try(desk: Desk) -> None:
    _, event = await ask(desk, "GET", f"/events/{ALICE.id}")
    assert [(one["row"], one["matched"]) for one in event["verdicts"]][:2] == [("route 1", False), ("route 2", True)]
    [ops, team] = event["fates"]
    assert (ops["state"], team["state"], team["answer"]) == ("delivered", "dead", '{"message": "no"}')
    assert [(one["outcome"], one["status"], one["ms"]) for one in team["tries"]] == [("refused", 400, 187)]
    assert (await ask(desk, "GET", f"/events/{ALICE.id[:-1]}"))[1]["id"] == ALICE.id


async def test_a_preview_is_the_request_without_secrets_and_drawn_where_asked(desk: Desk) -> None:
    [ops, team] = await items(desk, f"/events/{ALICE.id}/preview")
    assert (ops["sink"], ops["service"], ops["html"]) == ("ops", "discord", None)
    assert "secret-of-ops" not in str(ops)
    [one] = await items(desk, f"/events/{ALICE.id}/preview?sink=team&locale=fa&drawn=true")
    assert one["request"]["body"] != team["request"]["body"]
    assert one["html"].startswith("<")


async def test_a_sink_says_how_its_lane_stands_and_nothing_of_where_it_is(desk: Desk) -> None:
    await ask(desk, "POST", "/sinks/ops/test")
    _, sink = await ask(desk, "GET", "/sinks/ops")
    assert (sink["service"], sink["lane"]["standing"], sink["rows"]) == ("discord", "open", ["route 2", "route 3"])
    assert sink["last_test"]["outcome"] == "delivered"
    assert "webhooks" not in str(sink)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"sample": "user.created"}, ["user.created"]),
        ({"sample": "user_expired", "source": "berlin"}, ["user.expired"]),
        ({"source": "berlin", "body": '{"action": "user_deleted", "username": "alice"}'}, ["user.deleted"]),
        ({"source": "berlin", "body": "no JSON"}, []),
        ({"event": BOB.id}, ["user.expired"]),
    ],
)
async def test_trying_says_what_would_happen_and_leaves_nothing(desk: Desk, body: Any, told: list[str]) -> None:
    before = await ask(desk, "GET", "/events")
    status, tried = await ask(desk, "POST", "/try", body, token=LOOK)
    assert (status, [one["type"] for one in tried["events"]]) == (200, told)
    assert len(tried["set_aside"]) == (not told)
    assert await ask(desk, "GET", "/events") == before


async def test_the_status_says_in_a_sentence_what_the_first_page_says(desk: Desk) -> None:
    _, status = await ask(desk, "GET", "/status")
    assert (status["verdict"], len(status["needs"])) == ("needs_you", 2)
    assert status["sentence"] == "Events come in safely. 2 things need you."


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("what=in", [("marzban", "accepted", 4), ("marzban", "nowhere", 1)]),
        ("what=type&name=user.expired", [("user.expired", "", 1)]),
        ("what=out&name=team", [("team", "dead", 2), ("team", "held_back", 1)]),
        ("what=out&name=nobody", []),
        ("what=in&since=2026-11-21T05:00:00Z", []),
    ],
)
@pytest.mark.parametrize("step", [60, 300, 1800, 3600, 86400])
async def test_a_series_has_what_was_counted_step_by_step(
    desk: Desk, asked: str, expected: list[tuple[str, str, int]], step: int
) -> None:
    points = await items(desk, f"/series?{asked}&step={step}{'' if 'since' in asked else '&since=' + DAY}")
    if "since" in asked and step == 86400:
        return  # its step began before
    sums = Counter[tuple[str, str]]()
    for one in points:
        assert datetime.fromisoformat(one["at"]).timestamp() % step == 0
        sums[one["name"], one["detail"]] += one["n"]
    assert sorted((*named, n) for named, n in sums.items()) == expected


async def test_a_long_series_comes_in_pages_of_whole_steps(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = f"/series?what=in&step=60&since={DAY}"
    whole = await items(desk, asked)
    for most in (1, 2, 3):
        monkeypatch.setattr(keeping, "MOST_POINTS", most)
        met: list[Any] = []
        path: str | None = asked
        while path is not None:
            _, page = await ask(desk, "GET", path)
            met += page["items"]
            path = page["next"] and f"/series?what=in&step=60&since={page['next']}"
        assert met == whole, most


async def test_the_rows_of_the_table_say_how_often_each_took_something(desk: Desk) -> None:
    rows = await items(desk, "/routes")
    assert [(one["name"], one["to"]) for one in rows] == [
        ("route 1", ["team"]),
        ("route 2", ["ops", "team"]),
        ("route 3", ["ops", "off"]),
    ]
    taken = {one["name"]: (one["last_at"] is not None) for one in rows}
    assert taken == {"route 1": False, "route 2": True, "route 3": False}


async def test_the_table_by_which_an_event_was_routed_is_there_row_by_row(desk: Desk) -> None:
    _, event = await ask(desk, "GET", f"/events/{ALICE.id}")
    status, table = await ask(desk, "GET", f"/tables/{event['table_key']}")
    assert (status, table["key"]) == (200, event["table_key"])
    now = await items(desk, "/routes")
    assert table["items"] == [{name: one[name] for name in table["items"][0]} for one in now]


# Doing something


@pytest.mark.parametrize(
    ("what", "kind", "value"),
    [
        ("user:alice", "subject", "user:alice"),
        ("type:user.*", "type", "user.*"),
        ("source:berlin", "source", "berlin"),
        ("sink:ops", "sink", "ops"),
        ("node:fra 1", "subject", "node:fra 1"),
    ],
)
async def test_what_is_muted_is_listed_and_is_not_once_it_is_ended(
    desk: Desk, what: str, kind: str, value: str
) -> None:
    status, made = await ask(desk, "POST", "/mutes", {"what": what, "for": "2h"})
    assert (status, made["what"], made["kind"], made["value"]) == (200, what, kind, value)
    assert made["by"] == "token at 127.0.0.1"
    assert datetime.fromisoformat(made["until"]) - datetime.fromisoformat(made["at"]) == timedelta(hours=2)
    assert await items(desk, "/mutes") == [made]
    assert await ask(desk, "DELETE", f"/mutes/{made['id']}") == (200, made)
    assert await items(desk, "/mutes") == []
    assert (await ask(desk, "DELETE", f"/mutes/{made['id']}"))[0] == 404


@pytest.mark.parametrize("length", ["1s", "90s", "30m", "2h", "7d", "99d", "100d", "366d"])
async def test_a_mute_lasts_as_long_as_is_said(desk: Desk, length: str) -> None:
    status, made = await ask(desk, "POST", "/mutes", {"what": "user:alice", "for": length})
    lasting = datetime.fromisoformat(made["until"]) - datetime.fromisoformat(made["at"])
    assert (status, lasting.total_seconds()) == (200, seconds_of(length))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        *(
            ({"what": what, "for": "2h"}, "#/what")
            for what in ("alice", "user:", ":alice", " user:alice", "user:a\n", "")
        ),
        *(
            ({"what": "user:alice", "for": one}, "#/for")
            for one in ("", "2", "0s", "367d", "-1h", "2 h", "1000h", "2h\n")
        ),
        ({"what": "user:alice"}, "#/for"),
        ({"for": "2h"}, "#/what"),
        ({"what": "user:alice", "for": "2h", "fro": "3h"}, "#/fro"),
    ],
)
async def test_a_mute_that_is_none_says_what_it_should_be(desk: Desk, body: Any, pointer: str) -> None:
    status, problem = await ask(desk, "POST", "/mutes", body)
    assert (status, [one["pointer"] for one in problem["errors"]]) == (422, [pointer])
    assert await items(desk, "/mutes") == []
    if pointer == "#/fro":
        assert problem["errors"][0]["detail"] == 'is unknown: did you mean "for"?'


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("sink:opps", 'no sink is called "opps": did you mean "ops"?'),
        ("source:berlim", 'no source is called "berlim": did you mean "berlin"?'),
    ],
)
async def test_a_mute_of_what_neither_the_file_nor_the_store_names_is_a_slip(desk: Desk, what: str, said: str) -> None:
    status, problem = await ask(desk, "POST", "/mutes", {"what": what, "for": "2h"})
    assert (status, problem["detail"]) == (404, said)
    assert await items(desk, "/mutes") == []


@pytest.mark.parametrize("limit", [1, 2, 200])
async def test_the_audit_is_walked_by_next_newest_first(desk: Desk, limit: int) -> None:
    for name in ("ops", "team", "off"):
        await ask(desk, "POST", f"/sinks/{name}/resume")
    whole = await audited(desk, 3)
    assert sorted(one["detail"]["sink"] for one in whole) == ["off", "ops", "team"]
    met: list[Any] = []
    path: str | None = f"/audit?limit={limit}"
    while path is not None:
        _, page = await ask(desk, "GET", path)
        met += page["items"]
        path = page["next"] and f"/audit?limit={limit}&before={page['next']}"
    assert met == whole
    assert [one["id"] for one in met] == sorted((one["id"] for one in met), reverse=True)


async def test_a_group_is_dealt_with_as_far_as_it_was_seen(desk: Desk) -> None:
    [group] = [one for one in await items(desk, "/dead") if one["reason"] == "HTTP 400"]
    seen = {"key": group["key"], "through": group["through"] - 1}
    assert await ask(desk, "POST", "/dead/dismiss", seen) == (200, {"deliveries": [], "later": 1})
    seen = {"key": group["key"], "through": group["through"]}
    assert await ask(desk, "POST", "/dead/dismiss", seen) == (200, {"deliveries": [2], "later": 0})
    assert (await ask(desk, "POST", "/dead/dismiss", seen))[0] == 404
    assert await ask(desk, "POST", "/dead/restore", seen) == (200, {"deliveries": [2], "later": 0})
    assert await ask(desk, "POST", "/dead/replay", seen) == (200, {"deliveries": [2], "later": 0})
    assert [one["replay_of"] for one in await items(desk, "/deliveries?limit=1")] == [2]


async def test_letters_are_dealt_with_by_what_they_share_and_what_came_later_is_left(desk: Desk) -> None:
    assert await ask(desk, "POST", "/dead/dismiss", {"through": 2}) == (200, {"deliveries": [2], "later": 1})
    assert await ask(desk, "POST", "/dead/replay", {"through": 99, "subject": "user:alice"}) == (
        200,
        {"deliveries": [], "later": 0},
    )
    assert await ask(desk, "POST", "/dead/restore", {"through": 99}) == (200, {"deliveries": [2], "later": 0})
    assert await ask(desk, "POST", "/dead/replay", {"through": 99, "sink": "team", "limit": 1}) == (
        200,
        {"deliveries": [6], "later": 0},
    )


async def test_a_delivery_is_sent_again_once_and_once_more_only_who_says_so(desk: Desk) -> None:
    assert await ask(desk, "POST", "/deliveries/2/replay") == (200, {"deliveries": [7], "replay_of": [2]})
    status, problem = await ask(desk, "POST", "/deliveries/2/replay")
    assert (status, problem["detail"]) == (409, "delivery 2 was replayed already: say again to send it once more")
    assert (await ask(desk, "POST", "/deliveries/2/replay", {"again": True}))[1] == {
        "deliveries": [8],
        "replay_of": [2],
    }
    status, problem = await ask(desk, "POST", "/deliveries/8/replay")
    assert (status, problem["detail"]) == (409, "delivery 8 is pending: only what is settled is sent again")
    assert (await ask(desk, "GET", "/deliveries/2"))[1]["replayed_by"] == [7, 8]


async def test_an_event_goes_out_again_where_it_was_settled(desk: Desk) -> None:
    path = f"/events/{ALICE.id}/replay"
    assert (await ask(desk, "POST", path, {"sinks": ["ops"]}))[1] == {"deliveries": [7], "replay_of": [1]}
    assert (await ask(desk, "POST", path))[1] == {"deliveries": [8], "replay_of": [2]}  # ops is on its way
    assert (await ask(desk, "POST", path))[0] == 409
    assert (await ask(desk, "POST", path, {"by": "table"}))[0] == 409
    assert (await ask(desk, "POST", path, {"sinks": ["opps"]}))[0] == 404
    assert (await ask(desk, "POST", "/events/01a00000-0000-7000-8000-000000000000/replay"))[0] == 404


@pytest.mark.parametrize("path", ["/deliveries/2/replay", f"/events/{ALICE.id}/replay"], ids=["delivery", "event"])
async def test_of_two_who_send_the_same_again_at_once_one_does(desk: Desk, path: str) -> None:
    async with held_up(desk.outbox, writes=2):
        asked = [asyncio.create_task(ask(desk, "POST", path)) for _ in range(2)]
    assert sorted([status for status, _ in await asyncio.gather(*asked)]) == [200, 409]


async def test_what_went_nowhere_goes_where_the_table_says_now(desk: Desk) -> None:
    path = f"/events/{CHANGED.id}/replay"
    assert (await ask(desk, "POST", path))[0] == 409
    status, problem = await ask(desk, "POST", path, {"by": "table"})
    assert (status, problem["detail"]) == (409, f"event {CHANGED.id} went somewhere, or no row takes it now")


async def test_each_act_is_a_line_of_the_log(crowd: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "bridge")
    for endpoint in ACTING:
        status, answer = await do(crowd, endpoint)
        assert status == endpoint.status, answer
    lines = [vars(one)["fields"] for one in caplog.records if one.msg == "admin.acted"]
    assert [one["by"] for one in lines] == ["token"] * len(ACTING)
    assert [one["action"] for one in lines] == [said_of(one) for one in ACTING]
    assert [one for one in lines if "key" in one or ("alice" in str(one) and not one["action"].endswith("mute"))] == []


async def test_each_act_is_a_line_of_the_audit_with_who_did_it(crowd: Desk) -> None:
    for endpoint in ACTING:
        if endpoint.name != "forget":
            status, answer = await do(crowd, endpoint)
            assert status == endpoint.status, answer
    lines = (await audited(crowd, len(ACTING) - 1))[::-1]
    assert [one["action"] for one in lines] == [said_of(one) for one in ACTING if one.name != "forget"]
    assert {one["detail"]["key"] for one in lines if one["action"] in ("prefs", "link")} == {"berlin/user:alice"}
    assert {one["who"] for one in lines} == {"token at 127.0.0.1"}
    assert [one["detail"]["what"] for one in lines if one["action"].endswith("mute")] == ["user:alice"] * 2


async def audited(desk: Desk, number: int) -> list[Any]:
    """The audit, once it has so many lines: each is written after its answer."""
    async with asyncio.timeout(PATIENCE):
        while len(found := await items(desk, "/audit?limit=200")) < number:
            await asyncio.sleep(0.01)
    assert len(found) == number
    return found


async def test_a_mutation_is_a_line_of_the_audit_too(desk: Desk) -> None:
    for mutation in ('testWebhook(id: "ops") { delivered }', 'retryWebhookDelivery(id: "2") { id }'):
        async with (
            desk.program(ACT) as program,
            program.post("/graphql", json={"query": f"mutation {{ {mutation} }}"}) as response,
        ):
            assert "errors" not in await response.json()
    lines = await audited(desk, 2)
    assert {one["action"] for one in lines} == {"test", "replay"}
    assert {one["who"] for one in lines} == {"token at 127.0.0.1"}


async def test_what_was_refused_is_in_no_audit(crowd: Desk) -> None:
    for endpoint in ACTING:
        await do(crowd, endpoint, LOOK)
    assert (await ask(crowd, "POST", "/sinks/opps/resume"))[0] == 404
    assert (await ask(crowd, "DELETE", "/mutes/1"))[0] == 404
    assert (await ask(crowd, "POST", "/mutes", {"what": "alice", "for": "2h"}))[0] == 422
    assert await items(crowd, "/audit") == []


# The document


async def test_the_document_says_what_there_is_under_the_address_that_people_use(
    tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    admin = f"token: {ACT}, url: https://bridge.example.com/watch"
    async with running_admin(tmp_path, store_url, clock, admin=admin) as desk:
        _, document = await ask(desk, "GET", "/openapi.json", Host="bridge.example.com")
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "/watch/api/v1"}]
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == {(one.method, one.path) for one in ENDPOINTS}
    refs = set(re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(document)))
    assert refs == set(document["components"]["schemas"])


def test_endpoints_are_told_apart_and_their_places_are_known() -> None:
    assert len({one.name for one in ENDPOINTS}) == len({(one.method, one.path) for one in ENDPOINTS}) == len(ENDPOINTS)
    assert {place for one in ENDPOINTS for place in one.places} == set(PLACES)
    assert {status for one in ENDPOINTS for status in one.refuses} <= set(PROBLEMS)


def test_previews_are_to_be_had_in_every_language() -> None:
    assert set(get_args(Locale)) == set(LOCALES)


async def test_no_answer_to_a_program_has_a_secret_of_the_file(crowd: Desk) -> None:
    await ask(crowd, "POST", "/sinks/ops/test")
    answers = await every_answer(crowd.url, ACT)
    assert len(answers) > len(ENDPOINTS)
    said = "".join(answers.values())
    for secret in (
        "secret-of-ops",
        "secretofteam",
        "the-secret-of-berlin",
        "AAF-bot-of-customers",
        "webhooks/9/hers",
        ACT,
        LOOK,
    ):
        assert secret not in said


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (StoreUnavailable("store: it is away"), "store: it is away"),
        (StoreSlow("store: it took 0.5 s"), "store: it took 0.5 s"),
    ],
)
async def test_a_store_that_cannot_be_asked_is_a_problem_that_says_when_to_try_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: StoreError, detail: str
) -> None:
    async def fail(self: ReaderPool, look: object) -> object:
        raise error

    monkeypatch.setattr(ReaderPool, "run", fail)
    async with desk.program(ACT) as program:
        for path in ("/status", "/events", f"/events/{ALICE.id}", "/deliveries/1", "/dead", "/lanes"):
            async with program.get(f"/api/v1{path}") as response:
                assert (response.status, (await response.json())["detail"]) == (503, detail)
                assert int(response.headers["Retry-After"]) > 0
        async with program.post("/graphql", json={"query": "{ webhookDeliveries { nodes { id } } }"}) as response:
            [told] = (await response.json())["errors"]
            assert (told["message"], told["extensions"]["code"]) == (detail, "UNAVAILABLE")
