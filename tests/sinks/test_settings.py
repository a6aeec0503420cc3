"""What of a sink's settings is masked: each secret, and each part of one that gives it away; and nothing shorter."""

from typing import Any

import pytest
from pydantic import SecretStr

from bridge.settings import Settings
from bridge.sinks.base import SinkConfig, secrets_of
from tests.sinks.values import a_sink, config

HOST = "https://x.example"


def masked(header: str = "", url: str = HOST, **settings: Any) -> list[str]:
    """The secrets of a program behind this URL, beside the URL, that gets this header; the longest first."""
    headers = {"X-Key": header} if header else {}
    found = secrets_of(config(type="webhook", url=url, headers=headers, **settings))
    return [secret for secret in found if secret != url]


@pytest.mark.parametrize(
    ("header", "secrets"),
    [
        ("abc", []),  # it would tear holes into every text
        ("abcd", ["abcd"]),
        ("elevensigns", ["elevensigns"]),
        ("Bearer 1234567", ["Bearer 1234567"]),
        ("Bearer 12345678", ["Bearer 12345678", "12345678"]),
        ("12345678 87654321", ["12345678 87654321", "12345678", "87654321"]),
    ],
)
def test_a_secret_of_four_signs_is_masked_and_a_word_of_it_that_has_eight(header: str, secrets: list[str]) -> None:
    found = masked(header)
    assert sorted(found) == sorted(secrets)
    assert list(map(len, found)) == sorted(map(len, found), reverse=True)


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        (HOST, []),
        (f"{HOST}/?k=1234567", []),
        (f"{HOST}/?k=12345678", ["12345678"]),
        (f"{HOST}/?k=short&key=12345678&other=abcdefgh", ["12345678", "abcdefgh"]),
        ("https://user:abc@x.example", []),
        ("https://user:abcd@x.example", ["abcd"]),
        ("https://user:a%40bc@x.example", ["a%40bc", "a@bc"]),
        (f"{HOST}/123456789012345/hook", []),
        (f"{HOST}/1234567890123456/hook", ["1234567890123456"]),
        (f"{HOST}/services/T0/B0/1234567890123456", ["1234567890123456"]),
        (f"{HOST}/hooks/abcdefghijklmnop/in", ["abcdefghijklmnop"]),
        (f"{HOST}/hooks/in-coming", []),  # a word, however many signs it has up to sixteen
        (f"{HOST}/hooks/abcdefghijklmno", []),
        (f"{HOST}/hooks/abcdefghijklmnop", ["abcdefghijklmnop"]),
        (f"{HOST}/hooks/inComing", ["inComing"]),
        (f"{HOST}/hooks/inComing/", ["inComing"]),
        (f"{HOST}/hooks/key1", ["key1"]),
        (f"{HOST}/hooks/k1", []),
        (f"{HOST}/k3y1/hooks", []),
        (f"{HOST}/hooks/a%2Fb1", ["a%2Fb1"]),
    ],
)
def test_of_an_address_what_gives_it_away_is_masked_by_itself(url: str, secrets: list[str]) -> None:
    assert sorted(masked(url=url)) == sorted(secrets)


def test_a_proxys_password_is_masked_and_every_secret_of_several() -> None:
    keys = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]
    found = masked(secret=keys, proxy="socks5://user:pr0xy@127.0.0.1:1080")
    assert sorted(found) == sorted([*keys, "socks5://user:pr0xy@127.0.0.1:1080", "pr0xy"])


def test_a_secret_is_found_however_deep_it_lies() -> None:
    class Inner(Settings):
        key: SecretStr
        others: dict[str, tuple[SecretStr, ...]]

    class Outer(SinkConfig):
        inner: Inner

    settings = {"inner": {"key": "first-key", "others": {"a": ["second-key"]}}}
    assert set(secrets_of(Outer.model_validate(settings))) == {"first-key", "second-key"}


def test_the_longest_is_masked_first_so_that_nothing_is_left_of_it() -> None:
    sink = a_sink(type="webhook", url=f"{HOST}/hooks/key1", headers={"X-Key": "key1key1"})
    assert sink.mask(f"POST {HOST}/hooks/key1: no key1, but key1key1 or key") == "POST ***: no ***, but *** or key"
