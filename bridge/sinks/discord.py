"""Discord: one message to a channel's webhook.

Source   discord.com/developers/docs/resources/webhook#execute-webhook, resources/message#embed-object-embed-limits,
         topics/rate-limits, topics/opcodes-and-status-codes; github.com/discord/discord-api-spec (v10)
Secret   the webhook URL is the credential
Sends    POST {url}?wait=true&thread_id  {content, embeds, username, avatar_url, thread_name, allowed_mentions}
         without wait=true a message that was not saved is answered like one that was
Units    characters are counted in UTF-16 units, which is never too few; colours 0 to 16777215
Limits   content 2000; 10 embeds; title 256, description 4096, 25 fields of 256 and 1024, footer 2048, author 256,
         and 6000 over all embeds; 5 messages in 2 s
Answers  200 delivered, with the message's id · 429 limited, for the body's `retry_after` (float seconds);
         the codes 20028, 20016 and 130000 likewise · 400, 413 refused: `code` and the first of `errors` say why
         401, 403, 404 gone: someone deleted the webhook · 5xx away
Quirks   a 429 without JSON and without Via is a ban of our address: 10,000 answers 401, 403 or 429 in 10 minutes
         a blank name or value of a field is refused, so it is filled with U+200B
         `allowed_mentions` left out allows users, so it always goes out, empty unless the operator says otherwise
         a thread that a posted message names may not be known here: it is then sent again, to the channel
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from yarl import URL

from bridge.event import JsonObject, dump, iso
from bridge.message import RECORD, UNIT, Look, Message
from bridge.outcome import Attempt, Away, Delivered, Gone, Limited, Outcome, Refused
from bridge.settings import Settings
from bridge.sinks.base import HttpSink, Rate, SinkConfig, Tools, is_page, json_object, retry_after, seconds
from bridge.sinks.discord_embed import MARKUP, fitted_embeds
from bridge.sinks.http import Request, Response
from bridge.sinks.settings import SecretUrl
from bridge.sinks.text import clip, shows, utf16, web_url

BLOCKS = ("content", "title", "url", "description", "fields", "color", "footer")
CONTENT, THREAD_NAME, USERNAME, FILES = 2000, 100, 80, 500  # characters
SENT = ("content", "embeds", "username", "avatar_url", "thread_name", "allowed_mentions")

UNKNOWN_CHANNEL = 10003
WAITS = (20028, 20016, 130000)  # rate limits, and an overloaded API, whatever their status
BAN = 600.0  # seconds; a ban does not say how long it lasts

_SNOWFLAKE = re.compile(r"[0-9]{1,20}")


def _username(value: str) -> str:
    if not _legal_name(value):
        raise ValueError("should be 1 to 80 characters without `discord` or `clyde`, and not everyone or here")
    return value


def _legal_name(value: str) -> bool:
    name = value.strip().lower()
    banned = name in ("everyone", "here") or "discord" in name or "clyde" in name
    return shows(name) and utf16(value) <= USERNAME and not banned


def _picture(value: str) -> str:
    if (url := web_url(value)) is None:
        raise ValueError("should be an address that begins with http:// or https://")
    return url


def _snowflake(value: str) -> str:
    if not _SNOWFLAKE.fullmatch(value):
        raise ValueError("should be an id, as Discord's `Copy ID` gives it: digits only")
    return value


Snowflake = Annotated[str, AfterValidator(_snowflake)]


class AllowedMentions(Settings):
    """Whom a message may ping."""

    parse: tuple[Literal["users", "roles", "everyone"], ...] = Field((), description="kinds that may all be pinged")
    users: tuple[Snowflake, ...] = Field((), max_length=100, description="ids of users who may be pinged")
    roles: tuple[Snowflake, ...] = Field((), max_length=100, description="ids of roles that may be pinged")

    @model_validator(mode="after")
    def _exclusive(self) -> "AllowedMentions":
        for kind in ("users", "roles"):
            if kind in self.parse and getattr(self, kind):
                raise ValueError(f"name either all {kind} under `parse`, or some under `{kind}`, not both")
        return self

    def to_json(self) -> JsonObject:
        said = {"parse": self.parse, "users": self.users, "roles": self.roles}
        return {key: list(dict.fromkeys(value)) for key, value in said.items() if value or key == "parse"}


class DiscordConfig(SinkConfig):
    """A Discord channel, by its webhook."""

    type: Literal["discord"] = Field("discord", description="one embed to a Discord channel")
    url: SecretUrl = Field(description="the webhook's URL: channel settings, Integrations, Webhooks")
    username: Annotated[str, AfterValidator(_username)] | None = Field(None, description="the name it speaks under")
    avatar_url: Annotated[str, AfterValidator(_picture)] | None = Field(None, description="the picture beside it")
    thread_id: Snowflake | None = Field(None, description="the thread of the channel to post in")
    thread_name: str | None = Field(
        None, description="in a forum: the title of a new thread for each message, a template"
    )
    allowed_mentions: AllowedMentions = Field(
        AllowedMentions(), description="whom messages may ping; no one if not given"
    )

    @model_validator(mode="after")
    def _one_thread(self) -> "DiscordConfig":
        if self.thread_id and self.thread_name:
            raise ValueError("give either thread_id or thread_name, not both")
        return self

    def open(self, tools: Tools) -> "DiscordSink":
        return DiscordSink(self, tools)


class DiscordSink(HttpSink[DiscordConfig]):
    service_rates = (Rate(5, 2.0),)

    def __init__(self, config: DiscordConfig, tools: Tools) -> None:
        from discord_webhook import DiscordEmbed, DiscordWebhook  # brings requests: only who has a Discord pays for it

        super().__init__(config, tools)
        self._embed, self._webhook = DiscordEmbed, DiscordWebhook
        url = URL(config.url.get_secret_value()).update_query(wait="true")
        self._url = url.update_query(thread_id=config.thread_id) if config.thread_id else url
        self._mentions = config.allowed_mentions.to_json()

    @property
    def look(self) -> Look:
        inline = (("thread_name", self.config.thread_name),) if self.config.thread_name else ()
        return Look("discord", BLOCKS, inline, self.config.locale)

    def build(self, message: Message) -> Request:
        webhook = self._webhook(url="", **self._said(message), allowed_mentions=self._mentions)
        body = {key: value for key, value in webhook.json.items() if key in SENT and value}
        url = self._url
        if thread := self._carried_thread(message):
            url = url.update_query(thread_id=thread)
        return Request("POST", url, dump(body), {"Content-Type": "application/json"})

    async def carry(self, message: Message) -> Attempt:
        request = self.build(message)
        response = await self.ask(request)
        if request.url == self._url or json_object(response.body).get("code") != UNKNOWN_CHANNEL:
            return self.judge(response)
        attempt = self.judge(await self.ask(replace(request, url=self._url)))
        if isinstance(attempt.outcome, Delivered):
            note = "the message's thread is not known here: posted to the channel"
            return replace(attempt, outcome=replace(attempt.outcome, note=note))
        return attempt

    def classify(self, response: Response) -> Outcome:
        said = json_object(response.body)
        code = said.get("code") if response.status >= 400 else None
        if response.status == 429 or code in WAITS:
            return Limited(_wait(response, said) or 1.0)
        match super().classify(response):
            case Delivered() if is_page(response):
                return Away(f"HTTP {response.status} with a web page")
            case Delivered():
                return Delivered(ref=str(said["id"]) if "id" in said else None)
            case Gone(reason):
                return Gone(_reason(reason, said))
            case Refused(reason):
                return Refused(_reason(reason, said))
            case outcome:
                return outcome

    def pause(self, response: Response) -> float:
        if response.headers.get("x-ratelimit-remaining") != "0":
            return 0.0
        return seconds(response.headers.get("x-ratelimit-reset-after")) or 0.0

    def _said(self, message: Message) -> JsonObject:
        """What discord_webhook makes a body of; never empty."""
        content, fitted, said = _posted(message) or (message["content"], fitted_embeds([_embed_of(message)]), {})
        content = clip(content.strip(), CONTENT, MARKUP, utf16) if shows(content) else ""
        if not content and not fitted:
            fitted = [{"title": clip(message.event.type, 256)}]
        config = self.config
        said = said | {k: v for k, v in (("username", config.username), ("avatar_url", config.avatar_url)) if v}
        if config.thread_name:
            named = message["thread_name"].strip()
            said["thread_name"] = clip(named if shows(named) else message.event.type, THREAD_NAME, size=utf16)
        made = [{k: v for k, v in vars(self._embed(**one)).items() if v not in (None, [])} for one in fitted]
        return said | {"content": content, "embeds": made}

    def _carried_thread(self, message: Message) -> str | None:
        """The thread that a posted message asks for, where the sink has no thread of its own."""
        thread = _post(message).get("thread_id")
        if self._url.query.get("thread_id") or self.config.thread_name:
            return None
        return str(thread) if thread is not None and _SNOWFLAKE.fullmatch(str(thread)) else None


def _embed_of(message: Message) -> JsonObject:
    """The one embed that the blocks make."""
    return {
        "title": message["title"],
        "url": message["url"],
        "description": message["description"],
        "color": message["color"],
        "footer": {"text": message["footer"]},
        "fields": [_field(record) for record in message["fields"].split(RECORD) if shows(record)],
        "timestamp": iso(message.event.occurred_at),
    }


def _field(record: str) -> JsonObject:
    name, value, inline = (*record.split(UNIT, 2), "", "")[:3]
    return {"name": name, "value": value, "inline": inline.strip() == "inline"}


def _post(message: Message) -> Mapping[str, Any]:
    """The message that was posted to us, an empty one where the event is none."""
    post = message.event.data.get("message") if message.event.type == "message.posted" else None
    return post if isinstance(post, Mapping) else {}


def _posted(message: Message) -> tuple[str, list[JsonObject], JsonObject] | None:
    """A posted message as it came, unless a template speaks for it, or nothing is left of it."""
    post = _post(message)
    embeds = fitted_embeds(post["embeds"]) if isinstance(post.get("embeds"), list) else []
    content = _with_files(post)
    if message.template is not None or not (embeds or shows(content)):
        return None
    said: JsonObject = {}
    if isinstance(name := post.get("username"), str) and _legal_name(name.strip()):
        said["username"] = name.strip()
    if (picture := web_url(post.get("avatar_url"))) is not None:
        said["avatar_url"] = picture
    return content, embeds, said


def _with_files(post: Mapping[str, Any]) -> str:
    content = post.get("content")
    content = content.strip() if isinstance(content, str) else ""
    files = post.get("files")
    names = [_file_name(one) for one in files if isinstance(one, Mapping)] if isinstance(files, list) else []
    if not names:
        return content
    line = "📎 " + clip(", ".join(names), FILES, MARKUP, utf16)
    return f"{clip(content, CONTENT - utf16(line) - 1, MARKUP, utf16)}\n{line}".strip()


def _file_name(file: Mapping[str, Any]) -> str:
    name = " ".join(str(file.get("name") or "").replace("`", "'").split())
    return f"`{name if shows(name) else '?'}`"


def _wait(response: Response, said: JsonObject) -> float:
    """The wait asked for by the body or the header; else what is usual for the kind of limit."""
    asked = seconds(said.get("retry_after"))
    asked = retry_after(response) if asked is None else asked
    if asked is not None:
        return asked
    return BAN if response.status == 429 and not said and "via" not in response.headers else 5.0


def _reason(reason: str, said: JsonObject) -> str:
    """`HTTP 400, code 50035: Invalid Form Body: embeds.0.title: Must be 256 or fewer in length.`"""
    code = f", code {said['code']}" if isinstance(said.get("code"), int) else ""
    details = [str(said["message"])] if said.get("message") else []
    path: list[str] = []
    errors = said.get("errors")
    while isinstance(errors, dict) and errors and "_errors" not in errors and len(path) < 20:
        key, errors = next(iter(errors.items()))
        path.append(key)
    first = errors["_errors"] if isinstance(errors, dict) and "_errors" in errors else None
    if isinstance(first, list) and first and isinstance(first[0], dict):
        details += [".".join(path), str(first[0].get("message", ""))]
    return ": ".join([f"{reason}{code}", *filter(None, details)])
