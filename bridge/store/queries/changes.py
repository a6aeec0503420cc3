"""Changes: that something has changed by which it is decided whether, and where, a message goes.

That is what is known of recipients and of the places where they are told, what is muted, and what is there at all.
Lanes ask for the version alone; only where that has moved, they look up again what they know.
"""

import sqlalchemy as sa

from bridge.store.compiled import first
from bridge.store.schema import changes

_HAS_MOVED = "has_moved"  # of a connection, from when something moves until its commit
_MOVE = sa.text(
    "INSERT INTO changes (id, version) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET version = changes.version + 1"
)
VERSION = sa.select(changes.c.version)


def note_change(connection: sa.Connection) -> None:
    """With this commit something changes that lanes may have looked up."""
    connection.info[_HAS_MOVED] = True


def keep_version(connection: sa.Connection) -> bool:
    """The last thing of every commit: let the version go up where something has moved; whether it has.

    Last of all, for whoever moves something anywhere waits here for the others' commits, and needs nothing more then.
    """
    has_moved = bool(connection.info.pop(_HAS_MOVED, False))
    if has_moved:
        connection.execute(_MOVE)
    return has_moved


def version(connection: sa.Connection) -> int:
    """Which commit was the last that moved something, 0 for none."""
    row = first(connection, VERSION, {})
    return 0 if row is None else int(row[0])
