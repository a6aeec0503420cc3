"""What changes anything was sent by a page of ours, and by a form of it. Over real HTTP."""

from pathlib import Path

import aiohttp
import pytest

from tests.admin.running import ACT, Desk, form_token, running_admin, sign_in
from tests.admin.visiting import DONE, there
from tests.fakes import FakeClock


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "{own}"}, 403),
        ({"Origin": "{own}"}, 303),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "{own}.evil.example"}, 403),
        ({}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/login", "/settings/reload", "/logout", "/preferences"])
async def test_what_another_site_has_sent_changes_nothing(
    desk: Desk, path: str, headers: dict[str, str], status: int
) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        form = {"form_token": await form_token(browser), "token": ACT, "theme": "dark"}
        cookies = {one.key: one.value for one in browser.cookie_jar}
    sent = {name: value.format(own=desk.url) for name, value in headers.items()}
    async with (
        aiohttp.ClientSession(desk.url, cookies=cookies) as other,
        other.post(path, data=form, headers=sent, allow_redirects=False) as response,
    ):
        assert response.status == status
        if status == 403:
            assert "Set-Cookie" not in response.headers
    assert len(desk.reloads) == (path == "/settings/reload" and status == 303)


@pytest.mark.parametrize("token", [None, "", "0" * 64, "é"])
@pytest.mark.parametrize("path", [*DONE, "/logout"])
async def test_a_form_without_its_token_changes_nothing(desk: Desk, path: str, token: str | None) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        form = {} if token is None else {"form_token": token}
        async with browser.post(there(path), data=form, allow_redirects=False) as response:
            assert response.status == 403
        async with browser.post(
            there(path), json={"form_token": await form_token(browser)}, allow_redirects=False
        ) as response:
            assert response.status == 403
        async with browser.get("/events", allow_redirects=False) as response:
            assert response.status == 200
    assert desk.reloads == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_only_a_post_does_anything(desk: Desk, method: str) -> None:
    override = {"X-HTTP-Method-Override": "POST"}
    async with desk.program(ACT) as program:
        for path in DONE:
            async with program.request(method, there(path), headers=override, allow_redirects=False) as response:
                assert response.status in (404, 405)
    assert desk.reloads == []


async def test_without_a_token_whoever_is_on_this_machine_acts_and_other_sites_do_not(
    tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    async with running_admin(tmp_path, store_url, clock, admin="listen: 127.0.0.1:0") as desk:
        async with desk.browser() as browser:
            token = await form_token(browser)
            async with browser.post("/settings/reload", data={"form_token": token}) as response:
                assert response.status == 200
        assert len(desk.reloads) == 1
        async with (
            desk.browser(**{"Sec-Fetch-Site": "cross-site"}) as other,
            other.post("/settings/reload", data={"form_token": token}) as response,
        ):
            assert response.status == 403
    assert len(desk.reloads) == 1
