"""The streams of pages: who gets one, what it says, what it never says, and when it ends. Over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.admin.answers import HEADERS
from bridge.admin.pages import PAGES
from bridge.admin.pages.events import EventQuery
from bridge.admin.streams.live import Live
from bridge.admin.streams.region import TOKEN_TO_BE
from bridge.intake import Intake
from bridge.value import replace
from tests.admin.owning import SEVEN, an_owners_desk
from tests.admin.running import ACT, LOOK, TOKENS, Desk, form_token, running_admin, sign_in
from tests.admin.visiting import MEANT, raw
from tests.fakes import FakeClock, an_event
from tests.processes import PATIENCE

STREAMS = [f"/live{one.path.format(**MEANT)}" for one in PAGES if one.live is not None]


@dataclass
class Told:
    """One message of a stream."""

    event: str
    data: str
    id: str | None


class Listener:
    """What a page's script hears."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self, event: str = "message") -> Told:
        """The next message of that kind; raise EOFError where the stream ends."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if (told := await self._message()).event == event:
                    return told

    async def ends(self) -> None:
        """Wait until it has ended."""
        with pytest.raises(EOFError):
            await self.next("none that there is")

    async def _message(self) -> Told:
        lines: list[str] = []
        while line := (await self.response.content.readline()).decode():
            if line in ("\r\n", "\n") and lines:
                return _told(lines)
            lines.append(line.rstrip("\r\n"))
        raise EOFError


def _told(lines: list[str]) -> Told:
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        fields.setdefault(name, []).append(value)
    return Told(fields.get("event", ["message"])[0], "\n".join(fields.get("data", ())), fields.get("id", [None])[0])


@asynccontextmanager
async def hearing(client: aiohttp.ClientSession, path: str, **headers: str) -> AsyncIterator[Listener]:
    async with client.get(path, headers={"Accept": "text/event-stream", **headers}) as response:
        assert response.status == 200, await response.text()
        yield Listener(response)


async def happens(desk: Desk, name: str) -> None:
    """Something comes in about somebody of that name."""
    event = an_event(f"user:{name}", at=desk.clock.now() + timedelta(hours=1))
    await desk.outbox.put(Intake([desk.state.router.route(event)]))


@pytest.mark.parametrize("path", STREAMS)
async def test_every_page_that_lives_has_a_stream_and_it_begins_with_what_the_page_shows(desk: Desk, path: str) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        page = path.removeprefix("/live")
        async with browser.get(page) as response:
            assert f'data-live="{path}"' in await response.text()
        async with browser.get(page, headers={"HX-Request": "true"}) as response:
            region = await response.text()
        async with hearing(browser, path) as listener:
            assert (await listener.next()).data == region
            assert listener.response.headers["Content-Type"] == "text/event-stream"


async def test_what_happens_is_told_and_what_a_page_was_told_already_is_not(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with hearing(browser, "/live/events") as listener:
            seen = (await listener.next()).id
        async with hearing(browser, "/live/events", **{"Last-Event-ID": seen or ""}) as listener:
            assert (await listener.next("beat")).data == "live"
            await happens(desk, "carol")
            told = await listener.next()
            assert "user:carol" in told.data
            assert told.id != seen


async def test_a_stream_tells_what_the_address_asks_for(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with hearing(browser, "/live/events?source=elsewhere&q=alice") as listener:
            assert "user:" not in (await listener.next()).data
        events = next(one for one in PAGES if one.name == "events")
        assert events.live is not None
        assert events.live | events.still == set(EventQuery.__slots__)


async def test_it_is_told_in_the_language_and_with_the_buttons_of_whoever_looks(desk: Desk) -> None:
    async with desk.browser(**{"Accept-Language": "fa"}) as acting, desk.browser() as looking:
        await sign_in(acting)
        await sign_in(looking, LOOK)
        async with hearing(acting, "/live/dead") as listener:
            acts = (await listener.next()).data
        async with hearing(looking, "/live/dead") as listener:
            looks = (await listener.next()).data
        assert f'value="{await form_token(acting)}"' in acts
        assert "form_token" not in looks
        assert "To look at" in looks
        assert "To look at" not in acts


async def test_every_stream_has_the_headers_that_keep_a_browser_in_bounds_and_comes_through_a_proxy(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with hearing(browser, "/live/") as listener:
            headers = listener.response.headers
            assert HEADERS.items() <= dict(headers).items()
            assert headers["Cache-Control"] == "no-store"
            assert headers["X-Accel-Buffering"] == "no"
            assert "Server" not in headers


@pytest.mark.parametrize("path", STREAMS)
async def test_a_stranger_gets_none_and_is_not_led_to_a_page(desk: Desk, path: str) -> None:
    async with desk.browser() as stranger:
        async with stranger.get(path, headers={"Accept": "text/event-stream"}, allow_redirects=False) as response:
            assert response.status == 401
        await sign_in(stranger)
        for site in ("cross-site", "same-site", "none"):
            async with stranger.get(path, headers={"Sec-Fetch-Site": site}) as response:
                assert response.status == 403
        async with stranger.head(path) as response:
            assert response.status == 404


@pytest.mark.parametrize("path", ["/live/sinks/nobody", "/live/settings", "/live/try", "/live/events/0", "/live"])
async def test_what_does_not_live_has_no_stream(desk: Desk, path: str) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with browser.get(path, headers={"Accept": "text/event-stream"}) as response:
            if path == "/live/sinks/nobody":  # it may come with the next file
                await Listener(response).ends()
            else:
                assert response.status == 404


async def test_it_ends_when_its_session_is_signed_out_and_tells_nothing_more(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with hearing(browser, "/live/events") as listener:
            await listener.next()
            await browser.post("/logout", data={"form_token": await form_token(browser)}, allow_redirects=False)
            await listener.ends()


async def test_it_ends_when_its_session_has_lasted_long_enough(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with hearing(browser, "/live/events") as listener:
            await listener.next()
            desk.clock.step(desk.state.admin.session + 1)
            await listener.ends()


@pytest.mark.parametrize("program", [True, False])
async def test_it_ends_when_its_token_is_no_more(desk: Desk, program: bool) -> None:
    async with desk.program(ACT) if program else desk.browser() as client:
        if not program:
            await sign_in(client)
        async with hearing(client, "/live/events") as listener:
            await listener.next()
            changed = desk.state.admin.model_copy(update={"token": desk.state.admin.read_token, "read_token": ()})
            desk.admin.configure(_with(desk, admin=changed))
            await listener.ends()


async def test_where_no_token_is_asked_for_it_lives_until_one_is(
    tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    async with running_admin(tmp_path, store_url, clock, admin="") as desk, desk.browser() as browser:
        async with running_admin(tmp_path, f"{store_url}-other", clock, admin=TOKENS, events=False) as other:
            with_tokens = other.state.admin
        async with hearing(browser, "/live/") as listener:
            await listener.next()
            desk.admin.configure(_with(desk, admin=with_tokens))
            await listener.ends()


def _with(desk: Desk, **changed: Any) -> Any:
    return replace(desk.state, **changed)


async def test_a_session_is_renewed_by_the_stream_of_its_page(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        for _ in range(3):
            desk.clock.step(1200)
            async with hearing(browser, "/live/events") as listener:
                assert "pb=" in listener.response.headers["Set-Cookie"]


async def test_there_are_so_many_and_no_more_and_who_leaves_makes_room(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Live, "most", 2)
    async with (
        desk.program(ACT) as program,
        hearing(program, "/live/") as first,
        hearing(program, "/live/"),
        asyncio.timeout(PATIENCE),
    ):
        await first.next()
        async with program.get("/live/") as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "10")
        async with program.get("/events") as response:
            assert response.status == 200
        first.response.close()
        status = 503
        while status == 503:
            async with program.get("/live/") as response:
                status = response.status
        assert status == 200


async def test_a_page_that_is_left_costs_nothing_and_says_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    async with desk.program(ACT) as program:
        for _ in range(5):
            async with hearing(program, "/live/events") as listener:
                await listener.next()
        async with hearing(program, "/live/events") as listener:
            await listener.next()
            await happens(desk, "carol")
            await listener.next()
    assert [one.getMessage() for one in caplog.records if one.levelname in ("WARNING", "ERROR")] == []


async def test_no_secret_of_the_file_and_no_token_of_a_form_of_somebody_else_is_in_a_stream(desk: Desk) -> None:
    async with desk.program(ACT) as program:
        for path in STREAMS:
            async with hearing(program, path) as listener:
                told = (await listener.next()).data
                assert "secret" not in told
                assert TOKEN_TO_BE not in told
                assert "<script" not in told
                assert "\u202e" not in told


async def test_streams_do_not_hold_up_the_end(tmp_path: Path, store_url: str, clock: FakeClock) -> None:
    listening = AsyncExitStack()
    async with running_admin(tmp_path, store_url, clock, admin="") as desk:
        browser = await listening.enter_async_context(desk.browser())
        listener = await listening.enter_async_context(hearing(browser, "/live/"))
        await listener.next()
    async with listening:
        await listener.ends()


# For programs


async def test_a_program_hears_what_happens_as_it_wants_it(desk: Desk) -> None:
    desk.clock.step(3600)  # later than all that is there
    async with desk.program(LOOK) as program, hearing(program, "/api/v1/live?type=user.created") as listener:
        await listener.next("beat")
        await happens(desk, "carol")
        told = await listener.next("event")
        said = json.loads(told.data)
        assert (said["kind"], said["subject"], said["to"]) == ("event", "user:carol", ["ops", "team"])
        headers = listener.response.headers
        assert (headers["Cache-Control"], headers["Content-Type"]) == ("no-store", "text/event-stream")
    async with (
        desk.program(LOOK) as program,
        hearing(program, "/api/v1/live", **{"Last-Event-ID": told.id or ""}) as one,
    ):
        await happens(desk, "dave")
        assert json.loads((await one.next("event")).data)["subject"] == "user:dave"


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        ({"Authorization": f"Bearer {ACT}x"}, "", 401),
        ({"Authorization": f"Bearer {LOOK}"}, "?nothing=1", 400),
        ({"Authorization": f"Bearer {LOOK}", "Sec-Fetch-Site": "cross-site"}, "", 403),
    ],
)
async def test_who_may_not_or_asks_wrongly_hears_why(
    desk: Desk, headers: dict[str, str], query: str, status: int
) -> None:
    async with aiohttp.ClientSession(desk.url) as http, http.get(f"/api/v1/live{query}", headers=headers) as response:
        assert response.status == status
        assert response.headers["Content-Type"].startswith("application/problem+json")


async def test_a_client_that_speaks_http_1_0_as_a_proxy_does_is_told_as_well(desk: Desk) -> None:
    host, _, port = desk.authority.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = ("GET /live/events HTTP/1.0", f"Host: {desk.authority}", f"Authorization: Bearer {ACT}", "", "")
    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(PATIENCE):
        await reader.readuntil(b"user:alice")
    writer.close()
    assert b"404" in await raw(desk, f"HEAD /live/events HTTP/1.0\nHost: {desk.authority}\nAuthorization: Bearer {ACT}")


async def test_an_owner_has_no_stream_and_no_page_of_theirs_asks_for_one(
    tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    async with an_owners_desk(tmp_path, store_url, clock) as desk, desk.program(SEVEN) as owner:
        for path in (*(one.replace("ops", "opsroom") for one in STREAMS), "/api/v1/live"):
            async with owner.get(path, headers={"Accept": "text/event-stream"}) as response:
                assert response.status == 404
        for path in ("/", "/events"):
            async with owner.get(path) as response:
                assert response.status == 200
                found = await response.text()
                assert "data-live" not in found
                assert "live.js" not in found
