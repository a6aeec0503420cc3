"""What replicas are called, and their connections."""

import re
import socket
from uuid import uuid4

#: What every connection to PostgreSQL is called there begins with.
PRODUCT = "panelbridge"


def replica_name() -> str:
    """A name that no other replica has or had, and that a person can find: the host's, and something of its own."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:40]
    return f"{host}-{uuid4().hex[:8]}"


def application(name: str) -> str:
    """What a replica calls its connections to PostgreSQL: whoever takes its lanes over ends them by it.

    PostgreSQL keeps 63 characters of it.
    """
    return f"{PRODUCT} {name}"
