"""Links that stop mail: ours are known again, and nothing else is."""

import string

import pytest

from bridge.people.stop_link import StopLinks

KEY, PLACE = "a-key-of-thirty-two-signs-or-more", "0123456789abcdef"
LINKS = StopLinks("https://bridge.example.com", KEY)


def token_of(links: StopLinks, place: str = PLACE) -> str:
    return links.link(place).rpartition("/")[2]


def test_a_link_is_the_same_at_every_try_and_known_by_whoever_has_the_key() -> None:
    assert LINKS.link(PLACE) == StopLinks("https://bridge.example.com", KEY).link(PLACE)
    assert LINKS.link(PLACE).startswith("https://bridge.example.com/stop/")
    assert StopLinks("https://elsewhere.example.com", KEY).place_of(token_of(LINKS)) == PLACE


def test_whatever_is_changed_in_a_token_makes_it_none() -> None:
    token = token_of(LINKS)
    signs = string.ascii_letters + string.digits + "-_. /=%\u0661"
    for at, sign in enumerate(token):
        for other in signs.replace(sign, ""):
            assert LINKS.place_of(token[:at] + other + token[at + 1 :]) is None
    for one in (token[:-1], f"{token}A", f"{token}=", f"{token}\n", f" {token}", token * 1000, "", "-", PLACE):
        assert LINKS.place_of(one) is None


@pytest.mark.parametrize("other", [token_of(LINKS, "0123456789abcdee"), token_of(StopLinks(LINKS.base, KEY[::-1]))])
def test_a_proof_holds_for_its_place_and_key_alone(other: str) -> None:
    assert LINKS.place_of(f"{PLACE}-{other.partition('-')[2]}") is None


def test_the_key_is_not_shown() -> None:
    assert KEY not in repr(LINKS)
