"""A real mail server, aiosmtpd, as strict as the pickiest: what it takes is a letter without any fault.

Source   RFC 5321 (§4.5.3.1: lines of 1000 octets), RFC 5322 (§3.6: how often a field may stand; lines of 998),
         RFC 2045, RFC 2047 (75 characters of an encoded word, 76 of a line with one); PyPI aiosmtpd 1.4.6.
         Stricter where others pass over: 8-bit, what a letter would load, HTML that is not closed
"""

import asyncio
import re
import ssl
import warnings
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from html import escape
from html.parser import HTMLParser
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from aiosmtplib import SMTP as CLIENT
from aiosmtplib import SMTPResponseException
from yarl import URL

from bridge.event import Event
from bridge.sinks.email.letter import read_letter
from bridge.sinks.http import Request
from tests.services.known import SECRET, House, KnownChat, Pace, Way
from tests.services.service import StandIn, Taken, serving

XTEXT = r"(?:[!-*,-<>-~]|\+[0-9A-F]{2}){1,100}"  # RFC 3461 §4
USER, PASSWORD = "vpn@example.com", "correct-horse-battery-staple"
ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type")
AT_MOST_ONCE = ("Reply-To", "In-Reply-To", "References", "List-Unsubscribe", "List-Unsubscribe-Post")
GMAIL = 102 * 1024  # bytes of HTML, of which it shows no more
VOID = {"meta", "br"}
ATTRIBUTES = {
    *("lang", "dir", "charset", "name", "content", "class", "style", "role", "cellpadding", "cellspacing", "border"),
    *("width", "align", "href", "colspan"),
}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "br"),
    *("b", "i", "u", "s", "code", "pre", "blockquote", "a"),
}
INLINE = {"b", "i", "u", "s", "code", "pre", "blockquote", "a"}  # what a template may write


class WithReports(SMTP):
    """The same where it offers DSN, RFC 3461: what MAIL and RCPT say of a report is taken, and nothing else beside."""

    event_handler: "Mail"

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_MAIL(self._without(arg, {"RET": "FULL|HDRS", "ENVID": XTEXT}))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_RCPT(
            self._without(arg, {"NOTIFY": "NEVER|(SUCCESS|FAILURE|DELAY)+", "ORCPT": f"rfc822;{XTEXT}"})
        )

    def _without(self, arg: str | None, known: Mapping[str, str]) -> str | None:
        """The command without these; it is refused, as unknown, where one is not as it should be."""
        mailbox, *said = (arg or "").split(" ")
        found = dict(one.partition("=")[::2] for one in said)
        taken = {name: value for name, value in found.items() if name in known and re.fullmatch(known[name], value)}
        self.event_handler.wanted_reports.append(taken)
        return " ".join([mailbox, *(one for one in said if one.partition("=")[0] not in taken)])


class Mail(StandIn):
    """`login`: who may send, after AUTH; None for a server that takes from anyone. `tls`: what STARTTLS is made with.

    `dsn`: it offers reports as one wants them, `wanted_reports` by each MAIL and RCPT. `limited`: ten letters in 5 s.
    `faults`: what it says to a command in place of taking it, `MAIL`, `RCPT`, `DATA`, `AUTH`, `EHLO`, `CONNECT`.
    `connections` counts those that were opened.
    """

    def __init__(
        self,
        *,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        limited: bool = False,
        dsn: bool = False,
    ) -> None:
        super().__init__(limited=limited)
        self.dsn = dsn
        self.wanted_reports: list[dict[str, str]] = []
        self.faults: dict[str, str] = {}
        self.connections = 0
        self.letters: list[EmailMessage] = []
        self.sources: list[bytes] = []
        self.said: list[str] = []
        self.servers: list[SMTP] = []
        self._login, self._tls, self._implicit = login, tls, implicit

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(
            self._connection, "127.0.0.1", port, ssl=self._tls if self._implicit else None
        )
        try:
            yield f"smtp://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        finally:
            listener.close()
            for one in self.servers:
                if one.transport is not None:
                    one.transport.close()
            await listener.wait_closed()
            await asyncio.sleep(0)

    @property
    def open_connections(self) -> int:
        return sum(one.transport is not None for one in self.servers)

    def hang_up(self) -> None:
        """Close what is open, as a server does that has waited long enough."""
        for one in self.servers:
            if one.transport is not None:
                one.transport.close()

    def _connection(self) -> SMTP:
        self.connections += 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a login is asked for in the clear: on this machine it may be
            server = (WithReports if self.dsn else SMTP)(
                self,
                hostname="mail.example",
                ident="strict",
                tls_context=None if self._implicit else self._tls,
                auth_required=self._login is not None,
                auth_require_tls=False,
                authenticator=self._authenticated,
                loop=asyncio.get_running_loop(),
            )
        self.servers.append(server)
        return server

    def _authenticated(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.said.append(f"AUTH {mechanism}")
        if "AUTH" in self.faults:
            return AuthResult(success=False, handled=False, message=self.faults["AUTH"])
        given = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == self._login
        return AuthResult(success=given, handled=False)

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.said.append(f"EHLO {hostname}")
        session.host_name = hostname
        offered = [*responses[:-1], "250-DSN", responses[-1]] if self.dsn else responses
        return [self.faults["EHLO"]] if "EHLO" in self.faults else offered

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.said.append(f"MAIL {address}")
        if self._limited and self.over("host", 10, 5.0) > 0:
            return "451 4.7.1 too many messages, slow down"
        if "MAIL" in self.faults:
            return self.faults["MAIL"]
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.said.append(f"RCPT {address}")
        self.requests += 1
        if "RCPT" in self.faults:
            return self.faults["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        source = bytes(envelope.content or b"")
        if "DATA" in self.faults:
            return self.faults["DATA"]
        for fault in mail_faults(source, str(envelope.mail_from), envelope.rcpt_tos):
            self.refuse(fault)
            return f"554 5.6.0 {fault}"
        letter = parsed_letter(source)
        self.letters.append(letter)
        self.sources.append(source)
        headers = {name.lower(): str(value) for name, value in letter.items()}
        self.taken.append(Taken(envelope.rcpt_tos[0], {}, headers, body_of(letter), self.now()))
        return f"250 2.0.0 OK queued as {len(self.taken):06}"


def parsed_letter(source: bytes) -> EmailMessage:
    letter = message_from_bytes(source, policy=default)
    assert isinstance(letter, EmailMessage)
    return letter


def body_of(letter: EmailMessage) -> dict[str, Any]:
    """What a letter says, in the words of a request's body."""
    text, html = (part.get_content().replace("\r\n", "\n").removesuffix("\n") for part in letter.iter_parts())
    return {
        "subject": str(letter["Subject"]),
        "from": str(letter["From"]),
        "to": str(letter["To"]),
        "text": text,
        "html": html,
    }


def mail_faults(source: bytes, sender: str, to: Sequence[str]) -> Iterator[str]:
    """What a strict server has against a letter of this envelope."""
    if not source.isascii():
        yield "8-bit without 8BITMIME"
    if re.search(rb"(?<!\r)\n|\r(?!\n)", source) or not source.endswith(b"\r\n"):
        yield "a line that does not end with CRLF"
        return
    head = source.partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    foldable = [line for line in head.split("\r\n") if " " in line.partition(": ")[2].strip() or "=?" in line]
    if any(len(line) > 78 for line in foldable) or any(len(line) > 998 for line in source.split(b"\r\n")):
        yield "a line that is too long"
    if any(len(word) > 75 for word in re.findall(r"=\?\S+", head)):
        yield "an encoded word that is too long"
    letter = parsed_letter(source)
    yield from _head_faults(letter, sender, to)
    defects = [one for part in letter.walk() for one in [*part.defects, *_header_defects(part)]]
    yield from map(repr, defects)
    if letter.get_content_type() != "multipart/alternative" or [
        (part.get_content_type(), part.get_content_charset()) for part in letter.iter_parts()
    ] != [("text/plain", "utf-8"), ("text/html", "utf-8")]:
        yield "not a text part and an HTML part"
        return
    body = body_of(letter)
    if not body["text"].strip():
        yield "the text part is empty"
    if len(body["html"].encode()) > GMAIL:
        yield "the HTML part is longer than what Gmail shows"
    yield from html_faults(body["html"])


def _head_faults(letter: EmailMessage, sender: str, to: Sequence[str]) -> Iterator[str]:
    for name in ONCE:
        if len(letter.get_all(name, [])) != 1:
            yield f"{name} should stand once"
    for name in AT_MOST_ONCE:
        if len(letter.get_all(name, [])) > 1:
            yield f"{name} should stand at most once"
    known = {*ONCE, *AT_MOST_ONCE, "Auto-Submitted", "X-Auto-Response-Suppress"}
    yield from (f"nobody asked for a header {name}" for name in letter if name not in known)
    yield from _unsubscribing_faults(letter)
    if [one.addr_spec for one in letter["From"].addresses] != [sender]:
        yield "From is not who sends"
    if [one.addr_spec for one in letter["To"].addresses] != list(to):
        yield "To is not who receives"
    if not re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", str(letter["Message-ID"]).strip()):
        yield "Message-ID is none"
    if not str(letter["Subject"]).strip() or re.search(r"[\x00-\x1f\x7f]", str(letter["Subject"])):
        yield "Subject is empty, or has control characters"
    if parsedate_to_datetime(str(letter["Date"])).tzinfo is None:
        yield "Date has no zone"


def _unsubscribing_faults(letter: EmailMessage) -> Iterator[str]:
    """RFC 8058 §3.1: both headers or neither; of the first an HTTPS address, of the second the very words."""
    where, how = letter["List-Unsubscribe"], letter["List-Unsubscribe-Post"]
    if (where is None) != (how is None):
        yield "one of the headers that unsubscribe stands alone"
    elif where is not None and not re.fullmatch(r"<https://[!-;=?-~]+>", str(where)):
        yield "List-Unsubscribe is no address in brackets"
    elif how is not None and str(how) != "List-Unsubscribe=One-Click":
        yield "List-Unsubscribe-Post says something else"


def _header_defects(part: Any) -> list[Any]:
    return [defect for value in part.values() for defect in getattr(value, "defects", ())]


class _Strict(HTMLParser):
    """Reads a letter's HTML: its faults, and what people see of it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.seen: list[str] = []
        self._open: list[tuple[str, bool]] = []  # and whether it is hidden

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in TAGS or not ATTRIBUTES.issuperset(given):
            self.faults.append(f"<{tag} {' '.join(given)}>")
        if re.search(r"url\(|expression|@import", given.get("style") or ""):
            self.faults.append("a style that loads something")
        if "href" in given and not re.match(r"https?://[!-~]+$", given["href"] or ""):
            self.faults.append("a link that leads to no page")
        if tag in ("br", "pre", "blockquote"):
            self.seen.append("\n")
        if tag not in VOID:
            hidden = "display:none" in (given.get("style") or "") or tag in ("title", "style")
            self._open.append((tag, hidden))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop()[0] != tag:
            self.faults.append(f"</{tag}> closes nothing")
        if tag in ("td", "pre", "blockquote"):
            self.seen.append("\n")

    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _ in self._open]
        if "style" in inside and re.search(r"url\(|@import|expression", data):
            self.faults.append("a sheet that loads something")
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", data):
            self.faults.append("a control character")
        if not any(hidden for _, hidden in self._open) and ("pre" in inside or data.strip("\n")):
            self.seen.append(data if "pre" in inside else data.replace("\n", ""))

    def close(self) -> None:
        super().close()
        self.faults += [f"<{tag}> is not closed" for tag, _ in self._open]


def html_faults(html: str) -> list[str]:
    reader = _Strict()
    reader.feed(html)
    reader.close()
    return reader.faults


def seen(letter: Mapping[str, Any]) -> str:
    """The subject, and what people see below it, line by line."""
    return f"{letter['subject']}\n{below(letter)}"


def below(letter: Mapping[str, Any]) -> str:
    reader = _Strict()
    reader.feed(letter["html"])
    reader.close()
    lines = "".join(reader.seen).split("\n")
    return "\n".join(line for line in lines if line.strip()).strip()


def shown(letter: Mapping[str, Any]) -> str:
    """What is seen below the subject: a list of letters shows that, and nothing of the remarks."""
    return escape(below(letter), quote=False)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in INLINE, f"<{tag}> is nothing that a template writes"
        assert set(dict(attrs)) <= ({"href"} if tag == "a" else set()), attrs
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}>"
        assert self.open.pop() == tag, f"</{tag}>"

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


def words(markup: str) -> str:
    reader = _Words()
    reader.feed(str(markup))
    reader.close()
    assert reader.open == [], f"{reader.open} are not closed"
    return "".join(reader.found)


def harmless(markup: str) -> None:
    """Nobody is called by a letter's text; no tag may come out of what people are called."""
    words(markup)


def pings(letter: Mapping[str, Any], event: Event) -> Iterable[str]:
    return ()


def _faults(request: Request, events: Sequence[Event]) -> Iterator[str]:
    letter = read_letter(request.body)
    return mail_faults(letter.mime(), letter.sender.address, [letter.to.address])


async def offered(service: Mail, path: str, to: str, times: int) -> list[int]:
    """The codes that so many letters in a moment are answered with."""
    moment = service.now()
    service.now = lambda: moment
    codes = []
    async with serving(service) as base, CLIENT(hostname="127.0.0.1", port=URL(base).port, start_tls=False) as client:
        for _ in range(times):
            try:
                codes.append((await client.mail(USER)).code)
            except SMTPResponseException as error:
                codes.append(error.code)
            await client.rset()
    return codes


KNOWN = KnownChat(
    example={
        "server": "smtp.example.com",
        "username": "vpn",
        "password": SECRET,
        "from": "VPN <vpn@example.com>",
        "to": "ops@example.com",
    },
    ways={
        "here": Way(
            settings={"server": "127.0.0.1", "encryption": "none", "from": "vpn@example.com", "to": "ops@example.com"},
            faults=_faults,
        ),
        "full": Way(
            settings={
                "server": "mail.пример.example".encode("idna").decode(),
                "port": 2525,
                "encryption": "tls",
                "username": "vpn",
                "password": "secret",
                "from": f'Ops "North", {"فروشگاه " * 10}<vpn@example.com>',
                "to": f"{'x' * 64}@{'y' * 60}.example",
                "reply_to": "Помощь <help@пример.example>",
            },
            faults=_faults,
        ),
    },
    house=House(
        stand_in=lambda limited: Mail(login=(USER, PASSWORD), limited=limited),
        sinks={
            "email": {
                "server": "127.0.0.1",
                "port": "{port}",
                "encryption": "none",
                "username": USER,
                "password": PASSWORD,
                "from": f"Panelbridge <{USER}>",
                "to": "ops@example.com",
            }
        },
        secrets=(PASSWORD,),
    ),
    pace=Pace(
        stand_in=lambda: Mail(limited=True), path="", body="ops@example.com", count=10, limited=451, send=offered
    ),
    words=words,
    harmless=harmless,
    shown=shown,
    seen=seen,
    pings=pings,
    silences=None,
)
