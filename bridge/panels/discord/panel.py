"""Discord's execute-webhook payload: whatever is posted where a Discord webhook is expected.

Source   discord.com/developers/docs/resources/webhook#execute-webhook, …/message#embed-object-embed-limits
Secret   the last segment of the URL
Sends    {content, embeds, username, avatar_url, thread_name, components, attachments, poll, flags}; the ingress turns
         forms into it, and adds the uploaded files' names to `attachments` and the query's `thread_id`
Limits   content 2000, 10 embeds with 6000 characters in all; title 256, description 4096, 25 fields of 256 and
         1024, footer 2048, author 256; texts are trimmed before they are counted
Quirks   a message that consists of Marzban's or PasarGuard's reports is as many events, whatever its lengths;
         anything else is one `message.posted`
         PasarGuard posts the embed of an API key bare, without `embeds`
         under /slack and /github the bodies are Slack's and GitHub's: slack.py, github.py
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.foreign import parse_json, present, text, value_at, whole
from bridge.panels.base import UNNAMED, EmptyMessage, Hook, Panel, ParsedEvent, SourceConfig, unknown_type
from bridge.panels.discord.form import EMBEDS, check_message
from bridge.panels.discord.github import SENTENCES, action, actor, github_message
from bridge.panels.discord.reports import EmbedReport, kinds, recognise, without_password
from bridge.panels.discord.slack import slack_message
from bridge.settings import TimeZone

SLACK, GITHUB = "slack", "github"


class DiscordEndpointConfig(SourceConfig):
    native_types: ClassVar[Mapping[str, str]] = {
        "discord:message": "message.posted",
        "discord:slack": "message.posted",
        **{f"discord:github/{name}": unknown_type("discord", f"github/{name}") for name in SENTENCES},
        **{f"discord:{kind.name}": kind.type for kind in kinds()},
    }

    panel: Literal["discord"] = Field(description="Discord's execute-webhook endpoint")
    timezone: TimeZone = Field("UTC", description="the zone of the panel that posts its reports, as Asia/Tehran")

    def open(self) -> "DiscordPanel":
        return DiscordPanel(self)


class DiscordPanel(Panel[DiscordEndpointConfig]):
    path: ClassVar[str] = "/api/webhooks/{source}/{secret}"
    paste: ClassVar[tuple[str, ...]] = ('DISCORD_WEBHOOK_URL="{url}"',)

    def __init__(self, config: DiscordEndpointConfig) -> None:
        super().__init__(config)
        self._zone = ZoneInfo(config.timezone)

    def verify_head(self, hook: Hook) -> bool:
        return self.verify_secret(hook.token)

    def elements(self, hook: Hook) -> Sequence[Any]:
        """The message, or one for each of its embeds where all are reports; raise BadPayload as Discord would."""
        body = parse_json(hook.body)
        if not isinstance(body, dict):
            raise BadPayload("should be an object")
        if hook.dialect is not None:
            if hook.dialect == SLACK and not slack_message(body).keys() & {"content", "embeds", "components"}:
                raise EmptyMessage
            return [body]
        embeds = _sole_embeds(body)
        if not embeds or not all(self._report(embed) for embed in embeds):
            check_message(body)
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
        match hook.dialect:
            case "slack":
                return _posted("discord:slack", slack_message(element) | present(thread_id=_thread(element)))
            case "github":
                return _github_event(element, hook)
        embeds = _sole_embeds(element)
        report = self._report(embeds[0]) if len(embeds) == 1 else None
        if report is None:
            return _posted("discord:message", _message(element))
        return ParsedEvent(
            type=report.type,
            native_type=f"discord:{report.name}",
            subject=report.subject,
            data=report.data | present(message=present(thread_id=_thread(element))),
            panel=report.panel,
        )

    def _report(self, embed: Any) -> EmbedReport | None:
        return recognise(embed, self._zone)


def _posted(native_type: str, message: JsonObject) -> ParsedEvent:
    return ParsedEvent(type="message.posted", native_type=native_type, subject=None, data={"message": message})


def _github_event(body: JsonObject, hook: Hook) -> ParsedEvent:
    """What happened at GitHub, told in one line; about the repository, where one is named."""
    name = (hook.header("X-GitHub-Event") or b"").decode("utf-8", "replace").strip()[:64]
    repository = text(value_at(body, "repository", "full_name"))
    return ParsedEvent(
        type=unknown_type("discord", f"github/{name or UNNAMED}"),
        native_type=f"discord:github/{name or UNNAMED}",
        subject=f"repository:{repository}" if repository else None,
        data=present(
            actor=actor(body),
            action=action(body),
            message=github_message(name, body) | present(thread_id=_thread(body)),
        ),
    )


#: What a message can say besides its text and embeds, and how it is said: all keys that are no bare embed's.
CONTENT_KEYS = ("attachments", "components", "poll", "sticker_ids")
MANNER_KEYS = ("username", "avatar_url", "thread_id", "thread_name", "tts", "flags", "allowed_mentions")


def _sole_embeds(body: JsonObject) -> list[Any]:
    """The embeds of a message that says nothing else; where it has none, the body as one."""
    content, embeds = body.get("content"), body.get("embeds")
    if (content.strip() if isinstance(content, str) else content) or any(body.get(key) for key in CONTENT_KEYS):
        return []
    if embeds is None:
        return [{key: body[key] for key in body.keys() - {"content", "embeds", *CONTENT_KEYS, *MANNER_KEYS}}]
    return embeds if isinstance(embeds, list) and len(embeds) <= EMBEDS else []


def _scrubbed_embed(embed: JsonObject) -> JsonObject:
    description = embed.get("description")
    if not isinstance(description, str):
        return dict(embed)
    return {**embed, "description": without_password(description, title=embed.get("title"))}


def _message(element: JsonObject) -> JsonObject:
    embeds, files = element.get("embeds"), element.get("attachments")
    components, poll = element.get("components"), element.get("poll")
    return present(
        content=text(element.get("content")),
        embeds=embeds if isinstance(embeds, list) else None,
        username=text(element.get("username")),
        avatar_url=text(element.get("avatar_url")),
        thread_id=_thread(element),
        thread_name=text(element.get("thread_name")),
        flags=whole(element.get("flags")),
        files=[_file(one) for one in files if isinstance(one, dict)] if isinstance(files, list) else None,
        components=components if isinstance(components, list) else None,
        poll=poll if isinstance(poll, dict) else None,
    )


def _file(attachment: JsonObject) -> JsonObject:
    return present(name=text(attachment.get("filename")), content_type=text(attachment.get("content_type")))


def _thread(element: JsonObject) -> str | None:
    thread = element.get("thread_id")
    return str(thread) if isinstance(thread, int) and not isinstance(thread, bool) else text(thread)
