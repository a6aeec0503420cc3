"""What programs look up of what people changed and of what was counted: mutes, the audit, series, a table as it was."""

from datetime import timedelta

from bridge.admin import operations
from bridge.admin.access.auth import Role
from bridge.admin.charts import begin
from bridge.admin.counts import DAY
from bridge.admin.rest import request_models as asked
from bridge.admin.rest import response_models as answered
from bridge.admin.rest.endpoint import Call, Endpoint
from bridge.admin.rest.lookups import row_then
from bridge.admin.shapes import Muted
from bridge.admin.visit import NotThere
from bridge.errors import BridgeError, StoreError
from bridge.event import iso

MOST_POINTS = 5000


async def mutes(call: Call) -> answered.Mutes:
    found = await call.read(lambda ledger: operations.mutes(ledger, now=call.now))
    return answered.Mutes(items=tuple(found))


async def mute(call: Call) -> Muted:
    body: asked.ToMute = call.body
    names = {"sinks": call.state.sinks, "sources": call.state.source_names}
    done = await call.means.operate(
        lambda ledger: operations.mute(ledger, body.what, body.lasting, **names, by=call.who, now=call.now)
    )
    call.acted("mute", {"what": done.what, "until": iso(done.until)})
    return done


async def unmute(call: Call) -> Muted:
    id_ = call.path["mute"]
    try:
        done = await call.means.operate(lambda ledger: operations.unmute(ledger, id_, now=call.now))
    except StoreError:
        raise
    except BridgeError:
        raise NotThere(f"there is no mute {id_}, or it is over") from None
    call.acted("unmute", {"what": done.what})
    return done


async def audit(call: Call) -> answered.Audit:
    wanted: asked.AuditAsked = call.query
    found = await call.read(lambda ledger: operations.audited(ledger, limit=wanted.limit + 1, before=wanted.before))
    more = len(found) > wanted.limit
    return answered.Audit(items=tuple(found[: wanted.limit]), next=found[wanted.limit - 1].id if more else None)


async def series(call: Call) -> answered.Series:
    """Whole steps only: the next page begins with a step that none of these points is of."""
    wanted: asked.SeriesAsked = call.query
    since = begin(wanted.since or call.now - DAY, timedelta(seconds=wanted.step), 1)
    found = await call.read(
        lambda ledger: operations.points(
            ledger, wanted.what, step=wanted.step, since=since, name=wanted.name, limit=MOST_POINTS + 1
        )
    )
    if len(found) <= MOST_POINTS:
        return answered.Series(items=tuple(found), next=None)
    last = found[-1].at
    whole = [one for one in found if one.at < last]
    beyond = last if whole else last + timedelta(seconds=wanted.step)
    return answered.Series(items=tuple(whole or found), next=beyond)


async def table(call: Call) -> answered.TableThen:
    key = call.path["table"]
    found = await call.read(lambda ledger: operations.table_as_it_was(ledger, key))
    if found is None:
        raise NotThere(f"no event that is kept was routed by a table {key}")
    rows, used_at = found
    return answered.TableThen(key=key, used_at=used_at, items=tuple(row_then(*one) for one in rows.items()))


HISTORY = (
    Endpoint(
        name="mutes",
        method="GET",
        path="/mutes",
        summary="What nobody is told of for a while",
        answer=answered.Mutes,
        do=mutes,
    ),
    Endpoint(
        name="mute",
        method="POST",
        path="/mutes",
        role=Role.ACT,
        summary="Tell nobody of something for a while",
        answer=Muted,
        do=mute,
        body=(asked.ToMute,),
        refuses=(404, 409),
    ),
    Endpoint(
        name="unmute",
        method="DELETE",
        path="/mutes/{mute}",
        role=Role.ACT,
        summary="End a mute before its time",
        answer=Muted,
        do=unmute,
    ),
    Endpoint(
        name="audit",
        method="GET",
        path="/audit",
        summary="What people changed, newest first",
        answer=answered.Audit,
        do=audit,
        query=asked.AuditAsked,
    ),
    Endpoint(
        name="series",
        method="GET",
        path="/series",
        summary="What was counted, step by step: the points of the charts",
        answer=answered.Series,
        do=series,
        query=asked.SeriesAsked,
    ),
    Endpoint(
        name="table",
        method="GET",
        path="/tables/{table}",
        summary="The table by which events were routed, row by row",
        answer=answered.TableThen,
        do=table,
    ),
)
