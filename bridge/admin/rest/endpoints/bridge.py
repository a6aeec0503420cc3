"""What programs ask of the bridge itself: how it fares, what the file says, and what would happen."""

from collections.abc import Sequence

from bridge import __version__
from bridge.admin import operations
from bridge.admin.idle_rows import IdleRow
from bridge.admin.rest import request_models as asked
from bridge.admin.rest import response_models as answered
from bridge.admin.rest.endpoint import Call, Endpoint
from bridge.admin.rest.lookups import WORDS, known_sink, row_then
from bridge.admin.shapes import Lane
from bridge.admin.trials.shapes import Tried
from bridge.admin.trials.trial import sample_shapes, try_it
from bridge.admin.visit import NotThere
from bridge.admin.wording.status import say_verdict
from bridge.outcome import Rate
from bridge.store.ledger import Ledger
from bridge.store.queries.records import event as stored_event


async def status(call: Call) -> answered.StatusNow:
    state, trouble = call.state, call.means.trouble()

    def look(ledger: Ledger) -> answered.StatusNow:
        found = operations.status(
            ledger, state.sinks, sources=state.sources, now=call.now, rejected=state.rejected, trouble=trouble
        )
        sentence = say_verdict(WORDS, found).title
        return answered.StatusNow(**dict(found), sentence=sentence, version=__version__)

    return await call.read(look)


async def lanes(call: Call) -> answered.Lanes:
    return answered.Lanes(items=tuple(await _lanes(call)))


async def sinks(call: Call) -> answered.Sinks:
    found = {one.sink: one for one in await _lanes(call)}
    return answered.Sinks(items=tuple(_sink(call, name, found[name]) for name in call.state.sinks))


async def sink(call: Call) -> answered.SinkNow:
    name = call.path["sink"]
    known_sink(call, name)
    return _sink(call, name, next(one for one in await _lanes(call) if one.sink == name))


async def sources(call: Call) -> answered.Sources:
    return answered.Sources(items=tuple(map(answered.SourceNow.model_validate, call.state.sources)))


async def samples(call: Call) -> answered.Samples:
    wanted: asked.SamplesAsked = call.query
    return answered.Samples(items=tuple(sample_shapes(call.state.dry_run, wanted.source, call.now)))


async def routes(call: Call) -> answered.Rows:
    table = call.state.table
    places = call.state.places
    lines: Sequence[int | None] = [one.line for one in places] if places else [None] * len(table)

    def look(ledger: Ledger) -> answered.Rows:
        counted = operations.table_counts(ledger, table, now=call.now)
        idle = operations.idle_rows(ledger, table, places, counted, now=call.now)
        found = (
            answered.RowNow(**{**dict(row_then(name, route)), **dict(counts), "line": line, **_idle(idle.get(name))})
            for (name, route), counts, line in zip(table, counted, lines, strict=True)
        )
        return answered.Rows(items=tuple(found))

    return await call.read(look)


def _idle(idle: IdleRow | None) -> dict[str, object]:
    if idle is None:
        return {}
    return {"idle_since": idle.since, "hint": " ".join([idle.say(WORDS), *idle.doubts])}


async def config(call: Call) -> answered.ConfigNow:
    state, rejected = call.state, call.state.rejected
    mistakes = rejected.mistakes if rejected is not None else ()
    return answered.ConfigNow(
        file=str(state.file),
        loaded_at=state.loaded_at,
        cause=state.cause,
        on_disk="broken" if rejected is not None else "same",
        rejected_at=rejected.at if rejected is not None else None,
        mistakes=tuple(
            answered.MistakeNow(file=one.file or str(state.file), line=one.line, column=one.column, text=one.text)
            for one in mistakes
        ),
        timezone=str(state.zone),
        locale=state.locale,
        store=state.store,
        keep=state.keep,
    )


async def tried(call: Call) -> Tried:
    wanted: asked.TryAsked = call.query
    body: asked.TryBody | asked.TrySample | asked.TryEvent = call.body
    ready = call.state.dry_run

    def look(ledger: Ledger) -> Tried:
        match body:
            case asked.TryBody(source=source, body=text):
                content = text.encode("utf-8", "surrogatepass")
                found = try_it(ready, at=call.now, source=source, body=content, locale=wanted.locale)
            case asked.TrySample(sample=sample, source=source):
                found = try_it(ready, at=call.now, source=source, named=sample, locale=wanted.locale)
            case asked.TryEvent(event=id_):
                stored = ledger.read(stored_event, id_)
                if stored is None:
                    raise NotThere(f"there is no event {id_}")
                found = try_it(ready, at=call.now, event=stored[0], locale=wanted.locale)
        return found if wanted.drawn else _undrawn(found)

    return await call.read(look)


def _undrawn(tried: Tried) -> Tried:
    events = (
        one.model_copy(update={"previews": tuple(each.model_copy(update={"html": None}) for each in one.previews)})
        for one in tried.events
    )
    return tried.model_copy(update={"events": tuple(events)})


async def _lanes(call: Call) -> list[Lane]:
    return await call.read(lambda ledger: operations.lanes(ledger, call.state.sinks))


def _sink(call: Call, name: str, lane: Lane) -> answered.SinkNow:
    settings = call.state.sinks[name]
    return answered.SinkNow(
        name=name,
        service=settings.type,
        enabled=settings.enabled,
        locale=settings.locale or call.state.locale,
        limits=None if settings.rate is None else tuple(map(_rate, settings.rate)),
        waits=settings.retry.waits,
        max_retries=settings.retry.max_retries,
        timeout=settings.timeout,
        rows=tuple(row for row, route in call.state.table if name in (*route.to, *route.fallback)),
        lane=lane,
        last_test=call.tests.get(name),
    )


def _rate(rate: Rate) -> str:
    return f"{rate.count}/{rate.period:g} s"


BRIDGE = (
    Endpoint(
        name="status",
        method="GET",
        path="/status",
        summary="Whether it works, and what needs you",
        answer=answered.StatusNow,
        do=status,
    ),
    Endpoint(
        name="lanes",
        method="GET",
        path="/lanes",
        summary="How the lane of each sink stands",
        answer=answered.Lanes,
        do=lanes,
    ),
    Endpoint(
        name="sinks",
        method="GET",
        path="/sinks",
        summary="The sinks of the file, each with its lane",
        answer=answered.Sinks,
        do=sinks,
    ),
    Endpoint(
        name="sink",
        method="GET",
        path="/sinks/{sink}",
        summary="One sink, with its lane and its last test",
        answer=answered.SinkNow,
        do=sink,
    ),
    Endpoint(
        name="sources",
        method="GET",
        path="/sources",
        summary="The sources of the file, and what to paste into panels",
        answer=answered.Sources,
        do=sources,
    ),
    Endpoint(
        name="samples",
        method="GET",
        path="/samples",
        summary="Recorded requests of a source's panel, to be tried",
        answer=answered.Samples,
        do=samples,
        query=asked.SamplesAsked,
        refuses=(404,),
    ),
    Endpoint(
        name="routes",
        method="GET",
        path="/routes",
        summary="The table, row by row, and how often each took something",
        answer=answered.Rows,
        do=routes,
    ),
    Endpoint(
        name="try",
        method="POST",
        path="/try",
        summary="What would happen: nothing is sent, nothing is kept",
        answer=Tried,
        do=tried,
        query=asked.TryAsked,
        body=(asked.TryBody, asked.TrySample, asked.TryEvent),
        refuses=(404, 409),
    ),
    Endpoint(
        name="config",
        method="GET",
        path="/config",
        summary="The file that is in force, and what is wrong on disk",
        answer=answered.ConfigNow,
        do=config,
    ),
)
