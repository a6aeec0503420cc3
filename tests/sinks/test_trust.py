"""`ca`: whoever names a root trusts it, over every way to a service, and nobody else in the same process does."""

import asyncio
import shutil
import ssl
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from bridge.outcome import Away, Delivered
from bridge.sinks.http import Http, Request, Unanswered
from bridge.sinks.trust import LARGEST
from bridge.value import replace
from tests.certificates import authority, serving_with
from tests.config.files import loaded, mistakes
from tests.services.email import Mail
from tests.services.known import at
from tests.services.receiver import Receiver
from tests.services.service import Service, serving
from tests.sinks.test_http import SocksProxy, listening, pipe
from tests.sinks.values import a_message, a_sink
from tests.street import HOUSES

PERSON = {"user": {"username": "alice", "email": "alice@example.com"}}
TAKEN = 202
UNTRUSTED = Away("no answer: the certificate is not trusted")
#: Every sink that speaks HTTP to a house on the street.
SINKS = {
    f"{type_} {name}": (type_, house.stand_in, settings)
    for type_, house in HOUSES.values()
    for name, settings in house.sinks.items()
    if isinstance(house.stand_in(False), Service)
}


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A root of its own, and a server's certificate by it."""
    file, server = authority(tmp_path / "own")
    return file, serving_with(server)


def secured(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a house that speaks TLS: Apprise has other words for its address."""
    return {
        name: value.replace("gotify://", "gotifys://").replace("rocket://", "rockets://")
        if isinstance(value, str)
        else value
        for name, value in settings.items()
    }


@pytest.mark.parametrize("sink", SINKS)
async def test_a_sink_with_the_root_is_answered_and_another_one_in_the_same_process_is_not(
    http: Http, roots: tuple[Path, ssl.SSLContext], sink: str
) -> None:
    type_, stand_in, settings = SINKS[sink]
    service = stand_in(False)
    service.tls = roots[1]
    async with serving(service) as base:
        told = {"type": type_, **secured(at(settings, base))}
        knowing, other = a_sink(http, **told, ca=str(roots[0])), a_sink(http, **told)
        message = a_message({"text": "hi", "title": "hi", "description": "hi"}, data=PERSON)
        message = replace(message, at=datetime.now(UTC))
        assert (await other.send(message)).outcome == UNTRUSTED
        assert isinstance((await knowing.send(message)).outcome, Delivered)
        assert (await other.send(message)).outcome == UNTRUSTED  # whose connection may be open still is not its own
        found = await asyncio.gather(knowing.send(message), other.send(message))
        assert isinstance(found[0].outcome, Delivered)
        assert found[1].outcome == UNTRUSTED
    assert service.refused == []


@pytest.mark.parametrize("sink", SINKS)
async def test_a_service_is_asked_over_the_same_root(http: Http, roots: tuple[Path, ssl.SSLContext], sink: str) -> None:
    type_, stand_in, settings = SINKS[sink]
    service = stand_in(False)
    service.tls = roots[1]
    async with serving(service) as base:
        told = {"type": type_, **secured(at(settings, base))}
        assert "not trusted" in (await a_sink(http, **told).asked(within=60.0)).text
        assert "not trusted" not in (await a_sink(http, **told, ca=str(roots[0])).asked(within=60.0)).text


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
async def test_a_mail_server_is_trusted_by_whoever_names_its_root(
    http: Http, roots: tuple[Path, ssl.SSLContext], implicit: bool
) -> None:
    mail = Mail(tls=roots[1], implicit=implicit)
    async with serving(mail) as base:
        told = {
            "type": "email",
            "server": "127.0.0.1",
            "port": URL(base).port,
            "encryption": "tls" if implicit else "starttls",
            "from": "vpn@example.com",
            "to": "ops@example.com",
        }
        message = a_message({"subject": "hi", "text": "hi"})
        assert isinstance((await a_sink(http, **told, ca=str(roots[0])).send(message)).outcome, Delivered)
        assert (await a_sink(http, **told).send(message)).outcome == UNTRUSTED
        await http.close()
    assert len(mail.letters) == 1


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_it_holds_through_a_proxy(http: Http, roots: tuple[Path, ssl.SSLContext], scheme: str) -> None:
    service = Receiver()
    service.tls = roots[1]
    async with serving(service) as base, a_proxy(scheme, base) as port:
        told = {"type": "webhook", "url": f"{base}/in", "proxy": f"{scheme}://user:pa%3Ass@127.0.0.1:{port}"}
        assert (await a_sink(http, **told).send(a_message())).outcome == UNTRUSTED
        assert isinstance((await a_sink(http, **told, ca=str(roots[0])).send(a_message())).outcome, Delivered)


def a_proxy(scheme: str, base: str) -> AbstractAsyncContextManager[int]:
    return listening(SocksProxy(to=URL(base).port) if scheme == "socks5" else tunnel)


async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What an HTTP proxy does for TLS."""
    head = await reader.readuntil(b"\r\n\r\n")
    host, _, port = head.split()[1].decode().partition(":")
    there_reader, there_writer = await asyncio.open_connection(host, int(port))
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await asyncio.gather(pipe(reader, there_writer), pipe(there_reader, writer))


# A file that changes


async def answered(http: Http, base: str, ca: Path) -> int | str:
    try:
        return (await http.send(Request("GET", URL(base)), within=60.0, ca=ca)).status
    except Unanswered as error:
        return str(error)


async def test_a_file_that_was_changed_is_trusted_from_the_next_request_on_and_what_was_in_it_no_more(
    http: Http, tmp_path: Path
) -> None:
    (first, first_server), (second, second_server) = authority(tmp_path / "one"), authority(tmp_path / "two")
    ours = tmp_path / "ours.pem"
    shutil.copy(first, ours)
    old, new = Receiver(), Receiver()
    old.tls, new.tls = serving_with(first_server), serving_with(second_server)
    async with serving(old) as was, serving(new) as is_now:
        assert await answered(http, was, ours) == TAKEN
        assert await answered(http, is_now, ours) == "no answer: the certificate is not trusted"
        replace_file(ours, second.read_bytes())
        assert await answered(http, is_now, ours) == TAKEN
        assert await answered(http, was, ours) == "no answer: the certificate is not trusted"


@pytest.mark.parametrize("broken", [b"", b"-----BEGIN CERTIFICATE-----\nMIIB", None], ids=["empty", "half", "gone"])
async def test_a_file_that_cannot_be_read_any_more_changes_nothing(
    http: Http, tmp_path: Path, roots: tuple[Path, ssl.SSLContext], broken: bytes | None
) -> None:
    service = Receiver()
    service.tls = roots[1]
    ours = tmp_path / "ours.pem"
    whole = roots[0].read_bytes()
    replace_file(ours, whole)
    async with serving(service) as base:
        assert await answered(http, base, ours) == TAKEN
        ours.unlink() if broken is None else replace_file(ours, broken)
        assert await answered(http, base, ours) == TAKEN
        replace_file(ours, whole)
        assert await answered(http, base, ours) == TAKEN


async def test_a_file_that_could_never_be_read_is_no_answer_and_says_why(http: Http, tmp_path: Path) -> None:
    said = await answered(http, "https://127.0.0.1:1/", tmp_path / "none.pem")
    assert said == "no answer: the file under ca cannot be read: no such file or directory"


def replace_file(file: Path, data: bytes) -> None:
    """As editors and rotation do it: another file under the same name."""
    beside = file.with_suffix(".new")
    beside.write_bytes(data)
    beside.replace(file)


# What is told before anything is sent

FILE = """
sources: {{marzban: {{panel: marzban, secret: a-secret}}}}
sinks: {{ops: {{type: webhook, url: https://hooks.example.com/in, ca: {ca}}}}}
routes: [{{to: ops}}]
"""


def test_a_file_beside_the_settings_is_taken(tmp_path: Path) -> None:
    authority(tmp_path / "own")
    [sink] = loaded(tmp_path, FILE.format(ca="own/roots.pem")).config.sinks.values()
    assert sink.ca == tmp_path / "own/roots.pem"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("none.pem", None, "cannot be read: no such file or directory"),
        (".", None, "should be a file"),
        ("empty.pem", b"", "has no certificate in it: it should be a PEM file, with -----BEGIN CERTIFICATE-----"),
        ("der.crt", b"\x30\x82\x01", "has no certificate in it: it should be a PEM file, with"),
        ("key.pem", b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n", "has no certificate in it"),
        (
            "half.pem",
            b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "has a certificate in it that cannot be read",
        ),
        ("large.pem", b"x" * (LARGEST + 1), "has more than 1 MiB: give the roots of this one service"),
    ],
)
def test_a_file_without_roots_is_told_with_its_place(tmp_path: Path, name: str, data: bytes | None, said: str) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    [found] = mistakes(tmp_path, FILE.format(ca=name))
    assert found.startswith(f'config.yaml:3:69: sink "ops": ca: "{name}" {said}')
