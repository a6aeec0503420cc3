"""What Discord takes: the form of a message, and why one is refused. The limits stand in panel.py."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.foreign import iso_moment, whole
from bridge.panels.base import EmptyMessage
from bridge.posted import IS_COMPONENTS_V2

EMBEDS, EMBED_TEXT = 10, 6000


def check_message(body: JsonObject) -> None:
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
    if beside := message.beside_components():
        raise BadPayload(
            f"cannot be used together with the flag {IS_COMPONENTS_V2}, which is for components alone", beside
        )
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
    if iso_moment(value) is None:
        raise ValueError("should be an ISO 8601 time")
    return value


def _username(value: str) -> str:
    if value.lower() in ("everyone", "here") or any(word in value.lower() for word in ("discord", "clyde")):
        raise ValueError("is a name that Discord keeps for itself")
    return value


def _trimmed(most: int, least: int = 0) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=least, max_length=most)


class _EmbedModel(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True)


class FieldForm(_EmbedModel):
    name: Annotated[str, _trimmed(256, least=1)]
    value: Annotated[str, _trimmed(1024, least=1)]


class FooterForm(_EmbedModel):
    text: Annotated[str, _trimmed(2048)] | None = None


class AuthorForm(_EmbedModel):
    name: Annotated[str, _trimmed(256)] | None = None


class MediaForm(_EmbedModel):
    url: str | None = None


class EmbedForm(_EmbedModel):
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


class MessageForm(_EmbedModel):
    content: Annotated[str, _trimmed(2000)] | None = None
    embeds: Annotated[list[EmbedForm], Field(max_length=EMBEDS)] | None = None
    username: Annotated[str, _trimmed(80, least=1), AfterValidator(_username)] | None = None
    avatar_url: str | None = None
    thread_name: Annotated[str, _trimmed(100)] | None = None
    components: Annotated[list[JsonObject], Field(max_length=40)] | None = None
    attachments: list[JsonObject] | None = None
    poll: JsonObject | None = None
    allowed_mentions: JsonObject | None = None
    flags: Any = None

    def is_empty(self) -> bool:
        shown = any(embed.shown() for embed in self.embeds or ())
        return not (shown or self.content or self.components or self.attachments or self.poll)

    def beside_components(self) -> str | None:
        """What a message that is made of components has beside them, which Discord does not take."""
        if not (whole(self.flags) or 0) & IS_COMPONENTS_V2:
            return None
        return next((name for name in ("content", "embeds", "poll") if getattr(self, name)), None)
