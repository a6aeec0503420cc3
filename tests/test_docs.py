"""The documents speak of what is there: links, files, commands, settings, types, tests."""

import json
import re
import runpy
import shlex
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
import typer
import yaml
from msgspec.structs import fields
from typer.core import TyperGroup

from bridge.cli import app
from bridge.config.load import load
from bridge.delivery.limiter import Limiter
from bridge.errors import Mistake
from bridge.event import Event
from bridge.ingress.source import Source
from bridge.markup.service import ServiceLook
from bridge.message import Message
from bridge.messages.renderer import Renderer
from bridge.outcome import Delivered
from bridge.panels.base import Hook
from bridge.panels.marzban.panel import MarzbanConfig, MarzbanPanel
from bridge.people.directory_file import read_directory
from bridge.reload.reloader import RESTART_ONLY
from bridge.samples import samples
from bridge.sinks import SERVICES, SinkSettings
from bridge.sinks.base import Tools
from bridge.sinks.http import Http
from bridge.sinks.settings import Retry
from bridge.sinks.terminal import view
from bridge.vocabulary import TYPES
from tests.pages import PAGES, ROOT, Piece, anchors, blocks, links, named, parsed, spans, stand_ins, table
from tests.services.receiver import Receiver
from tests.services.service import serving

NOW = datetime(2026, 11, 21, 4, 14, 18, tzinfo=UTC)


@pytest.mark.parametrize("link", [link for link in links() if ":" not in link.text.split("/")[0]], ids=str)
def test_every_link_leads_somewhere(link: Piece) -> None:
    path, _, anchor = link.text.partition("#")
    target = (link.page.parent / path).resolve() if path else link.page
    assert target.exists(), link.text
    assert not anchor or anchor in anchors(target), link.text


def test_every_page_is_named_in_the_index() -> None:
    for folder in {page.parent for page in PAGES if page.is_relative_to(ROOT / "docs")}:
        index = {link.text.partition("#")[0] for link in links() if link.page == folder / "README.md"}
        assert {page.name for page in folder.glob("*.md")} - {"README.md"} <= index


FOLDERS = "bridge", "tests", "docs", "templates", "bench", ".ci"
FILES = [
    span for span in spans() if re.fullmatch(rf"(?:{'|'.join(map(re.escape, FOLDERS))})/[\w./-]*(::\w+)?", span.text)
]


@pytest.mark.parametrize("span", FILES, ids=str)
def test_every_file_that_is_named_exists(span: Piece) -> None:
    assert (ROOT / span.text.partition("::")[0]).exists(), span.text


def test_every_test_that_is_named_exists() -> None:
    written = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))
    }
    for span in spans():
        file, colons, name = span.text.partition("::")
        if colons and re.fullmatch(r"[\w./-]+", file):  # an address has colons too
            assert f"def {name}(" in (ROOT / file).read_text("utf-8"), f"{span}: {span.text}"
        elif re.fullmatch(r"test_\w+", span.text):
            assert span.text in written, f"{span}: {span.text}"


def _commands(name: str) -> list[Piece]:
    """What follows a command's name, wherever it is used in a block or a code span."""
    pieces = [*blocks("sh"), *(span for span in spans() if span.text.startswith((f"{name} ", "docker ")))]
    return [
        Piece(piece.page, piece.line, shlex.join(words))
        for piece in pieces
        for line in piece.text.replace("\\\n", " ").splitlines()
        for command in _simple(line)
        if (words := _after(name, command))
    ]


def _simple(line: str) -> list[list[str]]:
    """The words of each command of a line, as the shell would tell them apart."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
    lexer.whitespace_split = True
    return [list(words) for between, words in groupby(lexer, lambda word: set(word) <= set("&|;<>")) if not between]


def _after(name: str, words: list[str]) -> list[str]:
    """The words after the name, where it is what is run: by the shell, or by Compose in the service called so."""
    match words:
        case [first, *rest] if first == name:
            return rest
        case ["docker", "compose", "run", *rest] if name in rest:
            return rest[rest.index(name) + 1 :]
        case ["docker", "compose", "exec", service, first, *rest] if service == first == name:
            return rest
    return []


@pytest.mark.parametrize("command", _commands("panelbridge"), ids=str)
def test_every_command_shown_is_understood(command: Piece) -> None:
    first, *rest = shlex.split(command.text)
    commands = typer.main.get_command(app)
    assert isinstance(commands, TyperGroup)
    if first.startswith("-"):
        assert first in {option for parameter in commands.params for option in parameter.opts}
        return
    assert first in commands.commands, f"{command}: {command.text}"
    command_ = commands.commands[first]
    command_.parse_args(typer.Context(command_), rest)


@pytest.mark.parametrize("command", _commands("make"), ids=str)
def test_every_make_target_that_is_named_exists(command: Piece) -> None:
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"))
    assert shlex.split(command.text)[0] in targets


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_piece_of_configuration_shown_loads(block: Piece, tmp_path: Path) -> None:
    value = yaml.safe_load(block.text)
    assert value is not None
    if block.text.startswith("# directory.yaml\n"):
        _reads_directory(block.text, tmp_path / "directory.yaml")
        return
    foreign = isinstance(value, dict) and value.keys() <= {"webhook", "receivers"}  # a panel's own file
    if not isinstance(value, dict) or foreign:
        return
    for beside in (one for one in blocks("csv") if one.page == block.page):
        (tmp_path / "directory.csv").write_text(beside.text, "utf-8")
    file = tmp_path / "config.yaml"
    file.write_text(block.text, "utf-8")
    load(file, env=stand_ins(block.text))


def _reads_directory(text: str, file: Path) -> None:
    file.write_text(text, "utf-8")
    found: list[Mistake] = []
    assert list(read_directory(file, realm="marzban", tell=found.append)) != []
    assert found == []


@pytest.mark.parametrize("block", blocks("csv"), ids=str)
def test_every_table_shown_is_read(block: Piece, tmp_path: Path) -> None:
    _reads_directory(block.text, tmp_path / "directory.csv")


#: The chats that the README shows, as those that are there for more would make it long.
PICTURED = ("discord", "slack", "telegram", "ntfy")


def _seen(body: bytes) -> str:
    """What the terminal shows, in each chat, for the events of a Marzban's request."""
    source = Source("marzban", "marzban", MarzbanPanel(MarzbanConfig(panel="marzban", secret="none")))
    events, _ = source.parse(Hook(body=body, received_at=NOW))
    renderer = Renderer(folders=(), timezone=ZoneInfo("UTC"), locale="en")
    messages = [
        (service, Message(event=event, at=NOW, blocks=renderer.render(event, ServiceLook(service)).blocks))
        for event, _ in events
        for service in map(SERVICES.__getitem__, PICTURED)
    ]
    return "\n\n".join(view(message, service, terminal=False, color=False).strip("\n") for service, message in messages)


def test_the_picture_in_the_readme_is_what_is_seen() -> None:
    [sent], [seen] = ([one.text for one in blocks(kind) if one.page.name == "README.md"] for kind in ("json", "text"))
    assert seen.strip("\n") == _seen(sent.encode())


def test_the_curl_in_the_readme_has_the_secret_of_the_example() -> None:
    [secret] = re.findall(r"x-webhook-secret: (\S+)\"", (ROOT / "README.md").read_text("utf-8"))
    source = load(ROOT / "config.example.yaml", env={}).config.sources["marzban"]
    assert secret in [one.get_secret_value() for one in source.secret]


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_every_json_shown_is_json(block: Piece) -> None:
    json.loads(block.text)


def test_the_event_shown_has_an_events_fields() -> None:
    [shown] = [value for block in blocks("json") if "native_type" in (value := json.loads(block.text))]
    assert list(shown) == [field.name for field in fields(Event)]
    assert [named(row[0])[0] for row in table("docs/events.md", "The envelope")] == list(shown)


def _words(union: object, key: str) -> set[str]:
    """The words that choose a member of the union."""
    members = get_args(get_args(union)[0])
    return {word for member in members for word in get_args(member.model_fields[key].annotation)}


def test_the_table_of_sinks_names_those_there_are() -> None:
    assert {named(row[1])[0] for row in table("README.md", "Sinks")} == _words(SinkSettings, "type")


def test_the_families_in_the_readme_are_those_there_are() -> None:
    [text] = [token.content for token in parsed(ROOT / "README.md") if token.content.startswith("`user.*`, ")]
    assert {name.partition(".")[0] for name in named(text)} == {type_.partition(".")[0] for type_ in TYPES}


def test_the_log_records_that_are_documented_are_those_there_are() -> None:
    said = {
        (name, level.lower())
        for file in (ROOT / "bridge").rglob("*.py")
        for level, name in re.findall(r'logging\.(\w+),\s*"([\w.]+)"', file.read_text("utf-8"))
    }
    rows = table("docs/operations.md", "Logs")
    assert {(name, row[1]) for row in rows for name in named(row[0])} == said


def test_the_retry_that_is_promised_is_the_default() -> None:
    [span] = [one for one in spans() if one.text.startswith("retry: {")]
    assert Retry.model_validate(yaml.safe_load(span.text)["retry"]) == Retry()


def test_the_settings_that_want_a_restart_are_named() -> None:
    text = " ".join((ROOT / "docs" / "delivery.md").read_text("utf-8").split())
    told = " and ".join((", ".join(f"`{name}`" for name in RESTART_ONLY[:-1]), f"`{RESTART_ONLY[-1]}`"))
    assert f"{told} want a restart" in text


@pytest.fixture(params=blocks("python"), ids=str)
def example(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """An example of CONTRIBUTING.md, run as the module it would be."""
    file = tmp_path / "acme.py"
    file.write_text(request.param.text, "utf-8")
    return runpy.run_path(str(file))


def test_the_panel_and_the_sink_of_the_examples_say_nothing_that_nobody_reads(example: dict[str, Any]) -> None:
    for one in filter(lambda one: isinstance(one, type) and one.__module__ == "<run_path>", example.values()):
        known = {"open", *(name for base in one.__mro__[1:] for name in dir(base))}  # what opens it, every config has
        assert {name for name in vars(one) if not name.startswith("_")} - known == set(), one


async def test_the_panel_and_the_sink_of_the_examples_work(example: dict[str, Any]) -> None:
    if "AcmePanel" in example:
        panel = example["AcmeConfig"](panel="acme", secret="s3cret").open()
        hook = Hook(body=b'{"event": "join", "user": {"login": "alice", "quota_mib": 5}}', received_at=NOW)
        [element] = panel.elements(hook)
        sighting = panel.parse(element, hook)
        assert (sighting.type, sighting.subject) == ("user.created", "user:alice")
        assert sighting.data == {"user": {"username": "alice", "limit_bytes": 5 * 2**20}}
    else:
        service, http = Receiver(), Http()
        async with serving(service) as base:
            sink = example["AcmeConfig"](token="t0ken", room="ops", api_base=base).open(Tools(http, {}))
            attempt = await sink.send(Message(event=samples(at=NOW)[0], at=NOW))
        await http.close()
        [taken] = service.taken
        assert (attempt.outcome, taken.path, taken.body) == (
            Delivered(),
            "/rooms/ops",
            {"text": "user.created user:alice"},
        )
        assert taken.headers["authorization"] == "Bearer t0ken"
        limiter = Limiter(sink.limits)
        waits = [(limiter.wait(0.0), limiter.reserve().sent(0.0))[0] for _ in range(6)]
        assert waits == [0, 0, 0, 0, 0, 1.0]
