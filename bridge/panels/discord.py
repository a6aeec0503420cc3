"""Discord's execute-webhook payload: whatever is posted where a Discord webhook is expected.

Source   discord.com/developers/docs/resources/webhook#execute-webhook, …/message#embed-object-embed-limits
Secret   the last segment of the URL
Sends    {content, embeds, username, avatar_url, components, attachments, poll}; the ingress turns forms into it, and
         adds the uploaded files' names to `attachments` and the query's `thread_id`
Limits   content 2000, 10 embeds with 6000 characters in all; title 256, description 4096, 25 fields of 256 and
         1024, footer 2048, author 256; texts are trimmed before they are counted
Quirks   a message that consists of Marzban's or PasarGuard's reports is as many events, whatever its lengths;
         anything else is one `message.posted`
         PasarGuard posts the embed of an API key bare, without `embeds`
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.foreign import moment, parse_json, present, text
from bridge.panels.base import EmptyMessage, Hook, Panel, ParsedEvent, SourceConfig
from bridge.panels.reports import Report, kinds, recognise, without_password
from bridge.settings import TimeZone

EMBEDS, EMBED_TEXT = 10, 6000


class DiscordConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = {
        "discord:message": "message.posted",
        **{f"discord:{kind.name}": kind.type for kind in kinds()},
    }

    panel: Literal["discord"] = Field(description="Discord's execute-webhook endpoint")
    timezone: TimeZone = Field("UTC", description="the zone of the panel that posts its reports, as Asia/Tehran")

    def open(self) -> "DiscordPanel":
        return DiscordPanel(self)


class DiscordPanel(Panel[DiscordConfig]):
    path: ClassVar[str] = "/api/webhooks/{source}/{secret}"
    paste: ClassVar[tuple[str, ...]] = ('DISCORD_WEBHOOK_URL="{url}"',)

    def __init__(self, config: DiscordConfig) -> None:
        super().__init__(config)
        self._zone = ZoneInfo(config.timezone)

    def verify(self, hook: Hook) -> None:
        self.proves(hook.token)

    def elements(self, hook: Hook) -> Sequence[Any]:
        """The message, or one for each of its embeds where all are reports; raise BadPayload as Discord would."""
        body = parse_json(hook.body)
        if not isinstance(body, dict):
            raise BadPayload("should be an object")
        embeds = _sole_embeds(body)
        if not embeds or not all(self._report(embed) for embed in embeds):
            _check(body)
            return [body]
        return [body] if len(embeds) == 1 else [{**body, "embeds": [embed]} for embed in embeds]

    def scrub(self, element: Any) -> Any:
        """Without the password of a login report, wherever in the message it stands."""
        if not isinstance(element, dict):
            return element
        scrubbed = _scrubbed_embed(element)  # a bare embed is one itself
        if isinstance(content := element.get("content"), str):
            scrubbed["content"] = without_password(content)
        if isinstance(embeds := element.get("embeds"), list):
            scrubbed["embeds"] = [_scrubbed_embed(embed) if isinstance(embed, dict) else embed for embed in embeds]
        return scrubbed

    def parse(self, element: Any, hook: Hook) -> ParsedEvent:
        if not isinstance(element, dict):
            raise BadPayload("should be an object")
        embeds = _sole_embeds(element)
        report = self._report(embeds[0]) if len(embeds) == 1 else None
        if report is None:
            data = {"message": _message(element)}
            return ParsedEvent(type="message.posted", native_type="discord:message", subject=None, data=data)
        return ParsedEvent(
            type=report.type,
            native_type=f"discord:{report.name}",
            subject=report.subject,
            data=report.data | present(message=present(thread_id=_thread(element))),
            panel=report.panel,
        )

    def _report(self, embed: Any) -> Report | None:
        return recognise(embed, self._zone)


#: What a message can say besides its text and embeds, and how it is said: all keys that are no bare embed's.
SAYING = ("attachments", "components", "poll", "sticker_ids")
MANNER = ("username", "avatar_url", "thread_id", "thread_name", "tts", "flags", "allowed_mentions")


def _sole_embeds(body: JsonObject) -> list[Any]:
    """The embeds of a message that says nothing else; where it has none, the body as one."""
    content, embeds = body.get("content"), body.get("embeds")
    if (content.strip() if isinstance(content, str) else content) or any(body.get(key) for key in SAYING):
        return []
    if embeds is None:
        return [{key: body[key] for key in body.keys() - {"content", "embeds", *SAYING, *MANNER}}]
    return embeds if isinstance(embeds, list) and len(embeds) <= EMBEDS else []


def _scrubbed_embed(embed: JsonObject) -> JsonObject:
    description = embed.get("description")
    if not isinstance(description, str):
        return dict(embed)
    return {**embed, "description": without_password(description, title=embed.get("title"))}


def _message(element: JsonObject) -> JsonObject:
    embeds, files, components = (element.get(key) for key in ("embeds", "attachments", "components"))
    return present(
        content=text(element.get("content")),
        embeds=embeds if isinstance(embeds, list) else None,
        username=text(element.get("username")),
        avatar_url=text(element.get("avatar_url")),
        thread_id=_thread(element),
        files=[_file(one) for one in files if isinstance(one, dict)] if isinstance(files, list) else None,
        components=components if isinstance(components, list) else None,
    )


def _file(attachment: JsonObject) -> JsonObject:
    return present(name=text(attachment.get("filename")), content_type=text(attachment.get("content_type")))


def _thread(element: JsonObject) -> str | None:
    thread = element.get("thread_id")
    return str(thread) if isinstance(thread, int) and not isinstance(thread, bool) else text(thread)


def _check(body: JsonObject) -> None:
    """Refuse what Discord would refuse."""
    try:
        message = MessageForm.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        most = first.get("ctx", {}).get("max_length")
        reason = REASONS.get(first["type"], first["msg"].removeprefix("Value error, ")).format(most=most)
        raise BadPayload(reason, ".".join(map(str, first["loc"]))) from None
    if message.is_empty():
        raise EmptyMessage
    if sum(len(part) for embed in message.embeds or () for part in embed.texts()) > EMBED_TEXT:
        raise BadPayload(f"the embeds hold more than {EMBED_TEXT} characters in all", "embeds")


#: The library's kinds of error, in our words.
REASONS = {
    "missing": "is required",
    "string_too_short": "is required",
    "string_type": "should be a text",
    "list_type": "should be a list",
    "dict_type": "should be an object",
    "model_type": "should be an object",
    "string_too_long": "has more than {most} characters",
    "too_long": "has more than {most} entries",
}


def _color(value: Any) -> Any:
    """A number, or as some clients send it, its digits."""
    digits = isinstance(value, str) and value.isdecimal() and len(value) <= 8
    if value is None or ((digits or type(value) is int) and 0 <= int(value) <= 0xFFFFFF):
        return value
    raise ValueError("should be a number from 0 to 16777215")


def _timestamp(value: str) -> str:
    if moment(value) is None:
        raise ValueError("should be an ISO 8601 time")
    return value


def _username(value: str) -> str:
    if value.lower() in ("everyone", "here") or any(word in value.lower() for word in ("discord", "clyde")):
        raise ValueError("is a name that Discord keeps for itself")
    return value


def _trimmed(most: int, least: int = 0) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=most)


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True)


class FieldForm(_Form):
    name: Annotated[str, _trimmed(256, least=1)]
    value: Annotated[str, _trimmed(1024, least=1)]


class FooterForm(_Form):
    text: Annotated[str, _trimmed(2048)] | None = None


class AuthorForm(_Form):
    name: Annotated[str, _trimmed(256)] | None = None


class MediaForm(_Form):
    url: str | None = None


class EmbedForm(_Form):
    title: Annotated[str, _trimmed(256)] | None = None
    description: Annotated[str, _trimmed(4096)] | None = None
    url: str | None = None
    color: Annotated[Any, AfterValidator(_color)] = None
    timestamp: Annotated[str, AfterValidator(_timestamp)] | None = None
    fields: Annotated[list[FieldForm], Field(max_length=25)] | None = None
    footer: FooterForm | None = None
    author: AuthorForm | None = None
    image: MediaForm | None = None
    thumbnail: MediaForm | None = None
    video: MediaForm | None = None

    def texts(self) -> list[str]:
        """All that is counted."""
        fields = [part for field in self.fields or () for part in (field.name, field.value)]
        footer, author = self.footer and self.footer.text, self.author and self.author.name
        return [part for part in (self.title, self.description, footer, author, *fields) if part]

    def shown(self) -> bool:
        media = (self.image, self.thumbnail, self.video)
        return bool(self.texts()) or any(one is not None and one.url for one in media)


class MessageForm(_Form):
    content: Annotated[str, _trimmed(2000)] | None = None
    embeds: Annotated[list[EmbedForm], Field(max_length=EMBEDS)] | None = None
    username: Annotated[str, _trimmed(80, least=1), AfterValidator(_username)] | None = None
    avatar_url: str | None = None
    thread_name: Annotated[str, _trimmed(100)] | None = None
    components: Annotated[list[JsonObject], Field(max_length=40)] | None = None
    attachments: list[JsonObject] | None = None
    poll: JsonObject | None = None
    allowed_mentions: JsonObject | None = None

    def is_empty(self) -> bool:
        shown = any(embed.shown() for embed in self.embeds or ())
        return not (shown or self.content or self.components or self.attachments or self.poll)
