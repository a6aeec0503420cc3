"""A service is known by its folder: nothing else names it, and all that it must bring is asked for.

Each law is a function of what it looks at, so that a tree or a service that is wrong can be held up to it.
"""

import ast
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

import jinja2
import pytest
from jinja2 import nodes

import bridge
from bridge.markup.service import Service, ServiceLook
from bridge.messages.customer import ANNOUNCEMENTS, CUSTOMERS
from bridge.messages.renderer import DIGESTS, SHIPPED, Renderer
from bridge.sinks import SERVICES
from bridge.sinks.base import ChatConfig
from bridge.value import replace
from tests.messages.speech import event
from tests.services.every import known
from tests.sinks.values import CONFIGS

BRIDGE = Path(bridge.__path__[0])
#: What is named elsewhere too says nothing of the sink: any program has webhooks, any terminal is a console, people
#: have an e-mail address, and the largest of some numbers is their max.
COMMON = {"webhook", "console", "email", "max"}
NAMES = {cls.model_fields["type"].default for cls in CONFIGS} - COMMON


@dataclass(frozen=True)
class Exemption:
    """A file, or a folder, that may name services outside of their own: the words in which it does, and why."""

    file: str
    words: tuple[str, ...]
    why: str

    def covers(self, place: str) -> bool:
        return place.startswith(self.file) if self.file.endswith("/") else place == self.file


ANY = (".*",)
ALLOWED = (
    Exemption("sinks/__init__.py", ANY, "the union of the sinks"),
    Exemption("sinks/chats.py", ANY, "the union of the chats"),
    Exemption("ingress/discord.py", ANY, "speaks Discord's protocol towards us"),
    Exemption("ingress/secrets.py", ANY, "what the tokens and addresses of well-known services look like in a payload"),
    Exemption("panels/discord/", ANY, "reads what was posted by that protocol, and what Marzban reports by it"),
    Exemption("panels/__init__.py", (r"bridge\.panels\.discord", "DiscordEndpointConfig"), "the union of the panels"),
    Exemption("app.py", (r"bridge\.ingress\.discord", "discord", "DiscordEndpoint"), "opens the endpoint for it"),
    Exemption("vocabulary/types.py", ("a message was posted to the Discord endpoint",), "what comes by it"),
    Exemption("panels/marzban/", ("discord_webhook", "discord_id", "telegram_id"), "keys of its payload"),
    Exemption("panels/remnawave/", ("telegramId", "telegram_id"), "keys of its payload, and ours for it"),
    Exemption("panels/bedolaga.py", ("telegram_id",), "a key of its payload, and ours for it"),
    Exemption("panels/threexui/panel.py", ("telegram_id",), "our key for its tgId"),
    Exemption("people/record.py", ANY, "the keys of a record, which operators write: where somebody is reached"),
    Exemption("vocabulary/keys.py", ("device_limit telegram_id", "telegram_id"), "our key for a person there"),
    Exemption("messages/layout.py", ("Telegram ID", "telegram_id"), "how that key is shown"),
    Exemption(
        "people/record.py",
        (
            "telegram",
            "slack",
            "discord",
            "discord_thread",
            "ntfy",
            ".*Telegram.*",
            ".*Slack.*",
            ".*Discord.*",
            ".*ntfy.*",
        ),
        "the directory's keys",
    ),
    Exemption("panels/orbvpn/", ("_from_slack", "_from_gohighlevel", "GOHIGHLEVEL_CONTACT"), "the document's formats"),
    Exemption("config/orbvpn.py", ANY, "the document's own way to configure sinks"),
    Exemption("admin/people/people.py", ("discord",), "the directory's key for a URL, which is shown to nobody"),
    Exemption("people/yaml_file.py", (r".*as \{telegram: .*",), "a mistake in the directory shows how a record is"),
    Exemption(
        "store/queries/proofs.py", ("telegram", "telegram_id"), "the directory's key and ours, of whose chat it is"
    ),
)


def named(root: Path) -> Iterator[tuple[str, int, str]]:
    """Where the code names a service outside of its folder: file, line, word. Docstrings and comments do not count."""
    for file in sorted(root.rglob("*.py")):
        place = file.relative_to(root).as_posix()
        homes = {name for name in NAMES if place.startswith((f"sinks/{name}/", f"sinks/{name}.py"))}
        for line, word in words(file.read_text("utf-8")):
            if any(name in word.lower() for name in NAMES - homes):
                yield place, line, word


@cache  # laws look at the same modules again and again
def words(module: str) -> Sequence[tuple[int, str]]:
    """Every identifier and every text of a module, with its line, but for docstrings."""
    return [*_words(ast.parse(module))]


def _words(tree: ast.AST) -> Iterator[tuple[int, str]]:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in docstrings:
            yield node.lineno, str(node.value)
        for name in ("id", "attr", "name", "asname", "arg", "module", "rest"):
            if isinstance(word := getattr(node, name, None), str):
                yield getattr(node, "lineno", 0), word


def wrongly_named(root: Path) -> list[tuple[str, int, str]]:
    return [
        (place, line, word)
        for place, line, word in named(root)
        if not any(
            re.fullmatch(one, word, re.DOTALL) for allowed in ALLOWED if allowed.covers(place) for one in allowed.words
        )
    ]


def test_nothing_names_a_service_outside_of_its_folder() -> None:
    assert wrongly_named(BRIDGE) == []


@pytest.mark.parametrize("allowed", ALLOWED, ids=lambda one: one.file)
def test_no_exception_is_made_that_is_not_needed(allowed: Exemption) -> None:
    found = [word for place, _, word in named(BRIDGE) if allowed.covers(place)]
    assert [one for one in allowed.words if not any(re.fullmatch(one, word, re.DOTALL) for word in found)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        'if service.name == "slack":\n    pass',
        "from bridge.sinks.telegram.text import TelegramText",
        "def discord_text() -> None: ...",
        "TABLE = {b'zapier': 1}",
        "send(gohighlevel=1)",
        'f"{x} of Discord"',
        "import slack_sdk as chat",
    ],
)
def test_a_file_that_names_one_is_found(tmp_path: Path, wrong: str) -> None:
    shutil.copytree(BRIDGE, tmp_path / "bridge", ignore=shutil.ignore_patterns("__pycache__", "locales"))
    (tmp_path / "bridge" / "messages" / "wrong.py").write_text(f'"""Says Slack and Discord."""\n# telegram\n{wrong}\n')
    assert {place for place, _, _ in wrongly_named(tmp_path / "bridge")} == {"messages/wrong.py"}


def test_a_service_may_be_named_in_its_own_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "sinks" / "slack").mkdir(parents=True)
    (tmp_path / "sinks" / "slack" / "sink.py").write_text('NAME = "slack"\nOTHER = "discord"\n')
    assert wrongly_named(tmp_path) == [("sinks/slack/sink.py", 2, "discord")]


# What a chat brings


class PagerConfig(ChatConfig):
    """A chat that nobody knows."""

    service: ClassVar[Service] = replace(SERVICES["telegram"], name="pager")
    type: Literal["pager"] = "pager"


PAGER = PagerConfig.service
POSTED = {
    "content": "worda",
    "embeds": [
        {"title": "wordb", "description": "wordc", "fields": [{"name": "wordd", "value": "worde"}]},
        {"title": "wordf", "description": "wordg", "fields": [{"name": "wordh", "value": "wordi"}]},
    ],
    "files": [{"name": "wordj"}],
}
WORDS = set(re.findall(r"word[a-z]", str(POSTED)))


def test_the_services_are_those_of_the_unions_chats() -> None:
    chats = {cls.model_fields["type"].default: cls for cls in CONFIGS if issubclass(cls, ChatConfig)}
    assert {name: cls.service for name, cls in chats.items()} == SERVICES
    assert all(service.name == name for name, service in SERVICES.items())


def blocks_in(file: Path, folder: Path) -> set[str]:
    """The blocks of a template and of those that it extends."""
    tree = jinja2.Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(file.read_text("utf-8"))
    extended = [one.template.value for one in tree.find_all(nodes.Extends) if isinstance(one.template, nodes.Const)]
    inherited = [blocks_in(folder / name, folder) for name in extended]
    return {block.name for block in tree.find_all(nodes.Block)}.union(*inherited)


def missing_templates(service: Service, folder: Path) -> list[str]:
    """The templates that a service lacks, and the blocks that one of them lacks, with those that it extends."""
    own = {*service.blocks, "remarks"}
    missing = []
    for name, blocks in (("base", own), ("message", own), (DIGESTS, {*service.digest_blocks})):
        file = folder / service.name / f"{name}.j2"
        found = blocks_in(file, folder) if file.exists() else set()
        missing += [f"{name}.j2: {block}" for block in sorted(blocks - found)]
    return missing


def lost_words(service: Service, folder: Path) -> set[str]:
    """What is not said of a message that was posted to us."""
    renderer = Renderer(folders=[folder], timezone=ZoneInfo("UTC"), locale="en")
    rendered = renderer.render(event("message.posted", {"message": POSTED}, None), ServiceLook(service))
    said = "\n".join(rendered.blocks.values())
    return {word for word in WORDS if word not in said}


def a_pager(folder: Path, *templates: str) -> Path:
    """A folder with some of a pager's templates, made of Telegram's."""
    (folder / "pager").mkdir()
    for name in templates:
        source = (SHIPPED / "telegram" / f"{name}.j2").read_text("utf-8").replace("telegram/", "pager/")
        (folder / "pager" / f"{name}.j2").write_text(source, "utf-8")
    return folder


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda one: one.name)
def test_a_service_has_templates_for_events_for_messages_and_for_digests_with_every_block(service: Service) -> None:
    assert missing_templates(service, SHIPPED) == []


def test_every_folder_of_templates_is_a_services_or_has_words_for_customers() -> None:
    assert {folder.name for folder in SHIPPED.iterdir()} == {*SERVICES, ANNOUNCEMENTS, CUSTOMERS}


def test_a_template_or_a_block_that_is_missing_is_named(tmp_path: Path) -> None:
    folder = a_pager(tmp_path, "base", "digest", "message")
    assert missing_templates(PAGER, folder) == []
    (folder / "pager" / "message.j2").unlink()
    assert missing_templates(PAGER, folder) == ["message.j2: remarks", "message.j2: text"]
    louder = replace(PAGER, blocks=("text", "sound"), digest_blocks=("text", "more", "sound"))
    assert {"base.j2: sound", "digest.j2: sound"} <= set(missing_templates(louder, folder))


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda one: one.name)
def test_no_word_of_a_posted_message_is_lost(service: Service, tmp_path: Path) -> None:
    assert lost_words(service, tmp_path) == set()


def test_a_chat_whose_messages_say_nothing_of_a_posted_one_is_found(tmp_path: Path) -> None:
    assert lost_words(PAGER, a_pager(tmp_path, "base", "digest")) == WORDS


# What the tests have to know


def test_a_sink_that_the_tests_do_not_know_fails() -> None:
    with pytest.raises(AssertionError, match=r"tests/services/pager\.py is missing: a strict stand-in"):
        known(PagerConfig)


def test_a_chat_of_which_they_know_less_than_of_a_chat_fails() -> None:
    class Zapper(PagerConfig):
        type: Literal["zapier"] = "zapier"  # type: ignore[assignment]

    with pytest.raises(AssertionError, match=r"tests/services/zapier\.py should have a KnownChat"):
        known(Zapper)


def test_every_chat_has_its_own_rows_in_the_documents() -> None:
    page = (BRIDGE.parent / "docs" / "templates.md").read_text("utf-8")
    assert {name: len(re.findall(rf"(?m)^\| `{name}` \| `", page)) for name in SERVICES} == dict.fromkeys(SERVICES, 2)
