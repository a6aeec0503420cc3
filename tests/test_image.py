"""What can be said of the image without an engine to build and run it."""

import json
import re
import runpy
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.processes import PATIENCE

ROOT = Path(__file__).parent.parent
STORE = "/var/lib/panelbridge"


def _instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, continued lines joined, comments left out."""
    lines = [line for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if not line.startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ")
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in whole.splitlines() if line.strip())]


def _all(word: str) -> list[str]:
    return [rest for name, rest in _instructions() if name == word]


def _only(word: str) -> str:
    [one] = _all(word)
    return one


def _sources() -> list[str]:
    """What the Dockerfile copies out of the repository."""
    copies = [shlex.split(rest) for rest in _all("COPY")]
    return [path for words in copies if not words[0].startswith("--from") for path in words[:-1]]


def _healthcheck() -> list[str]:
    words: list[str] = json.loads(_only("HEALTHCHECK").partition(" CMD ")[2])
    return words


def test_what_the_dockerfile_copies_is_there() -> None:
    assert [path for path in _sources() if not (ROOT / path).exists()] == []


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    rules = [rule for rule in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if rule and rule[0] != "#"]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(_sources())


def test_both_stages_have_the_same_base_so_that_the_environment_finds_its_python() -> None:
    assert len({rest.split()[0] for rest in _all("FROM")}) == 1


def test_everything_installed_comes_from_a_lock_with_hashes_or_from_the_build_itself() -> None:
    commands = re.split(r"&&|;", " ".join(_all("RUN")))
    installs = [command for command in commands if " pip install " in command or " pip wheel " in command]
    assert installs
    for command in installs:
        assert "--require-hashes" in command or "--no-deps" in command
        assert "--no-index" in command or "--no-build-isolation" in command or "--require-hashes" in command


def test_it_says_what_it_is_made_of_when_all_of_that_is_there() -> None:
    steps = [step.strip() for step in re.split(r"&&", " ".join(_all("RUN")))]
    [at] = [number for number, step in enumerate(steps) if "cyclonedx-py environment" in step]
    written = re.search(r"--output-file (\S+) (\S+)$", steps[at])
    assert written
    assert written[1].startswith("/opt/panelbridge/")  # which is all that the image takes over
    assert written[2] == "/opt/panelbridge/bin/python"
    assert not [step for step in steps[at:] if " pip " in step]


@pytest.mark.parametrize("lock", sorted((ROOT / ".ci").glob("*.lock")), ids=lambda path: path.name)
def test_a_lock_pins_everything_with_a_hash_and_names_no_registry(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text
    for one in re.split(r"\n(?=\S)", text.replace("\\\n", " ").strip()):
        assert re.fullmatch(r"[A-Za-z0-9_.\[\],-]+==\S+( ; .+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*", one), one


@pytest.mark.parametrize(
    ("found", "said", "status"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], "0 known faults in 1 of 1 dependencies", 0),
        (
            [
                {"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]},
                {"name": "b", "skip_reason": "not there"},
            ],
            "1 known faults in 1 of 2 dependencies",
            1,
        ),
        ([{"name": "b", "skip_reason": "not there"}], "left out", 0),
        (None, "left out", 0),
    ],
)
def test_an_audit_fails_by_what_is_known_and_never_because_its_data_are_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], found: object, said: str, status: int
) -> None:
    if found is not None:
        (tmp_path / "found").write_text(json.dumps({"dependencies": found, "fixes": []}))
    assert runpy.run_path(str(ROOT / ".ci" / "audited.py"))["main"](tmp_path / "found") == status
    assert said in capsys.readouterr().out


def test_it_runs_as_a_user_of_its_own_who_owns_the_store() -> None:
    assert re.fullmatch(r"([1-9][0-9]{3,}):\1", _only("USER"))
    assert _all("WORKDIR")[-1] == STORE
    assert _only("VOLUME") == STORE
    [make] = [one for one in re.split(r"&&", " ".join(_all("RUN"))) if STORE in one and " install " in f" {one}"]
    assert f"--owner {_only('USER').partition(':')[0]}" in make


def test_it_starts_the_bridge_with_the_mounted_file_and_stops_it_as_the_bridge_expects() -> None:
    assert json.loads(_only("ENTRYPOINT")) == ["panelbridge"]
    assert json.loads(_only("CMD")) == ["run", "--config", "/etc/panelbridge/config.yaml"]
    assert _only("STOPSIGNAL") == "SIGTERM"
    assert _only("EXPOSE") == "8080"


@pytest.mark.process
@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (500, 1)])
def test_the_healthcheck_says_what_healthz_says(status: int, code: int) -> None:
    with _answering(status) as (port, asked):
        assert _ask(port) == code
        assert asked == ["/healthz"]


@pytest.mark.process
def test_the_healthcheck_fails_where_nobody_answers() -> None:
    with _answering(200) as (port, _):
        pass
    assert _ask(port) == 1


def _ask(port: int) -> int:
    """The healthcheck's exit code; a proxy in the environment must not be asked about our own port."""
    program, *arguments = _healthcheck()
    assert program == "python3"
    patient = [one.replace("timeout=4", f"timeout={PATIENCE}") for one in arguments]  # a machine may be busy
    assert patient != arguments
    proxies = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    environment = {"PANELBRIDGE_PORT": str(port), **proxies}
    command = [sys.executable, *patient]
    return subprocess.run(command, env=environment, capture_output=True, timeout=2 * PATIENCE).returncode


@contextmanager
def _answering(status: int) -> Iterator[tuple[int, list[str]]]:
    """A server that answers every GET with this status, and what it was asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()
