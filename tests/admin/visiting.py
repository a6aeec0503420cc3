"""What there is to ask for, and asking for it byte by byte."""

import asyncio

from bridge.admin.actions import ACTIONS
from bridge.admin.pages import PAGES
from tests.admin.reading import Tags
from tests.admin.running import ALICE, Desk, sign_in

SHOWN = [page.path for page in PAGES]
MEANT = {"sink": "ops", "realm": "berlin", "who": "user:alice", "announcement": "1", "event": ALICE.id}
DONE = [action.path for action in ACTIONS]


def there(path: str) -> str:
    """The path of a page or an action, about an event, a sink and somebody that there are."""
    return path.format(id=ALICE.id, **MEANT)


async def raw(desk: Desk, head: str) -> bytes:
    """What is answered to these lines of a request."""
    host, _, port = desk.authority.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


async def page(desk: Desk, path: str, **headers: str) -> str:
    """The page as somebody gets it who may act."""
    async with desk.browser(**headers) as browser:
        await sign_in(browser)
        async with browser.get(path) as response:
            assert response.status == 200, await response.text()
            return await response.text()


async def text(desk: Desk, path: str, **headers: str) -> str:
    return Tags.text(await page(desk, path, **headers))
