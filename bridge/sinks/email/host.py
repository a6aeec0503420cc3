"""A mail server's host, as the file names it."""

from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator

_NEVER = " /@,[]\\#?%<>^`{}|\"'"  # what no name of a host has, nor an address


def is_here(host: str) -> bool:
    """Whether it is this machine: only there nothing need be encrypted."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _host(value: str) -> str:
    if not value or not value.isascii() or not value.isprintable() or any(one in value for one in _NEVER):
        raise ValueError("should be the name of a host alone, as smtp.example.com")
    if ":" in value and not _is_address(value):
        raise ValueError("should be the name of a host alone: the port stands under port")
    if not _is_address(value) and any(len(one) > 63 for one in value.split(".")):  # which no resolver takes
        raise ValueError("should be the name of a host, of which no part has more than 63 characters")
    return value.lower()


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


#: The name of a host alone, or its address.
HostName = Annotated[str, AfterValidator(_host)]
