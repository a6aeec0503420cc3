"""Where the bridge listens: a port of this machine, of IPv4 and IPv6."""

import errno
import re
import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator

from bridge.errors import BridgeError

BACKLOG = 1024  # connections that wait to be taken
ANY_ADDRESS = ("", "*", "[::]")  # as a host in `listen`: all addresses, of both families


def _listen_address(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not colon or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535 or not _is_host(host):
        raise ValueError("should be host:port, as in 0.0.0.0:8080 or [::]:8080")
    return value


def _is_host(host: str) -> bool:
    """Whether it is a name or an address, of IPv6 in brackets; or nothing, which is all addresses."""
    bare = host.removeprefix("[").removesuffix("]")
    with suppress(ValueError):
        return ip_address(bare).version == 4 or host == f"[{bare}]"
    return re.search(r"[\s\x00-\x1f\x7f\[\]:/@]", host) is None


#: host:port; without a host, all addresses.
ListenAddress = Annotated[str, AfterValidator(_listen_address)]


def is_reachable(listen: str) -> bool:
    """Whether other machines may reach what listens there."""
    host = listen.rpartition(":")[0].strip("[]")
    with suppress(ValueError):
        return not ip_address(host).is_loopback
    return host != "localhost"


def clash(one: str, other: str) -> bool:
    """Whether two cannot be listened to at once: the same port of the same host, or of all hosts."""
    (host, _, port), (other_host, _, other_port) = one.rpartition(":"), other.rpartition(":")
    return int(port) == int(other_port) != 0 and (_takes(host, other_host) or _takes(other_host, host))


def _takes(host: str, other: str) -> bool:
    """Whether who listens on the one listens on the other as well."""
    if host == other or host in ANY_ADDRESS:
        return True
    with suppress(ValueError):
        address, its = (ip_address("127.0.0.1" if name == "localhost" else name.strip("[]")) for name in (host, other))
        return address == its or (address.is_unspecified and address.version == its.version)
    return False


def on_loopback(listen: str) -> str:
    """The same port, on this machine alone."""
    return f"127.0.0.1:{listen.rpartition(':')[2]}"


def bound_socket(listen: str, *, setting: str = "listen") -> socket.socket:
    """The bound port, of IPv4 and IPv6 alike where all addresses are meant; BridgeError where it is not to be had."""
    host, _, port = listen.rpartition(":")
    try:
        if host in ANY_ADDRESS:
            return _bound_everywhere(int(port))
        family, *_, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:  # a name that is too long for any
        reason = error.strerror if isinstance(error, OSError) else "that is no name of a host"
        raise BridgeError(f"{setting}: cannot listen on {listen}: {reason}") from None


def _bound_everywhere(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
        except OSError as error:
            if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):  # the kernel knows IPv6, and has none
                raise
    return socket.create_server(("0.0.0.0", port), backlog=BACKLOG)  # noqa: S104 that is what was asked for


def address_of(listener: socket.socket) -> str:
    """Where it listens: host and port."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
