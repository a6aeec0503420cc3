"""What the bridge is reached by, as whoever asks sees it: the operator's word, or that of a proxy that is trusted.

Why not everyone is: X-Forwarded-Host and X-Forwarded-Proto are what anyone may send. What comes straight from outside
has neither, and where it has, they are its own.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network

from aiohttp import web

from bridge.settings import Network

#: This machine, and the networks of machines beside it.
PRIVATE: tuple[Network, ...] = tuple(
    ip_network(one)
    for one in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)

NOWHERE = "localhost"  # for whoever asks without a name that could be one
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")


class PublicAddress:
    """`public_url`, where there is one; else what the request says of itself, or a trusted proxy says of it."""

    def __init__(self, public_url: str | None, trusted_proxies: Sequence[Network]) -> None:
        self._public_url = public_url
        self._trusted = tuple(trusted_proxies)

    def of(self, request: web.Request) -> str:
        """The address that was asked, without its query."""
        path = request.rel_url.raw_path
        if self._public_url is not None:
            return self._public_url + path
        trusted = self.trusts(request.remote)
        scheme = _first(request, "X-Forwarded-Proto").lower() if trusted else ""
        host = _first(request, "X-Forwarded-Host") if trusted else ""
        known = next((one for one in (host, request.host) if _HOST.fullmatch(one)), NOWHERE)
        return f"{scheme if scheme in ('http', 'https') else request.scheme}://{known}{path}"

    def trusts(self, remote: str | None) -> bool:
        """Whether what this peer says of its own client is believed."""
        try:
            peer = ip_address((remote or "").partition("%")[0])
        except ValueError:
            return False
        if isinstance(peer, IPv6Address) and peer.ipv4_mapped is not None:  # a port for both families says so
            peer = peer.ipv4_mapped
        return any(peer in network for network in self._trusted)


def _first(request: web.Request, header: str) -> str:
    """What the proxy that the client asked said: the others add theirs behind it."""
    return request.headers.get(header, "").partition(",")[0].strip()
