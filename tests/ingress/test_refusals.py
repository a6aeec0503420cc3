"""What the log says of whatever is not taken: one line at warning, what was wrong, no secret, and never a traceback."""

import asyncio
import logging
import ssl
from typing import Any

import aiohttp
import pytest

from bridge.counters import COUNTERS
from bridge.ingress.refusals import shown_path
from tests.ingress.running import PATIENCE, SECRET, TOKEN, Ingress

NOTHING = "nothing here: panels post to /in/{source}"


def refused(caplog: pytest.LogCaptureFixture) -> list[tuple[str | None, int, str]]:
    """Source, status and reason of each line; there is no other line, and none is louder."""
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert {(line.msg, line.levelno) for line in lines} <= {("ingress.refused", logging.WARNING)}
    fields = [vars(line)["fields"] for line in lines]
    return [(one["source"], one["status"], one["reason"]) for one in fields]


async def answer_to(ingress: Ingress, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(ingress.url.rpartition(":")[2]))
    writer.write(sent)
    answer = await reader.readuntil(b"\r\n")
    writer.close()
    return answer


def request(target: str, method: str = "POST") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("target", "source", "status", "reason"),
    [
        ("/in/marzbn", None, 404, 'no source named "marzbn"'),
        ("/in/marzbn/", None, 404, 'no source named "marzbn"'),
        (f"/in/marzbn/{SECRET}", None, 404, 'no source named "marzbn"'),
        ("//in/marzban", None, 404, f"//in/marzban: {NOTHING}"),
        ("/in//marzban", None, 404, f"/in//marzban: {NOTHING}"),
        ("/In/marzban", None, 404, f"/…/marzban: {NOTHING}"),
        ("/marzban", None, 404, f"/marzban: {NOTHING}"),
        ("/", None, 404, f"/: {NOTHING}"),
        (f"/in/marzban/{SECRET}/more", None, 404, f"/in/marzban/…/…: {NOTHING}"),
        (f"/webhooks/chat/{TOKEN}", None, 404, f"/webhooks/chat/…: {NOTHING}"),
        (f"/api/webhooks/chta/{TOKEN}", None, 404, 'no source of Discord messages is named "chta"'),
        (f"/api/webhooks/marzban/{TOKEN}", None, 404, 'no source of Discord messages is named "marzban"'),
        ("/in/marzban", "marzban", 401, None),
    ],
)
async def test_a_wrong_path_is_one_line_that_says_which(
    ingress: Ingress,
    caplog: pytest.LogCaptureFixture,
    target: str,
    source: str | None,
    status: int,
    reason: str | None,
) -> None:
    assert (await answer_to(ingress, request(target))).split()[1] == str(status).encode()
    [line] = refused(caplog)
    assert line[:2] == (source, status)
    assert reason in (None, line[2])
    assert not any(secret in caplog.text + line[2] for secret in (SECRET, TOKEN))


@pytest.mark.parametrize("odd", ["a{b}c%2Fd", "a%7Bb%7Dc%2fd"])
@pytest.mark.parametrize("path", ["/in/orb/{}", "/in/orb/{}/", "/api/webhooks/chat/{}", "/api/v10/webhooks/chat/{}/"])
async def test_a_secret_in_a_path_may_have_any_sign(ingress: Ingress, path: str, odd: str) -> None:
    sent = request(path.format(odd), "GET" if "chat" in path else "POST")
    assert (await answer_to(ingress, sent)).split()[1] == (b"200" if "chat" in path else b"422")  # it has no body


@pytest.mark.parametrize(
    ("method", "target", "source", "reason"),
    [
        ("GET", "/in/marzban", "marzban", "GET, and only POST is taken here"),
        ("HEAD", "/in/marzban/", "marzban", "HEAD, and only POST is taken here"),
        ("SEARCH", "/in/marzban", "marzban", "another method, and only POST is taken here"),
        ("PUT", f"/api/webhooks/chat/{TOKEN}", "chat", "PUT, and only GET and POST are taken here"),
    ],
)
async def test_another_method_is_one_line(
    ingress: Ingress, caplog: pytest.LogCaptureFixture, method: str, target: str, source: str, reason: str
) -> None:
    assert (await answer_to(ingress, request(target, method))).split()[1] == b"405"
    assert refused(caplog) == [(source, 405, reason)]


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 400, "it is HTTP/2 from the first byte"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "it is TLS, and this port speaks plain HTTP"),
        (b"SSH-2.0-OpenSSH_9\r\n", 400, "it is no proper HTTP request"),
        (b"POST /in/marzban HTTP/3.0\r\nHost: x\r\n\r\n", 400, "it is no proper HTTP request"),
        (b"CONNECT panel:443 HTTP/1.1\r\nHost: x\r\n\r\n", 404, "CONNECT: Not Found"),
        (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404, "OPTIONS: Not Found"),
    ],
)
async def test_what_speaks_something_else_is_answered_and_one_line(
    ingress: Ingress, caplog: pytest.LogCaptureFixture, sent: bytes, status: int, reason: str
) -> None:
    assert (await answer_to(ingress, sent)).split()[1] == str(status).encode()
    [(source, told, why)] = refused(caplog)
    assert (source, told, why.startswith(reason)) == (None, status, True)


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("POST", "", '{"content": ""}', 400),
        ("POST", "", "{nonsense", 400),
        ("POST", "/slack", '{"text": ""}', 400),
        ("POST", "", '{"content": 7}', 400),
        ("GET", "/messages/1", "", 404),
    ],
)
async def test_what_discord_would_refuse_is_told_with_the_status_it_was_answered_with(
    ingress: Ingress,
    http: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    sent: str,
    status: int,
) -> None:
    url, headers = f"{ingress.url}/api/webhooks/chat/{TOKEN}{path}", {"Content-Type": "application/json"}
    before = COUNTERS.requests["chat", status]
    async with http.request(method, url, data=sent, headers=headers) as response:
        assert response.status == status
    assert [line[:2] for line in refused(caplog)] == [("chat", status)]
    assert COUNTERS.requests["chat", status] == before + 1


async def test_https_on_the_plain_port_is_one_line_and_the_next_request_is_taken(
    ingress: Ingress, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(aiohttp.ClientConnectorError) as raised:
        await http.post(ingress.url.replace("http:", "https:") + "/in/marzban", ssl=False)
    assert isinstance(raised.value.__cause__, ssl.SSLError)
    [line] = refused(caplog)
    assert line[2].startswith("it is TLS, and this port speaks plain HTTP: post to http://")
    async with http.get(f"{ingress.url}/healthz") as response:
        assert response.status == 200


async def test_of_many_wrong_requests_ten_in_a_second_are_told_and_the_others_counted(
    ingress: Ingress, http: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    """However busy the machine is: of each ten there may be one second, and all are counted in the end."""
    for n in range(60):
        async with http.post(f"{ingress.url}/wrong/{n}") as response:
            assert response.status == 404
    async with asyncio.timeout(PATIENCE):
        while counted(caplog) < 60:  # what is left out is told a second later
            await asyncio.sleep(0.05)
    assert counted(caplog) == 60


def counted(caplog: pytest.LogCaptureFixture) -> int:
    lines: list[dict[str, Any]] = [vars(record)["fields"] for record in caplog.records if hasattr(record, "fields")]
    told = [one for one in lines if one.get("status") == 404]
    return sum((one["repeated"] or 0) + ("reason" in one) for one in told)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/in/marzban", "/in/marzban"),
        ("/in/a-secret", "/in/…"),
        ("/in/marz\nban", "/in/…"),
        ("/" + "a/" * 5000, "/…" * 11 + "/…"),
        ("*", "…"),
    ],
)
def test_of_a_path_only_our_words_and_names_are_shown(path: str, shown: str) -> None:
    assert shown_path(path, ["in", "marzban"]) == shown
