"""Mattermost: one post to a channel, by an incoming webhook.

Source   developers.mattermost.com/integrate/webhooks/incoming; github.com/mattermost/mattermost @ 013f83c:
         server/channels/app/webhook.go (HandleIncomingWebhook, CreateWebhookPost, SplitWebhookPost), web/webhook.go;
         server/public/model/incoming_webhook.go
Secret   the webhook's URL is the credential
Sends    POST {url}  {text, channel, username, icon_url, icon_emoji, priority, silent}
Limits   text 16,383 characters: what is longer becomes several posts; its own rates are the server's to say
Answers  200 `ok` delivered · errors are {id, message, status_code}: the id decides, by the table in answers.py:
         gone; all others refused · 429 limited · 5xx away, but for 501, incoming webhooks are disabled: gone
         an answer without either shape: away, something in between
Quirks   it tells no post's id, so that what it sent can neither be edited nor answered
         silent is passed over by servers that do not know it yet, username and icon where they are not allowed
         Slack's blocks are passed over: what is to be seen stands in text, in Mattermost's own markdown
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field
from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.markup.service import Service, ServiceLook
from bridge.message import Digest, Message
from bridge.outcome import Delivered, Gone, Outcome, Refused
from bridge.people.address import Form
from bridge.sinks.base import AddressedConfig, ChatConfig, HttpSink, Tools, in_between, json_object, short_hash
from bridge.sinks.http import Request, Response
from bridge.sinks.mattermost.advice import url_advice
from bridge.sinks.mattermost.answers import GONE, OF_CHANNEL, error_of
from bridge.sinks.mattermost.message import DIGEST_PARTS, digest_text, message_text
from bridge.sinks.mattermost.remedies import REMEDIES
from bridge.sinks.mattermost.service import MATTERMOST
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import HostOnly
from bridge.sinks.settings import FROM_DATA, Advice, PictureUrl, SecretUrl

DISABLED = 501


def _emoji(value: str) -> str:
    name = value.strip(":")
    if not name or any(sign.isspace() or sign == ":" for sign in name):
        raise ValueError("should be the name of an emoji, as in :robot_face:")
    return f":{name}:"


def _channel(value: str) -> str:
    if not value.strip() or any(sign.isspace() for sign in value.strip()):
        raise ValueError("should be the channel's name as its address has it, as in town-square, or @name of a person")
    return value.strip()


class MattermostConfig(ChatConfig, AddressedConfig):
    """A Mattermost channel; or as many as there are owners or nodes, by one webhook that is locked to none."""

    remedies = REMEDIES
    service: ClassVar[Service] = MATTERMOST
    address_forms: ClassVar[Mapping[str, Form]] = {
        "channel": Form("@?[a-z0-9][a-z0-9._-]{0,63}", "a channel's name as its address has it, or @name")
    }
    specimen: ClassVar[JsonObject] = {"url": "https://mattermost.invalid/hooks/0"}
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("url", "Mattermost incoming webhook (Integrations → Incoming Webhooks → Add)"),
    )
    type: Literal["mattermost"] = Field("mattermost", description="a post to a Mattermost channel")
    url: SecretUrl = Field(description="the incoming webhook's URL, https://…/hooks/…")
    channel: Annotated[str, AfterValidator(_channel), FROM_DATA] | None = Field(
        None, description="another channel than the webhook's: its name in addresses, town-square, or @name"
    )
    username: str | None = Field(None, min_length=1, description="the name it speaks under, where the server allows it")
    icon_url: PictureUrl | None = Field(None, description="the picture beside it")
    icon_emoji: Annotated[str, AfterValidator(_emoji)] | None = Field(None, description="or the emoji, :robot_face:")
    priority: Literal["important", "urgent"] | None = Field(None, description="important or urgent: marked as such")

    def advise(self) -> Iterator[Advice]:
        return url_advice(self.url)

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        return "a webhook's post can be neither edited nor answered"

    def open(self, tools: Tools) -> "MattermostSink":
        return MattermostSink(self, tools)


class MattermostSink(HttpSink[MattermostConfig]):
    digests = True

    def __init__(self, config: MattermostConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._url = URL(config.url.get_secret_value())
        names = ("channel", "username", "icon_url", "icon_emoji")
        self._settings: JsonObject = {name: value for name in names if (value := getattr(config, name))}
        if config.priority:
            self._settings["priority"] = {"priority": config.priority}

    @property
    def look(self) -> ServiceLook:
        return ServiceLook(MATTERMOST, locale=self.config.locale, parts=DIGEST_PARTS, style=self.config.style)

    @property
    def sender(self) -> str:
        return f"mattermost {short_hash(str(self._url))}"

    def build(self, message: Message) -> Request:
        return self._request(message_text(message), silent=message.circumstances.silent)

    def ask(self) -> HostOnly:
        return HostOnly(self._url, "whether the webhook is still there is seen by a post alone")

    def build_digest(self, digest: Digest) -> Request:
        return self._request(digest_text(digest), silent=digest.silent)

    def classify(self, response: Response) -> Outcome:
        if response.status == DISABLED:
            return self.interpret(response)
        return super().classify(response)

    def concerns_all(self, response: Response) -> bool:
        return error_of(response.status, json_object(response.body)) not in OF_CHANNEL

    def interpret(self, response: Response) -> Outcome:
        if response.status == 200 and response.body.strip() == b"ok":
            return Delivered()
        answer = json_object(response.body)
        if not (id_ := error_of(response.status, answer)):
            return in_between(response)
        reason = f"HTTP {response.status}, {id_}: {answer['message']}"
        return Gone(reason) if id_ in GONE else Refused(reason)

    def _request(self, text: str, *, silent: bool) -> Request:
        body = dump({"text": text, **self._settings, **({"silent": True} if silent else {})})
        return Request("POST", self._url, body, {"Content-Type": "application/json"})
