"""A little of what each says is heeded, whatever the others do; a stop always is."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.people.floods import ALWAYS, BURST, CHATS, EVERY, FORGIVEN, WRONG, Floods
from bridge.people.heard import Answer, Heard, Said, Told
from bridge.people.link import new_token

CHAT = st.integers(1, 3)
SAID = st.builds(lambda chat, said: Heard(said=said, chat=chat), CHAT, st.sampled_from(Said))


@given(st.lists(st.tuples(SAID, st.floats(0.0, 30.0))))
def test_no_chat_is_answered_more_than_its_share_in_any_time(said: list[tuple[Heard, float]]) -> None:
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
def test_after_a_flood_whoever_said_stop_last_is_stopped(said: list[Heard]) -> None:
    kept = Floods().heeded(said, 0.0)
    for chat in {one.chat for one in said}:
        switches = (Said.STOP, Said.START)
        asked = [one.said for one in said if one.chat == chat and one.said in switches]
        heeded = [one.said for one in kept if one.chat == chat and one.said in switches]
        if asked and asked[-1] is Said.STOP:
            assert heeded[-1] is Said.STOP


@given(st.lists(SAID))
def test_what_is_heeded_was_said_in_that_order(said: list[Heard]) -> None:
    kept = iter(Floods().heeded(said, 0.0))
    wanted = next(kept, None)
    for one in said:
        if wanted is not None and (one.said, one.chat) == (wanted.said, wanted.chat):
            wanted = next(kept, None)
    assert wanted is None


def test_wrong_tokens_of_one_are_not_heeded_for_a_day_and_nobody_elses_suffer() -> None:
    floods, answer = Floods(), Answer(told=Told.EXPIRED, chat=1)
    start = Heard(said=Said.START, chat=1, token=new_token())
    floods.learn([answer] * WRONG, 0.0)
    assert floods.heeded([start], 100.0) == []
    assert floods.heeded([Heard(said=Said.START, chat=1)], 100.0) != []
    assert floods.heeded([Heard(said=Said.START, chat=2, token=start.token)], 100.0) != []
    assert floods.heeded([start], FORGIVEN) == [start]


def test_a_crowd_of_strangers_takes_no_more_room() -> None:
    floods = Floods()
    for chat in range(3 * CHATS):
        floods.heeded([Heard(said=Said.OTHER, chat=chat)], 0.0)
    assert len(floods._chats) == CHATS
    assert Said.STOP in ALWAYS
