"""The dialogue with an IMAP server, in a thread of its own: the standard library's client waits for each answer.

Source   RFC 3501 (IMAP4rev1: UIDVALIDITY, UID SEARCH, UID FETCH, BODY.PEEK, partial fetches), RFC 4616 (AUTH=PLAIN),
         RFC 8314 (TLS); docs.python.org/3/library/imaplib.html
Quirks   SEARCH goes by the day, in the server's own zone; `n:*` always has the last letter, whatever n is
         a folder is opened to be read alone, so that nothing in it changes, not even \\Recent
"""

import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import ClassVar, Literal, Self

from bridge.sinks.http import reason_of
from bridge.sinks.inbox import InboxUnreadable
from bridge.sinks.text import one_line
from bridge.value import Value

ANSWER = 15.0  # seconds for each answer
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WORDS = 200  # characters of an answer

ImapEncryption = Literal["tls", "starttls", "none"]


class ImapServer(Value):
    """Which server, how, and as whom."""

    HIDDEN: ClassVar = frozenset({"password", "proxy"})

    host: str
    port: int
    encryption: ImapEncryption
    username: str
    password: str
    folder: str = "INBOX"
    proxy: str | None = None
    ca: Path | None = None


class Imap:
    """One connection. Everything raises InboxUnreadable, in words, where the server does not do what it is asked."""

    def __init__(self, server: ImapServer, context: ssl.SSLContext | None) -> None:
        self._server = server
        self._context = context
        self._imap: imaplib.IMAP4 | None = None
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        try:
            with _in_words():
                context = self._context if self._server.encryption == "tls" else None
                self._imap = _ImapConnection(self._server, context, on_socket=self._note)
                if self._server.encryption == "starttls":
                    self._imap.starttls(self._context)
                    self._note(self._imap.sock)
                self._log_in(self._imap)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._imap is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                self._imap.logout()
        self._close()

    def cut(self) -> None:
        """End it at once, from whatever thread: what waits for an answer gets none."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def open(self, *, to_change: bool = False) -> int:
        """Open the folder; its UIDVALIDITY: with another one, numbers mean other letters."""
        with _in_words():
            _done(self._line.select(f'"{self._server.folder}"', readonly=not to_change))
            _, told = self._line.response("UIDVALIDITY")
        return int(told[0]) if told and isinstance(told[0], bytes) and told[0].isdigit() else 0

    def numbers(self, *, after: int, since: date) -> list[int]:
        """Those of letters behind `after` that came on that day or later, in order."""
        day = f"{since.day}-{MONTHS[since.month - 1]}-{since.year}"
        with _in_words():
            told = _done(self._line.uid("SEARCH", "UID", f"{after + 1}:*", "SINCE", day))
        found = (int(one) for line in told if isinstance(line, bytes) for one in line.split() if one.isdigit())
        return sorted(one for one in found if one > after)

    def content_type(self, number: int) -> str:
        """That of a letter; nothing where it has gone meanwhile."""
        head = self._fetched(number, "BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE)]")
        return " ".join(head.decode("ascii", "replace").split())

    def beginning(self, number: int, most: int) -> bytes:
        """So many bytes of a letter."""
        return self._fetched(number, f"BODY.PEEK[]<0.{most}>")

    def set_read(self, numbers: Sequence[int]) -> None:
        """Mark letters of the folder, which is open to be changed."""
        with _in_words():
            _done(self._line.uid("STORE", ",".join(map(str, numbers)), "+FLAGS.SILENT", r"(\Seen)"))

    def _note(self, opened: socket.socket) -> None:
        self._socket = opened

    def _close(self) -> None:
        if self._imap is not None:
            with suppress(OSError):
                self._imap.shutdown()
        elif self._socket is not None:
            self._socket.close()

    @property
    def _line(self) -> imaplib.IMAP4:
        assert self._imap is not None
        return self._imap

    def _log_in(self, imap: imaplib.IMAP4) -> None:
        name, password = self._server.username, self._server.password
        if "AUTH=PLAIN" in imap.capabilities:
            imap.authenticate("PLAIN", lambda _: f"\0{name}\0{password}".encode())
        elif not (name + password).isascii():
            raise InboxUnreadable("without AUTH=PLAIN the server takes a name and a password in plain letters alone")
        else:
            imap.login(_quoted(name), password)  # which it quotes itself

    def _fetched(self, number: int, what: str) -> bytes:
        with _in_words():
            told = _done(self._line.uid("FETCH", str(number), f"({what})"))
        return next((part[1] for part in told if isinstance(part, tuple) and len(part) == 2), b"")


class _ImapConnection(imaplib.IMAP4):
    """The library's connection, from the first byte in TLS where there is a context, and through a proxy."""

    def __init__(
        self, server: ImapServer, context: ssl.SSLContext | None, *, on_socket: Callable[[socket.socket], None]
    ) -> None:
        self._of = server
        self._context = context
        self._on_socket = on_socket
        super().__init__(server.host, server.port, ANSWER)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        if self._of.proxy is None:
            plain: socket.socket = super()._create_socket(timeout)  # type: ignore[misc]
        else:
            plain = _through_proxy(self._of, timeout or ANSWER)
        self._on_socket(plain)
        if self._context is None:
            return plain
        secured = self._context.wrap_socket(plain, server_hostname=self._of.host, do_handshake_on_connect=False)
        self._on_socket(secured)
        secured.do_handshake()
        return secured


def _through_proxy(server: ImapServer, timeout: float) -> socket.socket:
    from python_socks import ProxyError
    from python_socks.sync import Proxy

    try:
        proxy = Proxy.from_url((server.proxy or "").replace("socks5h:", "socks5:", 1), rdns=True)
        connected: socket.socket = proxy.connect(server.host, server.port, timeout=timeout)
    except ProxyError as error:
        raise InboxUnreadable(f"no answer: proxy: {error}".lower()) from None
    connected.settimeout(timeout)
    return connected


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _done(answer: tuple[str, Sequence[object]]) -> Sequence[object]:
    """What an answer tells; InboxUnreadable where it is a no."""
    status, told = answer
    if status != "OK":
        raise InboxUnreadable(_reason(told[-1] if told else ""))
    return told


def _reason(words: object) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
    return one_line(re.sub(r"^\[[A-Z-]+\] ", "", text))[:_WORDS] or "the server says no"


@contextmanager
def _in_words() -> Iterator[None]:
    """What the library raises, in words that give no password away."""
    try:
        yield
    except imaplib.IMAP4.abort as error:
        words = _reason(error.args[0] if error.args else "")
        closed = "EOF" in words or "=>" in words
        raise InboxUnreadable("no answer: the connection was closed" if closed else words) from None
    except imaplib.IMAP4.error as error:
        raise InboxUnreadable(_reason(error.args[0] if error.args else "")) from None
    except TimeoutError:
        raise InboxUnreadable(f"no answer within {ANSWER:g} s") from None
    except (OSError, ValueError) as error:
        raise InboxUnreadable(f"no answer: {reason_of(error)}") from None
