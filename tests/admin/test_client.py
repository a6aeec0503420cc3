"""Who asks, as an address."""

from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request

from bridge.admin.access.client import NOWHERE, client_address

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


class Peer:
    """The other end of a connection."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get_extra_info(self, name: str) -> object:
        return (self._address, 50000) if name == "peername" else None


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["192.0.2.1"], "203.0.113.7"),  # what anyone may send
        ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["1.1.1.1, 192.0.2.1"], "192.0.2.1"),  # the proxy has added the last one
        ("10.0.0.1", ["1.1.1.1", "192.0.2.1, 10.9.9.9"], "192.0.2.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("::ffff:203.0.113.7", [], "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", [], "2001:db8:1:2::/64"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::/64"),
        ("fe80::1%eth0", [], "fe80::/64"),
        ("", ["192.0.2.1"], NOWHERE),
    ],
)
def test_the_address_that_counts(peer: str, forwarded: list[str], client: str) -> None:
    headers = [("X-Forwarded-For", one) for one in forwarded]
    request = make_mocked_request("GET", "/", headers=headers, transport=Peer(peer))
    assert client_address(request, PROXIES) == client
