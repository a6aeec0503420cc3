"""Every page that a link leads to, from the first one on."""

import re
from html import unescape

import aiohttp


async def every_page(url: str, token: str) -> dict[str, bytes]:
    """What is at each address that is reached from `/`, and what a script gets there; pages and files alike."""
    found: dict[str, bytes] = {}
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(url, headers=headers) as program:
        ahead = ["/", "/login", "/nothing", "/settings?done=reload"]
        while ahead:
            path = ahead.pop()
            if path in found:
                continue
            async with program.get(path) as response:
                assert response.status in (200, 404), path
                found[path] = str(dict(response.headers)).encode() + await response.read()
            if "/static/" not in path:
                async with program.get(path, headers={"HX-Request": "true"}) as response:
                    found[f"{path} live"] = await response.read()
            links = re.findall(r'(?:href|src)="(/[^"]*)"', found[path].decode("utf-8", "replace"))
            ahead += [unescape(one).partition("#")[0] for one in links]
    return found
