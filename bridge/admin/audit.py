"""The audit: what people change with commands, on pages and from programs is remembered here, and nowhere else."""

from collections.abc import Callable, Mapping
from datetime import datetime

from aiohttp import web

from bridge.admin.access.auth import Principal
from bridge.admin.shapes import Audited
from bridge.store.ledger import Ledger
from bridge.store.queries.audit import add_audit, audit_records

#: Keeps an action: its name, who, the request, and what is to be known of it.
KeepAction = Callable[[str, Principal, web.Request, Mapping[str, object]], None]


def remember(ledger: Ledger, action: str, detail: Mapping[str, object], *, who: str, now: datetime) -> None:
    """That somebody did this; `detail` is what the log says of it too."""
    known = {name: value for name, value in detail.items() if value is not None}
    ledger.write(add_audit, action, known, who=who, now=now)


def audited(ledger: Ledger, *, limit: int = 50, before: int | None = None) -> list[Audited]:
    """What people changed, the newest first; with an id what was changed before that."""
    return [Audited.model_validate(one) for one in ledger.read(audit_records, limit=limit, before=before)]
