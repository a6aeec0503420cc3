"""Reports of letters that could not be handed over, as mail servers write them.

Source   RFC 3464, RFC 6522; the forms of Postfix 3 (bounce), Exchange Online (NDR), Gmail (Mail Delivery Subsystem)
"""

from collections.abc import Callable, Mapping

#: What each is told: the mailbox, the letter's id, Status and Diagnostic-Code.
Write = Callable[..., bytes]


def postfix(
    to: str,
    id_: str,
    *,
    status: str = "5.1.1",
    said: str = "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table",
    action: str = "failed",
    original: str = "",
    returned: str = "message/rfc822",
    envelope: str = "",
) -> bytes:
    """Postfix: the letter comes back whole, or its head alone. `original`: what we wrote to, where it was forwarded;
    `envelope`: what we called the envelope.
    """
    envelope = f"Original-Envelope-Id: {envelope}\n" if envelope else ""
    original = f"Original-Recipient: rfc822;{original or to}\n"
    return _wire(f"""\
Return-Path: <>
Received: by mail.example.com (Postfix)
\tid 4F1A22C0B3; Mon, 30 Nov 2026 04:00:01 +0000 (UTC)
Date: Mon, 30 Nov 2026 04:00:01 +0000 (UTC)
From: MAILER-DAEMON@mail.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: vpn@example.com
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="3D5E922C0B1.1796011201/mail.example.com"
Message-Id: <20261130040001.4F1A22C0B3@mail.example.com>

This is a MIME-encapsulated message.

--3D5E922C0B1.1796011201/mail.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mail.example.com.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<{to}>: host mx.example.net[192.0.2.25] said: {said.format(to=to)} (in reply to RCPT TO command)

--3D5E922C0B1.1796011201/mail.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.com
X-Postfix-Queue-ID: 3D5E922C0B1
X-Postfix-Sender: rfc822; vpn@example.com
{envelope}Arrival-Date: Mon, 30 Nov 2026 04:00:00 +0000 (UTC)

Final-Recipient: rfc822; {to}
{original}Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.net
Diagnostic-Code: smtp; {said.format(to=to)}

--3D5E922C0B1.1796011201/mail.example.com
Content-Description: Undelivered Message
Content-Type: {returned}

Return-Path: <vpn@example.com>
From: vpn@example.com
To: {to}
Message-ID: {id_}
Subject: =?utf-8?b?4o+z?=
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

hello

--3D5E922C0B1.1796011201/mail.example.com--
""")


def exchange(
    to: str,
    id_: str,
    *,
    status: str = "5.1.10",
    said: str = "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP address lookup",
) -> bytes:
    """Exchange Online: HTML beside the text, the head alone, long lines folded."""
    return _wire(f"""\
From: <postmaster@fabrikam.onmicrosoft.com>
To: <vpn@example.com>
Date: Mon, 30 Nov 2026 04:00:03 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="=_NDR_83c4a8f1"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-US
Message-ID: <8a1c@AM0PR01MB1234.eurprd01.prod.exchangelabs.com>
In-Reply-To: {id_}
References: {id_}
Subject: Undeliverable: plan
Auto-Submitted: auto-replied
MIME-Version: 1.0

--=_NDR_83c4a8f1
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="=_alt_83c4"

--=_alt_83c4
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message to {to} couldn't be delivered.

--=_alt_83c4
Content-Type: text/html; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

<html><body><p>Your message to {to} couldn't be delivered.</p></body></html>

--=_alt_83c4--

--=_NDR_83c4a8f1
Content-Type: message/delivery-status

Reporting-MTA: dns;AM0PR01MB1234.eurprd01.prod.exchangelabs.com
Received-From-MTA: dns;mail.example.com
Arrival-Date: Mon, 30 Nov 2026 04:00:02 +0000

Final-Recipient: rfc822;{to}
Action: failed
Status: {status}
Diagnostic-Code: smtp;{said.format(to=to)}
X-Display-Name: {to}

--=_NDR_83c4a8f1
Content-Type: text/rfc822-headers

Received: from mail.example.com (192.0.2.1) by
 AM0EUR02FT012.mail.protection.outlook.com (10.13.54.93) with Microsoft SMTP
 Server; Mon, 30 Nov 2026 04:00:02 +0000
From: <vpn@example.com>
To: <{to}>
Message-ID:
 {id_}
Subject: plan

--=_NDR_83c4a8f1--
""")


#: In Gmail's words, over several lines.
NOBODY = (
    "550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
    " 550-5.1.1 double-checking the recipient's email address for typos or\n"
    " 550 5.1.1 unnecessary spaces. - gsmtp"
)


def gmail(to: str, id_: str, *, status: str = "5.1.1", said: str = NOBODY) -> bytes:
    """Gmail: pictures in a related part, Diagnostic-Code over several lines, the letter whole."""
    return _wire(f"""\
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: vpn@example.com
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
References: {id_}
In-Reply-To: {id_}
X-Failed-Recipients: {to}
Message-ID: <6567f1a2.050a0220.mr.google.com>
Date: Sun, 29 Nov 2026 20:00:02 -0800 (PST)
MIME-Version: 1.0
Content-Type: multipart/report; boundary="000000000000a1b2c3060b4c5d6e"; report-type=delivery-status

--000000000000a1b2c3060b4c5d6e
Content-Type: multipart/related; boundary="000000000000a1b2c4060b4c5d6f"

--000000000000a1b2c4060b4c5d6f
Content-Type: text/plain; charset="UTF-8"

** Address not found **

Your message wasn't delivered to {to} because the address couldn't be found, or is unable to receive mail.

--000000000000a1b2c4060b4c5d6f--

--000000000000a1b2c3060b4c5d6e
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Received-From-MTA: dns; vpn@example.com
Arrival-Date: Sun, 29 Nov 2026 20:00:01 -0800 (PST)
X-Original-Message-ID: {id_}

Final-Recipient: rfc822; {to}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {said.format(to=to)}
Last-Attempt-Date: Sun, 29 Nov 2026 20:00:02 -0800 (PST)

--000000000000a1b2c3060b4c5d6e
Content-Type: message/rfc822

From: vpn@example.com
To: {to}
Message-ID: {id_}
Subject: plan

hello

--000000000000a1b2c3060b4c5d6e--
""")


SERVERS: Mapping[str, Write] = {"Postfix": postfix, "Exchange": exchange, "Gmail": gmail}


def a_letter(text: str = "When does my plan end?") -> bytes:
    """What a customer writes."""
    return _wire(f"From: bob@example.com\nTo: vpn@example.com\nSubject: hello\nMessage-ID: <1@example.com>\n\n{text}\n")


def _wire(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()
