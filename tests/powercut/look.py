"""What can be said of a disk without a bridge. Whoever opens a store repairs it, so look at a copy."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from tests.powercut.laws import is_overdue, original_of, undone, unmuted
from tests.powercut.prepared import MONTHS_AGO
from tests.powercut.report import Kept, Report

KEPT = (
    "SELECT deliveries.id, events.data, event_id, state, replay_of FROM deliveries JOIN events ON events.id = event_id"
    " ORDER BY deliveries.id"
)
STEPS = 3  # by minute, quarter and hour
SINCE = MONTHS_AGO // 1000 + 86_400  # seconds: what is older was there before
#: By the minute: what was counted, and what there is.
COUNTED = (
    "SELECT detail, at, sum(n) FROM tallies WHERE step = 60 AND at > :since"
    " AND ((what = 'in' AND detail = 'accepted') OR (what = 'out' AND detail <> 'again')) GROUP BY detail, at"
)
THERE = (
    "SELECT 'accepted', received_at / 60000000 * 60, count(*) FROM events WHERE received_at > :since * 1000000"
    " GROUP BY 2 UNION ALL SELECT state, settled_at / 60000000 * 60, count(*) FROM deliveries"
    " WHERE settled_at > :since * 1000000 GROUP BY 1, 2"
)
SUMS = (
    "SELECT what, min(n), max(n), count(*) FROM (SELECT what, step, sum(n) AS n FROM tallies"
    " WHERE what IN ('in', 'out') AND at > :since GROUP BY what, step) GROUP BY what"
)
CLEAR = original_of("").encode()
UNSETTLED = ("pending", "waiting")


def kept(store: Path) -> list[Kept]:
    """The deliveries of a store."""
    with closing(sqlite3.connect(store)) as connection:
        rows = connection.execute(KEPT).fetchall()
    return [Kept(id_, json.loads(data)["mark"], event, *rest) for id_, data, event, *rest in rows]


def kept_in_full(store: Path) -> list[Kept]:
    """The same with how they were dealt with, and whether their originals are kept: of a store of today."""
    with closing(sqlite3.connect(store)) as connection:
        rows = connection.execute("SELECT id, cleared, sealed IS NOT NULL FROM deliveries").fetchall()
    more = {id_: (cleared, bool(sealed)) for id_, cleared, sealed in rows}
    return [replace(one, cleared=more[one.id][0], sealed=more[one.id][1]) for one in kept(store)]


def originals_in_clear(disk: Path) -> list[str]:
    """Files in which an original can be read."""
    return [
        f"{one.name}: an original in clear" for one in disk.rglob("*") if one.is_file() and CLEAR in one.read_bytes()
    ]


def faults_of(store: Path) -> list[str]:
    """What is broken in a store."""
    try:
        with closing(sqlite3.connect(store)) as connection:
            (found,) = connection.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.DatabaseError as error:
        return [f"{store.name}: {error}"]
    return [] if found == "ok" else [f"{store.name}: {found}"]


def muted(store: Path) -> set[str]:
    """The subjects that are muted in a store."""
    with closing(sqlite3.connect(store)) as connection:
        return {subject for (subject,) in connection.execute("SELECT value FROM mutes WHERE kind = 'subject'")}


def miscounted(store: Path) -> list[str]:
    """Where the tallies of a store differ from what it keeps of this run: both were one commit."""
    with closing(sqlite3.connect(store)) as connection:
        counted, found = (dict(_counts(connection.execute(text, {"since": SINCE}))) for text in (COUNTED, THERE))
        sums = list(connection.execute(SUMS, {"since": SINCE}))
    differing = [key for key in sorted({*counted, *found}) if counted.get(key) != found.get(key)]
    return [
        *(f"{counted.get(key, 0)} {key[0]} were counted, and there are {found.get(key, 0)}" for key in differing),
        *(
            f"of {what} not as many were counted in each step"
            for what, least, most, steps in sums
            if least != most or steps != STEPS
        ),
    ]


def _counts(rows: Iterable[tuple[str, int, int]]) -> Iterator[tuple[tuple[str, int], int]]:
    return (((what, minute), number) for what, minute, number in rows)


def look(disk: Path, report: Report, moment: float) -> list[str]:
    """What is not as it must be on a disk whose power went at that moment."""
    stores = [one for one in disk.rglob("*.db") if one.stat().st_size]
    faults = [fault for store in stores for fault in faults_of(store)]
    if faults:
        return faults
    faults = originals_in_clear(disk) if report.unmasks else []
    live = [one for store in stores if "var" in store.parts for one in _kept_if_any(store)]
    for store in stores if not report.forgets else ():
        with suppress(sqlite3.OperationalError):  # it does not count yet
            faults += miscounted(store)
    if any(one.at < moment for one in report.printed):
        full = [one for store in stores if "var" in store.parts for one in kept_in_full(store)]
        faults += undone(report, full, moment)
        silenced = {subject for store in stores if "var" in store.parts for subject in muted(store)}
        faults += unmuted(report, silenced, moment)
    saved = [one for store in stores if "var" not in store.parts for one in _kept_if_any(store)]
    return [*faults, *_lost(report, live, moment), *_late(report, live, moment), *_not_saved(report, saved, moment)]


def _kept_if_any(store: Path) -> list[Kept]:
    try:
        return kept(store)
    except sqlite3.OperationalError:  # it has no tables yet
        return []


def _lost(report: Report, live: list[Kept], moment: float) -> Iterator[str]:
    marks = {one.mark for one in live}
    arrived = {one.mark for one in report.arrivals} if report.forgets else set()
    for one in report.answered:
        if one.at < moment and one.mark not in marks and one.mark not in arrived:
            yield f"{one.mark} was answered 200, and is not on the disk"


def _late(report: Report, live: list[Kept], moment: float) -> Iterator[str]:
    """What arrived long ago is settled, unless something happened since."""
    since = max((one for one in report.breaks if one < moment), default=0.0)
    unsettled = {one.event for one in live if one.state in UNSETTLED}
    for one in report.arrivals:
        if since < one.at and one.event in unsettled and is_overdue(report, one, moment):
            yield f"{one.mark} arrived {moment - one.at:.1f} s before the power went, and is not settled"


def _not_saved(report: Report, saved: list[Kept], moment: float) -> Iterator[str]:
    if report.backup is not None and report.backup.at < moment:
        yield from (f"{mark} is not in the backup" for mark in report.backup.marks - {one.mark for one in saved})
