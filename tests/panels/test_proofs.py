"""What a panel says that only the customer has: of each panel that there is, whether it says such a thing, and what.

A customer shows what the panel gave them, a link; what the panel's webhook says has to be the same.
"""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadPayload
from bridge.panels.base import Panel
from bridge.people.pasted import proofs_in
from bridge.people.proof import Proof, ProofKey
from tests.panels.hearing import WORDS, opened
from tests.panels.recorded import recorded
from tests.polling.threexui import a_client

KEY = ProofKey("a-key-of-thirty-two-signs-or-more")
#: The panels that say it.
SAY = {"marzban", "pasarguard", "marzneshin", "rebecca", "remnawave", "3x-ui"}


def hashes(proofs: Iterable[Proof]) -> set[str]:
    return set(KEY.hashes(["realm"], proofs))


def elements(panel: str) -> list[tuple[Panel[Any], Any]]:
    """Whatever is recorded of a panel."""
    found = []
    for one in recorded(panel):
        try:
            found += [(opened(panel), element) for element in opened(panel).elements(one.hook)]
        except BadPayload:
            continue
    return found


@pytest.mark.parametrize("panel", sorted(WORDS.keys() - {"3x-ui"}))
def test_a_panel_says_it_or_is_known_not_to(panel: str) -> None:
    said = [one for door, element in elements(panel) for one in hashes(door.proofs(element))]
    assert bool(said) is (panel in SAY)


def test_rebecca_in_python_says_the_key_of_a_link_and_not_its_token() -> None:
    count = 0
    for door, element in elements("rebecca"):
        user = element.get("user") or {}
        for name, path in user.get("subscription_urls", {}).items():
            count += 1
            said = hashes(door.proofs(element)) & hashes(proofs_in(f"https://panel.example.com{path}"))
            assert bool(said) is (name != "token"), name
    assert count >= 20


@pytest.mark.parametrize("panel", ["marzban", "marzneshin"])
def test_every_link_that_the_panel_gives_is_recognised_but_marzbans_subscription(panel: str) -> None:
    count = 0
    for door, element in elements(panel):
        user = element.get("user") or {}
        links = list(user.get("links", []))
        if panel == "marzneshin":
            links.append(f"https://panel.example.com{user['subscription_url']}")
        for link in links:
            count += 1
            assert hashes(proofs_in(link)) & hashes(door.proofs(element)), link
        if links and panel == "marzban":
            assert not hashes(proofs_in(user["subscription_url"])) & hashes(door.proofs(element))
    assert count >= 10


def test_the_subscription_link_and_the_configurations_of_remnawave_are_recognised() -> None:
    count = 0
    for door, element in elements("remnawave"):
        user = element["data"].get("user") or element["data"]
        if "shortUuid" not in user or element["event"].startswith("service."):
            assert not hashes(door.proofs(element))
            continue
        count += 1
        for link in (
            user.get("subscriptionUrl") or f"https://sub.example.com/{user['shortUuid']}",
            f"https://panel.example.com/api/sub/{user['shortUuid']}/clash",
            f"vless://{user['vlessUuid']}@127.0.0.1:443",
            f"trojan://{user['trojanPassword']}@127.0.0.1:443",
            f"ss://chacha20-ietf-poly1305:{user['ssPassword']}@127.0.0.1:443",
        ):
            assert hashes(proofs_in(link)) & hashes(door.proofs(element)), link
    assert count >= 10


def test_the_configurations_of_pasarguard_are_recognised_and_its_subscription_link_is_not() -> None:
    count = 0
    for door, element in elements("pasarguard"):
        user = element.get("user") or {}
        settings = user.get("proxy_settings")
        if settings is None:
            continue
        count += 1
        for link in (
            f"vmess://{settings['vmess']['id']}@127.0.0.1:443",
            f"vless://{settings['vless']['id']}@127.0.0.1:443",
            f"trojan://{settings['trojan']['password']}@127.0.0.1:443",
            f"ss://chacha20-ietf-poly1305:{settings['shadowsocks']['password']}@127.0.0.1:443",
            f"hysteria2://{settings['hysteria']['auth']}@127.0.0.1:443",
        ):
            assert hashes(proofs_in(link)) & hashes(door.proofs(element)), link
        assert not hashes(proofs_in(f"https://x.example{user['subscription_url']}")) & hashes(door.proofs(element))
    assert count >= 10


def test_the_links_of_3x_ui_are_recognised() -> None:
    client = a_client(
        "alice", subId="x7k2m9q4w1z8v5b3", uuid="5f0d1b6e-93b2-4c1a-8d27-0a6b4c9e1f35", password="", auth=None
    )
    said = hashes(opened("3x-ui").proofs({"event": "client.updated", "client": client}))
    assert hashes(proofs_in("https://vpn.example.com:2096/sub/x7k2m9q4w1z8v5b3")) & said
    assert hashes(proofs_in("vless://5f0d1b6e-93b2-4c1a-8d27-0a6b4c9e1f35@127.0.0.1:443")) & said
    assert hashes(opened("3x-ui").proofs({"event": "node.down", "node": {"apiToken": "x" * 9}})) == set()


def test_what_changes_when_a_subscription_is_revoked_is_all_that_proves_something() -> None:
    before, after = (
        set[str]().union(
            *(
                hashes(door.proofs(one))
                for door, one in elements("marzban")
                if one.get("username") == "batch_b" and kind(one)
            )
        )
        for kind in (
            lambda one: one["action"] in ("user_created", "data_usage_reset"),
            lambda one: one["action"] in ("subscription_revoked", "user_limited"),
        )
    )
    assert before
    assert after
    assert not before & after


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "user",
                    "data",
                    "client",
                    "proxies",
                    "proxy_settings",
                    "vless",
                    "id",
                    "password",
                    "key",
                    "shortUuid",
                    "subId",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("panel", sorted(WORDS))
@given(element=JSON)
def test_no_element_is_too_odd_to_be_asked(panel: str, element: Any) -> None:
    assert all(isinstance(one.value, str) for one in opened(panel).proofs(element))
