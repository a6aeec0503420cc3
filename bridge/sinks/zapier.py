"""Zapier: the documented OrbVPN format, in snake_case, to a catch hook.

Source   the OrbVPN webhook documentation, "Zapier Format"; zapier.com/help/webhooks, help.zapier.com/hc/en-us/
         articles/29972220283789 (rate limits); github.com/zapier/visual-builder/issues/133
Secret   the hook's URL is the credential; an api_key goes along as `X-API-Key`
Sends    POST {url}  {event_type, occurred_at, user_id, email, username, profile, subscription, …}
         a digest is an array of these: Zapier starts one run for each
         behind the documented keys: source, version, event_id, event, and all else that is known, in snake_case
Units    user_id and multi_login_count are integers, duration_days is a text; what is unknown is left out
         where an event that starts a subscription does not say duration_days, they reach from it to expires_at
Limits   30 requests a second for a hook, 10,000 in 5 minutes for an account; 10 MB
Answers  200 delivered: it was received, nothing tells whether the Zap ran · 410 gone · 429 limited · 413 refused
         any other status away. Its errors have no shape, so that nothing tells a 404 of its own from a gateway's
Quirks   429 does not say how long to wait, so that the waits grow
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Literal

from pydantic import Field
from yarl import URL

from bridge.codec import dump
from bridge.event import Event, JsonObject, iso
from bridge.foreign import moment
from bridge.message import Digest, Message
from bridge.outcome import Away, Delivered, Gone, Limit, Outcome, Rate
from bridge.settings import NonEmpty
from bridge.sinks.base import (
    HttpSink,
    ProgramConfig,
    Tools,
    in_between,
    is_page,
    json_object,
    object_in,
    retry_after,
    short_hash,
)
from bridge.sinks.http import Request, Response
from bridge.sinks.questions import SetupQuestion
from bridge.sinks.reachability import HostOnly
from bridge.sinks.settings import Advice, SecretUrl, Token, is_at
from bridge.vocabulary import documented_name

PROFILE = ("first_name", "last_name", "country", "phone")
LIFTED = ("id", "email", "username", *PROFILE)  # what of a user stands at the top, or in the profile
OURS = ("source", "version", "event_id", "event", "event_source")
RESERVED = ("event_type", "occurred_at", "user_id", "email", "username", "profile", "subscription", *OURS)
#: Our word for a subscription's part → the document's.
RENAMED = {"plan": "group_name", "plan_id": "group_id", "trial": "is_trial_period"}
#: The types that start a subscription: from then to its end is how long it lasts.
STARTS = frozenset(("user.created", "subscription.created", "subscription.renewed", "subscription.trial_started"))
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


class ZapierConfig(ProgramConfig):
    """A Zapier catch hook."""

    hosts: ClassVar[tuple[str, ...]] = ("zapier.com",)
    questions: ClassVar[Sequence[SetupQuestion]] = (
        SetupQuestion("url", "Zapier catch hook (Webhooks by Zapier → Catch Hook → Copy URL)"),
    )

    type: Literal["zapier"] = Field("zapier", description="the documented snake_case format to a Zapier catch hook")
    url: SecretUrl = Field(description="the catch hook's URL")
    source_name: NonEmpty | None = Field(None, description="what `source` says in place of the source's name")
    version: NonEmpty | None = Field(None, description="what `version` says; left out if not given")
    api_key: Token | None = Field(None, description="goes along as X-API-Key")

    def advise(self) -> Iterator[Advice]:
        url = URL(self.url.get_secret_value())
        if is_at(url, self.hosts) and not url.path.startswith("/hooks/"):
            yield Advice("url", "is a page of Zapier's: copy the hook's own, https://hooks.zapier.com/hooks/catch/…")

    def open(self, tools: Tools) -> "ZapierSink":
        return ZapierSink(self, tools)


class ZapierSink(HttpSink[ZapierConfig]):
    digests = True

    def __init__(self, config: ZapierConfig, tools: Tools) -> None:
        super().__init__(config, tools)
        self._url = URL(config.url.get_secret_value())
        self._headers = {"Content-Type": "application/json"}
        if config.api_key is not None:
            self._headers["X-API-Key"] = config.api_key.get_secret_value()

    @property
    def service_limits(self) -> tuple[Limit, ...]:
        hook = Limit(f"zapier hook {short_hash(str(self._url))}", Rate(30, 1.0))
        named = re.search(r"/hooks/catch/([0-9]{1,15})/", self._url.path)
        return (hook, Limit(f"zapier account {named[1]}", Rate(10_000, 300.0))) if named else (hook,)

    def build(self, message: Message) -> Request:
        test = {"test": True} if message.circumstances.test else {}
        return self._post(_payload(message.event, self.config) | test)

    def ask(self) -> HostOnly:
        return HostOnly(
            self._url, "whether the hook is still there is seen by an event alone: any request starts the Zap"
        )

    def build_digest(self, digest: Digest) -> Request:
        return self._post([_payload(event, self.config) for event in digest.events])

    def interpret(self, response: Response) -> Outcome:
        if is_page(response) and response.status != 410:
            return in_between(response)
        match response.status:
            case 200:
                return Delivered(ref=_reference(json_object(response.body)))
            case 401 | 403 | 404:
                return in_between(response)
            case 410:
                return Gone("HTTP 410: the hook is gone")
            case status:
                return Away(f"HTTP {status}", retry_after(response))

    def _post(self, payload: JsonObject | list[JsonObject]) -> Request:
        return Request("POST", self._url, dump(payload), self._headers)


def _reference(answer: JsonObject) -> str | None:
    return next((str(answer[key]) for key in ("id", "request_id") if answer.get(key)), None)


def _payload(event: Event, config: ZapierConfig) -> JsonObject:
    user = object_in(event, "user")
    payload: JsonObject = {
        "event_type": _event_type(event.type),
        "occurred_at": iso(event.occurred_at),
        "user_id": _count(user.get("id")),
        "email": _matching(_EMAIL, user.get("email")),
        "username": _text(user.get("username")),
        "profile": _without_unknown({key: _text(user.get(key)) for key in PROFILE}),
        "subscription": _subscription(event),
        "source": config.source_name or event.source,
        "version": config.version,
        "event_id": event.id,
        "event": event.type,
        "event_source": event.source if config.source_name else None,
        "user": _in_snake_case({key: value for key, value in user.items() if key not in LIFTED}),
    }
    payload = _without_unknown(payload)
    if payload["event_type"].startswith("USER_") and not payload.keys() & {"user_id", "email", "username"}:
        payload["username"] = (event.subject or "").partition(":")[2] or event.id
    return payload | _further(event.data)


def _further(data: Mapping[str, Any]) -> JsonObject:
    """All else that is known, where it cannot be taken for one of the documented keys."""
    rest = {
        key: value
        for key, value in data.items()
        if not (key in ("user", "subscription") and isinstance(value, Mapping))
    }
    further = _in_snake_case(rest)
    return {f"data_{key}" if key in (*RESERVED, "user") else key: value for key, value in further.items()}


def _subscription(event: Event) -> JsonObject:
    named = {RENAMED.get(key, key): value for key, value in object_in(event, "subscription").items()}
    expires_at = _matching(_TIME, named.pop("expires_at", None)) or _expiry_of_user(event)
    documented = {
        "group_name": _text(named.pop("group_name", None)),
        "duration_days": _digits(named.pop("duration_days", None)) or _days_until(expires_at, event),
        "multi_login_count": _count(named.pop("multi_login_count", None)),
        "expires_at": expires_at,
    }
    return _without_unknown(
        documented | {key: value for key, value in _in_snake_case(named).items() if key not in documented}
    )


def _expiry_of_user(event: Event) -> str | None:
    """When a user ends whose panel knows of no subscriptions."""
    return _matching(_TIME, object_in(event, "user").get("expires_at"))


def _days_until(expires_at: str | None, event: Event) -> str | None:
    """How many days a subscription lasts that starts with the event, to the nearest day."""
    end = moment(expires_at) if event.type in STARTS else None
    if end is None or end < event.occurred_at:
        return None
    return str((end - event.occurred_at + timedelta(hours=12)) // timedelta(days=1))


def _event_type(type_: str) -> str:
    name = re.sub(r"[^A-Z0-9]+", "_", documented_name(type_)).strip("_")
    return name if name[:1].isalpha() else f"EVENT_{name}".strip("_")


def _in_snake_case(value: Any) -> Any:
    """The value in snake_case all through, without what is unknown."""
    if isinstance(value, Mapping):
        renamed: JsonObject = {}
        for key, one in value.items():
            if (known := _in_snake_case(one)) not in (None, {}, []):
                renamed[_free_key(_snake(str(key)), renamed)] = known
        return renamed
    if isinstance(value, list | tuple):
        return [known for one in value if (known := _in_snake_case(one)) is not None]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _snake(key: str) -> str:
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
    name = re.sub(r"[^a-z0-9]+", "_", parted).strip("_")
    return name if name[:1].isalpha() else f"field_{name}".strip("_")


def _free_key(key: str, taken: JsonObject) -> str:
    number = 2
    free = key
    while free in taken:
        free, number = f"{key}_{number}", number + 1
    return free


def _without_unknown(values: JsonObject) -> JsonObject:
    return {key: value for key, value in values.items() if value is not None and value != {}}


def _text(value: Any) -> str | None:
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    return text or None


def _digits(value: Any) -> str | None:
    number = _count(value)
    return None if number is None else str(number)


def _count(value: Any) -> int | None:
    """A whole number that is not negative, written as one or as text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,18}\s*", value):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _matching(pattern: re.Pattern[str], value: Any) -> str | None:
    text = _text(value)
    return text if text is not None and pattern.fullmatch(text) else None
