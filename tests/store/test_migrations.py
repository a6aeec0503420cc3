"""The migrations and the tables say the same."""

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bridge.errors import StoreError
from bridge.store import migrate
from bridge.store.dialect import open_engine
from bridge.store.schema import metadata


def test_head_is_the_newest_revision() -> None:
    assert ScriptDirectory(str(migrate.FOLDER)).get_current_head() == migrate.HEAD


@pytest.mark.parametrize("build", [migrate._make, lambda connection: migrate._upgrade(connection, "none")])
def test_a_new_store_and_one_with_a_history_are_the_same(
    store_url: str, build: Callable[[sa.Connection], None]
) -> None:
    engine = open_engine(store_url)
    with engine.begin() as connection:
        build(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert migrate._revision(connection) == migrate.HEAD
        indexes = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE INDEX%'"))
        assert {name: "WHERE" in sql for name, sql in indexes} == {
            "deliveries_pending": True,
            "deliveries_waiting": True,
            "deliveries_blocking": True,
            "deliveries_event": False,
        }
    engine.dispose()


def test_migrating_twice_changes_nothing(store_url: str) -> None:
    engine = open_engine(store_url)
    migrate.migrate(engine)
    migrate.migrate(engine)
    engine.dispose()


def test_tables_of_a_newer_panelbridge_are_refused(store_url: str) -> None:
    engine = open_engine(store_url)
    migrate.migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer panelbridge"):
        migrate.migrate(engine)
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://localhost/x", "should name an SQLite file"),
        ("sqlite://", "should name an SQLite file"),
        ("sqlite:////proc/nothing/here/x.db", "cannot make the folder"),
    ],
)
def test_a_url_that_is_no_store_is_refused_in_words(url: str, reason: str) -> None:
    with pytest.raises(StoreError, match=reason):
        open_engine(url)


def test_the_folder_of_the_file_is_made(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/a/b/x.db")
    migrate.migrate(engine)
    engine.dispose()
    assert (tmp_path / "a/b/x.db").exists()
