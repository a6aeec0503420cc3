"""Whoever is looked up with others is found as by a plain reading of the tables. On both engines."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.codec import load
from bridge.people.person import forgotten_key
from bridge.people.wants import NOTHING_SAID, Wants, chat_scope, wants_of
from bridge.store import migrate, open_outbox
from bridge.store.backend import autocommit, open_engine
from bridge.store.base import AddressState, PlaceFacts, RecipientFacts
from bridge.store.compiled import MOST, SIZES, compiled_statement
from bridge.store.moments import moment, moment_or_none
from bridge.store.queries.addresses import states_among
from bridge.store.queries.directory import placed_among, records_among
from bridge.store.queries.links import put_link
from bridge.store.queries.lookup import closed_among, known, linked_among, links_among, places
from bridge.store.queries.wishes import wishes_among
from bridge.store.schema import addresses, closed, directories, directory, directory_chats, links, wishes
from tests.fakes import START

KEYS = [f"marzban/user:{name}" for name in ("alice", "bob", "carol")]
BOTS, CHATS, GENERATIONS = ("a bot", "another"), ("7", "8"), ("one", "other")
SCOPES = [chat_scope(bot, chat) for bot in BOTS for chat in CHATS]
SPOKEN = [*KEYS, *SCOPES, *map(forgotten_key, [*KEYS, *SCOPES])]
SAID = ('{"locale":"fa"}', '{"categories":{"news":false}}', '{"categories":{"news":true},"quiet":"22:00-07:00"}')
TIMES = st.integers(0, 10**15)

Rows = Mapping[sa.Table, Sequence[dict[str, Any]]]


def some_of(**columns: st.SearchStrategy[Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries(columns), max_size=8)


def texts(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


rows = st.fixed_dictionaries(
    {
        wishes: some_of(
            key=texts(*SPOKEN), stopped_at=st.none() | TIMES, wants=st.none() | texts(*SAID), by=st.just("x"), at=TIMES
        ),
        links: some_of(key=texts(*KEYS), sender=texts(*BOTS), chat=texts(*CHATS), how=st.just("token"), at=TIMES),
        closed: some_of(key=texts(*KEYS), at=TIMES),
        directories: st.sampled_from([[], [{"id": 1, "generation": "one"}]]),
        directory: some_of(key=texts(*KEYS), generation=texts(*GENERATIONS), record=texts("{}", '{"telegram":"5"}')),
        addresses: some_of(
            sender=texts(*BOTS),
            place=texts(*CHATS),
            reached_at=st.none() | TIMES,
            reason=st.none() | st.just("blocked"),
            since=st.none() | TIMES,
            until=st.none() | TIMES,
        ),
    }
)


@pytest.fixture
def connection(any_store_url: str) -> Iterator[sa.Connection]:
    engine = open_engine(any_store_url)
    migrate.migrate(engine)
    with autocommit(engine.connect()) as opened:
        yield opened
    engine.dispose()


@given(rows=rows, keys=st.lists(st.sampled_from([*KEYS, *SCOPES, "marzban/user:nobody"]), max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_is_looked_up_together_is_found_as_each_by_themselves(
    connection: sa.Connection, rows: Rows, keys: list[str]
) -> None:
    there = fill(connection, rows)
    for sender in BOTS:
        scopes = {chat: chat_scope(sender, chat) for chat in (*CHATS, "nowhere")}
        assert known(connection, sender, keys) == {key: plain_known(there, sender, key) for key in keys}
        assert places(connection, sender, scopes) == {
            place: PlaceFacts(plain_state(there, sender, place), plain_wants(there, scope))
            for place, scope in scopes.items()
        }


@pytest.mark.parametrize("many", [MOST - 1, MOST, MOST + 1, 3 * MOST])
def test_as_many_as_are_asked_for_are_found(connection: sa.Connection, many: int) -> None:
    keys = [f"marzban/user:{number}" for number in range(many)]
    connection.execute(
        links.insert(), [{"key": one, "sender": "a bot", "chat": one, "how": "x", "at": 1} for one in keys]
    )
    state = {"sender": "a bot", "reached_at": 1, "reason": None, "since": None, "until": None}
    connection.execute(addresses.insert(), [{**state, "place": one} for one in keys])
    assert [one.link for one in known(connection, "a bot", keys).values()] == keys
    found = places(connection, "a bot", {one: chat_scope("a bot", one) for one in keys})
    assert [one for one, place in found.items() if place.state == AddressState(moment(1))] == keys


#: Each statement of a look-up.
STATEMENTS = {
    "links": links_among,
    "linked in a chat": linked_among,
    "placed in a chat": placed_among,
    "closed": closed_among,
    "wishes": wishes_among,
    "records": records_among,
    "states": states_among,
}


@pytest.mark.parametrize("many", SIZES)
@pytest.mark.parametrize("looked", [False, True])
@pytest.mark.parametrize("name", STATEMENTS)
def test_a_look_up_reads_whom_it_asks_for_and_nobody_else(
    connection: sa.Connection, name: str, looked: bool, many: int
) -> None:
    """Whatever the planner knows: just after a directory was read, nothing; after it has looked, everything."""
    crowd(connection)
    if looked:
        connection.execute(sa.text("ANALYZE"))
    compiled = compiled_statement(STATEMENTS[name](many), connection.dialect)
    asked = {f"text_{number}_": f"key-{number}" if number < 3 else None for number in range(many)}
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    values = compiled.parameters({**asked, "sender_": "a bot"})
    plan = "\n".join(str(row) for row in connection.exec_driver_sql(f"{explain} {compiled.sql}", values))
    whole = re.search(r"\bSCAN \w+|Seq Scan on (?!directories)\w+", plan)  # that has one row
    assert whole is None, plan


def crowd(connection: sa.Connection, many: int = 20_000) -> None:
    """Very many people, of whom everything is known."""
    connection.execute(directories.insert(), [{"id": 1, "generation": "one"}])
    for statement in (
        "INSERT INTO links (key, sender, chat, how, at) SELECT 'key-' || n, 'a bot', CAST(n AS TEXT), 'token', 1",
        "INSERT INTO closed (key, at) SELECT 'key-' || n, 1",
        "INSERT INTO wishes (key, \"by\", at) SELECT 'key-' || n, 'them', 1",
        "INSERT INTO directory (generation, key, record) SELECT 'one', 'key-' || n, '{}'",
        "INSERT INTO directory_chats (generation, chat, key) SELECT 'one', 'key-' || n, 'key-' || n",
        "INSERT INTO addresses (sender, place, reached_at) SELECT 'a bot', 'key-' || n, 1",
    ):
        numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)"
        connection.execute(sa.text(statement.replace("SELECT", f"{numbers} SELECT") + " FROM numbers"), {"many": many})


def test_nobody_is_found_where_nobody_is_asked_for(connection: sa.Connection) -> None:
    assert known(connection, "a bot", []) == places(connection, "a bot", {}) == {}


def fill(connection: sa.Connection, rows: Rows) -> Rows:
    """Have these rows and no others, of several with one key the last; those rows."""
    kept = {}
    for table, some in rows.items():
        connection.execute(sa.delete(table))
        names = [column.name for column in table.primary_key.columns]
        kept[table] = list({tuple(one[name] for name in names): one for one in some}.values())
        if kept[table]:
            connection.execute(table.insert(), kept[table])
    return kept


def plain_known(rows: Rows, sender: str, key: str) -> RecipientFacts:
    chat = next((one["chat"] for one in rows[links] if (one["key"], one["sender"]) == (key, sender)), None)
    wants = plain_wants(rows, key)
    if chat is not None:
        wants |= plain_wants(rows, chat_scope(sender, chat))
    there = [one for one in rows[links] if (one["sender"], one["chat"]) == (sender, chat)]
    in_force = [one["generation"] for one in rows[directories]]
    records = [one["record"] for one in rows[directory] if one["key"] == key and one["generation"] in in_force]
    return RecipientFacts(
        wants=wants,
        link=chat,
        closed_at=next((moment(one["at"]) for one in rows[closed] if one["key"] == key), None),
        several=chat is not None and len(there) > 1,
        record=load(records[0]) if records else None,
    )


def plain_wants(rows: Rows, scope: str) -> Wants:
    """What was said last; who wanted nothing and was forgotten, wants nothing still."""
    said = {one["key"]: one for one in rows[wishes]}
    forgotten, own = said.get(forgotten_key(scope)), said.get(scope)
    stopped = any(one is not None and one["stopped_at"] is not None for one in (forgotten, own))
    last = own or forgotten
    return NOTHING_SAID if last is None else wants_of(load(last["wants"]) if last["wants"] else {}, stopped=stopped)


def plain_state(rows: Rows, sender: str, place: str) -> AddressState | None:
    for one in rows[addresses]:
        if (one["sender"], one["place"]) == (sender, place):
            times = [moment_or_none(one[name]) for name in ("reached_at", "since", "until")]
            return AddressState(times[0], one["reason"], times[1], times[2])
    return None


@pytest.mark.parametrize(
    ("linked", "several"),
    [
        ({}, {"alice", "bob"}),  # the directory places both in one chat
        ({"carol": "7"}, {"alice", "bob", "carol"}),
        ({"bob": "8"}, {"bob", "carol"}),  # a link comes before the directory
        ({"bob": "7"}, {"alice", "bob"}),
        ({"alice": "9", "carol": "9"}, {"alice", "carol"}),
        ({"alice": "9", "bob": "6"}, set()),
    ],
)
async def test_a_chat_is_that_of_several_by_whatever_each_is_there(
    any_store_url: str, linked: dict[str, str], several: set[str]
) -> None:
    names = {"alice": 7, "bob": 7, "carol": 8, "dave": -7, "erin": None}
    records = [(f"marzban/user:{name}", {"telegram": chat} if chat else {}) for name, chat in names.items()]
    async with open_outbox(any_store_url) as outbox:
        await outbox.keep_directory("old", [(f"marzban/user:{n}", {"telegram": 8}) for n in range(3)])
        await outbox.keep_directory("new", [*records, ("marzban/owner:r7", {"telegram": 7})])
        for name, chat in linked.items():
            one = (f"marzban/user:{name}", "a bot", chat)
            await outbox.operate(lambda ledger, one=one: ledger.write(put_link, *one, how="token", now=START))
        found = await outbox.known("a bot", [key for key, _ in records])
    assert {key.partition(":")[2] for key, one in found.items() if one.several} == several


async def test_nothing_is_left_of_whom_another_directory_placed(any_store_url: str) -> None:
    async with open_outbox(any_store_url) as outbox:
        await outbox.keep_directory("old", [(KEYS[0], {"telegram": 7}), (KEYS[1], {"telegram": 7})])
        await outbox.keep_directory("new", [(KEYS[0], {"telegram": 7})])
        assert not (await outbox.known("a bot", [KEYS[0]]))[KEYS[0]].several
        chats = sa.select(directory_chats)
        rows = await outbox.operate(lambda ledger: ledger.read(lambda one: one.execute(chats).all()))
    assert [tuple(row) for row in rows] == [("new", "7", KEYS[0])]
