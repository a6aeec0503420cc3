"""Letters that come back, end to end: a mailbox that is gone is left alone, and a stranger stops nobody."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import until
from tests.services.email import Mail
from tests.services.imap import PASSWORD, USER, Imap
from tests.services.reports import SERVERS, a_letter, postfix
from tests.services.service import serving
from tests.street import MARZBAN, LaterClock, Panels, a_house

pytestmark = pytest.mark.process

FILE = """
secret_key: a-key-of-thirty-two-signs-or-more
directory:
  realm: marzban
  users: {alice: {email: alice@example.com}, bob: {email: bob@example.com}}
"""


@dataclass
class Post:
    """A bridge that writes to customers, their mail server, and the inbox to which letters come back."""

    panels: Panels
    mail: Mail
    imap: Imap
    clock: LaterClock

    async def told(self, action: str, *users: str) -> None:
        body = [{"action": action, "username": one, "user": {"username": one}} for one in users]
        assert await self.panels.send("/in/marzban", body, {"x-webhook-secret": MARZBAN}) == 200

    def id_of(self, name: str) -> str:
        """Of the last letter to somebody."""
        return str([one for one in self.mail.letters if one["To"] == f"{name}@example.com"][-1]["Message-ID"])

    async def looked_through(self) -> None:
        """Returns once all that lies in the inbox was looked at."""
        before = sum(one.startswith("UID SEARCH") for one in self.imap.said)
        self.clock.step(3600.0 * (before + 1))
        await until(lambda: sum(one.startswith("UID SEARCH") for one in self.imap.said) > before)

    async def said_of(self, count: int) -> list[tuple[str, str, str | None]]:
        found = await self.panels.settled(count)
        return [(one["subject"], one["state"], one["reason"]) for one in found]


@asynccontextmanager
async def a_post(folder: Path) -> AsyncIterator[Post]:
    mail, clock = Mail(), LaterClock(folder)
    async with AsyncExitStack() as stack:
        imap = await stack.enter_async_context(Imap(folder="Returned").listening())
        port = (await stack.enter_async_context(serving(mail))).rpartition(":")[2]
        (folder / "imap-password").write_text(f"{PASSWORD}\n")
        sinks = f"""
sinks:
  mail:
    type: email
    server: 127.0.0.1
    port: {port}
    encryption: none
    from: {USER}
    to: "{{{{ person.email }}}}"
    bounces: {{server: 127.0.0.1, port: {imap.port}, encryption: none, folder: Returned, username: {USER},
              password_file: imap-password}}
"""
        rows = ["match: 'user.*', to: mail, audience: user"]
        panels = await stack.enter_async_context(a_house(folder, sinks, rows=rows, more=FILE, program=clock.program))
        yield Post(panels, mail, imap, clock)
        assert imap.faults == []


async def test_who_is_gone_is_written_to_no_more_and_everybody_else_is(tmp_path: Path) -> None:
    async with a_post(tmp_path) as post:
        await post.told("user_expired", "alice", "bob")
        await post.panels.settled(2)
        post.imap.receives(a_letter())
        report = post.imap.receives(postfix("bob@example.com", post.id_of("bob")))
        await post.looked_through()
        await until(lambda: report.seen)
        await post.told("user_enabled", "alice", "bob")
        told = await post.said_of(4)
        await post.panels.bridge.restart()
        await post.told("user_limited", "alice", "bob")
        told_after = await post.said_of(6)
    words = "came back: 550 5.1.1 <bob@example.com>: Recipient address rejected: User unknown in virtual mailbox table"
    assert told[2:] == [("user:alice", "delivered", None), ("user:bob", "held_back", words)]
    assert told_after[4:] == [("user:alice", "delivered", None), ("user:bob", "held_back", words)]
    assert post.imap.unread == [1]


async def test_what_a_stranger_writes_to_the_inbox_stops_nobody_and_stays_unread(tmp_path: Path) -> None:
    async with a_post(tmp_path) as post:
        await post.told("user_expired", "alice", "bob")
        await post.panels.settled(2)
        own, others = post.id_of("bob"), post.id_of("alice")
        for write in SERVERS.values():
            post.imap.receives(write("alice@example.com", own))  # bob has a letter, and no say in alice's
            post.imap.receives(write("alice@example.com", f"<{'0' * 16}.{others.partition('.')[2]}"))
            post.imap.receives(write("alice@example.com", "<1@example.com>"))
        post.imap.receives(postfix("alice@example.com", others, action="delayed", status="4.2.1"))
        post.imap.receives(postfix("alice@example.com", others, status="5.7.1", said="554 5.7.1 spam"))
        await post.looked_through()
        await post.looked_through()
        await post.told("user_enabled", "alice", "bob")
        assert [state for _, state, _ in await post.said_of(4)] == ["delivered"] * 4
    assert post.imap.unread == [one.uid for one in post.imap.letters]
