"""The commands, as an operator types them: what they print, and how they exit."""

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge import __version__
from bridge.cli import app
from bridge.config.schema import schema
from bridge.sinks import SERVICES
from tests.commands import FILE, SECRET, Run, typed_by
from tests.processes import PATIENCE, free_port

EXAMPLE = Path(__file__).parents[1] / "config.example.yaml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return typed_by(capsys)


def test_the_version_is_shown(run: Run) -> None:
    assert run("--version") == (0, f"panelbridge {__version__}\n", "")


def test_every_command_helps() -> None:
    for command in ("run", "check", "render", "test", "deliveries", "replay", "schema"):
        result = CliRunner().invoke(app, [command, "--help"])
        assert result.exit_code == 0
        assert command in result.output


# check


def test_check_shows_what_a_good_file_says(run: Run, file: Path) -> None:
    status, out, err = run("check", "-c", file)
    assert status == 0
    assert f"{file}: ok" in out
    assert "https://bridge.example.com/vpn/in/marzban" in out
    assert "https://bridge.example.com/vpn/api/webhooks/reports/<secret of reports>" in out
    assert "user.expired, !user.login of marzban when data.owner == 'reseller-7', then stops" in out
    assert err.splitlines() == [f'{file}:11:33: warning: sink "off" is disabled, nothing is kept for it']
    assert SECRET not in out + err


def test_check_tells_every_mistake_and_exits_with_2(run: Run, file: Path) -> None:
    file.write_text("locale: de\nsinks:\n  ops: {type: console}\nroutes:\n  - to: opps\n")
    assert run("check", "-c", file) == (
        2,
        "",
        f'{file}:1:9: locale should be en, fa or ru\n{file}:5:9: route 1: no sink named "opps": did you mean "ops"?\n',
    )


def test_check_tells_it_to_programs_too(run: Run, file: Path) -> None:
    status, out, _ = run("check", "-c", file, "--json")
    told = json.loads(out)
    assert (status, told["ok"], told["mistakes"]) == (0, True, [])
    assert told["sources"][0] == {
        "name": "marzban",
        "panel": "marzban",
        "url": "https://bridge.example.com/vpn/in/marzban",
        "paste": [
            'WEBHOOK_ADDRESS="https://bridge.example.com/vpn/in/marzban"',
            'WEBHOOK_SECRET="<secret of marzban>"',
        ],
    }
    assert told["sinks"][-1] == {"name": "off", "type": "console", "enabled": False}
    assert told["rows"][2] == {
        "name": "route 3",
        "match": ["node.*"],
        "to": ["here"],
        "stop": False,
        "audience": "operators",
        "critical": False,
    }
    file.write_text("locale: de")
    status, out, _ = run("check", "-c", file, "--json")
    assert status == 2
    assert json.loads(out) == {
        "ok": False,
        "file": str(file),
        "mistakes": [{"file": str(file), "line": 1, "column": 9, "text": "locale should be en, fa or ru"}],
        "warnings": [],
    }


def test_no_file_at_all_is_told_with_the_places_that_were_tried(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PANELBRIDGE_CONFIG", raising=False)
    what = "there is no file: neither --config nor PANELBRIDGE_CONFIG names one, and none is at"
    for command in ("check", "run", "lanes", "deliveries"):
        assert run(command) == (
            2,
            "",
            f"config.yaml:1:1: {what} {tmp_path}/config.yaml or /etc/panelbridge/config.yaml\n",
        )
    status, out, _ = run("check", "--json")
    assert (status, json.loads(out)["mistakes"][0]["text"].startswith(what)) == (2, True)


def test_the_file_may_stand_behind_the_command(run: Run, file: Path, tmp_path: Path) -> None:
    assert run("check", file)[0] == 0
    assert run("check", file, "-c", file)[0] == 0
    assert run("check", tmp_path / "other.yaml") == (
        2,
        "",
        f"{tmp_path}/other.yaml:1:1: cannot be read: No such file or directory\n",
    )
    status, _, err = run("check", "-c", file, "other.yaml")
    assert (status, err) == (1, f"--config names {file}, and other.yaml stands behind the command: give one of them\n")
    assert run("run", tmp_path)[::2] == (2, f"{tmp_path}:1:1: cannot be read: Is a directory\n")


def test_a_file_that_is_not_there_is_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "nothing.yaml"
    assert run("check", "-c", file) == (2, "", f"{file}:1:1: cannot be read: No such file or directory\n")


# schema


def test_the_schema_is_printed(run: Run) -> None:
    status, out, _ = run("schema")
    assert (status, json.loads(out)) == (0, schema())


# test


def test_test_sends_a_sample_once(run: Run, file: Path) -> None:
    status, out, _ = run("test", "here", "-c", file, "--event", "user.deleted")
    assert status == 0
    assert "User deleted" in out
    assert out.splitlines()[-1].split() == ["outcome", "delivered"]


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", "Test message: nothing has happened"),
        ("fa", "پیام آزمایشی: هیچ رویدادی رخ نداده است"),
        ("ru", "Тестовое сообщение: на самом деле ничего не произошло"),
    ],
)
@pytest.mark.parametrize("service", SERVICES)
def test_a_test_is_marked_as_one_in_every_service_and_language(
    run: Run, tmp_path: Path, service: str, locale: str, words: str
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"sinks:\n  here: {{type: console, format: {service}, locale: {locale}}}\n")
    status, out, _ = run("test", "here", "-c", file)
    assert status == 0
    assert " ".join(words.split()) in " ".join(out.split())
    assert "🧪" not in run("render", "-c", file, "--sink", "here")[1]


def test_test_exits_with_1_where_it_was_not_delivered(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"sinks:\n  shop: {{type: webhook, url: 'http://127.0.0.1:{free_port()}/{SECRET}'}}\n")
    status, out, err = run("test", "shop", "-c", file, "--json")
    told = json.loads(out)
    assert (status, told["outcome"], told["status"]) == (1, "away", None)
    assert SECRET not in out + err


def test_test_wants_a_sink_that_is_there(run: Run, file: Path) -> None:
    assert run("test", "her", "-c", file) == (2, "", 'no sink named "her": did you mean "here"?\n')


# real processes


def panelbridge(*args: object, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bridge", *map(str, args)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.mark.process
def test_the_file_is_found_in_the_folder_or_by_the_environment(file: Path, tmp_path: Path) -> None:
    assert panelbridge("check", folder=tmp_path).returncode == 0
    other = tmp_path / "other"
    other.mkdir()
    assert panelbridge("check", folder=other, PANELBRIDGE_CONFIG=str(file)).returncode == 0
    lost = panelbridge("check", folder=other)
    assert (lost.returncode, lost.stderr) == (
        2,
        "config.yaml:1:1: there is no file: neither --config nor PANELBRIDGE_CONFIG names one, and none is at "
        f"{other}/config.yaml or /etc/panelbridge/config.yaml\n",
    )


@pytest.mark.process
def test_a_wrong_file_stops_the_start_before_the_port_opens(file: Path, tmp_path: Path) -> None:
    file.write_text("tempaltes: x")
    ended = panelbridge("run", folder=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == 'config.yaml:1:1: unknown key "tempaltes": did you mean "templates"?\n'


@pytest.mark.process
def test_a_port_that_is_taken_is_told_without_a_traceback(file: Path, tmp_path: Path) -> None:
    file.write_text("listen: 192.0.2.1:1")
    ended = panelbridge("run", folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("listen: cannot listen on 192.0.2.1:1: ")
    assert "Traceback" not in ended.stderr


@pytest.mark.process
def test_running_needs_no_rich(tmp_path: Path) -> None:
    code = "import sys, bridge.cli, bridge.app; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={}, check=False).returncode == 0


@pytest.mark.process
def test_the_demo_shows_a_recorded_event_as_each_service_would_get_it(tmp_path: Path) -> None:
    port, admin = free_port(), free_port()
    file = tmp_path / "config.yaml"
    example = EXAMPLE.read_text("utf-8").replace("0.0.0.0:8080", f"127.0.0.1:{port}")
    file.write_text(f"{example}\nadmin: {{listen: 127.0.0.1:{admin}}}\n", "utf-8")
    command = [sys.executable, "-m", "bridge", "run", "--demo"]
    with subprocess.Popen(command, cwd=tmp_path, env={}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as bridge:
        assert bridge.stdout is not None
        wanted = {name.encode() for name in SERVICES}
        told = b""
        try:
            while wanted:
                line = bridge.stdout.readline()
                assert line, "it ended before all was shown"
                told += line
                wanted -= {name for name in wanted if line.startswith(name + b" ")}
            [address] = re.findall(r"look at it on (http://\S+)", told.decode())
            page = page_of_the_latest_event(address)
        finally:
            bridge.terminate()
        bridge.communicate(timeout=PATIENCE)
    assert bridge.returncode == 0
    text = told.decode()
    assert f"listening on http://127.0.0.1:{port}" in text
    assert 'WEBHOOK_SECRET="demo-marzban-secret"' in text
    assert f"curl http://127.0.0.1:{port}/in/marzban -H 'x-webhook-secret: demo-marzban-secret' -d '" in text
    assert '200 {"accepted":1,"set_aside":0}' in text
    assert address == f"http://127.0.0.1:{admin}"
    assert "Why it went where it went" in page
    assert [name for name in SERVICES if f'class="drawn {name}"' not in page] == []


def page_of_the_latest_event(address: str) -> str:
    """What the admin side shows of the newest event that its first page names."""
    found = re.search(r'href="(/events/[^"?]+)"', read_page(address))
    assert found, "no event is there"
    return read_page(address + found[1])


def read_page(url: str) -> str:
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as error:  # on a busy machine a look may take longer than it may
            if error.code != 503 or time.monotonic() > ends:
                raise
            time.sleep(0.1)
