"""Discord: one message to a channel's webhook.

Source   discord.com/developers/docs/resources/webhook#execute-webhook, resources/message#embed-object-embed-limits,
         topics/rate-limits, topics/opcodes-and-status-codes; github.com/discord/discord-api-spec (v10)
Secret   the webhook URL is the credential
Sends    POST {url}?wait=true&thread_id&with_components
         {content, embeds, components, poll, username, avatar_url, thread_name, allowed_mentions, flags}
         without wait=true a message that was not saved is answered like one that was; without with_components=true
         components are not looked at
         a report's picture goes with it in a form, payload_json and files[0]; where that is refused, without it
         PATCH {url}/messages/{id}?thread_id  {content, embeds, allowed_mentions}: an earlier message, edited
         DELETE {url}/messages/{id}?thread_id: an earlier message, taken back
Units    characters are counted in UTF-16 units, which is never too few; colours 0 to 16777215
Limits   content 2000; 10 embeds; title 256, description 4096, 25 fields of 256 and 1024, footer 2048, author 256,
         and 6000 over all embeds; 5 requests in 2 s; 30 a minute in a channel over all its webhooks, which no
         header tells; 50 a second from one address, and 10,000 answers 401, 403 or 429 in 10 minutes
Answers  200 delivered, with the message's id · 429 limited, for the body's `retry_after` (float seconds);
         else `code` decides, by the tables in answers.py: gone, limited, away, refused; one that has no row there is
         gone with 401, 403 and 404, and refused with 400 and 413, for which the first of `errors` says why · 5xx away
         an answer without Discord's shape, and 40333: away, something in between
         to an edit: the codes in LOST, the message or its thread is not there any more: then it is sent anew
Quirks   a 429 without JSON and without Via is a ban of our address: too many of those answers
         a webhook cannot answer a message, and an edit wakes nobody; what an edit does not name stays as it was
         the answer's channel_id is the thread where the message went into one; an edit must name that thread
         a blank name or value of a field is refused, so it is filled with U+200B
         `allowed_mentions` left out allows users, so it always goes out, empty unless the operator says otherwise
         a thread that a posted message names may take nothing from here, and outside of a forum none begins: it is
         then sent again, to the channel
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator
from yarl import URL

from bridge.chart import with_signs
from bridge.codec import dump
from bridge.event import JsonObject
from bridge.markup.service import Service, ServiceLook
from bridge.message import Digest, Message
from bridge.outcome import Attempt, Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused, Spaced
from bridge.people.address import Form, nowhere
from bridge.posted import SUPPRESS_NOTIFICATIONS, is_silent
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
from bridge.sinks.discord.advice import HOSTS, url_advice
from bridge.sinks.discord.answers import (
    AWAY,
    BANNED,
    BANNING,
    DELETED,
    FRONT,
    GONE,
    LIMITED,
    LOST,
    NO_THREAD,
    PLACES,
    REFUSED,
    asked_wait,
    error_code,
    is_form_error,
    reason_with,
)
from bridge.sinks.discord.components import components_query
from bridge.sinks.discord.mentions import AllowedMentions, Snowflake
from bridge.sinks.discord.message import DIGEST_PARTS, digest_payload, message_payload, thread_name, with_attached
from bridge.sinks.discord.posted import SNOWFLAKE, legal_name, posted_thread, posted_thread_name
from bridge.sinks.discord.reachability import webhook_reachability
from bridge.sinks.discord.remedies import REMEDIES
from bridge.sinks.discord.service import DISCORD
from bridge.sinks.http import Request, Response
from bridge.sinks.picture import NAME, NO_PICTURE, form, has_picture, picture_of
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import ADDRESS_FROM_DATA, HostOnly, ReachabilityFlow
from bridge.sinks.settings import FROM_DATA, SECRET_FROM_DATA, Advice, PictureUrl, SecretUrl
from bridge.value import replace

SENT = ("content", "embeds", "username", "avatar_url", "thread_name", "allowed_mentions")
NO_SUCH_THREAD = "the message's thread cannot be posted in here: posted to the channel"
JSON = {"Content-Type": "application/json"}
EDITED = ("content", "embeds", "components", "attachments")

#: An address that comes out of data: the host is Discord's, whatever the data says.
WEBHOOK = r"https://discord\.com/api/webhooks/[0-9]{1,20}/[A-Za-z0-9_-]{1,200}"

_REF = re.compile(r"([0-9]{1,20})(?:/([0-9]{1,20}))?")  # message, and the thread it is in


def _username(value: str) -> str:
    if not legal_name(value):
        raise ValueError("should be 1 to 80 characters without `discord` or `clyde`, and not everyone or here")
    return value


class DiscordConfig(ChatConfig, AddressedConfig):
    """A Discord channel, by its webhook; or as many as there are owners or nodes."""

    remedies = REMEDIES
    service: ClassVar[Service] = DISCORD
    address_forms: ClassVar[Mapping[str, Form]] = {
        "url": Form(WEBHOOK, "a webhook's URL, https://discord.com/api/webhooks/…", SecretStr, place=short_hash),
        "thread_id": Form(SNOWFLAKE.pattern, "the number of a thread", optional=True, place=nowhere),
    }
    hosts: ClassVar[tuple[str, ...]] = HOSTS
    specimen: ClassVar[JsonObject] = {"url": "https://discord.com/api/webhooks/0/0"}
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("url", "Discord webhook (channel settings → Integrations → Webhooks → Copy URL)"),
    )
    type: Literal["discord"] = Field("discord", description="one embed to a Discord channel")
    url: Annotated[SecretUrl, SECRET_FROM_DATA] = Field(
        description="the webhook's URL: channel settings, Integrations, Webhooks"
    )
    username: Annotated[str, AfterValidator(_username)] | None = Field(None, description="the name it speaks under")
    avatar_url: PictureUrl | None = Field(None, description="the picture beside it")
    thread_id: Annotated[Snowflake, FROM_DATA] | None = Field(None, description="the thread of the channel to post in")
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

    def advise(self) -> Iterator[Advice]:
        return url_advice(self.url)

    def cannot_update(self, how: Literal["subject", "thread"]) -> str | None:
        return "a webhook cannot answer a message; with update: subject it edits it" if how == "thread" else None

    def open(self, tools: Tools) -> "DiscordSink":
        return DiscordSink(self, tools)


class DiscordSink(HttpSink[DiscordConfig]):
    digests = True

    def __init__(self, config: DiscordConfig, tools: Tools) -> None:
        from discord_webhook import DiscordEmbed, DiscordWebhook  # brings requests: only who has a Discord pays for it

        super().__init__(config, tools)
        self._embed, self._webhook = DiscordEmbed, DiscordWebhook
        url = URL(config.url.get_secret_value()).update_query(wait="true")
        self._url = url.update_query(thread_id=config.thread_id) if config.thread_id else url
        self._mentions = config.allowed_mentions.to_json()
        speaker = {"username": config.username, "avatar_url": config.avatar_url}
        self._speaker = {key: value for key, value in speaker.items() if value}

    @property
    def look(self) -> ServiceLook:
        inline = (("thread_name", self.config.thread_name),) if self.config.thread_name else ()
        return ServiceLook(DISCORD, inline, self.config.locale, DIGEST_PARTS, self.config.style)

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        shared = (Limit("ip discord", Rate(50, 1.0)), Limit(BANNED, Rate(9000, 600.0), sends=False))
        if self.addressing is not None:
            return shared
        named = re.search(r"/webhooks/([0-9]{1,20})/", self._url.path)
        webhook = f"discord webhook {named[1] if named else short_hash(str(self._url))}"
        return (Limit(webhook, Rate(5, 2.0)), Limit(webhook, Rate(30, 60.0)), *shared)

    @property
    def service_spacing(self) -> tuple[Spaced, ...]:
        """5 in any 2 s for a webhook, 30 a minute for its channel; never more than that in any window."""
        return (Spaced(2, 2 / 3), Spaced(6, 2.5))

    def build(self, message: Message) -> Request:
        return self._build(message, self._places(message)[0])

    def ask(self) -> ReachabilityFlow | HostOnly:
        if "url" in self.config.address_expressions():
            return HostOnly(self._url, ADDRESS_FROM_DATA)
        return webhook_reachability(self._url, self.classify)

    def build_edit(self, message: Message, id_: str, thread: str | None) -> Request:
        """The request that makes the message of an earlier one."""
        payload = message_payload(with_signs(message, "description"))
        payload["embeds"] = self._library_embeds(payload)
        payload |= {"attachments": []} if has_picture(message) else {}  # it is that of the earlier message
        url = self._earlier_url(id_, thread).update_query(components_query(payload))
        body = {key: payload[key] for key in EDITED if payload.get(key) or (key != "components" and key in payload)}
        return Request("PATCH", url, dump(body | {"allowed_mentions": self._mentions}), JSON)

    def build_delete(self, id_: str, thread: str | None) -> Request:
        """The request that takes an earlier message back."""
        return Request("DELETE", self._earlier_url(id_, thread))

    def _earlier_url(self, id_: str, thread: str | None) -> URL:
        kept = {key: value for key, value in self._url.query.items() if key not in ("wait", "thread_id")}
        return (self._url / "messages" / id_).with_query(kept | ({"thread_id": thread} if thread else {}))

    def build_digest(self, digest: Digest) -> Request:
        payload = digest_payload(digest) | self._speaker
        if self.config.thread_name:
            payload["thread_name"] = thread_name(digest["thread_name"], digest["title"])
        return self._post(self._url, payload, silent=digest.silent)

    def flow(self, message: Message) -> Flow:
        earlier = message.circumstances.earlier
        named = _REF.fullmatch(earlier.ref) if earlier and not earlier.thread else None
        if earlier is None or named is None:
            return (yield from self._new_flow(message))
        if earlier.delete:
            response = yield self.build_delete(named[1], named[2])
            code = error_code(json_object(response.body))
            return taken_back(self.judge(response), already=code in DELETED, about_earlier=code in LOST)
        response = yield self.build_edit(message, named[1], named[2])
        if error_code(json_object(response.body)) in LOST:
            return noted((yield from self._new_flow(message)), SENT_ANEW)
        return as_message(self.judge(response), earlier.ref)

    def digest_flow(self, digest: Digest) -> Flow:
        request = self.build_digest(digest)
        return self._judge_post(request, (yield request))

    def classify(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        if response.status == 429 or (response.status >= 400 and error_code(answer) in LIMITED):
            return Limited(asked_wait(response, answer))
        outcome = super().classify(response)
        return replace(outcome, reason=reason_with(outcome.reason, answer)) if isinstance(outcome, Refused) else outcome

    def interpret(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        if 200 <= response.status < 300:
            return self._taken(response, answer)
        code, reason = error_code(answer), f"HTTP {response.status}"
        if code == FRONT:
            return replace(in_between(response), reason=reason_with(reason, answer))
        if code in AWAY:
            return Away(reason_with(reason, answer), retry_after(response))
        if code in REFUSED or (code is None and is_form_error(answer)):
            return Refused(reason)
        if code is None:
            return in_between(response)
        # codes are many, and new ones come: without a row of its own the status says what one is about
        return Gone(reason_with(reason, answer)) if code in GONE or response.status in PLACES else Refused(reason)

    def _taken(self, response: Response, answer: JsonObject) -> Outcome:
        """Taken, if that is Discord's answer: the message, or nothing at all with 204."""
        id_ = str(answer.get("id", ""))
        if SNOWFLAKE.fullmatch(id_):
            return Delivered(ref=id_)
        return Delivered() if response.status == 204 and not response.body else in_between(response)

    def judge(self, response: Response) -> Attempt:
        attempt = super().judge(response)
        shared = response.headers.get("x-ratelimit-scope") == "shared"
        return replace(attempt, scopes=(BANNED,)) if response.status in BANNING and not shared else attempt

    def pause(self, response: Response) -> float:
        if response.headers.get("x-ratelimit-remaining") != "0":
            return 0.0
        return seconds(response.headers.get("x-ratelimit-reset-after")) or 0.0

    def _new_flow(self, message: Message) -> Flow:
        """A new message; where it is refused with its picture, without it."""
        attempt = yield from self._post_flow(message)
        if not has_picture(message) or not isinstance(attempt.outcome, Refused):
            return attempt
        without = yield from self._post_flow(with_signs(message, "description"))
        return noted(without, f"{NO_PICTURE}: {attempt.outcome.reason}")

    def _post_flow(self, message: Message) -> Flow:
        """A new message; where the thread that it asks for does not take it, or cannot begin, in the channel."""
        request = self.build(message)
        response = yield request
        places = self._places(message)
        for place in places[1:]:
            if error_code(json_object(response.body)) not in NO_THREAD:
                break
            request = self._build(message, place)
            response = yield request
        attempt = self._judge_post(request, response)
        in_channel = len(places) > 1 and request == self._build(message, places[-1])
        return noted(attempt, NO_SUCH_THREAD) if in_channel else attempt

    def _build(self, message: Message, place: JsonObject) -> Request:
        picture = picture_of(message) if has_picture(message) else None
        message = message if picture else with_signs(message, "description")
        payload = message_payload(message) | self._speaker
        url = self._url.update_query(thread_id=place["thread_id"]) if "thread_id" in place else self._url
        if "thread_name" in place:
            payload["thread_name"] = place["thread_name"]
        return self._post(
            url, payload, silent=message.circumstances.silent or is_silent(message.event), picture=picture
        )

    def _places(self, message: Message) -> list[JsonObject]:
        """Where to post it, the first of them that takes it: the operator's own thread, or what it asks for itself."""
        if self.config.thread_name:
            return [{"thread_name": thread_name(message["thread_name"], message.event.type)}]
        if self._url.query.get("thread_id"):
            return [{}]
        asked = {"thread_id": posted_thread(message), "thread_name": posted_thread_name(message)}
        return [*({key: value} for key, value in asked.items() if value), {}]

    def _judge_post(self, request: Request, response: Response) -> Attempt:
        """The attempt, with the thread that the message is in, and what was learned of the channel."""
        attempt = self.judge(response)
        channel = str(json_object(response.body).get("channel_id", ""))
        outcome = attempt.outcome
        if not isinstance(outcome, Delivered) or not SNOWFLAKE.fullmatch(channel):
            return attempt
        begun = "thread_name" in json_object(request.json)
        if begun or "thread_id" in request.url.query:
            attempt = replace(attempt, outcome=replace(outcome, ref=f"{outcome.ref}/{channel}"))
        own = request.url.query.get("thread_id") == self._url.query.get("thread_id")
        if self.config.rate is None and not begun and own:
            attempt = replace(attempt, learned=(Limit(f"discord channel {channel}", Rate(30, 60.0)),))
        return attempt

    def _post(self, url: URL, payload: JsonObject, *, silent: bool, picture: bytes | None = None) -> Request:
        embeds = self._library_embeds(payload)
        webhook = self._webhook(url="", **payload | {"embeds": embeds, "allowed_mentions": self._mentions})
        body = {key: value for key, value in webhook.json.items() if key in SENT and value}
        flags = payload.get("flags", 0) | (SUPPRESS_NOTIFICATIONS if silent else 0)
        more = {"components": payload.get("components"), "poll": payload.get("poll"), "flags": flags}
        body |= {key: value for key, value in more.items() if value}
        url = url.update_query(components_query(payload))
        if picture is None:
            return Request("POST", url, dump(body), JSON)
        said = dump(with_attached(body, NAME))
        form_body, headers = form({"payload_json": said.decode()}, "files[0]", picture)
        return Request("POST", url, form_body, headers, payload=said)

    def _library_embeds(self, payload: JsonObject) -> list[JsonObject]:
        """The embeds, as the library makes them."""
        made = (vars(self._embed(**one)) for one in payload.get("embeds", ()))
        return [{key: value for key, value in one.items() if value not in (None, [])} for one in made]
