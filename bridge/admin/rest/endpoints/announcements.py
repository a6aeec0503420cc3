"""What programs look up and do about announcements."""

from bridge.admin.access.auth import Role
from bridge.admin.people import announcements, drafts
from bridge.admin.people.drafts import AnnouncementDraft
from bridge.admin.people.shapes import AnnouncedFound, AnnouncementNow, Changed, Draft
from bridge.admin.rest import people_request_models as asked
from bridge.admin.rest import response_models as answered
from bridge.admin.rest.endpoint import Call, Endpoint
from bridge.store.ledger import Ledger


async def count(call: Call) -> Draft:
    drafted = await call.read(lambda ledger: _drafted(call, ledger))
    return drafted.shape(call.state.dry_run)


async def announce(call: Call) -> AnnouncementNow:
    body: asked.CountedInWords | asked.CountedByTemplate | asked.CountedByName = call.body
    drafted = await call.read(lambda ledger: _drafted(call, ledger))
    people = drafts.check_count(drafted, body.count)
    id_ = await announcements.announce(call.means, drafted, by=call.who, now=call.now, again=body.again)
    call.acted("announce", {"announcement": id_, "sink": body.sink, "people": people, "category": body.category})
    return await _now(call, id_)


async def every(call: Call) -> answered.Announcements:
    wanted: asked.AnnouncementsAsked = call.query
    found = await call.read(
        lambda ledger: announcements.list_announcements(
            ledger, call.means.errands, limit=wanted.limit + 1, before=wanted.before
        )
    )
    items = tuple(found[: wanted.limit])
    return answered.Announcements(items=items, next=items[-1].id if len(found) > wanted.limit else None)


async def one(call: Call) -> AnnouncementNow:
    return await _now(call, _id(call))


async def people(call: Call) -> AnnouncedFound:
    wanted: asked.AnnouncedAsked = call.query
    return await call.read(
        lambda ledger: announcements.announced_people(
            ledger,
            _id(call),
            limit=wanted.limit,
            after=wanted.after or 0,
            states=wanted.state,
            uncertain=wanted.uncertain,
        )
    )


async def stop(call: Call) -> Changed:
    done = await call.means.operate(lambda ledger: announcements.hold(ledger, _id(call), now=call.now))
    call.acted("announce stop", {"announcement": done.id, "deliveries": done.deliveries})
    return done


async def resume(call: Call) -> Changed:
    done = await announcements.resume(call.means, call.state.dry_run, _id(call), now=call.now)
    call.acted("announce resume", {"announcement": done.id, "deliveries": done.deliveries})
    return done


async def retry(call: Call) -> Changed:
    body: asked.ToRetry = call.body or asked.ToRetry()
    only = body.deliveries or ()
    done = await call.means.operate(lambda ledger: announcements.retry_uncertain(ledger, _id(call), only, now=call.now))
    call.acted("announce retry", {"announcement": done.id, "deliveries": done.deliveries})
    return done


def _id(call: Call) -> int:
    return int(call.path["announcement"])


async def _now(call: Call, id_: int) -> AnnouncementNow:
    return await call.read(
        lambda ledger: announcements.announcement_now(ledger, announcements.record_of(ledger, id_), call.means.errands)
    )


def _drafted(call: Call, ledger: Ledger) -> AnnouncementDraft:
    body: asked.InWords | asked.ByTemplate | asked.ByName = call.body
    state = call.state
    wanted = drafts.wanted_of(
        state.customers,
        body.to,
        sink=body.sink,
        text=body.said(state.dry_run),
        category=body.category,
        critical=body.critical,
        realm=body.realm,
    )
    return drafts.draft(ledger, state.dry_run, wanted, now=call.now)


ANNOUNCEMENTS = (
    Endpoint(
        name="announcements",
        method="GET",
        path="/announcements",
        summary="What customers were told at the operator's word, newest first",
        answer=answered.Announcements,
        do=every,
        query=asked.AnnouncementsAsked,
    ),
    Endpoint(
        name="count",
        method="POST",
        path="/announcements/count",
        summary="Whom an announcement would reach, and what they would read: nothing is sent",
        answer=Draft,
        do=count,
        body=(asked.InWords, asked.ByTemplate, asked.ByName),
        refuses=(404, 409),
    ),
    Endpoint(
        name="announce",
        method="POST",
        path="/announcements",
        role=Role.ACT,
        status=201,
        summary="Tell customers something, each of them once",
        answer=AnnouncementNow,
        do=announce,
        body=(asked.CountedInWords, asked.CountedByTemplate, asked.CountedByName),
        refuses=(404, 409),
    ),
    Endpoint(
        name="announcement",
        method="GET",
        path="/announcements/{announcement}",
        summary="One announcement, and how far it is",
        answer=AnnouncementNow,
        do=one,
    ),
    Endpoint(
        name="announced",
        method="GET",
        path="/announcements/{announcement}/people",
        summary="Who has it, who has not and why, and who is uncertain",
        answer=AnnouncedFound,
        do=people,
        query=asked.AnnouncedAsked,
    ),
    Endpoint(
        name="announce_stop",
        method="POST",
        path="/announcements/{announcement}/stop",
        role=Role.ACT,
        summary="Hold back what of it is not sent yet",
        answer=Changed,
        do=stop,
    ),
    Endpoint(
        name="announce_resume",
        method="POST",
        path="/announcements/{announcement}/resume",
        role=Role.ACT,
        summary="Go on with it, where it was stopped or interrupted",
        answer=Changed,
        do=resume,
        refuses=(409,),
    ),
    Endpoint(
        name="announce_retry",
        method="POST",
        path="/announcements/{announcement}/retry",
        role=Role.ACT,
        summary="Send it once more to those who may have got it",
        answer=Changed,
        do=retry,
        body=(asked.ToRetry,),
        refuses=(409,),
    ),
)
