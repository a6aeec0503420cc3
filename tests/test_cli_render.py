"""`render`: what would be sent of an event, in the panel's own words, drawn as it would be seen."""

import json
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from bridge.sinks import SERVICES
from tests.commands import FILE, SECRET, Run, typed_by
from tests.panels.recorded import recorded

EXAMPLE = Path(__file__).parents[1] / "config.example.yaml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(FILE)
    return path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return typed_by(capsys)


def rendered(run: Run, *args: object) -> list[dict[str, Any]]:
    status, out, _ = run("render", *args, "--json")
    assert status == 0
    assert SECRET not in out
    found: list[dict[str, Any]] = json.loads(out)
    return found


def test_render_shows_what_each_sink_of_the_table_would_get(run: Run, file: Path) -> None:
    ops, night, shop = rendered(run, "-c", file, "--event", "user.expired")
    assert [(one["sink"], one["why"]) for one in (ops, night, shop)] == [
        ("ops", "route 1"),
        ("night", "route 2"),
        ("shop", "route 2"),
    ]
    assert ops["event"]["type"] == "user.expired"
    assert ops["request"]["url"].endswith("***?wait=true")
    assert "alice" in json.dumps(ops["request"]["body"])
    assert night["request"]["url"] == "https://api.telegram.org/bot***/sendMessage"
    assert "alice" in night["blocks"]["text"]
    assert shop["request"]["body"][0]["action"] == "user_expired"
    assert "***" in shop["request"]["headers"].values()


def test_render_shows_one_sink_where_it_is_named(run: Run, file: Path) -> None:
    (shown,) = rendered(run, "-c", file, "--sink", "night", "--event", "peer.created", "--locale", "ru")
    assert (shown["sink"], shown["why"]) == ("night", "asked for")
    assert any("а" <= letter <= "я" for letter in shown["blocks"]["text"])


@pytest.mark.parametrize("service", SERVICES)
def test_render_shows_a_service_without_any_file(run: Run, tmp_path: Path, service: str) -> None:
    with chdir(tmp_path):
        (shown,) = rendered(run, "--service", service, "--event", "USER_CREATED")
    assert shown["event"]["type"] == "user.created"
    assert any(shown["blocks"].values())
    assert shown["request"] is None


def test_render_says_which_services_there_are(run: Run) -> None:
    status, out, err = run("render", "--service", "discrod")
    assert (status, out) == (2, "")
    assert all(f"'{name}'" in err for name in ("discrod", *SERVICES))


def test_render_shows_a_request_as_a_panel_sent_it(run: Run, file: Path, tmp_path: Path) -> None:
    body = tmp_path / "request.json"
    body.write_bytes(recorded("marzban")[2].hook.body)
    shown = rendered(run, "-c", file, "--file", body, "--source", "marzban")
    assert [one["sink"] for one in shown] == ["ops"]
    assert shown[0]["event"]["subject"] == "user:example_user"


def test_render_is_readable(run: Run, file: Path) -> None:
    status, out, err = run("render", "-c", file, "--event", "user.created")
    assert (status, err) == (0, "")
    assert "── user.created → ops (route 1)" in out
    assert "\n\ndiscord · user.created · marzban\n▌ 🆕 User created\n▌ alice\n" in out
    assert "\x1e" not in out
    assert SECRET not in out


def test_render_draws_a_message_as_a_console_does(run: Run, file: Path) -> None:
    """And shows of a program's the request, secrets masked."""
    _, out, _ = run("render", "-c", file, "--event", "node.connection_lost", "--sink", "here")
    _, drawn, _ = run("test", "here", "-c", file, "--event", "node.connection_lost")
    lines = [line for line in drawn.splitlines() if line.startswith("▌") and "🧪" not in line and "Time" not in line]
    assert [line for line in out.splitlines() if line.startswith("▌") and "Time" not in line] == lines
    _, out, _ = run("render", "-c", file, "--event", "user.expired", "--sink", "shop")
    assert '"action": "user_expired"' in out
    assert SECRET not in out


@pytest.mark.parametrize(
    ("event", "panel", "sinks"),
    [
        ("reached_days_left", "marzban", {"bell"}),
        ("user.expiring", "marzban", {"bell"}),
        ("discord:error_node", "pasarguard", {"here", "nodes"}),
        ("node.connection_lost", "pasarguard", {"here", "nodes"}),
    ],
)
def test_render_finds_the_rows_that_name_what_the_panel_calls_it(
    run: Run, tmp_path: Path, event: str, panel: str, sinks: set[str]
) -> None:
    file = tmp_path / "config.yaml"
    rows = [
        "{match: reached_days_left, to: bell}",
        "{match: 'discord:error_node', to: nodes}",
        "{match: node.*, to: here}",
    ]
    head = FILE.partition("sinks:")[0]
    names = "".join(f"  {one}: {{type: console}}\n" for one in ("bell", "nodes", "here"))
    file.write_text(f"{head}sinks:\n{names}routes:\n" + "".join(f"  - {row}\n" for row in rows))
    shown = rendered(run, "-c", file, "--event", event)
    assert {one["sink"] for one in shown} == sinks
    assert {one["event"]["panel"] for one in shown} == {panel}


def test_render_shows_the_event_as_the_first_source_sends_it_that_does(run: Run, file: Path) -> None:
    """With its own settings: what it masks is masked."""
    file.write_text(FILE.replace("panel: marzban, ", "panel: marzban, mask: [user.note], "))
    (shown, *_) = rendered(run, "-c", file, "--event", "user.created")
    assert (shown["event"]["source"], shown["event"]["native_type"]) == ("marzban", "user_created")
    assert shown["event"]["native"]["user"]["note"] == "***"
    (shown, *_) = rendered(run, "-c", file, "--event", "user.created", "--source", "reports")
    assert shown["event"]["native_type"] == "discord:report_new_user"


def test_render_says_when_no_row_takes_an_event(run: Run, file: Path) -> None:
    assert run("render", "-c", file, "--event", "core.created") == (0, "", "no row sends this anywhere\n")


def test_render_says_when_no_source_sends_an_event(run: Run, file: Path) -> None:
    told = "no source of the file sends payment.failed: it is told as orbvpn words it\nno row sends this anywhere\n"
    assert run("render", "-c", file, "--event", "payment.failed") == (0, "", told)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--file", "/nothing", "--source", "marzban"], "/nothing: cannot be read: No such file or directory"),
        (["--file", "/nothing"], "say with --source which source the file comes from: there are marzban, reports"),
        (["--file", EXAMPLE, "--source", "marzban"], "the body is not JSON: Expecting value at line 1 column 1"),
    ],
)
def test_render_says_what_it_cannot_do(run: Run, file: Path, args: Sequence[object], told: str) -> None:
    assert run("render", "-c", file, *args) == (1, "", f"{told}\n")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--event", "user.creatd"], 'no event has the type "user.creatd": did you mean "user.created"?'),
        (["--event", "expired"], 'no event has the type "expired": did you mean "user.expired"?'),
        (
            ["--source", "marzban", "--event", "user.login"],
            'marzban sends no "user.login": did you mean "user.limited"?',
        ),
        (
            ["--panel", "wgdashboard", "--event", "x_created"],
            'no event has the type "x_created": did you mean "user.created"?',
        ),
        (["--sink", "opps"], 'no sink named "opps": did you mean "ops"?'),
        (["--source", "marzbn"], 'no source is called "marzbn": did you mean "marzban"?'),
        (["--source", "marzbn", "--file", "/nothing"], 'no source is called "marzbn": did you mean "marzban"?'),
        (["--source", "x\x1b"], 'no source is called "x�": there are marzban, reports'),
        (["--panel", "marzbn"], 'no panel is called "marzbn": did you mean "marzban"?'),
        (["--locale", "de"], 'no language is called "de": there are en, fa, ru'),
        (["--locale", "far"], 'no language is called "far": did you mean "fa"?'),
    ],
)
def test_render_is_told_the_nearest_name_where_there_is_no_such_thing(
    run: Run, file: Path, args: Sequence[object], told: str
) -> None:
    assert run("render", "-c", file, *args) == (2, "", f"{told}\n")


def test_a_language_may_have_its_country(run: Run, file: Path) -> None:
    assert run("render", "-c", file, "--sink", "night", "--locale", "fa_IR")[0] == 0
