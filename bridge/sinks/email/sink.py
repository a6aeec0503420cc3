"""E-mail: one letter to a mailbox, through a mail server of the operator's.

Source   RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 8314 (TLS), RFC 4954 (AUTH), RFC 5322 (letters)
Secret   the password, with `username`
Sends    EHLO, STARTTLS, AUTH, then MAIL FROM, RCPT TO and DATA: a text part and an HTML part, base64
         `Message-ID` is the delivery's own, the same at every try: mail programs show a letter once that came twice
         where the server offers DSN, ENVID with the same proof, and ORCPT: a report is known by them too, RFC 3461
         `In-Reply-To` and `References` name what stands for the subject, so that letters about it are one conversation
Limits   a letter below 102 kB, or Gmail shows its beginning; 10 in 5 s to one host, ours
Answers  2xx to DATA delivered · before DATA 5xx gone: the sender, the mailbox or the login; after it 5xx refused,
         but for the codes that name a mailbox or a sender: gone, by the table in answers.py
         4xx away; in the words of a rate limited · a full mailbox away for an hour, whatever its code
         a sender's quota that is spent limited for an hour, though Gmail says that with 550
         421 away · no STARTTLS, no AUTH where they are wanted: gone · no connection, no answer: away
Quirks   a letter is never edited or taken back: whatever comes later is another one of the same conversation
         an answer that is lost after DATA leaves open whether it was taken: it is sent again, under its Message-ID
         without encryption it goes to a server on this machine alone
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator
from yarl import URL

from bridge.event import JsonObject
from bridge.markup.service import Service, ServiceLook
from bridge.message import Digest, Earlier, Message
from bridge.outcome import Limit, Outcome, Rate
from bridge.people.address import Form, is_expression
from bridge.sealing import Sealer
from bridge.sinks.base import (
    AddressedConfig,
    ChatConfig,
    Flow,
    OnSent,
    ServiceSink,
    Tools,
    as_message,
    short_hash,
)
from bridge.sinks.email import answers
from bridge.sinks.email.address import Mailbox, MailboxText, address_alone, mailbox, mailbox_key
from bridge.sinks.email.advice import SUBMISSION, TLS, password_advice, port_advice
from bridge.sinks.email.host import HostName, is_here
from bridge.sinks.email.imap import ImapServer
from bridge.sinks.email.inbox import PORTS as IMAP_PORTS
from bridge.sinks.email.inbox import BouncesSettings, EmailInbox
from bridge.sinks.email.letter import Letter, read_letter
from bridge.sinks.email.letter_id import LetterIds
from bridge.sinks.email.message import DIGEST_PARTS, digest_content, message_content
from bridge.sinks.email.remedies import REMEDIES
from bridge.sinks.email.service import EMAIL
from bridge.sinks.email.smtp import Smtp, SmtpEncryption, SmtpServer
from bridge.sinks.http import Request, Response
from bridge.sinks.inbox import InboxUnreadable
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import ADDRESS_FROM_DATA, Finding, FindingMark, ReachabilityFlow, found
from bridge.sinks.settings import FROM_DATA, Advice
from bridge.value import replace

NO_INBOX = "See to `bounces`: its server, login and folder. Letters are sent all the same."
PORTS: dict[SmtpEncryption, int] = {"starttls": SUBMISSION, "tls": TLS, "none": 25}


def _password(value: SecretStr) -> SecretStr:
    if not value.get_secret_value() or not value.get_secret_value().isprintable():
        raise ValueError("should be one line, and not empty")
    return value


class EmailConfig(ChatConfig, AddressedConfig):
    """A mailbox, through a mail server; or as many as there are owners, customers or nodes."""

    remedies = REMEDIES
    service: ClassVar[Service] = EMAIL
    for_customers: ClassVar[bool] = True
    address_forms: ClassVar[Mapping[str, Form]] = {
        "to": Form(r"[^@\s]+@[^@\s]+", "an address such as ops@example.com", address_alone, place=mailbox_key)
    }
    specimen: ClassVar[JsonObject] = {
        "server": "localhost",
        "encryption": "none",
        "from": "Panelbridge <panelbridge@example.com>",
        "to": "ops@example.com",
    }
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("server", "Mail server, as smtp.example.com"),
        SetupQuestion("from", "Who writes, as vpn@example.com"),
        SetupQuestion("to", "Who is written to, one address"),
    )
    type: Literal["email"] = Field("email", description="a letter to a mailbox")
    server: HostName = Field(description="the mail server, smtp.example.com")
    port: int | None = Field(None, ge=1, le=65535, description="587 with starttls, 465 with tls, 25 with none")
    encryption: SmtpEncryption = Field(
        "starttls", description="starttls, tls from the first byte, or none: for a server on this machine alone"
    )
    username: str | None = Field(None, description="who logs in, where the server wants it")
    password: Annotated[SecretStr, AfterValidator(_password)] | None = Field(None, description="its password")
    sender: MailboxText = Field(alias="from", description="who writes: vpn@example.com, or VPN <vpn@example.com>")
    to: Annotated[MailboxText, FROM_DATA] = Field(description="who is written to: one address")
    reply_to: MailboxText | None = Field(None, description="where answers go, if not to from")
    bounces: BouncesSettings | None = Field(
        None, description="the inbox of `from`: a mailbox whose letters come back there is gone; needs secret_key"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "EmailConfig":
        if (self.username is None) != (self.password is None):
            raise ValueError("give both username and password, or neither")
        if self.encryption == "none" and not is_here(self.server):
            raise ValueError("encryption: none is for a server on this machine alone: say starttls or tls")
        if self.bounces is not None:
            self._check_bounces(self.bounces)
        return self

    def _check_bounces(self, bounces: BouncesSettings) -> None:
        if not is_expression(self.to):
            raise ValueError("bounces is for a sink with many addresses: to is one")
        if bounces.encryption == "none" and not is_here(bounces.server):
            raise ValueError("bounces.encryption: none is for a server on this machine alone: say starttls or tls")
        if (bounces.username is None) != (bounces.password is None) or self.username is bounces.username is None:
            raise ValueError("bounces needs both username and password, here or for the sink itself")

    def advise(self) -> Iterator[Advice]:
        yield from port_advice(self.port, self.encryption)
        yield from password_advice(self.server, self.password)

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        return "a letter that was sent cannot be edited; update: thread answers it" if how == "subject" else None

    def inbox(self, sealer: Sealer | None) -> EmailInbox | None:
        if self.bounces is None:
            return None
        of, secret = self.bounces, self.bounces.password or self.password
        server = ImapServer(
            host=of.server,
            port=of.port or IMAP_PORTS[of.encryption],
            encryption=of.encryption,
            username=of.username or self.username or "",
            password=secret.get_secret_value() if secret else "",
            folder=of.folder,
            proxy=self.proxy.get_secret_value() if self.proxy else None,
            ca=self.ca,
        )
        return EmailInbox(server, self.sender_name(), LetterIds(mailbox(self.sender).host, sealer))

    def sender_name(self) -> str:
        """As whom it writes: what one letter says of a mailbox, holds for all that are written so."""
        return f"email {short_hash(self.server, mailbox(self.sender).address)}"

    def open(self, tools: Tools) -> "EmailSink":
        return EmailSink(self, tools)


class EmailSink(ServiceSink[EmailConfig]):
    digests = True

    def __init__(self, config: EmailConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._sender = mailbox(config.sender)
        self._ids = LetterIds(self._sender.host, tools.sealer if config.bounces is not None else None)
        self._reply_to = mailbox(config.reply_to) if config.reply_to else None
        password = config.password.get_secret_value() if config.password else None
        port = config.port or PORTS[config.encryption]
        self._server = SmtpServer(
            config.server, port, config.encryption, config.username, password, self.proxy, config.ca
        )
        self._inbox = config.inbox(tools.sealer)
        scheme = "smtps" if config.encryption == "tls" else "smtp"
        self._url = URL.build(scheme=scheme, host=config.server, port=port)

    @property
    def look(self) -> ServiceLook:
        return ServiceLook(EMAIL, locale=self.config.locale, parts=DIGEST_PARTS, style=self.config.style)

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        """Ours: to one host; where letters go to many, through one server."""
        if self.addressing is not None:
            return (Limit(f"email through {self._server.host}", Rate(10, 5.0)),)
        return (Limit(f"email to {self._to.host}", Rate(10, 5.0)),)

    @property
    def sender(self) -> str:
        return self.config.sender_name()

    @property
    def _to(self) -> Mailbox:
        return mailbox(self.config.to)

    def build(self, message: Message) -> Request:
        event, earlier = message.event, message.circumstances.earlier
        thread = self._thread(f"{event.source} {event.subject}" if event.subject else None, earlier)
        letter = self._letter(message_content(message), message, event.id, thread)
        return self._request(replace(letter, stop=message.stop))

    def build_digest(self, digest: Digest) -> Request:
        return self._request(self._letter(digest_content(digest), digest, digest.id, ()))

    def flow(self, message: Message) -> Flow:
        request = self.build(message)
        return as_message(self.judge((yield request)), read_letter(request.body).message_id)

    def classify(self, response: Response) -> Outcome:
        text = response.body.decode("utf-8", "replace")
        return answers.outcome(response.status, response.headers.get("command", ""), text)

    def concerns_all(self, response: Response) -> bool:
        text = response.body.decode("utf-8", "replace")
        return not answers.is_about_mailbox(response.status, response.headers.get("command", ""), text)

    def ask(self) -> ReachabilityFlow:
        """The dialogue up to the mailbox, where there is but one: a login and an envelope, and no letter. Then the
        inbox to which letters come back."""
        response = yield Request("RCPT", self._url)
        if 200 <= response.status < 300:
            whom = f"of {self._sender.address}; {ADDRESS_FROM_DATA}" if self.addressing else f"for {self._to.address}"
            taken = f"{self._server.host} takes letters {whom}"
            return (
                Finding(FindingMark.OK, taken)
                if self._inbox is None
                else (yield from self._ask_inbox(self._inbox, taken))
            )
        return found(self.classify(response), "")

    def _ask_inbox(self, inbox: EmailInbox, taken: str) -> ReachabilityFlow:
        response = yield Request("EXAMINE", self._url)
        if response.status == 200:
            return Finding(FindingMark.OK, f"{taken}; what comes back is read in {inbox.name}")
        why = response.body.decode("utf-8", "replace")
        return Finding(FindingMark.WRONG, f"{taken}, but what comes back is not read: {inbox.name}: {why}", NO_INBOX)

    async def respond(self, request: Request, *, within: float, on_sent: OnSent = None) -> Response:
        if request.method == "EXAMINE" and self._inbox is not None:
            return await _examined(self._inbox, within)
        smtp = self.tools.http.beside(Smtp)
        if request.method == "RCPT":
            to = None if self.addressing else self._to.address
            return await smtp.ask(self._server, self._sender.address, to, within=within)
        return await smtp.send(self._server, read_letter(request.body), within=within, on_sent=on_sent)

    def _request(self, letter: Letter) -> Request:
        return Request("MAIL", self._url, letter.body())

    def _letter(self, content: JsonObject, said: Message | Digest, id_: str, thread: tuple[str, ...]) -> Letter:
        numbers = said.deliveries if isinstance(said, Digest) else (said.delivery,)
        what = short_hash(self.address, id_, *map(str, numbers))
        return Letter(
            sender=self._sender,
            to=self._to,
            reply_to=self._reply_to,
            message_id=self._ids.make(what, id_, mailbox_key(self._to.address)),
            thread=thread,
            at=said.at,
            **content,
        )

    def _thread(self, about: str | None, earlier: Earlier | None) -> tuple[str, ...]:
        """What a letter answers: what stands for its subject, and the letter that it follows."""
        root = (f"<{short_hash('thread', about)}@{self._sender.host}>",) if about else ()
        return (*root, earlier.ref) if earlier is not None and answers.MESSAGE_ID.fullmatch(earlier.ref) else root


async def _examined(inbox: EmailInbox, within: float) -> Response:
    """Whether an inbox can be read, as an answer."""
    try:
        await inbox.ask(within=within)
    except InboxUnreadable as error:
        return Response(500, body=str(error).encode())
    return Response(200)
