"""The inbox to which letters come back, over a strict IMAP server: what it takes for a report, and what it leaves."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from yarl import URL

from bridge.outcome import Delivered
from bridge.sealing import Sealer
from bridge.sinks.base import Tools
from bridge.sinks.email import imap as dialogue
from bridge.sinks.email import inbox as looking
from bridge.sinks.email.address import mailbox_key
from bridge.sinks.email.imap import ImapServer
from bridge.sinks.email.inbox import EmailInbox
from bridge.sinks.email.letter import read_letter
from bridge.sinks.email.letter_id import LetterIds
from bridge.sinks.http import Http
from bridge.sinks.inbox import InboxResult, InboxUnreadable
from bridge.sinks.reachability import ADDRESS_FROM_DATA, FindingMark
from tests.certificates import TRUSTED, certificate
from tests.fakes import an_event
from tests.processes import PATIENCE, free_port
from tests.services.email import Mail
from tests.services.imap import PASSWORD, USER, Imap
from tests.services.reports import SERVERS, a_letter, postfix
from tests.services.service import serving
from tests.sinks.values import a_message, config

BOB, ALICE, SENDER = "bob@example.net", "alice@example.net", "email 0123456789abcdef"
IDS = LetterIds("example.com", Sealer("a-key-of-thirty-two-signs-or-more"))
LAST_WEEK = datetime.now(UTC) - timedelta(days=7)


def id_of(to: str) -> str:
    return IDS.make("0123456789abcdef", "019af3d2-8e41-7c06-9d6a-0123456789ab", mailbox_key(to))


def an_inbox(server: Imap, **changed: Any) -> EmailInbox:
    encryption = ("starttls" if server.starttls else "tls") if server.tls else "none"
    of: dict[str, Any] = {
        "host": "127.0.0.1", "port": server.port, "encryption": encryption, "folder": server.folder,
        "username": USER, "password": server.password,
    }  # fmt: skip
    return EmailInbox(ImapServer(**of | changed), SENDER, IDS)


async def looked(inbox: EmailInbox, state: Any = None, *, since: datetime = LAST_WEEK) -> InboxResult:
    return await inbox.look(state, since=since, within=PATIENCE)


async def test_a_report_of_a_letter_of_ours_counts_and_nothing_else_that_lies_there() -> None:
    async with Imap().listening() as server:
        server.receives(a_letter())
        for write in SERVERS.values():
            server.receives(write(BOB, id_of(BOB)))
        server.receives(postfix(BOB, "<20261130.1@example.com>"))  # no letter of ours
        server.receives(postfix(ALICE, id_of(BOB)))  # bob's letter, and alice is to be stopped
        server.receives(postfix("not a mailbox", id_of(BOB), original="nor <this>"))
        server.receives(postfix(BOB, id_of(BOB), action="delayed", status="4.4.1"))
        found = await looked(inbox := an_inbox(server))
        assert [(one.place, one.number) for one in found.bounces] == [(mailbox_key(BOB), n) for n in (2, 3, 4)]
        assert (found.state, found.more) == ({"validity": 7, "number": 8}, False)
        assert server.unread == [*range(1, 9)]
        await inbox.set_read([2, 3, 4], within=PATIENCE)
        assert server.unread == [1, 5, 6, 7, 8]
    assert server.faults == []


async def test_a_look_begins_behind_the_one_before() -> None:
    async with Imap().listening() as server:
        server.receives(a_letter())
        first = await looked(inbox := an_inbox(server))
        assert (await looked(inbox, first.state)).state == first.state
        server.receives(postfix(BOB, id_of(BOB)))
        second = await looked(inbox, first.state)
        assert [one.number for one in second.bounces] == [2]
        fetched = [one for one in server.said if one.startswith("UID FETCH")]
        assert [one.split()[2] for one in fetched] == ["1", "2", "2"]


async def test_where_numbers_mean_others_all_is_looked_at_again_but_for_what_is_old() -> None:
    async with Imap().listening() as server:
        server.receives(postfix(BOB, id_of(BOB)), came=LAST_WEEK - timedelta(days=3))
        server.receives(postfix(BOB, id_of(BOB)))
        found = await looked(inbox := an_inbox(server), {"validity": 6, "number": 9})
        assert [one.number for one in found.bounces] == [2]
        assert (await looked(inbox, found.state)).bounces == []


async def test_a_full_inbox_is_looked_through_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "MOST", 3)
    async with Imap().listening() as server:
        for _ in range(4):
            server.receives(a_letter())
        first = await looked(inbox := an_inbox(server))
        assert (first.state["number"], first.more) == (3, True)
        second = await looked(inbox, first.state)
        assert (second.state["number"], second.more) == (4, False)


async def test_what_is_deleted_meanwhile_is_passed_over() -> None:
    async with Imap().listening() as server:
        imap = dialogue.Imap(an_inbox(server)._server, None)

        def asked() -> tuple[str, bytes]:
            with imap:
                imap.open()
                return imap.content_type(5), imap.beginning(5, 100)

        assert await asyncio.to_thread(asked) == ("", b"")


@pytest.mark.parametrize("plain", [True, False], ids=["AUTHENTICATE", "LOGIN"])
@pytest.mark.parametrize("starttls", [True, False])
async def test_the_way_there_is_encrypted_and_only_to_whom_the_roots_vouch_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, starttls: bool, plain: bool
) -> None:
    file = certificate(tmp_path, ends=datetime.now(UTC) + timedelta(days=1))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    password = PASSWORD if plain else 'a "b" \\c'
    async with Imap(tls=context, starttls=starttls, plain=plain, password=password).listening() as server:
        with pytest.raises(InboxUnreadable, match="the certificate is not trusted"):
            await looked(an_inbox(server))
        assert not {"LOGIN", "AUTHENTICATE"} & set(server.said)
        monkeypatch.setenv(TRUSTED, str(file))
        assert (await looked(an_inbox(server))).state == {"validity": 7, "number": 0}
        assert ("AUTHENTICATE" if plain else "LOGIN") in server.said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"password": "wrong-Q7"}, "Authentication failed."),
        ({"folder": "Bounces"}, 'Mailbox doesn\'t exist: "Bounces"'),
        ({"port": 1}, "no answer: "),
        ({"host": "nowhere.invalid"}, "no answer: host not found"),
        ({"encryption": "tls"}, "no answer: TLS failed"),
        ({"encryption": "starttls"}, "TLS not supported by server"),
    ],
    ids=str,
)
async def test_what_cannot_be_read_says_why_and_gives_nothing_away(changed: dict[str, Any], said: str) -> None:
    async with Imap().listening() as server:
        with pytest.raises(InboxUnreadable) as raised:
            await looked(an_inbox(server, **changed))
    assert said in str(raised.value)
    assert "Q7" not in str(raised.value)
    assert "b'" not in str(raised.value)


async def test_a_password_that_a_server_cannot_be_told_is_no_traceback() -> None:
    async with Imap(plain=False).listening() as server:
        with pytest.raises(InboxUnreadable, match="plain letters"):
            await looked(an_inbox(server))


@pytest.mark.parametrize("how", ["silent", "mute"])
async def test_a_server_that_says_nothing_is_left_at_once_and_holds_up_no_end(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(dialogue, "ANSWER", 10 * PATIENCE)
    async with Imap(**{how: True}).listening() as server:  # type: ignore[arg-type]
        with pytest.raises(InboxUnreadable, match="no answer within"):
            await an_inbox(server).look(None, since=LAST_WEEK, within=0.5)
        async with asyncio.timeout(PATIENCE):
            await asyncio.get_running_loop().shutdown_default_executor()


def settings(server: Imap, **bounces: Any) -> dict[str, Any]:
    of = {"server": "127.0.0.1", "port": server.port, "encryption": "none", "username": USER, "password": PASSWORD}
    return {
        "type": "email", "server": "localhost", "port": free_port(), "encryption": "none", "from": USER,
        "to": "{{ person.email }}", "bounces": of | bounces,
    }  # fmt: skip


async def test_the_letters_of_a_sink_with_an_inbox_prove_themselves_there(http: Http) -> None:
    sealer = Sealer("a-key-of-thirty-two-signs-or-more")
    async with Imap().listening() as server:
        given = config(**settings(server))
        sink = given.open(Tools(http, {}, sealer)).at(
            given.addressing().of_record(an_event(), {"email": "Bob@Example.net"})
        )
        message = a_message({"subject": "New", "text": "hi"})
        letter = sink.build(message).body
        assert sink.build(message).body == letter
        id_ = read_letter(letter).message_id
        server.receives(postfix(BOB, id_))
        inbox = given.inbox(sealer)
        assert [one.place for one in (await looked(inbox)).bounces] == [mailbox_key(BOB)]
        assert inbox.sender == sink.sender
        assert (await looked(given.inbox(Sealer("another-key-of-thirty-two-signs-or-so")))).bounces == []


async def test_a_letter_that_does_not_come_back_is_known_by_what_its_envelope_was_called(http: Http) -> None:
    """Through a mail server that offers DSN: what it was told is all that the report says of the letter."""
    sealer = Sealer("a-key-of-thirty-two-signs-or-more")
    mail = Mail(dsn=True)
    async with Imap().listening() as server, serving(mail) as base:
        given = config(**settings(server) | {"server": "127.0.0.1", "port": URL(base).port})
        sink = given.open(Tools(http, {}, sealer)).at(
            given.addressing().of_record(an_event(), {"email": "Bob@Example.net"})
        )
        assert isinstance((await sink.send(a_message({"subject": "New", "text": "hi"}))).outcome, Delivered)
        for_sender, for_mailbox = mail.wanted_reports
        original = for_mailbox["ORCPT"].removeprefix("rfc822;")
        for to in (original, ALICE):
            report = postfix("bob@elsewhere.example", "<>", original=to, envelope=for_sender["ENVID"])
            server.receives(report.replace(b"Message-ID: <>", b"X-Nothing: here"))
        inbox = given.inbox(sealer)
        assert [(one.place, one.number) for one in (await looked(inbox)).bounces] == [(mailbox_key(BOB), 1)]
        assert (await looked(given.inbox(Sealer("another-key-of-thirty-two-signs-or-so")))).bounces == []


@pytest.mark.parametrize(
    ("bounces", "mark", "said"),
    [
        ({}, FindingMark.OK, "; what comes back is read in INBOX at 127.0.0.1"),
        (
            {"folder": "Nowhere"},
            FindingMark.WRONG,
            ', but what comes back is not read: Nowhere at 127.0.0.1: Mailbox doesn\'t exist: "Nowhere"',
        ),
    ],
)
async def test_who_asks_after_the_sink_hears_of_its_inbox(
    http: Http, bounces: dict[str, str], mark: FindingMark, said: str
) -> None:
    mail = Mail()
    async with Imap().listening() as server, serving(mail) as base:
        of = settings(server, **bounces) | {"server": "127.0.0.1", "port": URL(base).port}
        finding = await config(**of).open(Tools(http, {})).asked(within=PATIENCE)
    taken = f"127.0.0.1 takes letters of {USER}; {ADDRESS_FROM_DATA}"
    assert (finding.mark, finding.text) == (mark, f"{taken}{said}")
    assert mail.taken == []
    assert server.faults == []
