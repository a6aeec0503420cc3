"""The dialogue with a real mail server: encryption, login, connections that are kept, and what breaks off."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from yarl import URL

from bridge.outcome import Away, Delivered, Gone, Refused
from bridge.sinks.base import ServiceSink
from bridge.sinks.email import smtp as dialogue
from bridge.sinks.http import Http
from bridge.sinks.reachability import Finding, FindingMark
from tests.services.email import PASSWORD, USER, Mail
from tests.services.service import serving
from tests.sinks.values import a_digest, a_message, a_sink

HI = a_message({"subject": "New", "text": "hi"})


@asynccontextmanager
async def a_way_to(mail: Mail, http: Http, **more: Any) -> AsyncIterator[ServiceSink[Any]]:
    """A sink that reaches the server."""
    async with serving(mail) as base:
        settings = {"server": "127.0.0.1", "encryption": "none", "from": f"VPN <{USER}>", "to": "ops@example.com"}
        yield a_sink(http, type="email", port=URL(base).port, **settings | more)


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that is trusted as an operator has one trusted: by SSL_CERT_FILE."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "mail.pem"
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(serialization.Encoding.PEM, *plain)
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


LOGIN = {"username": USER, "password": PASSWORD}


@pytest.mark.parametrize(("encryption", "implicit"), [("starttls", False), ("tls", True)])
async def test_a_letter_goes_over_tls_with_a_login(
    http: Http, certified: ssl.SSLContext, encryption: str, implicit: bool
) -> None:
    mail = Mail(login=(USER, PASSWORD), tls=certified, implicit=implicit)
    async with a_way_to(mail, http, encryption=encryption, **LOGIN) as sink:
        assert isinstance((await sink.send(HI)).outcome, Delivered)
        assert isinstance((await sink.send_digest(a_digest({"text": "2"}, untold=2))).outcome, Delivered)
        await http.close()
    assert mail.connections == 1
    assert [one.headers["subject"] for one in mail.taken] == ["New", "2"]
    greeting = ["EHLO [127.0.0.1]"] * (1 if implicit else 2)
    assert mail.said[: len(greeting) + 1] == [*greeting, "AUTH PLAIN"]


async def test_a_server_that_offers_reports_is_asked_for_one_under_the_mailbox_as_we_write_it(http: Http) -> None:
    mail = Mail(dsn=True)
    async with a_way_to(mail, http, to="o+p=s@example.com") as sink:
        for _ in range(2):
            assert isinstance((await sink.send(HI)).outcome, Delivered)
    for_sender, for_mailbox = {"RET": "HDRS"}, {"NOTIFY": "FAILURE", "ORCPT": "rfc822;o+2Bp+3Ds@example.com"}
    assert mail.wanted_reports == [for_sender, for_mailbox] * 2
    assert mail.connections == 1


async def test_a_server_that_offers_none_is_asked_for_none(http: Http) -> None:
    mail = Mail()  # it refuses what it has not offered
    async with a_way_to(mail, http) as sink:
        assert isinstance((await sink.send(HI)).outcome, Delivered)


async def test_nothing_is_said_to_a_server_that_offers_no_starttls(http: Http) -> None:
    mail = Mail(login=(USER, PASSWORD))
    async with a_way_to(mail, http, encryption="starttls", **LOGIN) as sink:
        attempt = await sink.send(HI)
    assert attempt.outcome == Gone("SMTP 502 to STARTTLS: the server does not offer it")
    assert mail.said == ["EHLO [127.0.0.1]"]


async def test_a_certificate_that_nobody_trusts_is_no_answer(
    http: Http, certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    for encryption, implicit in (("starttls", False), ("tls", True)):
        mail = Mail(login=(USER, PASSWORD), tls=certified, implicit=implicit)
        async with a_way_to(mail, http, encryption=encryption, **LOGIN) as sink:
            assert (await sink.send(HI)).outcome == Away("no answer: the certificate is not trusted")
        assert not any(one.startswith("AUTH") for one in mail.said)


async def test_a_wrong_password_is_about_the_place(http: Http) -> None:
    mail = Mail(login=(USER, PASSWORD))
    async with a_way_to(mail, http, username=USER, password="wrong-password") as sink:
        attempt = await sink.send(HI)
    assert isinstance(attempt.outcome, Gone)
    assert attempt.outcome.reason.startswith("SMTP 535 to AUTH: 5.7.8")
    assert attempt.status == 535


async def test_a_server_that_knows_no_login_gets_none(http: Http) -> None:
    settings = {"server": "127.0.0.1", "encryption": "none", "from": USER, "to": "ops@example.com", **LOGIN}
    async with talking(b"220 mail.example ESMTP", b"250 mail.example", hold=True) as port:
        outcome = (await a_sink(http, type="email", port=port, **settings).send(HI)).outcome
    assert outcome == Gone("SMTP 502 to AUTH: the server offers no login with a password")


async def test_it_is_asked_by_an_envelope_and_no_letter_is_sent(http: Http) -> None:
    mail = Mail(login=(USER, PASSWORD))
    async with a_way_to(mail, http, **LOGIN) as sink:
        assert await sink.asked(within=60) == Finding(FindingMark.OK, "127.0.0.1 takes letters for ops@example.com")
        mail.faults = {"RCPT": "550 5.1.1 no such user"}
        assert await sink.asked(within=60) == Finding(FindingMark.WRONG, "SMTP 550 to RCPT: 5.1.1 no such user")
    assert (mail.taken, mail.refused, mail.open_connections) == ([], [], 0)


# What is refused


@pytest.mark.parametrize(
    ("command", "says", "outcome"),
    [
        ("MAIL", "553 5.7.1 not your sender", Gone("SMTP 553 to MAIL: 5.7.1 not your sender")),
        ("RCPT", "550 5.1.1 no such user", Gone("SMTP 550 to RCPT: 5.1.1 no such user")),
        ("RCPT", "450 4.2.0 try later", Away("SMTP 450 to RCPT: 4.2.0 try later", counts=False)),
        ("DATA", "554 5.7.1 spam", Refused("SMTP 554 to DATA: 5.7.1 spam")),
        ("DATA", "421 4.3.2 going down", Away("SMTP 421 to DATA: 4.3.2 going down")),
        ("EHLO", "550 5.7.1 not you", Gone("SMTP 550 to EHLO: 5.7.1 not you")),
    ],
)
async def test_what_is_refused_says_by_which_word_of_ours_and_the_next_letter_goes(
    http: Http, command: str, says: str, outcome: Any
) -> None:
    mail = Mail()
    async with a_way_to(mail, http) as sink:
        mail.faults = {command: says}
        attempt = await sink.send(HI)
        assert (attempt.outcome, attempt.status) == (outcome, int(says[:3]))
        assert attempt.answer == says[4:]
        mail.faults = {}
        assert isinstance((await sink.send(HI)).outcome, Delivered)
        await http.close()


# Connections


async def test_one_connection_carries_letter_after_letter_even_behind_a_refusal(http: Http) -> None:
    mail = Mail()
    async with a_way_to(mail, http) as sink:
        for fault in ({}, {"RCPT": "550 5.1.1 no"}, {"DATA": "554 no"}, {}):
            mail.faults = fault
            await sink.send(HI)
        await http.close()
    assert (mail.connections, len(mail.taken)) == (1, 2)


async def test_a_connection_that_the_server_has_closed_is_opened_anew(http: Http) -> None:
    mail = Mail()
    async with a_way_to(mail, http) as sink:
        for _ in range(3):
            assert isinstance((await sink.send(HI)).outcome, Delivered)
            mail.hang_up()
        await http.close()
    assert (mail.connections, len(mail.taken)) == (3, 3)


async def test_a_connection_is_left_after_so_many_letters(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "LETTERS", 2)
    mail = Mail()
    async with a_way_to(mail, http) as sink:
        for _ in range(5):
            await sink.send(HI)
        await http.close()
    assert (mail.connections, len(mail.taken)) == (3, 5)


async def test_a_connection_that_nobody_needs_is_left(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "KEPT", 0.0)
    mail = Mail()
    async with a_way_to(mail, http) as sink:
        await sink.send(HI)
        while mail.open_connections:
            await asyncio.sleep(0.01)
        await http.close()
    assert len(mail.taken) == 1


async def test_no_more_than_four_are_open_to_a_server_at_once(http: Http) -> None:
    mail = Mail()
    async with a_way_to(mail, http) as sink:
        sent = await asyncio.gather(*(sink.send(HI) for _ in range(12)))
        await http.close()
    assert all(isinstance(one.outcome, Delivered) for one in sent)
    assert (len(mail.taken), mail.connections <= 4) == (12, True)


async def test_a_letter_counts_from_when_its_envelope_is_on_the_wire(http: Http) -> None:
    mail = Mail()
    told: list[int] = []
    async with a_way_to(mail, http) as sink:
        await sink.send(HI, lambda: told.append(len(mail.taken)))
        await sink.send(HI, lambda: told.append(len(mail.taken)))
        await http.close()
    assert told == [0, 1]


# What breaks off


@asynccontextmanager
async def talking(*lines: bytes, hold: bool = False) -> AsyncIterator[int]:
    """A server that says these lines, one after each of ours, and then nothing or hangs up; gives its port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for line in lines:
                writer.write(line + b"\r\n")
                await reader.readline()
            if hold:
                await reader.read()
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


GREETING = (b"220 mail.example ESMTP", b"250 mail.example", b"250 OK", b"250 OK")


@pytest.mark.parametrize(
    "lines",
    [
        *(GREETING[:count] for count in range(5)),
        (*GREETING, b"250 OK", b"250 OK"),  # to DATA, which wants 354: nothing was handed over
        (b"HTTP/1.1 400 Bad Request",),
    ],
)
async def test_a_dialogue_that_breaks_off_is_away(http: Http, lines: tuple[bytes, ...]) -> None:
    settings = {"server": "127.0.0.1", "encryption": "none", "from": USER, "to": "ops@example.com"}
    async with talking(*lines) as port:
        outcome = (await a_sink(http, type="email", port=port, **settings).send(HI)).outcome
    assert isinstance(outcome, Away)
    assert "127.0.0.1" not in outcome.reason


async def test_a_server_that_says_nothing_is_away_in_time(http: Http) -> None:
    settings = {"server": "127.0.0.1", "encryption": "none", "from": USER, "to": "ops@example.com", "timeout": "50ms"}
    async with talking(hold=True) as port:
        outcome = (await a_sink(http, type="email", port=port, **settings).send(HI)).outcome
    assert outcome == Away("no answer within 0.05 s")


async def test_where_nobody_listens_it_is_away(http: Http, unused_tcp_port: int) -> None:
    settings = {"server": "127.0.0.1", "encryption": "none", "from": USER, "to": "ops@example.com"}
    outcome = (await a_sink(http, type="email", port=unused_tcp_port, **settings).send(HI)).outcome
    assert outcome == Away("no answer: connection refused")


@asynccontextmanager
async def a_proxy(answer: bytes, target: int) -> AsyncIterator[int]:
    """An HTTP proxy that answers CONNECT so, and passes on what comes behind."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if b" 200 " in answer:
            inner, outer = await asyncio.open_connection("127.0.0.1", target)
            await asyncio.gather(pass_on(reader, outer), pass_on(inner, writer))
        else:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "counts"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", None),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", False),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", True),
    ],
)
async def test_it_goes_through_a_proxy(http: Http, answer: bytes, counts: bool | None) -> None:
    mail = Mail()
    async with serving(mail) as base, a_proxy(answer, URL(base).port or 0) as proxy:
        settings = {"server": "127.0.0.1", "port": URL(base).port, "encryption": "none", "from": USER}
        sink = a_sink(http, type="email", to="ops@example.com", proxy=f"http://127.0.0.1:{proxy}", **settings)
        outcome = (await sink.send(HI)).outcome
        await http.close()
    if counts is None:
        assert isinstance(outcome, Delivered)
    else:
        assert isinstance(outcome, Away)
        assert (outcome.reason.startswith("no answer: proxy: "), outcome.counts) == (True, counts)
