"""Programs of ours that begin as copies of one process, which has imported all that they need.

They are processes like any other, with an id, signals, an exit status and files of their own, and cost a quarter of
what an interpreter takes that begins anew: of many hundred starts, most of the processor time of the tests. What is
about the beginning itself is started as an operator does it: tests/test_process.py, tests/test_cli.py, tests/documents.
"""

import multiprocessing
import os
import sys
import threading
from collections.abc import Sequence
from multiprocessing import connection
from pathlib import Path

from bridge.config.model import Config

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["bridge.__main__", "bridge.cli", "bridge.app", "tests.forked"])
Config.model_rebuild()  # its validator, which would be built anew in each copy


class Forked:
    """`panelbridge` with these words; what it prints is added to the files."""

    def __init__(self, words: Sequence[str], *, out: Path, err: Path) -> None:
        sys.audit("subprocess.Popen", "panelbridge", words, None, None)  # it is one, to who counts them
        arguments = (list(words), str(out), str(err), dict(os.environ))
        self._process = _CONTEXT.Process(target=_main, args=arguments, daemon=True)
        self._process.start()
        self._asking = threading.Lock()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """Its exit status, below 0 the signal that ended it; None while it runs."""
        with self._asking:
            return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Its exit status; raise TimeoutError where it has not ended in so many seconds."""
        connection.wait([self._process.sentinel], timeout)
        if (status := self.poll()) is None:
            raise TimeoutError(f"{self.pid} runs on")
        return status


def _main(words: list[str], out: str, err: str, environment: dict[str, str]) -> None:
    """In the new process: what an interpreter finds when it begins."""
    from bridge.__main__ import main

    for number, file in ((1, out), (2, err)):
        there = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(there, number)
        os.close(there)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["panelbridge", *words]
    main()
