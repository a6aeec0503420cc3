"""REST, asked by schemathesis: a bridge whose store is filled answers whatever is asked as its document says."""

import asyncio
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.processes import PATIENCE, Bridge, a_bridge, a_receiver, free_port
from tests.services.service import serving
from tests.services.telegram import TOKEN, Telegram

pytestmark = pytest.mark.process
ACT, SECRET = "act-0123456789abcdef", "the-secret-of-berlin"
SEED, EXAMPLES = "7", "5"
LIMIT = 20 * PATIENCE  # for a run that does not end
FILE = """
admin: {{listen: 127.0.0.1:{port}, token: {token}}}
sources:
  berlin: {{panel: marzban, secret: {secret}}}
sinks:
  ops: {{type: webhook, url: "{taking}"}}
  team: {{type: webhook, url: "{refusing}"}}
  off: {{type: console, enabled: false}}
  dm: {{type: telegram, token: "{bot}", api_base: "{telegram}", chat_id: "{{{{ person.telegram }}}}"}}
people: {{bot: dm}}
directory: {{users: {{alice: {{telegram: 700001, locale: fa}}, bob: {{telegram: 700002}}}}}}
routes:
  - {{match: user.*, to: [ops, team, "off"]}}
"""
#: How a file of lines is posted: no schema says what one of them is, so that what is made up is the name of who wants
#: nothing.
LINES = """
import json
import schemathesis

AT = "2026-11-21T00:00:00Z"

@schemathesis.serializer("application/jsonl")
def lines(context, value):
    if not isinstance(value, str):
        return str(value).encode()
    first = {"panelbridge": "people", "version": 1}
    name = "".join(sign for sign in value if sign.isprintable())[:100].strip()
    key = "berlin/user:" + (name or "nobody")
    wish = {"table": "wishes", "key": key, "stopped_at": AT, "by": "operator", "at": AT, "wants": None}
    return (json.dumps(first) + "\\n" + json.dumps(wish)).encode()
"""
REQUESTS = [
    *({"action": "user_created", "username": name} for name in ("alice", "bob", "carol", "dave")),
    {"action": "user_expired", "username": "alice"},
    {"action": "a_word_that_no_marzban_says", "username": "alice"},
]


@dataclass
class Filled:
    """A running bridge; `known` is what there is in its store, by the place in a path that it can stand at."""

    bridge: Bridge
    url: str
    known: Mapping[str, object]


@pytest.fixture
async def filled(tmp_path: Path) -> AsyncIterator[Filled]:
    """One that has delivered, given up, and not understood."""
    port = free_port()
    telegram = serving(Telegram(chats=(700001, 700002)))
    async with a_receiver() as taking, a_receiver() as refusing, telegram as base:
        refusing.status = 400
        text = FILE.format(
            port=port, token=ACT, secret=SECRET, taking=taking.url, refusing=refusing.url, bot=TOKEN, telegram=base
        )
        async with a_bridge(tmp_path, text) as bridge:
            bridge.program = ["tests.unhurried"]  # the 503 of a busy machine would be a server's error
            await bridge.start()
            await _fill(bridge)
            await taking.until(len(REQUESTS) - 1)
            async with _asking(port) as http:
                yield Filled(bridge, f"http://127.0.0.1:{port}/api/v1", await _known(http))
            assert await bridge.end() == 0


async def _fill(bridge: Bridge) -> None:
    headers = {"x-webhook-secret": SECRET}
    async with aiohttp.ClientSession(bridge.url, headers=headers) as http:
        for one in REQUESTS:
            async with http.post("/in/berlin", json=one) as response:
                assert response.status == 200


@asynccontextmanager
async def _asking(port: int) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {ACT}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}/api/v1/", headers=headers) as http:
        yield http


async def _known(http: aiohttp.ClientSession) -> Mapping[str, object]:
    async with asyncio.timeout(PATIENCE):
        while not (groups := await _items(http, "dead")) or groups[0]["count"] < len(REQUESTS) - 1:
            await asyncio.sleep(0.1)
    [*_, event], [delivery, *_] = await _items(http, "events"), await _items(http, "deliveries?sink=team")
    async with http.get(f"events/{event['id']}") as response:
        table = (await response.json())["table_key"]
    announced = {"to": ["user:bob"], "sink": "dm", "words": {"en": "Soon"}, "count": 1}
    async with http.post("announcements", json=announced) as response:
        assert response.status == 201, await response.text()
        announcement = (await response.json())["id"]
    people = {"realm": "berlin", "who": "user:nobody", "announcement": announcement}
    of_dead = {"delivery": delivery["id"], "group": groups[0]["key"]}
    return {"event": event["id"], **of_dead, "sink": "ops", "table": table, **people}


async def _items(http: aiohttp.ClientSession, path: str) -> list[dict[str, Any]]:
    async with http.get(path) as response:
        assert response.status == 200, await response.text()
        found: list[dict[str, Any]] = (await response.json())["items"]
        return found


def _asked(filled: Filled, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """What schemathesis says after it has asked everything, every check on. What it did stands in `folder`."""
    places = [f'"path.{name}" = {json.dumps(value)}' for name, value in filled.known.items()]
    config = folder / "schemathesis.toml"
    config.write_text("\n".join(["[parameters]", *places, '"query.source" = "berlin"', ""]))
    hooks = folder / "lines.py"
    hooks.write_text(LINES)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
        *("run", f"{filled.url}/openapi.json", "--url", filled.url, "--header", f"Authorization: Bearer {ACT}"),
        *("--checks", "all", "--seed", SEED, "--max-examples", EXAMPLES, "--workers", "1", "--no-color"),
        *("--continue-on-failure", "--generation-database", "none"),
        *("--report", "ndjson", "--report-ndjson-path", str(folder / "asked.ndjson"), *more),
    ]
    env = {**os.environ, "SCHEMATHESIS_HOOKS": "lines", "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, cwd=folder, check=False, env=env)


def _statuses(folder: Path) -> Mapping[str, set[int]]:
    """Operation → the statuses that it was answered with."""
    found: defaultdict[str, set[int]] = defaultdict(set)
    for line in (folder / "asked.ndjson").read_text("utf-8").splitlines():
        for operation, status in _answers(json.loads(line)):
            found[operation].add(status)
    return found


def _answers(value: Any) -> Iterator[tuple[str, int]]:
    """What one event of a report tells: its cases, and under the same ids how they were answered."""
    recorder = next(iter(value.values())).get("recorder") or {}
    answers = recorder.get("interactions", {})
    for id_, case in recorder.get("cases", {}).items():
        if response := answers.get(id_, {}).get("response"):
            yield f"{case['value']['method']} {case['value']['path']}", response["status_code"]


async def _operations(filled: Filled) -> set[str]:
    headers = {"Authorization": f"Bearer {ACT}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{filled.url}/openapi.json") as response:
        paths = (await response.json())["paths"]
    return {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}


@pytest.mark.long
async def test_every_operation_does_what_the_document_says(filled: Filled, tmp_path: Path) -> None:
    done = await asyncio.to_thread(_asked, filled, tmp_path)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    answered = _statuses(tmp_path)
    operations = await _operations(filled)
    assert f"Operations:       {len(operations)} selected / {len(operations)} total" in done.stdout
    never = {one for one in operations if not any(200 <= status < 300 for status in answered[one])}
    assert never == set(), "what was never answered as asked, but refused, was not looked at"
    assert "admin.bug" not in filled.bridge.log.read_text()
