"""The store's address: what a password in it must look like, and how to put one in that stands elsewhere.

Why this is looked at so closely: `@` ends the password for whoever reads an address, so that its rest becomes a part
of the host, and is told to everyone; `%41` becomes an `A`, and the server refuses what looks right.
"""

import re
from pathlib import Path
from urllib.parse import quote

DATABASES = ("postgresql+psycopg://", "postgresql://", "postgres://")
_ENCODED = r"%(?!3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])[0-9A-Fa-f]{2}"  # a letter or a digit needs it never
_PASSWORD = re.compile(rf"(?:[^@/?#%\s]|{_ENCODED})*")
_PLACE = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?")  # a host, and a port
HOW_TO_WRITE = (
    "should have its password percent-encoded (% as %25, @ as %40, / as %2F, # as %23, ? as %3F, no letter or digit), "
    "or have none, and the password in store_password_file"
)


def is_database(url: str) -> bool:
    """Whether it names a PostgreSQL database."""
    return url.startswith(DATABASES)


def is_misread(url: str) -> bool:
    """Whether a user or a password in it would be taken for something else than was meant.

    A second `@` says nothing of where it belongs, so that one in the parameters is to be written `%40` as well.
    """
    head, at, tail = url.partition("://")[2].partition("@")
    if not is_database(url) or not at:
        return False
    return "@" in tail or not all(map(_PASSWORD.fullmatch, head.split(":", 1)))


def has_port(url: str) -> bool:
    """Whether what stands in the place of a database's port is one; where nothing stands there is the usual one."""
    place = re.split("[/?]", url.partition("://")[2].rpartition("@")[2])[0]
    port = _PLACE.fullmatch(place)
    return port is not None and int(port[1] or 0) <= 65535


def has_password(url: str) -> bool:
    """Whether it holds one, as `user:password@` or as a parameter."""
    head, at, _ = url.partition("://")[2].partition("@")
    return is_database(url) and bool((at and ":" in head) or re.search(r"[?&](?:ssl)?password=", url))


def has_user(url: str) -> bool:
    """Whether it says who logs in."""
    return is_database(url) and bool(url.partition("://")[2].partition("@")[1])


def with_password(url: str, password: str) -> str:
    """The address of a database with the password of its user."""
    scheme, mark, rest = url.partition("://")
    user, at, place = rest.partition("@")
    return f"{scheme}{mark}{user}:{quote(password, safe='')}{at}{place}"


def without_password(url: str) -> str:
    """The address as people may see it: no password, and no parameters, which may hold one."""
    scheme, mark, rest = url.partition("?")[0].partition("://")
    head, at, place = rest.rpartition("@") if is_database(url) else ("", "", rest)
    return f"{scheme}{mark}{head.partition(':')[0]}{at}{place}"


def sqlite_file(url: str) -> Path:
    """The file that an SQLite store is kept in, as it is seen from where the command runs."""
    return Path(url.removeprefix("sqlite:///").partition("?")[0]).absolute()
