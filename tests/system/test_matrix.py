"""Matrix against a real homeserver, Synapse: what the stand-in promises is what a homeserver does."""

import asyncio
import hashlib
import hmac
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from bridge.message import Message
from bridge.outcome import Delivered, Gone, Limited
from bridge.sinks.http import Http
from bridge.sinks.matrix.message import HTML
from bridge.value import replace
from tests.messages.hostile import HOSTILE
from tests.processes import PATIENCE, free_port
from tests.sinks.values import a_deletion, a_digest, a_message, a_sink, an_update, between
from tests.tools import needed

pytestmark = pytest.mark.process

ANEW = "the earlier message is not there any more: sent anew"
REGISTRATION = "a-shared-secret-of-this-test"
CONFIG = """
server_name: matrix.example
listeners:
  - {{port: {port}, type: http, tls: false, bind_addresses: [127.0.0.1], resources: [{{names: [client]}}]}}
database: {{name: sqlite3, args: {{database: {folder}/homeserver.db}}}}
log_config: {folder}/log.yaml
media_store_path: {folder}/media
pid_file: {folder}/pid
registration_shared_secret: {registration}
macaroon_secret_key: a-key-of-this-test
form_secret: another-key-of-this-test
signing_key_path: {folder}/signing.key
trusted_key_servers: []
report_stats: false
{more}
"""
LOG = "{version: 1, disable_existing_loggers: true, root: {level: ERROR}}"
UNLIMITED = "rc_message: {per_second: 1000, burst_count: 1000}"


@dataclass
class Homeserver:
    """A homeserver and who has accounts there."""

    base: str
    http: aiohttp.ClientSession

    async def call(self, method: str, path: str, token: str = "", **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        data = json.dumps(body) if method != "GET" else None
        async with self.http.request(method, self.base + path, data=data, headers=headers) as response:
            return await response.json()

    async def account(self, name: str) -> str:
        """Its access token."""
        admin = "/_synapse/admin/v1/register"
        nonce = (await self.call("GET", admin))["nonce"]
        text = b"\0".join([nonce.encode(), name.encode(), b"a-password", b"notadmin"])
        mac = hmac.new(REGISTRATION.encode(), text, hashlib.sha1).hexdigest()
        made = await self.call("POST", admin, nonce=nonce, username=name, password="a-password", admin=False, mac=mac)
        return str(made["access_token"])

    async def room(self, token: str, *invited: str) -> str:
        path = "/_matrix/client/v3/createRoom"
        made = await self.call("POST", path, token, invite=invited, room_alias_name="vpn", preset="private_chat")
        return str(made["room_id"])

    async def said(self, token: str, room: str) -> list[dict[str, Any]]:
        """The messages as a client is given them, the oldest first; of what was taken back there is nothing."""
        path = f"/_matrix/client/v3/rooms/{quote(room)}/messages?dir=b&limit=100"
        found = await self.call("GET", path, token)
        return [one for one in reversed(found["chunk"]) if one["type"] == "m.room.message" and one["content"]]


@asynccontextmanager
async def a_homeserver(folder: Path, more: str = UNLIMITED) -> AsyncIterator[Homeserver]:
    program, port = needed("synapse_homeserver"), free_port()
    (folder / "log.yaml").write_text(LOG)
    config = folder / "homeserver.yaml"
    config.write_text(CONFIG.format(folder=folder, port=port, registration=REGISTRATION, more=more))
    generated = [program, "--config-path", str(config), "--generate-keys"]
    subprocess.run(generated, check=True, capture_output=True, timeout=PATIENCE)
    log = (folder / "out").open("wb")
    process = subprocess.Popen([program, "--config-path", str(config)], stdout=log, stderr=log, cwd=folder)
    try:
        async with aiohttp.ClientSession() as http:
            server = Homeserver(f"http://127.0.0.1:{port}", http)
            await _until_it_answers(server, process, folder)
            yield server
    finally:
        process.terminate()
        process.wait(PATIENCE)
        log.close()


async def _until_it_answers(server: Homeserver, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            assert process.poll() is None, (folder / "out").read_text()
            try:
                await server.call("GET", "/_matrix/client/versions")
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.2)
            else:
                return


def ref_of(attempt: Any) -> str:
    assert isinstance(attempt.outcome, Delivered), attempt
    assert attempt.outcome.ref
    return str(attempt.outcome.ref)


def delivery(message: Message, name: str) -> Message:
    return replace(message, delivery=name)


async def test_all_that_the_stand_in_promises(tmp_path: Path) -> None:
    """In one test, for a homeserver takes long to start."""
    http = Http()
    async with a_homeserver(tmp_path) as server:
        owner, bot = await server.account("owner"), await server.account("bot")
        room = await server.room(owner, "@bot:matrix.example")
        settings = {"type": "matrix", "token": bot, "api_base": server.base}
        by_id, by_address = a_sink(http, **settings, room=room), a_sink(http, **settings, room="#vpn:matrix.example")

        # it joins when it is invited; a try again is the same message, and what has changed meanwhile is told
        first = delivery(a_message({"text": "<b>fra-1</b> is away"}), "7")
        attempt = await by_address.send(first)
        assert attempt.requests == 4
        assert await by_id.send(first) == replace(attempt, requests=1)
        other = await by_id.send(replace(first, blocks={"text": "changed"}))
        assert ref_of(other) != ref_of(attempt)
        assert [one["content"]["body"] for one in await server.said(owner, room)] == ["fra-1 is away", "changed"]
        replayed = await by_id.send(delivery(first, "8"))
        assert len({ref_of(replayed), ref_of(attempt)}) == 2

        # an edit is one, however often: the server itself hangs the last one on the first message
        for text in ("it is back", "it is away", "it is back again"):
            assert ref_of(await by_id.send(an_update(ref_of(attempt), {"text": text}))) == ref_of(attempt)
        shown = (await server.said(owner, room))[0]["unsigned"]["m.relations"]["m.replace"]
        assert shown["content"]["m.new_content"]["body"] == "it is back again"

        # an answer is in its thread, however often
        for _ in range(2):
            assert ref_of(await by_id.send(an_update(ref_of(other), {"text": "yes"}, thread=True))) == ref_of(other)
        assert (await server.said(owner, room))[1]["unsigned"]["m.relations"]["m.thread"]["count"] == 2

        # what was taken back is not there, and what comes later is said anew
        assert isinstance((await by_id.send(a_deletion(ref_of(other)))).outcome, Delivered)
        anew = await by_id.send(an_update(ref_of(other), {"text": "anew"}))
        assert anew.outcome.note == ANEW
        unknown = f"{room}/$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        for thread in (False, True):
            lost = await by_id.send(an_update(unknown, {"text": f"lost {thread}"}, thread=thread))
            assert lost.outcome.note == ANEW

        # the longest message has room for its edit, and no hostile text is refused
        for text in ("я" * HTML, '"\\\n' * HTML, *HOSTILE):
            long = await by_id.send(delivery(a_message({"text": str(by_id.look.service.text.lines(text))}), text[:9]))
            assert isinstance((await by_id.send(an_update(ref_of(long), {"text": text[::-1]}))).outcome, Delivered)
        assert isinstance((await by_id.send_digest(a_digest({"text": "2 events"}, untold=2))).outcome, Delivered)

        # what stands in the way is said in the server's own words
        await server.call("POST", f"/_matrix/client/v3/rooms/{quote(room)}/ban", owner, user_id="@bot:matrix.example")
        assert _gone(await by_id.send(a_message({"text": "x"})), "HTTP 403, M_FORBIDDEN: ")
        nowhere = a_sink(http, **settings, room="#nowhere:matrix.example")
        assert _gone(await nowhere.send(a_message({"text": "x"})), "HTTP 404, M_NOT_FOUND: ")
        wrong = a_sink(http, **{**settings, "token": "syt_wrong"}, room=room)
        assert _gone(await wrong.send(a_message({"text": "x"})), "HTTP 401, M_UNKNOWN_TOKEN: ")
        elsewhere = a_sink(http, **{**settings, "api_base": f"{server.base}/nowhere"}, room=room)
        assert (await elsewhere.send(a_message({"text": "x"}))).outcome == between(404, "a web page")
    await http.close()


def _gone(attempt: Any, words: str) -> bool:
    return isinstance(attempt.outcome, Gone) and attempt.outcome.reason.startswith(words)


async def test_it_bears_by_default_what_the_sink_keeps_to(tmp_path: Path) -> None:
    http = Http()
    async with a_homeserver(tmp_path, more="") as server:
        owner, bot = await server.account("owner"), await server.account("bot")
        room = await server.room(owner, "@bot:matrix.example")
        await server.call("POST", f"/_matrix/client/v3/join/{quote(room)}", bot)
        sink = a_sink(http, type="matrix", token=bot, api_base=server.base, room=room)
        (limit,) = sink.service_limits
        outcomes: list[Any] = []
        while len(outcomes) < 10 * limit.rate.count and not any(isinstance(one, Limited) for one in outcomes):
            outcomes.append((await sink.send(a_message({"text": f"{len(outcomes)}"}))).outcome)
        taken = limit.rate.count - 1  # to join counts as well
        assert [one for one in outcomes[:taken] if not isinstance(one, Delivered)] == []
        limited = [one.after for one in outcomes if isinstance(one, Limited)]
        assert limited
        assert all(after is not None and 0 < after <= limit.rate.period / limit.rate.count + 1 for after in limited)
    await http.close()
