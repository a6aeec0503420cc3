"""Bring a store to today's tables, once, when it is opened."""

import threading
from pathlib import Path

import sqlalchemy as sa

from bridge.errors import StoreError
from bridge.store.backend import backend_of, store_errors
from bridge.store.schema import metadata

#: The newest revision under migrations/versions; a test holds it there.
HEAD = "0020"
FOLDER = Path(__file__).parent / "migrations"
_ALEMBIC = threading.Lock()  # it keeps what it works on in its modules: two at once would change each other's store


def migrate(engine: sa.Engine) -> None:
    """Upgrade the tables to HEAD; raise StoreError where they come from a newer panelbridge.

    A new store is made as the tables are today, without going through their history.
    """
    with store_errors(engine.url.database), engine.begin() as connection:
        backend_of(connection).lock_migrations(connection)
        revision = revision_of(connection)
        if revision == HEAD:
            return
        if revision is None:
            _create_tables(connection)
        else:
            upgrade(connection)


def _create_tables(connection: sa.Connection) -> None:
    metadata.create_all(connection)
    connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    connection.execute(sa.text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def upgrade(connection: sa.Connection, *, to: str = HEAD) -> None:
    """Go through the history from where the tables are, or from the first; raise StoreError where they are newer."""
    from alembic import command  # 80 ms and 10 MB that only a store in need of it pays
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    try:
        with _ALEMBIC:
            command.upgrade(config, to)
    except CommandError:
        revision = revision_of(connection)
        raise StoreError(f"store: its tables are of a newer panelbridge (revision {revision})") from None


def revision_of(connection: sa.Connection) -> str | None:
    """The revision of the tables, None where there are none."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    return revision
