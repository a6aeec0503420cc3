"""GoHighLevel: a contact, by the documented body or by the contacts API.

Source   the OrbVPN webhook documentation, "GoHighLevel Format"; github.com/GoHighLevel/highlevel-api-docs,
         apps/contacts.json, apps/locations.json; marketplace.gohighlevel.com/docs/other/rate-limits
Secret   the URL; a private integration token, or whatever key the URL wants, in `Authorization: Bearer`
Sends    POST {url}  {contact, customFields, tags, locationId}: flat, every value a text, the unknown ones empty
         or POST {api_base}/contacts/upsert  {locationId, email, phone, …, customFields: [{id, field_value}]}
         and then POST {api_base}/contacts/{id}/tags  {tags}, which adds to those there; an upsert would replace them
         before the first upsert, and after a 422, GET {api_base}/locations/{id}/customFields
Limits   100 requests in 10 s for a location, 200,000 a day
Answers  trigger, a path under /hooks/: 200 {status, id} delivered, 200 {status} gone: nobody has published it
         any other URL: HTTP's own rules
         API: 200 delivered; errors are {statusCode, message}, a text or a list: 400, 422 refused · 401, 402, 403, 404
         gone, but away where it is the contact that is not found, which is 400 or 404 · 429 limited, for
         X-RateLimit-Interval-Milliseconds, or where the day's are spent for X-RateLimit-Daily-Reset, if it is there
         5xx away · an answer without either shape: away, something in between
Quirks   a 401 about the `Version` header is not about the token; no message is taken either
         there is no contact without an e-mail address or a phone number: such events are refused without a request
         a token may lack the scope locations/customFields.readonly: 401 for the fields, while contacts are taken
"""

import asyncio
import re
from collections.abc import Generator, Iterator, Sequence
from typing import ClassVar, Literal
from urllib.parse import quote

from pydantic import Field, model_validator
from yarl import URL

from bridge.codec import dump
from bridge.event import JsonObject
from bridge.markup.service import ServiceLook
from bridge.message import Message
from bridge.outcome import Attempt, Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.settings import NonEmpty, OneOrMany
from bridge.sinks.base import (
    MILLISECOND,
    Flow,
    HttpSink,
    OnSent,
    ProgramConfig,
    Tools,
    in_between,
    json_object,
    noted,
    retry_after,
    seconds,
    short_hash,
)
from bridge.sinks.gohighlevel.contact import (
    custom_fields,
    documented_body,
    email_of,
    event_tag,
    known_contact,
    phone_of,
)
from bridge.sinks.gohighlevel.fields import NO_FIELDS, LocationFields, field_values, location_fields
from bridge.sinks.gohighlevel.reachability import location_reachability
from bridge.sinks.gohighlevel.remedies import REMEDIES
from bridge.sinks.http import Request, Response
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import HostOnly, ReachabilityFlow
from bridge.sinks.settings import Advice, ApiBase, SecretUrl, Token, is_at
from bridge.value import replace

API_HOST = "services.leadconnectorhq.com"
TRIGGERS = "/hooks/"  # the paths of inbound triggers
VERSION = "2021-07-28"
WINDOW = 10.0  # seconds: what the limit is counted over
#: Headers of each answer: milliseconds until more is taken, what is left of the day, milliseconds until that is over.
INTERVAL, OF_DAY, DAY_ENDS = (
    "x-ratelimit-interval-milliseconds",
    "x-ratelimit-daily-remaining",
    "x-ratelimit-daily-reset",
)
NOWHERE = "panelbridge"  # the location of a URL that does not name one

_NO_CONTACT = re.compile(r"contact.*not found", re.IGNORECASE)


def is_api(url: URL) -> bool:
    """Whether it is HighLevel's API, and none of the inbound triggers that it has on the same host."""
    return url.host == API_HOST and not url.path.startswith(TRIGGERS)


class GoHighLevelConfig(ProgramConfig):
    """A GoHighLevel location, by the documented body to a URL or by the API."""

    remedies = REMEDIES
    hosts: ClassVar[tuple[str, ...]] = ("leadconnectorhq.com", "gohighlevel.com", "msgsndr.com")
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("url", "HighLevel trigger (workflow → Inbound Webhook → Copy URL)"),
    )

    type: Literal["gohighlevel"] = Field("gohighlevel", description="a contact in GoHighLevel")
    url: SecretUrl | None = Field(
        None, description="an inbound webhook trigger's URL, or another's that takes the documented body"
    )
    api_key: Token | None = Field(
        None, description="goes to url as Authorization: Bearer; without url a private integration token, pit-…"
    )
    location_id: NonEmpty | None = Field(None, description="the location; read from the trigger's URL if not given")
    source_name: NonEmpty = Field("Panelbridge", description="makes the first tag, `Panelbridge User`")
    tags: OneOrMany[NonEmpty] = Field((), description="more tags for every contact")
    custom_fields: dict[NonEmpty, str] = Field(
        {}, description="without url: a custom field's id → a template of its value"
    )
    api_base: ApiBase = Field(f"https://{API_HOST}", description="where the API is reached")

    @model_validator(mode="after")
    def _one_way(self) -> "GoHighLevelConfig":
        if self.url is None and (self.api_key is None or self.location_id is None):
            raise ValueError("give either url, or api_key and location_id")
        if self.url is not None and is_api(URL(self.url.get_secret_value())):
            raise ValueError("url is the API's, which takes no such body: give api_key and location_id in its place")
        if self.url is not None and self.custom_fields:
            raise ValueError("custom_fields go with the API: who takes the body at url maps the fields itself")
        return self

    def advise(self) -> Iterator[Advice]:
        url = URL(self.url.get_secret_value()) if self.url is not None else None
        if url is not None and is_at(url, self.hosts) and (url.host or "").startswith("app."):
            yield Advice("url", "is a page of the app: copy the URL that the workflow's inbound webhook trigger shows")

    def open(self, tools: Tools) -> "GoHighLevelSink":
        return GoHighLevelSink(self, tools)


class GoHighLevelSink(HttpSink[GoHighLevelConfig]):
    def __init__(self, config: GoHighLevelConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._url = URL(config.url.get_secret_value()) if config.url else None
        self._location = config.location_id or _location(self._url) or NOWHERE
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if config.api_key is not None:
            self._headers["Authorization"] = f"Bearer {config.api_key.get_secret_value()}"
        if self._url is None:
            self._headers["Version"] = VERSION
        #: None until the location was asked.
        self._fields: LocationFields | None = None
        self._asking = asyncio.Lock()

    @property
    def look(self) -> ServiceLook:
        sources = self.config.custom_fields.values()
        return ServiceLook(
            inline=tuple((f"custom_field_{i}", one) for i, one in enumerate(sources)), locale=self.config.locale
        )

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        # a location is told by its hash, for it may stand in a trigger's address; one without it is by itself
        place = self._location if self._location != NOWHERE else str(self._url)
        return (Limit(f"gohighlevel location {short_hash(place)}", Rate(100, 10.0)),)

    def build(self, message: Message) -> Request:
        if self._url is None:
            return self._upsert(message, self._fields or NO_FIELDS)
        event = message.event
        return self._post(self._url, documented_body(event, location=self._location, tags=self._tags(message)))

    def ask(self) -> ReachabilityFlow | HostOnly:
        if self._url is not None:
            return HostOnly(self._url, "whether it takes a contact is seen by one alone")
        return location_reachability(self._api("locations", self._location), self._headers, self.classify)

    def build_tags(self, message: Message, contact: str) -> Request:
        """Adds the event's tags to those that the contact has."""
        return self._post(self._api("contacts", contact, "tags"), {"tags": self._tags(message)})

    async def send(self, message: Message, on_sent: OnSent = None) -> Attempt:
        """Until the location's fields are known messages go one at a time: they are asked for once."""
        if self._url is None and self._fields is None:
            async with self._asking:
                if self._fields is None:
                    return await super().send(message, on_sent)
        return await super().send(message, on_sent)

    def flow(self, message: Message) -> Flow:
        if self._url is not None:
            return (yield from super().flow(message))
        if not (email_of(message.event) or phone_of(message.event)):
            return Attempt(Refused("no e-mail address and no phone number, so there is no contact"))
        made, note = yield from self._contact_made(message)
        match made.outcome:
            case Delivered(ref=str(contact)):
                tagged = self.judge((yield self.build_tags(message, contact)))
                tagged = replace(tagged, outcome=made.outcome) if isinstance(tagged.outcome, Delivered) else tagged
                return noted(tagged, note)
            case Delivered():
                return replace(made, outcome=Away(f"HTTP {made.status} without a contact"))
            case _:
                return made

    def classify(self, response: Response) -> Outcome:
        if response.status == 429:
            return Limited(retry_after(response) or _asked_wait(response))
        return super().classify(response)

    def interpret(self, response: Response) -> Outcome:
        if self._url is not None and not self._url.path.startswith(TRIGGERS):
            return super().interpret(response)
        answer = json_object(response.body)
        reason = ": ".join([f"HTTP {response.status}", *_messages(answer)])
        if not _is_own(response.status, answer, self._url is not None):
            return in_between(response)
        match response.status:
            case status if 200 <= status < 300 and self._url is not None and not answer.get("id"):
                return Gone("the trigger is not published: the answer has no id")
            case status if 200 <= status < 300:
                return Delivered(ref=_reference(answer))
            case 400 | 404 if _NO_CONTACT.search(reason):  # the one made a moment ago: it is not everywhere yet
                return Away(reason, retry_after(response))
            case 401 | 402 | 403 | 404 | 410:
                return Gone(reason)
            case _:
                return Refused(reason)

    def pause(self, response: Response) -> float:
        spent = response.headers.get("x-ratelimit-remaining") == "0"
        return _header_wait(response, INTERVAL) or WINDOW if spent else 0.0

    def _contact_made(self, message: Message) -> Generator[Request, Response, tuple[Attempt, str]]:
        """What came of the contact, and what is to be known of its custom fields."""
        note = ""
        if self._fields is None:
            asked = yield from self._ask_for_fields()
            if _is_to_wait(asked):
                return asked, note
            note = _left_out(asked)
        request = self.build(message)
        made = self.judge((yield request))
        if made.status == 422 and isinstance(made.outcome, Refused):
            return (yield from self._contact_made_otherwise(message, request, made))
        return made, note

    def _contact_made_otherwise(
        self, message: Message, refused: Request, made: Attempt
    ) -> Generator[Request, Response, tuple[Attempt, str]]:
        """After a 422: with the fields that there are now, and else without any."""
        note = _left_out(made)
        asked = yield from self._ask_for_fields()
        if _is_to_wait(asked):
            return asked, note
        tried = {refused.body}
        for fields, left_out in ((self._fields or NO_FIELDS, _left_out(asked)), (NO_FIELDS, note)):
            request = self._upsert(message, fields)
            if request.body in tried:
                continue
            tried.add(request.body)
            made = self.judge((yield request))
            if made.status != 422:
                return made, left_out
        return made, note

    def _ask_for_fields(self) -> Generator[Request, Response, Attempt]:
        """Ask the location for its fields. Where it says that it will not tell, it is not asked again."""
        url = self._api("locations", self._location, "customFields").with_query(model="contact")
        response = yield Request("GET", url, headers=self._headers)
        asked = self.judge(response)
        match asked.outcome:
            case Delivered():
                self._fields = location_fields(json_object(response.body))
            case Gone() | Refused():
                self._fields = NO_FIELDS
        return asked

    def _upsert(self, message: Message, fields: LocationFields) -> Request:
        """Only what is known, so that nothing is overwritten with nothing."""
        contact = known_contact(message.event) | {
            "locationId": self._location,
            "source": self.config.source_name,
            "customFields": self._custom_fields(message, fields),
        }
        return self._post(self._api("contacts", "upsert"), {key: value for key, value in contact.items() if value})

    def _custom_fields(self, message: Message, fields: LocationFields) -> list[JsonObject]:
        """The operator's, and then those of the location that are called like something that is known."""
        own = [
            {"id": id_, "field_value": value}
            for i, id_ in enumerate(self.config.custom_fields)
            if (value := message[f"custom_field_{i}"].strip())
        ]
        found = field_values(fields, custom_fields(message.event))
        return own + [one for one in found if one["id"] not in self.config.custom_fields]

    def _tags(self, message: Message) -> list[str]:
        test = ["Test"] if message.circumstances.test else []
        names = [f"{self.config.source_name} User", event_tag(message.event), *self.config.tags, *test]
        return list(dict.fromkeys(names))

    def _api(self, *path: str) -> URL:
        """An address of the API."""
        return URL("/".join([self.config.api_base, *(quote(part, safe="") for part in path)]), encoded=True)

    def _post(self, url: URL, body: JsonObject) -> Request:
        return Request("POST", url, dump(body), self._headers)


def _is_to_wait(asked: Attempt) -> bool:
    """Whether the location could not answer now; whatever else it says, the contact goes without the fields."""
    match asked.outcome:
        case Limited():
            return True
        case Away():
            return asked.status is None or asked.status >= 500 or asked.status in (408, 425)
        case _:
            return False


def _left_out(attempt: Attempt) -> str:
    """What is to be known of fields that this was answered to; empty where they are there."""
    return "" if isinstance(attempt.outcome, Delivered | Limited) else f"no custom fields: {attempt.outcome.reason}"


def _location(url: URL | None) -> str | None:
    """`…/hooks/{location}/webhook-trigger/{uuid}` names the location."""
    match = re.search(r"/hooks/([^/]+)/webhook-trigger/", url.path) if url is not None else None
    return match[1] if match else None


def _messages(answer: JsonObject) -> list[str]:
    """What HighLevel says: a text, or a list of them."""
    message = answer.get("message")
    return [str(one) for one in message] if isinstance(message, list) else [str(message)] if message else []


def _is_own(status: int, answer: JsonObject, trigger: bool) -> bool:
    """Whether it has HighLevel's shape: errors repeat their status and say why, a trigger tells its status in words."""
    if 200 <= status < 300:
        return isinstance(answer.get("status"), str) if trigger else bool(answer)
    return answer.get("statusCode") == status and bool(_messages(answer))


def _reference(answer: JsonObject) -> str | None:
    contact = answer.get("contact")
    known = contact.get("id") if isinstance(contact, dict) else answer.get("id")
    return str(known) if known else None


def _asked_wait(response: Response) -> float | None:
    """Seconds that a 429 asks for: until the day is over where that is spent, else the interval."""
    return _header_wait(response, DAY_ENDS if response.headers.get(OF_DAY) == "0" else INTERVAL)


def _header_wait(response: Response, header: str) -> float | None:
    return seconds(response.headers.get(header), unit=MILLISECOND)
