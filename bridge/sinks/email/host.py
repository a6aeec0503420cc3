"""A mail server's host, as the file names it."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator


def is_here(host: str) -> bool:
    """Whether it is this machine: only there nothing need be encrypted."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _host(value: str) -> str:
    if not value or not value.isascii() or not value.isprintable() or any(one in value for one in " /@,"):
        raise ValueError("should be the name of a host alone, as smtp.example.com")
    if ":" in value and not _is_address(value):
        raise ValueError("should be the name of a host alone: the port stands under port")
    return value.lower()


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


#: The name of a host alone, or its address.
HostName = Annotated[str, AfterValidator(_host)]
