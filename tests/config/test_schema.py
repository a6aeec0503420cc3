"""The JSON Schema says of the file what `load` says of it, as far as a schema can."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bridge.config.schema import schema
from bridge.config.yaml import read_document
from tests.config.test_example import ENV, EXAMPLE, everything

SCHEMA = schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def errors(text: str) -> list[str]:
    document = read_document(text.encode(), Path("/nowhere"), ENV)
    return [error.message for error in VALIDATOR.iter_errors(document.data)]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_example_satisfies_it() -> None:
    for text in (EXAMPLE.read_text("utf-8"), everything()):
        assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


def test_every_setting_has_a_description() -> None:
    def nameless(node: Any, name: str = "") -> list[str]:
        found = []
        if isinstance(node, dict):
            for key, one in node.get("properties", {}).items():
                if "description" not in one:
                    found.append(f"{name}.{key}")
            for key, one in node.items():
                found += nameless(one, f"{name}.{key}")
        return found

    assert nameless(SCHEMA) == []


@pytest.mark.parametrize(
    "text",
    [
        "sources: {m: {panel: marzban, secret: none}}",
        "sources: {m: {panel: marzban, secret: [a, b]}}",
        "sources: {m: {panel: marzban, secret: 123}}",
        "sinks: {t: {type: telegram, token: 1:a, chat_id: -5}}",
        "sinks: {t: {type: telegram, token: 1:a, chat_id: '@name'}}",
        "sinks: {t: {type: console, timeout: 5m, rate: unlimited}}",
        "sinks: {t: {type: console, rate: [10/s, 30/min]}}",
        "sinks: {t: {type: console}}\nroutes: [{to: t, match: user.*}, {to: [t], match: [user.*], source: a}]",
        "sinks: {t: {type: console}}\nroutes: [{to: t, repeat: 1h}, {to: t, repeat: {every: 1h, max: 5}}]",
        "keep: 30d",
        "keep: {operators: 30d, user: 7d}",
        "x-anything: {a: 1}",
    ],
)
def test_what_loads_satisfies_it(text: str) -> None:
    assert errors(text) == []


def test_a_secret_may_stand_in_a_file_and_a_number_in_a_variable() -> None:
    for data in (
        {"sources": {"m": {"panel": "marzban", "secret_file": "x"}}},
        {"sinks": {"ops": {"type": "discord", "url_file": "x"}}},
        {"sinks": {"ops": {"type": "telegram", "token": "x", "chat_id": 1, "message_thread_id": "${TOPIC}"}}},
        {"sinks": {"ops": {"type": "console", "enabled": "${ON}"}}},
    ):
        assert list(VALIDATOR.iter_errors(data)) == []


@pytest.mark.parametrize(
    "text",
    [
        "tempaltes: x",
        "sources: {m: {panel: marzban}}",
        "sources: {m: {panel: marzbn, secret: x}}",
        "sources: {m: {secret: x}}",
        "sources: {a b: {panel: marzban, secret: x}}",
        "sinks: {ops: {url: https://x}}",
        "sinks: {ops: {}}",
        "sinks: {ops: {type: discord}}",
        "sinks: {ops: {type: console, tmeout: 3}}",
        "routes: [{match: user.*}]",
        "routes: [{to: ops, stop: perhaps}]",
        "routes: [{to: ops, repeat: [1h]}]",
        "keep: {users: 7d}",
        "log: {level: verbose}",
        "locale: de",
    ],
)
def test_what_does_not_load_does_not_satisfy_it(text: str) -> None:
    assert errors(text) != []
