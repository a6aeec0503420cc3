"""Scrubbing the file of the bridge that runs, by a process of its own.

Why not here: a process that opens the file beside SQLite, to read its bytes, gives away the locks that its own
connections have on it as soon as it closes it again.
"""

import asyncio
import sys
from collections.abc import Sequence

from bridge.codec import decode, dump
from bridge.errors import StoreError
from bridge.store import open_ledger
from bridge.store.backend import parse_url
from bridge.store.scrub import Scrubbed, scrub


async def scrub_apart(url: str, texts: Sequence[str]) -> Scrubbed:
    """As `scrub`, beside this bridge; a database is the server's own business. Raise StoreError where it fails."""
    if parse_url(url).get_backend_name() != "sqlite":
        return Scrubbed.DONE
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        said, _ = await child.communicate(dump({"url": url, "texts": list(texts)}))
    except asyncio.CancelledError:
        child.kill()
        raise
    name = said.decode("ascii", "replace").strip()
    if name not in Scrubbed.__members__:
        raise StoreError("store: all is erased from the tables, but the file could not be looked through: say it again")
    return Scrubbed[name]


def _main() -> None:
    """What standard input asks for, secret as the store's address may be; the name of what came of it is printed."""
    asked = decode(sys.stdin.read())
    with open_ledger(asked["url"]) as ledger:
        print(scrub(asked["url"], ledger, asked["texts"]).name)


if __name__ == "__main__":
    _main()
