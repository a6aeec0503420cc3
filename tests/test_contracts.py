"""Laws over the whole: whatever happens, in whatever language, every service takes what is said of it."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.event import Event
from bridge.markup.service import Service
from bridge.message import Message
from bridge.messages.renderer import Renderer
from bridge.panels import DIALECTS
from bridge.panels.base import Hook
from bridge.panels.discord import reports
from bridge.samples import samples
from bridge.sinks import SERVICES
from bridge.sinks.base import HttpSink, Tools
from bridge.sinks.http import Http
from bridge.sinks.terminal import view
from bridge.value import replace
from bridge.vocabulary import OWN_FAMILY, TYPES
from tests.fakes import START
from tests.messages.hostile import HOSTILE
from tests.panels.hearing import WORDS, heard, opened
from tests.panels.recorded import recorded
from tests.services.every import WAYS
from tests.services.known import KnownChat
from tests.services.service import parsed
from tests.sinks.values import config, hostile_texts

SPEAKING = {
    locale: Renderer(folders=[], timezone=ZoneInfo("Asia/Tehran"), locale=locale) for locale in ("en", "fa", "ru")
}
SINKS: dict[str, HttpSink[Any]] = {
    name: config(**settings_).open(Tools(Http(), DIALECTS)) for name, (settings_, _, _) in WAYS.items()
}
SAMPLES = {one.type: one for one in samples(at=START)}
FORMATS: dict[str, Service | None] = {**SERVICES, "event": None}


def carried(way: str, event: Event, locale: str = "en") -> list[str]:
    """What the service has against the request that carries this event, and whom it would ping."""
    sink, (_, known, reached) = SINKS[way], WAYS[way]
    rendered = SPEAKING[locale].render(event, sink.look)
    request = sink.build(Message(event=event, at=datetime.now(UTC), blocks=rendered.blocks))
    faults = [*reached.faults(request, [event]), *([rendered.fault] if rendered.fault else [])]
    return [*faults, *known.pings(parsed(request.body), event)] if isinstance(known, KnownChat) else faults


@pytest.mark.parametrize(
    ("way", "locale"),
    [
        (way, locale) for way in WAYS for locale in (SPEAKING if SINKS[way].look.service else ["en"])
    ],  # others get no words
)
def test_every_service_takes_every_event_in_every_language(way: str, locale: str) -> None:
    refused = {type_: faults for type_, event in SAMPLES.items() if (faults := carried(way, event, locale))}
    assert refused == {}


@pytest.mark.parametrize(
    ("format_", "locale"), [("event", "en"), *((service, locale) for service in SERVICES for locale in SPEAKING)]
)
def test_every_event_can_be_shown_on_the_terminal(format_: str, locale: str) -> None:
    sink = config(type="console", format=format_).open(Tools(Http(), DIALECTS))
    for event in SAMPLES.values():
        rendered = SPEAKING[locale].render(event, sink.look)
        message = Message(event=event, at=START, blocks=rendered.blocks)
        assert rendered.fault is None
        for terminal in (True, False):
            assert view(message, FORMATS[format_], terminal=terminal, color=terminal, width=100).strip()


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
    event = SAMPLES[draw(st.sampled_from([*TYPES]))]
    family = event.type.partition(".")[0]
    return replace(
        event,
        type=event.type if draw(st.booleans()) else f"marzban.{family}",
        native_type=scatter("native"),
        subject=f"user:{scatter('subject')}",
        data={**scatter(dict(event.data)), "owner": scatter("owner"), "actor": scatter("actor")},
        native={"action": scatter("action")},
    )


@given(event=hostile_events(), locale=st.sampled_from([*SPEAKING]))
def test_whatever_people_are_called_nothing_is_refused_and_nobody_is_pinged(event: Event, locale: str) -> None:
    assert {way: faults for way in WAYS if (faults := carried(way, event, locale))} == {}


@given(event=hostile_events(), format_=st.sampled_from([*FORMATS]))
def test_whatever_people_are_called_the_terminal_is_not_commanded(event: Event, format_: str) -> None:
    sink = config(type="console", format=format_).open(Tools(Http(), DIALECTS))
    message = Message(event=event, at=START, blocks=SPEAKING["en"].render(event, sink.look).blocks)
    shown = view(message, FORMATS[format_], terminal=False, color=False)
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
    panels = {name for name in TYPES if name.partition(".")[0] != OWN_FAMILY}  # the others: tests/alerts
    assert panels - recorded_types() - told_types() == set()
