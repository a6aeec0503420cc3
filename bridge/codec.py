"""JSON as bytes: written at once, and read without holding up the loop, however big it is."""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

BIG = 256 * 1024  # bytes; what is smaller is read in about three milliseconds
PIECE = 64 * 1024  # bytes that are read at once


def dump(value: Any) -> bytes:
    """Compact UTF-8 JSON, serialised once: what is signed is what is sent. Null for what JSON has no number for."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:  # half a surrogate pair
        return _encode(finite(value)).encode("utf-8", "replace")


def decode(body: bytes | str) -> Any:
    """The JSON value; raise ValueError for what is none, and for some that is: numbers too big for a float, a byte
    order mark, half a surrogate pair.
    """
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None


def load(text: str) -> Any:
    """What `dump` wrote."""
    if len(text) > BIG:
        with suppress(ValueError):
            return load_in_pieces(text.encode())
    return decode(text)


def load_in_pieces(body: bytes) -> Any:
    """The JSON value, read so that other threads get their turn after every piece: `json` holds them all up meanwhile.

    Costs two to four times as much, so it is for what is BIG. Raise ValueError for what is no JSON, and for some of
    what is: whole numbers beyond 64 bits, a byte order mark. A lone surrogate's escape becomes `?`.
    """
    from ijson.backends import yajl2_c  # a megabyte that most bridges never need
    from ijson.common import JSONError
    from ijson.utils import sendable_list

    values = sendable_list()
    reader = yajl2_c.items_coro(values, "", use_float=True)
    try:
        for start in range(0, len(body), PIECE):
            reader.send(body[start : start + PIECE])
        reader.close()
    except (JSONError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from None
    return values[0]


_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder()
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def finite(value: Any) -> Any:
    """The value with null for what JSON has no number for."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return value
