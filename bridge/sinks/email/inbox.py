"""Where letters come back to that could not be handed over: the inbox of whoever writes, looked through by IMAP.

A report counts where it carries the id of a letter of ours, or of its envelope, proved under the operator's key, for
the very mailbox that it speaks of. All else that lies there is left as it is: whoever writes to the inbox can stop
nobody.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from pydantic import Field, SecretStr, field_validator

from bridge.event import JsonObject
from bridge.settings import Settings
from bridge.sinks.email.address import mailbox_key
from bridge.sinks.email.host import HostName
from bridge.sinks.email.imap import Imap, ImapEncryption, ImapServer
from bridge.sinks.email.letter_id import LetterIds
from bridge.sinks.email.report import LARGEST, BounceReport, may_be_report, reports_in
from bridge.sinks.http import Unanswered, trusted
from bridge.sinks.inbox import Bounce, InboxResult, InboxUnreadable
from bridge.sinks.settings import short_hash
from bridge.sinks.trust import Trust

PORTS: dict[ImapEncryption, int] = {"tls": 993, "starttls": 143, "none": 143}
MOST = 200  # letters of one look

T = TypeVar("T")


class BouncesSettings(Settings):
    """`bounces:` the inbox to which letters come back, read by IMAP."""

    example = "server: imap.example.com"

    server: HostName = Field(description="the IMAP server, imap.example.com")
    port: int | None = Field(None, ge=1, le=65535, description="993 with tls, else 143")
    encryption: ImapEncryption = Field(
        "tls", description="tls from the first byte, starttls, or none: for a server on this machine alone"
    )
    username: str | None = Field(None, description="who logs in, if not who logs in to send")
    password: SecretStr | None = Field(None, description="the password, if not that to send with")
    folder: str = Field("INBOX", description="where they lie, as the server calls it")

    @field_validator("folder")
    @classmethod
    def _plain_folder(cls, value: str) -> str:
        if not value or not value.isascii() or not value.isprintable() or '"' in value or "\\" in value:
            raise ValueError("should be the name of a folder in plain letters, as the server calls it")
        return value


class EmailInbox:
    """The inbox of one sender."""

    def __init__(self, server: ImapServer, sender: str, ids: LetterIds) -> None:
        self._server = server
        self._ids = ids
        self._trust = Trust()
        self.sender = sender

    @property
    def key(self) -> str:
        of = self._server
        return f"inbox {short_hash(of.host, str(of.port), of.username, of.folder)} of {self.sender}"

    @property
    def name(self) -> str:
        return f"{self._server.folder} at {self._server.host}"

    async def ask(self, *, within: float) -> None:
        """Open the folder, and leave; raise InboxUnreadable where that is not to be had."""
        await self._with(lambda imap: imap.open(), within)

    async def look(self, state: JsonObject | None, *, since: datetime, within: float) -> InboxResult:
        return await self._with(lambda imap: self._found(imap, state or {}, since), within)

    async def set_read(self, numbers: Sequence[int], *, within: float) -> None:
        def set_read(imap: Imap) -> None:
            imap.open(to_change=True)
            imap.set_read(numbers)

        await self._with(set_read, within)

    def _found(self, imap: Imap, state: JsonObject, since: datetime) -> InboxResult:
        validity = imap.open()
        after = int(state.get("number", 0)) if state.get("validity") == validity else 0
        numbers = imap.numbers(after=after, since=since.date())
        looked, bounces = numbers[:MOST], list[Bounce]()
        for number in looked:
            if may_be_report(imap.content_type(number)):
                bounces += self._bounces(imap.beginning(number, LARGEST), number)
        last = looked[-1] if looked else after
        return InboxResult({"validity": validity, "number": last}, bounces, more=len(numbers) > len(looked))

    def _bounces(self, source: bytes, number: int) -> list[Bounce]:
        found = ((self._proved(one), one.reason) for one in reports_in(source))
        return [Bounce(place, reason, number) for place, reason in found if place is not None]

    def _proved(self, report: BounceReport) -> str | None:
        """The place of the mailbox that a report is about; None where it is about no letter of ours to it."""
        for mailbox in report.mailboxes:
            try:
                place = mailbox_key(mailbox)
            except ValueError:
                continue
            if any(self._ids.proves(one, place) for one in (report.message_id, report.envelope)):
                return place
        return None

    async def _with(self, work: Callable[[Imap], T], within: float) -> T:
        """What is done on a connection of its own, in a thread; the connection is cut where it takes too long."""
        try:
            context: ssl.SSLContext | None = trusted(self._trust, self._server.ca)
        except Unanswered as error:
            raise InboxUnreadable(str(error)) from None
        imap = Imap(self._server, context)

        def done() -> T:
            with imap:
                return work(imap)

        try:
            async with asyncio.timeout(within):
                return await asyncio.to_thread(done)
        except TimeoutError:
            raise InboxUnreadable(f"no answer within {within:g} s") from None
        finally:
            imap.cut()
