"""How processes that share a database hear of each other there."""

#: On which processes notify each other of what is new in a database: who put it (`application_name`), a colon, and the
#: sinks, parted by commas; none where they are too many to name.
CHANNEL = "panelbridge"


def application_name(replica: str) -> str:
    """What a replica calls its connections to a database: whoever takes its lanes over ends them by it.

    PostgreSQL keeps 63 characters of it.
    """
    return f"panelbridge {replica}"
