"""Whom the admin side lets in, to what: hosts, tokens, sessions, forms. Over real HTTP."""

import asyncio
import re
from pathlib import Path

import aiohttp
import pytest

from bridge.admin.access.auth import IDLE, RENEWED_AFTER
from bridge.admin.access.lockout import FREE
from bridge.admin.pages import PAGES
from bridge.admin.static_files import hashed
from tests.admin.running import ACT, LOOK, TOKENS, Desk, form_token, running_admin, sign_in
from tests.admin.visiting import DONE, SHOWN, raw, there
from tests.fakes import FakeClock

FIRST = PAGES[0].path
WRONG = "wrong-0123456789abcdef"


# Hosts


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil"])
async def test_a_name_that_leads_here_and_is_not_ours_is_answered_421(desk: Desk, host: str) -> None:
    named = host.format(port=desk.authority.partition(":")[2])
    for path in ("/", "/login", "/healthz", hashed("app.css"), "/nothing"):
        answer = await raw(desk, f"GET {path} HTTP/1.1\nHost: {named}\nConnection: close")
        assert answer.split()[1] == b"421"
        assert b"not the address of the admin side" in answer


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
async def test_this_machine_has_its_names(desk: Desk, host: str) -> None:
    named = host.format(port=desk.authority.partition(":")[2])
    assert (await raw(desk, f"GET /healthz HTTP/1.1\nHost: {named}\nConnection: close")).split()[1] == b"200"


@pytest.mark.parametrize(
    "lines",
    [
        "GET http://evil.example/ HTTP/1.1\nHost: {own}",
        "GET / HTTP/1.1\nHost: {own}\nHost: evil.example",
        "GET / HTTP/1.1",
        "GET / HTTP/1.0",
    ],
)
async def test_another_address_in_the_first_line_two_hosts_or_none_are_refused(desk: Desk, lines: str) -> None:
    answer = await raw(desk, lines.format(own=desk.authority) + "\nConnection: close")
    assert answer.split()[1] in (b"400", b"421")


async def test_behind_a_proxy_its_host_counts_and_all_paths_begin_with_that_of_the_url(
    tmp_path: Path, store_url: str, clock: FakeClock
) -> None:
    admin = f"{TOKENS}, url: https://bridge.example.com/watch"
    async with (
        running_admin(tmp_path, store_url, clock, admin=admin) as desk,
        desk.browser(Host="bridge.example.com") as browser,
    ):
        for path in ("/watch/events", "/events"):  # a proxy may take its prefix off, or leave it
            async with browser.get(path, allow_redirects=False) as response:
                assert response.headers["Location"] == "/watch/login?next=%2Fevents"
        async with browser.post("/watch/login", data={"token": ACT}, allow_redirects=False) as response:
            assert response.headers["Location"].startswith("/watch/")
            cookie = response.headers["Set-Cookie"]
            assert cookie.startswith("__Host-pb=")
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))
            assert "max-age" in response.headers["Strict-Transport-Security"]
        value = cookie.partition(";")[0]
        async with browser.get("/watch/events", headers={"Cookie": value}) as response:
            text = await response.text()
            assert response.status == 200
        assert [link for link in re.findall(r'(?:href|src|action)="(/[^"]*)"', text) if link[:7] != "/watch/"] == []


# Who


@pytest.mark.parametrize("path", ["/", "/nothing", *SHOWN])
async def test_who_has_not_signed_in_is_led_to_the_sign_in_and_sees_nothing(desk: Desk, path: str) -> None:
    async with desk.browser() as browser, browser.get(there(path), allow_redirects=False) as response:
        assert response.status == 303
        assert response.headers["Location"].startswith("/login")
        assert await response.read() == b""


@pytest.mark.parametrize("token", [WRONG, "", "é", ACT[:-1]])
async def test_a_program_with_a_wrong_token_is_answered_401_in_its_own_way(desk: Desk, token: str) -> None:
    async with desk.program(token) as program, program.get("/events") as response:
        assert response.status == 401
        assert response.content_type == "application/problem+json"
        assert (await response.json())["status"] == 401


@pytest.mark.parametrize("path", SHOWN)
@pytest.mark.parametrize("token", [ACT, LOOK])
async def test_both_roles_see_every_page(desk: Desk, token: str, path: str) -> None:
    async with desk.browser() as browser:
        assert (await sign_in(browser, token)).status == 303
        async with browser.get(there(path)) as response:
            assert response.status == 200


@pytest.mark.parametrize("path", DONE)
async def test_who_may_look_does_nothing(desk: Desk, path: str) -> None:
    async with desk.browser() as browser:
        await sign_in(browser, LOOK)
        async with browser.post(there(path), data={"form_token": await _any_form_token(desk, browser)}) as response:
            assert response.status == 403
    async with desk.program(LOOK) as program, program.post(there(path)) as response:
        assert response.status == 403
        assert response.content_type == "application/problem+json"
    assert desk.reloads == []


async def _any_form_token(desk: Desk, browser: aiohttp.ClientSession) -> str:
    async with browser.get("/events") as response:
        found = re.search(r'name="form_token" value="(\w+)"', await response.text())
    assert found is not None  # that of signing out
    return found[1]


@pytest.mark.parametrize("path", SHOWN)
async def test_who_may_look_is_shown_no_button_that_does_something(desk: Desk, path: str) -> None:
    async with desk.browser() as browser:
        await sign_in(browser, LOOK)
        async with browser.get(there(path)) as response:
            forms = re.findall(r'<form[^>]*method="post"[^>]*action="([^"]*)"', await response.text())
    assert set(forms) <= {"/preferences", "/logout", "/try"}  # where nothing is done


async def test_a_query_holds_no_token(desk: Desk) -> None:
    async with desk.browser() as browser, browser.get(f"/events?token={ACT}", allow_redirects=False) as response:
        assert response.status == 303


async def test_a_program_is_judged_by_its_token_whatever_cookie_comes_along(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser, ACT)
        async with browser.get("/events", headers={"Authorization": f"Bearer {WRONG}"}) as response:
            assert response.status == 401
        async with browser.post("/settings/reload", headers={"Authorization": f"Bearer {LOOK}"}) as response:
            assert response.status == 403
    assert desk.reloads == []


# Whatever a header holds

ODD = ("http://[", "[", "\xff", "", "9" * 5000, "a=\xff; b", "::1%\xff", "multipart/form-data", "text/x; charset=none")
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "header",
    [
        *("Origin", "Referer", "Cookie", "Host", "Authorization", "Sec-Fetch-Site", "X-CSRF-Token", "Content-Type"),
        *("X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Accept", "Accept-Language", "Last-Event-ID", "Range"),
        *("If-Modified-Since", "If-None-Match", "traceparent"),
    ],
)
async def test_whatever_a_header_holds_nothing_of_ours_fails_at_it(
    tmp_path: Path, store_url: str, clock: FakeClock, caplog: pytest.LogCaptureFixture, header: str
) -> None:
    async with running_admin(tmp_path, store_url, clock, admin=f"{TOKENS}, proxies: [127.0.0.1]") as desk:
        form = {"Host": desk.authority, "Origin": desk.url, "Content-Type": FORM, "Content-Length": "0"}
        program = {"Host": desk.authority, "Authorization": f"Bearer {ACT}"}
        for odd in ODD:
            for line, own in (("POST /preferences", form), ("GET /api/v1/events", program), ("GET /login", program)):
                lines = [f"{name}: {one}" for name, one in {**own, header: odd, "Connection": "close"}.items()]
                answer = await raw(desk, "\n".join([f"{line} HTTP/1.1", *lines]))
                assert answer.split()[1][:1] in (b"2", b"3", b"4")
    assert "admin.bug" not in [record.msg for record in caplog.records]


@pytest.mark.parametrize("origin", ["http://[", "http://[::1%]", "null", "", "[", "http://evil.example"])
async def test_a_form_of_an_origin_that_is_not_ours_or_that_is_none_is_refused(desk: Desk, origin: str) -> None:
    lines = f"POST /login HTTP/1.1\nHost: {desk.authority}\nOrigin: {origin}\nContent-Length: 0\nConnection: close"
    assert (await raw(desk, lines)).split()[1] == b"403"


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=", f"{FORM}; charset=none"])
async def test_a_form_that_cannot_be_read_is_refused(desk: Desk, kind: str) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        for path in ("/login", "/preferences", "/settings/reload", "/logout"):
            async with browser.post(path, data=b"token=x", headers={"Content-Type": kind}) as response:
                assert response.status == 400
    assert desk.reloads == []


NAMED = b'Content-Disposition: form-data; name="token"\r\n'
PARTS = {
    "an encoding that there is not": NAMED + b"Content-Transfer-Encoding: x\r\n\r\na",
    "a header without a colon": b"token\r\n\r\na",
    "more headers than anybody reads": b"a: b\r\n" * 400 + b"\r\na",
    "a name that stands for a charset": NAMED.replace(b"token", b"_charset_") + b"\r\n" + b"x" * 60,
    "a length that is none": b"Content-Length: x\r\n" + NAMED + b"\r\na",
}


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
async def test_a_form_in_parts_that_cannot_be_read_is_refused_and_no_bug(
    desk: Desk, part: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        body = b"--b\r\n" + part + b"\r\n--b--\r\n"
        async with browser.post("/login", data=body, headers=kind, allow_redirects=False) as response:
            assert response.status in (400, 401)
    assert "admin.bug" not in [record.msg for record in caplog.records]


@pytest.mark.parametrize("kind", [FORM, "multipart/form-data; boundary=b"])
async def test_who_hangs_up_in_the_middle_of_a_form_is_no_bug(
    desk: Desk, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    lines = ["POST /login HTTP/1.1", f"Host: {desk.authority}", f"Origin: {desk.url}", f"Content-Type: {kind}"]
    host, _, port = desk.authority.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join([*lines, "Content-Length: 50", "", "--b"]).encode())
    await writer.drain()
    async with desk.browser() as browser:
        await sign_in(browser)  # by then the form is waited for
        writer.transport.abort()
        async with browser.get("/events") as response:  # and by now nobody sends it
            assert response.status == 200
    assert "admin.bug" not in [record.msg for record in caplog.records]


# Sessions


async def test_a_session_ends_when_it_is_idle_and_when_one_signs_out(desk: Desk) -> None:
    async with desk.browser() as browser:
        await sign_in(browser)
        stolen = {one.key: one.value for one in browser.cookie_jar}
        desk.clock.step(RENEWED_AFTER + 1)
        async with browser.get("/events") as response:
            assert "pb=" in response.headers["Set-Cookie"]
        async with browser.post("/logout", data={"form_token": await form_token(browser)}) as response:
            assert response.url.path == "/login"
        async with browser.get("/events", allow_redirects=False) as response:
            assert response.status == 303
    async with desk.browser() as thief, thief.get("/events", cookies=stolen, allow_redirects=False) as response:
        assert response.status == 303
    async with desk.browser() as browser:
        await sign_in(browser)
        desk.clock.step(IDLE + 1)
        async with browser.get("/events", allow_redirects=False) as response:
            assert response.status == 303


async def test_a_cookie_is_out_of_reach_of_scripts_and_of_other_sites(desk: Desk) -> None:
    async with desk.browser() as browser:
        cookie = (await sign_in(browser)).headers["Set-Cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=Strict"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        ("/events?q=alice", "/events?q=alice"),
        ("/sinks", "/sinks"),
        ("/events/01a2288b-0b1c", "/events/01a2288b-0b1c"),
        ("//evil.example", FIRST),
        ("https://evil.example/events", FIRST),
        ("/\\evil.example", FIRST),
        ("/events//evil.example", FIRST),
        ("/events\r\nSet-Cookie: a=b", FIRST),
        ("/events?q=a#//x", FIRST),
        ("/nothing", FIRST),
        ("/logout", FIRST),
        ("javascript:alert(1)", FIRST),
        ("", FIRST),
    ],
)
async def test_after_the_sign_in_one_goes_on_to_a_page_of_ours_and_nowhere_else(
    desk: Desk, wanted: str, led: str
) -> None:
    async with desk.browser() as browser:
        response = await sign_in(browser, next=wanted)
        assert response.headers["Location"] == led
        async with browser.get("/login", params={"next": wanted}, allow_redirects=False) as response:
            assert response.headers["Location"] == led


# Tries


async def test_wrong_tokens_are_told_alike_and_slower_and_slower(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    async with desk.browser() as browser:
        answers = []
        for _ in range(FREE):
            response = await sign_in(browser, WRONG)
            answers.append((response.status, await response.text()))
        assert {status for status, _ in answers} == {401}
        assert len({text for _, text in answers}) == 1
        assert "That is not the token." in answers[0][1]
        response = await sign_in(browser, ACT)  # also with the right one, for it cannot be tried so soon
        assert (response.status, response.headers["Retry-After"]) == (429, "1")
        assert "Again in 1 s." in await response.text()
        desk.clock.step(1)
        assert (await sign_in(browser, ACT)).status == 303
    told = [vars(record)["fields"] for record in caplog.records if record.msg == "admin.refused"]
    assert [(one["address"], one["why"]) for one in told] == [("127.0.0.1", "token")] * FREE + [("127.0.0.1", "tries")]
    assert WRONG not in caplog.text + str(told)


async def test_a_programs_wrong_tokens_count_the_same_and_a_session_is_not_held_up(desk: Desk) -> None:
    async with desk.browser() as browser, desk.program(WRONG) as program:
        await sign_in(browser)
        for _ in range(FREE):
            async with program.get("/events") as response:
                assert response.status == 401
        async with program.get("/events") as response:
            assert response.status == 429
        async with browser.get("/events") as response:
            assert response.status == 200


@pytest.mark.parametrize(
    ("proxies", "told"),
    [("", "127.0.0.1"), (", proxies: [127.0.0.1]", "203.0.113.7"), (", proxies: [10.0.0.0/8]", "127.0.0.1")],
)
async def test_what_a_proxy_says_of_its_client_counts_where_it_is_trusted_alone(
    tmp_path: Path, store_url: str, clock: FakeClock, caplog: pytest.LogCaptureFixture, proxies: str, told: str
) -> None:
    async with (
        running_admin(tmp_path, store_url, clock, admin=TOKENS + proxies, events=False) as desk,
        desk.browser(**{"X-Forwarded-For": "192.0.2.1, 203.0.113.7"}) as browser,
    ):
        await sign_in(browser, WRONG)
    [line] = [vars(record)["fields"] for record in caplog.records if record.msg == "admin.refused"]
    assert line["address"] == told
