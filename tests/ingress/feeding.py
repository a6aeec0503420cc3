"""A sender that offers an endless body, and counts how much of it is taken."""

import asyncio
from typing import Any

from bridge.ingress.connections import Connections
from tests.ingress.running import PATIENCE

CHUNK = 64 * 1024


class Feeder(asyncio.Transport):
    """A connection without a socket: what is offered is taken as long as the server neither pauses nor closes it."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.answer = b""
        self.paused = self.closed = False
        self.taken = 0
        protocol.connection_made(self)

    async def offer(self, head: bytes, size: int, chunk: bytes = b" " * CHUNK) -> None:
        """The head, and then up to `size` bytes of body, until the server has answered and takes no more."""
        self.protocol.data_received(head)
        async with asyncio.timeout(PATIENCE):
            while self.taken < size and not self.closed and not (self.paused and self.answer):
                await asyncio.sleep(0)
                if not self.paused:
                    self.protocol.data_received(chunk)
                    self.taken += len(chunk)

    async def answered(self) -> None:
        """Once the server has answered, or closed the connection."""
        async with asyncio.timeout(PATIENCE):
            while not self.closed and not self.answer:
                await asyncio.sleep(0)

    async def ended(self) -> None:
        """Once the server has closed the connection."""
        async with asyncio.timeout(PATIENCE):
            while not self.closed:
                await asyncio.sleep(0)

    def write(self, data: Any) -> None:
        self.answer += bytes(data)

    def writelines(self, list_of_data: Any) -> None:
        self.answer += b"".join(list_of_data)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """The server says no more."""


async def fed(server: Connections, head: str, *, size: int = 100_000_000, **more: Any) -> Feeder:
    """The connection after `size` bytes were offered behind the head."""
    feeder = Feeder(server())
    await feeder.offer(head.encode() + b"\r\n\r\n", size, **more)
    await feeder.answered()
    return feeder


async def begun(server: Connections, head: str, size: int) -> Feeder:
    """A connection that sends the head and `size` bytes, and then nothing."""
    feeder = Feeder(server())
    await feeder.offer(head.encode() + b"\r\n\r\n", size, b" " * size)
    for _ in range(10):
        await asyncio.sleep(0)
    return feeder
