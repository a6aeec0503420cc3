"""Laws over the whole: whatever happens, in whatever language, every service takes what is said of it."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from bridge.event import Event
from bridge.message import Message
from bridge.messages.renderer import Renderer
from bridge.panels import DIALECTS
from bridge.panels.base import Hook
from bridge.panels.discord import reports
from bridge.panels.marzban.emit import ACTIONS
from bridge.samples import sample
from bridge.sinks.base import HttpSink, Tools
from bridge.sinks.console_view import view
from bridge.sinks.http import Http, Request
from bridge.vocabulary import TYPES
from tests.fakes import START
from tests.messages.hostile import DISCORD_PING, HOSTILE, SLACK_PING, TELEGRAM_PING
from tests.messages.speech import Telegram
from tests.panels.hearing import WORDS, heard, opened
from tests.panels.recorded import recorded
from tests.services.discord import discord_faults, is_empty
from tests.services.service import breaches, contract, parsed
from tests.services.slack import slack_faults
from tests.services.telegram import telegram_faults
from tests.sinks.values import config, hostile_texts

SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PLAIN = "RemnawaveTestSecret0123456789abcdefXYZ"
SPEAKING = {
    locale: Renderer(folders=[], timezone=ZoneInfo("Asia/Tehran"), locale=locale) for locale in ("en", "fa", "ru")
}
Faults = Callable[[Request, Event], Iterable[str]]


def discord(request: Request, event: Event) -> Iterator[str]:
    body = parsed(request.body)
    yield from discord_faults(body)
    if is_empty(body):
        yield "an empty message"
    if body["allowed_mentions"] != {"parse": []}:
        yield "somebody may be mentioned"
    if event.type != "message.posted" and DISCORD_PING.search(body.get("content", "")):
        yield f"a ping: {body['content']}"


def slack(way: str) -> Faults:
    def faults(request: Request, event: Event) -> Iterator[str]:
        body = parsed(request.body)
        yield from slack_faults(body, way)
        texts = [body["text"], *(block["text"]["text"] for block in body.get("blocks", []) if "text" in block)]
        yield from (f"a ping: {text}" for text in texts if SLACK_PING.search(text))

    return faults


def telegram(request: Request, event: Event) -> Iterator[str]:
    body = parsed(request.body)
    yield from telegram_faults(body)
    words = Telegram(re.sub(r"<(code|pre)[ >].*?</\1>", "", body["text"], flags=re.DOTALL))
    if TELEGRAM_PING.search(words.words) or any(link.startswith(("tg:", "ton:")) for link in words.links):
        yield f"a ping: {body['text']}"


def contact(request: Request, event: Event) -> Iterator[str]:
    body = parsed(request.body)
    if "email" in body or "phone" in body:  # or it is not sent
        yield from breaches(contract("gohighlevel.contacts-upsert"), body)


def documented(name: str) -> Faults:
    return lambda request, event: breaches(contract(name), parsed(request.body))


def as_event(request: Request, event: Event) -> Iterator[str]:
    Webhook(SIGNING).verify(request.body, dict(request.headers), json_parse=False)
    if parsed(request.body) is None or parsed(request.body)["id"] != event.id:
        yield "not the event"


def spoken_to(panel: str) -> Faults:
    """That panel's own reader takes it, signature and all; Marzban has no word for what happens to no user."""
    source = opened(panel, secret=PLAIN)

    def faults(request: Request, event: Event) -> Iterator[str]:
        token = PLAIN if panel == "orbvpn" else None  # it signs nothing
        hook = Hook(body=request.body, received_at=START, headers=request.headers, token=token)
        source.verify(hook)
        if parsed(request.body) is None:
            yield "not JSON"
        if (panel != "marzban" or event.type in ACTIONS) and len(heard(source, hook)) != 1:
            yield "not one event"

    return faults


BUTTONS = [{"text": "{{ event.source }} {{ data.user.username }}", "url": "https://panel.example.com/{{ event.id }}"}]
WAYS: dict[str, tuple[dict[str, Any], Faults]] = {
    "discord": ({"type": "discord", "url": "https://discord.example/api/webhooks/1/token-AAAA"}, discord),
    "slack": ({"type": "slack", "url": "https://slack.example/services/T/B/X"}, slack("incomingWebhook")),
    "slack token": ({"type": "slack", "token": "xoxb-1", "channel": "#ops"}, slack("chatPostMessage")),
    "telegram": ({"type": "telegram", "token": "1:A", "chat_id": -1001, "buttons": BUTTONS}, telegram),
    "trigger": (
        {"type": "gohighlevel", "url": "https://crm.example/hooks/loc/webhook-trigger/1"},
        documented("orbvpn.gohighlevel-webhook"),
    ),
    "contacts": (
        {
            "type": "gohighlevel",
            "api_key": "pit-1",
            "location_id": "loc",
            "custom_fields": {"f1": "{{ data.user.username }}"},
        },
        contact,
    ),
    "zapier": ({"type": "zapier", "url": "https://hooks.example/hooks/catch/1/x/"}, documented("orbvpn.zapier")),
    **{
        format_: ({"type": "webhook", "url": "https://x.example", "format": format_, "secret": SIGNING}, as_event)
        for format_ in ("event", "cloudevents")
    },
    **{
        panel: ({"type": "webhook", "url": "https://x.example", "format": panel, "secret": PLAIN}, spoken_to(panel))
        for panel in sorted(DIALECTS.keys() - {"cloudevents"})
    },
}
CHATS = ("discord", "slack", "slack token", "telegram")
SINKS: dict[str, HttpSink[Any]] = {way: config(**said).open(Tools(Http(), DIALECTS)) for way, (said, _) in WAYS.items()}


def carried(way: str, event: Event, locale: str = "en") -> list[str]:
    """What the service has against the request that carries this event."""
    sink, (_, faults) = SINKS[way], WAYS[way]
    rendered = SPEAKING[locale].render(event, sink.look)
    at = datetime.now(UTC)  # a signature is good for five minutes
    built = sink.build(Message(event=event, at=at, blocks=rendered.blocks))
    return [*faults(built, event), *([rendered.fault] if rendered.fault else [])]


@pytest.mark.parametrize("locale", SPEAKING)
@pytest.mark.parametrize("way", WAYS)
def test_every_service_takes_every_event_in_every_language(way: str, locale: str) -> None:
    if locale != "en" and way not in CHATS:
        return  # they get no words
    refused = {type_: faults for type_ in TYPES if (faults := carried(way, sample(type_, at=START), locale))}
    assert refused == {}


@pytest.mark.parametrize("locale", SPEAKING)
@pytest.mark.parametrize("service", ["discord", "slack", "telegram", "event"])
def test_every_event_can_be_shown_on_the_terminal(service: str, locale: str) -> None:
    sink = config(type="console", format=service).open(Tools(Http(), DIALECTS))
    for type_ in TYPES:
        event = sample(type_, at=START)
        rendered = SPEAKING[locale].render(event, sink.look)
        message = Message(event=event, at=START, blocks=rendered.blocks)
        assert rendered.fault is None
        for terminal in (True, False):
            assert view(message, service, terminal=terminal, color=terminal, width=100).strip()


# Hostile data

texts = hostile_texts | st.sampled_from(HOSTILE) | st.lists(st.sampled_from(HOSTILE)).map(" ".join)
texts = texts.map(lambda text: re.sub("[\ud800-\udfff]", "\ufffd", text))  # as the door does
texts = texts.filter(str.strip)  # what has no name is not taken in


@dataclass(frozen=True)
class Scatter:
    """Puts the texts into an event, by chance, in place of its own; drops some of what is there."""

    texts: list[str]
    chance: Random

    def __call__(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self(one) for key, one in value.items() if self.chance.random() < 0.9}
        if isinstance(value, list):
            return [self(one) for one in value]
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int | float):
            return self.chance.choice([value, 0, -value, value * 10**12])
        return self.chance.choice(self.texts)


@st.composite
def hostile_events(draw: st.DrawFn) -> Event:
    scatter = Scatter(draw(st.lists(texts, min_size=1, max_size=4)), draw(st.randoms(use_true_random=False)))
    event = sample(draw(st.sampled_from([*TYPES])), at=START)
    family = event.type.partition(".")[0]
    return replace(
        event,
        type=event.type if draw(st.booleans()) else f"marzban.{family}",
        native_type=scatter("native"),
        subject=f"user:{scatter('subject')}",
        data={**scatter(dict(event.data)), "owner": scatter("owner"), "actor": scatter("actor")},
        native={"action": scatter("action")},
    )


@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=150, deadline=None)
@given(event=hostile_events(), locale=st.sampled_from([*SPEAKING]))
def test_whatever_people_are_called_nothing_is_refused_and_nobody_is_pinged(
    way: str, event: Event, locale: str
) -> None:
    assert carried(way, event, locale) == []


@settings(max_examples=150, deadline=None)
@given(event=hostile_events(), service=st.sampled_from(["discord", "slack", "telegram", "event"]))
def test_whatever_people_are_called_the_terminal_is_not_commanded(event: Event, service: str) -> None:
    sink = config(type="console", format=service).open(Tools(Http(), DIALECTS))
    message = Message(event=event, at=START, blocks=SPEAKING["en"].render(event, sink.look).blocks)
    shown = view(message, service, terminal=False, color=False)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)


# The vocabulary


def said(name: str, body: Any) -> set[str]:
    return {one.type for one in heard(opened(name), Hook(body=json.dumps(body).encode(), received_at=START))}


def recorded_types() -> set[str]:
    found: set[str] = set()
    for word in WORDS:
        for request in recorded(word):
            if not request.refuse:
                found |= {one.type for one in heard(opened("discord" if request.hook.token else word), request.hook)}
    return found


def told_types() -> set[str]:
    """The types of what else the panels are known to say."""
    found = said("discord", {"content": "hello"})
    for name in WORDS["marzban"].native_types:
        found |= said("marzban", {"action": name, "username": "alice"})
    for name in WORDS["remnawave"].native_types:
        about = {"username": "alice", "name": "fra-1", "nodeName": "fra-1", "user": {"username": "alice"}}
        found |= said("remnawave", {"event": name, "timestamp": "2026-11-21T04:14:18.000Z", "data": about})
    for name in WORDS["wgportal"].native_types:
        entity, _, what = name.partition(".")
        found |= said("wgportal", {"entity": entity, "event": what, "identifier": "x", "payload": {"Identifier": "x"}})
    for name in WORDS["orbvpn"].native_types:
        found |= said("orbvpn", {"eventType": name, "username": "alice", "userId": 1, "email": "a@example.com"})
    for title, kind in (reports.TITLED | reports.PLAIN).items():
        line = f"**{reports.NAMING.get(kind.about, ('Name',))[0]}:** alice"
        line = "All hosts has been updated by **admin**" if kind.about == "hosts" else line
        embed = {"title": title, "description": line, "footer": {"text": "Failed"}}
        found |= said("discord", {"embeds": [embed]})
    return found


def test_every_event_type_is_said_by_some_panel() -> None:
    assert set(TYPES) - recorded_types() - told_types() == set()
