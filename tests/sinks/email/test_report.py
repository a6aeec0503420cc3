"""What a mail server reports of a letter, and who may say so: whoever has had the letter, and nobody else."""

from email import message_from_bytes
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sealing import Sealer
from bridge.sinks.email.address import mailbox_key
from bridge.sinks.email.letter_id import LONGEST_ENVELOPE, LetterIds, envelope_id
from bridge.sinks.email.report import MOST, may_be_report, reports_in
from tests.services.reports import SERVERS, Write, a_letter, exchange, gmail, postfix

BOB = "bob@example.net"
WHAT, ABOUT = "0123456789abcdef", "019af3d2-8e41-7c06-9d6a-0123456789ab"
IDS = LetterIds("example.com", Sealer("a-key-of-thirty-two-signs-or-more"))
ID = IDS.make(WHAT, ABOUT, mailbox_key(BOB))


@pytest.mark.parametrize("write", SERVERS.values(), ids=SERVERS)
def test_a_mailbox_that_is_gone_is_reported_with_the_servers_own_words(write: Write) -> None:
    source = write(BOB, ID)
    [report] = reports_in(source)
    assert report.message_id == ID
    assert set(report.mailboxes) == {BOB}
    assert report.reason.startswith("came back: 550")
    assert may_be_report(str(message_from_bytes(source)["Content-Type"]))
    assert not may_be_report("multipart/alternative; boundary=x")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("5.0.0", "550 {to}: no such user"),
        ("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable"),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied."),
        ("5.4.4", "Unable to resolve route"),
        ("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled."),
        ("5.7.133", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup"),
        ("5.1.2", ""),
    ],
)
def test_whatever_is_wrong_with_a_mailbox_for_good_is_reported(status: str, said: str) -> None:
    [report] = reports_in(postfix(BOB, ID, status=status, said=said))
    assert report.reason == f"came back: {said.format(to=BOB) or status}"


@pytest.mark.parametrize(
    "changed",
    [
        {"action": "delayed", "status": "4.4.1"},
        {"action": "failed", "status": "4.4.7"},  # given up after five days: a host that was away
        {"action": "failed", "status": "5.4.7"},
        {"action": "delivered", "status": "2.0.0"},
        {"action": "relayed"},
        {"action": "expanded"},
        {"status": "5.2.2", "said": "552 5.2.2 mailbox full"},
        {"status": "5.2.3"},
        {"status": "5.3.4"},
        {"status": "5.6.1"},
        {"status": "5.7.1", "said": "550 5.7.1 Message rejected as spam"},
        {"status": "5.0.0", "said": "550 5.7.1 our address is on a list"},
        {"status": "5.0.0", "said": "550-5.7.26 neither SPF nor DKIM"},
        {"status": "5.1.8", "said": "553 5.1.8 sender's domain does not exist"},
        {"status": "gone"},
        {"status": "5.1"},
    ],
    ids=str,
)
def test_what_passes_or_is_the_letters_or_our_own_fault_is_not(changed: dict[str, Any]) -> None:
    assert reports_in(postfix(BOB, ID, **changed)) == []


@pytest.mark.parametrize("returned", ["message/rfc822", "text/rfc822-headers", "message/rfc822-headers"])
def test_a_letter_may_come_back_whole_or_as_its_head(returned: str) -> None:
    assert [one.message_id for one in reports_in(postfix(BOB, ID, returned=returned))] == [ID]


def test_a_forwarded_letter_is_known_by_the_mailbox_that_it_was_written_to() -> None:
    [report] = reports_in(postfix("bob@elsewhere.example", ID, original=BOB))
    assert report.mailboxes == (BOB, "bob@elsewhere.example")


ENVELOPE = ID.strip("<>").partition("@")[0]


def test_a_report_without_the_letter_is_known_by_its_envelope() -> None:
    source = without(
        postfix("bob@elsewhere.example", ID, original=BOB, envelope=ENVELOPE), f"Message-ID: {ID}".encode()
    )
    [report] = reports_in(source)
    assert (report.message_id, report.envelope, report.mailboxes[0]) == ("", ENVELOPE, BOB)
    assert IDS.proves(report.envelope, mailbox_key(BOB))


def test_an_envelopes_name_proves_its_letter_for_its_mailbox_and_no_other() -> None:
    assert envelope_id(ID) == ENVELOPE
    assert IDS.proves(ENVELOPE, mailbox_key(BOB))
    assert not IDS.proves(ENVELOPE, mailbox_key("alice@example.net"))
    for wrong in (ENVELOPE.upper(), f"<{ENVELOPE}>", f"{ENVELOPE}@example.com", f"{WHAT}.{'0' * 32}.{ABOUT}", ""):
        assert not IDS.proves(wrong, mailbox_key(BOB))


def test_an_envelope_has_a_name_where_that_proves_something_and_is_not_too_long() -> None:
    place = mailbox_key(BOB)
    assert envelope_id(LetterIds("example.com").make(WHAT, ABOUT, place)) is None
    fitting = LONGEST_ENVELOPE - len(f"{WHAT}.{'0' * 32}.")
    for length, named in ((fitting, True), (fitting + 1, False)):
        assert (envelope_id(IDS.make(WHAT, "a" * length, place)) is not None) is named


def without(source: bytes, *parts: bytes) -> bytes:
    for part in parts:
        assert part in source
        source = source.replace(part, b"")
    return source


@pytest.mark.parametrize(
    "source",
    [
        a_letter(),
        a_letter(postfix(BOB, ID).decode()),  # quoted in a letter, it is none
        without(postfix(BOB, ID), b"multipart/report; report-type=delivery-status;"),
        without(postfix(BOB, ID), f"Message-ID: {ID}".encode()),
        without(postfix(BOB, ID), b"message/rfc822"),
        without(postfix(BOB, ID), b"Action: failed\r\n"),
        without(exchange(BOB, ID), b"Final-Recipient: rfc822;" + BOB.encode()),
        gmail(BOB, "<not an id>"),
        postfix(BOB, ID).replace(b"\r\n--3D5E922C0B1.1796011201/mail.example.com--", b""
            b"\r\n--3D5E922C0B1.1796011201/mail.example.com\r\nContent-Type: message/rfc822\r\n\r\n"
            b"Message-ID: <2@x.example>\r\n\r\n\r\n--3D5E922C0B1.1796011201/mail.example.com--"),
        b"",
    ],
)  # fmt: skip
def test_what_lacks_something_of_a_report_is_none(source: bytes) -> None:
    assert reports_in(source) == []


def test_of_a_report_without_end_the_beginning_is_looked_at() -> None:
    group = b"Final-Recipient: rfc822; bob@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    long = postfix(BOB, ID).replace(b"Final-Recipient:", group * 500 + b"Final-Recipient:", 1)
    assert len(reports_in(long)) <= MOST


PIECES = st.sampled_from([SERVERS[name](BOB, ID) for name in SERVERS])


@given(PIECES, st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 400), st.binary(max_size=40)), max_size=6))
def test_whatever_is_made_of_a_report_it_is_read_or_none(source: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    for at, length, instead in changes:
        source = source[:at] + instead + source[at + length :]
    for one in reports_in(source):
        assert one.mailboxes
        assert one.reason.isprintable()


@given(st.binary(max_size=400))
def test_whatever_arrives_it_is_read_or_none(source: bytes) -> None:
    assert reports_in(b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n" + source) == []


def test_an_id_proves_its_letter_for_its_mailbox_and_no_other() -> None:
    assert IDS.proves(ID, mailbox_key("Bob@Example.NET"))
    assert not IDS.proves(ID, mailbox_key("alice@example.net"))
    assert not LetterIds("example.com", Sealer("another-key-of-thirty-two-signs")).proves(ID, mailbox_key(BOB))
    assert not LetterIds("example.com").proves(ID, mailbox_key(BOB))
    assert LetterIds("example.com").make(WHAT, ABOUT, mailbox_key(BOB)) == f"<{WHAT}.{ABOUT}@example.com>"


@given(st.text(alphabet="0123456789abcdef.-<>@", max_size=90), st.integers(0, len(ID) - 1))
def test_an_id_that_was_not_made_here_proves_nothing(text: str, at: int) -> None:
    place = mailbox_key(BOB)
    for id_ in (text, f"<{text}@example.com>", ID[:at] + ID[at + 1 :], f"<{WHAT}.{'0' * 32}.{ABOUT}@example.com>"):
        assert id_ == ID or not IDS.proves(id_, place) or id_.rpartition("@")[0] == ID.rpartition("@")[0]
