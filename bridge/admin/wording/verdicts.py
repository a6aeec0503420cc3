"""Why a row took an event or did not, in the words of the pages."""

from collections.abc import Mapping, Sequence

from bridge.admin.language import N_, Language
from bridge.admin.shapes import Verdict
from bridge.admin.wording.isolates import isolated
from bridge.routing.verdicts import Reason

#: What is said of each reason but a match, of which there is more to say, and what stands beside the table.
_SENTENCES: Mapping[Reason, str] = {
    Reason.TYPE: N_("No: the type is %(type)s, which is not among %(globs)s"),
    Reason.LEFT_OUT: N_("No: %(glob)s leaves it out"),
    Reason.SOURCE: N_("No: it came from %(source)s; the row takes only %(taken)s"),
    Reason.FALSE: N_("No: the condition was false"),
    Reason.FAILED: N_("No: the condition could not be worked out: %(error)s"),
    Reason.STOPPED: N_("Not asked: %(row)s stopped the table"),
}
FOLDED = 8  # rows of a table that are all shown
RUN = 3  # plain refusals one after the other that become one line


def why(words: Language, verdict: Verdict) -> str:
    """The sentence of one row. Of an event from before reasons were kept, what was."""
    reason = None if verdict.reason is None else Reason[verdict.reason.upper()]
    if reason is Reason.MATCHED:
        return _matched(words, verdict)
    if reason is not None and reason in _SENTENCES:
        return words.say(_SENTENCES[reason], **_apart(words, verdict.values))
    if verdict.matched:
        return words.say("Yes: %(why)s", why=isolated(words, verdict.why))
    return words.say("No: %(why)s", why=isolated(words, verdict.why))


def _matched(words: Language, verdict: Verdict) -> str:
    values = _apart(words, verdict.values)
    taken = (
        words.say("Yes: %(name)s matches %(glob)s, and the condition was true", **values)
        if verdict.condition
        else words.say("Yes: %(name)s matches %(glob)s", **values)
    )
    disabled = (
        words.say("but %(sink)s is disabled, nothing is kept for it", sink=isolated(words, one))
        for one in verdict.disabled
    )
    return "; ".join((taken, *disabled))


def _apart(words: Language, values: Mapping[str, str]) -> Mapping[str, str]:
    return {name: isolated(words, value) for name, value in values.items()}


def folded(verdicts: Sequence[Verdict]) -> list[Verdict | int]:
    """The rows; of a long table, runs of plain refusals as how many they are."""
    if len(verdicts) <= FOLDED:
        return list(verdicts)
    found: list[Verdict | int] = []
    run: list[Verdict] = []
    for one in [*verdicts, None]:
        if one is not None and _is_plain(one):
            run.append(one)
            continue
        found += run if len(run) < RUN else [len(run)]
        run = []
        if one is not None:
            found.append(one)
    return found


def _is_plain(verdict: Verdict) -> bool:
    return not verdict.matched and verdict.reason != Reason.FAILED.name.lower()
