"""A replica's log, read as it grows: what it says is counted, and what looks like a bug of ours is kept. Nothing else
is: an hour of it is long."""

from collections import Counter
from pathlib import Path

#: What is a bug of ours, wherever it stands.
BUGS = ("Traceback", "delivery.bug", "never retrieved", "unforeseen", "Fatal Python")
COUNTED = ("app.started", "config.reloaded", "store.gone", "store.back")
BIGGEST = 4 << 20  # bytes: a file that has grown so big is put away when the next process starts
STORY = 60  # lines that are kept after the first that is a bug


class Log:
    """`said` counts what it has said until now, over all of its files; `bugs` are lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: Counter[str] = Counter()
        self.bugs: list[str] = []
        self._read = 0
        self._part = b""

    def turn(self) -> None:
        """Before a process starts: begin a new file when this one is big. The last one stays beside it."""
        self.read()
        if self._read > BIGGEST:
            self.path.rename(self.path.with_suffix(".log.1"))
            self._read, self._part = 0, b""

    def read(self) -> None:
        """Take note of what is new."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        *lines, self._part = (self._part + new).split(b"\n")
        for line in lines:
            self._note(line.decode("utf-8", "replace"))

    def _note(self, line: str) -> None:
        for word in COUNTED:
            self.said[word] += f" {word} " in f"{line} "
        if len(self.bugs) < STORY and (self.bugs or any(word in line for word in BUGS)):
            self.bugs.append(line)
