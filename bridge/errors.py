"""What a person can mend.

BridgeError
├── ConfigError            the file is wrong: every mistake with line and column   exit 2, before the port opens
├── UnknownName            a command names what there is not                       exit 2, or 404
├── TooSoon                it was done just now: says when it may be done again    exit 1, or 429 with Retry-After
├── StoreError             the store cannot be used, and why                       exit 1
│   ├── StoreUnavailable   not now: a full disk, a lost database                   503 with Retry-After
│   │   └── StoreSlow      it took longer than whoever looks may wait              503 with Retry-After
│   └── StoreRefused       not this: a row that it will never take                 exit 2, or 422
└── HookRejected           the request is wrong: carries its status                that status, never a traceback
    ├── BadSignature       401
    ├── TooLarge           413
    └── BadPayload         422: names the path in the JSON

A message says what, which and where, without capital, full stop or secret.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from bridge.value import Value


class BridgeError(Exception):
    """Anything a person can mend."""


#: A line and a column, counted from 1.
Position = tuple[int, int]


class Mistake(Value):
    """One thing wrong in the file, or in another `file` that it leads to. `line` and `column` count from 1.

    A warning is one too: what may be meant, and may not. `path` are the keys that lead to it, as ("routes", 0, "to");
    none where it is about the whole, or another file.
    """

    line: int
    column: int
    text: str
    file: str | None = None
    path: tuple[str | int, ...] = ()

    def where(self, file: str) -> str:
        """File, line and column, where `file` is the one that it was found in if it names none."""
        return f"{self.file or file}:{self.line}:{self.column}"


def in_order(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """In the order of the file."""
    return sorted(mistakes, key=lambda one: (one.file or "", one.line, one.column))


class ConfigError(BridgeError):
    """The file is wrong; `mistakes` holds all that was found, in the order of the file, `warnings` what beside.

    `watched` are the files whose change may mend it: itself, and all that it names, whether or not they are there.
    """

    def __init__(
        self, file: str, mistakes: Iterable[Mistake], warnings: Iterable[Mistake] = (), watched: Iterable[Path] = ()
    ) -> None:
        self.file = file
        self.watched = tuple(watched)
        self.mistakes = in_order(mistakes)
        self.warnings = in_order(warnings)
        super().__init__("\n".join(f"{one.where(file)}: {one.text}" for one in self.mistakes))


class UnknownName(BridgeError):
    """A command names a sink, a source, a type or a language that there is not."""


def suggestion(word: str, words: Iterable[str]) -> str:
    """Which of the words may be meant: `did you mean "ops"?`, or all that there are."""
    lower = {one.lower(): one for one in words}
    if close := get_close_matches(word.lower(), lower, n=1, cutoff=0.6):
        return f'did you mean "{lower[close[0]]}"?'
    return f"there are {', '.join(sorted(lower.values()))}" if lower else "there are none"


class TooSoon(BridgeError):
    """What is asked for was done just now; `after` seconds it may be done again."""

    def __init__(self, text: str, *, after: float) -> None:
        self.after = after
        super().__init__(text)


class StoreError(BridgeError):
    """The store cannot be used."""


class StoreUnavailable(StoreError):
    """The store cannot be used now, but may be later."""


class StoreSlow(StoreUnavailable):
    """What was looked for took longer than it may; it was stopped, and nothing has changed."""


class StoreRefused(StoreError):
    """The store will not take what it was given, and takes everything else."""


class HookRejected(BridgeError):
    """A request that is not taken."""

    status = 400


class BadSignature(HookRejected):
    """It does not prove that it comes from the panel."""

    status = 401


class TooLarge(HookRejected):
    """It is bigger than the operator allows."""

    status = 413


class BadPayload(HookRejected):
    """It cannot be understood. `path` leads to the fault, as in `[3].username`; empty for the whole body."""

    status = 422

    def __init__(self, reason: str, path: str = "") -> None:
        self.reason = reason
        self.path = path
        super().__init__(f"{path}: {reason}" if path else reason)
