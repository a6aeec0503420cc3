"""Installing and upgrading as documented, with real pip and pipx, which fetch what the wheel needs."""

import json
import subprocess
from pathlib import Path

import pytest

from bridge import __version__
from tests.documents import kept
from tests.documents.desk import Desk
from tests.pages import blocks
from tests.tools import needed

pytestmark = pytest.mark.process

#: Ways of the documents that are gone here, by how they begin.
TYPED_THERE = (
    "make dist\npipx",
    "make dist\npython3 -m venv",
    "cd /var/lib/panelbridge",
    "git pull\nmake dist\npipx",
    "git pull\nmake dist\nsystemctl",
)


def block(first: str) -> str:
    [text] = [one.text for one in blocks("sh") if one.text.startswith(first)]
    return text


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The project, pulled from somewhere; and no `panelbridge` in the path but what is installed."""
    desk = Desk(tmp_path)
    desk.lay_out_the_project()
    desk.lay_out_upstream()
    (tmp_path / "programs" / "panelbridge").unlink()
    desk.environment |= {"PYTHONPATH": "", "PATH": f"{tmp_path}/.local/bin:{desk.environment['PATH']}"}
    return desk


def test_the_wheel_is_installed_and_upgraded_by_pipx(desk: Desk) -> None:
    needed("pipx")
    assert f"panelbridge {__version__}" in desk.typed(block("make dist\npipx"))
    (desk.folder / "config.yaml").write_text(kept.CONFIG)
    kept.fill(desk.folder / "panelbridge.db")
    assert "config.yaml: ok" in desk.typed(block("git pull\nmake dist\npipx"))
    assert (desk.folder / "before-upgrade.db").exists()
    assert (desk.folder.parent / ".local/bin/panelbridge").exists()


def test_a_service_is_installed_and_upgraded_with_the_packages_of_the_lock(desk: Desk) -> None:
    needed("pipx")  # whoever has it reaches a registry
    desk.typed(block("make dist\npython3 -m venv"))
    etc, state = (Path(desk.moved[f"/{name}/panelbridge"]) for name in ("etc", "var/lib"))
    assert (etc / "secrets.env").stat().st_mode & 0o777 == 0o600
    (etc / "secrets.env").write_text("MARZBAN_SECRET=a-long-random-text\n")
    (etc / "config.yaml").write_text(kept.CONFIG.replace("a-long-random-text", "${MARZBAN_SECRET}"))
    kept.fill(state / "panelbridge.db")
    assert "parked" in desk.typed(block("cd /var/lib/panelbridge"))
    assert "config.yaml: ok" in desk.typed(block("git pull\nmake dist\nsystemctl"))
    assert (state / "before-upgrade.db").exists()
    program = Path(desk.moved["/opt/panelbridge"]) / "bin" / "python"
    listed = subprocess.run([program, "-m", "pip", "list", "--format=json"], capture_output=True, check=True).stdout
    locked = (desk.folder / ".ci" / "requirements.lock").read_text("utf-8")
    for one in json.loads(listed):
        name = one["name"].lower().replace("_", "-").replace(".", "-")
        assert name in ("pip", "setuptools", "panelbridge") or f"{name}=={one['version']} " in locked, one
