"""Installing and upgrading as documented, with real pip and pipx, which fetch what the wheel needs."""

import json
import re
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
    desk.environment["PIP_NO_COMPILE"] = "1"  # or all is compiled that is fetched, and nobody runs most of it
    return desk


@pytest.mark.long
def test_the_wheel_is_installed_and_upgraded_by_pipx(desk: Desk) -> None:
    needed("pipx")
    assert f"panelbridge {__version__}" in desk.typed(block("make dist\npipx"))
    (desk.folder / "config.yaml").write_text(kept.CONFIG)
    kept.fill(desk.folder / "panelbridge.db")
    assert "config.yaml: ok" in desk.typed(block("git pull\nmake dist\npipx"))
    assert (desk.folder / "before-upgrade.db").exists()
    assert (desk.folder.parent / ".local/bin/panelbridge").exists()


@pytest.mark.long
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
    assert not_locked(desk, Path(desk.moved["/opt/panelbridge"]) / "bin" / "python") == {
        "pip",
        "setuptools",
        "panelbridge",
    }


@pytest.mark.long
def test_make_installs_what_running_needs_and_no_more_and_compiles_it(desk: Desk) -> None:
    needed("pipx")
    (desk.folder.parent / "programs" / "make").unlink()
    (desk.folder / ".venv").unlink()
    said = desk.typed("make install\n.venv/bin/panelbridge --version")
    assert "Successfully installed" in said
    assert said.splitlines()[-1] == f"panelbridge {__version__}"
    built_by = {"editables", "hatchling", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers"}
    others = not_locked(desk, desk.folder / ".venv" / "bin" / "python")
    assert others - built_by == {"pip", "setuptools", "panelbridge"}
    [aiohttp] = (desk.folder / ".venv").glob("lib/python*/site-packages/aiohttp")
    assert list(aiohttp.glob("__pycache__/client.*.pyc"))
    assert "Successfully installed" not in desk.typed("make install")


def not_locked(desk: Desk, program: Path) -> set[str]:
    """What is installed that the lock for running does not have."""
    listed = subprocess.run([program, "-m", "pip", "list", "--format=json"], capture_output=True, check=True).stdout
    locked = (desk.folder / ".ci" / "requirements.lock").read_text("utf-8")
    installed = {re.sub(r"[-_.]+", "-", one["name"].lower()): one["version"] for one in json.loads(listed)}
    return {name for name, version in installed.items() if f"{name}=={version} " not in locked}
