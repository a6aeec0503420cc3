"""Slack: one message to a channel, by an incoming webhook or by chat.postMessage.

Source   docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, reference/methods/chat.postMessage,
         reference/block-kit/blocks, apis/web-api/rate-limits; github.com/slackapi/python-slack-sdk
Secret   the webhook URL is the credential; or a bot token of scope chat:write, in `Authorization: Bearer`
Sends    POST {url} or {api_base}/chat.postMessage  {text, blocks, channel, username, icon_emoji, icon_url, thread_ts}
         `text` is what a notification shows, the blocks are what the channel shows
Limits   a section 3000 characters, 50 blocks; blocks of more than 9,500 characters together have been refused;
         text beyond 4000 characters may be split; 1 message a second in a channel
Answers  webhook: 200 `ok` delivered · 400 refused · 403, 404, 410 gone; the body names the error
         API: 200 {ok: true, ts} delivered; errors are 200 too, {ok: false, error}, and the name decides
         429 limited, for Retry-After · 5xx and the names of outages away
Quirks   `&amp;` counts as five characters; an empty text object is refused
         app webhooks ignore channel, username and icon, legacy ones honour them
         with `verbatim` Slack makes no channels, users or links out of plain words
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from yarl import URL

from bridge.event import dump
from bridge.message import Look, Message
from bridge.outcome import Away, Delivered, Gone, Limited, Outcome, Refused
from bridge.sinks.base import (
    HttpSink,
    Rate,
    SinkConfig,
    Tools,
    is_page,
    json_object,
    retry_after,
)
from bridge.sinks.http import Request, Response
from bridge.sinks.settings import ApiBase, SecretUrl, Token
from bridge.sinks.text import Markup, clip, shows, web_url

TEXT, SECTION, TOTAL = 4000, 3000, 9500  # characters

#: Links, mentions and entities stay whole; the marks are closed again.
MARKUP = Markup(
    parts=re.compile(r"<[^<>\n]{1,3000}>|&(?:amp|lt|gt);|```|.", re.DOTALL),
    marks=frozenset({"```", "`", "*", "_", "~"}),
    fences=frozenset({"```", "`"}),
)

GONE = {
    "channel_not_found",
    "not_in_channel",
    "is_archived",
    "channel_is_archived",
    "action_prohibited",
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "missing_scope",
    "no_permission",
    "org_login_required",
    "ekm_access_denied",
    "team_access_not_granted",
    "team_disabled",
    "invalid_token",
    "posting_to_general_channel_denied",
    "no_service",
    "no_active_hooks",
    "no_service_id",
    "no_team",
}
AWAY = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "rollup_error"}
LIMITED = {"ratelimited", "rate_limited"}


def _emoji(value: str) -> str:
    name = value.strip(":")
    if not re.fullmatch(r"[^:\s]+", name):
        raise ValueError("should be the name of an emoji, as in :robot_face:")
    return f":{name}:"


def _picture(value: str) -> str:
    if (url := web_url(value)) is None:
        raise ValueError("should be an address that begins with http:// or https://")
    return url


def _thread(value: str) -> str:
    if not re.fullmatch(r"[0-9]{10}\.[0-9]{6}", value):
        raise ValueError('should be the thread\'s time stamp in quotes, as in "1732160058.161673"')
    return value


class SlackConfig(SinkConfig):
    """A Slack channel, by webhook or by bot token."""

    type: Literal["slack"] = Field("slack", description="a message to a Slack channel")
    url: SecretUrl | None = Field(None, description="the incoming webhook's URL")
    token: Token | None = Field(None, description="or a bot token, xoxb-…, together with channel")
    channel: str | None = Field(None, description="#name or id; only legacy webhooks let it be chosen")
    username: str | None = Field(None, description="the name it speaks under")
    icon_emoji: Annotated[str, AfterValidator(_emoji)] | None = Field(
        None, description="the emoji beside it, :robot_face:"
    )
    icon_url: Annotated[str, AfterValidator(_picture)] | None = Field(None, description="or the picture beside it")
    thread_ts: Annotated[str, AfterValidator(_thread)] | None = Field(None, description="the thread to reply in")
    api_base: ApiBase = Field("https://slack.com/api", description="where the API is reached with a token")

    @model_validator(mode="after")
    def _one_way(self) -> "SlackConfig":
        if (self.url is None) == (self.token is None):
            raise ValueError("give either url, or token and channel")
        if self.token is not None and not self.channel:
            raise ValueError("with a token give the channel too")
        return self

    def open(self, tools: Tools) -> "SlackSink":
        return SlackSink(self, tools)


class SlackSink(HttpSink[SlackConfig]):
    service_rates = (Rate(1, 1.0),)

    def __init__(self, config: SlackConfig, tools: Tools) -> None:
        from slack_sdk.models.blocks import MarkdownTextObject, SectionBlock  # only who has a Slack pays for it

        super().__init__(config, tools)
        self._section, self._text = SectionBlock, MarkdownTextObject
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
    def look(self) -> Look:
        return Look("slack", ("text",), locale=self.config.locale)

    def build(self, message: Message) -> Request:
        text = message["text"].strip()
        text = clip(text if shows(text) else message.event.type, TOTAL, MARKUP)
        blocks = [self._section(text=self._text(text=part, verbatim=True)).to_dict() for part in _sections(text)]
        body = {**self._settings, "text": clip(text, TEXT, MARKUP), "blocks": blocks}
        return Request("POST", self._url, dump(body), self._headers)

    def classify(self, response: Response) -> Outcome:
        said = json_object(response.body)
        name = _error(response, said)
        if response.status == 429 or name in LIMITED:
            return Limited(retry_after(response) or 1.0)
        if name in AWAY:
            return Away(f"HTTP {response.status}: {name}", retry_after(response))
        if name in GONE or name.startswith("restricted_action"):
            return Gone(f"HTTP {response.status}: {name}")
        match super().classify(response):
            case Delivered() if name:
                return Refused(": ".join([f"HTTP {response.status}", name, *_details(said)]))
            case Delivered() if is_page(response):
                return Away(f"HTTP {response.status} with a web page")
            case Delivered():
                return Delivered(ref=said["ts"] if isinstance(said.get("ts"), str) else None, note=_warning(said))
            case Refused(reason):
                return Refused(": ".join(filter(None, [reason, name])))
            case Gone(reason):
                return Gone(": ".join(filter(None, [reason, name])))
            case outcome:
                return outcome


def _sections(text: str) -> Iterator[str]:
    """The text in parts of at most 3000 characters: whole if it can be, else by paragraphs, else by lines."""
    while len(text) > SECTION:
        at = max(text.rfind("\n\n", 0, SECTION + 2), 0) or max(text.rfind("\n", 0, SECTION + 1), 0)
        at = at or text.find("\n", 1)  # not even a line fits: it is clipped
        part, text = (text, "") if at < 0 else (text[:at], text[at:].lstrip("\n"))
        if shows(part):
            yield clip(part, SECTION, MARKUP)
    if shows(text):
        yield text


def _error(response: Response, said: dict[str, Any]) -> str:
    """The error's name, empty where there is none."""
    if said:
        return str(said.get("error") or "unknown_error") if said.get("ok") is False else ""
    text = response.body[:100].decode("utf-8", "replace").strip()
    return text if response.status >= 400 and re.fullmatch(r"[a-z][a-z_]{2,60}", text) else ""


def _details(said: dict[str, Any]) -> list[str]:
    """What Slack says of an invalid block, with the place in the JSON."""
    metadata = said.get("response_metadata")
    messages = metadata.get("messages") if isinstance(metadata, dict) else None
    return [str(one) for one in messages] if isinstance(messages, list) else []


def _warning(said: dict[str, Any]) -> str | None:
    warning = said.get("warning")
    return f"Slack warns: {warning}" if isinstance(warning, str) and warning != "missing_charset" else None
