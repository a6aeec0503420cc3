"""What is named after something of an event, where a service reads no markup: buttons, threads, titles."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.sinks.values import a_message, a_sink

FORGED = "bob\x07\r\nadmin \u202egnp.exe\u202c" + "e" + "\u0301" * 30
SAID = "bob admin gnp.exee" + "\u0301" * 3
LINK = [{"text": "x", "url": "x"}]
BUTTON = {"button_0_text": FORGED, "button_0_url": "https://p.example/"}
#: A sink's settings, the blocks of a message, and where what it is called stands in the request's body.
NAMES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, str], Callable[[Any], str]]] = {
    "telegram": (
        {"token": "1:A", "chat_id": 1, "buttons": LINK},
        {"text": "hi"} | BUTTON,
        lambda body: body["reply_markup"]["inline_keyboard"][0][0]["text"],
    ),
    "bale": (
        {"token": "1:A", "chat_id": 1, "links": LINK},
        {"text": "hi"} | BUTTON,
        lambda body: body["reply_markup"]["inline_keyboard"][0][0]["text"],
    ),
    "max": (
        {"token": "A", "chat_id": 1, "links": LINK},
        {"text": "hi"} | BUTTON,
        lambda body: body["attachments"][0]["payload"]["buttons"][0][0]["text"],
    ),
    "ntfy": (
        {"topic": "t", "actions": [{"label": "x", "url": "x"}]},
        {"text": "hi", "action_0_label": FORGED, "action_0_url": "https://p.example/"},
        lambda body: body["actions"][0]["label"],
    ),
    "discord": (
        {"url": "https://discord.com/api/webhooks/1/a", "thread_name": "x"},
        {"title": "hi", "thread_name": FORGED},
        lambda body: body["thread_name"],
    ),
}


@pytest.mark.parametrize("type_", NAMES)
def test_what_a_button_or_a_thread_is_called_is_one_line_that_is_read_as_it_is_written(type_: str) -> None:
    settings, blocks, name = NAMES[type_]
    sink = a_sink(type=type_, **settings)
    assert name(json.loads(sink.build(a_message(blocks)).body)) == SAID
