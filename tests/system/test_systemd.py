"""The unit of docs/operations.md, as systemd reads it."""

import configparser
import subprocess
from pathlib import Path

import pytest

from tests.pages import blocks
from tests.processes import PATIENCE
from tests.tools import needed

pytestmark = pytest.mark.process
[UNIT] = [one.text for one in blocks("ini") if "[Service]" in one.text]
PROGRAM = "/opt/panelbridge/bin/panelbridge"


def verified(folder: Path, unit: str) -> str:
    """What systemd has against a unit, where its program is installed."""
    program = folder / "panelbridge"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = folder / "panelbridge.service"
    file.write_text(unit.replace(PROGRAM, str(program)))
    command = [needed("systemd-analyze"), "verify", "--man=no", "--generators=no", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    return "\n".join(line for line in done.stderr.splitlines() if "panelbridge.service" in line) or str(done.returncode)


def test_systemd_has_nothing_against_the_unit(tmp_path: Path) -> None:
    assert verified(tmp_path, UNIT) == "0"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("WorkingDirectory=/var/lib/panelbridge", "WorkingDirectory=var"),
        ("RestartPreventExitStatus=2", "RestartPreventExitStatus=two"),
        ("DynamicUser=yes", "DynamicUsers=yes"),
        (f"ExecStart={PROGRAM}", "ExecStart=panelbrigde"),
    ],
)
def test_what_systemd_would_not_take_is_seen(tmp_path: Path, right: str, wrong: str) -> None:
    assert right in UNIT
    assert verified(tmp_path, UNIT.replace(right, wrong)) != "0"


def test_the_bridge_starts_where_its_state_is_and_the_manager_waits_for_its_end() -> None:
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(UNIT)
    service = unit["Service"]
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
    assert int(service["TimeoutStopSec"]) > 10
    assert service["RestartPreventExitStatus"] == "2"
