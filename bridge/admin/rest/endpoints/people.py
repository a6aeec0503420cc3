"""What programs look up and do about people."""

import asyncio

from bridge.admin.access.auth import Role
from bridge.admin.answers import RequestRefused
from bridge.admin.errands import WITHIN
from bridge.admin.people import file as people_file
from bridge.admin.people import forgetting
from bridge.admin.people import people as known
from bridge.admin.people import wishes as wishing
from bridge.admin.people.shapes import (
    Forgotten,
    Freed,
    GivenLink,
    Imported,
    PeopleCounts,
    PeopleFound,
    PersonNow,
    Revoked,
    Unlinked,
)
from bridge.admin.rest import people_request_models as asked
from bridge.admin.rest.endpoint import Call, Endpoint, PlainText
from bridge.admin.visit import NotThere
from bridge.codec import dump
from bridge.errors import BridgeError, StoreError, StoreUnavailable
from bridge.store.ledger import Ledger
from bridge.store.people_file import HEADER, Line

LINES = "application/jsonl"
MOST = 16 * 2**20  # bytes of a file that is posted: the command takes a larger one
FIRST = f"{dump(HEADER).decode()}\n"
WRONG_FILE = "the file is not as it should be"
TOO_LONG = "store: it takes longer than a request may, the command does it: panelbridge people"


async def counts(call: Call) -> PeopleCounts:
    return await call.read(lambda ledger: known.count_people(ledger, call.state.customers, call.state.dry_run.brands))


async def people(call: Call) -> PeopleFound:
    wanted: asked.PeopleAsked = call.query
    return await call.read(
        lambda ledger: known.list_people(
            ledger,
            call.state.customers,
            name=wanted.q or "",
            which=wanted.which,
            after=wanted.after,
            limit=wanted.limit,
        )
    )


async def person(call: Call) -> PersonNow:
    key = key_in(call)
    return await call.read(lambda ledger: _person(call, ledger, key))


async def wishes(call: Call) -> PersonNow:
    key, body = key_in(call), call.body or asked.ToWant()
    said = wishing.checked({name: getattr(body, name) for name in body.model_fields_set})
    if said:
        await call.means.operate(lambda ledger: wishing.wish(ledger, key, said, now=call.now))
        call.acted("prefs", {"key": key, "wants": dict(said)})
    return await person(call)


async def stop(call: Call) -> PersonNow:
    return await _stopped(call, stopped=True)


async def start(call: Call) -> PersonNow:
    return await _stopped(call, stopped=False)


async def _stopped(call: Call, *, stopped: bool) -> PersonNow:
    key = key_in(call)
    await call.means.operate(lambda ledger: wishing.stop(ledger, key, stopped=stopped, now=call.now))
    call.acted("prefs", {"key": key, "wants": ["stop" if stopped else "start"]})
    return await person(call)


async def link(call: Call) -> GivenLink:
    key, body, customers = key_in(call), call.body or asked.ToGive(), call.state.customers
    brands = call.state.dry_run.brands
    _, brand = await call.read(lambda ledger: known.spoken_to(ledger, brands, key))
    ears = wishing.listening(customers, key, brand)
    until = call.now + wishing.link_length(body.expire, customers)
    bot = await call.read(lambda ledger: wishing.bot_name(ledger, ears)) or await wishing.asked_name(ears)
    given = await call.means.operate(lambda ledger: wishing.give_link(ledger, ears, key, bot=bot, until=until))
    call.acted("link", {"key": key, "until": f"{until:%Y-%m-%dT%H:%MZ}"})
    return given


async def revoke(call: Call) -> Revoked:
    key = key_in(call)
    void = await call.means.operate(lambda ledger: wishing.revoke_links(ledger, key))
    call.acted("link", {"key": key, "revoked": void.revoked})
    return void


async def unlink(call: Call) -> Unlinked:
    key = key_in(call)
    ended = await call.means.operate(lambda ledger: wishing.end_links(ledger, key, now=call.now))
    call.acted("link", {"key": key, "unlinked": ended.unlinked})
    return ended


async def free(call: Call) -> Freed:
    key = key_in(call)
    freed = await call.means.operate(lambda ledger: wishing.free_proofs(ledger, key))
    call.acted("link", {"key": key, "freed": freed.freed})
    return freed


async def forget(call: Call) -> Forgotten:
    wanted: asked.ForgetAsked = call.query
    key, customers, errands = key_in(call), call.state.customers, call.means.errands
    if wanted.dry_run:
        found = await errands.run(
            f"look {key}",
            lambda: errands.on_ledger(
                lambda ledger: forgetting.would_forget(ledger, customers, key, mentions=wanted.mentions)
            ),
        )
        if found is None:
            raise StoreUnavailable(f"store: it was not looked through within {WITHIN:g} s")
        return found
    done = await forgetting.forget_beside(call.means, customers, key, now=call.now, mentions=wanted.mentions)
    call.acted("forget", dict(done.rows))
    return done


async def export(call: Call) -> bytes:
    errands = call.means.errands
    found = await errands.run(
        "export", lambda: errands.on_ledger(lambda ledger: people_file.export_people(ledger, b"".join))
    )
    if found is None:
        raise StoreUnavailable(TOO_LONG)
    call.acted("people export", {"bytes": len(found)})
    return found


async def import_(call: Call) -> Imported:
    wanted: asked.OnlyDryRun = call.query
    errands, rows = call.means.errands, await asyncio.to_thread(_lines, call.body)

    async def work() -> Imported:
        done = await errands.on_ledger(lambda ledger: people_file.import_people(ledger, rows, dry_run=wanted.dry_run))
        if done.changed and not wanted.dry_run:
            call.acted("people import", done.changed)
        return done

    done = await errands.run(f"import {call.now}", work)
    if done is None:
        raise StoreUnavailable("store: it is taken still: look again")
    return done


def _lines(body: bytes) -> list[Line]:
    try:
        return people_file.read_people(body.decode().splitlines(keepends=True), "line")
    except UnicodeDecodeError:
        raise RequestRefused(422, WRONG_FILE, "It is not UTF-8.") from None
    except BridgeError as error:
        raise RequestRefused(422, WRONG_FILE, str(error)) from None


def key_in(call: Call) -> str:
    """Whom the path means; raise NotThere where nobody can be called so."""
    try:
        return call.state.customers.key_of(call.path["who"], call.path["realm"])
    except StoreError:
        raise
    except BridgeError as error:
        raise NotThere(str(error)) from None


def _person(call: Call, ledger: Ledger, key: str) -> PersonNow:
    masked = call.role is not Role.ACT
    state = call.state
    return known.person(ledger, state.customers, state.dry_run, key, now=call.now, masked=masked)


_ONE = "/people/{realm}/{who}"
PEOPLE = (
    Endpoint(
        name="people",
        method="GET",
        path="/people",
        summary="Whom the store knows: by the directory, a link or a wish",
        answer=PeopleFound,
        do=people,
        query=asked.PeopleAsked,
    ),
    Endpoint(
        name="people_counts",
        method="GET",
        path="/people/counts",
        summary="How many are known, linked, stopped, and how their bot is heard",
        answer=PeopleCounts,
        do=counts,
    ),
    Endpoint(
        name="people_export",
        method="GET",
        path="/people/export",
        role=Role.ACT,
        summary="What is known of all of them, as a file of JSON lines",
        answer=PlainText(LINES, example=FIRST),
        do=export,
    ),
    Endpoint(
        name="people_import",
        method="POST",
        path="/people/import",
        role=Role.ACT,
        summary="Take what such a file says: all of it, or nothing",
        answer=Imported,
        do=import_,
        query=asked.OnlyDryRun,
        takes=PlainText(LINES, MOST, FIRST),
    ),
    Endpoint(
        name="person",
        method="GET",
        path=_ONE,
        summary="One of them: where they are reached, what they want, what they were told",
        answer=PersonNow,
        do=person,
    ),
    Endpoint(
        name="wishes",
        method="PATCH",
        path=f"{_ONE}/wishes",
        role=Role.ACT,
        summary="Say for somebody what they want to be told",
        answer=PersonNow,
        do=wishes,
        body=(asked.ToWant,),
        refuses=(409,),
    ),
    Endpoint(
        name="stop",
        method="POST",
        path=f"{_ONE}/stop",
        role=Role.ACT,
        summary="Tell somebody nothing any more",
        answer=PersonNow,
        do=stop,
    ),
    Endpoint(
        name="start",
        method="POST",
        path=f"{_ONE}/start",
        role=Role.ACT,
        summary="Tell them again",
        answer=PersonNow,
        do=start,
    ),
    Endpoint(
        name="link",
        method="POST",
        path=f"{_ONE}/link",
        role=Role.ACT,
        status=201,
        summary="Make a link by which they show the bot their chat, told this once",
        answer=GivenLink,
        do=link,
        body=(asked.ToGive,),
        refuses=(409,),
    ),
    Endpoint(
        name="revoke",
        method="DELETE",
        path=f"{_ONE}/link",
        role=Role.ACT,
        summary="Make links void that were given away and not used",
        answer=Revoked,
        do=revoke,
    ),
    Endpoint(
        name="unlink",
        method="POST",
        path=f"{_ONE}/unlink",
        role=Role.ACT,
        summary="End the links of somebody: no chat is theirs any more",
        answer=Unlinked,
        do=unlink,
    ),
    Endpoint(
        name="free",
        method="POST",
        path=f"{_ONE}/free",
        role=Role.ACT,
        summary="Let what somebody shows to the bot link them again",
        answer=Freed,
        do=free,
    ),
    Endpoint(
        name="forget",
        method="DELETE",
        path=_ONE,
        role=Role.ACT,
        summary="Erase all that is kept about somebody, or say what that would be",
        answer=Forgotten,
        do=forget,
        query=asked.ForgetAsked,
        refuses=(409,),
    ),
)
