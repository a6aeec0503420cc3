"""Where the bridge listens: a port of this machine, of IPv4 and IPv6."""

import errno
import socket

from bridge.errors import BridgeError

BACKLOG = 1024  # connections that wait to be taken
ANY_ADDRESS = ("", "*", "[::]")  # as a host in `listen`: all addresses, of both families


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
