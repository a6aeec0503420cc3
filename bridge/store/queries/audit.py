"""The audit: what people have changed, who, and when; the newest of it is kept."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from bridge.codec import dump, load
from bridge.store.moments import micros, moment
from bridge.store.records import AuditRecord
from bridge.store.schema import audit

KEPT = 1000
LONGEST = 200  # characters of one value: of a reason a service may have said anything


def add_audit(connection: sa.Connection, action: str, detail: Mapping[str, object], *, who: str, now: datetime) -> None:
    """Remember that somebody did this."""
    shown = {name: value[:LONGEST] if isinstance(value, str) else value for name, value in detail.items()}
    values = {"at": micros(now), "who": who, "action": action, "detail": dump(shown).decode()}
    id_ = connection.execute(audit.insert().values(values).returning(audit.c.id)).scalar_one()
    connection.execute(sa.delete(audit).where(audit.c.id <= id_ - KEPT))


def audit_records(connection: sa.Connection, *, limit: int, before: int | None = None) -> list[AuditRecord]:
    """What people did, the newest first; with an id what was done before that."""
    newest = sa.select(audit).order_by(audit.c.id.desc()).limit(limit)
    rows = connection.execute(newest if before is None else newest.where(audit.c.id < before))
    return [
        AuditRecord(id=row.id, at=moment(row.at), who=row.who, action=row.action, detail=load(row.detail))
        for row in rows
    ]
