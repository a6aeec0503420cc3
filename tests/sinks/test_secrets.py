"""What of a sink's settings is masked: each secret, and each part of one that gives it away, however it is echoed."""

import html
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from pydantic import SecretStr

from bridge.settings import Settings
from bridge.sinks.base import SinkConfig
from bridge.sinks.http import Response
from bridge.sinks.secrets import KnownSecrets
from tests.sinks.values import a_sink, config

HOST = "https://x.example"


def mask(text: str, header: str = "", url: str = HOST, **settings: Any) -> str:
    """What is left of a text at a program behind this URL, that gets this header."""
    headers = {"X-Key": header} if header else {}
    return KnownSecrets(config(type="webhook", url=url, headers=headers, **settings)).mask(text)


@pytest.mark.parametrize(
    ("header", "text", "masked"),
    [
        ("ab", "ab ab", "ab ab"),  # every text is full of these
        ("abc", "abc, key=abc, k%3Dabc%26, abcess xabc", "***, key=***, k%3D***%26, abcess xabc"),
        ("demo", "demo of a demonstration", "*** of a demonstration"),
        ("1234567", "1234567 12345678", "*** 12345678"),
        ("12345678", "12345678 x12345678x", "*** x***x"),
        ("elevensigns", "xelevensigns", "x***"),
        ("Bearer s3cret7", "no s3cret7, nor Bearer s3cret7, bearer", "no ***, nor ***, bearer"),
        ("Bearer 12345678", "Bearer, 12345678", "Bearer, ***"),
        ("12345678 87654321", "87654321 12345678", "*** ***"),
    ],
)
def test_a_short_secret_is_masked_as_a_whole_word_and_one_of_eight_signs_anywhere(
    header: str, text: str, masked: str
) -> None:
    assert mask(text, header) == masked


@pytest.mark.parametrize(
    ("url", "text", "masked"),
    [
        (HOST, "x.example", "x.example"),
        (f"{HOST}/?k=s3cr3t", "k=s3cr3t, s3cr3t", "k=***, ***"),
        (f"{HOST}/?k=12345678", "12345678 k=12345678", "12345678 k=***"),
        (f"{HOST}/?k=12345678abcdefgh", "x12345678abcdefghx", "x***x"),
        (f"{HOST}/?wait=true", "it is true that wait=true", "it is true that wait=***"),
        ("https://user:abc@x.example", "abc abcess", "*** abcess"),
        ("https://user:a%40bc@x.example", "a%40bc a@bc", "*** ***"),
        ("https://user:abcd@x.example", "Basic dXNlcjphYmNk", "Basic ***"),
        (f"{HOST}/12345/hook", "12345 /hook hook", "12345 /*** hook"),
        (f"{HOST}/1234567890123456/hook", "x1234567890123456", "x***"),
        (f"{HOST}/hooks/abcdefghijklmnop/in", "abcdefghijklmnop", "***"),
        (f"{HOST}/hooks/in-coming", "POST %2Fhooks%2Fin-coming: in-coming", "POST %2Fhooks%2F***: in-coming"),
        (f"{HOST}/hooks/inComing/", "inComing", "***"),
        (f"{HOST}/hooks/key1", "no key1, key12", "no ***, key12"),
        (f"{HOST}/hooks/k1", "k1", "k1"),
        (f"{HOST}/k3y1/hooks", "k3y1", "***"),
        (f"{HOST}/hooks/a%2Fb1", "a%2Fb1 a/b1", "*** ***"),
        ("https://hooks.zapier.com/hooks/catch/123456/bxyzqrw/", "/catch/123456/bxyzqrw", "/catch/123456/***"),
    ],
)
def test_of_an_address_what_gives_it_away_is_masked_by_itself(url: str, text: str, masked: str) -> None:
    assert mask(text, url=url) == masked


def test_the_password_of_a_proxy_is_masked_and_every_secret_of_several() -> None:
    keys = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]
    said = " ".join((*keys, "407 for pr0xy"))
    assert mask(said, secret=keys, proxy="socks5://user:pr0xy@127.0.0.1:1080") == "*** *** 407 for ***"


SPELLINGS: list[Callable[[str], str]] = [
    quote,
    lambda secret: quote(secret, safe=""),
    lambda secret: quote(secret, safe="").lower(),
    lambda secret: quote(quote(secret, safe=""), safe=""),
    lambda secret: quote(secret, safe="=&"),
    quote_plus,
    lambda secret: "".join(f"%{byte:02X}" for byte in secret.encode()),
    lambda secret: json.dumps(secret)[1:-1],
    lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    lambda secret: json.dumps(json.dumps(secret)[1:-1])[1:-1],
    lambda secret: "".join(f"\\u{ord(sign):04x}" for sign in secret),
    html.escape,
    lambda secret: "".join(f"&#{ord(sign)};" for sign in secret),
    lambda secret: "".join(f"&#x{ord(sign):X};" for sign in secret),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=map(str, range(len(SPELLINGS))))
@pytest.mark.parametrize("secret", ["p@s/s+w=o&r<d>\"'\\%41", "a+/b=", "k3y&", "two words &c"])
def test_a_secret_is_masked_in_whatever_spelling_a_gateway_echoes_it(
    secret: str, spelling: Callable[[str], str]
) -> None:
    said = f"no <{spelling(secret)}> here"
    attempt = a_sink(type="webhook", url=HOST, headers={"X-Key": secret}).judge(Response(500, {}, said.encode()))
    assert attempt.answer == "no <***> here"


def test_a_secret_is_found_however_deep_it_lies() -> None:
    class Inner(Settings):
        key: SecretStr
        others: dict[str, tuple[SecretStr, ...]]

    class Outer(SinkConfig):
        inner: Inner

    settings = {"inner": {"key": "first-key", "others": {"a": ["second-key"]}}}
    assert set(KnownSecrets(Outer.model_validate(settings)).texts()) == {"first-key", "second-key"}


def test_the_longest_is_masked_first_so_that_nothing_is_left_of_it() -> None:
    sink = a_sink(type="webhook", url=f"{HOST}/hooks/key1", headers={"X-Key": "key1key1"})
    assert sink.mask(f"POST {HOST}/hooks/key1: no key1, but key1key1 or key") == "POST ***: no ***, but *** or key"


@pytest.mark.parametrize("piece", ["%25", "%", "&#0", "\\", "\\u00", "+", "k3y", "%2525"])
def test_looking_through_a_hostile_answer_grows_with_its_length_and_no_faster(piece: str) -> None:
    """Of 8 times the text the work is 8 times as much; of one that is gone over again it would be 64 times."""
    secrets = KnownSecrets(config(type="webhook", url=f"{HOST}/k3y%25/k3y1?k=+&%25", headers={"X-Key": "%&\\+" * 4}))

    def work(size: int) -> float:
        text = piece * (size // len(piece))
        return min(_processor_time(secrets, text) for _ in range(3))

    assert work(2**17) < 24 * work(2**14)


def _processor_time(secrets: KnownSecrets, text: str) -> float:
    before = time.thread_time_ns()
    secrets.mask(text)
    return max(time.thread_time_ns() - before, 1)
