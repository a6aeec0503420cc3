"""Settings: which file is in force, what is wrong with the one on disk, and what to paste into the panels."""

import re
from collections.abc import Sequence
from pathlib import Path

from bridge.admin import operations
from bridge.admin.language import N_, Language
from bridge.admin.pages.acted import acted
from bridge.admin.state import ConfigState, Rejected
from bridge.admin.visit import PageVariables, Visit
from bridge.errors import Mistake, StoreError

_KEY = re.compile(r"((?:\s|- )*[\w.-]+):(\s.*|)")
LONGEST = 2**20  # bytes of a file whose lines are shown
_CAUSES = {
    "start": N_("when the bridge started"),
    "change": N_("because it had changed"),
    "request": N_("because it was asked for"),
}


def view(visit: Visit) -> PageVariables:
    return {**variables(visit.state, visit.language), **_kept(visit)}


def _kept(visit: Visit) -> PageVariables:
    """What the store knows; nothing where it cannot be asked, for then the file is what one wants to see."""
    try:
        return {
            "mutes": operations.mutes(visit.ledger, now=visit.now),
            "audit": [acted(visit.language, one) for one in operations.audited(visit.ledger)],
        }
    except StoreError:
        return {"mutes": None, "audit": None}


def variables(state: ConfigState, words: Language) -> PageVariables:
    """The file and what it says of the admin side and of the store; of secrets only that they are there."""
    return {
        "state": state,
        "cause": words.say(_CAUSES[state.cause]),
        "mistakes": _mistakes(state.file, state.rejected) if state.rejected else [],
        "days": round(state.keep / 86400, 1),
        "hours": round(state.admin.session / 3600, 1),
        "tokens": len(state.admin.token),
        "read_tokens": len(state.admin.read_token),
    }


def _mistakes(file: Path, rejected: Rejected) -> Sequence[PageVariables]:
    lines = _lines(file)
    return [
        {"at": f"{Path(one.file or file).name}:{one.line}:{one.column}", "text": one.text, "line": _line(one, lines)}
        for one in rejected.mistakes
    ]


def _line(mistake: Mistake, lines: Sequence[str]) -> str:
    if mistake.file is not None or mistake.line > len(lines):
        return ""
    return masked_line(lines[mistake.line - 1])


def _lines(file: Path) -> Sequence[str]:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(LONGEST).splitlines()
    except OSError:
        return ()


def masked_line(line: str) -> str:
    """A line of the file with its keys, and nothing of its values: any of them may be a secret, wherever it stands."""
    if found := _KEY.fullmatch(line):
        return f"{found[1]}: ···" if found[2].strip() else f"{found[1]}:"
    return line[: len(line) - len(line.lstrip(" -"))] + ("···" if line.strip(" -") else "")
