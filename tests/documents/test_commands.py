"""Every command in README and docs is typed here, or stands in NOT_TYPED with the reason why it is not.

A block of nothing but `panelbridge` is a list: each of its commands is typed by itself, into a store that has what it
asks for. Any other block is a way to go, and typed from its first line to its last, in its world (`worlds.py`).
"""

import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bridge import __version__
from bridge.cli import main
from bridge.store import open_ledger
from bridge.store.queries.links import put_link
from tests.documents import kept
from tests.documents.desk import PLACES, PROGRAMS, Desk
from tests.documents.worlds import INSIDE, WAYS, answers
from tests.pages import Piece, blocks
from tests.postgres import Postgres
from tests.processes import free_port
from tests.system import test_install, test_newcomer

#: Ways that are gone from end to end elsewhere, by how they begin.
TYPED_THERE = (*test_install.TYPED_THERE, *test_newcomer.TYPED_HERE)

#: What is not run, or not by the program that it names: at most five.
NOT_TYPED = {
    "make test": "it is what runs this",
    "make chaos": "ten minutes; tests/chaos/test_chaos.py is a short run of it",
    "make powercut": "an hour; tests/system/test_powercut.py makes twenty of its cuts",
    "docker": "no engine where tests run: programs/docker knows the documented options, and runs what stands behind",
    "systemctl": "no service manager where tests run: tests/system/test_systemd.py verifies the unit",
}
STOOD_FOR = {path.stem for path in PROGRAMS.glob("*.py")}

BLOCKS = [one for one in blocks("sh") if one.page.name != "CONTRIBUTING.md"]
A_LINK = "marzban/user:alice", "telegram bot 123456789", "7"
SETTING = re.compile(r"[A-Z_]+=\S.*")
SERVES = re.compile(r"(?:\S*/)?(?:panelbridge|make) run\b.*")


def lines(text: str) -> list[str]:
    """The commands of a block, one each, without remarks."""
    joined = re.sub(r"\\\n\s*", "", text)
    return [line for one in joined.splitlines() if (line := re.sub(r"(?:^|\s+)#.*", "", one).strip())]


def typed(text: str) -> str:
    """What of a block is typed."""
    left_out = tuple(NOT_TYPED.keys() - STOOD_FOR)
    return "\n".join(line for line in text.splitlines() if not line.startswith(left_out))


def begins(block: Piece, ways: dict[str, object] | tuple[str, ...]) -> str | None:
    return next((first for first in ways if block.text.startswith(first)), None)


SETTINGS = [one for one in BLOCKS if all(map(SETTING.fullmatch, lines(one.text)))]
GONE = [one for one in BLOCKS if begins(one, WAYS)]
LISTED = [one for one in BLOCKS if one not in GONE and all(line.startswith("panelbridge ") for line in lines(one.text))]
COMMANDS = [
    Piece(one.page, one.line + number, line) for one in LISTED for number, line in enumerate(lines(one.text), 1)
]


def test_every_block_of_commands_is_typed_somewhere() -> None:
    somewhere = [*SETTINGS, *GONE, *LISTED, *(one for one in BLOCKS if begins(one, TYPED_THERE))]
    assert [str(one) for one in BLOCKS if somewhere.count(one) != 1] == []


def test_every_way_stands_in_a_document() -> None:
    assert [first for first in (*WAYS, *TYPED_THERE) if not any(one.text.startswith(first) for one in BLOCKS)] == []


def test_at_most_five_are_not_typed_and_each_is_there() -> None:
    assert len(NOT_TYPED) <= 5
    said = "\n".join(one.text for one in BLOCKS)
    assert [name for name in NOT_TYPED if not re.search(rf"(?m)^{name}\b", said)] == []
    assert NOT_TYPED.keys() >= STOOD_FOR


@pytest.mark.parametrize("block", SETTINGS, ids=str)
@pytest.mark.process
def test_the_settings_of_a_panel_lead_to_a_source_and_no_shell_reads_them_otherwise(block: Piece) -> None:
    names = [line.partition("=")[0] for line in lines(block.text)]
    shown = " ".join(f'"${name}"' for name in names)
    script = f"set -eu\n{block.text}\nprintf '%s\\n' {shown}"
    values = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(values) == len(names)
    addresses = [value for name, value in zip(names, values, strict=True) if name.endswith(("_URL", "_ADDRESS"))]
    assert addresses
    for address in addresses:
        match = re.fullmatch(r"http://panelbridge:8080/(?:in|api/webhooks)/([\w-]+)(?:/[\w-]+)?", address)
        assert match
        assert match[1] in _documented_sources()


def _documented_sources() -> set[str]:
    shown = [value for one in blocks("yaml") if isinstance(value := yaml.safe_load(one.text), dict)]
    return {name for value in shown for name in value.get("sources", ())}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kept") / "panelbridge.db"
    kept.fill(file)
    return file


@pytest.mark.parametrize("command", [one for one in COMMANDS if not SERVES.fullmatch(one.text)], ids=str)
def test_every_command_of_a_list_does_something(
    command: Piece, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(store, tmp_path)
    (tmp_path / "maintenance.j2").write_text("{% block en %}From 2 to 3 it is interrupted, {{ me.name }}{% endblock %}")
    if command.text.startswith("panelbridge announce "):
        with open_ledger(f"sqlite:///{tmp_path / store.name}") as ledger:
            ledger.write(put_link, *A_LINK, how="token", now=datetime.now(UTC))
    config = kept.WITH_BOT if command.text.startswith(("panelbridge link ", "panelbridge announce ")) else kept.CONFIG
    (tmp_path / "config.yaml").write_text(f"listen: 127.0.0.1:{free_port()}\nadmin: {{listen: null}}\n{config}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PANELBRIDGE_CONFIG", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command.text)[1:])
    told = capsys.readouterr()
    code = int(command.text.startswith("panelbridge status"))  # something needs somebody in that store
    assert (ended.value.code or 0, told.err) == (code, ""), told
    assert len(told.out.splitlines()) > ("deliveries" in command.text or "events" in command.text), told.out


@pytest.mark.parametrize("command", [one for one in COMMANDS if SERVES.fullmatch(one.text)], ids=str)
@pytest.mark.process
def test_every_command_that_serves_takes_events(command: Piece, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (desk.folder / "config.yaml").write_text(f"listen: 127.0.0.1:{desk.port}\n{kept.CONFIG}")
    with desk.serving(command.text, lambda: answers(desk)):
        pass


@pytest.mark.parametrize("block", GONE, ids=str)
def test_every_way_leads_where_it_says(block: Piece, tmp_path: Path, postgres: Postgres) -> None:
    first = begins(block, WAYS)
    assert first
    desk = Desk(tmp_path, moved=INSIDE if re.search(r"(?m)^docker", block.text) else (*INSIDE, *PLACES))
    with WAYS[first](desk, postgres):
        *before, last = [*typed(block.text).splitlines(), ""]
        serves = before and SERVES.match(before[-1])
        if serves:
            last = before.pop()
        desk.typed("\n".join(before))
        if serves:
            with desk.serving(last, lambda: answers(desk)):
                pass


@pytest.mark.parametrize(
    "text",
    ["docker run --privileged panelbridge", "docker compose exec panelbridge sh", "systemctl restart panelbridge"],
)
@pytest.mark.process
def test_what_no_document_says_a_stand_in_does_not_know(text: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        Desk(tmp_path).typed(text)


def test_every_version_in_a_command_is_this_one() -> None:
    named = {found for one in BLOCKS for found in re.findall(r"panelbridge[:-](\d+\.\d+\.\d+)", one.text)}
    assert named == {__version__}
