"""An IMAP server with one mailbox, as strict as RFC 3501: a command that is out of place, or badly said, is refused.

Source   RFC 3501 (§2.3.1.1 UIDs, §3 states, §6 commands, §7.4.2 FETCH), RFC 4616 (PLAIN), RFC 4959 (no SASL-IR here)
"""

import asyncio
import re
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from bridge.sinks.email.imap import MONTHS

USER, PASSWORD = "vpn@example.com", 'correct "horse" \\ باتری'
_COMMAND = re.compile(r"(?P<tag>[A-Z0-9]+) (?P<verb>UID [A-Z]+|[A-Z]+)(?: (?P<rest>.*))?")
_SEARCH = re.compile(r"UID (?P<first>\d+):\* SINCE (?P<day>\d{1,2})-(?P<month>[A-Z][a-z]{2})-(?P<year>\d{4})")
_FETCH = re.compile(r"(?P<uid>\d+) \(BODY(?P<peek>\.PEEK)?\[(?P<part>[^\]]*)\](?:<0\.(?P<most>\d+)>)?\)")
_STORE = re.compile(r"(?P<uids>[\d,]+) \+FLAGS\.SILENT \(\\Seen\)")
_TYPE = re.compile(rb"^content-type:.*(?:\r\n[ \t].*)*\r\n", re.I | re.M)


@dataclass
class Letter:
    """What lies in the folder; `came` is its INTERNALDATE."""

    uid: int
    source: bytes
    came: datetime
    seen: bool = False


@dataclass
class Imap:
    """`letters` lie in `folder`; `validity` is what their numbers hold under. `said`: the commands, without passwords.

    `silent`: it takes commands and answers none; `mute`: it does not even greet.
    """

    tls: ssl.SSLContext | None = None
    starttls: bool = False
    plain: bool = True
    password: str = PASSWORD
    folder: str = "INBOX"
    validity: int = 7
    letters: list[Letter] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    silent: bool = False
    mute: bool = False
    port: int = 0

    def receives(self, source: bytes, *, came: datetime | None = None) -> Letter:
        """A letter arrives."""
        letter = Letter(max((one.uid for one in self.letters), default=0) + 1, source, came or datetime.now(UTC))
        self.letters.append(letter)
        return letter

    @property
    def unread(self) -> list[int]:
        return [one.uid for one in self.letters if not one.seen]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Imap"]:
        tls = None if self.starttls else self.tls
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await _Dialogue(self, reader, writer).run()
        writer.close()


class _Dialogue:
    def __init__(self, server: Imap, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._logged_in = False
        self._opened: str | None = None  # the command that opened the folder

    async def run(self) -> None:
        if not self._server.mute:
            await self._say("* OK IMAP4rev1 ready")
        while line := await self._reader.readline():
            if self._server.silent:
                continue
            match = _COMMAND.fullmatch(line.decode("utf-8").rstrip("\r\n"))
            if match is None or not line.endswith(b"\r\n"):
                self._server.faults.append(line.decode("utf-8", "replace"))
                await self._say("* BAD what is this?")
                continue
            tag, verb, rest = match["tag"], match["verb"], match["rest"] or ""
            self._server.said.append(verb if verb in ("LOGIN", "AUTHENTICATE") else f"{verb} {rest}".strip())
            answer = await self._answer(tag, verb, rest)
            if answer.startswith("BAD"):
                self._server.faults.append(line.decode())
            await self._say(f"{tag} {answer}")
            if verb == "LOGOUT":
                return
            if verb == "STARTTLS" and answer.startswith("OK"):
                assert self._server.tls is not None
                await self._writer.start_tls(self._server.tls)

    async def _answer(self, tag: str, verb: str, rest: str) -> str:
        match verb:
            case "CAPABILITY":
                plain = " AUTH=PLAIN" if self._server.plain else ""
                await self._say(f"* CAPABILITY IMAP4rev1{' STARTTLS' if self._server.starttls else ''}{plain}")
                return "OK done"
            case "STARTTLS" if self._server.starttls and not self._logged_in:
                return "OK begin"
            case "AUTHENTICATE" if rest == "PLAIN" and not self._logged_in:
                await self._say("+ ")
                given = b64decode(await self._reader.readline()).decode().split("\0")
                return self._judged(given == ["", USER, self._server.password])
            case "LOGIN" if not self._logged_in:
                quoted = self._server.password.replace("\\", "\\\\").replace('"', '\\"')
                return self._judged(rest == f'"{USER}" "{quoted}"')
            case "LOGOUT":
                await self._say("* BYE")
                return "OK done"
            case "SELECT" | "EXAMINE" if self._logged_in:
                return await self._open(verb, rest)
            case "UID SEARCH" if self._opened and (found := _SEARCH.fullmatch(rest)):
                uids = " ".join(str(one.uid) for one in self._searched(found))
                await self._say(f"* SEARCH {uids}".rstrip())
                return "OK done"
            case "UID FETCH" if self._opened and (found := _FETCH.fullmatch(rest)):
                await self._fetch(found)
                return "OK done"
            case "UID STORE" if self._opened == "SELECT" and (found := _STORE.fullmatch(rest)):
                for one in self._server.letters:
                    one.seen |= str(one.uid) in found["uids"].split(",")
                return "OK done"
        return "BAD not here, and not so"

    def _judged(self, right: bool) -> str:
        self._logged_in = right
        return "OK welcome" if right else "NO [AUTHENTICATIONFAILED] Authentication failed."

    async def _open(self, verb: str, name: str) -> str:
        if name.strip('"') != self._server.folder:
            return f"NO [NONEXISTENT] Mailbox doesn't exist: {name}"
        self._opened = verb
        await self._say(f"* {len(self._server.letters)} EXISTS")
        await self._say(f"* OK [UIDVALIDITY {self._server.validity}] UIDs valid")
        return f"OK [{'READ-WRITE' if verb == 'SELECT' else 'READ-ONLY'}] opened"

    def _searched(self, asked: re.Match[str]) -> Iterator[Letter]:
        since = date(int(asked["year"]), MONTHS.index(asked["month"]) + 1, int(asked["day"]))
        last = max((one.uid for one in self._server.letters), default=0)
        first = min(int(asked["first"]), last)  # `n:*` has the last one, also where n is behind it
        yield from (one for one in self._server.letters if one.uid >= first and one.came.date() >= since)

    async def _fetch(self, asked: re.Match[str]) -> None:
        for number, one in enumerate(self._server.letters, 1):
            if one.uid != int(asked["uid"]):
                continue
            one.seen |= not asked["peek"] and self._opened == "SELECT"
            found, part = one.source, asked["part"]
            if part:
                assert part == "HEADER.FIELDS (CONTENT-TYPE)", part
                head = one.source.partition(b"\r\n\r\n")[0] + b"\r\n"
                found = b"".join(_TYPE.findall(head)) + b"\r\n"
            if asked["most"]:
                found = found[: int(asked["most"])]
            name = f"BODY[{asked['part']}]" + ("<0>" if asked["most"] else "")
            await self._say(f"* {number} FETCH (UID {one.uid} {name} {{{len(found)}}}")
            self._writer.write(found)
            await self._say(")")

    async def _say(self, line: str) -> None:
        self._writer.write(f"{line}\r\n".encode())
        await self._writer.drain()
