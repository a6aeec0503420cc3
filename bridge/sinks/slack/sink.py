"""Slack: one message to a channel, by an incoming webhook or by chat.postMessage.

Source   docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, reference/methods/chat.postMessage,
         reference/block-kit/blocks, apis/web-api/rate-limits; github.com/slackapi/python-slack-sdk
         reference/methods/chat.update
Secret   the webhook URL is the credential; or a bot token of scope chat:write, in `Authorization: Bearer`
Sends    POST {url} or {api_base}/chat.postMessage  {text, blocks, channel, username, icon_emoji, icon_url, thread_ts}
         `text` is what a notification shows, the blocks are what the channel shows
         POST {api_base}/chat.update  {channel, ts, text, blocks}: an earlier message, edited; needs the channel's id
         POST {api_base}/chat.delete  {channel, ts}: an earlier message, taken back
Units    characters are counted in UTF-16 units, which is never too few: which it counts, it does not say
Limits   a section 3000 characters, 50 blocks; blocks of more than 9,500 characters together have been refused;
         text beyond 4000 characters may be split; 1 message a second in a channel
Answers  webhook: 200 `ok` delivered; else the body names the error
         API: 200 {ok: true, channel, ts} delivered; errors are 200 too, {ok: false, error}
         the name decides, by the table in answers.py: gone, away, limited; all others refused
         an answer without either shape: away, something in between
         429 limited, for Retry-After, or what a webhook's body says of it · 5xx and the names of outages away
         to an edit or a reply: the names in LOST, the earlier message is not there any more or closed: it is sent anew
Quirks   a webhook tells no ts, so that what it sent can neither be edited nor answered
         a reply names the ts of the thread's first message, never that of another reply
          `&amp;` counts as five characters; an empty text object is refused
         app webhooks ignore channel, username and icon, legacy ones honour them
         with `verbatim` Slack makes no channels, users or links out of plain words
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator
from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.markup.service import Service, ServiceLook
from bridge.message import Digest, Message
from bridge.outcome import Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused, Spaced
from bridge.people.address import Form
from bridge.sinks.base import (
    SENT_ANEW,
    AddressedConfig,
    ChatConfig,
    Flow,
    HttpSink,
    Tools,
    as_message,
    in_between,
    json_object,
    noted,
    retry_after,
    seconds,
    short_hash,
    taken_back,
)
from bridge.sinks.http import Request, Response
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import HostOnly, ReachabilityFlow
from bridge.sinks.settings import FROM_DATA, Advice, ApiBase, PictureUrl, SecretUrl, Token
from bridge.sinks.slack.advice import HOSTS, token_advice, url_advice
from bridge.sinks.slack.answers import AWAY, DELETED, LIMITED, LOST, is_about_channel, is_gone
from bridge.sinks.slack.message import (
    DIGEST_PARTS,
    MARKUP,
    TEXT,
    Block,
    digest_blocks,
    message_blocks,
    remarks_of,
    summary_of,
    text_of,
)
from bridge.sinks.slack.reachability import token_reachability
from bridge.sinks.slack.remedies import REMEDIES
from bridge.sinks.slack.service import SLACK
from bridge.sinks.text import clip, utf16

_REF = re.compile(r"([A-Z][A-Z0-9]{1,30})/([0-9]{10}\.[0-9]{6})")  # the channel's id, and the message's ts
_NAME = re.compile(r"[a-z]+(_[a-z]+)+")
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,}")


def _emoji(value: str) -> str:
    name = value.strip(":")
    if not re.fullmatch(r"[^:\s]+", name):
        raise ValueError("should be the name of an emoji, as in :robot_face:")
    return f":{name}:"


def _thread(value: str) -> str:
    if not re.fullmatch(r"[0-9]{10}\.[0-9]{6}", value):
        raise ValueError('should be the thread\'s time stamp in quotes, as in "1732160058.161673"')
    return value


class SlackConfig(ChatConfig, AddressedConfig):
    """A Slack channel, by webhook or by bot token; with a token as many as there are owners or nodes."""

    remedies = REMEDIES
    service: ClassVar[Service] = SLACK
    address_forms: ClassVar[Mapping[str, Form]] = {"channel": Form("[CDGU][A-Z0-9]{6,20}", "an id such as C0123ABCD")}
    hosts: ClassVar[tuple[str, ...]] = HOSTS
    specimen: ClassVar[JsonObject] = {"url": "https://hooks.slack.com/services/0"}
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("url", "Slack incoming webhook (api.slack.com/apps → Incoming Webhooks)"),
    )
    type: Literal["slack"] = Field("slack", description="a message to a Slack channel")
    url: SecretUrl | None = Field(None, description="the incoming webhook's URL")
    token: Token | None = Field(None, description="or a bot token, xoxb-…, together with channel")
    channel: Annotated[str, FROM_DATA] | None = Field(
        None, description="#name or id; only legacy webhooks let it be chosen"
    )
    username: str | None = Field(None, description="the name it speaks under")
    icon_emoji: Annotated[str, AfterValidator(_emoji)] | None = Field(
        None, description="the emoji beside it, :robot_face:"
    )
    icon_url: PictureUrl | None = Field(None, description="or the picture beside it")
    thread_ts: Annotated[str, AfterValidator(_thread)] | None = Field(None, description="the thread to reply in")
    api_base: ApiBase = Field("https://slack.com/api", description="where the API is reached with a token")

    @model_validator(mode="after")
    def _one_way(self) -> "SlackConfig":
        if (self.url is None) == (self.token is None):
            raise ValueError("give either url, or token and channel")
        if self.token is not None and not self.channel:
            raise ValueError("with a token give the channel too")
        if self.token is None and self.address_expressions():
            raise ValueError("for a channel that follows from data give a token")
        return self

    def advise(self) -> Iterator[Advice]:
        if self.url is not None:
            yield from url_advice(self.url)
        if self.token is not None:
            yield from token_advice(self.token, self.api_base)

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        return "a webhook's message can be neither edited nor answered; give a token" if self.token is None else None

    def open(self, tools: Tools) -> "SlackSink":
        return SlackSink(self, tools)


class SlackSink(HttpSink[SlackConfig]):
    digests = True

    def __init__(self, config: SlackConfig, tools: Tools) -> None:
        from slack_sdk.models import blocks  # only who has a Slack pays for it

        super().__init__(config, tools)
        self._models = blocks
        self._headers = {"Content-Type": "application/json; charset=utf-8"}
        self._settings: dict[str, Any] = {
            name: value
            for name in ("channel", "username", "icon_emoji", "icon_url", "thread_ts")
            if (value := getattr(config, name))
        }
        if config.token is not None:
            self._url = URL(f"{config.api_base}/chat.postMessage")
            self._headers["Authorization"] = f"Bearer {config.token.get_secret_value()}"
            self._settings |= {"unfurl_links": False, "unfurl_media": False}
        elif config.url is not None:
            self._url = URL(config.url.get_secret_value())

    @property
    def look(self) -> ServiceLook:
        return ServiceLook(SLACK, locale=self.config.locale, parts=DIGEST_PARTS, style=self.config.style)

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        config = self.config
        if self.addressing is not None:
            return ()
        if config.token is not None:
            place = f"{config.channel} {short_hash(config.token.get_secret_value())}"
        else:
            place = short_hash(str(self._url))
        return (Limit(f"slack channel {place}", Rate(1, 1.0)),)

    @property
    def sender(self) -> str:
        token = self.config.token
        return f"slack {short_hash(token.get_secret_value() if token else str(self._url))}"

    @property
    def service_spacing(self) -> tuple[Spaced, ...]:
        return (Spaced(1, 1.0),)

    def build(self, message: Message) -> Request:
        return Request("POST", self._url, dump(self._settings | self._message_payload(message)), self._headers)

    def ask(self) -> ReachabilityFlow | HostOnly:
        config = self.config
        if config.token is None:
            return HostOnly(self._url, "whether the webhook is still there is seen by a message alone")
        channel = None if config.address_expressions() else config.channel
        return token_reachability(config.api_base, config.token.get_secret_value(), channel, self.classify)

    def build_reply(self, message: Message, thread: str) -> Request:
        """The request that answers in a thread, unless the sink has one of its own."""
        body = {"thread_ts": thread} | self._settings | self._message_payload(message)
        return Request("POST", self._url, dump(body), self._headers)

    def build_edit(self, message: Message, channel: str, ts: str) -> Request:
        """The request that makes the message of an earlier one."""
        body = {"channel": channel, "ts": ts, **self._message_payload(message)}
        return Request("POST", self._url.with_name("chat.update"), dump(body), self._headers)

    def build_delete(self, channel: str, ts: str) -> Request:
        """The request that takes an earlier message back."""
        return Request("POST", self._url.with_name("chat.delete"), dump({"channel": channel, "ts": ts}), self._headers)

    def build_digest(self, digest: Digest) -> Request:
        payload = _payload(remarks_of(digest), summary_of(digest), self._library_blocks(digest_blocks(digest)))
        return Request("POST", self._url, dump(self._settings | payload), self._headers)

    def flow(self, message: Message) -> Flow:
        earlier, place = message.circumstances.earlier, self._place_of_earlier(message)
        if earlier is None or place is None:
            return (yield from super().flow(message))
        if earlier.delete:
            response = yield self.build_delete(*place)
            name = _error(response, json_object(response.body))
            return taken_back(self.judge(response), already=name == DELETED, about_earlier=name in LOST)
        response = yield self.build_reply(message, place[1]) if earlier.thread else self.build_edit(message, *place)
        if _error(response, json_object(response.body)) in LOST:
            return noted((yield from super().flow(message)), SENT_ANEW)
        # of a thread its first message is remembered: that is what further replies must name
        return as_message(self.judge(response), earlier.ref)

    def classify(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        name = _error(response, answer)
        if response.status == 429 or name in LIMITED:
            return Limited(retry_after(response) or seconds(answer.get("retry_after")))
        if name in AWAY:
            return Away(f"HTTP {response.status}: {name}", retry_after(response))
        return super().classify(response)

    def concerns_all(self, response: Response) -> bool:
        return not is_about_channel(_error(response, json_object(response.body)))

    def interpret(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        name = _error(response, answer)
        if not name:
            taken = 200 <= response.status < 300 and (answer.get("ok") is True or response.body.strip() == b"ok")
            return Delivered(ref=_reference(answer), note=_warning(answer)) if taken else in_between(response)
        if is_gone(name):
            return Gone(f"HTTP {response.status}: {name}")
        if response.status in (401, 403, 404, 410) and not answer:
            return in_between(response)  # no name of Slack's: a gateway's word
        return Refused(": ".join([f"HTTP {response.status}", name, *_details(answer)]))

    def _place_of_earlier(self, message: Message) -> tuple[str, str] | None:
        """Channel and ts of the earlier message, if it can be reached: with a token, in the same channel."""
        earlier, config = message.circumstances.earlier, self.config
        named = _REF.fullmatch(earlier.ref) if earlier is not None and config.token is not None else None
        if named is None or (_CHANNEL_ID.fullmatch(config.channel or "") and named[1] != config.channel):
            return None
        return named[1], named[2]

    def _message_payload(self, message: Message) -> dict[str, Any]:
        return _payload(remarks_of(message), text_of(message), self._library_blocks(message_blocks(message)))

    def _library_blocks(self, blocks: Iterable[Block]) -> list[dict[str, Any]]:
        """The blocks, as the library makes them."""
        return [self._library_block(kind, text).to_dict() for kind, text in blocks]

    def _library_block(self, kind: str, text: str) -> Any:
        if kind == "divider":
            return self._models.DividerBlock()
        words = self._models.MarkdownTextObject(text=text, verbatim=True)
        return (
            self._models.ContextBlock(elements=[words]) if kind == "context" else self._models.SectionBlock(text=words)
        )


def _payload(remarks: str, text: str, blocks: list[dict[str, Any]]) -> dict[str, Any]:
    """The blocks, and in `text` what a notification shows of them."""
    return {"text": clip("\n".join(filter(None, (remarks, text))), TEXT, MARKUP, utf16), "blocks": blocks}


def _reference(answer: dict[str, Any]) -> str | None:
    ref = f"{answer.get('channel')}/{answer.get('ts')}"
    return ref if _REF.fullmatch(ref) else None


def _error(response: Response, answer: dict[str, Any]) -> str:
    """The error's name, empty where there is none."""
    if answer:
        return str(answer.get("error") or "unknown_error") if answer.get("ok") is False else ""
    text = response.body[:100].decode("utf-8", "replace").strip()
    return text if response.status >= 400 and _NAME.fullmatch(text) else ""


def _details(answer: dict[str, Any]) -> list[str]:
    """What Slack says of an invalid block, with the place in the JSON."""
    metadata = answer.get("response_metadata")
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    return [str(one) for one in messages] if isinstance(messages, list) else []


def _warning(answer: dict[str, Any]) -> str | None:
    warning = answer.get("warning")
    return f"Slack warns: {warning}" if isinstance(warning, str) and warning != "missing_charset" else None
