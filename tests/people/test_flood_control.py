"""A little of what each says is heeded, whatever the others do; a stop always is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.people.chat import BotAnswer, BotReply, ChatAction, ChatUpdate
from bridge.people.flood_control import (
    ALWAYS,
    BURST,
    CHATS,
    EVERY,
    FORGIVEN,
    GUESSED,
    GUESSES,
    PAUSE,
    WITHIN,
    WRONG,
    Floods,
)
from bridge.people.link import new_token
from bridge.value import replace

CHAT = st.integers(1, 3)
SAID = st.builds(lambda chat, said: ChatUpdate(said=said, chat=chat), CHAT, st.sampled_from(ChatAction))


@given(st.lists(st.tuples(SAID, st.floats(0.0, 30.0))))
def test_no_chat_is_answered_more_than_its_share_in_any_time(said: list[tuple[ChatUpdate, float]]) -> None:
    floods, now = Floods(), 0.0
    answered: list[tuple[float, int]] = []
    for one, pause in said:
        now += pause
        answered += [(now, kept.chat) for kept in floods.heeded([one], now) if not kept.silent]
    for chat in (1, 2, 3):
        times = [at for at, who in answered if who == chat]
        for first, begin in enumerate(times):
            for last in range(first, len(times)):
                assert last - first + 1 <= BURST + (times[last] - begin) / EVERY + 1e-6


@given(st.lists(SAID))
def test_after_a_flood_whoever_said_stop_last_is_stopped(said: list[ChatUpdate]) -> None:
    kept = Floods().heeded(said, 0.0)
    for chat in {one.chat for one in said}:
        switches = (ChatAction.STOP, ChatAction.START)
        asked = [one.said for one in said if one.chat == chat and one.said in switches]
        heeded = [one.said for one in kept if one.chat == chat and one.said in switches]
        if asked and asked[-1] is ChatAction.STOP:
            assert heeded[-1] is ChatAction.STOP


def test_a_stop_is_heeded_in_a_flood_that_a_block_has_ended_before() -> None:
    flood = [ChatUpdate(said=ChatAction.START, chat=1)] * 20
    said = [*flood, ChatUpdate(said=ChatAction.BLOCKED, chat=1), ChatUpdate(said=ChatAction.STOP, chat=1)]
    assert [one.said for one in Floods().heeded(said, 0.0)][-2:] == [ChatAction.BLOCKED, ChatAction.STOP]


@given(st.lists(SAID))
def test_what_is_heeded_was_said_in_that_order(said: list[ChatUpdate]) -> None:
    kept = iter(Floods().heeded(said, 0.0))
    wanted = next(kept, None)
    for one in said:
        if wanted is not None and (one.said, one.chat) == (wanted.said, wanted.chat):
            wanted = next(kept, None)
    assert wanted is None


@pytest.mark.parametrize("told", GUESSED)
def test_wrong_tokens_and_proofs_of_one_are_not_heeded_for_a_day_and_nobody_elses_suffer(told: BotReply) -> None:
    floods, answer = Floods(), BotAnswer(told=told, chat=1)
    start, shown = (
        ChatUpdate(said=ChatAction.START, chat=1, token=new_token()),
        ChatUpdate(said=ChatAction.SHOWN, chat=1, hashes=("00",)),
    )
    floods.learn([answer] * WRONG, 0.0)
    assert floods.heeded([start, shown], 100.0) == []
    assert floods.heeded([ChatUpdate(said=ChatAction.START, chat=1)], 100.0) != []
    others = [replace(one, chat=2) for one in (start, shown)]
    assert floods.heeded(others, 100.0) == others
    assert floods.heeded([start, shown], FORGIVEN) == [start, shown]


def test_many_wrong_ones_within_an_hour_stop_proofs_for_a_while_and_nothing_else() -> None:
    floods = Floods()
    wrong = [BotAnswer(told=BotReply.UNKNOWN, chat=chat) for chat in range(GUESSES)]
    assert not floods.learn(wrong[:-1], 0.0)
    assert floods.learn(wrong[-1:], WITHIN)
    start, shown = (
        ChatUpdate(said=ChatAction.START, chat=-1, token=new_token()),
        ChatUpdate(said=ChatAction.SHOWN, chat=-1, hashes=("00",)),
    )
    assert floods.heeded([shown, start], WITHIN) == [start]
    assert floods.heeded([shown], WITHIN + PAUSE) == [shown]


def test_as_many_wrong_ones_in_a_longer_time_stop_nothing() -> None:
    floods = Floods()
    told = [
        floods.learn([BotAnswer(told=BotReply.UNKNOWN, chat=n)], n * 2 * WITHIN / GUESSES) for n in range(3 * GUESSES)
    ]
    assert not any(told)


def test_a_crowd_of_strangers_takes_no_more_room() -> None:
    floods = Floods()
    for chat in range(3 * CHATS):
        floods.heeded([ChatUpdate(said=ChatAction.OTHER, chat=chat)], 0.0)
    assert len(floods._chats) == CHATS
    assert ChatAction.STOP in ALWAYS
