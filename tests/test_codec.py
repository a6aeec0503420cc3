"""JSON as bytes: what is big is read in pieces, and says the same."""

import json
import sys
from types import FrameType
from typing import Any

import pytest
from hypothesis import given

from bridge.codec import BIG, PIECE, dump, load, load_in_pieces
from bridge.errors import BadPayload
from bridge.foreign import parse_json
from tests.panels.hearing import JSON

FILLING = " " * BIG


@given(JSON)
def test_what_was_written_is_read_whatever_its_size(value: Any) -> None:
    written = dump(value).decode()
    assert load(written + FILLING) == load(written) == json.loads(written)


@given(JSON)
def test_a_big_body_is_understood_as_a_small_one(value: Any) -> None:
    body = json.dumps(value).encode()
    assert understood(body + FILLING.encode()) == understood(body)


@pytest.mark.parametrize(
    "text",
    [
        "[123456789012345678901234567890]",
        "[9223372036854775808, -9223372036854775809, 1e3, -0.0, 0.1]",
        r'["\ud800", "\u0000", "\ud83d\ude00"]',
        '{"a": 1, "a": {"b": 2}, "": []}',
        '\ufeff{"a": 1}',
        "[1] [2]",
        "[1e400]",
        "[NaN]",
        "[1,]",
        '["a\nb"]',
        "[" * 200 + "]" * 200,
        "",
    ],
)
def test_what_a_reader_in_pieces_would_take_otherwise_is_understood_as_a_small_body_is(text: str) -> None:
    assert understood(text.encode() + FILLING.encode()) == understood(text.encode())


def test_the_interpreter_has_its_turn_after_every_piece() -> None:
    """Only between two calls can it switch to another thread."""
    body, calls = b"[" + b",".join([b"0"] * (8 * PIECE)) + b"]", 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "c_call"

    sys.setprofile(count)
    try:
        value = load_in_pieces(body)
    finally:
        sys.setprofile(None)
    assert len(value) == 8 * PIECE
    assert calls >= len(body) / PIECE


def understood(body: bytes) -> Any:
    """The value, or why it is none; a place in the text counts for nothing."""
    try:
        return repr(parse_json(body))
    except BadPayload as error:
        return error.reason.partition(" at line ")[0]
