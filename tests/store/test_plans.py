"""What runs for every event looks at a handful of rows through an index, however much is stored: on both engines, with
what the planner knows just after a burst (nothing) and after it has looked (everything).
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from bridge.people.owner import Owner
from bridge.store import matching, migrate, schema
from bridge.store.backend import open_engine
from bridge.store.base import Cleared, State
from bridge.store.compiled import compiled_statement
from bridge.store.queries import (
    announcements,
    claim,
    dead,
    events,
    fingerprints,
    following,
    lanes,
    owned,
    proofs,
    put,
    records,
    series,
    settle,
    tail,
    tallies,
    threads,
    walk,
)
from bridge.store.queries.tallies import TallyKind
from bridge.store.records import DeliveryQuery

ROWS = 100_000
SEVEN = Owner("marzban", "reseller-7")
EARLY, LATE = datetime(1970, 1, 2, tzinfo=UTC), datetime(2026, 11, 21, tzinfo=UTC)
VALUES = {
    "sink_": "ops", "now_": 10**15, "after_": 10, "limit_": 100, "row_": "route 1", "until_": 10**15,
    "recipient_": None, "terms_": '{"hold":30.0}', "subject_": "user:7", "id_": 7, "event_id_": "7", "key_": "7",
    "state_": "dead", "reason_": "", "answer_": "", "note_": "", "attempts_": 1, "due_at_": 1, "settled_at_": 1,
    "status_": 1, "sealed_": None, "before_": "f", "since_": "5", "first_": 1, "through_": 10**6,
    "cleared_": "dismissed",
    "ref_": None, "ms_": 1, "what_": "type", "step_": 3600, "source_": "marzban", "type_": "user.created",
    "realm_": "marzban",
}  # fmt: skip
NEWEST_OF_TYPE = (
    sa.select(schema.events.c.id)
    .where(matching.is_of_type(sa.bindparam("type_")))
    .order_by(schema.events.c.id.desc())
    .limit(sa.bindparam("limit_"))
)
#: Statement → the indexes that it goes through. `pk` stands for a primary key.
PLANS = {
    "pending": (claim.PENDING, {"deliveries_pending", "deliveries_blocking", "pk"}),
    "due": (claim.DUE, {"deliveries_waiting", "deliveries_blocking", "pk"}),
    "next due": (claim.NEXT_DUE, {"deliveries_waiting"}),
    "members of a digest": (claim.DIGEST_MEMBERS, {"deliveries_collected", "deliveries_blocking", "pk"}),
    "fill of a digest": (claim.DIGEST_FILL, {"deliveries_filling"}),
    "first of a full digest": (claim.UNBLOCKED, {"deliveries_blocking", "pk"}),
    "members of a hold": (claim.HOLD_MEMBERS, {"deliveries_blocking", "pk"}),
    "fallback candidates": (claim.FALLBACK_CANDIDATES, {"deliveries_termed", "pk"}),
    "backlog": (claim.BACKLOG[0], {"deliveries_pending"}),
    "backlog that is due": (claim.BACKLOG[1], {"deliveries_waiting"}),
    "settle": (settle.SETTLE, {"pk"}),
    "next id": (put.NEWEST_ID, {"pk"}),
    "fingerprint": (fingerprints.FINGERPRINT, {"pk"}),
    "sinks of an event": (following.EVENT_SINKS, {"deliveries_event"}),
    "later events of a subject": (following.LATER_EVENTS, {"events_subject"}),
    "later events about a customer": (following.ABOUT_PERSON, {"events_subject"}),
    "event that deleted a customer": (following.DELETING, {"events_subject"}),
    "epoch": (lanes.EPOCH, {"pk"}),
    "newest event of a subject": (events.NEWEST_ABOUT, {"events_subject"}),
    "newest events of a type": (NEWEST_OF_TYPE, {"events_type"}),
    "arrivals": (events.ARRIVALS, {"pk"}),
    "dead letters": (dead.TO_LOOK_AT, {"deliveries_dead"}),
    "dead letters dealt with": (dead.DEALT_WITH, {"deliveries_cleared"}),
    "names of the day": (tallies.NAMES_OF_DAY, {"pk"}),
    "earlier message": (threads.EARLIER_MESSAGE, {"pk"}),
}
_EVENTS = """
INSERT INTO events
  (id, source, panel, type, native_type, subject, occurred_at, received_at, data, native, verdicts, realm, owner)
SELECT CAST(n AS TEXT), 'marzban', 'marzban', 'user.created', 'x', 'user:' || (n % 500), n, n, '{}', '{}', '[]',
  'marzban', 'reseller-' || (n % 500)
FROM numbers
"""
_DELIVERIES = r"""
INSERT INTO deliveries (id, event_id, sink, subject, row, terms, made_at, state, attempts, due_at, settled_at)
SELECT n, CAST(n AS TEXT), 'ops', 'user:' || (n % 500), 'route 1', '{"hold"\:30.0}', n,
  CASE n % 3 WHEN 0 THEN 'pending' WHEN 1 THEN 'waiting' ELSE 'delivered' END, 0,
  CASE n % 3 WHEN 1 THEN n END, CASE n % 3 WHEN 2 THEN n END
FROM numbers
"""
_NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :rows) SELECT"


def _filled(url: str, *, looked: bool) -> sa.Engine:
    engine = open_engine(url)
    migrate.migrate(engine)
    with engine.begin() as connection:
        for statement in (_EVENTS, _DELIVERIES):
            connection.execute(sa.text(statement.replace("SELECT", _NUMBERS, 1)), {"rows": ROWS})
        if looked:
            connection.execute(sa.text("ANALYZE"))
    return engine


@pytest.fixture(
    scope="module",
    params=[
        "sqlite",
        *(pytest.param(one, marks=pytest.mark.process) for one in ("postgresql", "postgresql that has looked")),
    ],
)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    if request.param.startswith("sqlite"):
        url = f"sqlite:///{tmp_path_factory.mktemp('plans')}/panelbridge.db"
    else:
        url = request.getfixturevalue("postgres").fresh()
    engine = _filled(url, looked="looked" in request.param)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("name", PLANS)
def test_what_runs_for_every_event_goes_through_its_indexes(filled: sa.Engine, name: str) -> None:
    statement, expected = PLANS[name]
    explain = _sqlite_plan if filled.dialect.name == "sqlite" else _postgres_plans
    for plan in explain(filled, statement):
        assert not re.search(r"SCAN (?!anon)|Seq Scan|TEMP B-TREE|Sort|Hash|Merge|Materialize|Bitmap", plan), plan
        assert set(_indexes(plan)) == expected, plan
        for look in re.findall(r"deliveries_blocking.*(?:\n.*Index Cond.*)?", plan):
            assert re.search(r"subject ?=", look), plan
            assert re.search(r"\bid ?[<>]", look), plan


#: Where all of what waits is counted, each of its indexes will do.
HOLDS_THE_SAME = dict.fromkeys(("deliveries_collected", "deliveries_blocking"), "deliveries_waiting")
#: Look → the indexes that it goes through, whatever is asked of each row beside. None reads a table from end to end.
LOOKS: dict[str, tuple[Callable[[sa.Connection], object], set[str]]] = {
    "deliveries of a source": (lambda one: walk.walked_deliveries(one, DeliveryQuery(source="x")), {"pk"}),
    "deliveries of a row": (lambda one: walk.walked_deliveries(one, DeliveryQuery(row="x")), {"pk"}),
    "deliveries at a sink": (
        lambda one: walk.walked_deliveries(one, DeliveryQuery(sink="x", source="x")),
        {"deliveries_waiting", "deliveries_settled", "deliveries_pending", "pk"},
    ),
    "deliveries before a time": (
        lambda one: walk.walked_deliveries(one, DeliveryQuery(until=LATE, source="x")),
        {"deliveries_event", "pk"},
    ),
    "deliveries of a day": (
        lambda one: walk.walked_deliveries(one, DeliveryQuery(since=EARLY, source="x")),
        {"deliveries_event", "pk"},
    ),
    "deliveries about somebody": (
        lambda one: walk.walked_deliveries(one, DeliveryQuery(subject="user:nobody")),
        {"events_subject", "deliveries_event", "pk"},
    ),
    "deliveries of a type": (
        lambda one: walk.walked_deliveries(one, DeliveryQuery(type="node.none")),
        {"events_type", "deliveries_event", "pk"},
    ),
    "held back": (
        lambda one: walk.walked_deliveries(one, DeliveryQuery(states=(State.HELD_BACK,))),
        {"deliveries_held"},
    ),
    "dealt with": (
        lambda one: walk.walked_deliveries(one, DeliveryQuery(cleared=(Cleared.REPLAYED,))),
        {"deliveries_cleared"},
    ),
    "dead letters to look at": (
        lambda one: walk.walked_deliveries(one, DeliveryQuery(states=(State.DEAD,), cleared=(None,))),
        {"deliveries_dead"},
    ),
    "how many dead letters there are to look at": (
        lambda one: records.count_deliveries(one, DeliveryQuery(states=(State.DEAD,), cleared=(None,)), most=100),
        {"deliveries_dead"},
    ),
    "how many were dealt with": (
        lambda one: records.count_deliveries(one, DeliveryQuery(cleared=tuple(Cleared), source="x"), most=9),
        {"deliveries_cleared", "pk"},
    ),
    "events of a source": (lambda one: events.walked_events(one, DeliveryQuery(source="x")), {"pk"}),
    "events at a sink": (lambda one: events.walked_events(one, DeliveryQuery(sink="x")), {"deliveries_event", "pk"}),
    "events of a type and a source": (
        lambda one: events.walked_events(one, DeliveryQuery(type="user.created", source="x")),
        {"events_type", "pk"},
    ),
    "events about somebody and of a type": (
        lambda one: events.walked_events(one, DeliveryQuery(subject="user:1", type="node.none")),
        {"events_subject"},
    ),
    "events that went nowhere": (
        lambda one: events.walked_events(one, DeliveryQuery(), nowhere=True),
        {"deliveries_event", "pk"},
    ),
    "events of an owner": (lambda one: owned.owned_events(one, SEVEN, limit=9), {"events_owner"}),
    "how many events an owner has": (lambda one: owned.count_owned(one, SEVEN, since=LATE), {"events_owner"}),
    "customers of an owner": (
        lambda one: announcements.subjects_owned_by(one, SEVEN.realm, SEVEN.name),
        {"events_owner", "events_subject"},
    ),
    "the last event of a recipient": (lambda one: proofs.last_data(one, "marzban/user:1"), {"events_subject"}),
    "the beginning of an id": (lambda one: events.event_ids(one, "0000000a"), {"pk"}),
    "tail: new events": (lambda one: tail.event_ids_since(one, LATE, limit=9), {"pk"}),
    "tail: some events": (lambda one: tail.events_by_id(one, ["7", "8"]), {"pk"}),
    "tail: since when": (lambda one: tail.delivery_before(one, LATE), {"deliveries_event"}),
    "tail: new deliveries": (lambda one: tail.deliveries_after(one, 10**6, limit=9), {"pk"}),
    "tail: some deliveries": (lambda one: tail.deliveries_by_id(one, [7, 8]), {"pk"}),
    "tail: what waits": (
        lambda one: tail.unsettled(one, through=9999, limit=9),
        {"deliveries_pending", "deliveries_waiting", "pk"},
    ),
    "tail: what was tried of late": (lambda one: tail.tries_since(one, [7, 8], LATE), {"pk"}),
    "a series": (lambda one: series.series(one, TallyKind.OUT, step=3600, since=EARLY, limit=9), {"pk"}),
    "whether a source is known": (lambda one: series.has_come_from(one, "x"), {"pk"}),
}


@pytest.mark.parametrize("name", LOOKS)
def test_what_people_look_at_goes_through_indexes(filled: sa.Engine, name: str) -> None:
    look, expected = LOOKS[name]
    plans = list(_plans_of(filled, look))
    for statement, plan in plans:
        bounded = "" if "WHERE" in statement else "(?!deliveries$)"  # of all there are, as many as are wanted
        assert not re.search(rf"(?m)SCAN {bounded}(deliveries|events|tallies)$|Seq Scan", plan), plan
    indexes = {index for _, plan in plans for index in _indexes(plan)}
    assert {HOLDS_THE_SAME.get(index, index) for index in indexes} == expected, plans


def _plans_of(engine: sa.Engine, look: Callable[[sa.Connection], object]) -> Iterator[tuple[str, str]]:
    """Each statement that a look runs, and the plan for the values that it has."""
    ran: list[tuple[str, Any]] = []
    with engine.connect() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *seen: ran.append((seen[2], seen[3])))
        look(connection)
        asked = list(ran)
        explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
        for statement, values in asked:
            rows = connection.exec_driver_sql(f"{explain} {statement}", values)
            yield statement, "\n".join(row[-1] for row in rows)


def _sqlite_plan(engine: sa.Engine, statement: sa.ClauseElement) -> Iterator[str]:
    compiled = compiled_statement(statement, engine.dialect)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled.sql}", compiled.parameters(VALUES))
        yield "\n".join(row.detail for row in rows)


def _postgres_plans(engine: sa.Engine, statement: sa.ClauseElement) -> Iterator[str]:
    """For these values, and for any: what PostgreSQL makes of a prepared statement is one or the other."""
    sql = compiled_statement(statement, engine.dialect).sql
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", sql)))
    any_values = re.sub(r"%\((\w+)\)s", lambda match: f"${names.index(match[1]) + 1}", sql)
    with engine.connect() as connection:
        compiled = compiled_statement(statement, engine.dialect)
        rows = connection.exec_driver_sql(f"EXPLAIN {sql}", compiled.parameters(VALUES)).scalars()
        yield "\n".join(rows)
        yield "\n".join(connection.exec_driver_sql(f"EXPLAIN (GENERIC_PLAN) {any_values}").scalars())


def _indexes(plan: str) -> Iterator[str]:
    """The indexes of a plan, `pk` for a primary key."""
    for name in re.findall(
        r"INDEX (\w+)|[Uu]sing (\w+)|((?:INTEGER )?PRIMARY KEY)|(SEARCH deliveries)$", plan, re.MULTILINE
    ):
        found = "".join(name)
        if found not in ("INDEX", "COVERING"):
            yield "pk" if re.search("autoindex|_pkey|PRIMARY|SEARCH", found) else found
