"""How things stand, as a mark and a word."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from bridge.admin.language import N_, Language
from bridge.admin.shapes import Fate, Lane, Verdict
from bridge.store.base import Cleared, Standing, State
from bridge.value import Value

_DELIVERY = {
    State.DELIVERED: ("ok", N_("delivered")),
    State.PENDING: ("wait", N_("waiting")),
    State.WAITING: ("wait", N_("waiting")),
    State.DEAD: ("bad", N_("given up")),
    State.HELD_BACK: ("held", N_("held back")),
}
_CLEARED = {Cleared.REPLAYED: N_("sent again"), Cleared.DISMISSED: N_("put away")}


class SinkBadge(Value):
    """What became of an event at a sink: ok, wait, bad or held, and the word for it."""

    sink: str
    mark: str
    word: str


def state_words(words: Language, state: State) -> tuple[str, str]:
    """The mark and the word of how a delivery stands."""
    mark, word = _DELIVERY[state]
    return mark, words.say(word)


def told(words: Language, fate: Fate) -> SinkBadge:
    """The mark and the word of one delivery."""
    if fate.state is State.DEAD and fate.cleared is not None:
        return SinkBadge(fate.sink, "held", words.say(_CLEARED[fate.cleared]))
    mark, word = state_words(words, fate.state)
    return SinkBadge(fate.sink, mark, word)


#: What one try came to.
_TRY = {
    "delivered": ("ok", N_("Delivered")),
    "limited": ("wait", N_("Limited")),
    "away": ("wait", N_("No answer that counts")),
    "refused": ("bad", N_("Refused")),
    "gone": ("bad", N_("The address is gone")),
    "held_back": ("held", N_("Held back")),
    "put_off": ("held", N_("Put off")),
    "given_up": ("bad", N_("Given up unsent")),
    "done": ("held", N_("Settled unsent")),
}


def try_words(words: Language, outcome: str) -> tuple[str, str]:
    """The mark and the word of one try; its own word where it is one that came later than this page."""
    mark, word = _TRY.get(outcome, ("held", outcome))
    return mark, words.say(word)


def last_of_each(fates: Sequence[Fate]) -> list[Fate]:
    """What became of an event last at each sink, in the order of the sinks."""
    return list({one.sink: one for one in fates}.values())


def fate_sentences(words: Language, verdicts: Sequence[Verdict], fates: Sequence[Fate]) -> list[str]:
    """What became of an event, in short sentences; the last word of each sink."""
    if not fates:
        return [_nowhere(words, verdicts)]
    by_state: defaultdict[State, list[Fate]] = defaultdict(list)
    for one in last_of_each(fates):
        by_state[State.WAITING if one.state is State.PENDING else one.state].append(one)
    if set(by_state) == {State.DELIVERED}:
        return [words.say("Told everywhere it should be: %(sinks)s.", sinks=_names(by_state[State.DELIVERED]))]
    return [words.say(_SENTENCES[state], sinks=_names(by_state[state])) for state in _SENTENCES if by_state[state]]


_SENTENCES: Mapping[State, str] = {
    State.DELIVERED: N_("Told at %(sinks)s."),
    State.WAITING: N_("Waits for %(sinks)s."),
    State.DEAD: N_("Given up at %(sinks)s."),
    State.HELD_BACK: N_("Held back from %(sinks)s."),
}


def _names(fates: Sequence[Fate]) -> str:
    return ", ".join(one.sink for one in fates)


def _nowhere(words: Language, verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return words.say("Went nowhere: the table had no row.")
    if any(one.matched for one in verdicts):
        return words.say("Went nowhere: no sink of the rows that take it is enabled.")
    return words.say("Went nowhere: no row of the table takes it.")


class LaneBadge(Value):
    """How a lane stands: the mark, the word, and what time belongs to it."""

    mark: str
    word: str
    when: str = ""
    at: datetime | None = None


def lane_words(words: Language, lane: Lane, now: datetime) -> LaneBadge:
    """The first that holds: not in the file, disabled, parked, away, asked to wait, flowing."""
    if lane.service is None:
        return LaneBadge("held", words.say("not in the file"))
    if not lane.enabled:
        return LaneBadge("held", words.say("disabled"))
    if lane.standing is Standing.PARKED:
        return LaneBadge("bad", words.say("parked"), words.say("since"), lane.since)
    if lane.standing is Standing.AWAY:
        at = lane.until if lane.until is not None and lane.until > now else None
        return LaneBadge("wait", words.say("away"), words.say("tried again at") if at else "", at)
    if lane.until is not None and lane.until > now:
        return LaneBadge("wait", words.say("limited"), words.say("until"), lane.until)
    return LaneBadge("ok", words.say("flowing"))
