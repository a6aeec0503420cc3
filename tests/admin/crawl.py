"""Every page that a link leads to, from the first one on; and whatever programs can look at."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from tests.processes import PATIENCE

SOME = 20
ID = re.compile("[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+")
#: All that GraphQL has to tell.
EVERYTHING = """{
  webhookConfigurations {
    id name providerType endpoint active subscribedEvents maxRetries retryDelay
    state stateReason pendingCount failedCount
  }
  webhookDeliveries(first: 100) {
    nodes {
      id status errorMessage retryCount responseStatus responseData createdAt deliveredAt nextAttemptAt webhook { id }
      attempts { number at durationMs outcome responseStatus responseData errorMessage }
      event { id type nativeType source subject occurredAt receivedAt data verdicts { row matched why } }
    }
    endCursor hasNextPage
  }
}"""


@asynccontextmanager
async def answered(
    program: aiohttp.ClientSession, method: str, path: str, **about: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The answer; on a busy machine a look may take longer than it may, and is asked for again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            response = await program.request(method, path, **about)
            async with response:
                if response.status != 503 and '"TIMEOUT"' not in await response.text("utf-8", "replace"):
                    yield response
                    return
            await asyncio.sleep(0.1)


async def every_page(url: str, token: str) -> dict[str, bytes]:
    """What is at each address that is reached from `/`, pages and files alike; and what a script gets there.

    Of those that ask for something, the first SOME of each kind: what is seen there of an event is on its own page, or
    in its preview; and so of what a script gets, which is a part of the page.
    """
    found: dict[str, bytes] = {}
    asked: Counter[tuple[str, ...]] = Counter()
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(url, headers=headers) as program:
        ahead = ["/", "/login", "/nothing", "/settings?done=reload"]
        while ahead:
            path = ahead.pop(0)
            place = ID.sub("", URL(path).path)
            asks = (place, *sorted(URL(path).query))
            if path in found or (len(asks) > 1 and asked[asks] >= SOME):
                continue
            asked[asks] += 1
            async with answered(program, "GET", path) as response:
                assert response.status in (200, 404), path
                found[path] = str(dict(response.headers)).encode() + await response.read()
            asked["live", place] += 1
            if "/static/" not in path and asked["live", place] <= SOME:
                async with answered(program, "GET", path, headers={"HX-Request": "true"}) as response:
                    found[f"{path} live"] = await response.read()
            links = re.findall(r'(?:href|src)="(/[^"]*)"', found[path].decode("utf-8", "replace"))
            ahead += [unescape(one).partition("#")[0] for one in links]
    return found


async def every_answer(url: str, token: str) -> dict[str, str]:
    """What programs are answered to everything that can be looked at: each text of it, and each name."""
    headers = {"Authorization": f"Bearer {token}"}
    found: dict[str, str] = {}

    async with aiohttp.ClientSession(url, headers=headers) as program:

        async def ask(method: str, path: str, body: Any = None) -> Any:
            async with answered(program, method, f"/api/v1{path}", json=body) as response:
                assert response.status == 200, (path, await response.text())
                answer = await response.json()
            found[f"{method} {path} {body or ''}"] = "\n".join(dict.fromkeys(_texts(answer)))
            return answer

        document = await ask("GET", "/openapi.json")
        for path in document["paths"]:
            if (
                "get" in document["paths"][path]
                and "{" not in path
                and path not in ("/samples", "/series", "/people/export")
            ):
                await ask("GET", path)
        for what in ("in", "out", "type", "row", "aside"):
            await ask("GET", f"/series?what={what}")
        for number, one in enumerate((await ask("GET", "/events?limit=200"))["items"]):
            await ask("GET", f"/events/{one['id']}/preview")
            event = await ask("GET", f"/events/{one['id']}")
            await ask("GET", f"/tables/{event['table_key']}")
            if number < SOME:  # it is what its page is, or its preview
                await ask("GET", f"/events/{one['id']}/preview?drawn=true&locale=fa")
                await ask("POST", "/try?drawn=true", {"event": one["id"]})
        for one in (await ask("GET", "/deliveries?limit=200"))["items"]:
            for path in ("", "/attempts"):
                await ask("GET", f"/deliveries/{one['id']}{path}")
        for place, name in (("sinks", "name"), ("dead", "key")):
            for one in (await ask("GET", f"/{place}"))["items"]:
                await ask("GET", f"/{place}/{one[name]}")
        for one in (await ask("GET", "/people?limit=200"))["items"]:
            await ask("GET", f"/people/{quote(one['realm'])}/{quote(one['key'].partition('/')[2], safe='')}")
        for one in (await ask("GET", "/announcements"))["items"]:
            for path in ("", "/people"):
                await ask("GET", f"/announcements/{one['id']}{path}")
        for one in (await ask("GET", "/sources"))["items"]:
            await ask("GET", f"/samples?source={one['name']}")
        async with answered(program, "POST", "/graphql", json={"query": EVERYTHING}) as response:
            answer = await response.json()
            assert "errors" not in answer, answer
            found["POST /graphql"] = "\n".join(dict.fromkeys(_texts(answer)))
    return found


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value
