"""A letter: what stands in its head and in its two parts; as JSON, which is what a request's body is, and as MIME.

Source   RFC 5322 (head, Message-ID, References), RFC 2045 to 2047 (parts, encoded words), RFC 3834 (Auto-Submitted),
         RFC 2369 and 8058 (List-Unsubscribe)
Quirks   the parts are base64, so that no line is too long, begins with a dot, or needs 8BITMIME
         the boundary follows from the Message-ID: a letter that is made again is the same, byte for byte
"""

from collections.abc import Sequence
from datetime import datetime
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from hashlib import sha256

from bridge.codec import decode, dump
from bridge.event import JsonObject
from bridge.sinks.email.address import Mailbox, mailbox
from bridge.sinks.email.headers import encoded_words
from bridge.value import Value

_WIRE = compat32.clone(linesep="\r\n", max_line_length=None)  # whoever writes a line of the head folds it


class Letter(Value, kw_only=True):
    """What is handed to a mail server.

    thread  ids of what it answers, the oldest first
    stop    where one click ends them, RFC 8058; None in letters that are no customer's
    """

    sender: Mailbox
    to: Mailbox
    reply_to: Mailbox | None
    message_id: str
    thread: Sequence[str]
    at: datetime
    subject: str
    text: str
    html: str
    stop: str | None = None

    def body(self) -> bytes:
        """As JSON, in the words that people know from their mail programs."""
        reply_to = {"reply_to": str(self.reply_to)} if self.reply_to else {}
        stop = {"list_unsubscribe": self.stop} if self.stop else {}
        return dump(
            {
                "from": str(self.sender),
                "to": str(self.to),
                **reply_to,
                "subject": self.subject,
                "date": self.at.isoformat(timespec="seconds"),
                "message_id": self.message_id,
                "references": list(self.thread),
                **stop,
                "text": self.text,
                "html": self.html,
            }
        )

    def mime(self) -> bytes:
        """As it goes over the wire: ASCII, every line ended by CRLF."""
        whole = MIMEMultipart("alternative", boundary=f"=_{sha256(self.message_id.encode()).hexdigest()[:24]}")
        for name, value in self._head():
            whole[name] = value
        whole.attach(_part(self.text, "plain"))
        whole.attach(_part(self.html, "html"))
        return whole.as_bytes(policy=_WIRE)

    def _head(self) -> list[tuple[str, str]]:
        head = [
            ("From", self.sender.header),
            ("To", self.to.header),
            *([("Reply-To", self.reply_to.header)] if self.reply_to else []),
            ("Subject", encoded_words(self.subject, "Subject")),
            ("Date", format_datetime(self.at)),
            ("Message-ID", self.message_id),
        ]
        if self.thread:
            head += [("In-Reply-To", self.thread[-1]), ("References", "\n ".join(self.thread))]
        if self.stop:
            head += [("List-Unsubscribe", f"<{self.stop}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")]
        # so that nobody's holiday answers it, and no list takes it for a person's
        return [*head, ("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")]


def read_letter(body: bytes) -> Letter:
    """The letter of a request's body."""
    said: JsonObject = decode(body)
    return Letter(
        sender=mailbox(said["from"]),
        to=mailbox(said["to"]),
        reply_to=mailbox(said["reply_to"]) if "reply_to" in said else None,
        message_id=said["message_id"],
        thread=said["references"],
        at=datetime.fromisoformat(said["date"]),
        subject=said["subject"],
        text=said["text"],
        html=said["html"],
        stop=said.get("list_unsubscribe"),
    )


def _part(text: str, kind: str) -> MIMEText:
    return MIMEText("".join(f"{line}\r\n" for line in text.split("\n")), kind, "utf-8")
