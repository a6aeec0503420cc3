"""What there is to ask for, and asking for it byte by byte."""

import asyncio

from bridge.admin.actions import ACTIONS
from bridge.admin.pages import PAGES
from tests.admin.running import ALICE, Desk

SHOWN = [page.path for page in PAGES]
DONE = [action.path.format(sink="ops") for action in ACTIONS]


def there(path: str) -> str:
    """A page's path, about an event and a sink that there are."""
    return path.replace("{id}", ALICE.id).replace("{sink}", "ops")


async def raw(desk: Desk, head: str) -> bytes:
    """What is answered to these lines of a request."""
    host, _, port = desk.authority.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer
