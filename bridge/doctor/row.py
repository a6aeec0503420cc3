"""What was found of one thing: a row of the examination."""

from collections.abc import Iterable

from bridge.event import JsonObject
from bridge.sinks.reachability import Finding, FindingMark
from bridge.value import Value


class ExaminationRow(Value):
    """`part`: what was looked at, as `store`, or the name of a source or a sink. `kind`: what that is."""

    kind: str
    part: str
    finding: Finding

    def to_json(self) -> JsonObject:
        found = self.finding
        return {"kind": self.kind, "part": self.part, "mark": found.mark, "text": found.text, "todo": found.todo}


def ok(text: str) -> Finding:
    return Finding(FindingMark.OK, text)


def look(text: str, todo: str) -> Finding:
    return Finding(FindingMark.LOOK, text, todo)


def wrong(text: str, todo: str) -> Finding:
    return Finding(FindingMark.WRONG, text, todo)


def unknown(text: str) -> Finding:
    return Finding(FindingMark.UNKNOWN, text)


def rows(kind: str, findings: Iterable[Finding]) -> list[ExaminationRow]:
    """Those of the one thing of its kind."""
    return [ExaminationRow(kind, kind, one) for one in findings]


def size_text(size: float) -> str:
    """A size for people: `2.2 GB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
