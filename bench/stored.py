"""A store in which a month has been kept, written straight into its tables: on either engine the same."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bridge.store import migrate
from bridge.store.backend import open_engine
from bridge.store.moments import micros

SOURCES, SINKS, TYPES, SUBJECTS, REASONS, ROWS = 3, 8, 12, 60_000, 40, 20
DAYS = 30
UNSETTLED = 300  # of the newest events
EVERY_DEAD, EVERY_NOWHERE, EVERY_RARE = 100, 1000, 5000
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :many)"
_HEX = {"sqlite": "printf('%0{width}x', {value})", "postgresql": "lpad(to_hex({value}), {width}, '0')"}
_EVENTS = """
INSERT INTO events (id, source, panel, type, native_type, subject, occurred_at, received_at, data, native, verdicts,
  table_key, realm)
{numbers}
SELECT {id}, 's' || (i % {sources}), 'marzban', {type}, 'user_created', 'user:' || {name},
  {at}, {at}, '{{"user"\\: {{"username"\\: "' || {name} || '"}}, "note"\\: "' || {long} || '"}}',
  '{{"username"\\: "' || {name} || '", "links"\\: "' || {long} || '"}}',
  '{{"matched"\\:["route 1"]}}', 'bench', 's' || (i % {sources})
FROM n
"""
_DELIVERIES = """
INSERT INTO deliveries (id, event_id, sink, subject, {row}, made_at, state, attempts, due_at, settled_at, reason,
  status)
{numbers}
SELECT 2 * i + {copy}, {id}, 'ops-' || ((i + 3 * {copy}) % {sinks}), 'user:' || {name},
  'route ' || (1 + i % {rows}), {at}, {state}, 1,
  CASE WHEN {state} = 'waiting' THEN {at} + 600000000 END,
  CASE WHEN {state} IN ('dead', 'delivered') THEN {at} + 400000 END,
  CASE {state} WHEN 'dead' THEN 'HTTP 4' || (i / {every_dead} % {reasons}) WHEN 'waiting' THEN 'HTTP 503' END,
  CASE {state} WHEN 'dead' THEN 400 WHEN 'delivered' THEN 200 END
FROM n WHERE i % {every_nowhere} <> 7
"""
_STATE = """CASE WHEN i >= :many - {unsettled} AND i % 2 = 0 THEN 'waiting' WHEN i >= :many - {unsettled} THEN 'pending'
  WHEN i % {every_dead} = 0 THEN 'dead' ELSE 'delivered' END"""
_ATTEMPTS = """
INSERT INTO attempts (delivery_id, at, ms, outcome, counts, status, reason)
SELECT id, settled_at, 187, CASE state WHEN 'dead' THEN 'refused' ELSE 'delivered' END, {true}, status, reason
FROM deliveries WHERE settled_at IS NOT NULL
"""
_TALLIES = """
INSERT INTO tallies (what, step, at, name, detail, n, ms_sum, ms_max)
{numbers}
SELECT '{what}', {step}, {first} + i / {names} * {step}, '{prefix}' || (i % {names}), '{detail}', 12, 900, 400 FROM n
"""
#: What is counted, how the names begin, how many there are, and the details.
_COUNTED = (
    ("in", "s", SOURCES, ("accepted", "nowhere")),
    ("out", "ops-", SINKS, ("delivered", "dead", "again")),
    ("type", "user.t", TYPES, ("",)),
    ("row", "route ", ROWS, ("matched",)),
)
_OTHERS = (
    "INSERT INTO tables (key, rows, used_at) VALUES ('bench', '[]', 0)",
    "INSERT INTO lanes (sink, epoch, standing, failures, address, spent, learned)"
    " {numbers} SELECT 'ops-' || i, 1, 'open', 0, '', '{{}}', '[]' FROM n WHERE i < {sinks}",
    "INSERT INTO set_aside (source, received_at, path, reason, element)"
    " {numbers} SELECT 's1', i, '', 'unknown', '{{}}' FROM n WHERE i < 5000",
    "INSERT INTO audit (at, who, action, detail) {numbers} SELECT i, 'page', 'replay', '{{}}' FROM n WHERE i < 1000",
    "INSERT INTO mutes (kind, value, until, {by}, at)"
    " {numbers} SELECT 'subject', 'user:m' || i, 253402300799000000, 'page', i FROM n WHERE i < 100",
)


def fill(url: str, many: int) -> None:
    """A new store of so many events that came in evenly, each told to two sinks."""
    engine = open_engine(url)
    migrate.migrate(engine)
    try:
        with engine.begin() as connection:
            for text, count in _statements(engine.dialect, many):
                connection.execute(sa.text(text), {"many": count})
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if engine.dialect.name == "postgresql":
                connection.execute(sa.text("VACUUM ANALYZE"))  # as its own helper does by and by
    finally:
        engine.dispose()


def _statements(dialect: sa.Dialect, many: int) -> list[tuple[str, int]]:
    """Each with the number that it counts to."""
    now = datetime.now(UTC)
    first, step = micros(now - timedelta(days=DAYS)), timedelta(days=DAYS) // timedelta(microseconds=1) // many
    at = f"({first} + CAST(i AS BIGINT) * {step})"
    quoted, hexed = dialect.identifier_preparer.quote, _HEX[dialect.name]
    when = hexed.format(value=f"{at} / 1000", width=12)
    places = {
        "numbers": _NUMBERS,
        "at": at,
        "id": f"substr({when}, 1, 8) || '-' || substr({when}, 9, 4) || '-7000-8000-'"
        f" || {hexed.format(value='i', width=12)}",
        "type": f"CASE WHEN i % {EVERY_RARE} = 1 THEN 'node.error' ELSE 'user.t' || (i % {TYPES}) END",
        "long": f"'{'x' * 500}'",
        "name": f"('u' || (i % {SUBJECTS} * 7919 % {SUBJECTS}))",  # an INTEGER of PostgreSQL holds it
        "row": quoted("row"),
        "by": quoted("by"),
        "true": "true" if dialect.name == "postgresql" else "1",
        "sources": SOURCES,
        "sinks": SINKS,
        "reasons": REASONS,
        "rows": ROWS,
        "every_dead": EVERY_DEAD,
        "every_nowhere": EVERY_NOWHERE,
        "state": _STATE.format(unsettled=UNSETTLED, every_dead=EVERY_DEAD),
    }
    found = [(_EVENTS.format(**places), many)]
    found += [(_DELIVERIES.format(**places | {"copy": copy}), many) for copy in (1, 2)]
    found.append((_ATTEMPTS.format(**places), 0))
    found += [(text.format(**places), 5000) for text in _OTHERS]
    for what, prefix, names, details in _COUNTED:
        for size, length in ((60, 2), (900, 18), (3600, DAYS)):
            begins = int((now - timedelta(days=length)).timestamp()) // size * size
            about = {"what": what, "prefix": prefix, "names": names, "step": size, "first": begins}
            count = names * min(length * 86400 // size, many)
            found += [(_TALLIES.format(numbers=_NUMBERS, detail=one, **about), count) for one in details]
    return found
