"""What a mail server's answers are about: the place, the letter, or an hour that passes by itself.

Source   RFC 5321 §4.2 (codes), RFC 3463 and iana.org/assignments/smtp-enhanced-status-codes (5.1.1 …);
         support.google.com/mail/answer/3726730 (Gmail's own words); learn.microsoft.com, "NDR error codes in Exchange"

A server that has not seen the letter yet speaks of who sends and who receives: whatever it refuses for good before DATA
is about the place. After DATA it speaks of the letter, but for the codes that name a mailbox or a sender.
"""

import re

from bridge.outcome import Away, Delivered, Gone, Limited, Outcome, Refused

DATA = "DATA"
#: What a letter is called by: what may stand in another one's head.
MESSAGE_ID = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,200}@[A-Za-z0-9.-]{1,254}>")
FULL = 3600.0  # seconds until a full mailbox is asked again: somebody has to tidy it up
SPENT = 3600.0  # seconds until a sender is tried again who may send no more today: nobody says when the day is over
GREYLISTED = 300.0  # seconds that a stranger's first letter is kept waiting, as postgrey and its kin have it

#: The letter, though it is not seen yet: too big, by the size that was announced.
OF_LETTER = frozenset({"5.3.4", "5.2.3"})
#: The mailbox is full, whatever the first digit: this passes.
FULL_MAILBOX = frozenset({"2.2", "3.1"})
#: About the mailbox, though they are said of a letter.
OF_MAILBOX = frozenset(
    {
        *("5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"),
        "5.4.1",  # Exchange: nobody of that name here
        "5.7.133",  # Exchange: the group takes mail of its own members alone
    }
)
#: About who writes, and so about all mailboxes, whatever they answer.
OF_SENDER = frozenset(
    {
        *("5.1.7", "5.1.8"),
        "5.7.8",  # the login was wrong
        "5.7.23",  # SPF failed
        "5.7.25",  # the sender's address has no name in the DNS
        "5.7.26",  # neither SPF nor DKIM
        "5.7.27",  # SPF failed
        "5.7.57",  # Exchange: log in first
        "5.7.60",  # Exchange: this login may not send as this sender
        "5.7.64",  # Exchange: no relaying
    }
)
OF_PLACE = OF_MAILBOX | OF_SENDER
#: The sender may send no more for a while, though it is said as if for good: Gmail's day, Exchange's.
OF_QUOTA = frozenset({"5.4.5", "5.1.90"})
NO_LOGIN = (530, 535)  # said to whatever command
_RELAY = re.compile(r"relay", re.I)
_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_PACE = re.compile(r"rate.?limit|too many|too (fast|quickly|much mail)|throttl|quota exceeded for (sender|host)", re.I)
#: The same in words alone. Hops, recipients and a letter's size are counted too, and that does not pass.
_QUOTA = re.compile(
    r"rate.?limit|sending (limit|quota)|(daily|hourly) [\w ]{0,40}(limit|quota)|too many (messages|e-?mails)"
    r"|quota exceeded for (sender|host)",
    re.I,
)
_GREY = re.compile(r"gr[ea]y.?list", re.I)
#: What a server adds for its own support: another one for each answer, so that no two would be alike.
_TRACE = re.compile(r"\s+[\w.-]{12,} - g?smtp$|\s*\[[\w.-]+ [\dT:.Z-]{19,}[^\]]*\]$")


def outcome(code: int, command: str, text: str) -> Outcome:
    """What follows from the answer `code` `text` to a command of the dialogue."""
    line = _TRACE.sub("", " ".join(text.split()))
    reason = " ".join(filter(None, (f"SMTP {code}", line and f"to {command}: {line}" if command else line)))
    if 200 <= code < 300 and command == DATA:
        return Delivered()
    if not 400 <= code < 600:
        return Away(f"{reason}, which is no mail server's answer", counts=False)
    about = status(line)
    if about[2:] in FULL_MAILBOX or (code == 552 and not about and command != DATA):
        return Away(reason, FULL, counts=False)
    if code < 500:
        return _later(line, reason, command)
    if about in OF_QUOTA or _QUOTA.search(line):
        return Limited(SPENT)
    of_letter = about in OF_LETTER or (command == DATA and about not in OF_PLACE)
    return Refused(reason) if of_letter else Gone(reason)


def status(text: str) -> str:
    """The enhanced status code that an answer begins with, empty where it has none."""
    found = _CODE.match(text)
    return found[0] if found else ""


def is_about_mailbox(code: int, command: str, text: str) -> bool:
    """Whether what is refused is refused for the one mailbox: not for the login, the sender, or a server that takes
    no letters for others."""
    line = " ".join(text.split())
    about_sender = code in NO_LOGIN or status(line) in OF_SENDER or _RELAY.search(line)
    return command in ("RCPT", DATA) and not about_sender


def _later(line: str, reason: str, command: str) -> Outcome:
    """What passes by itself: costs a letter no attempt, unless the letter itself may be what is in the way."""
    if _PACE.search(line):
        return Limited()
    if _GREY.search(line):
        return Away(reason, GREYLISTED, counts=False)
    return Away(reason, counts=command == DATA)
