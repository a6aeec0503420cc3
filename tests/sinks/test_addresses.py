"""Sinks with many addresses: each message goes where one record says, and what is gone there is gone there alone."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.message import Message
from bridge.outcome import Gone
from bridge.people.address import Address, NoAddress
from bridge.sinks import CONFIGS
from bridge.sinks.base import AddressedConfig, HttpSink, Tools
from bridge.sinks.discord import DiscordConfig
from bridge.sinks.http import Http, Response
from bridge.sinks.ntfy import NtfyConfig
from bridge.sinks.slack import SlackConfig
from bridge.sinks.telegram import TelegramConfig
from bridge.sinks.webhook import WebhookConfig
from tests.fakes import START, an_event

HOOK = "https://discord.com/api/webhooks/104/abc"
#: Settings, a record, and what of the request it leads to.
ADDRESSED: dict[type[AddressedConfig], tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    TelegramConfig: (
        {"token": "1:a", "chat_id": "{{ owner.telegram }}", "message_thread_id": "{{ owner.thread }}"},
        {"telegram": -1007, "thread": 12},
        {"chat_id": -1007, "message_thread_id": 12},
    ),
    SlackConfig: (
        {"token": "xoxb-1", "channel": "{{ owner.slack }}"},
        {"slack": "C0123ABCD"},
        {"channel": "C0123ABCD"},
    ),
    NtfyConfig: ({"topic": "alerts-{{ owner.ntfy }}"}, {"ntfy": "seven"}, {"topic": "alerts-seven"}),
    DiscordConfig: (
        {"url": "{{ owner.discord }}", "thread_id": "{{ owner.discord_thread }}"},
        {"discord": HOOK, "discord_thread": "42"},
        {"url": f"{HOOK}?wait=true&thread_id=42"},
    ),
    WebhookConfig: (
        {"url": "https://hooks.example.com/in/{{ owner.x_room }}/new"},
        {"x_room": "seven & co"},
        {"url": "https://hooks.example.com/in/seven%20&%20co/new"},
    ),
}
#: What each service says of one address that is gone, and of all.
ONE = {
    TelegramConfig: (403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was kicked from the group"}),
    SlackConfig: (200, {"ok": False, "error": "is_archived"}),
    NtfyConfig: (403, {"http": 403, "code": 40301, "error": "forbidden"}),
    DiscordConfig: (404, {"message": "Unknown Webhook", "code": 10015}),
    WebhookConfig: (410, {}),
}
ALL = {
    TelegramConfig: (401, {"ok": False, "error_code": 401, "description": "Unauthorized"}),
    SlackConfig: (200, {"ok": False, "error": "token_revoked"}),
}
EVENT = replace(an_event(), data={"owner": "reseller-7"})
MESSAGE = Message(event=EVENT, at=START)
each = pytest.mark.parametrize("config", ADDRESSED, ids=lambda one: one.__name__)


def bound(config: type[AddressedConfig]) -> HttpSink[Any]:
    """The sink of one reseller."""
    settings, record, _ = ADDRESSED[config]
    sink: Any = config.model_validate(settings).open(Tools(Http(), {}))  # type: ignore[attr-defined]
    address = sink.addressing.resolve(EVENT, record)
    assert isinstance(address, Address), address
    found: HttpSink[Any] = sink.at(address)
    return found


def test_every_sink_that_can_have_many_addresses_is_here() -> None:
    assert set(ADDRESSED) == {one for one in CONFIGS if issubclass(one, AddressedConfig)} == set(ONE)


@each
def test_a_message_goes_where_the_record_says(config: type[AddressedConfig]) -> None:
    request = bound(config).build(Message(event=EVENT, at=START))
    said = {**json.loads(request.body), "url": str(request.url)}
    assert said.items() >= ADDRESSED[config][2].items()


@each
def test_what_is_gone_there_is_gone_there_alone(config: type[AddressedConfig]) -> None:
    status, body = ONE[config]
    outcome = bound(config).judge(Response(status, {}, json.dumps(body).encode())).outcome
    assert isinstance(outcome, Gone), outcome
    assert outcome.where == "address"


@pytest.mark.parametrize("config", ALL, ids=lambda one: one.__name__)
def test_what_they_all_need_is_gone_for_all(config: type[AddressedConfig]) -> None:
    status, body = ALL[config]
    outcome = bound(config).judge(Response(status, {}, json.dumps(body).encode())).outcome
    assert isinstance(outcome, Gone), outcome
    assert outcome.where == "sink"


@each
def test_the_same_place_has_the_same_name_and_none_that_gives_it_away(config: type[AddressedConfig]) -> None:
    settings, record, _ = ADDRESSED[config]
    addressing = config.model_validate(settings).addressing()
    assert addressing is not None
    first, second = (addressing.resolve(EVENT, record) for _ in range(2))
    assert isinstance(first, Address)
    assert first == second
    assert first.place
    assert HOOK not in first.place


HOSTILE = st.sampled_from(
    [
        *("..", ".", "", "%2e", "%2e%2e", "%2f..%2f", "@evil.example", "evil.example", "//evil.example", "\\evil"),
        *(
            "a/../../b",
            "x\r\nHost: evil",
            "x\r\nBcc: b@c",
            ",",
            ";",
            "?a=b",
            "#f",
            "\u202e",
            "\u200e",
            "\x00",
            "{{ 7 }}",
        ),
        *("https://discord.com@evil.example/api/webhooks/1/a", "https://discord.com.evil/api/webhooks/1/a"),
        *(f"{HOOK}/../x", f"{HOOK}?x=y", f" {HOOK}", f"{HOOK}\n", "C0123ABCD\n", "9" * 10_000, "a" * 1_000_000),
    ]
)
VALUES = HOSTILE | st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.text(), max_size=2)


@each
@given(value=VALUES)
def test_no_data_leads_a_request_to_a_host_or_path_that_the_file_does_not_allow(
    config: type[AddressedConfig], value: Any
) -> None:
    """Whatever the record and the event hold: there is no address, or the request goes where the file says."""
    settings, record, _ = ADDRESSED[config]
    sink: Any = config.model_validate(settings).open(Tools(Http(), {}))  # type: ignore[attr-defined]
    address = sink.addressing.resolve(EVENT, dict.fromkeys(record, value))
    if isinstance(address, NoAddress):
        return
    request, fixed = sink.at(address).build(Message(event=EVENT, at=START)), bound(config).build(MESSAGE)
    assert request.url.origin() == fixed.url.origin()
    assert request.url.user is None
    assert request.url.raw_parts[:2] == fixed.url.raw_parts[:2]
    assert len(request.url.raw_parts) == len(fixed.url.raw_parts)
    assert len(str(request.url)) < 3000
    assert set(request.headers) == set(fixed.headers)
    assert all(name.isprintable() and text.isprintable() for name, text in request.headers.items())
