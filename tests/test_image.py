"""What can be said of the image and of the Compose file without an engine to build and run them."""

import json
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.config.load import load

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


def _compose() -> dict[str, Any]:
    composed: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return composed


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
    proxies = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    environment = {"PANELBRIDGE_PORT": str(port), **proxies}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, timeout=30).returncode


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


def test_compose_gives_the_bridge_nothing_that_it_does_not_need() -> None:
    bridge = _compose()["services"]["panelbridge"]
    assert bridge["read_only"] is True
    assert bridge["cap_drop"] == ["ALL"]
    assert bridge["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in bridge
    assert bridge["build"] == "."
    assert all(port.startswith("127.0.0.1:") for port in bridge["ports"])


def test_compose_keeps_the_store_on_a_volume_and_mounts_the_folder_of_the_file() -> None:
    composed = _compose()
    targets = {mount.split(":")[1]: mount for mount in composed["services"]["panelbridge"]["volumes"]}
    assert targets[STORE].split(":")[0] in composed["volumes"]
    folder = json.loads(_only("CMD"))[-1].rpartition("/")[0]
    assert targets[folder].endswith(":ro")


def test_the_panel_of_the_compose_file_finds_its_sources_in_the_example() -> None:
    config = load(ROOT / "config.example.yaml", env={}).config
    service = _compose()["services"]["marzban"]
    environment: Mapping[str, str] = service["environment"]
    base = "http://panelbridge:8080"
    assert environment["WEBHOOK_ADDRESS"].startswith(f"{base}/in/")
    assert config.sources[environment["WEBHOOK_ADDRESS"].rpartition("/")[2]].panel == "marzban"
    match = re.fullmatch(rf"{base}/api/webhooks/([^/]+)/\$\{{.+\}}", environment["DISCORD_WEBHOOK_URL"])
    assert match is not None
    assert config.sources[match[1]].panel == "discord"
    assert service["network_mode"] != "host" or "panelbridge:127.0.0.1" in service["extra_hosts"]


def test_the_variants_in_the_comments_are_yaml_too() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    variants = re.findall(r"(?m)^  # ([a-z-]+:\n(?:  #   .*\n)+)", text)
    services = [yaml.safe_load(re.sub(r"(?m)^  # ", "", variant)) for variant in variants]
    assert [name for service in services for name in service] == ["remnawave", "wg-portal", "postgres"]
