"""Who asks, as an address: the peer's own, or what a proxy that is trusted says of it."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import web

from bridge.settings import Network

NOWHERE = "?"  # what no address can be read from


def client_address(request: web.Request, proxies: Sequence[Network]) -> str:
    """The address that counts as one client: of IPv6 the /64, which one customer has.

    X-Forwarded-For is read from its end, for what stands before the last proxy's word is what anyone may send.
    """
    found = _address(request.remote or "")
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    while found is not None and forwarded and any(found in one for one in proxies):
        if (further := _address(forwarded.pop())) is None:
            break
        found = further
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return str(found) if found is not None else NOWHERE


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:  # a port for both families says so
        return found.ipv4_mapped
    return found
