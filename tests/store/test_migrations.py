"""The migrations and the tables say the same."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from bridge.errors import StoreError
from bridge.store import migrate, open_outbox
from bridge.store.backend import open_engine
from bridge.store.schema import metadata
from tests.fakes import START, an_event, an_intake
from tests.store.boxes import claimed, downgrade, make_as_of

AT_ONCE = 4  # stores, each on a thread of its own
_STATES = ("pending", "waiting", "delivered", "dead")


def test_head_is_the_newest_revision() -> None:
    assert ScriptDirectory(str(migrate.FOLDER)).get_current_head() == migrate.HEAD


INDEXES = {
    "deliveries_pending": True,
    "deliveries_waiting": True,
    "deliveries_blocking": True,
    "deliveries_collected": True,
    "deliveries_filling": True,
    "deliveries_termed": True,
    "deliveries_dead": True,
    "deliveries_event": False,
    "deliveries_settled": True,
    "deliveries_held": True,
    "deliveries_cleared": True,
    "events_type": False,
    "events_owner": True,
    "events_subject": True,
    "set_aside_received": False,
    "threads_said": False,
    "fingerprints_until": False,
    "deliveries_told": True,
    "announced_of": False,
    "links_chat": False,
    "moved_key": False,
    "moved_at": False,
    "link_tokens_key": False,
    "link_tokens_until": False,
    "closed_at": False,
    "proofs_key": False,
    "proofs_void": False,
}


#: Alembic cannot read such an index back from SQLite: how it was made is compared by itself.
UNREAD = "ignore:.*expression-based index"


@pytest.mark.filterwarnings(UNREAD)
@pytest.mark.parametrize("build", [migrate._create_tables, migrate.upgrade])
def test_a_new_store_and_one_with_a_history_are_the_same(
    any_database_url: str, build: Callable[[sa.Connection], None]
) -> None:
    engine = open_engine(any_database_url)
    with engine.begin() as connection:
        build(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert migrate.revision_of(connection) == migrate.HEAD
        assert {name: "WHERE" in sql for name, sql in _indexes(connection)} == INDEXES
    engine.dispose()


def test_the_conditions_of_the_indexes_are_the_same_whichever_way_they_were_made(any_database_url: str) -> None:
    engine, made = open_engine(any_database_url), []
    for build in (migrate._create_tables, migrate.upgrade):
        with engine.connect() as connection, connection.begin() as transaction:
            build(connection)
            made.append({name: " ".join(sql.split()).replace(" (", "(") for name, sql in _indexes(connection)})
            transaction.rollback()
    engine.dispose()
    assert made[0] == made[1]


def test_a_store_of_the_first_release_is_upgraded_with_all_that_is_in_it(any_database_url: str) -> None:
    engine = open_engine(any_database_url)
    with engine.begin() as connection:
        make_as_of(connection, "0001")
        _fill(connection)
    migrate.migrate(engine)
    with engine.connect() as connection:
        states = connection.execute(sa.text("SELECT id, state, terms, instead FROM deliveries ORDER BY id")).all()
        assert migrate.revision_of(connection) == migrate.HEAD
    assert [tuple(row) for row in states] == [(n, state, None, None) for n, state in enumerate(_STATES, 1)]
    engine.dispose()


def test_dead_letters_that_were_replayed_before_the_upgrade_are_dealt_with(any_database_url: str) -> None:
    engine = open_engine(any_database_url)
    with engine.begin() as connection:
        make_as_of(connection, "0004")
        _fill(connection)
        replay = (
            "INSERT INTO deliveries (id, event_id, sink, subject, row, made_at, state, attempts, replay_of)"
            " VALUES (:id, '4', 'ops', '4', 'route 1', :made, 'pending', 0, 4)"
        )
        for id_, made in ((5, 7), (6, 8)):
            connection.execute(sa.text(replay), {"id": id_, "made": made})
    migrate.migrate(engine)
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT id, cleared, cleared_at FROM deliveries ORDER BY id")).all()
    assert [tuple(row) for row in found if row.cleared] == [(4, "replayed", 8)]
    engine.dispose()


def test_what_was_counted_by_the_minute_before_the_upgrade_is_counted_by_the_quarter_of_an_hour(
    any_database_url: str,
) -> None:
    engine = open_engine(any_database_url)
    with engine.begin() as connection:
        make_as_of(connection, "0011")
        add = (
            "INSERT INTO tallies (what, step, at, name, detail, n, ms_sum, ms_max)"
            " VALUES (:what, :step, :at, 'a', 'b', 2, :at, :at)"
        )
        rows = [("out", 60, 60), ("out", 60, 840), ("out", 60, 900), ("out", 3600, 0), ("row", 60, 60)]
        connection.execute(sa.text(add), [dict(zip(("what", "step", "at"), row, strict=True)) for row in rows])
    migrate.migrate(engine)
    with engine.connect() as connection:
        made = "SELECT what, at, name, detail, n, ms_sum, ms_max FROM tallies WHERE step = 900 ORDER BY at"
        found = [tuple(row) for row in connection.execute(sa.text(made))]
    assert found == [("out", 0, "a", "b", 4, 900, 840), ("out", 900, "a", "b", 2, 900, 900)]
    engine.dispose()


async def test_deliveries_of_the_first_release_are_carried_on(any_database_url: str) -> None:
    engine = open_engine(any_database_url)
    with engine.begin() as connection:
        make_as_of(connection, "0001")
        _fill(connection)
    engine.dispose()
    async with open_outbox(any_database_url) as outbox:
        assert [one.id for one in await claimed(outbox, now=START)] == [2, 1]  # the retry is due
        [made] = (await outbox.put(an_intake(an_event("user:new")))).deliveries
        assert made.id == 5


def test_stores_that_are_upgraded_at_the_same_moment_are_each_upgraded(tmp_path: Path) -> None:
    engines = [open_engine(f"sqlite:///{tmp_path}/{number}.db") for number in range(AT_ONCE)]
    for engine in engines:
        with engine.begin() as connection:
            make_as_of(connection, "0001")
            _fill(connection)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(migrate.migrate, engines))
    for engine in engines:
        with engine.connect() as connection:
            assert migrate.revision_of(connection) == migrate.HEAD
            assert dict(_indexes(connection)).keys() == INDEXES.keys()
        engine.dispose()


@pytest.mark.filterwarnings(UNREAD)
def test_going_back_to_the_first_release_and_forth_again_keeps_what_is_there(store_url: str) -> None:
    engine = open_engine(store_url)
    migrate.migrate(engine)
    with engine.begin() as connection:
        _fill(connection)
        downgrade(connection, "0001")
    migrate.migrate(engine)
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert dict(_indexes(connection)).keys() == INDEXES.keys()
        assert connection.execute(sa.text("SELECT count(*) FROM deliveries")).scalar_one() == len(_STATES)
    engine.dispose()


def test_migrating_twice_changes_nothing(any_database_url: str) -> None:
    engine = open_engine(any_database_url)
    migrate.migrate(engine)
    migrate.migrate(engine)
    engine.dispose()


def test_tables_of_a_newer_panelbridge_are_refused(any_database_url: str) -> None:
    engine = open_engine(any_database_url)
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
        ("postgresql+asyncpg://localhost/x", "or a database, such as postgresql\\+psycopg"),
        ("postgresql+psycopg://localhost", "or a database"),
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


@pytest.mark.process
def test_who_keeps_a_file_does_not_pay_for_the_driver_of_a_server(store_url: str) -> None:
    code = (
        "import asyncio, sys\n"
        "from bridge.store import open_ledger, open_outbox\n"
        "from bridge.store.queries.records import lane_records\n"
        "async def use():\n"
        "    async with open_outbox(sys.argv[1]) as outbox:\n"
        "        await outbox.check()\n"
        "asyncio.run(use())\n"
        "with open_ledger(sys.argv[1]) as ledger:\n"
        "    ledger.read(lane_records)\n"
        "paid = ('psycopg', 'sqlalchemy.dialects.postgresql', 'alembic')\n"
        "sys.exit(any(name.startswith(paid) for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code, store_url], check=True)


def _fill(connection: sa.Connection) -> None:
    """A delivery in each state that the first release knew, and its event."""
    for n, state in enumerate(_STATES, 1):
        due, settled = (5 if state == "waiting" else None), (6 if state in ("delivered", "dead") else None)
        values = {"n": n, "id": str(n), "state": state, "due": due, "settled": settled}
        for statement in (
            "INSERT INTO events"
            " (id, source, panel, type, native_type, subject, occurred_at, received_at, data, native, verdicts)"
            " VALUES (:id, 'marzban', 'marzban', 'user.created', 'x', :id, 1, 1, '{}', '{}', '[]')",
            "INSERT INTO deliveries (id, event_id, sink, subject, row, made_at, state, attempts, due_at, settled_at)"
            " VALUES (:n, :id, 'ops', :id, 'route 1', 1, :state, 0, :due, :settled)",
        ):
            connection.execute(sa.text(statement), values)


def _indexes(connection: sa.Connection) -> Sequence[sa.Row[tuple[str, str]]]:
    if connection.dialect.name == "sqlite":
        found = "SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE INDEX%'"
    else:
        found = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkc' "
        found += "AND indexname NOT LIKE '%_pkey'"
    return connection.execute(sa.text(found)).all()
