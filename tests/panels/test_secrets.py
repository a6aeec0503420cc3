"""A secret that stands in a header is known in every encoding that panels write headers in."""

from typing import Any

import pytest

from bridge.errors import BadSignature
from bridge.panels.base import Hook, Panel, header_obstacle
from tests.panels.hearing import REQUIRED, WORDS
from tests.panels.recorded import ARRIVAL

ACCENTED = "schlüssel-für-die-brücke"
PERSIAN = "رمز-خیلی-محرمانه"

#: The panels whose secret is sent as it is, and the header that it stands in.
HEADERS = {
    **dict.fromkeys(("marzban", "pasarguard", "marzneshin", "rebecca", "json", "cloudevents"), "x-webhook-secret"),
    **dict.fromkeys(("wgdashboard", "uptimekuma", "defguard", "orbvpn", "alertmanager"), "x-webhook-secret"),
    "wgportal": "Authorization",
}


def panel(word: str, *secrets: str) -> Panel[Any]:
    settings = {"panel": word, "secret": list(secrets), **REQUIRED.get(word, {})}
    return WORDS[word].model_validate(settings).open()


def sent(word: str, value: bytes) -> Hook:
    """The request with these bytes in its header, as aiohttp reads them."""
    return Hook(b"", ARRIVAL, {HEADERS[word]: value.decode("utf-8", "surrogateescape")})


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("word", HEADERS)
def test_a_secret_is_known_as_utf_8_and_as_latin_1(word: str, encoding: str) -> None:
    assert panel(word, "another", ACCENTED).verify_head(sent(word, ACCENTED.encode(encoding)))


@pytest.mark.parametrize("word", HEADERS)
def test_one_that_latin_1_has_no_signs_for_is_known_as_utf_8(word: str) -> None:
    assert panel(word, PERSIAN).verify_head(sent(word, PERSIAN.encode()))


@pytest.mark.parametrize("given", [b"", b"?", ACCENTED.encode("utf-16"), ACCENTED.encode("cp437"), b"\xff\xfe\x00"])
@pytest.mark.parametrize("secret", [ACCENTED, PERSIAN])
@pytest.mark.parametrize("word", HEADERS)
def test_nothing_else_is(word: str, secret: str, given: bytes) -> None:
    with pytest.raises(BadSignature):
        panel(word, secret).verify_head(sent(word, given))


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer "])
def test_a_bearer_token_is_known_in_either(scheme: str) -> None:
    for encoding in ("utf-8", "latin-1"):
        value = (scheme + ACCENTED).encode(encoding).decode("utf-8", "surrogateescape")
        assert panel("defguard", ACCENTED).verify_head(Hook(b"", ARRIVAL, {"Authorization": value}))


@pytest.mark.parametrize("secret", ["plain", "two words", "tab\tinside", ACCENTED, PERSIAN])
def test_what_a_header_can_have_is_no_obstacle(secret: str) -> None:
    assert header_obstacle(secret) is None
