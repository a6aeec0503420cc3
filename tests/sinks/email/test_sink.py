"""E-mail: what is handed to the server, what its answers mean, and what is no setting."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.markup.service import ServiceLook
from bridge.message import Circumstances
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.email.address import mailbox_key
from bridge.sinks.email.answers import GREYLISTED, OF_PLACE, SPENT
from bridge.sinks.email.letter import read_letter
from bridge.sinks.email.service import EMAIL
from bridge.sinks.http import Response
from bridge.value import replace
from tests.fakes import START
from tests.services.email import mail_faults, parsed_letter
from tests.sinks.values import a_digest, a_message, a_sink, an_update, config, hostile_texts

BASE: dict[str, Any] = {"type": "email", "server": "smtp.example.com", "from": "vpn@example.com", "to": "a@b.example"}


def body_of(message: Any, **settings: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(a_sink(**BASE | settings).build(message).body)
    return said


def sent(message: Any, **settings: Any) -> Any:
    """The letter as a mail program has it."""
    return parsed_letter(read_letter(a_sink(**BASE | settings).build(message).body).mime())


# What goes out


def test_a_letter_says_who_writes_to_whom_and_when() -> None:
    message = a_message({"subject": "New", "text": "hi"})
    request = a_sink(**BASE, reply_to="help@example.com").build(message)
    assert (request.method, str(request.url)) == ("MAIL", "smtp://smtp.example.com:587")
    said = json.loads(request.body)
    assert said.items() >= {"from": "vpn@example.com", "to": "a@b.example", "reply_to": "help@example.com"}.items()
    assert (said["subject"], said["text"], said["date"]) == ("New", "hi", START.isoformat(timespec="seconds"))


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"encryption": "tls"}, "smtps://smtp.example.com:465"),
        ({"encryption": "tls", "port": 2465}, "smtps://smtp.example.com:2465"),
        ({"encryption": "none", "server": "127.0.0.1"}, "smtp://127.0.0.1:25"),
        ({"encryption": "none", "server": "::1"}, "smtp://[::1]:25"),
    ],
)
def test_the_port_follows_from_the_encryption_unless_it_is_given(settings: dict[str, Any], url: str) -> None:
    assert str(a_sink(**BASE | settings).build(a_message()).url) == url


def test_a_program_that_answers_by_itself_is_told_not_to() -> None:
    letter = sent(a_message({"text": "hi"}))
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["X-Auto-Response-Suppress"] == "All"


# One conversation for each subject, one Message-ID for each delivery


def test_every_try_of_a_delivery_is_the_same_letter_byte_for_byte() -> None:
    message = replace(a_message({"text": "hi"}), delivery=7)
    first, second = (read_letter(a_sink(**BASE).build(message).body).mime() for _ in range(2))
    assert first == second


def test_a_replay_and_another_sink_are_other_letters() -> None:
    message = replace(a_message({"text": "hi"}), delivery=7)
    ids = [
        body_of(one, **more)["message_id"]
        for one in (message, replace(message, delivery=8))
        for more in ({}, {"to": "c@b.example"})
    ]
    assert len(set(ids)) == 4
    assert all(one.endswith("@example.com>") for one in ids)


def test_a_digest_has_the_id_of_its_events_and_its_delivery() -> None:
    digest = replace(a_digest({"text": "2"}, untold=2), deliveries=(7, 8))
    ids = [
        json.loads(a_sink(**BASE).build_digest(one).body)["message_id"]
        for one in (digest, digest, replace(digest, deliveries=(9, 10)), replace(digest, id="other"))
    ]
    assert (ids[0] == ids[1], len(set(ids))) == (True, 3)


def test_letters_about_one_subject_of_one_source_are_a_conversation() -> None:
    alice, again, bob = (a_message({"text": "x"}, subject=f"user:{name}") for name in ("alice", "alice", "bob"))
    elsewhere = replace(alice, event=replace(alice.event, source="other"))
    roots = [body_of(one)["references"] for one in (alice, again, bob, elsewhere)]
    assert roots[0] == roots[1]
    assert len({*map(tuple, roots)}) == 3
    assert body_of(a_message({"text": "x"}, subject=None))["references"] == []
    assert "alice" not in roots[0][0]


def test_an_update_answers_the_letter_before_it() -> None:
    first = body_of(a_message({"text": "lost"}, subject="user:alice"))
    letter = sent(an_update(first["message_id"], {"text": "back"}, thread=True))
    assert letter["In-Reply-To"] == first["message_id"]
    assert letter["References"].split() == [*first["references"], first["message_id"]]


@pytest.mark.parametrize(
    "ref", ["C1/1732160058.161673", "<a@b>\r\nBcc: eve@evil.example", "<a b@c>", "", "<x@y> <z@y>"]
)
def test_what_another_service_remembers_is_no_letter(ref: str) -> None:
    assert len(body_of(an_update(ref, {"text": "back"}))["references"]) == 1


async def test_the_letter_is_remembered_so_that_it_can_be_answered() -> None:
    sink = a_sink(**BASE)
    flow = sink.flow(message := a_message({"text": "x"}))
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.send(Response(250, {"command": "DATA"}, b"2.0.0 OK"))
    assert end.value.value.outcome == Delivered(json.loads(sink.build(message).body)["message_id"])


# Nothing that it says gets into its head


@given(
    blocks=st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("subject", "heading", "text", "fields", "footer", "remarks", "color", "language", "direction"),
            hostile_texts,
        ),
    ),
    break_=st.sampled_from(["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028"]),
)
def test_whatever_a_template_writes_the_letter_is_one_that_a_strict_server_takes(
    blocks: dict[str, str], break_: str
) -> None:
    said = blocks | {"subject": f"{blocks.get('subject', 'x')}{break_}Bcc: eve@evil.example{break_}{break_}<html>"}
    letter = read_letter(a_sink(**BASE).build(a_message(said)).body)
    assert list(mail_faults(letter.mime(), "vpn@example.com", ["a@b.example"])) == []


def test_a_subject_is_one_line_and_says_the_type_where_there_is_nothing_else() -> None:
    assert body_of(a_message({"subject": "a\n\tb &amp; c"}))["subject"] == "a b & c"
    assert body_of(a_message({"subject": " \u200b", "heading": "<b>H</b>"}))["subject"] == "H"
    assert body_of(a_message({"text": "first\nsecond"}))["subject"] == "first"
    assert body_of(a_message({}))["subject"] == "user.created"
    assert len(body_of(a_message({"subject": "word " * 100}))["subject"]) <= 200


# What its answers mean


def answer(command: str, code: int, text: str) -> Response:
    return Response(code, {"command": command}, text.encode())


FULL_BOX = Away("SMTP 452 to RCPT: 4.2.2 The email account that you tried to reach is over quota", 3600.0, counts=False)


@pytest.mark.parametrize(
    ("command", "code", "text", "outcome"),
    [
        ("DATA", 250, "2.0.0 OK queued", Delivered()),
        # who receives: the mailbox
        ("RCPT", 550, "5.1.1 The email account that you tried to reach does not exist.", Gone),
        ("RCPT", 551, "User not local", Gone),
        ("RCPT", 553, "5.1.3 bad address", Gone),
        ("RCPT", 550, "No such user here", Gone),
        ("RCPT", 554, "5.7.1 <a@b.example>: Relay access denied", Gone),
        ("RCPT", 550, "5.7.1 Client host blocked using zen.spamhaus.org", Gone),
        ("RCPT", 550, "5.2.1 The email account that you tried to reach is disabled.", Gone),
        # who sends: the sender, the login, the server's port
        ("MAIL", 553, "5.7.1 Sender address rejected: not owned by user", Gone),
        ("MAIL", 530, "5.7.0 Must issue a STARTTLS command first.", Gone),
        ("AUTH", 535, "5.7.8 Username and Password not accepted.", Gone),
        ("AUTH", 502, "the server offers no login with a password", Gone),
        ("STARTTLS", 502, "the server does not offer it", Gone),
        ("the connection", 554, "no SMTP service here", Gone),
        # after the letter: it, or what it names
        ("DATA", 550, "5.7.1 Our system has detected that this message is likely spam.", Refused),
        ("DATA", 552, "5.3.4 Message size exceeds fixed limit", Refused),
        ("DATA", 554, "5.6.0 Message contains invalid header", Refused),
        ("DATA", 554, "Transaction failed", Refused),
        ("MAIL", 552, "5.3.4 Message size exceeds fixed limit", Refused),
        *(("DATA", 550, f"{code} no", Gone) for code in sorted(OF_PLACE)),
        # what passes
        ("the connection", 421, "4.3.0 try again later", Away),
        ("EHLO", 421, "too busy", Away),
        ("AUTH", 454, "4.7.0 Temporary authentication failure", Away),
        ("RCPT", 450, "4.1.1 unverified address", Away),
        ("RCPT", 552, "5.2.2 mailbox full", Away),
        ("RCPT", 552, "Mailbox full", Away),
        ("DATA", 451, "4.3.0 internal error", Away),
        ("RCPT", 451, "4.7.1 rate limit exceeded, slow down", Limited),
        ("MAIL", 450, "4.2.1 The user is receiving mail too quickly", Limited),
        ("AUTH", 454, "4.7.0 Too many login attempts, please try again later.", Limited),
        # what passes by tomorrow, said as if for good: it is the sender's quota, and no mailbox's
        ("DATA", 550, "5.4.5 Daily user sending limit exceeded. For more information, go to support", Limited(SPENT)),
        ("RCPT", 550, "5.4.5 Daily user sending quota exceeded", Limited(SPENT)),
        ("MAIL", 550, "5.4.5 Daily SMTP relay limit exceeded for customer.", Limited(SPENT)),
        ("RCPT", 550, "5.1.90 Your message can't be sent because you've reached your daily limit", Limited(SPENT)),
        ("MAIL", 550, "5.7.1 rate limited: too many messages", Limited(SPENT)),
        ("DATA", 554, "Too many emails from this sender", Limited(SPENT)),
        # what is counted, and does not pass
        ("DATA", 554, "5.4.6 Too many hops", Refused),
        ("DATA", 552, "Message size exceeds the limit", Refused),
        ("RCPT", 550, "5.5.3 Too many recipients", Gone),
        # what is no mail server's
        ("DATA", 200, "OK", Delivered()),
        ("MAIL", 250, "OK", Away),
        ("the connection", -1, "Malformed SMTP response line: HTTP/1.1 400", Away),
        ("", 307, "", Away),
    ],
)
def test_its_answers(command: str, code: int, text: str, outcome: Outcome | type[Outcome]) -> None:
    found = a_sink(**BASE).classify(answer(command, code, text))
    if isinstance(outcome, type):
        assert isinstance(found, outcome)
        assert isinstance(found, Limited) or text in found.reason
    else:
        assert found == outcome


def test_a_full_mailbox_is_asked_once_an_hour_and_a_greylist_after_five_minutes() -> None:
    over = "4.2.2 The email account that you tried to reach is over quota"
    assert a_sink(**BASE).classify(answer("RCPT", 452, over)) == FULL_BOX
    grey = a_sink(**BASE).classify(answer("RCPT", 450, "4.2.0 <a@b.example>: Recipient address rejected: Greylisted"))
    assert (grey.after, grey.counts) == (GREYLISTED, False)  # type: ignore[union-attr]


def test_what_is_put_off_costs_an_attempt_only_where_the_letter_may_be_in_the_way() -> None:
    sink = a_sink(**BASE)
    assert sink.classify(answer("DATA", 451, "4.3.0 no")) == Away("SMTP 451 to DATA: 4.3.0 no")
    assert sink.classify(answer("RCPT", 451, "4.3.0 no")) == Away("SMTP 451 to RCPT: 4.3.0 no", counts=False)


def test_what_a_server_notes_for_itself_does_not_part_like_answers() -> None:
    said = [
        "5.1.1 no such user a640c23a62f3a-b76bf3fb1asi123.45 - gsmtp",
        "5.1.1 no such user k7-20020a05600c1c8700b003sm - gsmtp",
    ]
    said += ["5.1.1 no such user [DB5EUR01FT012.eop-EUR01 2026-11-29T20:00:00.000Z 08DD0F]"]
    assert len({a_sink(**BASE).classify(answer("RCPT", 550, one)) for one in said}) == 1


# Its settings


def test_it_wants_a_letters_blocks_and_tells_twenty_events_in_full() -> None:
    assert a_sink(**BASE, locale="fa").look == ServiceLook(EMAIL, locale="fa", parts=20)
    assert a_sink(**BASE).service_limits == (Limit("email to b.example", Rate(10, 5.0)),)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"to": "a@b.example, c@b.example"}, "another one is another sink"),
        ({"to": "a@b.example;c@b.example"}, "another one is another sink"),
        ({"to": "Ops: a@b.example;"}, "another one is another sink"),
        ({"to": "ops"}, "an address such as"),
        ({"to": "@b.example"}, "an address such as"),
        ({"to": "a@"}, "an address such as"),
        ({"to": '"a b"@b.example'}, "another one is another sink"),
        ({"to": "иван@b.example"}, "plain letters"),
        ({"to": "a..b@b.example"}, "plain letters"),
        ({"to": "a@b..example"}, "name of a host"),
        ({"to": "a@-b.example"}, "name of a host"),
        ({"to": f"{'x' * 65}@b.example"}, "plain letters"),
        ({"to": "a@b.example\r\nBcc: eve@evil.example"}, "one line"),
        ({"from": "VPN\n <vpn@example.com>"}, "one line"),
        ({"from": f"{'x' * 101} <vpn@example.com>"}, "one line"),
        ({"from": "<vpn@example.com"}, "plain letters"),
        ({"server": "https://smtp.example.com"}, "name of a host alone"),
        ({"server": "smtp.example.com:587"}, "the port stands under port"),
        ({"server": "a@smtp.example.com"}, "name of a host alone"),
        ({"username": "vpn"}, "both username and password"),
        ({"password": "x"}, "both username and password"),
        ({"username": "vpn", "password": ""}, "not empty"),
        ({"username": "vpn", "password": "a\nb"}, "one line"),
        ({"encryption": "none"}, "on this machine alone"),
        ({"encryption": "none", "server": "192.0.2.1"}, "on this machine alone"),
        ({"encryption": "none", "server": "localhost.example.com"}, "on this machine alone"),
        ({"port": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_no_setting(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        config(**BASE | wrong)


@pytest.mark.parametrize(
    ("given_", "header"),
    [
        ("ops@example.com", "ops@example.com"),
        ("Ops <ops@example.com>", '"Ops" <ops@example.com>'),
        ('"Ops, North" <ops@EXAMPLE.com>', '"Ops, North" <ops@example.com>'),
        ('a"b <ops@example.com>', '"a\\"b" <ops@example.com>'),
        ("ops@пример.example", "ops@xn--e1afmkfd.example"),
    ],
)
def test_a_mailbox_is_written_as_people_write_it(given_: str, header: str) -> None:
    assert read_letter(a_sink(**BASE | {"to": given_}).build(a_message()).body).to.header == header


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a@münchen.example", "a@xn--mnchen-3ya.example", True),
        ("a@MÜNCHEN.example", "a@xn--MNCHEN-3ya.Example", True),
        ("Anna@b.example", " anna@b.EXAMPLE ", True),
        ("a@münchen.example", "a@munchen.example", False),
        ("a@b.example", "b@b.example", False),
    ],
)
def test_all_spellings_of_a_mailbox_have_one_key_which_does_not_show_it(one: str, other: str, same: bool) -> None:
    assert (mailbox_key(one) == mailbox_key(other)) is same
    assert re.fullmatch("[0-9a-f]{16}", mailbox_key(one))


def test_a_name_in_other_letters_is_read_as_it_is() -> None:
    letter = sent(a_message({"text": "x"}), **{"from": "فروشگاه «شمال» <vpn@example.com>"})
    assert letter["From"].addresses[0].display_name == "فروشگاه «شمال»"


@pytest.mark.parametrize(
    ("given_", "setting"),
    [
        ({"port": 465}, "port"),
        ({"port": 587, "encryption": "tls"}, "port"),
        ({"server": "smtp.gmail.com", "username": "a", "password": "hunter2hunter2"}, "password"),
        ({"server": "smtp.gmail.com", "username": "a", "password": "abcd efgh ijkl mnop"}, None),
        ({"port": 2525}, None),
        ({}, None),
    ],
)
def test_what_does_not_go_together_is_told_before_anything_is_sent(given_: dict[str, Any], setting: str | None) -> None:
    advice = list(config(**BASE | given_).advise())
    assert [one.setting for one in advice] == ([setting] if setting else [])
    assert not any(one.fatal for one in advice)


def test_a_letter_can_be_answered_and_not_edited() -> None:
    assert config(**BASE).cannot_update("thread") is None
    assert "cannot be edited" in config(**BASE).cannot_update("subject")


def test_a_silent_letter_is_a_letter() -> None:
    message = a_message({"text": "x"})
    assert body_of(replace(message, circumstances=Circumstances(silent=True))) == body_of(message)


@pytest.mark.parametrize(
    ("code", "command", "text", "all_of_them"),
    [
        (550, "RCPT", "5.1.1 no such user", False),
        (550, "RCPT", "no such user", False),
        (554, "RCPT", "5.7.1 Relay access denied", True),
        (550, "RCPT", "5.7.64 TenantAttribution; Relay Access Denied", True),
        (530, "RCPT", "Authentication required", True),
        (550, "DATA", "5.1.1 no such user", False),
        (550, "DATA", "5.7.26 neither SPF nor DKIM", True),
        (535, "AUTH", "5.7.8 wrong password", True),
        (550, "MAIL", "5.1.8 the sender's host is not known", True),
        (502, "STARTTLS", "the server does not offer it", True),
    ],
)
def test_of_many_mailboxes_a_refusal_is_the_ones_or_concerns_all(
    code: int, command: str, text: str, all_of_them: bool
) -> None:
    response = Response(code, {"command": command}, text.encode())
    sink = a_sink(**BASE)
    assert isinstance(sink.classify(response), Gone)
    assert sink.concerns_all(response) is all_of_them
