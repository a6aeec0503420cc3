"""docs/templates.md: its templates work, and it names what there is."""

import json
import re
from pathlib import Path
from zoneinfo import ZoneInfo

import jinja2
import pytest
from markdown_it import MarkdownIt

from bridge.markup.text import Text
from bridge.message import PLAIN, Circumstances
from bridge.messages.catalog import catalog
from bridge.messages.context import digest_variables, event_variables, reader
from bridge.messages.filters import Formats
from bridge.messages.renderer import Renderer
from bridge.messages.sandbox import POSTED, Sandbox
from bridge.samples import samples
from bridge.sinks import SERVICES
from tests.messages.speech import NOW, circumstances, event, inline, look, tally

PAGE = (Path(__file__).parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")
FENCES = [token for token in MarkdownIt().parse(PAGE) if token.type == "fence"]
SAMPLES = samples(at=NOW)
EXAMPLES = {found[1]: one.content for one in FENCES if (found := re.fullmatch(r'jinja title="(.+)"', one.info))}


def spans(heading: str) -> set[str]:
    """What the first column of the table under a heading names."""
    part = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return {name for row in re.findall(r"^\| (`.*?) \| ", part, re.MULTILINE) for name in re.findall(r"`(\w+)", row)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_templates_shown_work(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.parent.mkdir()
    file.write_text(EXAMPLES[name], encoding="utf-8")
    for locale in ("en", "fa", "ru"):
        renderer = Renderer(folders=[tmp_path], timezone=ZoneInfo("UTC"), locale=locale)
        assert renderer.mistakes(SERVICES) == []
        for one in SAMPLES:
            for given in (PLAIN, circumstances(one)):
                assert renderer.render(one, look(file.parent.name), None, given).fault is None
        for count in (1, 20):
            assert renderer.digest(tally(count), look(file.parent.name)).fault is None


def test_the_little_template_shown_writes_json() -> None:
    [source] = [token.content for token in FENCES if token.info == "jinja"]
    body = inline(source, event("user.created", {"user": {"username": 'a"b'}})).blocks["body"]
    assert json.loads(body) == {"text": "user.created", "user": 'a"b'}


def test_the_page_names_every_filter_there_is() -> None:
    formats = Formats(Text, catalog("en"), "en", ZoneInfo("UTC"))
    sandbox = Sandbox(None, formats, catalog("en"), jinja2.DictLoader({}))
    ours = {name for name, filter_ in sandbox.filters.items() if filter_ is not jinja2.filters.FILTERS.get(name)}
    replaced = {"e", "escape", "forceescape", "safe", "join", "replace", "format"}
    assert spans("Filters") == ours - replaced


def test_the_page_names_all_that_a_template_knows() -> None:
    known = event_variables(event("user.created", {}), reader("en", ZoneInfo("UTC"))).keys()
    assert spans("What a template knows") == known | {"facts", "sections", "gist", "report", *POSTED}


def test_the_page_names_all_that_the_template_of_a_digest_knows() -> None:
    formats = Formats(Text, catalog("en"), "en", ZoneInfo("UTC"))
    known = digest_variables(tally(3), reader("en", ZoneInfo("UTC")), formats).keys()
    assert spans("Digests") == known | set(SERVICES)


def test_the_page_names_the_blocks_of_a_digest() -> None:
    part = PAGE.partition("## Digests\n")[2].partition("\n```")[0]
    for name, service in SERVICES.items():
        row = next(line for line in part.splitlines() if line.startswith(f"| `{name}`"))
        assert tuple(re.findall(r"`(\w+)`", row)[1:]) == service.digest_blocks


def test_the_remarks_shown_are_those_that_are_made() -> None:
    shown = next(token.content for token in FENCES if token.info == "text").strip()
    given = Circumstances(test=True, replay=True, instead="ops: HTTP 404; gave up after 4 attempts", repeats=12)
    renderer = Renderer(folders=[], timezone=ZoneInfo("UTC"), locale="en")
    rendered = renderer.render(event("user.created", {}), look("slack"), None, given)
    assert rendered.blocks["remarks"] == shown


def test_the_page_names_the_blocks_of_each_service() -> None:
    part = PAGE.partition("## Blocks\n")[2].partition("\n```")[0]
    for name, service in SERVICES.items():
        row = next(line for line in part.splitlines() if line.startswith(f"| `{name}`"))
        assert tuple(re.findall(r"`(\w+)`", row)[1:]) == service.blocks
