"""Whether it works and what needs somebody, in words: those of a page and of the command are the same."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.admin.advice import advice
from bridge.admin.language import N_, Language
from bridge.admin.status import Need, NeedKind, Situation, Status

_TITLES: Mapping[Situation, tuple[str, str]] = {
    Situation.BROKEN_FILE: ("bad", N_("Events flow by the old file. The new one is broken.")),
    Situation.NO_SOURCE: ("wait", N_("Nothing can come in: the file names no source.")),
    Situation.NO_EVENT: ("wait", N_("Ready. No event has come in yet.")),
    Situation.WORKS: ("ok", N_("Everything works.")),
}
_TO_DO: Mapping[NeedKind, str] = {
    NeedKind.BROKEN_FILE: N_("Mend it: it is read again as soon as it changes."),
    NeedKind.PARKED: N_("Mend what it complains of, then let it flow again. All of it is held, in order."),
    NeedKind.DEAD: N_("Mend the cause, then send them again. Before that they would be given up again."),
    NeedKind.AWAY: N_("It is tried again by itself. Nothing is lost."),
    NeedKind.BEHIND: N_("Its lane flows, and yet they wait: is the rate of the sink too low, and does a bridge run?"),
}
#: The same, behind what is known of the cause.
_THEN: Mapping[NeedKind, str] = {
    NeedKind.PARKED: N_("Meanwhile all of it is held, in order."),
    NeedKind.DEAD: N_("Then send them again."),
}
#: How bad each is.
MARKS: Mapping[NeedKind, str] = {
    NeedKind.BROKEN_FILE: "bad",
    NeedKind.PARKED: "bad",
    NeedKind.DEAD: "bad",
    NeedKind.AWAY: "wait",
    NeedKind.BEHIND: "wait",
}


@dataclass(frozen=True, slots=True)
class Said:
    """A mark (ok, wait, bad) and a sentence; `todo` says what to do."""

    mark: str
    title: str
    todo: str = ""


def say_verdict(words: Language, status: Status) -> Said:
    """Whether it works, in one sentence."""
    if status.verdict is Situation.NEEDS_YOU:
        title = words.plural(
            "Events come in safely. One thing needs you.",
            "Events come in safely. %(n)s things need you.",
            status.things,
        )
        return Said("bad", title)
    if status.verdict is Situation.AWAY:
        return Said("wait", _late(words, status))
    mark, title = _TITLES[status.verdict]
    return Said(mark, words.say(title))


def _late(words: Language, status: Status) -> str:
    if status.things > 1:
        return words.plural(
            "Events come in safely. One sink is late.",
            "Events come in safely. %(n)s sinks are late.",
            status.things,
        )
    [one] = status.needs
    if one.kind is NeedKind.BEHIND:
        return words.say("Events come in safely. %(sink)s is behind.", sink=one.sink)
    return words.say("Events come in safely. %(sink)s does not answer at the moment.", sink=one.sink)


def say_need(words: Language, need: Need) -> Said:
    """What needs somebody, and what to do about it."""
    return Said(MARKS[need.kind], _what(words, need), advice_for(words, need))


def advice_for(words: Language, need: Need) -> str:
    """What the service's words call for, and what holds in any case."""
    if need.kind is NeedKind.BROKEN_FILE or not (cause := advice(words, need.service, need.evidence)):
        return words.say(_TO_DO[need.kind])
    return f"{cause} {words.say(_THEN.get(need.kind, _TO_DO[need.kind]))}"


def _what(words: Language, need: Need) -> str:
    match need.kind:
        case NeedKind.BROKEN_FILE:
            return words.plural("The file on disk has one mistake", "The file on disk has %(n)s mistakes", need.count)
        case NeedKind.PARKED:
            return words.say("%(sink)s is parked: nothing is sent there", sink=need.sink)
        case NeedKind.AWAY:
            return words.say("%(sink)s does not answer", sink=need.sink)
        case NeedKind.BEHIND:
            return words.say("%(sink)s is behind", sink=need.sink)
        case NeedKind.DEAD:
            return words.plural(
                "%(sink)s: one message was given up",
                "%(sink)s: %(n)s messages were given up for one reason",
                need.count,
                sink=need.sink,
            )
