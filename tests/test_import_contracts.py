"""The import contracts hold what they say, for files that nobody has written yet: each is shown one that breaks it."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[1]
LAYERS = "imports point down"
PANELS = "no panel knows another"
SINKS = "no sink knows another"
MOVERS = "the movers know panels, sinks and the store only by their base"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the contracts are about; the import graph of what stays the same is found once."""
    copied = tmp_path_factory.mktemp("contracts")
    shutil.copytree(ROOT / "bridge", copied / "bridge", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copied)
    return copied


@pytest.fixture
def broken(copy: Path) -> Callable[[str, str], set[str]]:
    """The contracts that are broken once a file is added."""

    def broken_by(file: str, content: str) -> set[str]:
        added = copy / "bridge" / file
        added.parent.mkdir(exist_ok=True)
        added.write_text(content)
        try:
            program = Path(sys.executable).with_name("lint-imports")
            ran = subprocess.run([program], cwd=copy, stdout=subprocess.PIPE, text=True, check=False)
        finally:
            added.unlink()
        names = set(re.findall(r"^(.+) BROKEN", ran.stdout, re.MULTILINE))
        assert bool(names) == bool(ran.returncode), ran.stdout
        return names

    return broken_by


@pytest.mark.parametrize(
    ("file", "content", "contract"),
    [
        ("panels/new.py", "from bridge.panels import marzban", PANELS),
        ("panels/new.py", "from bridge.panels.discord.reports import TITLED", PANELS),
        ("sinks/new.py", "from bridge.sinks.discord.sink import DiscordSink", SINKS),
        ("sinks/new.py", "from bridge.sinks import zapier", SINKS),
        ("sinks/slack/new.py", "from bridge.sinks.discord import sink", SINKS),
        ("delivery/new.py", "from bridge.sinks.discord.sink import DiscordSink", MOVERS),
        ("delivery/new.py", "from bridge.sinks import SinkSettings", MOVERS),
        ("delivery/new.py", "from bridge.store.queries.claim import claim", MOVERS),
        ("delivery/new.py", "from bridge.panels import base", MOVERS),
        ("cluster/new.py", "from bridge.store.schema import lanes", MOVERS),
        ("cluster/new.py", "from bridge.store import open_outbox", MOVERS),
        ("cluster/new.py", "from bridge.store import base", MOVERS),
        ("ingress/new.py", "from bridge.panels.discord.panel import DiscordPanel", MOVERS),
        ("ingress/new.py", "from bridge.store import records", MOVERS),
        ("polling/new.py", "from bridge.panels.threexui import ThreeXuiConfig", MOVERS),
        ("polling/new.py", "from bridge.sinks.discord.sink import DiscordSink", MOVERS),
        ("polling/new.py", "from bridge.store.outbox import SqlOutbox", MOVERS),
        ("polling/new.py", "from bridge.ingress.source import Source", LAYERS),
        ("ingress/new.py", "from bridge.delivery import lane", LAYERS),
        ("cluster/new.py", "from bridge.delivery import lane", LAYERS),
        ("panels/new.py", "from bridge.sinks import base", LAYERS),
        ("store/new.py", "from bridge.cluster import ownership", LAYERS),
        ("new.py", "", LAYERS),
        ("new/__init__.py", "", LAYERS),
    ],
)
def test_a_file_that_breaks_a_contract_is_found(
    broken: Callable[[str, str], set[str]], file: str, content: str, contract: str
) -> None:
    assert broken(file, content) == {contract}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("panels/new.py", "from bridge.panels import base"),
        ("panels/marzban/new.py", "from bridge.panels.marzban import panel"),
        ("sinks/new.py", "from bridge.sinks import base, http, settings"),
        ("sinks/slack/new.py", "from bridge.sinks.slack import sink"),
        ("delivery/new.py", "from bridge.sinks import base\nfrom bridge.store.base import Outbox"),
        ("cluster/new.py", "from bridge.store import channel"),
        ("polling/new.py", "from bridge.sinks import http\nfrom bridge.panels import base"),
    ],
)
def test_a_file_that_imports_what_it_may_breaks_none(
    broken: Callable[[str, str], set[str]], file: str, content: str
) -> None:
    assert broken(file, content) == set()
