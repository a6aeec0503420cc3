"""Where documented commands are typed: a folder with a copy of the project, and the machine's places moved below it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.pages import ROOT
from tests.processes import PATIENCE, free_port
from tests.tools import needed

INSTALLING = 5 * PATIENCE  # seconds that a registry may take
PROGRAMS = Path(__file__).parent / "programs"
#: Folders of the machine that commands name, and that lie below the desk instead.
PLACES = ("/var/lib/panelbridge", "/etc/panelbridge", "/opt/panelbridge", "/run/secrets", "/backup")
PROJECT = ("bridge", "templates", "docs", ".ci", "pyproject.toml", "Makefile", "Dockerfile", "LICENSE")
LISTEN = re.compile(r"(?m)^listen: .*$")


class Desk:
    """`moved`: what is written in a document, and where that is here. `environment`: what commands find set."""

    def __init__(self, folder: Path, *, moved: Iterable[str] = ("127.0.0.1:8080", *PLACES)) -> None:
        self.folder = folder / "desk"
        self.port = free_port()
        here = {place: f"{folder}/machine{place}" for place in PLACES} | {"127.0.0.1:8080": f"127.0.0.1:{self.port}"}
        self.moved = {name: here[name] for name in moved}
        for place in PLACES:
            (folder / f"machine{place}").mkdir(parents=True)
        programs = folder / "programs"
        programs.mkdir()
        for program in PROGRAMS.glob("*.py"):
            _write_program(programs / program.stem, f'exec {sys.executable} {program} "$@"')
        _write_program(programs / "panelbridge", f'exec {sys.executable} -m bridge "$@"')
        _write_program(programs / "make", f'exec {shutil.which("make")} -o .venv/.runtime -o .venv/.dev "$@"')
        self.folder.mkdir()
        self.environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "DOCKER_STATE": str(folder / "docker"),
        }

    def lay_out_the_project(self) -> None:
        """A copy of what the project is built from, installed as it is here, and the example on a port of its own."""
        for name in PROJECT:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, self.folder)
        for file in ROOT.glob("*.md"):
            shutil.copy(file, self.folder)
        for file in ROOT.glob("*.yaml"):
            (self.folder / file.name).write_text(self._on_own_port(file.read_text("utf-8")), "utf-8")
        (self.folder / ".venv").symlink_to(sys.prefix)

    def lay_out_upstream(self) -> None:
        """What `git pull` pulls from."""
        needed("git")
        upstream = self.folder.parent / "upstream"
        who = "-c user.name=nobody -c user.email=nobody@example.com"
        self._prepared(f"git init -q . && git add Makefile && git {who} commit -qm first && git clone -q . {upstream}")
        self._prepared(f"git remote add origin {upstream} && git fetch -q")
        self._prepared("git branch -u origin/$(git branch --show-current)")

    def here(self, text: str) -> str:
        """The text with everything where it is here."""
        names = "|".join(map(re.escape, sorted(self.moved, key=len, reverse=True)))
        return re.sub(rf"(?<![\w.-])(?:{names})", lambda found: self.moved[found[0]], text)

    def typed(self, text: str) -> str:
        """Type it into a shell that ends at the first command that fails; what was printed."""
        done = subprocess.run(self._shell(text), **self._as_here(), capture_output=True, text=True, timeout=INSTALLING)
        assert done.returncode == 0, f"{self.here(text)}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def serving(self, text: str, is_ready: Callable[[], bool]) -> Iterator[None]:
        """Type what runs until it is ended, as it is in the end; begins once it is ready."""
        log = self.folder.parent / "served.log"
        with log.open("ab") as out:
            to = {"stdout": out, "stderr": out, "start_new_session": True}
            process = subprocess.Popen(self._shell(text), **self._as_here(), **to)
        try:
            deadline = time.monotonic() + PATIENCE
            while not is_ready():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(PATIENCE)

    def _on_own_port(self, text: str) -> str:
        return LISTEN.sub(f"listen: 127.0.0.1:{self.port}", text)

    def _prepared(self, text: str) -> None:
        subprocess.run(self._shell(text), **self._as_here(), capture_output=True, check=True)

    def _shell(self, text: str) -> list[str]:
        return ["sh", "-euc", self.here(text)]

    def _as_here(self) -> dict[str, Any]:
        return {"cwd": self.folder, "env": os.environ | self.environment, "stdin": subprocess.DEVNULL}


def _write_program(file: Path, line: str) -> None:
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)
