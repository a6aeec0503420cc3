"""What Telegram tells of what people wrote: whatever it is made of, nothing but a private chat's own is heard."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.people.chat import AnswerButton, AnswerWords, BotAnswer, BotReply, BotUnavailable, ChatAction
from bridge.sinks.http import Response
from bridge.sinks.telegram.ears import TelegramEars, bot_of
from tests.services.service import breaches, contract
from tests.services.telegram import TOKEN
from tests.services.telegram_updates import a_private_chat

EARS = TelegramEars(TOKEN, api_base="https://api.telegram.org")
SHOWN = "vless://b52e0610-3b41-4f80-94da-8ac07eda9651@127.0.0.1:443"
LEAF = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)),
    st.sampled_from(["/start", "/stop", "private", "news:off", "kicked", 42, "42", -42, SHOWN]),
)
KEYS = st.sampled_from(
    [
        *("message", "callback_query", "my_chat_member", "chat", "from", "id", "type", "is_bot", "text", "data"),
        *("update_id", "message_id", "new_chat_member", "status", "language_code", "forward_origin"),
    ]
)
TREE = st.recursive(LEAF, lambda child: st.lists(child, max_size=4) | st.dictionaries(KEYS, child, max_size=8))


def heard(*updates: Any) -> Any:
    return EARS.hearing_in(Response(200, body=json.dumps({"ok": True, "result": list(updates)}).encode()))


@given(st.lists(st.dictionaries(KEYS, TREE, max_size=4), max_size=4))
def test_no_update_is_a_fault_and_what_is_heard_is_of_whoever_is_in_the_chat(updates: list[Any]) -> None:
    for one in heard(*updates).heard:
        assert isinstance(one.chat, int)
        assert one.chat > 0
        assert len(one.token) <= 64
        assert len(one.pressed) <= 64
        assert len(one.language) <= 8


@given(TREE)
def test_no_answer_is_a_fault_that_nobody_expects(answer: Any) -> None:
    response = Response(200, body=json.dumps(answer).encode("utf-8", "surrogatepass"))
    for read in (EARS.hearing_in, EARS.name_in):
        with pytest.raises(BotUnavailable):
            read(response)


@pytest.mark.parametrize(
    ("text", "said", "token"),
    [
        ("/start", ChatAction.START, ""),
        ("/start@fravpn_bot abc", ChatAction.START, "abc"),
        (" /start   abc ", ChatAction.START, "abc"),
        ("/start abc def", ChatAction.START, "abc def"),
        ("/startabc", ChatAction.OTHER, ""),
        ("/START", ChatAction.START, ""),
        ("/stop", ChatAction.STOP, ""),
        ("/stop writing to me, please", ChatAction.STOP, ""),
        ("/Stop", ChatAction.STOP, ""),
        ("/settings", ChatAction.SETTINGS, ""),
        ("/other", ChatAction.OTHER, ""),
        ("Stop", ChatAction.STOP, ""),
        ("do not stop", ChatAction.OTHER, ""),
        ("", ChatAction.OTHER, ""),
    ],
)
def test_a_command_is_read_as_it_is_typed(text: str, said: ChatAction, token: str) -> None:
    [one] = heard({"update_id": 5, "message": {"message_id": 1, **a_private_chat(42), "text": text}}).heard
    assert (one.said, one.token, one.chat) == (said, token, 42)


def test_the_next_is_asked_for_behind_the_last_that_was_told_whatever_that_was() -> None:
    assert heard({"update_id": 9, "poll": {}}, {"update_id": 7}, {"update_id": True}, "x").after == 9
    assert heard().after is None
    assert json.loads(EARS.question(9, wait=5).body)["offset"] == 10
    assert "offset" not in json.loads(EARS.question(None, wait=5).body)


@pytest.mark.parametrize("told", BotReply)
def test_what_is_said_is_what_the_contract_allows_and_no_markup(told: BotReply) -> None:
    answer = BotAnswer(told=told, chat=42, about="marzban/user:<b>")
    words = AnswerWords("<b> & [x](y)", [[AnswerButton("✓ News", "news:off")]])
    [request] = EARS.requests(answer, words)
    assert request.url.path.endswith("/sendMessage")
    body = json.loads(request.body)
    assert list(breaches(contract("telegram.sendMessage"), body)) == []
    assert "parse_mode" not in body


def test_a_press_is_answered_and_its_message_is_changed() -> None:
    requests = EARS.requests(BotAnswer(told=BotReply.SETTINGS, chat=42, message=7, press="p"), AnswerWords("x"))
    assert [one.url.name for one in requests] == ["answerCallbackQuery", "editMessageText"]


def test_what_is_shown_is_read_with_the_number_of_its_message_and_stands_in_no_text_of_ours() -> None:
    message = {**a_private_chat(42), "message_id": 7, "text": SHOWN}
    [one] = heard({"update_id": 1, "message": message}).heard
    assert (one.said, one.chat, one.secret, one.token) == (ChatAction.SHOWN, 42, 7, "")
    assert [proof.value for proof in one.proofs] == ["b52e0610-3b41-4f80-94da-8ac07eda9651"]
    assert "b52e0610" not in f"{one} {one!r}"
    [other] = heard({"update_id": 1, "message": {**message, "message_id": None}}).heard
    assert (other.said, other.proofs, other.secret) == (ChatAction.OTHER, (), None)
    assert heard({"update_id": 1, "message": {**message, "forward_origin": {}}}).heard == []


def test_what_holds_a_secret_is_deleted_before_it_is_answered() -> None:
    deleting, answering = EARS.requests(BotAnswer(told=BotReply.LINKED, chat=42, secret=7), AnswerWords("x"))
    assert (deleting.url.name, answering.url.name) == ("deleteMessage", "sendMessage")
    assert json.loads(deleting.body) == {"chat_id": 42, "message_id": 7}


def test_a_bot_is_known_by_its_number_and_never_by_its_secret() -> None:
    assert bot_of(TOKEN) == "telegram bot 123456789"
    assert "garbled" not in bot_of("garbled-token")
    assert EARS.deep_link("fravpn_bot", "abc") == "https://t.me/fravpn_bot?start=abc"
