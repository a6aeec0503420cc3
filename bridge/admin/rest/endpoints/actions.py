"""What programs do. Each is a line of the log, as what is done on a page."""

from collections.abc import Callable, Iterable, Mapping

from bridge.admin import operations
from bridge.admin.access.auth import Role
from bridge.admin.dead_letters import GroupSnapshot
from bridge.admin.rest import request_models as asked
from bridge.admin.rest import response_models as answered
from bridge.admin.rest.endpoint import Call, Endpoint
from bridge.admin.rest.endpoints.ledger import group_of
from bridge.admin.rest.lookups import WORDS, known_sink
from bridge.admin.shapes import GroupDone, Replay
from bridge.admin.trials.shapes import SentTest
from bridge.errors import BridgeError
from bridge.store.base import Cleared, State
from bridge.store.ledger import Ledger
from bridge.store.queries.walk import walked_deliveries
from bridge.store.records import DeliveryQuery
from bridge.value import replace

#: What a group as it was seen is dealt with by, and all that letters have in common.
OfGroup = Callable[[Ledger, GroupSnapshot], GroupDone]
OfLetters = Callable[[Ledger, DeliveryQuery], tuple[int, ...]]
COUNTED = 1000  # letters that came later, at the most


async def replay_event(call: Call) -> answered.ReplayedIds:
    body: asked.EventReplay = call.body or asked.EventReplay()
    id_, sinks = call.path["event"], body.sinks
    for name in sinks:
        known_sink(call, name)
    if body.by == "table":
        made = await call.means.operate(
            lambda ledger: operations.route_anew(ledger, id_, call.state.router, sinks, now=call.now)
        )
        if not made:
            raise BridgeError(f"event {id_} went somewhere, or no row takes it now")
        return _replayed(call, made, ())
    return await _replay(call, lambda ledger: operations.replay_last(ledger, id_, sinks, now=call.now))


async def replay_delivery(call: Call) -> answered.ReplayedIds:
    body: asked.DeliveryReplay = call.body or asked.DeliveryReplay()
    id_ = int(call.path["delivery"])
    return await _replay(call, lambda ledger: operations.replay_one(ledger, id_, now=call.now, again=body.again))


async def replay_dead(call: Call) -> answered.LettersDone:
    def of_letters(ledger: Ledger, query: DeliveryQuery) -> tuple[int, ...]:
        return tuple(one.replay_of for one in operations.replay(ledger, query, now=call.now).deliveries)

    return await _deal(
        call, "replay", lambda ledger, seen: operations.replay_group(ledger, seen, now=call.now), of_letters, None
    )


async def dismiss_dead(call: Call) -> answered.LettersDone:
    def of_letters(ledger: Ledger, query: DeliveryQuery) -> tuple[int, ...]:
        return operations.dismiss(ledger, query, now=call.now).deliveries

    return await _deal(
        call, "dismiss", lambda ledger, seen: operations.dismiss_group(ledger, seen, now=call.now), of_letters, None
    )


async def restore_dead(call: Call) -> answered.LettersDone:
    def of_letters(ledger: Ledger, query: DeliveryQuery) -> tuple[int, ...]:
        return operations.dismiss(ledger, query, now=call.now, undo=True).deliveries

    return await _deal(call, "restore", operations.restore_group, of_letters, Cleared.DISMISSED)


async def resume(call: Call) -> answered.Resumed:
    sink = known_sink(call, call.path["sink"])
    resumed = await call.means.resume(sink)
    call.acted("resume", {"sink": sink, "held": resumed})
    return answered.Resumed(sink=sink, resumed=resumed)


async def test(call: Call) -> SentTest:
    body: asked.SinkTest = call.body or asked.SinkTest()
    sink, state = call.path["sink"], call.state
    sent = await operations.send_test(
        call.means.probe,
        state.sinks,
        state.dry_run.sources,
        sink,
        at=call.now,
        type_=body.type,
        locale=body.locale,
        words=WORDS,
    )
    call.tests[sink] = sent
    call.acted("test", {"sink": sink, "outcome": sent.outcome, "status": sent.status})
    return sent


async def reload(call: Call) -> answered.Requested:
    call.means.reload()
    call.acted("reload", {})
    return answered.Requested(requested=True)


async def _replay(call: Call, replay: Callable[[Ledger], list[Replay]]) -> answered.ReplayedIds:
    found = await call.means.operate(replay)
    return _replayed(call, [one.id for one in found if one.id is not None], [one.replay_of for one in found])


def _replayed(call: Call, made: Iterable[int], of: Iterable[int]) -> answered.ReplayedIds:
    done = answered.ReplayedIds(deliveries=tuple(made), replay_of=tuple(of))
    about = {"event_id": call.path.get("event"), "delivery": call.path.get("delivery")}
    call.acted("replay", {**about, "deliveries": len(done.deliveries)})
    return done


async def _deal(
    call: Call, name: str, of_group: OfGroup, of_letters: OfLetters, cleared: Cleared | None
) -> answered.LettersDone:
    """Deal with what was seen; tell of it, and of how many have come since."""
    body: asked.GroupSeen | asked.LettersSeen = call.body
    if isinstance(body, asked.GroupSeen):
        group = await call.read(lambda ledger: group_of(ledger, body.key, cleared))
        seen = GroupSnapshot(group.sink, group.key, 0, body.through)
        dealt = await call.means.operate(lambda ledger: of_group(ledger, seen))
        done = answered.LettersDone(deliveries=dealt.deliveries, later=dealt.later)
        fields: Mapping[str, object] = {"sink": dealt.sink, "reason": dealt.reason}
    else:
        query = _meant(body, cleared)
        later = replace(query, through=None, limit=COUNTED)
        found = await call.read(lambda ledger: ledger.read(walked_deliveries, later))  # before: it may fail
        ids = await call.means.operate(lambda ledger: of_letters(ledger, query))
        done = answered.LettersDone(deliveries=ids, later=sum(one.id > body.through for one in found.deliveries))
        fields = {"sink": body.sink}
    call.acted(name, {**fields, "deliveries": len(done.deliveries), "later": done.later})
    return done


def _meant(body: asked.LettersSeen, cleared: Cleared | None) -> DeliveryQuery:
    names = ("through", "sink", "source", "type", "subject", "since", "until", "limit")
    return DeliveryQuery(states=(State.DEAD,), cleared=(cleared,), **{name: getattr(body, name) for name in names})


ACTIONS = (
    Endpoint(
        name="replay_event",
        method="POST",
        path="/events/{event}/replay",
        role=Role.ACT,
        summary="Send an event again, or at last where it went nowhere",
        answer=answered.ReplayedIds,
        do=replay_event,
        body=(asked.EventReplay,),
        refuses=(409,),
    ),
    Endpoint(
        name="replay_delivery",
        method="POST",
        path="/deliveries/{delivery}/replay",
        role=Role.ACT,
        summary="Send a delivery again",
        answer=answered.ReplayedIds,
        do=replay_delivery,
        body=(asked.DeliveryReplay,),
        refuses=(409,),
    ),
    Endpoint(
        name="replay_dead",
        method="POST",
        path="/dead/replay",
        role=Role.ACT,
        summary="Send dead letters again, as far as they were seen",
        answer=answered.LettersDone,
        do=replay_dead,
        body=(asked.GroupSeen, asked.LettersSeen),
        refuses=(404,),
    ),
    Endpoint(
        name="dismiss_dead",
        method="POST",
        path="/dead/dismiss",
        role=Role.ACT,
        summary="Put dead letters away, as far as they were seen",
        answer=answered.LettersDone,
        do=dismiss_dead,
        body=(asked.GroupSeen, asked.LettersSeen),
        refuses=(404,),
    ),
    Endpoint(
        name="restore_dead",
        method="POST",
        path="/dead/restore",
        role=Role.ACT,
        summary="Have dead letters back that were put away",
        answer=answered.LettersDone,
        do=restore_dead,
        body=(asked.GroupSeen, asked.LettersSeen),
        refuses=(404,),
    ),
    Endpoint(
        name="resume",
        method="POST",
        path="/sinks/{sink}/resume",
        role=Role.ACT,
        summary="Let the lane of a sink flow again",
        answer=answered.Resumed,
        do=resume,
    ),
    Endpoint(
        name="test",
        method="POST",
        path="/sinks/{sink}/test",
        role=Role.ACT,
        summary="Send a sample to a sink at once",
        answer=SentTest,
        do=test,
        body=(asked.SinkTest,),
        refuses=(409, 429),
    ),
    Endpoint(
        name="reload",
        method="POST",
        path="/config/reload",
        role=Role.ACT,
        status=202,
        summary="Have the file read again",
        answer=answered.Requested,
        do=reload,
    ),
)
