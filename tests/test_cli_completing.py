"""Tab offers names of the file, types, and subjects of the store, and the shell does not wait for the bridge."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.store import open_outbox
from bridge.store.backend import open_engine
from bridge.vocabulary import TYPES
from tests.fakes import an_event, an_intake
from tests.pages import ROOT

pytestmark = pytest.mark.process
#: What no completion may wait for.
HEAVY = ("sqlalchemy", "aiohttp", "jinja2", "slack_sdk", "uvloop", "psycopg", "rich", "bridge.config.model")
FILE = """\
store: sqlite:///{folder}/panelbridge.db
sources:
  marzban: {{panel: marzban, secret: ${{NOT_SET}}}}
  mars: {{panel: remnawave, secret: x}}
sinks:
  ops: {{type: discord, url: ${{NOT_SET}}}}
  night: {{type: console}}
routes:
  - {{match: [user.*, !user.login], to: [ops]}}
"""
PROGRAM = """
import sys
heavy, sys.argv = sys.argv[1:], ["panelbridge"]
from bridge.__main__ import main
try:
    main()
finally:
    print("\\n".join(f"HEAVY {one}" for one in heavy if one in sys.modules))
"""

Offered = Callable[[str], list[str]]


@pytest.fixture
def offered(tmp_path: Path, store_url: str) -> Offered:
    """What is offered for what has been typed, in the folder of a bridge."""
    (tmp_path / "config.yaml").write_text(FILE.format(folder=tmp_path))
    names = ["user:alice", "user:alicia", "user:alice", "user:bob", "node:fra-1", "user:\x1b[31m"]

    async def fill() -> None:
        async with open_outbox(store_url) as outbox:
            await outbox.put(an_intake(*(an_event(name) for name in names)))

    asyncio.run(fill())

    def offered_for(typed: str) -> list[str]:
        words = f"panelbridge {typed}"
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "_PANELBRIDGE_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        }
        command = [sys.executable, "-c", PROGRAM, *HEAVY]
        ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert ran.stderr == ""
        lines = [line for line in ran.stdout.splitlines() if line]
        assert [line for line in lines if line.startswith("HEAVY")] == []
        return lines

    return offered_for


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("tai", ["tail"]),
        ("events --sink ", ["ops", "night"]),
        ("events --sink o", ["ops"]),
        ("test n", ["night"]),
        ("resume o", ["ops"]),
        ("deliveries --source mar", ["marzban", "mars"]),
        ("tail --source p", ["panelbridge"]),
        ("events --type user.lo", [one for one in TYPES if one.startswith("user.lo")]),
        ("events --subject user:ali", ["user:alice", "user:alicia"]),
        ("explain node", ["node:fra-1"]),
        ("explain user:", ["user:alice", "user:alicia", "user:bob"]),  # what would move a cursor is not offered
        ("replay --sink x", []),
        ("events --config nowhere.yaml --sink o", []),
    ],
)
def test_what_is_offered(offered: Offered, typed: str, names: list[str]) -> None:
    assert offered(typed) == names


@pytest.mark.parametrize("text", ["sinks: [", "sinks: 5", "\x00", "[" * 5000, "- a", ""])
def test_of_a_file_that_is_none_nothing_is_offered(offered: Offered, tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text)
    assert offered("events --sink o") == []


@pytest.mark.parametrize("store", ["sqlite:////nowhere/panelbridge.db", "postgresql+psycopg://x@127.0.0.1:1/x", "5"])
def test_of_a_store_that_cannot_be_read_so_nothing_is_offered(offered: Offered, tmp_path: Path, store: str) -> None:
    (tmp_path / "config.yaml").write_text(f"store: {store}\n")
    assert offered("explain user:") == []


def test_subjects_are_sought_in_an_index(tmp_path: Path, store_url: str, offered: Offered) -> None:
    from bridge.cli.completing import _NEXT

    engine = open_engine(store_url)
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {_NEXT}", ("user:", "user:a")).fetchall()
    engine.dispose()
    assert [row[-1] for row in plan] == ["SEARCH events USING INDEX events_subject (<expr>>?)"]
