"""A mailbox as people write it, `Fra VPN <vpn@example.com>`, and as a letter and its envelope need it.

Source   RFC 5321 §4.1.2, §4.5.3.1 (local part 64, path 254 octets), RFC 5322 §3.4, RFC 5890 (names in other letters)
"""

import re
from email.headerregistry import Address
from email.utils import quote
from typing import Annotated

from pydantic import AfterValidator

from bridge.sinks.email.headers import encoded_words
from bridge.sinks.settings import short_hash
from bridge.value import Value

LONGEST, LOCAL, NAME = 254, 64, 100  # characters of an address, its part before the @, and of a name before it
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NAMED = re.compile(r"(?P<name>[^<>]*?)\s*<(?P<address>[^<>]*)>")


class Mailbox(Value):
    """Who is written to, or writes: `name` may be empty; `address` is ASCII, its host as the DNS has it."""

    name: str
    address: str

    @property
    def host(self) -> str:
        return self.address.rpartition("@")[2]

    @property
    def header(self) -> str:
        """As it stands in a letter's head: ASCII, a name in other letters as encoded words."""
        if not self.name:
            return self.address
        if self.name.isascii():
            return f'"{quote(self.name)}" <{self.address}>'
        return f"{encoded_words(self.name)}\n <{self.address}>"

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


def mailbox(text: str) -> Mailbox:
    """Read one; raise ValueError, in words, for what is none, and for several."""
    found = _NAMED.fullmatch(text.strip())
    name, address = (found["name"].strip(' "'), found["address"].strip()) if found else ("", text.strip())
    if not text.isprintable() or len(name) > NAME:
        raise ValueError(f"should be one line, with a name of at most {NAME} characters")
    if address.count("@") > 1 or re.search(r"[,;:\s]", address):
        raise ValueError("should be one address: another one is another sink, for each answers for itself")
    local, at, host = address.rpartition("@")
    if not at or not local or not host:
        raise ValueError("should be an address such as ops@example.com, or Ops <ops@example.com>")
    if not _ATOM.fullmatch(local) or len(local) > LOCAL:
        raise ValueError("should have plain letters, digits and signs before the @, without quotes")
    address = Address(username=local, domain=_ascii(host)).addr_spec
    if len(address) > LONGEST:
        raise ValueError(f"should be an address of at most {LONGEST} characters")
    return Mailbox(name, address)


def _ascii(host: str) -> str:
    try:
        name = host.encode("idna").decode()
    except UnicodeError:
        name = ""
    if not name or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError("should have the name of a host behind the @, as example.com")
    return name.lower()


def address_alone(text: str) -> str:
    """One address without a name, as data gives it, its host in small letters; ValueError for whatever else it says."""
    if (found := mailbox(text)).name or "<" in text:
        raise ValueError("should be an address alone, without a name")
    return found.address


def mailbox_key(text: str) -> str:
    """What is the same for all spellings of an address, and does not show it; ValueError for what is none."""
    return short_hash(mailbox(text).address.lower())


def _checked(text: str) -> str:
    mailbox(text)
    return text


#: One mailbox, as people write it.
MailboxText = Annotated[str, AfterValidator(_checked)]
