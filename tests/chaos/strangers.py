"""Strangers at the door: what is no HTTP, what is nobody's request, and what never ends."""

import asyncio
import re
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from random import Random

from tests.chaos.story import Story

AT_ONCE = 20
STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) ")
ANSWER = 2.0  # seconds in which a stranger looks for one
HEAD = b"POST /in/panel HTTP/1.1\r\nHost: bridge\r\n"
BODY = b'{"kind":"user.created","about":"user:stranger","mark":"stranger.1"}'
#: Requests of nobody, whole and broken.
SAID = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"POST /in/panel HTTP/1.1 \r\nX-Webhook-Secret : s3cret\r\n\r\n",
    b"POST /in/panel\r\n\r\n",
    b"GET /in/panel HTTP/1.1\r\nHost: bridge\r\n\r\n",
    HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    HEAD + b"X-Webhook-Secret: s3cret-of-another\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY,
    HEAD + b"Content-Length: -1\r\n\r\n",
    HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    HEAD + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
    HEAD + b"\x00\xff\xfe: \x00\r\n\r\n",
    b"POST /in/%2e%2e/%00 HTTP/1.1\r\nHost: bridge\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /api/webhooks/1/x HTTP/1.1\r\nHost: bridge\r\nContent-Length: 2\r\n\r\n{}",
    b"\r\n" * 5000,
    b"POST " + b"/" * 9000 + b" HTTP/1.1\r\n\r\n",
)


async def scribble(port: int, story: Story, chance: Random, seconds: float) -> None:
    """So many strangers at once send one thing after the other, and are answered or not."""

    async def one(chance: Random) -> None:
        while True:
            said = bytearray(chance.choice(SAID))
            if chance.random() < 0.3:
                said[chance.randrange(len(said))] = chance.randrange(256)
            story.strangers[await _answer(port, bytes(said))] += 1
            await asyncio.sleep(chance.uniform(0.0, 0.1))

    await _for(seconds, [one(Random(chance.random())) for _ in range(AT_ONCE // 4)])


async def dawdle(port: int, chance: Random, seconds: float) -> None:
    """So many strangers at once begin a request, and send a byte of it now and then."""

    async def one(chance: Random) -> None:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                for byte in HEAD * 10:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(chance.uniform(0.1, 0.5))
            finally:
                writer.transport.abort()

    await _for(seconds, [one(Random(chance.random())) for _ in range(AT_ONCE)])


async def _for(seconds: float, many: Sequence[Coroutine[None, None, None]]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*many)


async def _answer(port: int, said: bytes) -> int:
    """The status of the answer, 0 where there was none."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return 0
    try:
        writer.write(said)
        async with asyncio.timeout(ANSWER):
            found = STATUS.match(await reader.read(100))
        return int(found[1]) if found else 0
    except (OSError, TimeoutError):
        return 0
    finally:
        writer.transport.abort()
