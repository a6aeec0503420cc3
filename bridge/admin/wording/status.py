"""Whether it works and what needs somebody, in words: those of a page and of the command are the same."""

from collections.abc import Mapping

from bridge.admin.language import N_, Language
from bridge.admin.status import Need, NeedKind, Situation, Status
from bridge.admin.trials.manner import duration
from bridge.admin.wording.advice import advice
from bridge.value import Value

_TITLES: Mapping[Situation, tuple[str, str]] = {
    Situation.STORE_FAILS: ("bad", N_("No event can be taken in: the store takes nothing.")),
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
    NeedKind.STORE: N_("Make room on its disk, or bring the database back. Meanwhile panels are answered 503."),
    NeedKind.SILENT: N_(
        "Look at the panel: is its webhook still set, does it reach the bridge, does its secret still fit?"
    ),
    NeedKind.BEHIND: N_("Its lane flows, and yet they wait: is the rate of the sink too low, and does a bridge run?"),
}
#: The same, behind what is known of the cause.
_THEN: Mapping[NeedKind, str] = {
    NeedKind.PARKED: N_("Meanwhile all of it is held, in order."),
    NeedKind.DEAD: N_("Then send them again."),
}
#: Of what was given up at a sink that is not in the file.
NO_SUCH_SINK = N_("The file names no such sink: what is sent again waits until it does.")
#: How bad each is.
MARKS: Mapping[NeedKind, str] = {
    NeedKind.STORE: "bad",
    NeedKind.BROKEN_FILE: "bad",
    NeedKind.PARKED: "bad",
    NeedKind.DEAD: "bad",
    NeedKind.AWAY: "wait",
    NeedKind.BEHIND: "wait",
    NeedKind.SILENT: "wait",
}


class StatusLine(Value):
    """A mark (ok, wait, bad) and a sentence; `todo` says what to do."""

    mark: str
    title: str
    todo: str = ""


def say_verdict(words: Language, status: Status) -> StatusLine:
    """Whether it works, in one sentence."""
    if status.verdict is Situation.NEEDS_YOU:
        title = words.plural(
            "Events come in safely. One thing needs you.",
            "Events come in safely. %(n)s things need you.",
            status.things,
        )
        return StatusLine("bad", title)
    if status.verdict is Situation.AWAY:
        return StatusLine("wait", _late(words, status))
    mark, title = _TITLES[status.verdict]
    return StatusLine(mark, words.say(title))


def _late(words: Language, status: Status) -> str:
    """What is late, silent or has failed, and why that is no loss."""
    kinds = {one.kind for one in status.needs}
    if status.things > 1 and kinds <= {NeedKind.AWAY, NeedKind.BEHIND}:
        return words.plural(
            "Events come in safely. One sink is late.",
            "Events come in safely. %(n)s sinks are late.",
            status.things,
        )
    if status.things > 1:
        return words.plural("One thing wants a look.", "Events come in. %(n)s things want a look.", status.things)
    [one] = status.needs
    return words.say(_LATE[one.kind], sink=one.sink, source=one.source)


#: The one thing that there is.
_LATE: Mapping[NeedKind, str] = {
    NeedKind.STORE: N_("Events come in again. The store failed a short while ago."),
    NeedKind.AWAY: N_("Events come in safely. %(sink)s does not answer at the moment."),
    NeedKind.BEHIND: N_("Events come in safely. %(sink)s is behind."),
    NeedKind.SILENT: N_("All is told. But %(source)s is silent."),
}


def say_need(words: Language, need: Need) -> StatusLine:
    """What needs somebody, and what to do about it."""
    mark = "wait" if need.is_over else MARKS[need.kind]
    return StatusLine(mark, _what(words, need), advice_for(words, need))


def advice_for(words: Language, need: Need) -> str:
    """What the service's words call for, and what holds in any case."""
    if need.kind is NeedKind.SILENT:
        return f"{_usual(words, need)} {words.say(_TO_DO[need.kind])}"
    if need.kind is NeedKind.STORE:
        return f"{_to_do_of_the_store(words, need)} {_refused(words, need)}".strip()
    if need.kind is NeedKind.DEAD and need.service is None:
        return words.say(NO_SUCH_SINK)
    if need.kind is NeedKind.BROKEN_FILE or not (cause := advice(words, need.service, need.evidence)):
        return words.say(_TO_DO[need.kind])
    return f"{cause} {words.say(_THEN.get(need.kind, _TO_DO[need.kind]))}"


def _usual(words: Language, need: Need) -> str:
    time = duration(words, rounded(need.limit or 0))
    if need.usual:
        return words.say("It is usually heard again within %(time)s.", time=time)
    return words.say("The file says that it should be heard again within %(time)s.", time=time)


def rounded(seconds: float) -> float:
    """A length of time that was found out, as one says it: whole minutes, from a quarter of a day on whole hours."""
    unit = 3600 if seconds >= 6 * 3600 else 60 if seconds >= 60 else 1
    return -(-seconds // unit) * unit


def _to_do_of_the_store(words: Language, need: Need) -> str:
    return words.say("It takes events again.") if need.is_over else words.say(_TO_DO[need.kind])


def _refused(words: Language, need: Need) -> str:
    if not need.count:
        return ""
    return words.plural(
        "One request was answered 503: its panel has to send it again.",
        "%(n)s requests were answered 503: their panels have to send them again.",
        need.count,
    )


def _what(words: Language, need: Need) -> str:
    match need.kind:
        case NeedKind.STORE:
            return words.say("The store failed") if need.is_over else words.say("The store takes nothing")
        case NeedKind.SILENT:
            return words.say("%(source)s is silent", source=need.source)
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
