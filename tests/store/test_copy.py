"""`store copy`: everything moves, whichever way, or nothing does."""

import asyncio
import io
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from bridge.cli import main
from bridge.errors import StoreError
from bridge.store import open_ledger, open_outbox
from bridge.store.backend import open_engine
from bridge.store.copy import TABLES, copy
from bridge.store.migrate import migrate
from bridge.store.queries.records import delivery_records
from bridge.store.records import DeliveryQuery
from bridge.store.schema import lanes, replicas, set_aside
from tests.fakes import START, an_event, an_intake
from tests.postgres import Postgres

pytestmark = pytest.mark.process

HOSTILE = ["", "алиса ‮", "'; DROP TABLE events; --", "{{7*7}} %s %(x)s :id", "a\tb\nc\\N\x01", "🚀" * 50, "\\x00 \\."]
CHUNK = 200  # in place of 2000 rows at once
MANY = 5 * CHUNK
Rows = dict[str, list[tuple[object, ...]]]
Place = Callable[[str], str]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.store.copy.CHUNK", CHUNK)


@pytest.fixture
def place(postgres: Postgres, tmp_path: Path) -> Place:
    """The URL of a new, empty place of a kind."""

    def place_(kind: str) -> str:
        return postgres.fresh() if kind == "postgresql" else f"sqlite:///{tmp_path}/{random.randrange(10**9)}.db"

    return place_


def value(column: sa.Column[Any], number: int) -> object:
    """Something that fits a column, as nasty as can be."""
    if isinstance(column.type, sa.Boolean):
        return number % 2 == 0
    if isinstance(column.type, sa.Integer | sa.BigInteger):
        return number + 1 if column.primary_key else number * 7_919_000_003 % 2**31
    if column.nullable and number % 3 == 0:
        return None
    text = f"{HOSTILE[number % len(HOSTILE)]}{number}" if column.primary_key else HOSTILE[number % len(HOSTILE)]
    return text[-column.type.length :] if isinstance(column.type, sa.String) and column.type.length else text


def fill(url: str, many: int = MANY) -> None:
    """A store with rows in every table, the most in events and deliveries; for 0 an empty one."""
    engine = open_engine(url)
    migrate(engine)
    with engine.begin() as connection:
        for table in TABLES:
            count = many if table.name in ("events", "deliveries") or not many else CHUNK + 1
            if rows := [{column.name: value(column, n) for column in table.columns} for n in range(count)]:
                connection.execute(table.insert(), rows)
    engine.dispose()


def content(url: str) -> Rows:
    engine = open_engine(url)
    with engine.connect().execution_options(reads=True) as connection:  # as long as it takes
        rows = {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in TABLES
            if table is not lanes
        }
        # who carries a lane, and since when, is not for the copy
        columns = [column for column in lanes.columns if column.name not in ("epoch", "owner")]
        rows["lanes"] = sorted(map(tuple, connection.execute(sa.select(*columns))), key=repr)
    engine.dispose()
    return rows


def silent(_table: str, _done: int, _total: int) -> None:
    pass


@pytest.mark.parametrize(
    ("source", "target"),
    [("sqlite", "postgresql"), ("postgresql", "sqlite"), ("sqlite", "sqlite"), ("postgresql", "postgresql")],
)
def test_every_row_of_every_table_arrives_as_it_was(place: Place, source: str, target: str) -> None:
    from_, to = place(source), place(target)
    fill(from_)
    before = content(from_)
    told: list[tuple[str, int, int]] = []
    assert copy(from_, to, progress=lambda *step: told.append(step)) == 2 * MANY + (len(TABLES) - 2) * (CHUNK + 1)
    assert content(to) == before
    assert content(from_) == before
    assert {len(before[table.name]) for table in TABLES} == {MANY, CHUNK + 1}
    steps = [done for table, done, total in told if table == "events" and total == MANY]
    assert steps == list(range(0, MANY + 1, CHUNK))


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_copied_lane_is_nobodys_and_its_next_owner_can_settle(place: Place, target: str) -> None:
    from_, to = place("postgresql"), place(target)
    fill(from_, 1)
    copy(from_, to, progress=silent)
    engine = open_engine(to)
    with engine.connect() as connection:
        assert set(map(tuple, connection.execute(sa.select(lanes.c.epoch, lanes.c.owner)))) == {(0, None)}
    engine.dispose()


@pytest.mark.parametrize(("source", "target"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
async def test_a_bridge_goes_on_where_the_other_ended(place: Place, source: str, target: str) -> None:
    from_, to = place(source), place(target)
    async with open_outbox(from_) as outbox:
        await outbox.put(an_intake(an_event("user:alice"), an_event("user:bob"), sinks=("ops", "team")))
    await asyncio.to_thread(copy, from_, to, progress=silent)
    async with open_outbox(to) as outbox:
        await outbox.put(an_intake(an_event("user:carol")))
        claim = await outbox.claim("ops", after=0, now=START, limit=9)
        assert [one.event.subject for one in claim.deliveries] == ["user:alice", "user:bob", "user:carol"]
    with open_ledger(to) as ledger:
        assert [one.id for one in ledger.read(delivery_records, DeliveryQuery())] == [5, 4, 3, 2, 1]


def test_postgresql_counts_on_after_the_ids_that_came(place: Place) -> None:
    from_, to = place("sqlite"), place("postgresql")
    fill(from_, 1)
    copy(from_, to, progress=silent)
    engine = open_engine(to)
    with engine.begin() as connection:
        row = {"source": "x", "received_at": 1, "path": "", "reason": "", "element": "{}"}
        [new] = connection.execute(set_aside.insert().returning(set_aside.c.id), [row]).scalars()
    engine.dispose()
    assert new == CHUNK + 2


def test_an_empty_store_is_copied_too(place: Place) -> None:
    from_, to = place("sqlite"), place("postgresql")
    fill(from_, 0)
    assert copy(from_, to, progress=silent) == 0


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_what_is_interrupted_leaves_the_target_empty_and_can_be_begun_again(place: Place, target: str) -> None:
    from_, to = place("sqlite"), place(target)
    fill(from_)
    before = content(from_)

    def interrupted(_table: str, done: int, _total: int) -> None:
        if done > CHUNK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(from_, to, progress=interrupted)
    assert not any(content(to).values())
    assert content(from_) == before
    copy(from_, to, progress=silent)
    assert content(to) == before


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_a_target_with_rows_is_refused_and_left_alone(place: Place, target: str) -> None:
    from_, to = place("sqlite"), place(target)
    fill(from_, 1)
    fill(to, 3)
    before = content(to)
    with pytest.raises(StoreError, match="is not empty, it has addresses, announced, announcements, attempts, audit, "):
        copy(from_, to, progress=silent)
    assert content(to) == before


async def test_a_file_that_a_bridge_runs_on_is_refused(place: Place) -> None:
    from_, to = place("sqlite"), place("postgresql")
    async with open_outbox(from_):
        with pytest.raises(StoreError, match="another panelbridge already runs on"):
            copy(from_, to, progress=silent)
        fill(to, 1)
        with pytest.raises(StoreError, match="another panelbridge already runs on"):
            copy(to, from_, progress=silent)


def alive(url: str) -> None:
    """A replica gives a sign of life."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("INSERT INTO replicas VALUES ('here', extract(epoch FROM clock_timestamp()) * 1000000)")


@pytest.mark.parametrize("used", ["source", "target"])
def test_a_database_that_a_replica_runs_on_is_refused(place: Place, used: str) -> None:
    from_, to = place("postgresql"), place("postgresql")
    fill(from_, 1)
    fill(to, 0)
    alive(from_ if used == "source" else to)
    with pytest.raises(StoreError, match=r"a bridge runs on .*: stop here, wait 10 s"):
        copy(from_, to, progress=silent)


def test_a_replica_that_comes_meanwhile_stops_the_copy(place: Place) -> None:
    from_, to = place("sqlite"), place("postgresql")
    fill(from_, 1)

    def comes(table: str, done: int, _total: int) -> None:
        if table == "events" and done:
            alive(to)

    with pytest.raises(StoreError, match="a bridge runs on"):
        copy(from_, to, progress=comes)
    assert not any(content(to).values())


def test_replicas_that_are_over_are_no_hindrance_and_stay_behind(place: Place) -> None:
    from_, to = place("postgresql"), place("postgresql")
    fill(from_, 1)
    engine = open_engine(from_)
    with engine.begin() as connection:
        connection.execute(replicas.insert(), {"name": "old", "seen_at": 1})
    engine.dispose()
    copy(from_, to, progress=silent)
    engine = open_engine(to)
    with engine.connect() as connection:
        assert connection.execute(sa.select(replicas)).all() == []
    engine.dispose()


def told(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as raised:
        main(["store", "copy", *args])
    said = capsys.readouterr()
    return int(raised.value.code or 0), said.out, said.err


def test_the_command_says_what_to_write_in_the_file_and_no_password(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from_, to = place("sqlite"), place("postgresql")
    fill(from_, 5)
    password = tmp_path / "password"
    password.write_text("pa55word@/%41\n")
    status, out, err = told(capsys, from_, to, "--to-password-file", str(password))
    assert status == 0
    assert f"store: {to}\nstore_password_file: {password}\n" in out
    assert f"{10 + (len(TABLES) - 2) * (CHUNK + 1)} rows copied" in out
    assert sorted(err.splitlines()) == sorted(
        f"{table.name}: {5 if table.name in ('events', 'deliveries') else CHUNK + 1} rows" for table in TABLES
    )
    assert "pa55word" not in out + err


@pytest.mark.parametrize(
    ("content", "to", "reason"),
    [
        (None, "postgresql://u@h/x", "the password cannot be read from {}/password: No such file or directory"),
        (b"\n", "postgresql://u@h/x", "the password cannot be read from {}/password: it is empty"),
        (b"\xff", "postgresql://u@h/x", "the password cannot be read from {}/password: it is not UTF-8 text"),
        (b"x", "postgresql://h/x", "TO needs a user, as in postgresql+psycopg://user@host/name"),
    ],
)
def test_a_password_that_cannot_be_had_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, to: str, reason: str
) -> None:
    if content is not None:
        (tmp_path / "password").write_bytes(content)
    status, out, err = told(capsys, f"sqlite:///{tmp_path}/a.db", to, "--to-password-file", f"{tmp_path}/password")
    assert (status, out, err) == (1, "", f"store copy: {reason.replace('{}', str(tmp_path))}\n")


def test_a_password_can_come_from_standard_input(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from_, to = place("sqlite"), place("postgresql")
    fill(from_, 1)
    monkeypatch.setattr("sys.stdin", io.StringIO("pa55word\n"))
    status, out, err = told(capsys, from_, to, "--to-password-file", "-")
    assert (status, "pa55word" in out + err) == (0, False)


@pytest.mark.parametrize(
    ("from_", "to", "reason"),
    [
        ("nonsense", "sqlite:///{}/b.db", "store: not a database URL"),
        ("sqlite:///{}/none.db", "sqlite:///{}/b.db", "store: there is none at sqlite:///{}/none.db"),
        ("sqlite:///{}/a.db", "sqlite:///{}/a.db", "store: sqlite:///{}/a.db cannot be copied into itself"),
        ("sqlite:///{}/a.db", "mysql://root:pa55word@x/y", "store: should name an SQLite file"),
        ("sqlite:///{}/a.db", "postgresql://u@127.0.0.1:1/x", "store: x: connection failed"),
        ("sqlite:///{}/a.db", "postgresql://u@127.0.0.1:x1/x", "store: not a database URL"),
        ("sqlite:///{}/a.db", "postgresql://u:pa55word@h/x", "store copy: TO has a password in it, and everyone"),
        ("postgresql://h/x?user=u&password=pa55word", "sqlite:///{}/b.db", "store copy: FROM has a password in it"),
        (
            "sqlite:///{}/a.db",
            "postgresql://u:p@pa55word@h/x",
            "store copy: TO should have its password percent-encoded",
        ),
        ("sqlite:///{}/empty.db", "sqlite:///{}/b.db", "store: there is none at sqlite:///{}/empty.db"),
        ("sqlite:///{}/text.db", "sqlite:///{}/b.db", "store: sqlite:///{}/text.db: file is not a database"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], from_: str, to: str, reason: str
) -> None:
    fill(f"sqlite:///{tmp_path}/a.db", 1)
    with closing(sqlite3.connect(tmp_path / "empty.db")) as connection:
        connection.execute("CREATE TABLE other (x)")
    (tmp_path / "text.db").write_text("no database\n" * 100)
    status, out, err = told(capsys, from_.replace("{}", str(tmp_path)), to.replace("{}", str(tmp_path)))
    assert (status, out) == (1, "")
    assert err.startswith(reason.replace("{}", str(tmp_path)))
    assert err.count("\n") == 1
    assert "pa55word" not in err
