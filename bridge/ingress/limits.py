"""What one request, and all of them together, may take of this machine."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web
from pydantic import Field

from bridge.errors import HookRejected, TooLarge
from bridge.settings import Duration, Settings, Size


class Limits(Settings):
    """The door's limits."""

    body: Size = Field(32 * 2**20, gt=0, description="the biggest request; Marzban sends all it has in one")
    body_timeout: Duration = Field(30.0, gt=0, description="how long a request may take to arrive")
    memory: Size = Field(128 * 2**20, gt=0, description="what all requests together may hold; more are asked to wait")


class TooSlow(HookRejected):
    """Its body did not arrive in time."""

    status = 408


class BrokenBody(HookRejected):
    """Its body is not encoded the way its headers say, or ends too soon; the connection is of no more use."""


class Overloaded(HookRejected):
    """There is no budget for it now."""

    status = 503


class MemoryBudget:
    """The memory that bodies share, counted while they are read and understood."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._reserved = 0

    @contextmanager
    def reserve(self) -> Iterator["Reservation"]:
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self._reserved -= reservation.size

    def add(self, size: int) -> None:
        if self._reserved + size > self.limits.memory:
            raise Overloaded("too many big requests at once")
        self._reserved += size


class Reservation:
    """One request's share of the budget; counts up while its body arrives."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self.size = 0

    def grow(self, size: int) -> None:
        """Count `size` more bytes; raise TooLarge or Overloaded where they do not fit."""
        if self.size + size > self._budget.limits.body:
            raise TooLarge(f"the body is bigger than {self._budget.limits.body} bytes")
        self._budget.add(size)
        self.size += size


async def read_body(request: web.Request, reservation: Reservation, limits: Limits) -> bytes:
    """The whole body; raise TooLarge, TooSlow, BrokenBody or Overloaded."""
    if request.content_length is not None and request.content_length > limits.body:
        raise TooLarge(f"the body is bigger than {limits.body} bytes")
    if request.content.is_eof() and request.content.exception() is None:  # most arrive together with their headers
        whole = request.content.read_nowait(-1)
        reservation.grow(len(whole))
        return whole
    chunks: list[bytes] = []
    async with body_deadline(request, limits):
        async for chunk in request.content.iter_any():
            reservation.grow(len(chunk))
            chunks.append(chunk)
    return b"".join(chunks)


@asynccontextmanager
async def body_deadline(request: web.Request, limits: Limits) -> AsyncIterator[None]:
    """The time a body has to arrive; raise TooSlow after it, BrokenBody where it cannot be decoded or is cut off."""
    try:
        async with asyncio.timeout(limits.body_timeout):
            yield
    except TimeoutError:
        raise TooSlow(f"the body did not arrive within {limits.body_timeout:g} s") from None
    except web.RequestPayloadError:
        request.content.feed_eof()  # or aiohttp reads on after the answer, and logs a traceback
        raise BrokenBody("the body is not encoded the way its headers say") from None
    except ConnectionError:
        raise BrokenBody("the sender went away before the body had arrived") from None
