"""GoHighLevel: a contact, by a workflow's inbound trigger or by the contacts API.

Source   the OrbVPN webhook documentation, "GoHighLevel Format"; github.com/GoHighLevel/highlevel-api-docs,
         apps/contacts.json; marketplace.gohighlevel.com/docs/other/rate-limits
Secret   the trigger's URL; or a private integration token, in `Authorization: Bearer`
Sends    POST {url}  {contact, customFields, tags, locationId}: flat, every value a text, the unknown ones empty
         or POST {api_base}/contacts/upsert  {locationId, email, phone, …, customFields: [{id, field_value}]}
         and then POST {api_base}/contacts/{id}/tags  {tags}, which adds to those there; an upsert would replace them
Limits   100 requests in 10 s for a location, 200,000 a day
Answers  trigger: 200 {status, id} delivered, 200 {status} gone: nobody has published it
         API: 200 delivered; errors are {statusCode, message}, a text or a list: 400, 422 refused · 401, 402, 403, 404
         gone, but away where it is the contact that is not found · 429 limited, for X-RateLimit-Interval-Milliseconds
         5xx away · an answer without either shape: away, something in between
Quirks   a 401 about the `Version` header is not about the token; no message is taken either
         there is no contact without an e-mail address or a phone number: such events are refused without a request
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field, StringConstraints, model_validator
from yarl import URL

from bridge.codec import dump
from bridge.event import Event, JsonObject, iso
from bridge.markup.service import Look
from bridge.message import Message
from bridge.outcome import Attempt, Away, Delivered, Gone, Limit, Limited, Outcome, Rate, Refused
from bridge.sinks.base import (
    Flow,
    HttpSink,
    ProgramConfig,
    Tools,
    in_between,
    json_object,
    object_in,
    retry_after,
    seconds,
    short_hash,
)
from bridge.sinks.http import Request, Response
from bridge.sinks.settings import ApiBase, SecretUrl, Token
from bridge.vocabulary import documented_name

VERSION = "2021-07-28"
WINDOW = 10.0  # seconds: what the limit is counted over
NOWHERE = "panelbridge"  # the location of a trigger whose URL does not name one
IN_CONTACT = ("first_name", "last_name", "email", "phone", "country")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")  # as browsers check it
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)

_NO_CONTACT = re.compile(r"contact.*not found", re.IGNORECASE)

Filled = Annotated[str, StringConstraints(min_length=1)]


class GoHighLevelConfig(ProgramConfig):
    """A GoHighLevel location, by an inbound trigger or by the API."""

    type: Literal["gohighlevel"] = Field("gohighlevel", description="a contact in GoHighLevel")
    url: SecretUrl | None = Field(
        None, description="the inbound webhook trigger's URL; if given, everything goes there"
    )
    api_key: Token | None = Field(None, description="or a private integration token, pit-…, together with location_id")
    location_id: Filled | None = Field(None, description="the location; read from the trigger's URL if not given")
    source_name: Filled = Field("Panelbridge", description="makes the first tag, `Panelbridge User`")
    tags: tuple[Filled, ...] = Field((), description="more tags for every contact")
    custom_fields: dict[Filled, str] = Field(
        {}, description="with api_key: a custom field's id → a template of its value"
    )
    api_base: ApiBase = Field("https://services.leadconnectorhq.com", description="where the API is reached")

    @model_validator(mode="after")
    def _one_way(self) -> "GoHighLevelConfig":
        if self.url is None and (self.api_key is None or self.location_id is None):
            raise ValueError("give either url, or api_key and location_id")
        if self.url is not None and self.custom_fields:
            raise ValueError("custom_fields go with api_key: a trigger's workflow maps the fields itself")
        return self

    def open(self, tools: Tools) -> "GoHighLevelSink":
        return GoHighLevelSink(self, tools)


class GoHighLevelSink(HttpSink[GoHighLevelConfig]):
    def __init__(self, config: GoHighLevelConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._trigger = URL(config.url.get_secret_value()) if config.url else None
        self._location = config.location_id or _location(self._trigger) or NOWHERE
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._trigger is None and config.api_key is not None:
            self._headers |= {"Authorization": f"Bearer {config.api_key.get_secret_value()}", "Version": VERSION}

    @property
    def look(self) -> Look:
        sources = self.config.custom_fields.values()
        return Look(
            inline=tuple((f"custom_field_{i}", one) for i, one in enumerate(sources)), locale=self.config.locale
        )

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        # a location is told by its hash, for it may stand in a trigger's address; one without it is by itself
        place = self._location if self._location != NOWHERE else str(self._trigger)
        return (Limit(f"gohighlevel location {short_hash(place)}", Rate(100, 10.0)),)

    def build(self, message: Message) -> Request:
        if self._trigger is not None:
            return self._post(self._trigger, self._flat(message.event))
        return self._post(URL(f"{self.config.api_base}/contacts/upsert"), self._contact(message))

    def build_tags(self, message: Message, contact: str) -> Request:
        """Adds the event's tags to those that the contact has."""
        url = URL(f"{self.config.api_base}/contacts/{quote(contact, safe='')}/tags", encoded=True)
        return self._post(url, {"tags": self._tags(message.event)})

    def flow(self, message: Message) -> Flow:
        if self._trigger is not None:
            return (yield from super().flow(message))
        if not (_email(message.event) or _phone(message.event)):
            return Attempt(Refused("no e-mail address and no phone number, so there is no contact"))
        made = self.judge((yield self.build(message)))
        match made.outcome:
            case Delivered(ref=str(contact)):
                tagged = self.judge((yield self.build_tags(message, contact)))
                return replace(tagged, outcome=made.outcome) if isinstance(tagged.outcome, Delivered) else tagged
            case Delivered():
                return replace(made, outcome=Away(f"HTTP {made.status} without a contact"))
            case _:
                return made

    def classify(self, response: Response) -> Outcome:
        if response.status == 429:
            return Limited(retry_after(response) or _interval(response))
        return super().classify(response)

    def interpret(self, response: Response) -> Outcome:
        answer = json_object(response.body)
        reason = ": ".join([f"HTTP {response.status}", *_messages(answer)])
        if not _is_own(response.status, answer, self._trigger is not None):
            return in_between(response)
        match response.status:
            case status if 200 <= status < 300 and self._trigger is not None and not answer.get("id"):
                return Gone("the trigger is not published: the answer has no id")
            case status if 200 <= status < 300:
                return Delivered(ref=_reference(answer))
            case 404 if _NO_CONTACT.search(reason):  # the one that was made a moment ago: it is not everywhere yet
                return Away(reason, retry_after(response))
            case 401 | 402 | 403 | 404 | 410:
                return Gone(reason)
            case _:
                return Refused(reason)

    def pause(self, response: Response) -> float:
        return _interval(response) or WINDOW if response.headers.get("x-ratelimit-remaining") == "0" else 0.0

    def _post(self, url: URL, body: JsonObject) -> Request:
        return Request("POST", url, dump(body), self._headers)

    def _flat(self, event: Event) -> JsonObject:
        """The documented format."""
        user = object_in(event, "user")
        contact = {
            "firstName": _text(user.get("first_name")),
            "lastName": _text(user.get("last_name")),
            "email": _email(event),
            "phone": _text(user.get("phone")),
            "address1": "",
            "city": "",
            "country": _country(event),
            "postalCode": "",
        }
        fields = dict(_custom_fields(event))
        return {"contact": contact, "customFields": fields, "tags": self._tags(event), "locationId": self._location}

    def _contact(self, message: Message) -> JsonObject:
        """The upsert's body: only what is known, so that nothing is overwritten with nothing."""
        event, user = message.event, object_in(message.event, "user")
        first, last = _text(user.get("first_name")), _text(user.get("last_name"))
        values = enumerate(self.config.custom_fields)
        contact = {
            "firstName": first,
            "lastName": last,
            "name": "" if first or last else _text(user.get("username")),
            "email": _email(event),
            "phone": _phone(event),
            "country": _country(event),
            "locationId": self._location,
            "source": self.config.source_name,
            "customFields": [
                {"id": id_, "field_value": value}
                for i, id_ in values
                if (value := message[f"custom_field_{i}"].strip())
            ],
        }
        return {key: value for key, value in contact.items() if value}

    def _tags(self, event: Event) -> list[str]:
        words = event.type.replace(".", " ").replace("_", " ").title().replace("2Fa", "2FA").replace("Ip ", "IP ")
        tag = "New User" if event.type == "user.created" else words
        return list(dict.fromkeys([f"{self.config.source_name} User", tag, *self.config.tags]))


def _location(trigger: URL | None) -> str | None:
    """`…/hooks/{location}/webhook-trigger/{uuid}` names the location."""
    match = re.search(r"/hooks/([^/]+)/webhook-trigger/", trigger.path) if trigger is not None else None
    return match[1] if match else None


def _custom_fields(event: Event) -> Iterator[tuple[str, str]]:
    """What is known, flattened: `payment_amount`, `user_usedBytes`; the documented names where there are some."""
    user, subscription = object_in(event, "user"), object_in(event, "subscription")
    yield "user_id", _text(user.get("id")) or _text(user.get("username")) or event.subject or event.id
    yield "subscription_group", _text(subscription.get("plan"))
    yield "subscription_status", _status(event)
    expires = _text(subscription.get("expires_at")) or _text(user.get("expires_at"))
    yield "subscription_expiresAt", expires if _TIME.fullmatch(expires) else ""
    yield "event_type", documented_name(event.type)
    yield "event_id", event.id
    yield "event_occurredAt", iso(event.occurred_at)
    taken = {"user_id", "subscription_group", "subscription_plan", "subscription_status", "subscription_expiresAt"}
    for path, value in _leaves(event.data):
        name = _name(path)
        if name not in taken and not name.startswith("event_") and not (path[0] == "user" and path[-1] in IN_CONTACT):
            taken.add(name)
            yield name, value


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text and number with the path that leads to it; a list of them is one text."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(one, (*path, str(key)))
    elif isinstance(value, list | tuple):
        text = ", ".join(filter(None, map(_text, value)))
        yield from [(path, text)] if text else []
    elif text := _text(value):
        yield path, text


def _name(path: tuple[str, ...]) -> str:
    parts = [part for part in map(_camel, path) if part]
    name = "_".join(parts)
    return name if name[:1].isalpha() else f"field_{name}".strip("_")


def _camel(key: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", key)
    return "".join(word if i == 0 else word[:1].upper() + word[1:] for i, word in enumerate(words))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _email(event: Event) -> str:
    """The user's address; a username that is one will do."""
    user = object_in(event, "user")
    candidates = (_text(user.get("email")), _text(user.get("username")))
    return next((one for one in candidates if _EMAIL.fullmatch(one)), "")


def _phone(event: Event) -> str:
    phone = _text(object_in(event, "user").get("phone"))
    return phone if re.search(r"\d", phone) else ""


def _country(event: Event) -> str:
    country = _text(object_in(event, "user").get("country"))
    return country.upper() if re.fullmatch(r"[A-Za-z]{2}", country) else ""


def _status(event: Event) -> str:
    user = object_in(event, "user")
    known = _text(object_in(event, "subscription").get("status")) or _text(user.get("status"))
    if not known and isinstance(user.get("active"), bool):
        known = "ACTIVE" if user["active"] else "INACTIVE"
    return re.sub(r"[^A-Z]+", "_", known.upper()).strip("_")


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


def _interval(response: Response) -> float | None:
    interval = seconds(response.headers.get("x-ratelimit-interval-milliseconds"))
    return interval / 1000 if interval else None
