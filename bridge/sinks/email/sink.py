"""E-mail: one letter to a mailbox, through a mail server of the operator's.

Source   RFC 5321 (SMTP), RFC 3207 (STARTTLS), RFC 8314 (TLS), RFC 4954 (AUTH), RFC 5322 (letters)
Secret   the password, with `username`
Sends    EHLO, STARTTLS, AUTH, then MAIL FROM, RCPT TO and DATA: a text part and an HTML part, base64
         `Message-ID` is the delivery's own, the same at every try: mail programs show a letter once that came twice
         `In-Reply-To` and `References` name what stands for the subject, so that letters about it are one conversation
Limits   a letter below 102 kB, or Gmail shows its beginning; 10 in 5 s to one host, ours
Answers  2xx to DATA delivered · before DATA 5xx gone: the sender, the mailbox or the login; after it 5xx refused,
         but for the codes that name a mailbox or a sender: gone, by the table in answers.py
         4xx away; in the words of a rate limited · a full mailbox away for an hour, whatever its code
         421 away · no STARTTLS, no AUTH where they are wanted: gone · no connection, no answer: away
Quirks   a letter is never edited or taken back: whatever comes later is another one of the same conversation
         an answer that is lost after DATA leaves open whether it was taken: it is sent again, under its Message-ID
         without encryption it goes to a server on this machine alone
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator
from yarl import URL

from bridge.event import JsonObject
from bridge.markup.service import Look, Service
from bridge.message import Digest, Earlier, Message
from bridge.outcome import Limit, Outcome, Rate
from bridge.people.address import Form
from bridge.sinks.asking import ADDRESS_FROM_DATA, Asking, Finding, Mark, found
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
from bridge.sinks.email.letter import Letter, read_letter
from bridge.sinks.email.mending import MENDING
from bridge.sinks.email.message import DIGEST_PARTS, digest_content, message_content
from bridge.sinks.email.service import EMAIL
from bridge.sinks.email.smtp import Encryption, Server, Smtp
from bridge.sinks.http import Request, Response
from bridge.sinks.questions import Question
from bridge.sinks.settings import FROM_DATA, Advice

PORTS: dict[Encryption, int] = {"starttls": SUBMISSION, "tls": TLS, "none": 25}


def _host(value: str) -> str:
    if not value or not value.isascii() or not value.isprintable() or any(one in value for one in " /@,"):
        raise ValueError("should be the name of a host alone, as smtp.example.com")
    if ":" in value and not _is_address(value):
        raise ValueError("should be the name of a host alone: the port stands under port")
    return value.lower()


def _password(value: SecretStr) -> SecretStr:
    if not value.get_secret_value() or not value.get_secret_value().isprintable():
        raise ValueError("should be one line, and not empty")
    return value


class EmailConfig(ChatConfig, AddressedConfig):
    """A mailbox, through a mail server; or as many as there are owners, customers or nodes."""

    mending = MENDING
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
    questions: ClassVar[Sequence[Question]] = (
        Question("server", "Mail server, as smtp.example.com"),
        Question("from", "Who writes, as vpn@example.com"),
        Question("to", "Who is written to, one address"),
    )
    type: Literal["email"] = Field("email", description="a letter to a mailbox")
    server: Annotated[str, AfterValidator(_host)] = Field(description="the mail server, smtp.example.com")
    port: int | None = Field(None, ge=1, le=65535, description="587 with starttls, 465 with tls, 25 with none")
    encryption: Encryption = Field(
        "starttls", description="starttls, tls from the first byte, or none: for a server on this machine alone"
    )
    username: str | None = Field(None, description="who logs in, where the server wants it")
    password: Annotated[SecretStr, AfterValidator(_password)] | None = Field(None, description="its password")
    sender: MailboxText = Field(alias="from", description="who writes: vpn@example.com, or VPN <vpn@example.com>")
    to: Annotated[MailboxText, FROM_DATA] = Field(description="who is written to: one address")
    reply_to: MailboxText | None = Field(None, description="where answers go, if not to from")

    @model_validator(mode="after")
    def _consistent(self) -> "EmailConfig":
        if (self.username is None) != (self.password is None):
            raise ValueError("give both username and password, or neither")
        if self.encryption == "none" and not _is_here(self.server):
            raise ValueError("encryption: none is for a server on this machine alone: say starttls or tls")
        return self

    def advise(self) -> Iterator[Advice]:
        yield from port_advice(self.port, self.encryption)
        yield from password_advice(self.server, self.password)

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        return "a letter that was sent cannot be edited; update: thread answers it" if how == "subject" else None

    def open(self, tools: Tools) -> "EmailSink":
        return EmailSink(self, tools)


class EmailSink(ServiceSink[EmailConfig]):
    digests = True

    def __init__(self, config: EmailConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._sender = mailbox(config.sender)
        self._reply_to = mailbox(config.reply_to) if config.reply_to else None
        password = config.password.get_secret_value() if config.password else None
        port = config.port or PORTS[config.encryption]
        self._server = Server(config.server, port, config.encryption, config.username, password, self.proxy, config.ca)
        scheme = "smtps" if config.encryption == "tls" else "smtp"
        self._url = URL.build(scheme=scheme, host=config.server, port=port)

    @property
    def look(self) -> Look:
        return Look(EMAIL, locale=self.config.locale, parts=DIGEST_PARTS, style=self.config.style)

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        """Ours: to one host; where letters go to many, through one server."""
        if self.addressing is not None:
            return (Limit(f"email through {self._server.host}", Rate(10, 5.0)),)
        return (Limit(f"email to {self._to.host}", Rate(10, 5.0)),)

    @property
    def sender(self) -> str:
        return f"email {short_hash(self._server.host, self._sender.address)}"

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

    def ask(self) -> Asking:
        """The dialogue up to the mailbox, where there is but one: a login and an envelope, and no letter."""
        response = yield Request("RCPT", self._url)
        if 200 <= response.status < 300:
            whom = f"of {self._sender.address}; {ADDRESS_FROM_DATA}" if self.addressing else f"for {self._to.address}"
            return Finding(Mark.OK, f"{self._server.host} takes letters {whom}")
        return found(self.classify(response), "")

    async def respond(self, request: Request, *, within: float, on_sent: OnSent = None) -> Response:
        smtp = self.tools.http.beside(Smtp)
        if request.method == "RCPT":
            to = None if self.addressing else self._to.address
            return await smtp.ask(self._server, self._sender.address, to, within=within)
        return await smtp.send(self._server, read_letter(request.body), within=within, on_sent=on_sent)

    def _request(self, letter: Letter) -> Request:
        return Request("MAIL", self._url, letter.body())

    def _letter(self, content: JsonObject, said: Message | Digest, id_: str, thread: tuple[str, ...]) -> Letter:
        numbers = said.deliveries if isinstance(said, Digest) else (said.delivery,)
        own = short_hash(self.address, id_, *map(str, numbers))
        return Letter(
            sender=self._sender,
            to=self._to,
            reply_to=self._reply_to,
            message_id=f"<{own}.{id_}@{self._sender.host}>",
            thread=thread,
            at=said.at,
            **content,
        )

    def _thread(self, about: str | None, earlier: Earlier | None) -> tuple[str, ...]:
        """What a letter answers: what stands for its subject, and the letter that it follows."""
        root = (f"<{short_hash('thread', about)}@{self._sender.host}>",) if about else ()
        return (*root, earlier.ref) if earlier is not None and answers.MESSAGE_ID.fullmatch(earlier.ref) else root


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _is_here(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)
