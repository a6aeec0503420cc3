"""What each field is. A parent is a mapping that has its plain fields under their names."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo
from yarl import URL

from bridge.admin import operations
from bridge.admin.graphql.context import GraphQLContext
from bridge.admin.language import language
from bridge.admin.shapes import ListedDelivery
from bridge.admin.trials.shapes import SentTest
from bridge.admin.trials.sink_test import SAMPLE
from bridge.errors import UnknownName, suggestion
from bridge.event import iso
from bridge.originals import MASK
from bridge.sinks import SinkSettings
from bridge.store.base import State
from bridge.store.records import DeliveryQuery
from bridge.value import INT64_MAX

Parent = Mapping[str, Any]
Resolver = Callable[..., Any]
Info = GraphQLResolveInfo[GraphQLContext]
_UNSETTLED = (State.PENDING, State.WAITING)
#: Status → the states of ours, and whether a try has counted.
_STATES: Mapping[str, tuple[tuple[State, ...], bool | None]] = {
    "PENDING": (_UNSETTLED, False),
    "RETRYING": (_UNSETTLED, True),
    "DELIVERED": ((State.DELIVERED,), None),
    "FAILED": ((State.DEAD,), None),
    "HELD_BACK": ((State.HELD_BACK,), None),
}


def configurations(_: Any, info: Info) -> list[Parent]:
    asked = info.context
    return [_configuration(asked, name) for name in asked.state.sinks]


def configuration(_: Any, info: Info, id: str) -> Parent | None:
    asked = info.context
    name = _sink_of(asked, id)
    return _configuration(asked, name) if name is not None else None


def deliveries_of(parent: Parent, info: Info, **given: Any) -> Parent:
    return _connection(info.context, DeliveryQuery(sink=parent["sink"]), **given)


def deliveries(
    _: Any,
    info: Info,
    configurationId: str | None = None,  # noqa: N803
    eventType: str | None = None,  # noqa: N803
    subject: str | None = None,
    **given: Any,
) -> Parent:
    asked = info.context
    sink = _known_sink(asked, configurationId) if configurationId is not None else None
    return _connection(asked, DeliveryQuery(sink=sink, type=eventType, subject=subject), **given)


def delivery(_: Any, info: Info, id: str) -> Parent | None:
    asked = info.context
    found = asked.read(lambda ledger: operations.deliveries(ledger, DeliveryQuery(ids=(_number(id),)))).deliveries
    return _delivery(found[0]) if found else None


def webhook(parent: Parent, info: Info) -> Parent | None:
    asked = info.context
    sink = parent["record"].sink
    return _configuration(asked, sink) if sink in asked.state.sinks else None


def event(parent: Parent, info: Info) -> Parent:
    asked = info.context
    found = asked.event(parent["record"].event_id)
    if found is None:
        raise GraphQLError("the event is not kept any more", extensions={"code": "NOT_FOUND"})
    one, said = found
    return {
        "id": one.id,
        "type": one.type,
        "nativeType": one.native_type,
        "source": one.source,
        "subject": one.subject,
        "occurredAt": iso(one.occurred_at),
        "receivedAt": iso(one.received_at),
        "data": dict(one.data),
        "verdicts": said,
    }


def response_data(parent: Parent, info: Info) -> str | None:
    """Of what was delivered the answer is kept with the try."""
    record: ListedDelivery = parent["record"]
    if record.answer is not None:
        return record.answer
    tries = info.context.tries(record.id)
    return tries[-1].answer if tries else None


def attempts(parent: Parent, info: Info) -> list[Parent]:
    tries = enumerate(info.context.tries(parent["record"].id), 1)
    return [
        {
            "number": number,
            "at": iso(one.at),
            "durationMs": one.ms,
            "outcome": one.outcome,
            "responseStatus": one.status,
            "responseData": one.answer,
            "errorMessage": one.reason,
        }
        for number, one in tries
    ]


def send_test_of(_: Any, info: Info, id: str) -> bool:
    asked = info.context
    name, sent = _sent_test(asked, id, SAMPLE)
    if not sent.delivered:
        raise GraphQLError(
            f"{name}: {sent.reason or sent.outcome}",
            extensions={
                "code": "NOT_DELIVERED",
                "status": sent.status,
                "outcome": sent.outcome,
                "answer": sent.answer,
                "advice": sent.advice,
            },
        )
    return True


def send_test(_: Any, info: Info, id: str, eventType: str | None = None) -> Parent:  # noqa: N803
    _, sent = _sent_test(info.context, id, eventType or SAMPLE)
    return {
        "delivered": sent.delivered,
        "outcome": sent.outcome,
        "responseStatus": sent.status,
        "responseData": sent.answer,
        "errorMessage": sent.reason,
        "durationMs": round(sent.ms),
    }


def retry(_: Any, info: Info, id: str, again: bool = False) -> Parent:
    asked = info.context
    number = _number(id)

    async def replay() -> list[Any]:
        return await asked.means.operate(
            lambda ledger: operations.replay_one(ledger, number, now=asked.now, again=again)
        )

    [made] = asked.wait(replay())
    asked.acted("replay", {"delivery": number, "deliveries": 1})
    [new] = asked.read(lambda ledger: operations.deliveries(ledger, DeliveryQuery(ids=(made.id,)))).deliveries
    return _delivery(new)


RESOLVERS: Mapping[str, Mapping[str, Resolver]] = {
    "Query": {
        "webhookConfigurations": configurations,
        "webhookConfiguration": configuration,
        "webhookDeliveries": deliveries,
        "webhookDelivery": delivery,
    },
    "WebhookConfiguration": {"deliveries": deliveries_of},
    "WebhookDelivery": {
        "webhook": webhook,
        "event": event,
        "responseData": response_data,
        "attempts": attempts,
    },
    "Mutation": {
        "testWebhookConfiguration": send_test_of,
        "testWebhook": send_test,
        "retryWebhookDelivery": retry,
    },
}


def _sent_test(asked: GraphQLContext, id_: str, type_: str) -> tuple[str, SentTest]:
    """The configuration's name, and what came of a test."""
    sink, state = _known_sink(asked, id_), asked.state
    sent = asked.wait(
        operations.send_test(
            asked.means.probe,
            state.sinks,
            state.dry_run.sources,
            sink,
            at=asked.now,
            type_=type_,
            words=language("en"),
        )
    )
    asked.tests[sink] = sent
    asked.acted("test", {"sink": sink, "outcome": sent.outcome, "status": sent.status})
    return _name(asked, sink), sent


def _connection(
    asked: GraphQLContext, query: DeliveryQuery, first: int = 20, after: str | None = None, status: str | None = None
) -> Parent:
    states, tried = _STATES[status] if status is not None else ((), None)
    whole = DeliveryQuery(
        sink=query.sink,
        type=query.type,
        subject=query.subject,
        states=states,
        tried=tried,
        behind=_number(after) if after is not None else None,
        limit=first + 1,
    )
    found = asked.page(whole, lambda ledger: operations.deliveries(ledger, whole))
    shown, more = found.deliveries[:first], len(found.deliveries) > first
    asked.wanted.update(one.event_id for one in shown)
    asked.tried.update(one.id for one in shown)
    return {
        "nodes": [_delivery(one) for one in shown],
        "endCursor": str(found.behind if found.behind is not None else shown[-1].id) if shown or found.behind else None,
        "hasNextPage": more or found.behind is not None,
    }


def _delivery(record: ListedDelivery) -> Parent:
    delivered = record.state is State.DELIVERED
    return {
        "record": record,
        "id": str(record.id),
        "status": _status(record),
        "errorMessage": None if delivered else record.reason,
        "retryCount": max(0, record.attempts - 1),
        "responseStatus": record.status,
        "createdAt": iso(record.made_at),
        "deliveredAt": iso(record.settled_at) if delivered and record.settled_at else None,
        "nextAttemptAt": iso(record.due_at) if record.due_at else None,
    }


def _status(record: ListedDelivery) -> str:
    tried = record.attempts > 0 if record.state in _UNSETTLED else None
    return next(name for name, (states, had) in _STATES.items() if record.state in states and had is tried)


def _configuration(asked: GraphQLContext, sink: str) -> Parent:
    settings, lane = asked.state.sinks[sink], asked.lanes()[sink]
    named = asked.state.webhooks.get(sink)
    globs = [glob for _, route in asked.state.table if sink in route.to for glob in route.match]
    return {
        "sink": sink,
        "id": named.id if named is not None and named.id is not None else sink,
        "name": _name(asked, sink),
        "providerType": settings.type.upper(),
        "endpoint": endpoint_of(settings),
        "active": settings.enabled,
        "subscribedEvents": list(dict.fromkeys(globs)),
        "maxRetries": settings.retry.max_retries,
        "retryDelay": round(settings.retry.waits[0]),
        "state": lane.standing.value,
        "stateReason": lane.reason,
        "pendingCount": lane.pending + lane.waiting,
        "failedCount": lane.dead,
    }


def endpoint_of(settings: SinkSettings) -> str:
    """Where a sink is, without what is secret in it: the path and what stands behind it."""
    url = getattr(settings, "url", None)
    if url is None:
        return f"{settings.type}:{MASK}"
    address = URL(url.get_secret_value())
    return f"{address.scheme}://{address.host}/{MASK}"


def _name(asked: GraphQLContext, sink: str) -> str:
    named = asked.state.webhooks.get(sink)
    return named.name if named is not None else sink


def _sink_of(asked: GraphQLContext, id_: str) -> str | None:
    """The sink that an id means: that of a webhook, its name, or the sink's; None where it means none."""
    webhooks = asked.state.webhooks
    by_id = {one.id: sink for sink, one in webhooks.items() if one.id is not None}
    by_name = {one.name: sink for sink, one in webhooks.items()}
    return by_id.get(id_) or by_name.get(id_) or (id_ if id_ in asked.state.sinks else None)


def _known_sink(asked: GraphQLContext, id_: str) -> str:
    if (sink := _sink_of(asked, id_)) is None:
        known = {*asked.state.sinks, *(one.id for one in asked.state.webhooks.values() if one.id is not None)}
        raise UnknownName(f'no webhook configuration "{id_[:100]}": {suggestion(id_[:100], known)}')
    return sink


def _number(text: str) -> int:
    if not re.fullmatch("[1-9][0-9]{0,18}", text) or int(text) > INT64_MAX:
        raise UnknownName("there is no such delivery: its id is a number")
    return int(text)
