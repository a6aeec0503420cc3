"""An owner sees their own events and nothing else, whatever they ask for: over every route that there is."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bridge.admin import server
from bridge.admin.pages import PAGES
from bridge.admin.pages.owned import OWNED_VIEWS
from bridge.admin.rest.api import ENDPOINTS
from bridge.ingress import connections
from bridge.intake import Intake, Routed
from bridge.routing import Router
from bridge.store import open_ledger
from bridge.store.outbox import SqlOutbox
from bridge.store.queries import owned
from bridge.store.scope import Owner
from bridge.value import replace
from tests.admin.owning import (
    ALICE,
    ALL,
    BOB,
    ELSEWHERE,
    FILE,
    NINE,
    NOBODYS,
    OTHER,
    SECRETS,
    SEVEN,
    TOKENS,
    an_owners_desk,
    fill,
    of_owner,
)
from tests.admin.running import ACT, Desk, running_admin, sign_in
from tests.fakes import DECISION, FakeClock
from tests.pages import blocks, stand_ins

#: What an owner is answered: what is theirs, and what is open to everybody.
THEIRS = {("GET", "/"), ("GET", "/events"), ("GET", "/events/{id}"), ("POST", "/logout")}
ANYBODYS = {("GET", "/login"), ("POST", "/login"), ("POST", "/preferences"), ("GET", "/healthz")}
#: Where the path stands for many: what may be asked for there.
INNER = {
    "/api/v1{path}": [("GET", "/api/v1/openapi.json"), *((one.method, f"/api/v1{one.path}") for one in ENDPOINTS)],
    "/graphql{path}": [("GET", "/graphql"), ("POST", "/graphql"), ("GET", "/graphql/schema")],
    "/{tail}": [("GET", "/nothing"), ("POST", "/events/x/y"), ("GET", "/live"), ("GET", "/api/v2/events")],
}
QUERIES = (
    *("", "?owner=reseller-9", "?realm=fra&owner=reseller-7", "?q=bob-of-nine", "?user=bob-of-nine", "?sink=opsroom"),
    *("?before=zzzz", "?type=user.expired", "?user=' OR 1=1 --", "?look=en", "?state=dead"),
)


#: What the admin side that a test asks answers to: methods and paths.
Routes = list[web.RouteDef]


@pytest.fixture
def defined(monkeypatch: pytest.MonkeyPatch) -> Routes:
    """Every route that an admin side is served with from now on, as its own router has them."""
    found: Routes = []

    def recording(listener: object, routes: Routes, *args: Any, **kwargs: Any) -> Any:
        found.extend(routes)
        return connections.serving(listener, routes, *args, **kwargs)

    monkeypatch.setattr(server, "serving", recording)
    return found


@pytest.fixture
async def desk(defined: Routes, tmp_path: Path, store_url: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with an_owners_desk(tmp_path, store_url, clock) as opened:
        yield opened


def asked(defined: Routes) -> list[tuple[str, str]]:
    """Each as something that can be asked for; what stands for any path by each that there is."""
    found: list[tuple[str, str]] = []
    pattern = re.compile(r"\{(\w+):[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
    for method, path in sorted({(one.method, pattern.sub(r"{\1}", one.path)) for one in defined}):
        if "/static/" in path or path.endswith((".css", ".js", ".svg")):
            continue  # the same for everybody, and nobody's
        if path in INNER:
            found += INNER[path]
        else:
            assert "*" not in method, f"{path} stands for many: say in INNER what may be asked for"
            found.append((method, path))
    return found


def filled(path: str, event_id: str) -> str:
    path = path.replace("{who}", "user:alice-of-seven").replace("{realm}", "marzban")
    return re.sub(r"\{\w+\}", "opsroom", path.replace("{id}", event_id).replace("{event_id}", event_id))


def test_what_is_theirs_is_on_pages_that_say_so() -> None:
    assert {("GET", page.path) for page in PAGES if page.owned} <= THEIRS
    assert {page.name for page in PAGES if page.owned} == OWNED_VIEWS.keys()


async def test_every_route_but_theirs_and_everybodys_is_for_them_as_if_it_were_not_there(
    desk: Desk, defined: Routes
) -> None:
    async with desk.program(SEVEN) as program, desk.browser() as browser:
        assert (await sign_in(browser, SEVEN)).status == 303
        for client in (program, browser):
            bare = await _answer(client, "GET", "/nothing-at-all")
            assert bare[0] == 404
            for method, path in asked(defined):
                if (method, path) in THEIRS | ANYBODYS:
                    continue
                for id_ in (ALICE.id, BOB.id, "1"):
                    status, body = await _answer(client, method, filled(path, id_))
                    assert status == 404, f"{method} {path} answers {status}"
                    if method == "GET" and "/api/" not in path and "graphql" not in path and path != "/metrics":
                        assert body.replace(filled(path, id_), "") == bare[1].replace("/nothing-at-all", ""), path


async def test_nothing_that_any_route_answers_is_of_anybody_else(desk: Desk, defined: Routes) -> None:
    mine = {SEVEN: "alice-of-seven", NINE: "bob-of-nine"}
    for token, own in mine.items():
        async with desk.program(token) as program, desk.browser() as browser:
            await sign_in(browser, token)
            seen = ""
            for client in (program, browser):
                for method, path in asked(defined):
                    if path == "/logout":
                        continue
                    for id_ in (one.id for one in ALL):
                        for query in QUERIES if method == "GET" and (method, path) in THEIRS else ("",):
                            _, body = await _answer(client, method, filled(path, id_) + query)
                            seen += body
        assert own in seen
        others = [one.data["user"]["username"] for one in ALL if one.data["user"]["username"] != own]
        theirs = [one.id for one in ALL if one.data["user"]["username"] != own]
        shown = seen.replace('value="bob-of-nine"', "").replace("user=bob-of-nine", "").replace("q=bob-of-nine", "")
        shown = shown.replace("sink=opsroom", "").replace("/sinks/opsroom", "")
        shown = re.sub(r'name="next" value="[^"]*"', "", shown)
        assert [one for one in (*others, *theirs) if one in shown] == []
        assert [one for one in SECRETS if one in shown] == []


async def test_an_owner_sees_what_happened_and_who_was_told(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser, SEVEN)
        _, first = await _answer(browser, "GET", "/")
        _, events = await _answer(browser, "GET", "/events")
        _, event = await _answer(browser, "GET", f"/events/{ALICE.id}")
    for page in (first, events, event):
        assert "user:alice-of-seven" in page or "alice-of-seven" in page
        assert "alice-of-seven</bdi> · <bdi>telegram</bdi>: delivered" in page
        assert "reseller-7</bdi> · <bdi>telegram</bdi>: waiting" in page
    assert "status-of-alice-of-seven" in event
    assert "1.0 GB" in event
    assert 'href="/settings"' not in first + events + event
    assert 'name="q"' not in first + events + event


async def test_another_s_event_is_as_little_there_as_none(desk: Desk) -> None:
    async with desk.program(SEVEN) as program:
        answers = [await _answer(program, "GET", f"/events/{id_}") for id_ in (BOB.id, OTHER.id, NOBODYS.id, "none")]
    assert answers == [answers[0]] * 4
    assert answers[0][0] == 404


async def test_a_session_ends_with_its_token_and_is_no_operators(desk: Desk) -> None:
    async with desk.browser() as browser, desk.browser() as operator:
        await sign_in(browser, SEVEN)
        await sign_in(operator, ACT)
        assert (await _answer(browser, "GET", "/events"))[0] == 200
        changed = desk.state.admin.model_validate(
            desk.state.admin.model_dump() | {"owners": {"reseller-7": {"token": ELSEWHERE, "realm": "marzban"}}}
        )
        desk.admin.configure(replace(desk.state, admin=changed))
        async with browser.get("/events", allow_redirects=False) as response:
            assert response.status in (303, 401)


async def test_a_wrong_token_is_nobodys(desk: Desk) -> None:
    async with desk.program(SEVEN[:-1]) as program:
        assert (await _answer(program, "GET", "/events"))[0] == 401


async def test_an_operator_sees_all_as_before(desk: Desk) -> None:
    async with desk.program(ACT) as program:
        _, body = await _answer(program, "GET", "/events")
    assert all(one.data["user"]["username"] in body for one in ALL)
    assert "opsroom" in body


async def test_older_events_are_a_page_further_and_still_only_theirs(
    tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    async def many(outbox: SqlOutbox, _: Router) -> None:
        for number in range(60):
            for owner in ("reseller-7", "reseller-9"):
                event = of_owner(owner, f"{owner}-{number}", minutes=number)
                await outbox.put(Intake([Routed(event, (), DECISION)], realm="marzban"))

    async with (
        running_admin(tmp_path, store_url, clock, admin=TOKENS, text=FILE, fill=many) as desk,
        desk.program(SEVEN) as program,
    ):
        _, first = await _answer(program, "GET", "/events")
        [older] = re.findall(r'href="(/events\?before=[^"]+)"', first)
        _, second = await _answer(program, "GET", older)
    assert (first + second).count("user:reseller-7-") == 60
    assert "reseller-9" not in first + second


@pytest.mark.parametrize(
    ("query", "without"),
    [
        ("type=user.created", "/events"),
        ("type=user.created&user=alice-of-seven&before=zzzz", "/events?user=alice-of-seven"),
    ],
)
async def test_a_type_is_left_out_and_what_else_is_asked_for_stays(desk: Desk, query: str, without: str) -> None:
    async with desk.program(SEVEN) as program:
        _, found = await _answer(program, "GET", f"/events?{query}")
    assert re.findall(r'class="chip" href="([^"]*)"', found) == [without]


async def test_the_documented_file_gives_each_reseller_their_own_page(
    tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    shown = [one.text for one in blocks("yaml") if one.page.name == "resellers.md"]
    [text] = [one for one in shown if "admin:" in one]
    for name, value in stand_ins(text).items():
        text = text.replace(f"${{{name}}}", value)
    text = "store: {store}\n" + text.replace("{", "{{").replace("}", "}}") + "# {admin}\n"
    async with running_admin(tmp_path, store_url, clock, text=text, admin="", fill=fill) as desk:
        for token, own, other in ((SEVEN, ALICE, BOB), (NINE, BOB, ALICE)):
            async with desk.program(token) as program:
                status, body = await _answer(program, "GET", "/admin/events")
                assert status == 200
                assert own.data["user"]["username"] in body
                assert other.data["user"]["username"] not in body
                assert (await _answer(program, "GET", f"/admin/events/{own.id}"))[0] == 200
                assert (await _answer(program, "GET", f"/admin/events/{other.id}"))[0] == 404


@pytest.mark.parametrize(
    "name", ["reseller-9", "' OR 1=1 --", "reseller-7\u200b", "", "None", "reseller-", "RESELLER-7", "%", "reseller-7 "]
)
async def test_an_owner_of_another_name_has_nothing(desk: Desk, store_url: str, name: str) -> None:
    owner = Owner("marzban", name)
    with open_ledger(store_url) as ledger:
        found = ledger.read(owned.owned_events, owner, limit=10)
        assert [one.id for one in found] == ([BOB.id] if name == "reseller-9" else [])
        assert ledger.read(owned.owned_event, owner, ALICE.id) is None
        assert ledger.read(owned.owned_deliveries, owner, [ALICE.id]) == {}


async def _answer(client: aiohttp.ClientSession, method: str, path: str) -> tuple[int, str]:
    async with client.request(method, path, allow_redirects=False) as response:
        return response.status, await response.text()
