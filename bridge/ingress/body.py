"""A request's body: read as it arrives, unpacked in pieces, and counted before it is kept.

Nothing is read that is not asked for: the server does not unpack, and does not read the rest of what was refused.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from aiohttp import HttpVersion11, web

from bridge.errors import TooLarge
from bridge.ingress.budget import Reservation
from bridge.ingress.limits import BrokenBody, Overloaded, TooSlow

MEMBERS = 100  # of gzip, one after the other, each of which costs as much to begin as a big one
PIECE = 256 * 1024  # bytes that are unpacked at once: about a millisecond
UNREADABLE = "the body is not encoded the way its headers say"


async def ask_later(request: web.Request) -> None:
    """What a sender that waits for `100 Continue` gets at first: its body is asked for where it is read, if ever."""


async def ask_now(request: web.Request) -> None:
    """What it gets where a body is read by the library. Whatever else is expected is ignored, and whatever HTTP/1.0
    expects: RFC 9110 §10.1.1.
    """
    if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # or aiohttp takes it for the beginning of the answer


async def read_body(request: web.Request, reservation: Reservation) -> bytes:
    """The whole body, unpacked; raise TooLarge, TooSlow, BrokenBody or Overloaded."""
    if _arrived(request) and "Content-Encoding" not in request.headers:  # as most do, together with their headers
        whole = request.content.read_nowait(-1)
        reservation.grow(len(whole))
        return whole
    async with body_deadline(request, reservation):
        return b"".join([piece async for piece in read_pieces(request, reservation)])


async def read_pieces(request: web.Request, reservation: Reservation) -> AsyncIterator[bytes]:
    """The body as it arrives, unpacked and counted; raise TooLarge, BrokenBody or Overloaded."""
    limit = reservation.limits.body
    if request.content_length is not None and request.content_length > limit:
        raise TooLarge(f"the body is bigger than {limit} bytes")
    unpacker = _unpacker(request.headers.get("Content-Encoding", ""))
    if not _arrived(request):
        await ask_now(request)
    packed = 0
    async for chunk in request.content.iter_any():
        if unpacker is None:
            reservation.grow(len(chunk))
            yield chunk
            continue
        packed += len(chunk)  # what unpacks to nothing is held nowhere, and yet it is read
        reservation.check(packed)
        for piece in unpacker.pieces(chunk):
            reservation.grow(len(piece))
            yield piece
            await asyncio.sleep(0)  # a chunk can unpack to a thousand times its size
    if unpacker is not None:
        unpacker.finish()


@asynccontextmanager
async def body_deadline(request: web.Request, reservation: Reservation) -> AsyncIterator[None]:
    """The time a body has to arrive.

    Raise TooSlow after it, Overloaded where it gave way to a smaller one, BrokenBody where it is cut off.
    """
    limits = reservation.limits
    gave_way = False
    try:
        async with asyncio.timeout(limits.body_timeout) as deadline:

            def give_way() -> None:
                nonlocal gave_way
                gave_way = True
                deadline.reschedule(0)

            reservation.gives_way(give_way)
            yield
    except TimeoutError:
        if gave_way:
            raise Overloaded("too many big requests at once") from None
        raise TooSlow(f"the body did not arrive within {limits.body_timeout:g} s") from None
    except web.RequestPayloadError:
        request.content.feed_eof()  # or aiohttp reads on after the answer
        raise BrokenBody(UNREADABLE) from None
    except ConnectionError:
        raise BrokenBody("the sender went away before the body had arrived") from None
    finally:
        reservation.gives_way(None)


def _arrived(request: web.Request) -> bool:
    return request.content.is_eof() and request.content.exception() is None


class _Unpacker:
    """Gzip or deflate, a piece at a time: no bomb is unpacked further than it is counted."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS) if encoding == "gzip" else None
        self._begun = False
        self._members = 1

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        try:
            more = bool(chunk)
            while more:
                stream = self._stream = self._stream_for(chunk)
                if piece := stream.decompress(chunk, PIECE):
                    yield piece
                chunk = stream.unconsumed_tail or stream.unused_data
                more = bool(chunk) or (len(piece) == PIECE and not stream.eof)  # it can hold back some without input
        except zlib.error:
            raise BrokenBody(UNREADABLE) from None

    def finish(self) -> None:
        """Raise BrokenBody where the end is missing. No body at all is none to unpack."""
        if self._begun and self._stream is not None and not self._stream.eof:
            raise BrokenBody(UNREADABLE)

    def _stream_for(self, chunk: bytes) -> "zlib._Decompress":
        if self._stream is None:  # what is called deflate comes with zlib's two bytes in front, or without
            self._stream = zlib.decompressobj(wbits=zlib.MAX_WBITS if chunk[0] & 0xF == 8 else -zlib.MAX_WBITS)
        elif self._stream.eof:
            self._members += 1
            if self._encoding != "gzip" or self._members > MEMBERS:
                raise BrokenBody(UNREADABLE)
            self._stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)  # one file after the other is one to gzip
        self._begun = True
        return self._stream


def _unpacker(encoding: str) -> _Unpacker | None:
    """None where nothing is packed; raise BrokenBody for an encoding that is not read."""
    match encoding.strip().lower():
        case "gzip" | "deflate" as known:
            return _Unpacker(known)
        case "br" | "zstd" as other:
            raise BrokenBody(f"Content-Encoding {other} is not read: send gzip, deflate, or the body as it is")
        case _:
            return None
