"""What somebody shows to a bot: the proofs in a subscription link or a configuration link, as it was pasted. Pure.

Links   https://…/{token}, https://…/{token}/{client}, https://…/{name}/{token}
        vless://{id}@…, vmess://{id}@…, trojan://{password}@…, hysteria2://{password}@…, percent-encoded
        vmess://{base64 of JSON with `id`}
        ss://{base64 of method:password}@…, ss://{method}:{password}@…, ss://{base64 of method:password@host:port}
Quirks  base64 may be that of URLs or the other, and lack its padding
        Shadowsocks 2022 has the server's password before that of the user, with a colon between them
"""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

from bridge.foreign import json_object
from bridge.people.proof import MOST, Proof, ProofKind, is_strong

LONGEST = 4096  # characters of a message
_LINK = re.compile(r"(?<![A-Za-z0-9])([A-Za-z][A-Za-z0-9]{1,11})://(\S+)")
_QUOTES = "<>()[]{}\"'`.,;"  # what stands around a link, and is none of it


def proofs_in(message: str) -> tuple[Proof, ...]:
    """What a message shows: nothing where it has no link, or several, or one that is no secret."""
    links = _LINK.findall(message) if len(message) <= LONGEST else []
    if len(links) != 1:
        return ()
    scheme, rest = links[0]
    kind, values = _READERS.get(scheme.lower(), _NOTHING)
    found = dict.fromkeys(values(rest.rstrip(_QUOTES)))
    return tuple(Proof(kind, value) for value in found if is_strong(value))[:MOST]


def _segments(rest: str) -> Iterator[str]:
    """The last two of a path: behind a token may stand the name of a program, before it that of the customer."""
    _, *segments = _before(rest, "?#").split("/")
    yield from [unquote(one) for one in segments if one][-2:]


def _user(rest: str) -> Iterator[str]:
    user, at, _ = _before(rest, "?#").partition("@")
    if at:
        yield unquote(user)


def _vmess(rest: str) -> Iterator[str]:
    yield from _user(rest)
    id_ = json_object(_base64(_before(rest, "?#")).encode()).get("id")
    if isinstance(id_, str):
        yield id_


def _shadowsocks(rest: str) -> Iterator[str]:
    head = _before(rest, "?#")
    user, at, _ = head.partition("@")
    if not at:
        user = _base64(head).rpartition("@")[0]
    user = unquote(user)
    _, _, password = (user if ":" in user else _base64(user)).partition(":")
    yield password
    yield password.rpartition(":")[2]


def _before(text: str, marks: str) -> str:
    return re.split(f"[{marks}]", text, maxsplit=1)[0]


def _base64(text: str) -> str:
    """What it stands for; empty where it is none, or no text."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except ValueError:
        return ""


_NOTHING: tuple[ProofKind, Callable[[str], Iterator[str]]] = ProofKind.CREDENTIAL, lambda rest: iter(())
_READERS: Mapping[str, tuple[ProofKind, Callable[[str], Iterator[str]]]] = {
    "https": (ProofKind.SUBSCRIPTION, _segments),
    "http": (ProofKind.SUBSCRIPTION, _segments),
    "vless": (ProofKind.CREDENTIAL, _user),
    "vmess": (ProofKind.CREDENTIAL, _vmess),
    "trojan": (ProofKind.CREDENTIAL, _user),
    "ss": (ProofKind.CREDENTIAL, _shadowsocks),
    "hysteria2": (ProofKind.CREDENTIAL, _user),
    "hy2": (ProofKind.CREDENTIAL, _user),
}
