"""Forms: what they may hold, at its limits, and what is kept of them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.errors import BadPayload
from bridge.event import JsonObject
from bridge.foreign import SLICE
from bridge.ingress.forms import form_json, multipart_json
from bridge.ingress.limits import Limits

LIMITS = Limits()


def form(body: bytes, limits: Limits = LIMITS) -> Any:
    return json.loads(form_json(body, limits))


def multipart(*pieces: bytes, limits: Limits = LIMITS) -> tuple[Any, list[JsonObject]]:
    async def arriving() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    body, files = asyncio.run(multipart_json('multipart/form-data; boundary="x"', arriving(), limits))
    return json.loads(body), files


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


END = b"--x--\r\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"content=a+b%20c&username=%D8%B9", {"content": "a b c", "username": "ع"}),
        (b"content=1&content=2&other=3&&", {"content": "2"}),
        (b"c%6Fntent=x=y", {"content": "x=y"}),
        (b"content", {"content": ""}),
        (b"content=%ff%zz%", {"content": "\ufffd%zz%"}),
        (b"payload_json=%7B%22a%22%3A+1%7D&content=no", {"a": 1}),
        (b"", {}),
    ],
)
def test_a_form_is_read_as_a_browser_means_it(body: bytes, message: Any) -> None:
    assert form(body) == message


@pytest.mark.parametrize("before", range(6))
def test_a_big_field_is_the_same_wherever_it_is_cut(before: int) -> None:
    text = "a" * before + "é%ع" * SLICE
    quoted = "".join(f"%{byte:02X}" for byte in text.encode()).encode()
    assert form(b"content=" + quoted) == {"content": text}


def test_a_form_may_have_a_thousand_fields_and_not_one_more() -> None:
    fields = [b"content=x", *[b"a=b"] * 999]
    assert form(b"&".join(fields)) == {"content": "x"}
    with pytest.raises(BadPayload, match="1000 fields"):
        form(b"&".join([*fields, b"a=b"]))


def test_a_form_may_have_32_parts_and_not_one_more() -> None:
    parts = [part("content", b"x"), *[part("a", b"b")] * 31]
    assert multipart(*parts, END) == ({"content": "x"}, [])
    with pytest.raises(BadPayload):
        multipart(*parts, part("a", b"b"), END)


@pytest.mark.parametrize("name", ["msg.json", "blob", ""])
def test_the_payload_is_the_message_though_it_comes_as_a_file(name: str) -> None:
    payload = part("payload_json", b'{"content": "x"}', f'; filename="{name}"\r\nContent-Type: application/json')
    beside = part("files[0]", b"bytes", '; filename="a.txt"')
    files = [{"filename": "a.txt", "content_type": ""}]
    assert multipart(payload, beside, END) == multipart(beside, payload, END) == ({"content": "x"}, files)


@pytest.mark.parametrize("headers", [["A: " + "b" * 8200], [f"A{n}: " + "b" * 900 for n in range(10)], ["A: b"] * 40])
def test_a_part_may_have_8_kib_of_headers_and_no_more(headers: list[str]) -> None:
    assert multipart(part("content", b"x", "\r\nA: " + "b" * 7000), END)[0] == {"content": "x"}
    with pytest.raises(BadPayload):
        multipart(part("content", b"x", "".join(f"\r\n{one}" for one in headers)), END)


def test_a_header_without_end_is_refused_before_it_is_kept() -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        yield b"--x\r\nContent-Disposition: "
        while taken < 100_000_000:
            taken += 1000
            yield b"a" * 1000

    with pytest.raises(BadPayload):
        asyncio.run(multipart_json("multipart/form-data; boundary=x", endless(), LIMITS))
    assert taken <= 10_000


def test_a_kilobyte_may_stand_before_the_first_part_and_not_more() -> None:
    assert multipart(b"p" * 1022 + b"\r\n" + part("content", b"x"), END)[0] == {"content": "x"}
    for pieces in ([b"p" * 1023 + b"\r\n" + part("content", b"x")], [b"p"] * 1100):
        with pytest.raises(BadPayload):
            multipart(*pieces, END)


def test_parts_may_arrive_in_any_pieces() -> None:
    body = (
        part("content", "سلام".encode()) + part("f", b"\r\n--y", '; filename="ع.csv"\r\nContent-Type: text/csv') + END
    )
    expected = ({"content": "سلام"}, [{"filename": "ع.csv", "content_type": "text/csv"}])
    for size in (1, 2, 3, 7, len(body)):
        assert multipart(*(body[at : at + size] for at in range(0, len(body), size))) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        part("content", b"x"),
        part("content", b"x") + b"--x",
        b"--x\r\nContent-Type: text/plain\r\n\r\nx\r\n" + END,
        part("content", b"x", "\r\nContent-Type: multipart/mixed; boundary=y") + END,
    ],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload, match="the form cannot be read"):
        multipart(body)
