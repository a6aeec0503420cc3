"""The dialogue with a mail server, and the connections that are kept for the next letter.

Why step by step: what an answer means depends on the command that it answers, and a letter is only sent once more on a
new connection while nothing of it has been handed over.

Source   RFC 5321, RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 3461 (DSN); aiosmtplib 5.1
Limits   a connection is kept for 10 s and for 100 letters; four at once to a server, as hosters allow a handful
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bridge.sinks.deadlines import answered_within
from bridge.sinks.email.letter import Letter
from bridge.sinks.email.letter_id import envelope_id
from bridge.sinks.http import OnSent, ProxyRefused, Response, Unanswered, reason_of, trusted
from bridge.sinks.trust import Trust
from bridge.value import Value

if TYPE_CHECKING:
    import socket

    from aiosmtplib import SMTP

SmtpEncryption = Literal["starttls", "tls", "none"]

KEPT, LETTERS, AT_ONCE = 10.0, 100, 4  # seconds, letters on a connection, connections to a server
FAREWELL = 2.0  # seconds in which a server may answer that we leave
NOT_OFFERED = 502  # what it would say to a command that it has not
TAKEN = 250


class SmtpServer(Value):
    """Which server, how, and as whom."""

    HIDDEN: ClassVar = frozenset({"password", "proxy"})

    host: str
    port: int
    encryption: SmtpEncryption
    username: str | None = None
    password: str | None = None
    proxy: str | None = None
    ca: Path | None = None


@dataclass(eq=False)
class _SmtpConnection:
    """An open connection."""

    smtp: "SMTP"
    letters: int = 0
    closing: asyncio.TimerHandle | None = None


class _UnexpectedReply(Exception):
    """The server's answer was not the one that lets the dialogue go on."""

    def __init__(self, command: str, code: int, text: str) -> None:
        super().__init__(code)
        self.response = _response(command, code, text)


class _Stale(Exception):
    """A connection that was kept has been closed since."""


class Smtp:
    """Connections to mail servers: open ones are used again, and closed when nobody needs them."""

    def __init__(self) -> None:
        self._idle: defaultdict[SmtpServer, list[_SmtpConnection]] = defaultdict(list)
        self._room: defaultdict[SmtpServer, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._leaving: set[asyncio.Task[None]] = set()
        self._trust = Trust()

    async def send(self, server: SmtpServer, letter: Letter, *, within: float, on_sent: OnSent = None) -> Response:
        """The answer that decided: to the letter, or to the command that was refused; `command` in its headers.

        Raise Unanswered where none came within so many seconds.
        """
        return await self._within(within, server, self._send(server, letter, on_sent))

    async def ask(self, server: SmtpServer, sender: str, to: str | None, *, within: float) -> Response:
        """The answer to an envelope without a letter, without a mailbox where there is none, or to the command before
        it that was refused."""
        return await self._within(within, server, self._ask(server, sender, to))

    async def _within(self, seconds: float, server: SmtpServer, answer: Coroutine[Any, Any, Response]) -> Response:
        try:
            async with answered_within(seconds), self._room[server]:
                return await answer
        except TimeoutError:
            raise Unanswered(f"no answer within {seconds:g} s") from None
        except _UnexpectedReply as refusal:
            return refusal.response
        finally:
            answer.close()

    async def _ask(self, server: SmtpServer, sender: str, to: str | None) -> Response:
        line = await self._open(server)
        try:
            async with _answering("MAIL"):
                text = (await line.smtp.mail(sender)).message
            if to is None:
                return _response("MAIL", TAKEN, text)
            async with _answering("RCPT"):
                text = (await line.smtp.rcpt(to)).message
            return _response("RCPT", TAKEN, text)
        finally:
            await _leave(line)

    async def close(self) -> None:
        """Leave every server; those that do not answer are left without a word."""
        lines = [line for lines in self._idle.values() for line in lines]
        self._idle.clear()
        await asyncio.gather(*map(_leave, lines), *self._leaving)

    async def _send(self, server: SmtpServer, letter: Letter, on_sent: OnSent) -> Response:
        if (line := self._kept(server)) is not None:
            with suppress(_Stale):
                return await self._hand_over(server, line, letter, on_sent)
        return await self._hand_over(server, await self._open(server), letter, on_sent)

    async def _hand_over(self, server: SmtpServer, line: _SmtpConnection, letter: Letter, on_sent: OnSent) -> Response:
        """The envelope, then the letter. Raise _Stale where a connection that was kept is one no more."""
        keep = False
        try:
            if line.letters:
                async with _reviving():
                    await line.smtp.rset()
            if on_sent is not None:
                on_sent()
            for_sender, for_mailbox = _wanted_report(letter) if line.smtp.supports_extension("dsn") else ((), ())
            async with _answering("MAIL"):
                await line.smtp.mail(letter.sender.address, options=for_sender)
            async with _answering("RCPT"):
                await line.smtp.rcpt(letter.to.address, options=for_mailbox)
            async with _answering("DATA"):
                text = (await line.smtp.data(letter.mime())).message
            keep = True
            return _response("DATA", TAKEN, text)
        except _UnexpectedReply as answer:
            keep = answer.response.status != 421  # it closes then
            raise
        finally:
            line.letters += 1
            self._put_back(server, line) if keep else line.smtp.close()

    def _kept(self, server: SmtpServer) -> _SmtpConnection | None:
        while lines := self._idle[server]:
            line = lines.pop()
            if line.closing is not None:
                line.closing.cancel()
            if line.smtp.is_connected:
                return line
        return None

    def _put_back(self, server: SmtpServer, line: _SmtpConnection) -> None:
        if line.letters >= LETTERS or not line.smtp.is_connected:
            self._let_go(line)
            return
        self._idle[server].append(line)
        line.closing = asyncio.get_running_loop().call_later(KEPT, self._outdated, server, line)

    def _outdated(self, server: SmtpServer, line: _SmtpConnection) -> None:
        if line in self._idle[server]:
            self._idle[server].remove(line)
            self._let_go(line)

    def _let_go(self, line: _SmtpConnection) -> None:
        task = asyncio.create_task(_leave(line))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _open(self, server: SmtpServer) -> _SmtpConnection:
        """A connection that is encrypted and logged in as it should be."""
        from aiosmtplib import SMTP  # only who has a mail server pays for it

        sock = await _through_proxy(server) if server.proxy else None
        smtp = SMTP(
            hostname=server.host,
            port=None if sock else server.port,
            sock=sock,
            use_tls=server.encryption == "tls",
            start_tls=False,
            tls_context=None if server.encryption == "none" else trusted(self._trust, server.ca),
            timeout=None,
            local_hostname="localhost",  # until there is a connection that tells our own address
        )
        try:
            await _greet(smtp, server)
        except BaseException:
            smtp.close()
            raise
        return _SmtpConnection(smtp)


def _wanted_report(letter: Letter) -> tuple[Sequence[str], Sequence[str]]:
    """What MAIL and RCPT say of a report, RFC 3461: of failure alone, with the letter's head, under the envelope's name
    and that of the mailbox as we write it, wherever it is forwarded to.
    """
    name = envelope_id(letter.message_id)
    envelope = [] if name is None else [f"ENVID={_xtext(name)}"]
    return ["RET=HDRS", *envelope], ["NOTIFY=FAILURE", f"ORCPT=rfc822;{_xtext(letter.to.address)}"]


def _xtext(text: str) -> str:
    """RFC 3461 §4: what is no plain sign, as `+2B`."""
    return "".join(one if "!" <= one <= "~" and one not in "+=" else f"+{ord(one):02X}" for one in text)


async def _greet(smtp: "SMTP", server: SmtpServer) -> None:
    async with _answering("the connection"):
        await smtp.connect()
    smtp.local_hostname = _own_address(smtp)
    async with _answering("EHLO"):
        await smtp.ehlo()
    if server.encryption == "starttls":
        if not smtp.supports_extension("starttls"):
            raise _UnexpectedReply("STARTTLS", NOT_OFFERED, "the server does not offer it")
        async with _answering("STARTTLS"):
            await smtp.starttls()
        async with _answering("EHLO"):
            await smtp.ehlo()
    if server.username is not None:
        if not smtp.supported_auth_methods:
            raise _UnexpectedReply("AUTH", NOT_OFFERED, "the server offers no login with a password")
        async with _answering("AUTH"):
            await smtp.login(server.username, server.password or "")


@asynccontextmanager
async def _reviving() -> AsyncIterator[None]:
    """The first word on a connection that was kept: whatever is wrong with it, another one is opened."""
    from aiosmtplib import SMTPException

    try:
        yield
    except (SMTPException, OSError):
        raise _Stale from None


@asynccontextmanager
async def _answering(command: str) -> AsyncIterator[None]:
    """What is refused is _UnexpectedReply, what breaks off Unanswered."""
    from aiosmtplib import SMTPException, SMTPResponseException

    try:
        yield
    except SMTPResponseException as error:
        if command == "DATA" and error.code == TAKEN:  # in place of 354: behind the letter it is no error
            raise Unanswered("no answer: the server took the letter before it was there") from None
        raise _UnexpectedReply(command, error.code, error.message) from None
    except TimeoutError:
        raise
    except SMTPException as error:
        raise Unanswered(f"no answer: {_words(error)}") from None
    except (OSError, ValueError) as error:
        raise Unanswered(f"no answer: {reason_of(error)}") from None


def _words(error: BaseException) -> str:
    """Why there was none, without the library's own text, which holds the address."""
    cause = error.__cause__
    if isinstance(cause, OSError) and type(cause).__module__.partition(".")[0] != "aiosmtplib":
        return reason_of(cause)
    return "the connection was closed"


async def _through_proxy(server: SmtpServer) -> "socket.socket":
    from python_socks import ProxyError  # who has one pays
    from python_socks.async_.asyncio import Proxy

    try:
        proxy = Proxy.from_url((server.proxy or "").replace("socks5h:", "socks5:", 1), rdns=True)
        return await proxy.connect(server.host, server.port)
    except TimeoutError:
        raise
    except (ProxyError, OSError, ValueError) as error:
        refused = 400 <= (getattr(error, "error_code", None) or 0) < 500
        kind = ProxyRefused if refused else Unanswered
        raise kind(f"no answer: proxy: {reason_of(error).removeprefix('proxy: ')}") from None


async def _leave(line: _SmtpConnection) -> None:
    from aiosmtplib import SMTPException

    with suppress(SMTPException, TimeoutError, OSError):
        async with asyncio.timeout(FAREWELL):
            await line.smtp.quit()
    line.smtp.close()


def _own_address(smtp: "SMTP") -> str:
    """How we are called where we have no name of our own: by our address, RFC 5321 §4.1.3."""
    name = smtp.get_transport_info("sockname")
    address = ip_address(str(name[0]).partition("%")[0]) if name else ip_address("127.0.0.1")
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def _response(command: str, code: int, text: str) -> Response:
    return Response(code, {"command": command}, text.encode("utf-8", "replace"))
