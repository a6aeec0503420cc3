"""What a stranger gets: an answer, and nothing that grows with what was sent."""

import gzip
import hashlib
import hmac
import json
import zlib

import aiohttp
import pytest

from bridge.ingress.budget import MemoryBudget
from bridge.ingress.limits import Limits, Overloaded
from tests.fakes import FakeClock
from tests.ingress.feeding import CHUNK, begun, fed
from tests.ingress.running import ELEMENT, HEADERS, SECRET, SIGNED, TOKEN, Ingress, post, running_ingress

MANY = 100_000_000
FORM = "Content-Type: application/x-www-form-urlencoded"
PARTS = "Content-Type: multipart/form-data; boundary=x"
JSON = "Content-Type: application/json"


@pytest.mark.parametrize("length", [f"Content-Length: {MANY}", "Content-Length: 31000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(
    "encoding", ["", "Content-Encoding: gzip", "Content-Encoding: deflate", "Content-Encoding: br"]
)
@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/in/marzban", "x-webhook-secret: wrong", 401),
        ("/in/marzban", "", 401),
        (f"/in/marzban/{SECRET}", "", 401),
        ("/in/program/wrong", JSON, 401),
        ("/in/program", "Authorization: Bearer wrong", 401),
        ("/in/program?access_token=wrong", "", 401),
        ("/in/orb/wrong", JSON, 401),
        ("/in/events", "Authorization: Bearer wrong", 401),
        ("/in/events", "webhook-signature: v1,x", 401),
        ("/in/events", "webhook-signature: v1,x\r\nwebhook-timestamp: 1", 401),
        ("/in/signed", "", 401),
        ("/in/signed", "X-Remnawave-Signature: 00", 401),
        ("/in/nobody", "", 404),
        ("/in/marzban/a/b", "", 404),
        ("/api/webhooks/chat/wrong", JSON, 401),
        ("/api/webhooks/chat/wrong", FORM, 401),
        ("/api/webhooks/chat/wrong", PARTS, 401),
        ("/api/webhooks/chat/wrong?thread_id=1", JSON, 401),
        (f"/api/webhooks/nobody/{TOKEN}", PARTS, 404),
        (f"/api/webhooks/marzban/{TOKEN}", FORM, 404),
    ],
)
async def test_a_body_that_nothing_proves_is_not_read(
    ingress: Ingress, path: str, headers: str, status: int, encoding: str, length: str
) -> None:
    head = "\r\n".join(filter(None, (f"POST {path} HTTP/1.1", "Host: x", headers, encoding, length)))
    chunked = b"%x\r\n" % CHUNK + b" " * CHUNK + b"\r\n"
    more = {"chunk": chunked} if "chunked" in length else {}
    feeder = await fed(ingress.server, head, size=MANY, **more)
    assert feeder.answer.startswith(f"HTTP/1.1 {status}".encode())
    assert b"\r\nConnection: close\r\n" in feeder.answer
    await feeder.ended()
    assert feeder.taken <= 4 * CHUNK


@pytest.mark.parametrize("path", ["/in/marzban", "/in/signed", "/api/webhooks/chat/wrong"])
async def test_a_stranger_that_asks_whether_to_send_is_told_not_to(ingress: Ingress, path: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nExpect: 100-continue"
    feeder = await fed(ingress.server, head, size=0)
    assert feeder.answer.startswith(b"HTTP/1.1 401")


async def test_a_panel_that_asks_whether_to_send_is_told_to(ingress: Ingress) -> None:
    body = json.dumps(ELEMENT).encode()
    head = f"POST /in/marzban HTTP/1.1\r\nHost: x\r\nx-webhook-secret: {SECRET}\r\nExpect: 100-continue"
    feeder = await fed(ingress.server, f"{head}\r\nContent-Length: {len(body)}", size=0)
    assert feeder.answer == b"HTTP/1.1 100 Continue\r\n\r\n"
    feeder.answer = b""
    await feeder.offer(b"", len(body), body)
    await feeder.answered()
    assert feeder.answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/in/signed", "/in/events"])
async def test_what_only_the_body_can_prove_is_read_up_to_the_share_of_strangers(
    store_url: str, clock: FakeClock, path: str
) -> None:
    async with running_ingress(store_url, clock, Limits(unproven=200_000)) as ingress:
        stamp = int(clock.now().timestamp())
        signs = f"webhook-signature: v1,x\r\nwebhook-timestamp: {stamp}\r\nX-Remnawave-Signature: {'0' * 64}"
        chunked = b"%x\r\n" % CHUNK + b" " * CHUNK + b"\r\n"
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\n{signs}\r\nTransfer-Encoding: chunked"
        feeder = await fed(ingress.server, head, chunk=chunked)
        assert feeder.answer.startswith(b"HTTP/1.1 413")
        assert feeder.taken <= 200_000 + 6 * CHUNK


async def test_what_only_the_body_can_prove_is_unpacked_no_further(store_url: str, clock: FakeClock) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    head = f"POST /in/signed HTTP/1.1\r\nHost: x\r\nX-Remnawave-Signature: {'0' * 64}\r\nContent-Encoding: gzip"
    async with running_ingress(store_url, clock, Limits(unproven=200_000)) as ingress:
        feeder = await fed(ingress.server, f"{head}\r\nContent-Length: {len(bomb)}", size=len(bomb), chunk=bomb)
    assert feeder.answer.startswith(b"HTTP/1.1 413")


EMPTY_FILE = gzip.compress(b"", mtime=0)


@pytest.mark.parametrize(
    "chunk", [EMPTY_FILE, EMPTY_FILE[:10] + b"\x00\x00\x00\xff\xff" * 1000], ids=["files", "blocks"]
)
async def test_what_unpacks_to_nothing_is_read_no_further_either(
    store_url: str, clock: FakeClock, chunk: bytes
) -> None:
    """Empty files one after the other, and one whose blocks are empty."""
    head = f"POST /in/signed HTTP/1.1\r\nHost: x\r\nX-Remnawave-Signature: {'0' * 64}\r\nContent-Encoding: gzip"
    parts = b"".join([chunk] * (CHUNK // len(chunk)))
    async with running_ingress(store_url, clock, Limits(unproven=200_000)) as ingress:
        chunked = b"%x\r\n" % len(parts) + parts + b"\r\n"
        feeder = await fed(ingress.server, f"{head}\r\nTransfer-Encoding: chunked", chunk=chunked)
    assert feeder.answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 413")
    assert feeder.taken <= 200_000 + 6 * CHUNK


@pytest.mark.parametrize("body", [b"{" * 1000, b"[" + b"0," * 1_000_000 + b"0]", b'{"timestamp": NaN}'])
async def test_what_is_not_signed_is_not_parsed(
    ingress: Ingress, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    def parse(*_: object) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr("bridge.panels.remnawave.panel.parse_json", parse)
    monkeypatch.setattr("bridge.panels.base.parse_json", parse)
    headers = {"X-Remnawave-Signature": "0" * 64}
    assert (await post(http, f"{ingress.url}/in/signed", body, headers=headers))[0] == 401


async def test_a_signed_body_is_taken_packed_or_not(ingress: Ingress, http: aiohttp.ClientSession) -> None:
    body = json.dumps(
        {"event": "user.created", "timestamp": "2026-11-21T00:00:00Z", "data": {"username": "a"}}
    ).encode()
    signed = {"X-Remnawave-Signature": hmac.new(SIGNED.encode(), body, hashlib.sha256).hexdigest()}
    url = f"{ingress.url}/in/signed"
    assert (await post(http, url, body, headers=signed))[0] == 200
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": [gzip.compress(body), gzip.compress(body[:9]) + gzip.compress(body[9:])],
        "deflate": [zlib.compress(body), raw.compress(body) + raw.flush()],
    }
    for encoding, bodies in packed.items():
        for one in bodies:
            assert (await post(http, url, one, headers={**signed, "Content-Encoding": encoding}))[0] == 200


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"not gzip"),
        ("gzip", gzip.compress(b"[]", mtime=0)[:-9]),
        ("gzip", gzip.compress(b"[]", mtime=0) + b"more"),
        ("deflate", b"\x00\x01"),
        ("deflate", zlib.compress(b"[]")[:-5]),
        ("deflate", zlib.compress(b"[]") * 2),
        ("br", b"x"),
        ("zstd", b"x"),
    ],
)
async def test_what_is_not_packed_as_it_says_is_400(
    ingress: Ingress, http: aiohttp.ClientSession, encoding: str, body: bytes
) -> None:
    headers = {**HEADERS, "Content-Encoding": encoding}
    assert (await post(http, f"{ingress.url}/in/marzban", body, headers=headers))[0] == 400


async def test_whatever_is_packed_comes_out_whole(ingress: Ingress, http: aiohttp.ClientSession) -> None:
    elements = [{**ELEMENT, "username": f"user_{n}", "note": "ab" * n} for n in range(1500)]
    body = json.dumps(elements).encode()
    for encoding, packed in {"gzip": gzip.compress(body), "deflate": zlib.compress(body)}.items():
        headers = {**HEADERS, "Content-Encoding": encoding}
        status, answer = await post(http, f"{ingress.url}/in/marzban", packed, headers=headers)
        assert (status, answer["accepted"] + answer.get("repeated", 0)) == (200, 1500)


# What strangers hold together


def test_strangers_hold_none_of_the_panels_memory() -> None:
    budget = MemoryBudget(Limits(body=100, memory=100, unproven=50))
    with budget.reserve(proven=False) as stranger, budget.reserve(proven=False) as other, budget.reserve() as panel:
        stranger.grow(50)
        panel.grow(100)
        with pytest.raises(Overloaded):
            other.grow(1)


def test_what_has_proved_itself_leaves_the_strangers_their_share() -> None:
    budget = MemoryBudget(Limits(body=100, memory=100, unproven=50))
    with budget.reserve(proven=False) as first, budget.reserve(proven=False) as second:
        first.grow(50)
        first.prove()
        second.grow(50)


def test_the_biggest_stranger_gives_way_to_a_smaller_one() -> None:
    budget = MemoryBudget(Limits(body=100, memory=100, unproven=50))
    gone: list[str] = []
    with (
        budget.reserve(proven=False) as big,
        budget.reserve(proven=False) as small,
        budget.reserve(proven=False) as panel,
    ):
        for name, one, size in (("big", big, 30), ("small", small, 20)):
            one.gives_way(lambda name=name: gone.append(name))  # type: ignore[misc]
            one.grow(size)
        panel.grow(15)
        assert gone == ["big"]
        panel.grow(15)
        with pytest.raises(Overloaded):
            panel.grow(15)
    assert gone == ["big"]


async def test_a_small_signed_request_finds_room_whatever_strangers_hold(
    store_url: str, clock: FakeClock, http: aiohttp.ClientSession
) -> None:
    body = json.dumps(
        {"event": "user.created", "timestamp": "2026-11-21T00:00:00Z", "data": {"username": "a"}}
    ).encode()
    signed = {"X-Remnawave-Signature": hmac.new(SIGNED.encode(), body, hashlib.sha256).hexdigest()}
    head = f"POST /in/signed HTTP/1.1\r\nHost: x\r\nX-Remnawave-Signature: {'0' * 64}\r\nContent-Length: 90000"
    async with running_ingress(store_url, clock, Limits(unproven=100_000)) as ingress:
        strangers = [await begun(ingress.server, head, size) for size in (60_000, 30_000, 9_999)]
        assert (await post(http, f"{ingress.url}/in/signed", body, headers=signed))[0] == 200
        assert (await post(http, f"{ingress.url}/in/marzban", ELEMENT))[0] == 200
        await strangers[0].answered()
        assert [one.answer[9:12] for one in strangers] == [b"503", b"", b""]
        for one in strangers:
            one.close()
