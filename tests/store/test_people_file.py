"""What is known of people goes into a file and comes back the same, or not at all. On both engines."""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.codec import load
from bridge.people.person import forgotten_key
from bridge.people.recipient import is_name
from bridge.people.wants import chat_scope, wants_of
from bridge.store import open_ledger
from bridge.store.ledger import Ledger
from bridge.store.moments import micros
from bridge.store.people_file import BEYOND, HEADER, MOST_TOLD, TABLES, Line, LineFaults, lines, read
from bridge.store.queries.links import close_links, end_links, links_of, take_unlinked
from bridge.store.queries.moves import give_up
from bridge.store.queries.people_file import import_people, people_rows
from bridge.store.queries.proofs import BY_PROOF, put_proofs, revoke
from bridge.store.queries.wishes import set_stopped, wishes_of
from bridge.store.schema import addresses, directories, directory, links, metadata, proof_stops, told, wishes
from tests.fakes import START
from tests.store.boxes import after

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
TIMES = st.integers(0, 4_000_000_000_000_000)
WANTS = ('{"locale":"fa"}', '{"categories":{"news":false},"quiet":"22:00-07:00","zone":"Asia/Tehran"}')
NUMBERS = st.integers(-(2**63) + 1, 2**63 - 1)
NAMES = st.text(max_size=12).filter(is_name)
USERS = NAMES.map("marzban/user:{}".format)
CHATS = st.integers(1, 10**15).map(str)
SCOPES = st.builds(chat_scope, NAMES, CHATS | NAMES)
#: Columns that hold nothing but what is of a form.
OF_A_FORM: dict[sa.Column[Any], st.SearchStrategy[Any]] = {
    directory.c.key: USERS | NAMES.map("marzban/owner:{}".format) | st.just("default"),
    directory.c.record: st.sampled_from(["{}", '{"telegram":700001,"x_note":"\\u0000"}', '{"quiet":"23:00-08:00"}']),
    wishes.c.key: USERS | SCOPES | (USERS | SCOPES).map(forgotten_key),
    links.c.key: USERS,
    links.c.sender: NAMES,
    links.c.chat: CHATS,
    told.c.key: USERS,
    proof_stops.c.key: USERS,
}
T = TypeVar("T")
HEAD = '{"panelbridge":"people","version":1}\n'


def a_value(column: sa.Column[Any]) -> st.SearchStrategy[Any]:
    if column is wishes.c.wants:
        return st.none() | st.sampled_from(WANTS)
    if column in OF_A_FORM:
        return OF_A_FORM[column]
    if isinstance(column.type, sa.Integer):
        values: st.SearchStrategy[Any] = NUMBERS if column.name in ("rank", "mark") else TIMES
    else:
        values = TEXTS
    return values | st.none() if column.nullable else values


def some_rows(table: sa.Table) -> st.SearchStrategy[list[Line]]:
    if table is directories:
        return st.just([Line(table, {"id": 1, "generation": "g1"})])
    columns = {column.name: a_value(column) for column in table.columns}
    if table is directory:
        columns["generation"] = st.just("g1")
    rows = st.lists(st.fixed_dictionaries(columns), max_size=6, unique_by=lambda row: _key(table, row))
    return rows.map(lambda found: [Line(table, row) for row in found])


def _key(table: sa.Table, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key.columns)


people = st.tuples(*map(some_rows, TABLES)).map(lambda each: [line for some in each for line in some])


def fill(ledger: Ledger, rows: Sequence[Line]) -> None:
    """Leave these rows in a store, and no others."""

    def write(connection: sa.Connection) -> None:
        for table in TABLES:
            connection.execute(sa.delete(table))
        for line in rows:
            connection.execute(line.table.insert().values(dict(line.values)))

    ledger.write(_patient(write))


def _patient(query: Callable[..., T]) -> Callable[..., T]:
    """The same where nobody is held up by who stands still: a busy machine may let a test wait for seconds."""

    def run(connection: sa.Connection, *values: Any) -> T:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        return query(connection, *values)

    return run


def exported(ledger: Ledger) -> bytes:
    return ledger.read(lambda connection: b"".join(lines(people_rows(connection))))


def parsed(file: bytes) -> list[Line]:
    tell = LineFaults("people.jsonl")
    found = list(read(io.StringIO(file.decode(), newline="\n"), tell))
    assert tell.text == ""
    return found


def imported(ledger: Ledger, file: bytes) -> dict[str, int]:
    return ledger.write(_patient(import_people), parsed(file))


@pytest.fixture
def ledger(store_url: str) -> Iterator[Ledger]:
    with open_ledger(store_url) as opened:
        yield opened


@pytest.fixture
def any_ledger(any_store_url: str) -> Iterator[Ledger]:
    """On each engine."""
    with open_ledger(any_store_url) as opened:
        yield opened


@pytest.fixture
def other_ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path}/other.db") as opened:
        yield opened


def test_every_table_is_one_of_people_or_is_not() -> None:
    assert {*TABLES} | BEYOND == {*metadata.tables.values()}
    assert not {*TABLES} & BEYOND


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=people)
def test_a_file_brings_back_what_it_was_made_of_on_whichever_engine(
    any_ledger: Ledger, other_ledger: Ledger, rows: list[Line]
) -> None:
    for from_, to in ((any_ledger, other_ledger), (other_ledger, any_ledger)):
        fill(from_, rows)
        fill(to, [])
        file = exported(from_)
        imported(to, file)
        assert sorted(exported(to).splitlines()) == sorted(
            file.splitlines()
        )  # each engine has its own order of letters
        assert imported(to, file) == {}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=people, second=people)
def test_an_import_never_turns_on_what_is_off(ledger: Ledger, first: list[Line], second: list[Line]) -> None:
    fill(ledger, second)
    file = exported(ledger)
    fill(ledger, first)
    before = {*_off(ledger), *(off for line in second for off in _off_in(line))}
    imported(ledger, file)
    assert {*_off(ledger)} >= before


Off = tuple[str, tuple[Any, ...]]


def _off_in(line: Line) -> Iterator[Off]:
    """What a row says is off."""
    key, column = _key(line.table, dict(line.values)), {wishes: "stopped_at", addresses: "reason"}.get(line.table)
    if column is not None and line.values[column] is not None:
        yield str(line.table.name), key
    if line.table is wishes and line.values["wants"]:
        wants = wants_of(load(line.values["wants"]), stopped=False)
        yield from ((name, key) for name, on in wants.categories.items() if not on)


def _off(ledger: Ledger) -> list[Off]:
    rows = ledger.read(lambda connection: list(people_rows(connection)))
    return [off for line in rows for off in _off_in(line)]


def test_the_newer_of_two_wishes_holds_and_a_directory_in_force_stays(any_ledger: Ledger) -> None:
    key = "marzban/user:alice"
    row = {"key": key, "stopped_at": None, "by": "her", "at": micros(after(60)), "wants": None}
    step = {"key": key, "family": "used", "cycle": "7", "rank": 80, "mark": 1, "at": micros(after(60))}
    fill(any_ledger, [Line(wishes, row), Line(told, step), Line(directories, {"id": 1, "generation": "old"})])
    file = exported(any_ledger)
    fill(
        any_ledger,
        [
            Line(wishes, row | {"by": "operator", "at": micros(START)}),
            Line(told, step | {"rank": 50, "at": micros(START)}),
            Line(directories, {"id": 1, "generation": "new"}),
        ],
    )
    assert imported(any_ledger, file) == {"wishes": 1, "told": 1}
    found = any_ledger.read(lambda connection: list(people_rows(connection)))
    assert [line.values.get("by", line.values.get("rank", "new")) for line in found] == ["new", "her", 80]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "is empty"),
        ("[]\n", "should be a JSON object"),
        ("{}\n", f"should be {HEAD.strip()}, as `panelbridge people export` writes it"),
        ('{"panelbridge":"people","version":2}\n', "is of version 2, and version 1 is what can be read"),
    ],
)
def test_a_file_that_is_none_is_told_in_its_first_line(text: str, mistake: str) -> None:
    assert mistakes(text) == [f"people.jsonl:1: {mistake}"]


WISH = (
    '{"table":"wishes","key":"marzban/user:alice","stopped_at":null,"by":"her","at":"2026-11-21T04:14:18Z",'
    '"wants":"{\\"locale\\":\\"fa\\"}"}'
)


LINK = (
    '{"table":"links","key":"marzban/user:alice","sender":"a bot","chat":"700001","how":"token",'
    '"at":"2026-11-21T04:14:18Z"}'
)
RECORD = '{"table":"directory","generation":"g","key":"marzban/user:alice","record":"{}"}'


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("{", "is no JSON"),
        ("7", "should be a JSON object"),
        ("", "is no JSON"),
        (
            '{"table":"events"}',
            "table should be one of directories, directory, wishes, links, told, addresses, proof_stops",
        ),
        (
            WISH.replace("wishes", "wish"),
            "table should be one of directories, directory, wishes, links, told, addresses, proof_stops",
        ),
        (WISH.replace('"by"', '"buy"'), 'wishes have no "buy": there are key, stopped_at, by, at, wants'),
        (WISH.replace('"by":"her",', ""), 'has no "by"'),
        (WISH.replace('"her"', "null"), "by should not be null"),
        (WISH.replace('"her"', "7"), "by should be a text"),
        (WISH.replace("her", r"\u0000"), "by should be a text"),
        (WISH.replace("null", "7"), "stopped_at should be a time such as 2026-11-21T04:14:18Z"),
        (WISH.replace("null", '"soon"'), "stopped_at should be a time such as 2026-11-21T04:14:18Z"),
        (WISH.replace("locale", "lokale"), "wants has no lokale: there are categories, locale, zone, quiet"),
        (WISH.replace("locale", "zone"), "wants: should be a time zone: did you mean Asia/Tehran?"),
        (WISH.replace("locale", "categories"), "wants should have true or false for each of its categories"),
        (
            '{"table":"told","key":"marzban/user:alice","family":"used","cycle":"7","rank":"80","mark":1,"at":"2026-11-21T04:14:18Z"}',
            "rank should be a whole number",
        ),
        (f'{{"table":"directories","id":1,"generation":"{"g" * 17}"}}', "generation should have at most 16 characters"),
        ('{"table":"directories","id":2,"generation":"g"}', "id should be 1"),
        *(
            (LINK.replace("700001", chat), "chat should be the number of a person's, such as 700001")
            for chat in ("abc", "-5", "0", "", "7 ", "٧", "9" * 17)
        ),
        *(
            (LINK.replace("marzban/user:alice", key), "key should be a user's, such as marzban/user:alice")
            for key in ("x", "", "marzban/owner:r7", "/user:alice", "marzban/user:", "marzban/user:a\u200b")
        ),
        (LINK.replace("a bot", ""), "sender should be a bot's"),
        (
            '{"table":"proof_stops","key":"alice","at":"2026-11-21T04:14:18Z"}',
            "key should be a user's, such as marzban/user:alice",
        ),
        *(
            (WISH.replace("marzban/user:alice", key), "key should be a user's, such as marzban/user:alice, or a chat's")
            for key in ("x", "marzban/peer:a", "forgotten:x", "/chat:7", "a bot/chat:")
        ),
        (
            RECORD.replace("marzban/user:alice", "alice"),
            "key should be an owner's, a user's or a node's, such as marzban/user:alice",
        ),
        (RECORD.replace("{}", "{"), "record is no JSON"),
        (RECORD.replace("{}", "[]"), "record should be a JSON object"),
        (RECORD.replace("{}", r"{\"zone\":\"Teheran\"}"), "record: should be a time zone: did you mean Asia/Tehran?"),
        (
            RECORD.replace("{}", r"{\"telegram\":\"@alice\"}"),
            "record: should be a number such as -1001234567890",
        ),
    ],
)
def test_a_line_that_is_wrong_is_told_with_its_number(line: str, mistake: str) -> None:
    assert mistakes(f"{HEAD}{WISH}\n{line}\n{WISH.replace('alice', 'bob')}\n") == [f"people.jsonl:3: {mistake}"]


def test_a_row_that_is_there_twice_is_told_and_many_mistakes_are_counted() -> None:
    assert mistakes(f"{HEAD}{WISH}\n{WISH}\n") == ["people.jsonl:3: says the same row as line 2"]
    many = mistakes(HEAD + "7\n" * (MOST_TOLD + 3))
    assert (len(many), many[-1]) == (MOST_TOLD + 1, "and 3 more lines are wrong")


def mistakes(text: str) -> list[str]:
    tell = LineFaults("people.jsonl")
    list(read(io.StringIO(text, newline="\n"), tell))
    return tell.text.split("\n") if tell.text else []


def test_the_header_is_what_the_first_line_says() -> None:
    assert next(lines([])).decode() == HEAD
    assert HEADER["version"] == 1


def test_a_wish_that_is_imported_holds(any_ledger: Ledger, other_ledger: Ledger) -> None:
    fill(any_ledger, [])
    other_ledger.write(set_stopped, "marzban/user:alice", stop=True, by="operator", now=START)
    imported(any_ledger, exported(other_ledger))
    found = any_ledger.read(wishes_of, ["marzban/user:alice", "marzban/user:bob"])
    assert [key for key, wish in found.items() if wish.wants.stopped] == ["marzban/user:alice"]


ALICE, BOT = "marzban/user:alice", "a bot"


def rows_at(at: int, *, how: str = "token") -> list[Line]:
    """A row about alice in each table that a deletion empties, from that time on."""
    wish = {"stopped_at": at, "by": "her", "at": at, "wants": None}
    return [
        Line(wishes, {"key": ALICE, **wish}),
        Line(wishes, {"key": forgotten_key(ALICE), **wish}),
        Line(links, {"key": ALICE, "sender": BOT, "chat": "700001", "how": how, "at": at}),
        Line(told, {"key": ALICE, "family": "used", "cycle": "7", "rank": 80, "mark": 1, "at": at}),
        Line(proof_stops, {"key": ALICE, "at": at}),
    ]


def test_a_new_user_has_nothing_of_the_deleted_one_from_a_file(any_ledger: Ledger) -> None:
    others = Line(links, {"key": "marzban/user:bob", "sender": BOT, "chat": "7", "how": "token", "at": 1})
    file = b"".join(lines([*rows_at(micros(START)), others]))
    any_ledger.write(close_links, ALICE, START)
    assert imported(any_ledger, file) == {"links": 1}
    assert any_ledger.read(links_of, ALICE) == []
    newer = b"".join(lines(rows_at(micros(START) + 1)))
    assert imported(any_ledger, newer) == {"wishes": 2, "links": 1, "told": 1, "proof_stops": 1}


def _by_the_operator(connection: sa.Connection) -> None:
    end_links(connection, ALICE, now=START)


def _and_its_chat_was_told(connection: sa.Connection) -> None:
    end_links(connection, ALICE, now=START)
    assert len(take_unlinked(connection, BOT, most=9)) == 1
    assert take_unlinked(connection, BOT, most=9) == []


def _and_its_chat_wants_nothing(connection: sa.Connection) -> None:
    set_stopped(connection, ALICE, stop=True, by="her", now=START)
    end_links(connection, ALICE, now=START)


def _by_themselves(connection: sa.Connection) -> None:
    give_up(connection, ALICE, BOT, "700001", now=START)


def _with_what_was_shown(connection: sa.Connection) -> None:
    put_proofs(connection, {ALICE: ["a hash"]})
    revoke(connection, ALICE, START)
    take_unlinked(connection, BOT, most=9)


@pytest.mark.parametrize(
    "end",
    [_by_the_operator, _and_its_chat_was_told, _and_its_chat_wants_nothing, _by_themselves, _with_what_was_shown],
)
def test_a_link_that_was_ended_is_not_made_again_by_an_older_file(
    any_ledger: Ledger, end: Callable[[sa.Connection], None]
) -> None:
    how = BY_PROOF if end is _with_what_was_shown else "token"
    [link] = [line for line in rows_at(micros(START) - 1, how=how) if line.table is links]
    fill(any_ledger, [link])
    file = exported(any_ledger)
    any_ledger.write(end)
    assert imported(any_ledger, file) == {}
    assert any_ledger.read(links_of, ALICE) == []
    newer = Line(links, {**link.values, "at": micros(START) + 1})
    assert imported(any_ledger, b"".join(lines([newer]))) == {"links": 1}
