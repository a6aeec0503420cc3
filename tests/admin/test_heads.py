"""What stands in every head, which files are sent, and how much is taken. Over real HTTP."""

import re

import pytest

from bridge.admin import server
from bridge.admin.answers import CSP, HEADERS
from bridge.admin.server import LIMITS
from bridge.admin.static_files import TYPES, content, hashed
from tests.admin.reading import Tags
from tests.admin.running import ACT, Desk, sign_in
from tests.admin.visiting import SHOWN, raw, there


@pytest.mark.parametrize("path", ["/login", "/events", "/nothing", "/healthz", hashed("app.css"), "/events/none"])
async def test_every_answer_has_the_headers_that_keep_a_browser_in_bounds(desk: Desk, path: str) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with browser.get(path) as response:
            assert HEADERS.items() <= dict(response.headers).items()
            assert "Server" not in response.headers
            assert not [name for name in response.headers if name.lower().startswith("access-control")]
            cached = response.headers["Cache-Control"]
            assert cached == ("public, max-age=31536000, immutable" if "/static/" in path else "no-store")
    assert "unsafe" not in CSP
    assert re.search(r"https?:|\*|data:", CSP) is None


@pytest.mark.parametrize("path", ["/login", *SHOWN])
async def test_no_page_has_a_script_or_a_style_in_itself_or_leads_elsewhere(desk: Desk, path: str) -> None:
    async with desk.browser() as browser:
        if path != "/login":
            await sign_in(browser)
        async with browser.get(there(path)) as response:
            text = await response.text()
    found = Tags.of(text)
    assert {tag for tag, _ in found} & {"style", "iframe", "object", "embed", "base", "template"} == set()
    assert [tag for tag, said in found if tag == "script" and "src" not in said] == []
    assert [name for _, said in found for name in said if name == "style" or name.startswith("on")] == []
    leads = [said[name] or "" for _, said in found for name in ("href", "src", "action") if name in said]
    assert [one for one in leads if not re.match(r"/(?!/)|#", one)] == []


@pytest.mark.parametrize(
    "path",
    ["/static/../../etc/passwd", "/static/%2e%2e/%2e%2e/server.py", "/static/app.css", "/static/0/app.css",
     "/static/..\\server.py", "/static/%00", "/static/"],
)  # fmt: skip
async def test_of_files_only_those_that_are_named_are_sent(desk: Desk, path: str) -> None:
    answer = await raw(
        desk, f"GET {path} HTTP/1.1\nHost: {desk.authority}\nAuthorization: Bearer {ACT}\nConnection: close"
    )
    assert answer.split()[1] in (b"404", b"400")


@pytest.mark.parametrize("name", TYPES)
async def test_files_are_sent_to_everyone_as_what_they_are(desk: Desk, name: str) -> None:
    async with desk.browser() as browser, browser.get(hashed(name)) as response:
        assert (response.status, response.headers["Content-Type"]) == (200, TYPES[name])


@pytest.mark.parametrize(("path", "size"), [("/login", 5000), ("/settings/reload", LIMITS.body + 1)])
async def test_a_form_that_is_too_big_is_refused(desk: Desk, path: str, size: int) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        async with browser.post(path, data={"token": "x" * size}) as response:
            assert response.status == 413


def test_the_files_are_at_most_90_kb_together() -> None:
    assert sum(len(content(name)) for name in TYPES) <= 90_000


async def test_a_form_that_does_not_arrive_is_waited_for_so_long_and_no_longer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = f"POST /settings/reload HTTP/1.1\nHost: {desk.authority}\nContent-Length: 9\nOrigin: {desk.url}"
    head += "\nContent-Type: application/x-www-form-urlencoded"
    async with desk.browser() as browser:
        await sign_in(browser)
        [cookie] = [f"{one.key}={one.value}" for one in browser.cookie_jar]
    monkeypatch.setattr(server, "PATIENCE", 0.01)
    assert (await raw(desk, f"{head}\nCookie: {cookie}")).split()[1] == b"408"
    assert desk.reloads == []
