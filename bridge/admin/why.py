"""Why a row took an event or did not, in the words of the page: what is kept of it is short, and not for people."""

import re
from collections.abc import Sequence

from bridge.admin.language import N_, Language
from bridge.admin.shapes import Verdict

#: What is kept of a row that does not apply, and what is said of it.
_REFUSALS = (
    (
        r"type (?P<type>.+) is not among (?P<globs>.+)",
        N_("No: the type is %(type)s, which is not among %(globs)s"),
    ),
    (r"type .+ is left out by (?P<glob>!.+)", N_("No: %(glob)s leaves it out")),
    (r"source is (?P<source>.+), not (?P<taken>.+)", N_("No: it came from %(source)s; the row takes only %(taken)s")),
    (r"when was false", N_("No: the condition was false")),
    (r"when failed: (?P<error>.+)", N_("No: the condition could not be worked out: %(error)s")),
    (r"(?P<row>.+) stopped the table", N_("Not asked: %(row)s stopped the table")),
)
_MATCHED = re.compile(r"matched (?P<glob>[^;]+)(?P<disabled>(?:; sink [^;]+ is disabled)*)")
_DISABLED = re.compile(r"; sink ([^;]+) is disabled")
FOLDED = 8  # rows of a table that are all shown
RUN = 3  # plain refusals one after the other that become one line


def why(words: Language, verdict: Verdict, names: Sequence[str]) -> str:
    """The sentence of one row. `names`: what the event may be called, its type first."""
    if verdict.matched:
        found = _MATCHED.fullmatch(verdict.why)
        return _taken(words, verdict, found, names) if found else words.say("Yes: %(why)s", why=verdict.why)
    for pattern, sentence in _REFUSALS:
        if refusal := re.fullmatch(pattern, verdict.why, re.DOTALL):
            return words.say(sentence, **refusal.groupdict())
    return words.say("No: %(why)s", why=verdict.why)


def _taken(words: Language, verdict: Verdict, found: re.Match[str], names: Sequence[str]) -> str:
    name = next((one for one in names if _fits(one, found["glob"])), names[0])
    with_condition = " when: " in verdict.takes
    sentences = [
        words.say("Yes: %(name)s matches %(glob)s, and the condition was true", name=name, glob=found["glob"])
        if with_condition
        else words.say("Yes: %(name)s matches %(glob)s", name=name, glob=found["glob"])
    ]
    disabled = _DISABLED.findall(found["disabled"])
    sentences += [words.say("but %(sink)s is disabled, nothing is kept for it", sink=sink) for sink in disabled]
    return "; ".join(sentences)


def _fits(name: str, glob: str) -> bool:
    from bridge.routing.route import matches

    return matches(glob, name, name)


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
    return not verdict.matched and not verdict.why.startswith("when failed")
