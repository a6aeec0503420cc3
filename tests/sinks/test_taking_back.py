"""Taking an earlier message back: what is in the way of that one alone never closes the place for all others."""

from typing import Any, NamedTuple

import pytest

from bridge.codec import dump
from bridge.outcome import Delivered, Gone, Outcome, Refused
from bridge.sinks.base import ChatConfig
from bridge.sinks.http import Response
from tests.sinks.values import CONFIGS, a_deletion, a_sink

CHATS = {one.model_fields["type"].default: one for one in CONFIGS if issubclass(one, ChatConfig)}


class Case(NamedTuple):
    """A sink, a message that it sent, and what its service answers where that is to be deleted.

    already  it is not there any more, which is what was asked for
    refused  it may not be deleted, or not any more: that is what is in the way
    gone     nothing is taken there at all
    """

    settings: dict[str, Any]
    ref: str
    already: tuple[Response, ...]
    refused: tuple[Response, ...]
    gone: tuple[Response, ...]


def answer(status: int, **body: Any) -> Response:
    return Response(status, {"content-type": "application/json"}, dump(body))


def discord(status: int, code: int) -> Response:
    return answer(status, code=code, message="what it is about")


def telegram(status: int, said: str) -> Response:
    return answer(status, ok=False, error_code=status, description=said)


CASES = {
    "discord": Case(
        {"url": "https://discord.com/api/webhooks/1/token"},
        "123/456",
        already=(discord(404, 10008), discord(404, 10003)),
        refused=(discord(400, 50083), discord(403, 160005), discord(403, 50005)),
        gone=(discord(404, 10015), discord(401, 50027)),
    ),
    "slack": Case(
        {"token": "xoxb-1", "channel": "C0123ABCD"},
        "C0123ABCD/1732160058.161673",
        already=(answer(200, ok=False, error="message_not_found"),),
        refused=tuple(
            answer(200, ok=False, error=name)
            for name in ("cant_delete_message", "channel_not_found", "thread_not_found", "is_inactive")
        ),
        gone=(answer(200, ok=False, error="token_revoked"),),
    ),
    "telegram": Case(
        {"token": "123456:AAAA", "chat_id": -1001},
        "-1001/7",
        already=(telegram(400, "Bad Request: message to delete not found"),),
        refused=(telegram(400, "Bad Request: message can't be deleted for everyone"),),
        gone=(telegram(403, "Forbidden: bot was kicked from the supergroup chat"),),
    ),
    "matrix": Case(
        {"token": "t", "room": "!a:example.com", "api_base": "https://matrix.example.com"},
        "!a:example.com/$event",
        already=(answer(404, errcode="M_NOT_FOUND", error="no such event"),),
        refused=(answer(403, errcode="M_FORBIDDEN", error="You don't have permission to redact events"),),
        gone=(answer(401, errcode="M_UNKNOWN_TOKEN", error="Unrecognised access token"),),
    ),
    "max": Case(
        {"token": "t", "chat_id": 5},
        "chat:5/mid.1",
        already=(
            answer(200, success=False, message="Message not found"),
            answer(404, code="not.found", message="Message not found"),
        ),
        refused=(
            answer(400, code="proto.payload", message="message is older than 24 hours"),
            answer(200, success=False, message="You can not delete this message"),
            answer(403, code="not.allowed", message="not yours"),
        ),
        gone=(answer(404, code="chat.not.found", message="Chat 5 not found"),),
    ),
    "bale": Case(
        {"token": "123456:AAAA", "chat_id": 5},
        "5/7",
        already=(telegram(400, "Bad Request: message not found"),),
        refused=(telegram(400, "Bad Request: message can't be edited"),),
        gone=(telegram(403, "Forbidden: permission_denied"),),
    ),
}


def outcome_of(case: Case, kind: str, response: Response) -> Outcome:
    """What becomes of the deletion where that is the answer."""
    flow = a_sink(type=kind, **case.settings).flow(a_deletion(case.ref))
    assert next(flow).method in ("DELETE", "POST", "PUT")
    with pytest.raises(StopIteration) as ended:
        flow.send(response)
    outcome: Outcome = ended.value.value.outcome
    return outcome


def test_each_chat_that_can_change_a_message_has_a_case() -> None:
    """A new one has to say what is in the way of a deletion."""
    settings = {kind: one.specimen for kind, one in CHATS.items()} | {
        kind: case.settings for kind, case in CASES.items()
    }
    chats = {kind: one.model_validate(settings[kind]) for kind, one in CHATS.items()}
    assert {kind for kind, one in chats.items() if one.cannot_update("subject") is None} == CASES.keys()


@pytest.mark.parametrize("kind", CASES)
def test_what_is_not_there_any_more_is_taken_back(kind: str) -> None:
    case = CASES[kind]
    assert [outcome_of(case, kind, one) for one in case.already] == [Delivered() for _ in case.already]


@pytest.mark.parametrize("kind", CASES)
def test_what_may_not_be_taken_back_is_refused_and_the_place_goes_on(kind: str) -> None:
    case = CASES[kind]
    assert [type(outcome_of(case, kind, one)) for one in case.refused] == [Refused for _ in case.refused]


@pytest.mark.parametrize("kind", CASES)
def test_a_place_that_takes_nothing_is_gone_for_a_deletion_as_well(kind: str) -> None:
    case = CASES[kind]
    assert [type(outcome_of(case, kind, one)) for one in case.gone] == [Gone for _ in case.gone]
