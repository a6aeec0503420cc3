"""A delivery status notification: what a mail server writes back of a letter that it could not hand over. Pure.

Source   RFC 3464 (message/delivery-status; Original-Envelope-Id is RFC 3461's ENVID), RFC 6522 (multipart/report),
         RFC 3463 and iana.org/assignments/smtp-enhanced-status-codes (Status)
Quirks   the letter comes back whole, message/rfc822, or as its head alone, text/rfc822-headers
         a server that forwards names the mailbox behind it as Final-Recipient, and ours as Original-Recipient
         Exchange says 5.1.10 and 5.4.1 for who is not there, others 5.0.0 and 5.5.0 for whatever it was

Whatever is odd is no report. What it says is believed by nobody who has not its letter's id proved.
"""

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message

from bridge.sinks.email import answers
from bridge.sinks.text import one_line
from bridge.value import Value

LARGEST = 256 * 1024  # bytes that are read of one: what it says stands before the letter that comes back
MOST = 50  # recipients of one that are looked at; a letter of ours has one
WORDS = 300  # characters of what the server said
CAME_BACK = "came back:"
#: How a letter comes back.
RETURNED = ("message/rfc822", "message/global", "message/rfc822-headers", "message/global-headers")
#: About who writes or what is written, or passing: no fault of the mailbox. Of policy, 5.7, none is but one.
NOT_OF_MAILBOX = re.compile(r"5\.(7\.(?!133$)|6\.|3\.|2\.[23]$|1\.[78]$|4\.7$)")
_REPLY = re.compile(r"^[245]\d\d[ -]", re.ASCII)
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)


class BounceReport(Value):
    """That a mailbox takes no letter.

    mailboxes   as the server calls it, and as we did, where it says so
    message_id  of the letter that came back, empty where it did not
    envelope    what its envelope was called, empty where the report does not say so
    reason      in the server's own words
    """

    mailboxes: tuple[str, ...]
    message_id: str
    envelope: str
    reason: str


def may_be_report(content_type: str) -> bool:
    """Whether a letter with that Content-Type may be one, before all of it is read."""
    text = content_type.lower()
    return "multipart/report" in text and "delivery-status" in text


def reports_in(source: bytes) -> list[BounceReport]:
    """What a letter reports of mailboxes that are gone for good; nothing where it is no report, or of what passes."""
    letter = message_from_bytes(source[:LARGEST])
    if letter.get_content_type() != "multipart/report" or not letter.is_multipart():
        return []
    parts = [part for part in letter.get_payload() if isinstance(part, Message)]
    ids = [id_ for part in parts if (id_ := _id_in(part))]
    groups = [group for part in parts for group in _groups(part)]
    envelope = _text(groups[0], "Original-Envelope-Id") if groups else ""
    if len(ids) > 1 or not (ids or envelope):
        return []
    found = (_report(group, ids[0] if ids else "", envelope) for group in groups[: MOST + 1])
    return [one for one in found if one is not None]


def _id_in(part: Message) -> str | None:
    """The id of the letter that comes back in this part."""
    head, kind = None, part.get_content_type()
    if kind in RETURNED and part.is_multipart():
        head = part.get_payload(0)
    elif kind == "text/rfc822-headers":
        payload = part.get_payload(decode=True)
        head = message_from_bytes(payload) if isinstance(payload, bytes) else None
    id_ = _text(head, "Message-ID") if isinstance(head, Message) else ""
    return id_ if answers.MESSAGE_ID.fullmatch(id_) else None


def _groups(part: Message) -> Iterator[Message]:
    """The fields of each recipient."""
    if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status") and part.is_multipart():
        yield from (one for one in part.get_payload() if isinstance(one, Message))


def _report(group: Message, message_id: str, envelope: str) -> BounceReport | None:
    status = _STATUS.match(_text(group, "Status"))
    if _text(group, "Action").lower() != "failed" or status is None or not status[0].startswith("5"):
        return None
    said = _text(group, "Diagnostic-Code").partition(";")[2].strip()
    if any(NOT_OF_MAILBOX.match(one) for one in (status[0], answers.status(_REPLY.sub("", said)))):
        return None
    names = (_text(group, name).partition(";")[2].strip() for name in ("Original-Recipient", "Final-Recipient"))
    mailboxes = tuple(name.strip("<>") for name in names if name)
    return (
        BounceReport(mailboxes, message_id, envelope, f"{CAME_BACK} {said[:WORDS] or status[0]}") if mailboxes else None
    )


def _text(fields: Message, name: str) -> str:
    """A field in one line; nothing where there is none."""
    return one_line(str(fields.get(name, "")))
